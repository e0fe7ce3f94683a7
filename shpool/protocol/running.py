"""The request for a command at a session's prompt; the answer is a stream as in watching.py.

Beside OUTPUT and MISSED its events are these.  After TAKEN the stream ends with TIMED_OUT when time
is up, else after DONE or FAILED.
"""

from shpool.protocol.shapes import (
    U64_MAX,
    as_map,
    optional_number,
    optional_text,
    text,
    texts,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

WAITS = "waits"  # what for; before TAKEN
TAKEN = "taken"  # the command has begun
DONE = "done"  # its status, or None if the shell does not tell; the columns of the terminal
FAILED = "failed"  # why it was not run, or its end is not known


class RunRequest:
    """Have the shell of a session run `words`, or `line` as it is, once it is at its prompt, and
    tell what comes of that.  `timeout_ms`: for how long, None for ever."""

    FEATURES = needs = ("Run",)

    __slots__ = ("line", "session_name", "timeout_ms", "words")

    def __init__(
        self,
        session_name: str,
        words: "list[str]",
        line: "str | None" = None,
        timeout_ms: "int | None" = None,
    ) -> None:
        self.session_name = session_name
        self.words = words
        self.line = line
        self.timeout_ms = timeout_ms

    def to_wire(self) -> "Any":
        return {
            "Run": {
                "session_name": self.session_name,
                "words": self.words,
                "line": self.line,
                "timeout_ms": self.timeout_ms,
            }
        }

    @classmethod
    def from_wire(cls, value: "Any") -> "RunRequest":
        fields = as_map(value, "Run")
        return cls(
            text(fields, "session_name"),
            texts(fields, "words"),
            optional_text(fields, "line"),
            optional_number(fields, "timeout_ms", 0, U64_MAX),
        )


# By the variant's name, as those in requests.py.
REQUESTS: "dict[str, Any]" = {"Run": RunRequest}
