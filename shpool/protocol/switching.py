"""The request to have an attached client go over to another session, and its answer."""

from shpool.protocol.replies import Destination
from shpool.protocol.shapes import I32_MAX, as_map, optional_number, optional_text, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class SwitchRequest:
    """Have a client of `session_name` go over to `destination`.

    `session_name`: "." for the session one is in, and empty for any, if there is a `pid`.
    `pid`: which client; without it, inside, the one that typed this, and from outside the driver.
    `back`: to the session that the client was in before, whatever the destination's name.
    """

    FEATURES = needs = ("Switch",)

    __slots__ = ("back", "destination", "pid", "session_name")

    def __init__(
        self,
        session_name: str,
        destination: Destination,
        *,
        pid: "int | None" = None,
        back: bool = False,
    ) -> None:
        self.session_name = session_name
        self.destination = destination
        self.pid = pid
        self.back = back

    def to_wire(self) -> "Any":
        return {
            "Switch": {
                "session_name": self.session_name,
                "pid": self.pid,
                "back": self.back,
                "switch_to": self.destination.name,
                **self.destination.fields(),
            }
        }

    @classmethod
    def from_wire(cls, value: "Any") -> "SwitchRequest":
        fields = as_map(value, "Switch")
        return cls(
            text(fields, "session_name"),
            Destination.from_fields(text(fields, "switch_to"), fields),
            pid=optional_number(fields, "pid", 0, I32_MAX),
            back=fields.get("back") is True,
        )


class SwitchReply:
    """The client has been told, or why it was not."""

    __slots__ = ("error",)

    def __init__(self, error: "str | None" = None) -> None:
        self.error = error

    def to_wire(self) -> "Any":
        return {"error": self.error}

    @classmethod
    def from_wire(cls, value: "Any") -> "SwitchReply":
        return cls(optional_text(as_map(value, "the reply"), "error"))


# By the variant's name, as in requests.py.
REQUESTS: "dict[str, Any]" = {"Switch": SwitchRequest}
