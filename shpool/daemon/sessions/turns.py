"""Who of several may type now: nobody's keys come into the middle of another's key or paste.

Who is in the midst of one speaks, and what others type waits for the end of it.  One who pauses too
long is overtaken by who waits, or by the next one to come; then a paste of the first is ended for
it, or what is typed would be pasted, too.  While the program does not read nobody is listened to,
so that is no pause.
"""

from shpool.daemon.carried import Deadline, Reference
from shpool.daemon.loop.reactor import Owner
from shpool.keys.decoding import PASTE_END
from shpool.keys.scanner import KEY_PAUSE, PASTE_PAUSE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.loop.reactor import Reactor, Timer

# What one may be in the midst of.
NOTHING, KEY, PASTE = "nothing", "key", "paste"

_PAUSES = {KEY: KEY_PAUSE, PASTE: PASTE_PAUSE}

# Bytes that may wait for their turn.
CAP = 65_536


class Speaker(Owner):
    """Who types."""

    __slots__ = ()

    def overtaken(self) -> None:
        """Its paste is over; what comes of it yet is another one."""


class TurnsUser(Owner):
    """Who types what is said."""

    __slots__ = ()

    @property
    def full(self) -> bool:
        """Nothing that is said is listened to for now; drained() is called when it is again."""
        return False

    def turn_over(self, pieces: "list[bytes]") -> None:
        """The one who spoke was overtaken, and this is to be typed now."""


# So that what is closed does not keep its user in memory.
_NOBODY = TurnsUser()


class Waiting:
    """What one wants to be typed, and what it is in the midst of then."""

    __slots__ = ("data", "midst", "speaker")

    CARRIED = {"speaker": Reference("Speaker"), "data": bytes, "midst": str}

    def __init__(self, speaker: "Speaker | None", data: bytes, midst: str) -> None:
        self.speaker = speaker
        self.data = data
        self.midst = midst


class Turns(Owner):
    """`speaker` is in the midst of `midst`, or nobody is.  `wanted`: who is no speaker waits too,
    and is told by turn_over()."""

    CARRIED = {
        "speaker": Reference("Speaker"),
        "midst": str,
        "waiting": [Waiting],
        "wanted": bool,
        "_overdue": bool,
        "_pause": Deadline("_paused"),
    }
    DERIVED = ("_reactor", "_user")

    def __init__(self, reactor: "Reactor", user: TurnsUser) -> None:
        self._reactor = reactor
        self._user = user
        self.speaker: Speaker | None = None
        self.midst = NOTHING
        self.waiting: list[Waiting] = []
        self.wanted = False
        self._overdue = False  # it may be overtaken, but nobody has wished to
        self._pause: Timer | None = None

    def taken_on(self, reactor: "Reactor", user: TurnsUser) -> None:
        self._reactor = reactor
        self._user = user

    @property
    def free(self) -> bool:
        return self.midst == NOTHING

    def parts(self) -> "tuple[object, ...]":
        return tuple(self.waiting)

    def broken(self) -> None:
        """Nobody has to wait for anybody any more."""
        self._stop_waiting()
        self._overdue = True

    def full_for(self, speaker: Speaker) -> bool:
        """It is to bring no more, since much is waiting already."""
        return speaker is not self.speaker and sum(len(each.data) for each in self.waiting) > CAP

    def take(self, speaker: "Speaker | None", data: bytes, midst: str) -> "list[bytes]":
        """What is to be typed now that `speaker` has typed `data`; after it, it is in the midst of
        `midst`."""
        pieces: list[bytes] = []
        if not self.free and speaker is not self.speaker:
            if not self._overdue:
                self.waiting.append(Waiting(speaker, data, midst))
                return pieces
            pieces = self._overtake()
        pieces.append(data)
        self._speak(speaker, midst)
        return pieces + self._next()

    def want(self) -> "list[bytes] | None":
        """Somebody else wants to type; None if it has to wait for turn_over()."""
        if self.free:
            return []
        if self._overdue:
            return self._overtake()
        self.wanted = True
        return None

    def leave(self, speaker: Speaker) -> "list[bytes]":
        """It goes; returns what is to be typed then."""
        latest = [each for each in self.waiting if each.speaker is speaker][-1:]
        if latest and latest[0].midst == PASTE:
            self.waiting.append(Waiting(speaker, PASTE_END, NOTHING))
        elif latest:
            latest[0].midst = NOTHING
        if speaker is not self.speaker:
            return []
        pieces = [PASTE_END] if self.midst == PASTE else []
        self._speak(None, NOTHING)
        return pieces + self._next()

    def drained(self) -> None:
        """Whoever speaks is listened to again."""
        if not self.free and self._pause is None and not self._overdue:
            self._await_more()

    def close(self) -> None:
        self._stop_waiting()
        self.waiting.clear()
        self.speaker, self.midst = None, NOTHING
        self._user = _NOBODY

    def _speak(self, speaker: "Speaker | None", midst: str) -> None:
        self._stop_waiting()
        self._overdue = False
        self.midst = midst
        self.speaker = None if midst == NOTHING else speaker
        if midst != NOTHING:
            self._await_more()

    def _await_more(self) -> None:
        self._pause = self._reactor.call_later(_PAUSES[self.midst], self._paused)

    def _next(self) -> "list[bytes]":
        """What of that which waits may be typed."""
        pieces = []
        at = 0
        while at < len(self.waiting):
            each = self.waiting[at]
            if self.free or each.speaker is self.speaker:
                del self.waiting[at]
                pieces.append(each.data)
                self._speak(each.speaker, each.midst)
                at = 0
            else:
                at += 1
        return pieces

    def _paused(self) -> None:
        self._pause = None
        if self._user.full:
            return
        if self.waiting or self.wanted:
            self._user.turn_over(self._overtake())
        else:
            self._overdue = True

    def _overtake(self) -> "list[bytes]":
        pieces = []
        if self.midst == PASTE:
            pieces.append(PASTE_END)
            if self.speaker is not None:
                self.speaker.overtaken()
        self._speak(None, NOTHING)
        return pieces + self._next()

    def _stop_waiting(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
