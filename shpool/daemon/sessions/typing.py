"""What is typed into a session's pty, by clients and by messages from outside, which never mix.

What clients type takes turns (turns.py).  A message goes to the program a line at a time, each when
the pty has taken the one before, so that who is attached stays able to type: their keys go in at
the message's next line end, and the characters that interrupt, quit or suspend a program drop the
rest of it.
"""

import termios
from time import monotonic

from shpool.daemon.carried import Deadline, Reference, added
from shpool.daemon.loop.reactor import Owner
from shpool.daemon.sessions.turns import NOTHING, Turns, TurnsUser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.loop.reactor import Reactor, Timer
    from shpool.daemon.programs.pty import Pty
    from shpool.daemon.sessions.turns import Speaker

# All that messages may have waiting at a session, in bytes: as much as one request can bring.
_WAITING_CAP = 1_048_576

# Given to the pty at a time, in bytes, where a line is longer.
_PIECE = 4096

# The longest line that the kernel's line editing takes whole, in bytes, its end not counted; of a
# longer one it drops the rest without a word.  See N_TTY_BUF_SIZE in Linux's n_tty.
_CANONICAL_LINE = 4095

# Indices of termios' control characters that stop a program.
_STOPPING = (termios.VINTR, termios.VQUIT, termios.VSUSP)

# And of all that mean something to the terminal while the program edits lines itself.
_KEPT = (*_STOPPING, termios.VSTART, termios.VSTOP)

# What two looks at the clock may differ by for the same deadline, in seconds.
_INSTANT = 0.001

DONE, INTERRUPTED, STUCK, ENDED = "done", "interrupted", "stuck", "ended"


class MessageUser(Owner):
    """Who has sent a message."""

    __slots__ = ()

    def message_over(self, message: "Message") -> None:
        """Its `outcome` is known: the last of it is in the pty, or no more of it will be typed."""


# So that a message that is over does not keep its sender, and with that the session, in memory.
_NOBODY = MessageUser()


class Message:
    """`data` to be typed; `typed` bytes of it are in the pty, or on their way into it."""

    __slots__ = ("data", "outcome", "timeout", "typed", "user", "whole")

    CARRIED = {
        "data": bytes,
        "timeout": float,
        "user": Reference("MessageUser"),
        "typed": int,
        "outcome": str,
        "whole": added(bool, False),
    }

    def __init__(
        self, data: bytes, timeout: float, user: MessageUser, *, whole: bool = False
    ) -> None:
        """`timeout`: seconds for which what waits for the program, it or what comes before it, may
        stand still.  `whole`: no keys go in at its line ends."""
        self.data = data
        self.timeout = timeout
        self.user = user
        self.typed = 0
        self.outcome = ""
        self.whole = whole

    def tell(self) -> None:
        user, self.user = self.user, _NOBODY
        user.message_over(self)


class TypistUser(Owner):
    """Who brings keys."""

    __slots__ = ()

    def typist_relieved(self) -> None:
        """Keys that had waited for their turn do not any more."""


# Nor its session, when it has ended.
_NO_USER = TypistUser()


class Typist(TurnsUser):
    """`reactor` is asked for deadlines, and `pty` to say when it has taken what it was sent."""

    CARRIED = {
        "turns": Turns,
        "_yields": bool,
        "_messages": [Message],
        "_keys": bytes,
        "_piece": int,
        "_moved": float,
        "_patience": Deadline("_give_up"),
    }
    DERIVED = ("_pty", "_reactor", "_user")

    def __init__(self, reactor: "Reactor", pty: "Pty", user: TypistUser) -> None:
        self._reactor = reactor
        self._pty = pty
        self._user = user
        self.turns = Turns(reactor, self)
        self._yields = False  # the next piece of a message waits for the end of a key or paste
        self._messages: list[Message] = []  # the first one is being typed
        self._keys = b""  # of clients, for the first message's next line end
        self._piece = 0  # bytes of the first message that were sent last, after any keys
        self._moved = 0.0  # when something of the messages was taken last; monotonic
        self._patience: Timer | None = None

    def taken_on(self, reactor: "Reactor", pty: "Pty", user: TypistUser) -> None:
        self._reactor = reactor
        self._pty = pty
        self._user = user
        self.turns.taken_on(reactor, self)

    @property
    def waiting(self) -> int:
        """Bytes of messages that are not typed yet."""
        return sum(len(each.data) - each.typed for each in self._messages)

    @property
    def full(self) -> bool:
        """No keys are to be brought for now."""
        return self._pty.full or len(self._keys) > _PIECE

    @property
    def canonical(self) -> bool:
        """The program reads lines, which the kernel lets the user edit."""
        return self._pty.is_canonical()

    @property
    def interrupt_character(self) -> bytes:
        return self._pty.control_characters()[termios.VINTR]

    def drained(self) -> None:
        """Keys are brought again."""
        self.turns.drained()

    def full_for(self, speaker: "Speaker") -> bool:
        """Nor by this one, whose turn it is not."""
        return self.full or self.turns.full_for(speaker)

    def parts(self) -> "tuple[object, ...]":
        return (self.turns, *self._messages)

    # ---- keys

    def keys(self, speaker: "Speaker | None", data: bytes, midst: str = NOTHING) -> None:
        """A client typed `data`, and is in the midst of something then (see turns.py); or the
        terminal model has, in place of a terminal."""
        pieces = self.turns.take(speaker, data, midst)
        self._type_all(pieces, relieved=len(pieces) > 1)

    def leave(self, speaker: "Speaker") -> None:
        """It types nothing any more."""
        self._type_all(self.turns.leave(speaker), relieved=True)

    def turn_over(self, pieces: "list[bytes]") -> None:
        self._type_all(pieces, relieved=True)

    def _type_all(self, pieces: "list[bytes]", *, relieved: bool) -> None:
        for data in pieces:
            if data:
                self._type(data)
        if relieved:
            self._reactor.soon(self._user.typist_relieved)
        if self._yields and self.turns.free:
            self._moved = monotonic()  # for so long nothing was to be taken
            self._go_on()

    def _type(self, data: bytes) -> None:
        if not self._messages:
            self._send(data)
            return
        self._keys += data
        if self._yields:
            self._send_keys()
        if self._stops(data):
            self._messages[0].typed -= self._drop_piece()
            self._over(INTERRUPTED)
            self._send_keys()
            self._go_on()

    def _send(self, data: bytes) -> None:
        """What stops the program gets there, though it does not read what came before."""
        self._pty.send(data)
        if self._pty.waits and self._stops(data):
            self._pty.forget_unread()

    def _stops(self, data: bytes) -> bool:
        return self._has(data, _STOPPING)

    def keeps(self, data: bytes) -> bool:
        """Returns whether the terminal may keep some of `data` for itself, as it does ^C."""
        return self._has(data, _KEPT)

    def _has(self, data: bytes, indices: "tuple[int, ...]") -> bool:
        characters = self._pty.control_characters()
        return any(characters[index] in data for index in indices if characters[index] != b"\0")

    def _send_keys(self) -> None:
        keys, self._keys = self._keys, b""
        if keys:
            self._send(keys)

    # ---- messages

    def too_long(self, data: bytes) -> bool:
        """Returns whether a line of `data` is longer than the program could read it now."""
        if not self._pty.is_canonical():
            return False
        lines = data.replace(b"\r", b"\n").split(b"\n")
        return any(len(line) > _CANONICAL_LINE for line in lines)

    def add(self, message: Message) -> bool:
        """Type a message after those that wait; False if too much is waiting already."""
        if self.waiting + len(message.data) > _WAITING_CAP and self._messages:
            return False
        self._messages.append(message)
        if len(self._messages) == 1:
            self._moved = monotonic()
            self._go_on()
        else:
            self._be_patient()
        return True

    def call_off(self, message: Message) -> None:
        """Nobody waits for it any more: what is not typed yet is not typed."""
        if message not in self._messages:
            return
        first = message is self._messages[0]
        self._messages.remove(message)
        message.user = _NOBODY
        if not first:
            self._be_patient()
        else:
            self._drop_piece()
            self._send_keys()
            self._go_on()

    def taken(self) -> None:
        """The pty has taken all that it was sent."""
        if not self._messages:
            return
        self._moved = monotonic()
        first = self._messages[0]
        if first.typed == len(first.data):
            self._over(DONE)
            self._send_keys()
        elif not first.whole and _ends_line(first):
            self._send_keys()
        self._go_on()

    def close(self) -> None:
        """The session has ended."""
        self._user = _NO_USER
        self.turns.close()
        self._end_messages()

    def broken(self) -> None:
        """The messages are over; keys go to the program as before."""
        self._end_messages()
        self._send_keys()

    def _end_messages(self) -> None:
        self._stop_waiting()
        while self._messages:
            self._over(ENDED)

    def _go_on(self) -> None:
        """Send the next piece, and have taken() called, or give up after a while."""
        self._yields = self.turns.wanted = False
        self._piece = 0
        if not self._messages:
            self._stop_waiting()
            self._send_keys()
            return
        first = self._messages[0]
        if not first.typed or (_ends_line(first) and not first.whole):
            ended = self.turns.want()
            if ended is None:
                self._yields = True
                self._stop_waiting()
                self._send_keys()
                return
            self._keys += b"".join(ended)
            self._send_keys()
        piece = _next_piece(first.data, first.typed)
        first.typed += len(piece)
        self._piece = len(piece)
        self._send(piece)
        self._pty.tell_taken()
        self._be_patient()

    def _be_patient(self) -> None:
        """Look after the message whose patience ends first."""
        self._stop_waiting()
        if self._messages:
            end = self._moved + min(each.timeout for each in self._messages)
            self._patience = self._reactor.call_later(max(end - monotonic(), 0), self._give_up)

    def _give_up(self) -> None:
        """The program does not read: nothing of what it has not taken is typed, of messages that
        wait no longer."""
        self._patience = None
        still = monotonic() - self._moved + _INSTANT
        first, *others = self._messages
        for message in others:
            if message.timeout <= still:
                self._over(STUCK, message)
        if first.timeout <= still:
            first.typed -= self._drop_piece()
            self._over(STUCK)
            self._send_keys()
            self._go_on()
        else:
            self._be_patient()

    def _drop_piece(self) -> int:
        """Take back what the pty has not taken of the first message; how many bytes."""
        return self._pty.drop_last(self._piece)

    def _over(self, outcome: str, message: "Message | None" = None) -> None:
        """It is the first one if no other is named."""
        message = message or self._messages[0]
        self._messages.remove(message)
        message.outcome = outcome
        self._reactor.soon(message.tell)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


def _ends_line(message: Message) -> bool:
    """What is typed of it ends with a line's end."""
    return message.data[message.typed - 1 : message.typed] in (b"\r", b"\n")


def _next_piece(data: bytes, start: int) -> bytes:
    """Up to the next line end, and no more than the pty is sent at a time."""
    piece = data[start : start + _PIECE]
    ends = [end for end in (piece.find(b"\r"), piece.find(b"\n")) if end >= 0]
    return piece[: min(ends) + 1] if ends else piece
