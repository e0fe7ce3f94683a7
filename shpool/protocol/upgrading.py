"""The request to replace the daemon's program in place, and its answer."""

from shpool.protocol.msgpack import WireError
from shpool.protocol.shapes import U64_MAX, as_map, items, number, text, variant

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Interpreter, its flags, and what it runs: so many words at most.
_WORDS_MAX = 16


class UpgradeRequest:
    """Go on as `program`: an absolute path and further words, to which the daemon adds its own
    options.  `check`: only try whether that can be.
    """

    FEATURES = needs = ("Upgrade",)

    __slots__ = ("check", "program")

    def __init__(self, program: "list[bytes]", *, check: bool = False) -> None:
        self.program = program
        self.check = check

    def to_wire(self) -> "Any":
        return {"Upgrade": {"program": self.program, "check": self.check}}

    @classmethod
    def from_wire(cls, value: "Any") -> "UpgradeRequest":
        fields = as_map(value, "Upgrade")
        program = [_word(item) for item in items(fields, "program")]
        if not program or len(program) > _WORDS_MAX or not program[0].startswith(b"/"):
            raise WireError("the program is not an absolute path with a few words behind it")
        return cls(program, check=fields.get("check") is True)


class UpgradeReply:
    """What became of an Upgrade: Upgraded, Possible (to `check`) or Refused.

    The last one has a reason, the others the version before and after, and how many of each went
    over.
    """

    __slots__ = ("after", "before", "clients", "reason", "sessions", "status", "subscribers")

    def __init__(
        self,
        status: str,
        reason: str = "",
        before: str = "",
        after: str = "",
        sessions: int = 0,
        clients: int = 0,
        subscribers: int = 0,
    ) -> None:
        self.status = status
        self.reason = reason
        self.before = before
        self.after = after
        self.sessions = sessions
        self.clients = clients
        self.subscribers = subscribers

    def to_wire(self) -> "Any":
        if self.status == "Refused":
            return {"status": {"Refused": self.reason}}
        return {
            "status": {
                self.status: {
                    "before": self.before,
                    "after": self.after,
                    "sessions": self.sessions,
                    "clients": self.clients,
                    "subscribers": self.subscribers,
                }
            }
        }

    @classmethod
    def from_wire(cls, value: "Any") -> "UpgradeReply":
        name, content = variant(as_map(value, "the reply").get("status"), "status")
        if name == "Refused":
            return cls(name, text({"reason": content}, "reason"))
        if name not in ("Upgraded", "Possible"):
            raise WireError(f"the unknown upgrade status {name!r}")
        fields = as_map(content, name)
        counts = (number(fields, key, 0, U64_MAX) for key in ("sessions", "clients", "subscribers"))
        return cls(name, "", text(fields, "before"), text(fields, "after"), *counts)


def _word(value: "Any") -> bytes:
    """A path may be text to who sends it, and need not be UTF-8."""
    word = value.encode() if isinstance(value, str) else value
    if not isinstance(word, bytes) or b"\0" in word:
        raise WireError("the program has a word that is none")
    return word


REQUESTS: "dict[str, Any]" = {"Upgrade": UpgradeRequest}
