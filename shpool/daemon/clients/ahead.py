"""What somebody types on the way from one session to another: it is for the other one."""

from time import monotonic

# Seconds for which it is kept.  A client takes some milliseconds; one that does not come was
# killed, and its number may be another's by and by.
_KEPT_FOR = 5.0

# How many may be on their way at once.
_MOST = 64


class TypedAhead:
    """By the pid of the client that it came from."""

    CARRIED = {"_typed": {int: (float, bytes)}}
    DERIVED = ()

    def __init__(self) -> None:
        self._typed: dict[int, tuple[float, bytes]] = {}

    def keep(self, pid: int, data: bytes) -> None:
        """The client has left; where the system does not tell its pid, nobody knows it again."""
        now = monotonic()
        for other, (at, _) in list(self._typed.items()):
            if now - at > _KEPT_FOR:
                del self._typed[other]
        if pid and len(self._typed) < _MOST:
            self._typed[pid] = now, data

    def take(self, pid: int) -> bytes:
        """What the client typed on its way that has come now."""
        at, data = self._typed.pop(pid, (0.0, b""))
        return data if monotonic() - at <= _KEPT_FOR else b""
