"""Requests for looking at a session, and typing into it, without attaching to it.

As those in requests.py; loaded by who asks one, and by the daemon.
"""

from shpool.protocol.msgpack import WireError
from shpool.protocol.shapes import U64_MAX, as_map, number, optional_number, pairs, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class SendRequest:
    """Type into a session: each of `items` a text, or the name of a key, as (kind, value).

    `paste`: the texts are typed as a terminal pastes them.  `timeout_ms`: for how long the
    program may not read.  `mark`: say in the reply on which line that is.
    """

    FEATURES = ("Send", "Send.mark")

    __slots__ = ("items", "mark", "paste", "session_name", "timeout_ms")

    def __init__(
        self,
        session_name: str,
        items: "list[tuple[str, str]]",
        *,
        paste: bool = False,
        timeout_ms: int = 5000,
        mark: bool = False,
    ) -> None:
        self.session_name = session_name
        self.items = items
        self.paste = paste
        self.timeout_ms = timeout_ms
        self.mark = mark

    @property
    def needs(self) -> "tuple[str, ...]":
        return self.FEATURES if self.mark else self.FEATURES[:1]

    def to_wire(self) -> "Any":
        return {
            "Send": {
                "session_name": self.session_name,
                "items": self.items,
                "paste": self.paste,
                "timeout_ms": self.timeout_ms,
                "mark": self.mark,
            }
        }

    @classmethod
    def from_wire(cls, value: "Any") -> "SendRequest":
        fields = as_map(value, "Send")
        found = pairs(fields, "items")
        for kind, _ in found:
            if kind not in ("text", "key"):
                raise WireError(f"the unknown kind of input {kind!r}")
        return cls(
            text(fields, "session_name"),
            found,
            paste=fields.get("paste") is True,
            timeout_ms=number(fields, "timeout_ms", 0, U64_MAX),
            mark=fields.get("mark") is True,
        )


class PeekRequest:
    """Show a session's screen, and with `history` what has scrolled off before it: of that the
    last `last` lines at most, and those from number `since` on."""

    FEATURES = needs = ("Peek",)

    __slots__ = ("history", "last", "session_name", "since")

    def __init__(
        self,
        session_name: str,
        *,
        history: bool = False,
        last: "int | None" = None,
        since: "int | None" = None,
    ) -> None:
        self.session_name = session_name
        self.history = history
        self.last = last
        self.since = since

    def to_wire(self) -> "Any":
        return {
            "Peek": {
                "session_name": self.session_name,
                "history": self.history,
                "last": self.last,
                "since": self.since,
            }
        }

    @classmethod
    def from_wire(cls, value: "Any") -> "PeekRequest":
        fields = as_map(value, "Peek")
        return cls(
            text(fields, "session_name"),
            history=fields.get("history") is True,
            last=optional_number(fields, "last", 0, U64_MAX),
            since=optional_number(fields, "since", 0, U64_MAX),
        )


# By the variant's name, as those in requests.py.
REQUESTS: "dict[str, Any]" = {"Send": SendRequest, "Peek": PeekRequest}
