"""Requests for what happens at sessions from now on, and the events that answer them.

The reply is a head, and then a stream of chunks: the payloads of Data, one after another, are
events in msgpack, and the status at the end says why nothing more comes.  An event is an array:
its kind, the number of the session in the head's names, and what is said of it.
"""

from shpool.protocol.chunks import DATA, EXIT_STATUS, ChunkReader
from shpool.protocol.msgpack import MAX_REPLY, Decoder, WireError, pack
from shpool.protocol.shapes import (
    U64_MAX,
    as_map,
    optional_number,
    optional_text,
    pairs,
    text,
    texts,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What may be waited for.  `quiet` comes with milliseconds.
CONDITIONS = ("quiet", "exit", "exists", "attached", "detached", "prompt")

# As many sessions and conditions as anybody can name: Linux has 4,096 ptys, unless told otherwise.
_SESSIONS_MAX, _CONDITIONS_MAX = 4096, 64

# Kinds of events, and what is said besides.
HELD = "held"  # the condition that has come true
OUTPUT = "output"  # what the program has written
MISSED = "missed"  # how many bytes of that are not told
SCREEN = "screen"  # lines, the index of the cursor's, whether it is the alternate one, and the row
LINES = "lines"  # with `since`: those of history and screen, some at a time
LOST = "lost"  # how many of them are gone
ROWS = "rows"  # those that have changed, (number, text), and the cursor's row
SIZE = "size"  # rows and columns, from here on
ENDED = "ended"  # the exit status

# The status with which a stream ends when its time is over, as timeout(1) has it.
TIMED_OUT = 124


class WaitRequest:
    """Tell of each of `conditions`, (name, value), when it first holds for one of the sessions.

    `timeout_ms`: for how long, None for ever.  `text`: tell what they show as well; with `since`
    also the lines from that number on which were there before, of sessions that are there.
    """

    FEATURES = ("Wait", "Wait.since", "Wait.prompt")

    __slots__ = ("conditions", "sessions", "since", "text", "timeout_ms")

    def __init__(
        self,
        sessions: "list[str]",
        conditions: "list[tuple[str, str]]",
        timeout_ms: "int | None" = None,
        *,
        text: bool = False,
        since: "int | None" = None,
    ) -> None:
        self.sessions = sessions
        self.text = text
        self.since = since
        self.conditions = conditions
        self.timeout_ms = timeout_ms

    @property
    def needs(self) -> "tuple[str, ...]":
        since = self.since is not None
        prompt = "prompt" in [name for name, _ in self.conditions]
        return ("Wait", *["Wait.since"] * since, *["Wait.prompt"] * prompt)

    def to_wire(self) -> "Any":
        return {
            "Wait": {
                "sessions": self.sessions,
                "conditions": self.conditions,
                "timeout_ms": self.timeout_ms,
                "text": self.text,
                "since": self.since,
            }
        }

    @classmethod
    def from_wire(cls, value: "Any") -> "WaitRequest":
        fields = as_map(value, "Wait")
        conditions = pairs(fields, "conditions")
        for name, argument in conditions:
            if name not in CONDITIONS:
                raise WireError(f"the unknown condition {name!r}")
            if name == "quiet" and not _is_count(argument):
                raise WireError(f"the quiet of {argument!r} ms")
        sessions = texts(fields, "sessions")
        if len(sessions) > _SESSIONS_MAX or len(conditions) > _CONDITIONS_MAX:
            raise WireError(
                f"a wait for more than {_SESSIONS_MAX} sessions or {_CONDITIONS_MAX} conditions"
            )
        return cls(
            sessions,
            conditions,
            optional_number(fields, "timeout_ms", 0, U64_MAX),
            text=fields.get("text") is True,
            since=optional_number(fields, "since", 0, U64_MAX),
        )


def _is_count(argument: str) -> bool:
    return argument.isascii() and argument.isdigit() and len(argument) < 20


class FollowRequest:
    """Tell what the program writes from now on, with `from_screen` after a restore; with `restores`
    what was missed is made up for by one."""

    FEATURES = needs = ("Follow",)

    __slots__ = ("from_screen", "restores", "session_name")

    def __init__(self, session_name: str, *, from_screen: bool, restores: bool) -> None:
        self.session_name = session_name
        self.from_screen = from_screen
        self.restores = restores

    def to_wire(self) -> "Any":
        return {
            "Follow": {
                "session_name": self.session_name,
                "from_screen": self.from_screen,
                "restores": self.restores,
            }
        }

    @classmethod
    def from_wire(cls, value: "Any") -> "FollowRequest":
        fields = as_map(value, "Follow")
        return cls(
            text(fields, "session_name"),
            from_screen=fields.get("from_screen") is True,
            restores=fields.get("restores") is True,
        )


# By the variant's name, as those in requests.py.
REQUESTS: "dict[str, Any]" = {"Wait": WaitRequest, "Follow": FollowRequest}


class WatchHead:
    """The sessions' names as they are, or, and nothing follows, those that are not there, or what
    else is wrong."""

    __slots__ = ("error", "names", "not_found")

    def __init__(
        self,
        names: "list[str]",
        not_found: "list[str] | None" = None,
        error: "str | None" = None,
    ) -> None:
        self.names = names
        self.not_found = not_found or []
        self.error = error

    def to_wire(self) -> "Any":
        return {
            "names": self.names,
            "not_found_sessions": self.not_found,
            "error": self.error,
        }

    @classmethod
    def from_wire(cls, value: "Any") -> "WatchHead":
        fields = as_map(value, "the reply")
        return cls(
            texts(fields, "names"),
            texts(fields, "not_found_sessions"),
            optional_text(fields, "error"),
        )


def event(kind: str, number: int, *said: "Any") -> bytes:
    """An event, for a stream."""
    return pack([kind, number, *said])


class EventReader:
    """Bytes of a stream in, events out.  `status` is None until the stream has ended."""

    def __init__(self) -> None:
        self._chunks = ChunkReader()
        self._decoder = Decoder(MAX_REPLY)
        self.status: int | None = None

    def feed(self, data: bytes) -> "list[tuple[str, int, list[Any]]]":
        """The events that `data` completes.  Raises WireError."""
        found = []
        for kind, payload in self._chunks.feed(data):
            if kind == EXIT_STATUS and isinstance(payload, int):
                self.status = payload
            elif kind == DATA and isinstance(payload, bytes):
                found += self._events(payload)
        return found

    def _events(self, data: bytes) -> "list[tuple[str, int, list[Any]]]":
        found = []
        while data and self._decoder.feed(data):
            found.append(_checked(self._decoder.value))
            data = self._decoder.rest
            self._decoder = Decoder(MAX_REPLY)
        return found


def _checked(value: "Any") -> "tuple[str, int, list[Any]]":
    if (
        not isinstance(value, list)
        or len(value) < 2
        or not isinstance(value[0], str)
        or not isinstance(value[1], int)
    ):
        raise WireError("an event that is none")
    return value[0], value[1], value[2:]
