"""The completions for fish (3.0 or later)."""

from shpool.completions.places import Described, kind_of, spelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shpool.completions.places import Kind, Place
    from shpool.options import Option

_SCRIPT = r"""# fish completion for shpool, made by: shpool completions fish

# The words so far, without options and their values: the command, and its arguments.  With an
# argument, the options before the command instead, that say which daemon is meant.
function __shpool_words
    set -l command
    set -l found
    set -l before
    set -l option
    set -l ended
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        if test -n "$option"
            test -z "$command"; and set before $before $option $word
            set option
        else if test -z "$ended"; and test "x$word" = x--
            set ended 1
        else if test -z "$ended"; and string match -q -- '-?*' $word
            switch "$command:$word"
                case @VALUED@
                    set option $word
                case ':--socket=*' ':-s?*'
                    set before $before $word
            end
        else
            if test -z "$command"
                set command $word
                set ended
            end
            set found $found $word
        end
    end
    set -q argv[1]; and set found $before
    for word in $found
        printf '%s\n' $word
    end
end

function __shpool_ask
    set -l before (__shpool_words before)
    shpool $before -D $argv 2>/dev/null
end

function __shpool_variables
    __shpool_ask var list | string replace -r '\t.*' ''
end

# The command is $argv[1], the argument that is being typed the $argv[2]th, from 0 (or any: '*'),
# and the first one of those that follow, if any do.
function __shpool_at
    set -l words (__shpool_words)
    test "$words[1]" = "$argv[1]"; or return 1
    set -q argv[2]; or return 0
    test "$argv[2]" = '*'; or test (count $words) -eq (math $argv[2] + 1); or return 1
    set -q argv[3]; or return 0
    contains -- "$words[2]" $argv[3..-1]
end

function __shpool_no_command
    test (count (__shpool_words)) -eq 0
end

complete -c shpool -e
complete -c shpool -f
@LINES@
"""

_ACTIONS = {
    "sessions": "-x -a '(__shpool_ask list --short)'",
    "hosts": "-x -a '(__fish_print_hostnames)'",
    "variables": "-x -a '(__shpool_variables)'",
    "files": "-r -F",
    "directories": "-x -a '(__fish_complete_directories)'",
    "programs": "-x -a '(__fish_complete_command)'",
    "": "-x",
}


def script(commands: "Mapping[str, Described]", options: "Sequence[Option]") -> str:
    """What fish reads: `commands` by name, and the `options` that come before them."""
    every = {"": options, **{name: command.options for name, command in commands.items()}}
    valued = [
        quoted(f"{name}:{spelling}")
        for name, own in every.items()
        for option in own
        if option.value is not None
        for spelling in spelled(option)
    ]
    lines = [_option("__shpool_no_command", option) for option in options]
    for name, command in commands.items():
        lines.append(
            f"complete -c shpool -n __shpool_no_command -a {name} -d {quoted(command.summary)}"
        )
    for name, command in commands.items():
        lines += [_option(f"__shpool_at {name}", option) for option in command.options]
        lines += [_place(name, place, commands) for place in command.places if place.kind]
    return _SCRIPT.replace("@VALUED@", " ".join(valued)).replace("@LINES@", "\n".join(lines))


def _option(condition: str, option: "Option") -> str:
    words = ["complete -c shpool -n", quoted(condition)]
    if option.short:
        words.append(f"-s {option.short}")
    words.append(f"-l {option.long} -d {quoted(option.help)}")
    if option.value is not None:
        words.append(_ACTIONS[kind_of(option)])
    return " ".join(words)


def _place(name: str, place: "Place", commands: "Mapping[str, Described]") -> str:
    number = "'*'" if place.many else str(place.number)
    condition = " ".join(["__shpool_at", name, number, *place.verbs])
    return f"complete -c shpool -n {quoted(condition)} {_action(place.kind, commands)}"


def _action(kind: "Kind", commands: "Mapping[str, Described]") -> str:
    if not isinstance(kind, str):
        return f"-x -a {quoted(' '.join(kind))}"
    if kind == "commands":
        return f"-x -a {quoted(' '.join(commands))}"
    return _ACTIONS[kind]


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
