"""A client's place among those at a session: what it has said, and what its terminal was asked.

Every terminal that the program's output reaches answers what is asked there.  One of them answers
for the session (roles.py); what the others answer is dropped here, by the rules of
keys/sorting.py, and so is what their mouse does on its own.
"""

from time import monotonic

from shpool.daemon.carried import Deadline, Reference
from shpool.daemon.sessions.participant import DRIVER
from shpool.daemon.sessions.turns import KEY, NOTHING, PASTE, Speaker
from shpool.keys.decoding import PASTE_BEGIN, PASTE_END
from shpool.keys.sorting import (
    ANSWER,
    CURSOR,
    FOCUS,
    MORE,
    MOVE,
    PASTE_OVER,
    PASTED,
    PRESS,
    TYPED,
    Expected,
    Sorter,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.daemon.loop.reactor import Reactor, Timer
    from shpool.daemon.sessions.participant import Participant
    from shpool.daemon.sessions.picture import Reports
    from shpool.keys.sorting import Piece

# Seconds after which a terminal has answered, or never will.
ANSWERED = 5.0

# Questions that are remembered.  A program asks a few dozen at its start, if it asks much.
_MOST_QUESTIONS = 128

# What counts as typing.
_FELT = (TYPED, PASTED, PASTE_OVER, PRESS)


class SeatUser(Speaker):
    """Who gives out seats."""

    __slots__ = ()

    @property
    def alone(self) -> bool:
        """There is one client, and for a while there has been no other."""
        return True

    @property
    def reports(self) -> "Reports":
        """What the program has terminals report."""
        raise NotImplementedError

    def seat_rested(self, seat: "Seat") -> None:
        """What it has begun to say did not go on."""


class Question:
    """What will answer it (see terminal/questions.py), when it was asked (monotonic), and whether
    the answer is for the program: else another terminal's is."""

    __slots__ = ("answer", "asked_at", "own")

    CARRIED = {"answer": str, "asked_at": float, "own": bool}

    def __init__(self, answer: str, asked_at: float, own: bool) -> None:
        self.answer = answer
        self.asked_at = asked_at
        self.own = own


class Said:
    """`data` is for the program; `felt`: somebody typed it.  `midst`: of what the client is in the
    middle then, see turns.py."""

    __slots__ = ("answered", "data", "felt", "midst")

    def __init__(self) -> None:
        self.data = b""
        self.felt = False
        self.answered = False
        self.midst = NOTHING


class Seat(Speaker, Expected):
    """`questions` are those that its terminal has not answered, in the order in which it will."""

    CARRIED = {
        "client": Reference("Participant"),
        "sorter": Sorter,
        "questions": [Question],
        "strings": {str: float},
        "answered_at": float,
        "passes_string": bool,
        "drops_paste": bool,
        "_rest": Deadline("_rested"),
    }
    DERIVED = ("_reactor", "_user")

    def __init__(self, reactor: "Reactor", client: "Participant", user: SeatUser) -> None:
        self._reactor = reactor
        self._user = user
        self.client = client
        self.sorter = Sorter()
        self.questions: list[Question] = []
        self.strings: dict[str, float] = {}  # when an answer of that kind was asked for last
        self.answered_at = 0.0
        self.passes_string = False  # the answer under way is for the program
        self.drops_paste = False  # the paste under way was overtaken, and ended for it
        self._rest: Timer | None = None

    def parts(self) -> "tuple[object, ...]":
        return tuple(self.questions)

    def taken_on(self, reactor: "Reactor", user: SeatUser) -> None:
        self._reactor = reactor
        self._user = user

    # ---- what its terminal is asked

    def ask(self, answers: "list[str]", asked_at: float, *, own: bool) -> None:
        """The terminal was sent questions."""
        self.questions += [Question(answer, asked_at, own) for answer in answers]
        del self.questions[:-_MOST_QUESTIONS]
        for answer in answers:
            self.strings[answer] = asked_at

    def answer_for_all(self) -> None:
        """Who was to answer has gone: what this one owes is for the program."""
        for question in self.questions:
            question.own = True

    @property
    def owes(self) -> bool:
        self._forget_old()
        return bool(self.questions)

    @property
    def owes_place(self) -> bool:
        self._forget_old()
        return any(question.answer == CURSOR for question in self.questions)

    def asked(self, kind: str) -> bool:
        # One who is alone is not overheard, and all it says is for the program.
        return self._user.alone or monotonic() - self.strings.get(kind, -ANSWERED) < ANSWERED

    @property
    def mouse(self) -> bool:
        return self._user.reports.mouse

    @property
    def mouse_utf8(self) -> bool:
        return self._user.reports.mouse_utf8

    @property
    def focus(self) -> bool:
        return self._user.reports.focus

    def _forget_old(self) -> None:
        if self.questions and self.questions[0].asked_at <= monotonic() - ANSWERED:
            oldest = monotonic() - ANSWERED
            self.questions = [each for each in self.questions if each.asked_at > oldest]

    # ---- what it says

    def take(self, data: bytes, *, answers: bool) -> Said:
        """The client has sent `data`; `answers`: it is the one who does so for the session."""
        said = self._sift(self.sorter.feed(data, self), answers)
        self._await_rest()
        return said

    def await_rest(self) -> None:
        """What it has begun to say may go on from now on."""
        if self._rest is None:
            self._await_rest()

    def flush(self, *, answers: bool) -> Said:
        """What it has begun to say is all there is of it."""
        self._stop_waiting()
        return self._sift(self.sorter.flush(), answers)

    def overtaken(self) -> None:
        self.drops_paste = self.sorter.paste is not None

    def close(self) -> None:
        self._stop_waiting()

    def broken(self) -> None:
        self.client.broken()

    def _sift(self, pieces: "list[Piece]", answers: bool) -> Said:
        said = Said()
        kept = []
        for piece in pieces:
            if self._is_for_program(piece, answers) or piece.passed:
                data = piece.data[piece.passed :]
                if self.drops_paste:
                    data = self._paste_anew(piece.kind, data)
                kept.append(data)
                # An Escape was passed on before it was known to be one.
                said.felt = said.felt or (piece.kind in _FELT and bool(data or piece.passed))
            said.answered = said.answered or piece.kind == ANSWER
        if answers and all(question.own for question in self.questions):
            kept.append(self.sorter.pass_held())
        said.data = kept[0] if len(kept) == 1 else b"".join(kept)
        said.midst = self._midst()
        return said

    def _is_for_program(self, piece: "Piece", answers: bool) -> bool:
        kind = piece.kind
        if kind == ANSWER:
            self.passes_string = self._answered(piece.what, answers)
            return self.passes_string
        if kind == MORE:
            return self.passes_string
        if kind in (MOVE, FOCUS):
            return self.client.role == DRIVER
        return True

    def _paste_anew(self, kind: str, data: bytes) -> bytes:
        """What came of a paste after it was overtaken: a paste of its own, lest it be typed."""
        self.drops_paste = False
        if kind == PASTE_OVER and PASTE_END.endswith(data):
            return b""
        return PASTE_BEGIN + data

    def _answered(self, what: str, answers: bool) -> bool:
        """Returns whether an answer is for the program.

        Terminals answer in order: what was asked before and was not answered will not be.
        """
        self.answered_at = monotonic()
        self._forget_old()
        for at, question in enumerate(self.questions):
            if question.answer == what:
                del self.questions[: at + 1]
                return question.own
        return answers

    def _midst(self) -> str:
        sorter = self.sorter
        if sorter.paste is not None:
            return NOTHING if self.drops_paste else PASTE
        if sorter.passed or sorter.missing or (sorter.string and self.passes_string):
            return KEY
        return NOTHING

    def _await_rest(self) -> None:
        self._stop_waiting()
        delay = self.sorter.pending(self)
        if delay:
            self._rest = self._reactor.call_later(delay, self._rested)

    def _rested(self) -> None:
        self._rest = None
        self._user.seat_rested(self)

    def _stop_waiting(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
