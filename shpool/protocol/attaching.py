"""The request to attach, what a client that comes back says with it, and the answer."""

from shpool.protocol.msgpack import WireError
from shpool.protocol.requests import TtySize
from shpool.protocol.shapes import (
    U64_MAX,
    as_map,
    as_text,
    optional_number,
    optional_text,
    pairs,
    text,
    texts,
    variant,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Fields of AttachHeader that an original daemon does not know; each is set or left out.
_WISHES = ("background", "existing", "force", "share", "read_only", "resumes")

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
    was one.  `nested`: it may run in one of the daemon's own sessions.  `resumes`: the process was
    attached to this very session before, was stopped, and goes on.
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
        resumes: bool = False,
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
        self.resumes = resumes

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


class AttachReply:
    """How an Attach went: status Attached, Created, Busy, Forbidden or UnexpectedError, or, where
    only an existing session was asked for, NotFound.

    The first two carry warnings for the user, the last two a reason.  `passed`: the daemon has
    taken the terminal whose descriptor came with the request, and reads and writes it itself.
    """

    __slots__ = ("passed", "reason", "status", "warnings")

    def __init__(
        self,
        status: str,
        warnings: "list[str] | None" = None,
        reason: str = "",
        passed: bool = False,
    ) -> None:
        self.status = status
        self.warnings = warnings or []
        self.reason = reason
        self.passed = passed

    def to_wire(self) -> "Any":
        if self.status in ("Attached", "Created"):
            reply = {"status": {self.status: {"warnings": self.warnings}}}
            return {**reply, "terminal_passed": True} if self.passed else reply
        if self.status in ("Busy", "NotFound"):
            return {"status": self.status}
        return {"status": {self.status: self.reason}}

    @classmethod
    def from_wire(cls, value: "Any") -> "AttachReply":
        reply = as_map(value, "the attach reply")
        name, content = variant(reply.get("status"), "status")
        if name in ("Attached", "Created"):
            fields = as_map(content, name) if content is not None else {}
            passed = reply.get("terminal_passed") is True
            return cls(name, texts(fields, "warnings"), passed=passed)
        if name in ("Busy", "NotFound"):
            return cls(name)
        if name in ("Forbidden", "UnexpectedError"):
            return cls(name, reason=as_text(content, name))
        raise WireError(f"the unknown attach status {name!r}")


# By the variant's name, as in requests.py.
REQUESTS: "dict[str, Any]" = {"Attach": AttachHeader}
