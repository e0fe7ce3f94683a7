"""The shapes that the fields of messages may have, checked where a message is read.

Readers take the default for a field that is missing: nothing of its kind.  Each raises WireError
that names what is not as it should be.
"""

from shpool.protocol.msgpack import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

U16_MAX = (1 << 16) - 1
U64_MAX = (1 << 64) - 1
I64_MIN, I64_MAX = -(1 << 63), (1 << 63) - 1
I32_MIN, I32_MAX = -(1 << 31), (1 << 31) - 1


def as_map(value: "Any", what: str) -> "dict[Any, Any]":
    if not isinstance(value, dict):
        raise WireError(f"{what} is not a map")
    return value


def as_text(value: "Any", what: str) -> str:
    if isinstance(value, bytes):  # bin, or a str that is not UTF-8
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise WireError(f"{what} is not UTF-8") from None
    if not isinstance(value, str):
        raise WireError(f"{what} is not a string")
    return value


def text(fields: "dict[Any, Any]", key: str) -> str:
    return as_text(fields.get(key, ""), key)


def optional_text(fields: "dict[Any, Any]", key: str) -> "str | None":
    value = fields.get(key)
    return None if value is None else as_text(value, key)


def as_number(value: "Any", what: str, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise WireError(f"{what} is not an integer from {low} to {high}")
    return value


def number(fields: "dict[Any, Any]", key: str, low: int, high: int) -> int:
    return as_number(fields.get(key, 0), key, low, high)


def optional_number(fields: "dict[Any, Any]", key: str, low: int, high: int) -> "int | None":
    value = fields.get(key)
    return None if value is None else as_number(value, key, low, high)


def read_prompt(fields: "dict[Any, Any]") -> "dict[str, Any] | None":
    """What is said of a shell's prompt (see terminal/marks.py), if anything is."""
    if fields.get("prompt") is None:
        return None
    prompt = as_map(fields["prompt"], "the prompt")
    return {
        "at_prompt": prompt.get("at_prompt") is True,
        "command": optional_text(prompt, "command"),
        "running_ms": optional_number(prompt, "running_ms", 0, U64_MAX),
        "last_status": optional_number(prompt, "last_status", 0, U64_MAX),
    }


def items(fields: "dict[Any, Any]", key: str) -> "list[Any]":
    value = fields.get(key, [])
    if not isinstance(value, list):
        raise WireError(f"{key} is not an array")
    return value


def texts(fields: "dict[Any, Any]", key: str) -> "list[str]":
    return [as_text(item, key) for item in items(fields, key)]


def pairs(fields: "dict[Any, Any]", key: str) -> "list[tuple[str, str]]":
    found = []
    for item in items(fields, key):
        if not isinstance(item, list) or len(item) != 2:
            raise WireError(f"{key} is not an array of pairs")
        found.append((as_text(item[0], key), as_text(item[1], key)))
    return found


def variant(value: "Any", what: str) -> "tuple[str, Any]":
    """An enum on the wire: its variant's name, or a map of one from that name to its content."""
    if isinstance(value, dict) and len(value) == 1:
        ((name, content),) = value.items()
        return as_text(name, what), content
    return as_text(value, what), None
