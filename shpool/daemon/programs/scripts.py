"""The start-up scripts that the shells read in place of, or before, the user's files.

The prefix and the start command stand in them as quoted words. When a script has run, nothing of
it is left in the environment. Which script goes to which shell, and how the shell is made to read
it, is told in shells.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# The variable that names the script to a shell that reads $ENV, and is unset by the script.
ENV_FILE = "__SHPOOL_ENV_FILE"

# Text that takes no room on the screen and that no prompt of a user's begins with: by it the
# prefix is found again when somebody put text before it, as a Python virtual environment does.
_BASH_MARK = r"\[\]"
_ZSH_MARK = "%{%}"

# The session's name where a prefix for zsh has it expanded, with what stands before it.
_NAME_IN_PREFIX = re.compile(r"(\$(?:\{(?:\([^()]*\))?[#^=~:]*)?)SHPOOL_SESSION_NAME(?!\w)")


def quote(text: str) -> str:
    """One word for bash, zsh and the POSIX shells, whatever their options."""
    return "'" + text.replace("'", "'\\''") + "'"


def fish_quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def bash(
    *, prefix: str, start_cmd: str | None, norc: bool, env: Mapping[str, str], env_file: bool
) -> str:
    """`env_file`: bash reads this as $ENV, in POSIX mode; otherwise it is its --init-file.

    With POSIXLY_CORRECT in `env` bash would have read no file of the user's but $ENV, and would
    have stayed in POSIX mode.
    """
    stay_posix = "POSIXLY_CORRECT" in env
    first = []
    if env_file:
        first += [f"unset {ENV_FILE}", _restored("ENV", env)]
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
        files = _fill(_ENV_FILE, ENV="${ENV-}")
    else:
        files = _BASH_LOGIN_FILES
    prompt = _fill(_BASH_PROMPT, TEXT=quote(_BASH_MARK + prefix), HOOK=quote(_BASH_HOOK))
    return _fill(
        _BASH,
        FIRST="\n".join(first),
        PROMPT=prompt if prefix else "",
        FILES=files,
        INSTALL=_BASH_INSTALL if prefix else "{ unset -v __shpool_status; } &>/dev/null",
        START="{ set -m; } &>/dev/null\n    " + _evaluation(start_cmd) if start_cmd else "",
    )


def posix(*, start_cmd: str | None, norc: bool, env: Mapping[str, str], default_env: str) -> str:
    """`default_env`: the file read when ENV is unset, as shell source; may be empty."""
    files = "" if norc else _LOGIN_FILES + _fill(_ENV_FILE, ENV="${ENV-" + default_env + "}")
    first = f"unset {ENV_FILE}\n" + _restored("ENV", env)
    return _fill(_POSIX, FIRST=first, FILES=files, START=_evaluation(start_cmd))


def zsh(*, prefix: str, start_cmd: str | None, norc: bool, env: Mapping[str, str]) -> str:
    text = _NAME_IN_PREFIX.sub(r"\1__shpool_name", prefix)
    prompt = _fill(_ZSH_PROMPT, TEXT=quote(text), MARK=quote(_ZSH_MARK)) if prefix else ""
    return _fill(
        _ZSH,
        FIRST=_restored("ZDOTDIR", env),
        AGAIN="" if "ZDOTDIR" in env else _ZSH_GLOBAL_FILE_AGAIN,
        PROMPT=prompt,
        INSTALL=_ZSH_INSTALL if prefix else "",
        START=_fill(_ZSH_START, START=quote(_evaluation(start_cmd))) if start_cmd else "",
        FILES="builtin setopt no_rcs" if norc else _ZSH_USER_FILE,
    )


def fish(*, prefix: str, start_cmd: str | None) -> str:
    """For fish before 3.4 a command substitution in the prefix is plain text."""
    # The prefix is what may stand between double quotes. A quote in it stands for itself, except
    # that one may belong to a command substitution, and there it is left to the user.
    source = prefix if "$(" in prefix else re.sub(r'(?<!\\)"', r"\"", prefix)
    function = "function __shpool_prefix; printf %s {}; end"
    prompt = _fill(
        _FISH_PROMPT,
        SOURCE=fish_quote(function.format(f'"{source}"')),
        PLAIN=fish_quote(function.format(fish_quote(prefix))),
    )
    start = _fill(_FISH_START, START=fish_quote("\n" + start_cmd)) if start_cmd else ""
    return (prompt if prefix else "") + start


def _restored(name: str, env: Mapping[str, str]) -> str:
    if name not in env:
        return f"unset {name}"
    return f"export {name}={quote(env[name])}"


def _evaluation(start_cmd: str | None) -> str:
    # The newline keeps a command that begins with a dash from being an option of eval's.
    return "eval " + quote("\n" + start_cmd) if start_cmd else ""


def _fill(script: str, **values: str) -> str:
    return re.sub("@([A-Z]+)@", lambda match: values[match[1]], script)


# bash.
#
# - The user's files run at the top level, where `declare` means what it means in them. Each is
#   looked for as bash does it: the first that exists is the one, and one that exists and cannot
#   be read is an error message, no reason to try the next.
# - `||` keeps a `set -e` of theirs from ending the shell for the status of their last command.
# - A group is parsed before it is run, so no alias of theirs changes it.
# - Job control, which bash turns off while it reads files and on again afterwards, is on for the
#   start command: it may be an editor, which the user wants to suspend.
# - What is redirected to /dev/null is so for those who leave `set -x` or a trap on DEBUG behind.
_BASH = r"""
@FIRST@
@PROMPT@
{
    @FILES@
    @INSTALL@
    @START@
}
"""

_BASH_LOGIN_FILES = r"""
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
_BASH_HOOK = """{
"${__shpool_hook-:}"
} 2>/dev/null"""

_BASH_PROMPT = r"""
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

_BASH_INSTALL = r"""
    {
        __shpool_install "${__shpool_status-$?}" \
            "$({ builtin trap -p DEBUG >&3; } 3>&1 >/dev/null)"
    } &>/dev/null
"""

# The POSIX shells. They read $ENV last of all, and a login shell would have run .profile before,
# where everybody sets ENV: ours would never be read. So the shell is started as if it were no
# login shell, and this reads what one reads. `command .` returns after an error in the file,
# where `.` would give up the rest.
_POSIX = r"""
@FIRST@
{
    @FILES@
    @START@
}
"""

_LOGIN_FILES = r"""
    if [ -e /etc/profile ]; then
        command . /etc/profile || :
    fi
    if [ -e "${HOME-}/.profile" ]; then
        command . "$HOME/.profile" || :
    fi
"""

# The value of ENV is subject to parameter expansion before it is a path.
_ENV_FILE = r"""
    if eval "[ -e \"@ENV@\" ]"; then
        eval "command . \"@ENV@\"" || :
    fi
"""

# zsh: this is the .zshenv of a ZDOTDIR of ours. It hands the user's own back and runs their
# .zshenv; all the other files zsh then finds by itself.
#
# - /etc/zshenv has seen our ZDOTDIR. If it gives one to a user who has none, it must run again.
# - __shpool_begin runs when the user's files are done, before the first prompt. It is armed as
#   precmd, which comes before all the hooks, and as a hook, in case a file of theirs defines
#   precmd or assigns the list of hooks.
_ZSH = r"""
{
    builtin @FIRST@
    @AGAIN@
    function __shpool_begin {
        builtin emulate -L zsh
        (( ${+functions[__shpool_begin]} )) || return 0
        local begun=0
        if [[ ${functions[precmd]-} == "$functions[__shpool_begin]" ]]; then
            builtin unfunction precmd
        elif (( ${+functions[precmd]} )); then
            begun=1
        fi
        builtin unfunction __shpool_begin
        precmd_functions=("${(@)precmd_functions:#__shpool_begin}")
        @INSTALL@
        @START@
    }
    @PROMPT@
    functions[precmd]=$functions[__shpool_begin]
    builtin typeset -ga precmd_functions
    precmd_functions+=(__shpool_begin)
    @FILES@
}
"""

_ZSH_GLOBAL_FILE_AGAIN = r"""
    if [[ -r /etc/zsh/zshenv && "$(</etc/zsh/zshenv)" == *ZDOTDIR* ]]; then
        builtin source /etc/zsh/zshenv
    elif [[ -r /etc/zshenv && "$(</etc/zshenv)" == *ZDOTDIR* ]]; then
        builtin source /etc/zshenv
    fi
"""

_ZSH_USER_FILE = r"""
    if [[ -r ${ZDOTDIR-$HOME}/.zshenv ]]; then
        builtin source ${ZDOTDIR-$HOME}/.zshenv
    fi
"""

# It is the last of the hooks, and goes there again when one was added. Another one may do the same,
# as powerlevel10k's does: then each goes behind the other in its turn, and ours runs later in every
# round, for zsh goes through the list as it was.
#
# PROMPT_SUBST is the user's to set: with it on, a branch name in a prompt that was written for it
# being off could run commands. So without it the prefix, and nothing else, is expanded here. What
# comes of an expansion is prompt source still, which the session's name is not: it has a variable
# of its own, in which the characters that a prompt gives a meaning to are doubled.
#
# powerlevel10k builds its prompt anew while the user types, when git has answered, so we follow the
# function that does. It fills all lines but the last to the width of the terminal: there the prefix
# stands before the last. What it keeps for the next shell's instant prompt is not for us.
_ZSH_PROMPT = r"""
    function __shpool_prompt {
        builtin local result=$? subst=0 percent=0 bang=0
        if [[ -o prompt_subst ]]; then subst=1; fi
        if [[ -o prompt_percent ]]; then percent=1; fi
        if [[ -o prompt_bang ]]; then bang=1; fi
        builtin emulate -L zsh
        __shpool_set_prompt
        if [[ $precmd_functions[-1] != __shpool_prompt ]]; then
            precmd_functions=("${(@)precmd_functions:#__shpool_prompt}" __shpool_prompt)
        fi
        if [[ ${functions[_p9k_set_prompt]-__shpool_} != *__shpool_* ]]; then
            functions[__shpool_p9k]=$functions[_p9k_set_prompt]
            function _p9k_set_prompt {
                __shpool_p9k "$@"
                [[ ${1-} == instant_ ]] || __shpool_set_prompt
            }
        fi
        return $result
    }
    function __shpool_set_prompt {
        builtin emulate -L zsh
        local text=@TEXT@ rest=$PS1
        local last_line='${_p9k__'${#_p9k_line_segments_left}'-'
        __shpool_name=$SHPOOL_SESSION_NAME
        (( ! bang )) || __shpool_name=${__shpool_name//!/!!}
        if [[ $rest == *"$last_line"* ]]; then
            __shpool_name=${__shpool_name//\%/%%}
            text=@MARK@$text
            rest=${rest/$__shpool_shown/}
            PS1=${rest/$last_line/$text$last_line}
            __shpool_shown=$text
            return
        fi
        (( ! percent )) || __shpool_name=${__shpool_name//\%/%%}
        (( subst )) || text=${(e)text}
        if (( percent )); then
            text=@MARK@$text
            rest=${rest/$__shpool_shown/}
        else
            rest=${rest#$__shpool_shown}
        fi
        PS1=$text$rest
        __shpool_shown=$text
    }
    builtin typeset -g +x __shpool_shown= __shpool_name=
"""

# As precmd it comes in time for the list of hooks. As a hook of that list it cannot add to this
# round, but what `sched` runs comes after them all.
_ZSH_INSTALL = r"""
        precmd_functions+=(__shpool_prompt)
        if (( begun )) && builtin zmodload zsh/sched; then
            builtin sched +0 __shpool_prompt
        fi
        __shpool_prompt
"""

# A trap on EXIT is run when the function is left, outside of it: at the top level, where `typeset`
# is global. What zsh does before the first prompt has been done by then, and is done again: the
# mark for a line left without end (PROMPT_SP), and a precmd of the user's, which may have looked
# at a directory that was left since.
_ZSH_START = r"""
        function __shpool_started {
            if [[ -o prompt_sp && -o prompt_cr ]]; then
                builtin print -rn -- "${(%):-%B%S%#%s%b}${(l:COLUMNS - 1:: :):-}"$'\r \r'
            fi
            builtin unfunction __shpool_started
            if (( $1 )); then
                precmd
            fi
        }
        builtin trap -- @START@$'\n'"__shpool_started $begun" EXIT
"""

# fish calls fish_mode_prompt before fish_prompt, in every key binding mode, and puts what it
# prints in front. So the user's fish_prompt is left alone, also when it is defined anew or saved,
# and sees $status and $pipestatus as they were. The inner call of a fish_mode_prompt that was made
# from a copy of ours prints nothing.
#
# fish cuts off the beginning of a line that is too long, and tide's prompt of two lines fills the
# first one. There the prefix stands before the second, by a fish_prompt of ours around tide's.
_FISH_PROMPT = r"""
eval @SOURCE@ 2>/dev/null
or eval @PLAIN@

function __shpool_prompt --on-event fish_prompt
    functions -q fish_prompt
    if contains newline $_tide_left_items
        __shpool_before_last_line
        return
    end
    if functions -q fish_mode_prompt
        functions fish_mode_prompt | string match -q '*__shpool_prefix*'
        and return
        functions -e __shpool_user_mode_prompt
        functions -c fish_mode_prompt __shpool_user_mode_prompt
    else
        functions -e __shpool_user_mode_prompt
    end
    function fish_mode_prompt
        set -q __shpool_prompting
        and return
        set -lx __shpool_prompting 1
        __shpool_prefix
        functions -q __shpool_user_mode_prompt
        and __shpool_user_mode_prompt
    end
end

function __shpool_before_last_line
    if functions fish_mode_prompt | string match -q '*__shpool_prefix*'
        functions -e fish_mode_prompt
        functions -q __shpool_user_mode_prompt
        and functions -c __shpool_user_mode_prompt fish_mode_prompt
    end
    functions fish_prompt | string match -q '*__shpool_prefix*'
    and return
    functions -e __shpool_user_prompt
    functions -c fish_prompt __shpool_user_prompt
    function fish_prompt
        set -l lines (__shpool_user_prompt)
        test (count $lines) -gt 1
        and printf '%s\n' $lines[1..-2]
        __shpool_prefix
        printf %s $lines[-1]
    end
end
"""

# A `return` in the start command ends this file; in --init-command it would end fish. fish gives
# jobs to the terminal only when it reads from it, and is told to go back to that by another
# --init-command.
_FISH_START = r"""
status job-control full
eval @START@
"""
FISH_STARTED = "status job-control interactive"
