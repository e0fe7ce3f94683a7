"""bash's start-up script: the login files, a prompt prefix, a start command."""

from __future__ import annotations

from shpool.daemon.programs.scripts import (
    ENV_FILE,
    READ_ENV_FILE,
    evaluation,
    fill,
    quote,
    restored,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# Text that takes no room on the screen and that no prompt of a user's begins with: by it the
# prefix is found again when somebody put text before it, as a Python virtual environment does.
_MARK = r"\[\]"


def script(
    *, prefix: str, start_cmd: str | None, norc: bool, env: Mapping[str, str], env_file: bool
) -> str:
    """`env_file`: bash reads this as $ENV, in POSIX mode; otherwise it is its --init-file.

    With POSIXLY_CORRECT in `env` bash would have read no file of the user's but $ENV, and would
    have stayed in POSIX mode.
    """
    stay_posix = "POSIXLY_CORRECT" in env
    first = []
    if env_file:
        first += [f"unset {ENV_FILE}", restored("ENV", env)]
    if env_file and not stay_posix:
        # What --posix did besides.
        first.append("set +o posix\nshopt -u inherit_errexit 2>/dev/null")
        if "HISTFILE" not in env:
            first.append("HISTFILE=~/.bash_history")
        if "MAILCHECK" not in env:
            first.append("MAILCHECK=60")
    if norc:
        files = ""
    elif stay_posix:
        files = fill(READ_ENV_FILE, ENV="${ENV-}")
    else:
        files = _LOGIN_FILES
    prompt = fill(_PROMPT, TEXT=quote(_MARK + prefix), HOOK=quote(_HOOK))
    return fill(
        _SCRIPT,
        FIRST="\n".join(first),
        PROMPT=prompt if prefix else "",
        FILES=files,
        INSTALL=_INSTALL if prefix else "{ unset -v __shpool_status; } &>/dev/null",
        START="{ set -m; } &>/dev/null\n    " + evaluation(start_cmd) if start_cmd else "",
    )


# - The user's files run at the top level, where `declare` means what it means in them. Each is
#   looked for as bash does it: the first that exists is the one, and one that exists and cannot
#   be read is an error message, no reason to try the next.
# - `||` keeps a `set -e` of theirs from ending the shell for the status of their last command.
# - A group is parsed before it is run, so no alias of theirs changes it.
# - Job control, which bash turns off while it reads files and on again afterwards, is on for the
#   start command: it may be an editor, which the user wants to suspend.
# - What is redirected to /dev/null is so for those who leave `set -x` or a trap on DEBUG behind.
_SCRIPT = r"""
@FIRST@
@PROMPT@
{
    @FILES@
    @INSTALL@
    @START@
}
"""

_LOGIN_FILES = r"""
    if [[ -e /etc/profile ]]; then
        builtin source /etc/profile || { __shpool_status=$?; } &>/dev/null
    fi
    if [[ -e ~/.bash_profile ]]; then
        builtin source ~/.bash_profile || { __shpool_status=$?; } &>/dev/null
    elif [[ -e ~/.bash_login ]]; then
        builtin source ~/.bash_login || { __shpool_status=$?; } &>/dev/null
    elif [[ -e ~/.profile ]]; then
        builtin source ~/.profile || { __shpool_status=$?; } &>/dev/null
    fi
"""

# The prefix is put where it belongs by the last of the prompt commands, and whatever is appended
# later goes before it again from the next prompt on. bash-preexec alone stays behind it: its own
# last command tells it that what comes next is the user's. When it installs itself, at the first
# prompt, that command is no part of the round yet, so we run it.
#
# That is an element of its own, which bash runs with the $? and PIPESTATUS that the others saw
# too, and which outlives an assignment to PROMPT_COMMAND. It is put there when the user's files
# are done, for they tell by PROMPT_COMMAND whether anybody uses it; so files that the user
# interrupts leave no prefix. A bash before 5.1 knows no array there, and an array cannot be
# exported; then it is a last line, and does nothing in a shell that inherits it. It has a line for
# its command alone: that is how bash-preexec recognizes what is none of the user's commands.
#
# A trap on DEBUG is run for that command as well, and one that takes the time from it to the next
# prompt would measure how long the user was thinking. So it is told to pass over us. With `set -T`
# it also runs where its own text is asked for, and may print something there.
_HOOK = """{
"${__shpool_hook-:}"
} 2>/dev/null"""

_PROMPT = r"""
__shpool_hook=__shpool_prompt
__shpool_prompt() {
    local status=$? text=@TEXT@ prompt=${PS1-} hook=@HOOK@ IFS=$'\n'
    [[ $prompt == "$text"* ]] || PS1=$text${prompt//"$text"}
    local commands=${PROMPT_COMMAND[*]-}
    (( BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] > 500 )) || commands=${PROMPT_COMMAND-}
    case $commands in
        *"$hook" | *"$hook"$'\n'__bp_interactive_mode) ;;
        *) __shpool_place "$hook" ;;
    esac
    [[ $commands != *$'\n'__bp_interactive_mode ]] || __bp_interactive_mode force
    [[ $- == *e* ]] || return "$status"
}
__shpool_place() {
    local hook=$1 ending= index command commands
    local array=$(( BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] > 500 ))
    local declared=$(builtin declare -p PROMPT_COMMAND 2>/dev/null)
    commands[0]=
    if [[ -n ${PROMPT_COMMAND[*]-} ]]; then
        for index in "${!PROMPT_COMMAND[@]}"; do
            command=${PROMPT_COMMAND[index]}
            (( array || index == 0 )) || break
            ending=
            [[ $command != "$hook" ]] || continue
            command=$'\n'${command//"$hook"[$';\n']}
            command=${command//"$hook"/:}
            if [[ $command == *$'\n'__bp_interactive_mode ]]; then
                ending=__bp_interactive_mode
                command=${command%$'\n'*}
            fi
            command=${command#$'\n'}
            [[ -z $command ]] || commands[index]=$command
        done
    fi
    command=${commands[0]:+${commands[0]}$'\n'}$hook${ending:+$'\n'$ending}
    if (( ! array )); then
        PROMPT_COMMAND=$command
    elif [[ ${declared%% PROMPT_COMMAND*} == *x* && ${#commands[@]} == 1 ]]; then
        builtin unset -v PROMPT_COMMAND
        builtin export PROMPT_COMMAND="$command"
    else
        PROMPT_COMMAND=("${commands[@]}" "$hook" ${ending:+"$ending"})
    fi
}
__shpool_install() {
    local status=$1
    __shpool_place @HOOK@
    __shpool_prompt
    builtin unset -f __shpool_install
    builtin unset -v __shpool_status
    if [[ $2 == "trap -- '"*"' DEBUG" && -z ${bash_preexec_imported-}${__bp_imported-} ]]; then
        builtin eval "set -- $2"
        builtin trap -- "case \${FUNCNAME-}:\$BASH_COMMAND in __shpool_*:* | :*__shpool_*) ;; *) $3
;; esac" DEBUG
    fi
    [[ $- == *e* ]] || return "$status"
}
"""

_INSTALL = r"""
    {
        __shpool_install "${__shpool_status-$?}" \
            "$({ builtin trap -p DEBUG >&3; } 3>&1 >/dev/null)"
    } &>/dev/null
"""
