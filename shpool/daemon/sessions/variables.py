"""The variables that {var} in a session's name stands for; see templates.py.

One set for the daemon, changed by requests, and told to every attached client when it changes.
"""

from shpool.errors import ShpoolError
from shpool.protocol.chunks import MAX_PAYLOAD
from shpool.protocol.replies import MaybeSwitch


class TooManyVariables(ShpoolError):
    """They would not fit into what clients can be told."""


class Variables:
    CARRIED = {"values": {str: str}}

    def __init__(self, values: "dict[str, str]") -> None:
        self.values = values

    def message(self) -> MaybeSwitch:
        """All of them, as a reply to who asks."""
        return MaybeSwitch(list(self.values.items()))

    def change(self, name: str, value: "str | None") -> bytes:
        """Set one, or remove it where `value` is None; what clients are to be told of that.

        Raises TooManyVariables, and has changed nothing.
        """
        changed = dict(self.values)
        if value is None:
            changed.pop(name, None)
        else:
            changed[name] = value
        payload = MaybeSwitch(list(changed.items())).to_bytes()
        if len(payload) > MAX_PAYLOAD:
            # Clients of the original refuse a larger chunk, and they would all be sent one.
            raise TooManyVariables(
                f"all variables together may not take more than {MAX_PAYLOAD} bytes"
            )
        self.values = changed
        return payload
