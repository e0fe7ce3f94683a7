"""The completions for bash, which need nothing beside it (4.0 or later)."""

from shpool.completions.places import Described, kind_of, spelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shpool.completions.places import Kind
    from shpool.options import Option

_ABOVE = r"""# bash completion for shpool, made by: shpool completions bash

# Names of sessions or variables, of the daemon that the options before the command mean.
_shpool_ask() {
    shpool "${before[@]}" -D "$@" 2>/dev/null
}

# Offer the lines of $1 that begin with the current word.
_shpool_offer() {
    local line
    while IFS= read -r line; do
        [[ -n $line && $line == "$current"* ]] && COMPREPLY+=("${line#"$kept"}")
    done <<<"$1"
}

_shpool_kind() {
    case $1 in
        sessions) _shpool_offer "$(_shpool_ask list --short)" ;;
        variables) _shpool_offer "$(_shpool_ask var list | cut -f 1)" ;;
        hosts) _shpool_offer "$(compgen -A hostname -- "$current")" ;;
        programs) _shpool_offer "$(compgen -c -- "$current")" ;;
        files) compopt -o default ;;
        directories) compopt -o dirnames ;;
    esac
}

_shpool() {
    local IFS=$' \t\n' current= kept= option= command= ended= last= word piece
    local -a before=() arguments=() words=()
    COMPREPLY=()
    # readline divides words at : and =, which mean nothing here.
    for piece in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        if ((${#words[@]})) && [[ $piece == [:=]* || $last == *[:=] ]] &&
            [[ ${COMP_LINE:0:COMP_POINT} == *"$last$piece"* ]]; then
            words[${#words[@]}-1]+=$piece
        else
            words+=("$piece")
        fi
        last=$piece
    done
    current=${words[${#words[@]}-1]}
    unset "words[${#words[@]}-1]"
    for word in "${words[@]:1}"; do
        if [[ -n $option ]]; then
            [[ -z $command ]] && before+=("$option" "$word")
            option=
        elif [[ -z $ended && $word == -- ]]; then
            ended=1
        elif [[ -z $ended && $word == -?* ]]; then
            case $command:$word in
                @VALUED@) option=$word ;;
                :--socket=* | :-s?*) before+=("$word") ;;
            esac
        elif [[ -z $command ]]; then
            command=$word
            ended=
        else
            arguments+=("$word")
        fi
    done
    if [[ -z $ended && -z $option && $current == --*=* ]]; then
        option=${current%%=*}
        current=${current#*=}
    fi
    # What readline takes for the current word is what stands behind these.
    [[ $COMP_WORDBREAKS == *:* && $current == *[:=]* ]] && kept=${current%"${current##*[:=]}"}
    if [[ -n $option ]]; then
        case $command:$option in
@VALUES@
        esac
    elif [[ -z $ended && $current == -* ]]; then
        case $command in
@OPTIONS@
        esac
    elif [[ -z $command ]]; then
        _shpool_offer @COMMANDS@
    else
        case $command:${#arguments[@]}:${arguments[0]} in
@PLACES@
        esac
    fi
}

complete -F _shpool shpool
"""

# Twelve columns, as far as a branch of a case is indented.
_IN = " " * 12


def script(commands: "Mapping[str, Described]", options: "Sequence[Option]") -> str:
    """What bash reads: `commands` by name, and the `options` that come before them."""
    every = {"": options, **{name: command.options for name, command in commands.items()}}
    valued = [
        (name, option) for name, own in every.items() for option in own if option.value is not None
    ]
    parts = {
        "VALUED": " | ".join(_spellings(name, option) for name, option in valued),
        "VALUES": "\n".join(
            f"{_IN}{_spellings(name, option)}) _shpool_kind {kind_of(option)} ;;"
            for name, option in valued
            if kind_of(option)
        ),
        "OPTIONS": "\n".join(
            f"{_IN}{name or quoted(())}) _shpool_offer {quoted(_all(own))} ;;"
            for name, own in every.items()
        ),
        "COMMANDS": quoted(list(commands)),
        "PLACES": "\n".join(_places(commands)),
    }
    text = _ABOVE
    for name, part in parts.items():
        text = text.replace(f"@{name}@", part)
    return text


def _spellings(name: str, option: "Option") -> str:
    return " | ".join(f"{name}:{spelling}" for spelling in spelled(option))


def _all(options: "Sequence[Option]") -> "list[str]":
    return [spelling for option in options for spelling in spelled(option)]


def _places(commands: "Mapping[str, Described]") -> "list[str]":
    lines = []
    for name, command in commands.items():
        for place in command.places:
            action = _action(place.kind, commands)
            if not action:
                continue
            number = "*" if place.many else str(place.number)
            first = " | ".join(f"{name}:{number}:{verb}" for verb in place.verbs or ("*",))
            lines.append(f"{_IN}{first}) {action} ;;")
    return lines


def _action(kind: "Kind", commands: "Mapping[str, Described]") -> str:
    if not isinstance(kind, str):
        return f"_shpool_offer {quoted(kind)}"
    if kind == "commands":
        return f"_shpool_offer {quoted(list(commands))}"
    return f"_shpool_kind {kind}" if kind else ""


def quoted(words: "Sequence[str]") -> str:
    """One word for the shell, with a line for each of these, which have nothing odd in them."""
    return "$'" + "\\n".join(words) + "'" if words else "''"
