"""What was read of a state beside what would be written again: whether nothing was lost.

The new program makes sure of that before it says that it can take over.
"""

from shpool.daemon.values import StateError, values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container
    from typing import Any

# Kinds of values in a state that are about the state itself.
_ABOUT = ("head", "end")


def compare(
    read: "bytes | memoryview",
    again: "bytes | memoryview",
    known: "Container[str]",
    *,
    same_format: bool,
) -> None:
    """Raises StateError if `again` is not as `read`, as far as the two can be compared.

    `known`: the kinds of things that this version reads.

    In the same format whatever both have has to be equal; a version may have more attributes than
    another, and skips what it does not know.  In another one there have to be the same sessions
    with as many lines, as many of each kind, and the same descriptors.
    """
    before = [each for each in _things(read) if each[0] in known]
    after = _things(again)
    if [kind for kind, _ in before] != [kind for kind, _ in after]:
        raise StateError("not as much would be written of the state as was read")
    for (kind, old), (_, new) in zip(before, after):
        trouble = _difference(old, new, kind) if same_format else _loss(kind, old, new)
        if trouble:
            raise StateError(f"what would be written of the state is not what was read: {trouble}")


def _things(data: "bytes | memoryview") -> "list[tuple[str, Any]]":
    return [(kind, content) for kind, content in values(data) if kind not in _ABOUT]


def _difference(old: "Any", new: "Any", where: str) -> str:
    """Where they differ; empty if they do not."""
    if isinstance(old, dict) and isinstance(new, dict):
        attributes = all(isinstance(key, str) for key in (*old, *new))
        if bool(old) != bool(new) or not (attributes or old.keys() == new.keys()):
            return where
        for key in old.keys() & new.keys():
            if found := _difference(old[key], new[key], f"{where}.{key}"):
                return found
        return ""
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for one, other in zip(old, new):
            if found := _difference(one, other, where):
                return found
        return ""
    return "" if old == new else where


def _loss(kind: str, old: "Any", new: "Any") -> str:
    if kind == "descriptors":
        same = {each[0] for each in old} == {each[0] for each in new}
        return "" if same else "the descriptors"
    if kind != "session":
        return ""
    if old["name"] != new["name"]:
        return "the sessions"
    return "" if _lines(old) == _lines(new) else f"the lines of session {old['name']!r}"


def _lines(session: "dict[str, Any]") -> "int | None":
    """How many lines of its history are kept; None where none are."""
    found: Any = session
    try:
        _, blocks = found["picture"][1]["backlog"]["terminal"]["whole_history"]
        return sum(int(block[0]) for block in blocks)
    except (KeyError, IndexError, TypeError):
        return None
