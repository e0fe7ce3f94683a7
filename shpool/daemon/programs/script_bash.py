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
    *,
    prefix: str,
    aid: str,
    start_cmd: str | None,
    norc: bool,
    env: Mapping[str, str],
    env_file: bool,
) -> str:
    """`env_file`: bash reads this as $ENV, in POSIX mode; otherwise it is its --init-file.
    `aid`: what marks carry, empty for none.

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
    prompt = fill(
        _PROMPT,
        TEXT=quote(_MARK + prefix if prefix else ""),
        HOOK=quote(_HOOK),
        HEAD=quote(_HEAD),
        BEFORE=quote(_BEFORE),
        AFTER=quote(_AFTER),
        COMMAND=quote(_COMMAND),
    )
    marks = fill(_MARKS, AID=quote(aid)) if aid else ""
    ours = bool(prefix or aid)
    return fill(
        _SCRIPT,
        FIRST="\n".join(first),
        PROMPT=marks + prompt if ours else "",
        FILES=files,
        INSTALL=_INSTALL if ours else "{ unset -v __shpool_status; } &>/dev/null",
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
# its command alone: that is how bash-preexec recognizes what is none of the user's commands. A
# restricted bash may not redirect, and has the prefix once and for all.
#
# A trap on DEBUG is run for that command as well, and one that takes the time from it to the next
# prompt would measure how long the user was thinking. So it is told to pass over us. With `set -T`
# it also runs where its own text is asked for, and may print something there.
_HOOK = """{
"${__shpool_hook-:}"
} 2>/dev/null"""

# Marks are for bash 4.4 and later, which has PS0: what is written when a command was read. They
# stand in PS1 and PS0 as elements of an array, which is never exported, so that a bash below ours
# that has inherited these writes none. 1 and 2 enclose the status in D, 3 and 5 the number in A,
# 4 and 5 the command in C; 6 is B.
#
# Expanding PS0 notes that a command was run, by a side effect of the arithmetic in an index: what
# is substituted there runs in a shell of its own. Only where that is noted there is a D. A has a
# number, because readline writes the prompt again, as it was, when it draws the line anew. What
# was not put into the history cannot be told; that is seen by HISTCMD, which bash before 5.1 only
# tells right where it expands a prompt.
#
# D comes before what other prompt commands print, from the first line of them all. What follows in
# the same element sees $? as it was, but PIPESTATUS cannot be given back; so where a function may
# look at that, D comes with the prompt, or from the first of bash-preexec's functions.
_HEAD = """{
"${__shpool_head-:}"
} 2>/dev/null"""

_BEFORE = (
    r"\[${__shpool_marks[${__shpool_ran-0}]:+${__shpool_marks[1]}$?${__shpool_marks[2]}}"
    r"${__shpool_marks[3+0*(__shpool_ran=0,__shpool_history=${HISTCMD-0})]:+${__shpool_marks[3]}"
    r"$((__shpool_count+=1))${__shpool_marks[5]}}\]"
)
_AFTER = r"\[${__shpool_marks[6]-}\]"
_COMMAND = (
    r"${__shpool_marks[4+0*(__shpool_ran=1,__shpool_now=${HISTCMD-0})]-}"
    r"$({ __shpool_command >&3; } 3>&1 >/dev/null 2>&1)"
    r"${__shpool_marks[5]-}"
)

_MARKS = r"""
if (( BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] > 403 )); then
    __shpool_head=__shpool_done
    __shpool_ran=0 __shpool_count=0 __shpool_history=0 __shpool_now=0
    __shpool_marks=(
        [1]=$'\e]133;D;' [2]=';aid='@AID@$'\a' [3]=$'\e]133;A;aid='@AID@';n='
        [4]=$'\e]133;C;aid='@AID@';cmdline_url=' [5]=$'\a' [6]=$'\e]133;B;aid='@AID@$'\a'
    )
fi
__shpool_done() {
    local status=$?
    if (( __shpool_ran )); then
        __shpool_ran=0
        builtin printf %s "${__shpool_marks[1]}$status${__shpool_marks[2]}" >/dev/tty
    fi
    [[ $- == *e* ]] || return "$status"
}
__shpool_command() {
    [[ $__shpool_now != "$__shpool_history" ]] || return 0
    local LC_ALL=C text piece out=
    text=$(HISTTIMEFORMAT= builtin history 1)
    text=${text#"${text%%[0-9]*}"}
    text=${text#"${text%%[!0-9]*}"}
    text=${text:2:4096}
    text=${text//%/%25}
    text=${text// /%20}
    text=${text//;/%3B}
    while [[ $text == *[![:print:]]* ]]; do
        piece=${text%%[![:print:]]*}
        out+=$piece
        text=${text:${#piece}}
        builtin printf -v piece %d "'$text"
        builtin printf -v piece %%%02X "$(( piece & 255 ))"
        out+=$piece
        text=${text:1}
    done
    out+=$text
    out=${out:0:4096}
    out=${out%\%}
    builtin printf %s "${out%\%?}"
}
"""

# Without `shopt -s promptvars` nothing in a prompt is expanded, and there are no marks.
_PROMPT = r"""
__shpool_hook=__shpool_prompt
__shpool_prompt() {
    local status=$? prompt=${PS1-} hook=@HOOK@ head=${__shpool_first-} IFS=$'\n'
    local before=@BEFORE@ text=@TEXT@ after=@AFTER@ command=@COMMAND@
    prompt=${prompt//"$before"}
    prompt=${prompt//"$text"}
    prompt=$text${prompt//"$after"}
    if [[ -n ${__shpool_head-} ]] && builtin shopt -q promptvars; then
        prompt=$before$prompt$after
        [[ ${PS0-} == *"$command"* ]] || PS0=${PS0-}$command
    else
        [[ ${PS0-} != *"$command"* ]] || PS0=${PS0//"$command"}
    fi
    [[ ${PS1-} == "$prompt" ]] || PS1=$prompt
    if [[ -n ${__shpool_head-} && -n ${bash_preexec_imported-}${__bp_imported-} ]]; then
        case $'\n'${precmd_functions[*]-}$'\n' in
            *$'\n'__shpool_done$'\n'*) ;;
            *) precmd_functions=(__shpool_done "${precmd_functions[@]}") ;;
        esac
    fi
    local commands=${PROMPT_COMMAND[*]-}
    (( BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] > 500 )) || commands=${PROMPT_COMMAND-}
    case $commands in
        "$head"*"$hook" | "$head"*"$hook"$'\n'__bp_interactive_mode) ;;
        __bp_precmd*$'\n'"$head"*"$hook"$'\n'__bp_interactive_mode) ;;
        *) __shpool_place "$hook" @HEAD@ ;;
    esac
    [[ $commands != *$'\n'__bp_interactive_mode ]] || __bp_interactive_mode force
    [[ $- == *e* ]] || return "$status"
}
__shpool_place() {
    ! builtin shopt -q restricted_shell || return 0
    local hook=$1 head=$2 ending= index text command commands
    local array=$(( BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] > 500 ))
    local declared=$(builtin declare -p PROMPT_COMMAND 2>/dev/null)
    commands[0]=
    if [[ -n ${PROMPT_COMMAND[*]-} ]]; then
        for index in "${!PROMPT_COMMAND[@]}"; do
            command=${PROMPT_COMMAND[index]}
            (( array || index == 0 )) || break
            ending=
            for text in "$hook" "$head"; do
                [[ $command != "$text" ]] || continue 2
                command=${command//"$text"[$';\n']}
                command=${command//"$text"/:}
            done
            command=$'\n'$command
            if [[ $command == *$'\n'__bp_interactive_mode ]]; then
                ending=__bp_interactive_mode
                command=${command%$'\n'*}
            fi
            command=${command#$'\n'}
            [[ -z $command ]] || commands[index]=$command
        done
    fi
    if [[ -z ${__shpool_head-} ]]; then
        head=
    elif [[ -n ${commands[0]} && ${commands[0]}$(builtin declare -f) == *PIPE''STATUS* ]]; then
        head=
    fi
    commands[0]=$head${head:+${commands[0]:+$'\n'}}${commands[0]}
    __shpool_first=$head
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
    __shpool_place @HOOK@ @HEAD@
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
