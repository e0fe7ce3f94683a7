"""What the main socket is asked: each request as a Python object and as wire values.

Every class has to_wire(), giving a value for msgpack.pack(), and from_wire(); all_requests.py reads
any of them.  Readers ignore unknown keys, take the default for a missing one, and raise WireError
for anything that is not of the expected shape.
Source: the original's protocol crate 0.4.2 as serde writes it.

Here are those that are small, and what they share; one that has much to say has a file of its own,
with its reply.  A request that the original does not have says so: `needs` are the words that a
daemon's greeting must have among those of what it knows, else it is not sent (client/connect.py).
That is the name of the variant; and with a field that came later, and that a daemon which does not
know it must not pass over, also "Variant.field".  `FEATURES` are all words that a class may need.
"""

from shpool.protocol.msgpack import WireError
from shpool.protocol.shapes import (
    I32_MAX,
    U16_MAX,
    as_map,
    number,
    optional_number,
    optional_text,
    text,
    texts,
    variant,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LOG_LEVELS = ("Off", "Error", "Warn", "Info", "Debug", "Trace")


class TtySize:
    """The size of a terminal in cells, and in pixels where the terminal tells (else 0)."""

    __slots__ = ("cols", "rows", "xpixel", "ypixel")

    CARRIED = {"rows": int, "cols": int, "xpixel": int, "ypixel": int}

    def __init__(self, rows: int, cols: int, xpixel: int = 0, ypixel: int = 0) -> None:
        self.rows = rows
        self.cols = cols
        self.xpixel = xpixel
        self.ypixel = ypixel

    @property
    def cells(self) -> "tuple[int, int]":
        """Rows and columns."""
        return self.rows, self.cols

    def to_wire(self) -> "Any":
        return {
            "rows": self.rows,
            "cols": self.cols,
            "xpixel": self.xpixel,
            "ypixel": self.ypixel,
        }

    @classmethod
    def from_wire(cls, value: "Any") -> "TtySize":
        fields = as_map(value, "the terminal size")
        return cls(
            *(number(fields, key, 0, U16_MAX) for key in ("rows", "cols", "xpixel", "ypixel"))
        )

    def same(self, other: "TtySize") -> bool:
        """Returns whether both are the same in cells and in pixels."""
        return bool(self.to_wire() == other.to_wire())

    def usable(self) -> "TtySize":
        """This size, or 24x80 for a terminal that has no rows or no columns."""
        return self if self.rows and self.cols else TtySize(24, 80)


class ListRequest:
    """Which sessions are there?"""

    __slots__ = ()

    def to_wire(self) -> "Any":
        return "List"

    @classmethod
    def from_wire(cls, value: "Any") -> "ListRequest":
        return cls()


class GetVars:
    """Which variables are set?"""

    __slots__ = ()

    def to_wire(self) -> "Any":
        return "GetVars"

    @classmethod
    def from_wire(cls, value: "Any") -> "GetVars":
        return cls()


class SessionMessage:
    """Resize one session's terminal to `size`, or, without a size, detach its clients."""

    __slots__ = ("session_name", "size")

    def __init__(self, session_name: str, size: "TtySize | None") -> None:
        self.session_name = session_name
        self.size = size

    def to_wire(self) -> "Any":
        payload = {"Resize": {"tty_size": self.size.to_wire()}} if self.size else "Detach"
        return {"SessionMessage": {"session_name": self.session_name, "payload": payload}}

    @classmethod
    def from_wire(cls, value: "Any") -> "SessionMessage":
        fields = as_map(value, "SessionMessage")
        name, content = variant(fields.get("payload"), "payload")
        if name == "Detach":
            return cls(text(fields, "session_name"), None)
        if name == "Resize":
            size = TtySize.from_wire(as_map(content, "Resize").get("tty_size", {}))
            return cls(text(fields, "session_name"), size)
        raise WireError(f"a session message of the unknown kind {name!r}")


class DetachRequest:
    """Detach the clients of these sessions that type, and with `watchers` those that watch, too.

    `pid`: only the one of that process, in whatever role.  `except_pid`: all but that one.
    """

    FEATURES = ("Detach.pid", "Detach.except_pid")

    __slots__ = ("except_pid", "pid", "sessions", "watchers")

    def __init__(
        self,
        sessions: "list[str]",
        pid: "int | None" = None,
        *,
        except_pid: "int | None" = None,
        watchers: bool = False,
    ) -> None:
        self.sessions = sessions
        self.pid = pid
        self.except_pid = except_pid
        self.watchers = watchers

    @property
    def needs(self) -> "list[str]":
        """Not what a daemon that does not know it would detach all for."""
        fields = ("pid", "except_pid")
        return [f"Detach.{field}" for field in fields if getattr(self, field) is not None]

    def plain(self) -> "DetachRequest":
        """The same for an original daemon, where nobody watches."""
        return DetachRequest(self.sessions)

    def to_wire(self) -> "Any":
        fields: dict[str, Any] = {"sessions": self.sessions}
        for field in ("pid", "except_pid"):
            if getattr(self, field) is not None:
                fields[field] = getattr(self, field)
        if self.watchers:
            fields["watchers"] = True
        return {"Detach": fields}

    @classmethod
    def from_wire(cls, value: "Any") -> "DetachRequest":
        fields = as_map(value, "Detach")
        return cls(
            texts(fields, "sessions"),
            optional_number(fields, "pid", 0, I32_MAX),
            except_pid=optional_number(fields, "except_pid", 0, I32_MAX),
            watchers=fields.get("watchers") is True,
        )


class KillRequest:
    """End these sessions; answered when they are gone."""

    __slots__ = ("sessions",)

    def __init__(self, sessions: "list[str]") -> None:
        self.sessions = sessions

    def to_wire(self) -> "Any":
        return {"Kill": {"sessions": self.sessions}}

    @classmethod
    def from_wire(cls, value: "Any") -> "KillRequest":
        return cls(texts(as_map(value, "Kill"), "sessions"))


class SetLogLevel:
    """Log from `level` (one of LOG_LEVELS) on upward."""

    __slots__ = ("level",)

    def __init__(self, level: str) -> None:
        self.level = level

    def to_wire(self) -> "Any":
        return {"SetLogLevel": {"level": self.level}}

    @classmethod
    def from_wire(cls, value: "Any") -> "SetLogLevel":
        level, _ = variant(as_map(value, "SetLogLevel").get("level"), "level")
        if level not in LOG_LEVELS:
            raise WireError(f"the unknown log level {level!r}")
        return cls(level)


class ModifyVar:
    """Set the variable `var`, or remove it where `val` is None."""

    __slots__ = ("val", "var")

    def __init__(self, var: str, val: "str | None") -> None:
        self.var = var
        self.val = val

    def to_wire(self) -> "Any":
        return {"ModifyVar": {"var": self.var, "val": self.val}}

    @classmethod
    def from_wire(cls, value: "Any") -> "ModifyVar":
        fields = as_map(value, "ModifyVar")
        return cls(text(fields, "var"), optional_text(fields, "val"))


# By the variant's name; each reads what the variant holds.
REQUESTS: "dict[str, Any]" = {
    "List": ListRequest,
    "GetVars": GetVars,
    "SessionMessage": SessionMessage,
    "Detach": DetachRequest,
    "Kill": KillRequest,
    "SetLogLevel": SetLogLevel,
    "ModifyVar": ModifyVar,
}
