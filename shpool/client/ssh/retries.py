"""What it means that ssh has ended, how long to wait before it is run again, and what is said."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from shpool.client.ssh.complaints import Complaints

# Seconds; the last one again and again.
_PAUSES = (0, 1, 2, 4, 8, 16, 30)

# A pause may be longer by this part of it, so that not all clients of a host come at once.
_CHANCE = 0.2

# A connection that stood for so many seconds was not lost for the same reason as the one before.
STEADY = 10.0

# Seconds after the loss in which a client that an original daemon has, and that cannot be told
# from others, may still be the one that was lost.
_ORIGINAL_MAY_BE_OURS = 30.0


class Ended:
    """How one run of ssh ended.

    `status` as a shell has it, `killed` if that is of a signal; `seen`: the session was about to be
    shown; `end`: the status that was told from there; `said`: the last of what was told instead of
    that, if anything was; `told`: there was any other mark; `signal`: what ended us, and ssh with
    us, 0 if nothing did; `interrupted`: Ctrl-C was typed before the session was there;
    `without_master`: the ssh whose connection it shared has ended as well.
    """

    def __init__(self, status: int, complaints: "Complaints") -> None:
        self.status = status
        self.complaints = complaints
        self.killed = False
        self.seen = False
        self.end: int | None = None
        self.said = ""
        self.told = False
        self.signal = 0
        self.interrupted = False
        self.without_master = False
        self.printed = False  # something that was no mark, before it was seen
        self.attached = False  # the session was there

    @property
    def failed(self) -> bool:
        """ssh itself has, and not what runs there."""
        return self.status == 255 or self.killed or self.interrupted

    def take(self, word: str) -> None:
        """A mark that is neither `seen` nor `end`.  There may be one for every line of output, for
        weeks, so they are not kept."""
        kind = word.partition(";")[0]
        self.told = True
        if kind in ("copy", "busy", "gone", "none"):
            self.said = word
        elif kind == "name":
            self.attached = True


LOST, OVER, LEFT, FAILED = "lost", "over", "left", "failed"


def meaning(ended: Ended) -> "tuple[str, int]":
    """What it means, and the exit status if that is all.

    over: the session says so; left: by a signal, or by ssh's ~.; failed: there was none; lost.
    """
    if ended.signal:
        return LEFT, 128 + ended.signal
    if ended.end is not None:
        return OVER, ended.end
    if not ended.seen:
        return FAILED, ended.status
    if ended.complaints.closed and not ended.without_master:
        return LEFT, 255
    return LOST, 255


def may_be_ours(said: str, seconds: float) -> bool:
    """Returns whether who is attached may be the client that was lost so many seconds ago, by what
    was told: of an original daemon it cannot be known."""
    return said == "busy;original" and seconds < _ORIGINAL_MAY_BE_OURS


def pauses(chance: float, *, steady: bool = True) -> "Iterator[float]":
    """Seconds before each try; `chance` is from 0 to 1.  `steady`: the connection that was lost had
    stood for a while, so the first try need not wait."""
    at = 0 if steady else 1
    while True:
        yield _PAUSES[at] * (1 + _CHANCE * chance)
        at = min(at + 1, len(_PAUSES) - 1)


def lost_line(host: str, seconds: float) -> str:
    """`seconds` are left; what is begun counts as a whole one."""
    whole = int(seconds) + (seconds > int(seconds))
    return f"connection to {host} lost; trying again in {whole} s (Enter: now, Ctrl-C: give up)"


def password_line(host: str) -> str:
    return f"{host} wants a password; Enter: log in, Ctrl-C: give up"


def elsewhere_line(name: str) -> str:
    return f"session '{name}' is attached elsewhere; Enter: take it, Ctrl-C: leave it"
