"""What the daemon says at the main socket: its greeting, and its replies; as requests.py has it."""

from shpool.protocol.msgpack import Decoder, WireError, pack
from shpool.protocol.shapes import (
    I32_MAX,
    I32_MIN,
    I64_MAX,
    I64_MIN,
    U16_MAX,
    U64_MAX,
    as_map,
    items,
    number,
    optional_number,
    optional_text,
    pairs,
    read_prompt,
    text,
    texts,
    variant,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PROTOCOL_VERSION = "0.4.2"

# What a daemon of ours calls itself, before its version.
PROGRAM = "shpool-py"


def greeting(version: str, server: str, knows: "list[str]") -> "Any":
    """What the daemon says first, to whoever connects; `server` is its program and its version,
    and `knows` what may be asked of it that the original does not know (requests.py)."""
    return {"version": version, "server": server, "knows": knows}


def read_greeting(value: "Any") -> "tuple[str, str, list[str] | None]":
    """The daemon's protocol version; its program's name and version, empty if it is not ours or
    too old to say so; and what it knows, None if it does not say."""
    fields = as_map(value, "the version header")
    server = text(fields, "server")
    if not server.startswith(f"{PROGRAM} "):
        server = ""
    return (
        text(fields, "version"),
        server,
        texts(fields, "knows") if server and "knows" in fields else None,
    )


class Attachment:
    """Who is attached: the client's pid, and the template its session name was made from.

    What an original daemon does not tell: its `role` (see participant.py; else empty), the size of
    its terminal, and the milliseconds since it typed something, or came.
    """

    __slots__ = ("cols", "idle_ms", "pid", "role", "rows", "session_name_template")

    def __init__(
        self,
        session_name_template: str,
        pid: int,
        role: str = "",
        rows: int = 0,
        cols: int = 0,
        idle_ms: int = 0,
    ) -> None:
        self.session_name_template = session_name_template
        self.pid = pid
        self.role = role
        self.rows = rows
        self.cols = cols
        self.idle_ms = idle_ms

    def to_wire(self) -> "Any":
        fields = {"session_name_template": self.session_name_template, "pid": self.pid}
        if not self.role:
            return fields
        return {
            **fields,
            "role": self.role,
            "rows": self.rows,
            "cols": self.cols,
            "idle_ms": self.idle_ms,
        }

    @classmethod
    def from_wire(cls, value: "Any") -> "Attachment":
        fields = as_map(value, "an attachment")
        return cls(
            text(fields, "session_name_template"),
            number(fields, "pid", I32_MIN, I32_MAX),
            text(fields, "role"),
            number(fields, "rows", 0, U16_MAX),
            number(fields, "cols", 0, U16_MAX),
            number(fields, "idle_ms", 0, U64_MAX),
        )


class SessionRow:
    """One row of the session table; times in milliseconds since the epoch.

    `attachments` are who types there, and `watchers` who only looks on.  `prompt`: what its shell
    says of itself, as terminal/marks.py describes it, or None.  `foreground_pid`: the process
    group that its terminal is in the hands of; 0 where the daemon does not tell.
    """

    def __init__(
        self,
        name: str,
        started_at_unix_ms: int,
        last_connected_at_unix_ms: "int | None",
        last_disconnected_at_unix_ms: "int | None",
        attachments: "list[Attachment]",
        status: "str | None" = None,
        watchers: "list[Attachment] | None" = None,
        prompt: "dict[str, Any] | None" = None,
        foreground_pid: int = 0,
    ) -> None:
        self.name = name
        self.started_at_unix_ms = started_at_unix_ms
        self.last_connected_at_unix_ms = last_connected_at_unix_ms
        self.last_disconnected_at_unix_ms = last_disconnected_at_unix_ms
        self.attachments = attachments
        self.status = status or ("Attached" if attachments else "Disconnected")
        self.watchers = watchers or []
        self.prompt = prompt
        self.foreground_pid = foreground_pid

    def to_wire(self) -> "Any":
        return {
            "name": self.name,
            "started_at_unix_ms": self.started_at_unix_ms,
            "last_connected_at_unix_ms": self.last_connected_at_unix_ms,
            "last_disconnected_at_unix_ms": self.last_disconnected_at_unix_ms,
            "status": self.status,
            "attachments": [attachment.to_wire() for attachment in self.attachments],
            "watchers": [watcher.to_wire() for watcher in self.watchers],
            "prompt": self.prompt,
            "foreground_pid": self.foreground_pid,
        }

    @classmethod
    def from_wire(cls, value: "Any") -> "SessionRow":
        fields = as_map(value, "a session")
        status, _ = variant(fields.get("status", "Disconnected"), "status")
        return cls(
            text(fields, "name"),
            number(fields, "started_at_unix_ms", I64_MIN, I64_MAX),
            optional_number(fields, "last_connected_at_unix_ms", I64_MIN, I64_MAX),
            optional_number(fields, "last_disconnected_at_unix_ms", I64_MIN, I64_MAX),
            [Attachment.from_wire(item) for item in items(fields, "attachments")],
            status,
            [Attachment.from_wire(item) for item in items(fields, "watchers")],
            read_prompt(fields),
            number(fields, "foreground_pid", 0, I32_MAX),
        )


class Here:
    """The session that who asks runs in, and the pid of the client that has most likely typed
    that, if one is attached."""

    __slots__ = ("name", "pid")

    def __init__(self, name: str, pid: "int | None") -> None:
        self.name = name
        self.pid = pid


def list_reply(sessions: "list[SessionRow]", here: "Here | None" = None) -> "Any":
    reply: dict[str, Any] = {"sessions": [session.to_wire() for session in sessions]}
    if here is not None:
        reply["here"] = {"name": here.name, "pid": here.pid}
    return reply


def read_here(value: "Any") -> "Here | None":
    """What a List reply says of who has asked; only a daemon of ours does."""
    here = as_map(value, "the list reply").get("here")
    if here is None:
        return None
    fields = as_map(here, "here")
    return Here(text(fields, "name"), optional_number(fields, "pid", I32_MIN, I32_MAX))


def read_list_reply(value: "Any") -> "list[SessionRow]":
    fields = as_map(value, "the list reply")
    return [SessionRow.from_wire(item) for item in items(fields, "sessions")]


def session_message_reply(kind: str, outcome: str) -> "Any":
    """`outcome` is NotFound, NotAttached or Ok; `kind`, Resize or Detach, is named with Ok."""
    return {kind: "Ok"} if outcome == "Ok" else outcome


def detach_reply(not_found: "list[str]", not_attached: "list[str]") -> "Any":
    return {"not_found_sessions": not_found, "not_attached_sessions": not_attached}


def kill_reply(not_found: "list[str]") -> "Any":
    return {"not_found_sessions": not_found}


def read_missed(value: "Any") -> "tuple[list[str], list[str]]":
    """The sessions a Detach or Kill reply names: (not found, not attached)."""
    fields = as_map(value, "the reply")
    return texts(fields, "not_found_sessions"), texts(fields, "not_attached_sessions")


class SendReply:
    """How typing went: so many bytes were typed, and, if it went wrong, why.

    `mark`: the number of the line that the cursor stood on before that, if it was asked for and
    lines are numbered.
    """

    __slots__ = ("error", "mark", "typed")

    def __init__(self, typed: int, error: "str | None" = None, mark: "int | None" = None) -> None:
        self.typed = typed
        self.error = error
        self.mark = mark

    def to_wire(self) -> "Any":
        return {"typed": self.typed, "error": self.error, "mark": self.mark}

    @classmethod
    def from_wire(cls, value: "Any") -> "SendReply":
        fields = as_map(value, "the reply")
        return cls(
            number(fields, "typed", 0, U64_MAX),
            optional_text(fields, "error"),
            optional_number(fields, "mark", 0, U64_MAX),
        )


class Destination:
    """The session `name` that a client is to go over to, and how it attaches to it, this once.

    All is literal: variables are filled in, `dir` is absolute.  `existing`: it is not made.
    """

    __slots__ = ("cmd", "dir", "existing", "force", "name", "share", "start_cmd", "ttl_secs")

    def __init__(
        self,
        name: str,
        ttl_secs: "int | None" = None,
        cmd: "str | None" = None,
        dir: "str | None" = None,  # noqa: A002  (the wire's word)
        start_cmd: "str | None" = None,
        *,
        existing: bool = False,
        force: bool = False,
        share: bool = False,
    ) -> None:
        self.name = name
        self.ttl_secs = ttl_secs
        self.cmd = cmd
        self.dir = dir
        self.start_cmd = start_cmd
        self.existing = existing
        self.force = force
        self.share = share

    def fields(self) -> "dict[str, Any]":
        """All but the name, as keys of the message it is part of; what is not set is left out."""
        found = {key: getattr(self, key) for key in self.__slots__ if key != "name"}
        return {key: value for key, value in found.items() if value not in (None, False)}

    @classmethod
    def from_fields(cls, name: str, fields: "dict[Any, Any]") -> "Destination":
        return cls(
            name,
            optional_number(fields, "ttl_secs", 0, U64_MAX),
            optional_text(fields, "cmd"),
            optional_text(fields, "dir"),
            optional_text(fields, "start_cmd"),
            existing=fields.get("existing") is True,
            force=fields.get("force") is True,
            share=fields.get("share") is True,
        )


class MaybeSwitch:
    """The variables as they are now; or, with `switch_to`, the session to go over to.

    The original has a name there and nothing else, and never sets it.
    """

    __slots__ = ("switch_to", "vars")

    def __init__(
        self,
        vars: "list[tuple[str, str]]",  # noqa: A002  (the wire's word)
        switch_to: "Destination | None" = None,
    ) -> None:
        self.vars = vars
        self.switch_to = switch_to

    def to_wire(self) -> "Any":
        to = self.switch_to
        if to is None:
            return {"switch_to": None, "vars": self.vars}
        return {"switch_to": to.name, "vars": self.vars, **to.fields()}

    @classmethod
    def from_wire(cls, value: "Any") -> "MaybeSwitch":
        fields = as_map(value, "the variables")
        name = optional_text(fields, "switch_to")
        to = None if name is None else Destination.from_fields(name, fields)
        return cls(pairs(fields, "vars"), to)

    @classmethod
    def from_bytes(cls, payload: bytes) -> "MaybeSwitch":
        """Read the payload of a MaybeSwitch chunk."""
        decoder = Decoder()
        if not decoder.feed(payload):
            raise WireError("half a message in a chunk")
        return cls.from_wire(decoder.value)

    def to_bytes(self) -> bytes:
        """The payload of a MaybeSwitch chunk."""
        return pack(self.to_wire())
