"""shpool config: the configuration as it is in force, in TOML, and where each key comes from."""

from shpool.config import Config, find
from shpool.config_values import READERS, Motd, RestoreMode
from shpool.output import complain, put

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from shpool.client.context import Context
    from shpool.options import Parsed

# Where a comment begins, unless what stands before it is longer.
_COLUMN = 40

# What is in force where a key has no default that could be written down.
_UNSET = {
    "shell": "the user's login shell",
    "motd_args": "what PAM is told on this machine",
}

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}

_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


def run(context: "Context", parsed: "Parsed") -> int:
    paths = context.config_files()
    found = find(paths)
    config = Config(found.values)
    lines = [f"# {path}{_state(path)}\n" for path in paths]
    for key in READERS:
        if key in found.written:
            lines.append(_line(key, found.written[key], found.files[key]))
        elif key in _UNSET:
            lines.append(_aligned(f"# {key}", f"default: {_UNSET[key]}"))
        else:
            lines.append(_line(key, _as_written(key, getattr(config, key)), "default"))
    put("".join(lines))
    for warning in found.unknown:
        complain(f"warning: {warning}\n")
    for error in found.errors:
        complain(f"shpool: {error}\n")
    return 1 if found.errors else 0


def _state(path: str) -> str:
    import os

    return "" if os.path.exists(path) else " (not there)"


def _line(key: str, value: "Any", origin: str) -> str:
    return _aligned(f"{key} = {_toml(value)}", origin)


def _aligned(text: str, comment: str) -> str:
    return f"{text:{_COLUMN - 1}} # {_printable(comment)}\n"


def _as_written(key: str, value: "Any") -> "Any":
    """What stands in a file for a default of Config."""
    if key == "keybinding":
        return [{"binding": " ".join(keys), "action": action} for keys, action in value]
    if isinstance(value, RestoreMode):
        return {"lines": value.lines} if value.name == "lines" else value.name
    if isinstance(value, Motd):
        return value.mode
    if key == "var_default":
        return [{"var": name, "value": text} for name, text in value.items()]
    return value


def _toml(value: "Any") -> str:
    """`value` in TOML 1.0, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, dict):
        inner = ", ".join(f"{_key(name)} = {_toml(each)}" for name, each in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return str(value)  # a number or a date below a key that nobody knows


def _key(name: str) -> str:
    return name if name and _BARE.issuperset(name) else _string(name)


def _string(text: str) -> str:
    return '"' + _printable("".join(_ESCAPES.get(char, char) for char in text)) + '"'


def _printable(text: str) -> str:
    """Without what a terminal would act on, in TOML's escapes."""
    return "".join(
        char
        if char.isprintable()
        else f"\\u{ord(char):04x}"
        if ord(char) < 0x10000
        else f"\\U{ord(char):08x}"
        for char in text
    )
