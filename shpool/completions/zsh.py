"""The completions for zsh: a function to autoload, or to be read in after compinit."""

from shpool.completions.places import Described, kind_of, spelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shpool.completions.places import Kind, Place
    from shpool.options import Option

_SCRIPT = r"""#compdef shpool
# zsh completion for shpool, made by: shpool completions zsh

# Names of sessions or variables, of the daemon that the options before the command mean.
_shpool_ask() {
    local socket=${opt_args_before[-s]:-${opt_args_before[--socket]}}
    shpool ${socket:+--socket=${(Q)socket}} -D "$@" 2>/dev/null
}

_shpool_sessions() {
    local -a found=(${(f)"$(_shpool_ask list --short)"})
    _wanted sessions expl session compadd -a found
}

_shpool_variables() {
    local -a found=(${(f)"$(_shpool_ask var list | cut -f 1)"})
    _wanted variables expl variable compadd -a found
}

_shpool_commands() {
    local -a found=(
@COMMANDS@
    )
    _describe -t commands command found
}

_shpool() {
    local context state state_descr line expl
    local -A opt_args opt_args_before
    _arguments -s -S -C : \
@OPTIONS@ \
        '1:COMMAND:_shpool_commands' \
        '*::ARGUMENT:->arguments' && return
    [[ $state == arguments ]] || return
    opt_args_before=("${(@kv)opt_args}")
    case $words[1] in
@CASES@
    esac
}

if [[ $funcstack[1] == _shpool ]]; then
    _shpool "$@"
else
    compdef _shpool shpool
fi
"""

_ACTIONS = {
    "sessions": "_shpool_sessions",
    "variables": "_shpool_variables",
    "commands": "_shpool_commands",
    "hosts": "_hosts",
    "files": "_files",
    "directories": "_files -/",
    "programs": "_command_names -e",
    "": " ",  # something of which nothing is known
}


def script(commands: "Mapping[str, Described]", options: "Sequence[Option]") -> str:
    """What zsh reads: `commands` by name, and the `options` that come before them."""
    parts = {
        "COMMANDS": "\n".join(
            f"        {quoted(f'{name}:{command.summary}')}" for name, command in commands.items()
        ),
        "OPTIONS": _joined(_options(options), 8),
        "CASES": "\n".join(
            f"        {name})\n            _arguments -s -S : \\\n"
            f"{_joined([*_options(command.options), *_places(command.places)], 16)}\n"
            "            ;;"
            for name, command in commands.items()
        ),
    }
    text = _SCRIPT
    for name, part in parts.items():
        text = text.replace(f"@{name}@", part)
    return text


def _joined(specs: "list[str]", indent: int) -> str:
    return " \\\n".join(" " * indent + quoted(spec) for spec in specs)


def _options(options: "Sequence[Option]") -> "list[str]":
    specs = []
    for option in options:
        others = "*" if option.many else f"({' '.join(spelled(option))})"
        for spelling in spelled(option):
            value = ""
            if option.value is not None:
                # The value stands in the next word, or behind it in the same one.
                spelling += "=" if spelling.startswith("--") else "+"
                value = f":{option.value}:{_ACTIONS[kind_of(option)]}"
            specs.append(f"{others}{spelling}[{_plain(option.help)}]{value}")
    return specs


def _places(places: "Sequence[Place]") -> "list[str]":
    specs = []
    for place in places:
        action = _action(place.kind)
        if place.verbs:
            verbs = "|".join(place.verbs)
            action = f"{{ [[ $words[2] == ({verbs}) ]] && {action.strip() or 'false'} }}"
        number = "*" if place.many else str(place.number + 1)
        specs.append(f"{number}:{place.label}:{action}")
    return specs


def _action(kind: "Kind") -> str:
    return _ACTIONS[kind] if isinstance(kind, str) else f"({' '.join(kind)})"


def _plain(text: str) -> str:
    """A description, in which brackets and colons would mean something."""
    for special in "\\[]:":
        text = text.replace(special, f"\\{special}")
    return text


def quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
