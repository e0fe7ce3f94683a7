"""zsh's start-up script: the user's ZDOTDIR, a prompt prefix, a start command."""

from __future__ import annotations

import re

from shpool.daemon.programs.scripts import evaluation, fill, quote, restored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# Text that takes no room on the screen and that no prompt of a user's begins with: by it the
# prefix is found again when somebody put text before it.
_MARK = "%{%}"

# The session's name where a prefix for zsh has it expanded, with what stands before it.
_NAME_IN_PREFIX = re.compile(r"(\$(?:\{(?:\([^()]*\))?[#^=~:]*)?)SHPOOL_SESSION_NAME(?!\w)")


def script(
    *, prefix: str, aid: str, start_cmd: str | None, norc: bool, env: Mapping[str, str]
) -> str:
    """`aid`: what marks carry, empty for none."""
    text = _NAME_IN_PREFIX.sub(r"\1__shpool_name", prefix)
    ours = bool(prefix or aid)
    prompt = fill(
        _PROMPT,
        TEXT=quote(text),
        MARK=quote(_MARK if prefix else ""),
        LASTLY=_MARK_PROMPT if aid else "",
    )
    marks = fill(_MARKS, AID=quote(aid)) if aid else ""
    return fill(
        _SCRIPT,
        FIRST=restored("ZDOTDIR", env),
        AGAIN="" if "ZDOTDIR" in env else _GLOBAL_FILE_AGAIN,
        PROMPT=marks + prompt if ours else "",
        INSTALL=(_INSTALL_MARKS if aid else "") + (_INSTALL if ours else ""),
        START=fill(_START, START=quote(evaluation(start_cmd))) if start_cmd else "",
        FILES="builtin setopt no_rcs" if norc else _USER_FILE,
    )


# This is the .zshenv of a ZDOTDIR of ours. It hands the user's own back and runs their
# .zshenv; all the other files zsh then finds by itself.
#
# - /etc/zshenv has seen our ZDOTDIR. If it gives one to a user who has none, it must run again.
# - __shpool_begin runs when the user's files are done, before the first prompt. It is armed as
#   precmd, which comes before all the hooks, and as a hook, in case a file of theirs defines
#   precmd or assigns the list of hooks.
_SCRIPT = r"""
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

_GLOBAL_FILE_AGAIN = r"""
    if [[ -r /etc/zsh/zshenv && "$(</etc/zsh/zshenv)" == *ZDOTDIR* ]]; then
        builtin source /etc/zsh/zshenv
    elif [[ -r /etc/zshenv && "$(</etc/zshenv)" == *ZDOTDIR* ]]; then
        builtin source /etc/zshenv
    fi
"""

_USER_FILE = r"""
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
# powerlevel10k and pure build the prompt anew while the user types, when git has answered, so we
# follow the functions that do. powerlevel10k fills all lines but the last to the width of the
# terminal: there the prefix stands before the last. What it keeps for the next shell's instant
# prompt is not for us.
_PROMPT = r"""
    function __shpool_prompt {
        builtin local result=$?
        __shpool_set_prompt
        builtin emulate -L zsh
        if [[ $precmd_functions[-1] != __shpool_prompt ]]; then
            precmd_functions=("${(@)precmd_functions:#__shpool_prompt}" __shpool_prompt)
        fi
        @LASTLY@
        if [[ ${functions[_p9k_set_prompt]-__shpool_} != *__shpool_* ]]; then
            functions[__shpool_p9k]=$functions[_p9k_set_prompt]
            function _p9k_set_prompt {
                __shpool_p9k "$@"
                [[ ${1-} == instant_ ]] || __shpool_set_prompt
            }
        fi
        if [[ ${functions[prompt_pure_preprompt_render]-__shpool_} != *__shpool_* ]]; then
            functions[__shpool_pure]=$functions[prompt_pure_preprompt_render]
            function prompt_pure_preprompt_render {
                __shpool_pure "$@"
                [[ ${1-} != precmd ]] || return 0
                local built=$PS1
                __shpool_set_prompt
                [[ $PS1 == "$built" ]] || prompt_pure_reset_prompt
            }
        fi
        return $result
    }
    function __shpool_set_prompt {
        builtin local subst=0 percent=0 bang=0
        if [[ -o prompt_subst ]]; then subst=1; fi
        if [[ -o prompt_percent ]]; then percent=1; fi
        if [[ -o prompt_bang ]]; then bang=1; fi
        builtin emulate -L zsh
        local text=@TEXT@ rest=$PS1
        local last_line='${_p9k__'${#_p9k_line_segments_left}'-'
        __shpool_name=$SHPOOL_SESSION_NAME
        builtin local after=
        if [[ -n $__shpool_after ]]; then rest=${rest//$__shpool_after/}; fi
        if (( percent )); then after=$__shpool_after; fi
        (( ! bang )) || __shpool_name=${__shpool_name//!/!!}
        if [[ $rest == *"$last_line"* ]]; then
            __shpool_name=${__shpool_name//\%/%%}
            text=@MARK@$text
            rest=${rest/$__shpool_shown/}
            PS1=${rest/$last_line/$text$last_line}$after
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
        PS1=$text$rest$after
        __shpool_shown=$text
    }
    builtin typeset -g +x __shpool_shown= __shpool_name= __shpool_after=${__shpool_after-}
"""

# D comes from the first of the hooks, before what others print, and after what zsh itself writes
# for a line left without end (PROMPT_SP). It goes there again when one was put before it; only a
# function called precmd is still earlier, and could not be told $pipestatus after ours. C comes
# from the last of those that run before a command, behind what the others print. The rest is
# written where it is true: A by the last hook, so that no redrawing repeats it; B by the prompt,
# or where that is taken as it is, before it.
_MARKS = r"""
    builtin typeset -g +x __shpool_aid=@AID@ __shpool_ran=0
    builtin typeset -g +x __shpool_after=$'%{\e]133;B;aid='$__shpool_aid$'\a%}'
    function __shpool_write {
        builtin print -rn -- $'\e]133;'$1$'\a' >/dev/tty
    } 2>/dev/null
    function __shpool_done {
        builtin local result=$?
        if (( __shpool_ran )); then
            __shpool_ran=0
            __shpool_write "D;$result;aid=$__shpool_aid"
        fi
        return $result
    }
    function __shpool_command {
        builtin emulate -L zsh -o extended_glob -o no_multibyte
        builtin local text=${1:-$3} match mbegin mend MATCH MBEGIN MEND
        text=${text[1,4096]}
        text=${text//(#m)[^a-zA-Z0-9_.\/=,:@+-]/%${(l:2::0:)$(( [##16] #MATCH & 255 ))}}
        text=${${text[1,4096]}%%\%(|?)}
        __shpool_ran=1
        __shpool_write "C;aid=$__shpool_aid;cmdline_url=$text"
    }
"""

_MARK_PROMPT = r"""
        if [[ $precmd_functions[1] != __shpool_done ]]; then
            precmd_functions=(__shpool_done "${(@)precmd_functions:#__shpool_done}")
        fi
        if [[ $preexec_functions[-1] != __shpool_command ]]; then
            preexec_functions=("${(@)preexec_functions:#__shpool_command}" __shpool_command)
        fi
        __shpool_write "A;aid=$__shpool_aid"
        if [[ $PS1 != *"$__shpool_after" ]]; then
            __shpool_write "B;aid=$__shpool_aid"
        fi
"""

_INSTALL_MARKS = r"""
        builtin typeset -ga preexec_functions
        preexec_functions+=(__shpool_command)
"""

# As precmd it comes in time for the list of hooks. As a hook of that list it cannot add to this
# round, but what `sched` runs comes after them all.
_INSTALL = r"""
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
_START = r"""
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
