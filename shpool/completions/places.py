"""What stands where in a command line, read from the usage that the help shows.

What is behind a placeholder (NAME, VAR, FILE ...) is known by its name, so that a new command is
completed without a word about it here.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Union

    from shpool.options import Option

    # Of a place in a command line: the words it may have, or what kind of thing stands there.
    Kind = Union[str, tuple[str, ...]]

_KINDS = {
    "NAME": "sessions",
    "VAR": "variables",
    "COMMAND": "commands",
    "HOST": "hosts",
    "FILE": "files",
    "PATH": "files",
    "DIR": "directories",
    "CMD": "programs",
}


class Place:
    """Where an argument stands: the `number`th, from 0, or any from there on if `many`.

    `verbs`: only where the first argument is one of these.
    """

    __slots__ = ("kind", "label", "many", "number", "verbs")

    def __init__(
        self, number: int, label: str, kind: "Kind", *, many: bool, verbs: "tuple[str, ...]" = ()
    ) -> None:
        self.number = number
        self.label = label
        self.kind = kind
        self.many = many
        self.verbs = verbs


class Described:
    """A command as it is completed; `options` are its own."""

    __slots__ = ("options", "places", "summary")

    def __init__(self, summary: str, arguments: str, options: "Sequence[Option]") -> None:
        self.summary = summary
        self.options = options
        self.places = places(arguments)


def kind_of(option: "Option") -> str:
    """What kind of thing the value of an option is; empty if nothing is known of it."""
    return _KINDS.get(option.value or "", "")


def spelled(option: "Option") -> "list[str]":
    """How an option is written."""
    return ([f"-{option.short}"] if option.short else []) + [f"--{option.long}"]


def places(usage: str) -> "list[Place]":
    """What stands where, in the arguments of a usage line: ``NAME [TEXT...]``, ``a|b``."""
    if " | " not in usage:
        return _places_of(usage, 0)
    verbs: list[str] = []
    behind: dict[tuple[int, str, Kind, bool], list[str]] = {}
    for alternative in usage.split(" | "):
        verb, _, rest = alternative.partition(" ")
        verbs.append(verb)
        for place in _places_of(rest, 1):
            key = (place.number, place.label, place.kind, place.many)
            behind.setdefault(key, []).append(verb)
    found = [Place(0, "COMMAND", tuple(verbs), many=False)]
    for (number, label, kind, many), only in behind.items():
        found.append(Place(number, label, kind, many=many, verbs=tuple(only)))
    return found


def _places_of(usage: str, first: int) -> "list[Place]":
    found: list[Place] = []
    for word in usage.replace("[", "").replace("]", "").split():
        if word.startswith("-"):
            continue  # an option, which is described elsewhere
        label = word.removesuffix("...")
        kind: Kind = tuple(label.split("|")) if "|" in label else _KINDS.get(label, "")
        if found and found[0].label == "HOST":
            kind = ""  # of what there is on another host nothing is known here
        found.append(Place(first + len(found), label, kind, many=label != word))
    return found
