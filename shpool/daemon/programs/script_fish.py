"""fish's start-up script: a prompt prefix and a start command."""

from __future__ import annotations

import re

from shpool.daemon.programs.scripts import fill


def quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def script(*, prefix: str, aid: str, start_cmd: str | None) -> str:
    """`aid`: what marks carry, empty for none.

    For fish before 3.4 a command substitution in the prefix is plain text.
    """
    # The prefix is what may stand between double quotes. A quote in it stands for itself, except
    # that one may belong to a command substitution, and there it is left to the user.
    source = prefix if "$(" in prefix else re.sub(r'(?<!\\)"', r"\"", prefix)
    function = "function __shpool_prefix; printf %s {}; end"
    prompt = fill(
        _PROMPT,
        SOURCE=quote(function.format(f'"{source}"')),
        PLAIN=quote(function.format(quote(prefix))),
    )
    start = fill(_START, START=quote("\n" + start_cmd)) if start_cmd else ""
    marks = fill(_MARKS, AID=quote(aid)) if aid else ""
    return marks + (prompt if prefix else "") + start


# fish calls fish_mode_prompt before fish_prompt, in every key binding mode, and puts what it
# prints in front. So the user's fish_prompt is left alone, also when it is defined anew or saved,
# and sees $status and $pipestatus as they were. The inner call of a fish_mode_prompt that was made
# from a copy of ours prints nothing.
#
# fish cuts off the beginning of a line that is too long, and tide's prompt of two lines fills the
# first one. There the prefix stands before the second, by a fish_prompt of ours around tide's.
_PROMPT = r"""
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

# fish 4 marks all of it by itself as well, but without the word by which the session's own shell is
# known; a terminal takes the second mark in the same place for the first. There is no place for B:
# what a prompt ends with may be fitted into the line by its width. After ^C fish before 4 shows the
# prompt again without an event for that.
_MARKS = r"""
function __shpool_mark_prompt --on-event fish_prompt --on-event fish_cancel
    printf '\e]133;A;aid=%s\a' @AID@
end
function __shpool_mark_command --on-event fish_preexec
    printf '\e]133;C;aid=%s;cmdline_url=%s\a' @AID@ \
        (string sub -l 4096 -- $argv[1] | string escape --style=url | string join %0A \
        | string sub -l 4096 | string replace -r '%.?$' '')
end
function __shpool_mark_end --on-event fish_postexec
    printf '\e]133;D;%s;aid=%s\a' $status @AID@
end
"""

# A `return` in the start command ends this file; in --init-command it would end fish. fish gives
# jobs to the terminal only when it reads from it, and is told to go back to that by another
# --init-command.
_START = r"""
status job-control full
eval @START@
"""
STARTED = "status job-control interactive"
