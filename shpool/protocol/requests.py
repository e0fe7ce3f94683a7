"""What the main socket is asked: each request as a Python object and as wire values.

Every class has to_wire(), giving a value for msgpack.pack(), and from_wire(); read_request() reads
any of them.  Readers ignore unknown keys, take the default for a missing one, and raise WireError
for anything that is not of the expected shape.
Source: the original's protocol crate 0.4.2 as serde writes it.

A request that the original does not have says so: `needs` are the words that a daemon's greeting
must have among those of what it knows, else it is not sent (client/connect.py).  That is the name
of the variant; and with a field that came later, and that a daemon which does not know it must
not pass over, also "Variant.field".  `FEATURES` are all words that a class may need; known() is
what our daemon greets with.
"""

from shpool.protocol.msgpack import WireError
from shpool.protocol.shapes import (
    I32_MAX,
    U16_MAX,
    U64_MAX,
    as_map,
    number,
    optional_number,
    optional_text,
    pairs,
    text,
    texts,
    variant,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from shpool.protocol.outside import PeekRequest, SendRequest
    from shpool.protocol.running import RunRequest
    from shpool.protocol.switching import SwitchRequest
    from shpool.protocol.upgrading import UpgradeRequest
    from shpool.protocol.watching import FollowRequest, WaitRequest

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


# Fields of AttachHeader that an original daemon does not know; each is set or left out.
_WISHES = ("background", "existing", "force", "share", "read_only")

# Of what a client calls itself so many characters are kept.
_CLIENT_MAX = 64

# A token is a few random bytes in hexadecimal; and so many clients of earlier connections, that may
# still be attached, are named.
_TOKEN_MAX = 64
REPLACES_MAX = 16

# In the greeting of a daemon that knows what a Comeback is.
COMEBACK = "Attach.token"


class Comeback:
    """How a client is known that runs at the end of a connection, which may be lost.

    `token`, random: the client's own; what it shows has marks with it (see mark()) for who ran
    it.  `replaces`: tokens of clients on connections that were lost, from which alone it takes
    the session, if one of them still has it.  `since`: the number of the first line that its
    terminal has not had, if it has had any.
    """

    __slots__ = ("replaces", "since", "token")

    def __init__(self, token: str, replaces: "list[str]", since: "int | None") -> None:
        self.token = token
        self.replaces = replaces
        self.since = since

    def to_wire(self) -> "dict[str, Any]":
        return {"token": self.token, "replaces": self.replaces, "since": self.since}

    @classmethod
    def from_wire(cls, fields: "dict[Any, Any]") -> "Comeback | None":
        own = text(fields, "token")
        if not own:
            return None
        replaces = texts(fields, "replaces")
        if len(replaces) > REPLACES_MAX or not all(map(is_token, [own, *replaces])):
            raise WireError("a token is at most 64 letters and digits, and replaces at most 16")
        return cls(own, replaces, optional_number(fields, "since", 0, U64_MAX))


def is_token(word: str) -> bool:
    """Returns whether `word` can be part of a mark: that is shown to terminals."""
    return word.isascii() and word.isalnum() and len(word) <= _TOKEN_MAX


def mark(token: str, word: str) -> bytes:
    """What who runs a client takes out of what it shows, and a terminal ignores (an OSC)."""
    return f"\x1b]8888;{token};{word}\x07".encode()


class AttachHeader:
    """Attach to the session `name`, made if it does not exist; the rest is for making it.

    A descriptor of the client's terminal may come with it (SCM_RIGHTS), which the daemon may take
    (AttachReply.passed), and which an original daemon does not even see.

    The rest is only for a daemon of ours, since another one would ignore it, and `comeback` for one
    that knows COMEBACK.  `background`: the
    client shows nothing, and goes once the session is there.  `existing`: no session is made.
    `force`: who types there is detached.  `client`: its program and version, empty where it does
    not say so: a daemon that is replaced meanwhile speaks on as that one expects, and only who says
    it can go over to another session (MaybeSwitch).  `comeback`: for who comes back after a lost
    connection, and may.  `share`: who types there stays.  `read_only`: the client types nothing, is
    in nobody's way, and makes no session.  `previous`: the session that it was in before, if there
    was one.  `nested`: it may run in one of the daemon's own sessions.
    """

    FEATURES = (COMEBACK, "Attach.share", "Attach.read_only")

    def __init__(
        self,
        name: str,
        name_template: str,
        size: TtySize,
        env: "list[tuple[str, str]]",
        ttl_secs: "int | None" = None,
        cmd: "str | None" = None,
        dir: "str | None" = None,  # noqa: A002  (the wire's word)
        start_cmd: "str | None" = None,
        *,
        background: bool = False,
        existing: bool = False,
        force: bool = False,
        client: str = "",
        comeback: "Comeback | None" = None,
        share: bool = False,
        read_only: bool = False,
        previous: "str | None" = None,
        nested: bool = True,
    ) -> None:
        self.name = name
        self.name_template = name_template
        self.size = size
        self.env = env
        self.ttl_secs = ttl_secs
        self.cmd = cmd
        self.dir = dir
        self.start_cmd = start_cmd
        self.background = background
        self.existing = existing
        self.force = force
        self.client = client
        self.comeback = comeback
        self.share = share
        self.read_only = read_only
        self.previous = previous
        self.nested = nested

    @property
    def needs(self) -> "list[str]":
        """Not what a daemon that does not know it may pass over."""
        return [f"Attach.{wish}" for wish in ("share", "read_only") if getattr(self, wish)]

    def to_wire(self) -> "Any":
        fields = {
            "name": self.name,
            "name_template": self.name_template,
            "local_tty_size": self.size.to_wire(),
            "local_env": self.env,
            "ttl_secs": self.ttl_secs,
            "cmd": self.cmd,
            "dir": self.dir,
            "start_cmd": self.start_cmd,
        }
        for wish in _WISHES:
            if getattr(self, wish):
                fields[wish] = True
        if self.client:
            fields["client"] = self.client
        if self.comeback is not None:
            fields.update(self.comeback.to_wire())
        if self.previous is not None:
            fields["previous"] = self.previous
        if not self.nested:
            fields["nested"] = False
        return {"Attach": fields}

    def plain(self) -> "AttachHeader":
        """The same for an original daemon."""
        return AttachHeader(
            self.name,
            self.name_template,
            self.size,
            self.env,
            self.ttl_secs,
            self.cmd,
            self.dir,
            self.start_cmd,
        )

    @classmethod
    def from_wire(cls, value: "Any") -> "AttachHeader":
        fields = as_map(value, "Attach")
        return cls(
            text(fields, "name"),
            text(fields, "name_template"),
            TtySize.from_wire(fields.get("local_tty_size", {})),
            pairs(fields, "local_env"),
            optional_number(fields, "ttl_secs", 0, U64_MAX),
            optional_text(fields, "cmd"),
            optional_text(fields, "dir"),
            optional_text(fields, "start_cmd"),
            **{wish: fields.get(wish) is True for wish in _WISHES},
            client=text(fields, "client")[:_CLIENT_MAX],
            comeback=Comeback.from_wire(fields),
            previous=optional_text(fields, "previous"),
            nested=fields.get("nested") is not False,
        )


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


if TYPE_CHECKING:
    Request: TypeAlias = (
        AttachHeader
        | ListRequest
        | GetVars
        | SessionMessage
        | DetachRequest
        | KillRequest
        | SendRequest
        | WaitRequest
        | PeekRequest
        | FollowRequest
        | SwitchRequest
        | RunRequest
        | SetLogLevel
        | ModifyVar
        | UpgradeRequest
    )


# By the variant's name; each reads what the variant holds.
_REQUESTS: "dict[str, Any]" = {
    "Attach": AttachHeader,
    "List": ListRequest,
    "GetVars": GetVars,
    "SessionMessage": SessionMessage,
    "Detach": DetachRequest,
    "Kill": KillRequest,
    "SetLogLevel": SetLogLevel,
    "ModifyVar": ModifyVar,
}


def kinds() -> "dict[str, Any]":
    """Every request by its variant's name."""
    # Not loaded by who only asks, to start fast.
    from shpool.protocol import outside, running, switching, upgrading, watching

    later = (outside, watching, running, switching, upgrading)
    return {**_REQUESTS, **{n: k for each in later for n, k in each.REQUESTS.items()}}


def known() -> "list[str]":
    """All that our daemon may be asked for and the original may not, as requests need it."""
    return [feature for kind in kinds().values() for feature in getattr(kind, "FEATURES", ())]


def read_request(value: "Any") -> "Request":
    """A ConnectHeader, whatever it asks for."""
    name, content = variant(value, "the request")
    kind = _REQUESTS.get(name) or kinds().get(name)
    if kind is None:
        raise WireError(f"the unknown request {name!r}")
    request: Request = kind.from_wire(content)
    return request
