"""What each key of a configuration file may hold, and what it becomes.

Readers of values: each takes the key's name, what TOML made of the value, and a list that the names
of unknown keys below it are added to; it returns an attribute of Config or raises WrongValue.
"""

from shpool.durations import DurationError, parse_duration
from shpool.keys.bindings import ACTIONS, KeyBindingError, parse_binding
from shpool.templates import is_variable_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# Each line of history costs a hundred bytes and more for as long as its session lives.
MAX_LINES = 1_000_000


class RestoreMode:
    """What a client is shown of the past on reattach.

    `name` is ``screen``, ``simple`` or ``lines``; `lines` is how many lines of history come
    before the screen, 0 unless `name` is ``lines``.
    """

    __slots__ = ("lines", "name")

    def __init__(self, name: str, lines: int = 0) -> None:
        self.name = name
        self.lines = lines


class Motd:
    """When and how the message of the day is shown.

    `mode` is ``never``, ``dump`` or ``pager``; `pager` is the program for the last one, else
    empty; `show_every` is the least time between two showings in seconds, or None.
    """

    __slots__ = ("mode", "pager", "show_every")

    def __init__(self, mode: str, pager: str = "", show_every: "int | None" = None) -> None:
        self.mode = mode
        self.pager = pager
        self.show_every = show_every


class WrongValue(Exception):
    """The text names the key, what was found and what is wanted; the file is added above."""


def _wrong(key: str, value: object, wanted: str) -> WrongValue:
    name = key if key.isprintable() else ascii(key)
    return WrongValue(f"{name}: found {_described(value)}, want {wanted}")


def _described(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the string {value!r}" if len(value) <= 60 else f"a string of {len(value)}"
    if isinstance(value, (int, float)):
        return f"the number {value}" if abs(value) < 10**18 else "a huge number"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, dict):
        return "a table"
    return "a date or time"


def _boolean(key: str, value: object, unknown: list[str]) -> bool:
    if not isinstance(value, bool):
        raise _wrong(key, value, "true or false")
    return value


def _string(key: str, value: object, unknown: list[str]) -> str:
    if not isinstance(value, str):
        raise _wrong(key, value, "a string")
    if "\0" in value:  # would end it early in every system call
        raise _wrong(key, value, "a string without NUL")
    return value


def _filled_string(key: str, value: object, unknown: list[str]) -> str:
    text = _string(key, value, unknown)
    if not text:
        raise _wrong(key, value, "a string that is not empty")
    return text


def _count(key: str, value: object, unknown: list[str]) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_LINES:
        raise _wrong(key, value, f"an integer from 0 to {MAX_LINES}")
    return value


def _strings(key: str, value: object, unknown: list[str]) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _wrong(key, value, "an array of strings")
    return tuple(_string(f"{key}[{at}]", item, unknown) for at, item in enumerate(value))


def _environment_name(key: str, name: str) -> None:
    if not name or "=" in name or "\0" in name:
        raise _wrong(key, name, "the name of an environment variable")


def _environment_names(key: str, value: object, unknown: list[str]) -> tuple[str, ...]:
    names = _strings(key, value, unknown)
    for at, name in enumerate(names):
        _environment_name(f"{key}[{at}]", name)
    return names


def _environment(key: str, value: object, unknown: list[str]) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _wrong(key, value, "a table of strings")
    for name in value:
        _environment_name(key, name)
    return {name: _string(f"{key}.{name}", text, unknown) for name, text in value.items()}


def _restore_mode(key: str, value: object, unknown: list[str]) -> RestoreMode:
    if value in ("screen", "simple"):
        return RestoreMode(str(value))
    if isinstance(value, dict) and set(value) == {"lines"}:
        return RestoreMode("lines", _count(f"{key}.lines", value["lines"], unknown))
    raise _wrong(key, value, '"screen", "simple" or { lines = N }')


def _attach(key: str, value: object, unknown: list[str]) -> str:
    if value not in ("refuse", "share", "force"):
        raise _wrong(key, value, '"refuse", "share" or "force"')
    return str(value)


def _restore_engine(key: str, value: object, unknown: list[str]) -> str:
    if value not in ("vt100", "vterm"):
        raise _wrong(key, value, '"vt100" or "vterm"')
    return str(value)


def _motd(key: str, value: object, unknown: list[str]) -> Motd:
    if value in ("never", "dump"):
        return Motd(str(value))
    if not isinstance(value, dict) or set(value) != {"pager"}:
        raise _wrong(key, value, '"never", "dump" or { pager = { bin = "less" } }')
    key += ".pager"
    table = _table(key, value["pager"], ("bin",), ("show_every",), unknown)
    every = None
    if "show_every" in table:
        text = _string(f"{key}.show_every", table["show_every"], unknown)
        try:
            every = parse_duration(text)
        except DurationError as error:
            raise WrongValue(f"{key}.show_every: {error}") from None
    return Motd("pager", _filled_string(f"{key}.bin", table["bin"], unknown), every)


def _keybindings(
    key: str, value: object, unknown: list[str]
) -> tuple[tuple[tuple[str, ...], str], ...]:
    bindings = []
    for item, table in _tables(key, value, ("binding", "action"), unknown):
        try:
            keys = parse_binding(_string(f"{item}.binding", table["binding"], unknown))
        except KeyBindingError as error:
            raise WrongValue(f"{item}.binding: {error}") from None
        action = table["action"]
        if action not in ACTIONS:
            raise _wrong(f"{item}.action", action, " or ".join(f'"{name}"' for name in ACTIONS))
        bindings.append((keys, action))
    return tuple(bindings)


def _variables(key: str, value: object, unknown: list[str]) -> dict[str, str]:
    variables = {}
    for item, table in _tables(key, value, ("var", "value"), unknown):
        name = _string(f"{item}.var", table["var"], unknown)
        if not is_variable_name(name):
            raise _wrong(f"{item}.var", name, "a letter or _, and then letters, digits and _")
        variables[name] = _string(f"{item}.value", table["value"], unknown)
    return variables


def _tables(
    key: str, value: object, needed: tuple[str, ...], unknown: list[str]
) -> "list[tuple[str, dict[str, Any]]]":
    """The tables of an array with the name of each; every one has the `needed` keys."""
    if not isinstance(value, list):
        wanted = ", ".join(f"{name} = ..." for name in needed)
        raise _wrong(key, value, f"an array of tables {{ {wanted} }}")
    items = [(f"{key}[{at}]", item) for at, item in enumerate(value)]
    return [(name, _table(name, item, needed, (), unknown)) for name, item in items]


def _table(
    key: str,
    value: object,
    needed: tuple[str, ...],
    optional: tuple[str, ...],
    unknown: list[str],
) -> "dict[str, Any]":
    if not isinstance(value, dict):
        wanted = ", ".join(f"{name} = ..." for name in needed)
        raise _wrong(key, value, f"a table {{ {wanted} }}")
    for name in needed:
        if name not in value:
            raise WrongValue(f"{key}: found no {name}, want {name} = ...")
    unknown += [f"{key}.{name}" for name in value if name not in needed + optional]
    return value


READERS: "dict[str, Callable[[str, object, list[str]], object]]" = {
    "norc": _boolean,
    "noecho": _boolean,
    "nosymlink_ssh_auth_sock": _boolean,
    "noread_etc_environment": _boolean,
    "nodaemonize": _boolean,
    "nodaemonize_timeout": _boolean,
    "pass_terminal": _boolean,
    "nested": _boolean,
    "attach": _attach,
    "shell": _filled_string,
    "env": _environment,
    "default_dir": _filled_string,
    "forward_env": _environment_names,
    "initial_path": _string,
    "session_restore_mode": _restore_mode,
    "session_restore_engine": _restore_engine,
    "output_spool_lines": _count,
    "vt100_output_spool_width": _count,
    "keybinding": _keybindings,
    "prompt_prefix": _string,
    "shell_integration": _boolean,
    "motd": _motd,
    "motd_args": _strings,
    "var_default": _variables,
}
