"""What comes from a client's terminal, told apart: keys and pastes, and what nobody typed.

Of several terminals that show one session each answers what the program asks, and reports its own
mouse.  So before input is passed on it is cut into pieces, each of a kind, and whoever knows what
was asked of whom says which of them are for the program.  Where the input is cut into reads makes
no difference, but for time: what may be a part of something longer is held until flush().

After the table in xterm's ctlseqs ("Device-Control functions", "Mouse Tracking") and kitty's
graphics protocol; no key ends as the answers in _ANSWERS do.
"""

import re

from shpool.keys.decoding import MAX_PARAMETERS, MODIFIER, PASTE_END, RELEASE, meaning
from shpool.keys.scanner import KEY_PAUSE

# Kinds of pieces.
TYPED = "typed"
PASTED = "pasted"
PASTE_OVER = "paste over"  # the last of a paste
UNFELT = "unfelt"  # a key let go, or one that only changes others
ANSWER = "answer"  # or its beginning, if it is a string: then more of it may follow
MORE = "more"  # of an answer that is a string
PRESS = "press"  # of a button of the mouse; the wheel
LET_GO = "let go"
MOVE = "move"
FOCUS = "focus"

# Seconds without a byte after which what a terminal owes, and has begun to say, is not awaited any
# more.
ANSWER_PAUSE = 1.0

# What an answer is of: a CSI by how it ends, with the private marker before that; or a string.
CURSOR = "R"
OSC, DCS, APC = "osc", "dcs", "apc"

_ESC = 0x1B
_ESCAPE = b"\x1b"

_CSI = re.compile(rb"\x1b\[([<-?]?)([0-;]*)([ -/]*)([@-~])?")

# By private marker, intermediates and final byte.
_ANSWERS = {
    (b"?", b"", b"c"): "?c",
    (b"?", b"", b"n"): "?n",
    (b"?", b"", b"u"): "?u",
    (b"?", b"", b"R"): "?R",
    (b"?", b"", b"S"): "?S",
    (b"?", b"$", b"y"): "?$y",
    (b"", b"$", b"y"): "$y",
    (b">", b"", b"c"): ">c",
    (b">", b"", b"m"): ">m",
    (b"", b"", b"t"): "t",
    (b"", b"", b"x"): "x",
}
_FINE = (b"0", b"3")  # CSI Ps n

_PLACE = re.compile(rb"\d+;\d+").fullmatch
# F3 with modifiers looks like a place in the first row.
_MODIFIED_F3 = re.compile(rb"1;(?:[2-9]|1[0-6])").fullmatch
_URXVT = re.compile(rb"\d+;\d+;\d+").fullmatch

# What comes after ESC, and what has to follow for an answer.
_STRINGS = {
    0x5D: (OSC, b"0123456789lL"),
    0x50: (DCS, b"01>!"),
    0x5F: (APC, b"G"),
}

# BEL, ST, or whatever else begins with ESC.
_STRING_END = re.compile(rb"\a|\x1b\\|\x1b")

# Bits of a mouse button's number.
_MOTION = 32
_WHEEL = 64
_NO_BUTTON = 3


class Expected:
    """What may come from a terminal beside keys; asked when it matters."""

    __slots__ = ()

    @property
    def mouse(self) -> bool:
        """The program has the mouse tracked."""
        return False

    @property
    def mouse_utf8(self) -> bool:
        """And told in characters (?1005)."""
        return False

    @property
    def focus(self) -> bool:
        """It is told of focus (?1004)."""
        return False

    @property
    def owes(self) -> bool:
        """The terminal has not answered all questions."""
        return False

    @property
    def owes_place(self) -> bool:
        """Nor where the cursor is."""
        return False

    def asked(self, kind: str) -> bool:
        """Returns whether it was asked of late what is answered by a string of this kind."""
        return False


class Piece:
    """`data` is what the client sent, of which the first `passed` bytes were passed on before;
    `what` of an answer it is."""

    __slots__ = ("data", "kind", "passed", "what")

    def __init__(self, kind: str, data: bytes, passed: int = 0, what: str = "") -> None:
        self.kind = kind
        self.data = data
        self.passed = passed
        self.what = what


class Sorter:
    """Cuts one client's input into pieces.

    `held`: bytes that may be a part of something longer, of which the first `passed` were passed
    on all the same (see pass_held()).  `paste`: within a paste, what may be a part of its end, else
    None.  `string`: within an answer that is a string.  `missing`: bytes of the last character that
    are yet to come.
    """

    __slots__ = ("held", "missing", "passed", "paste", "string")

    CARRIED = {
        "held": bytes,
        "passed": int,
        "paste": (bytes, None),
        "string": bool,
        "missing": int,
    }

    def __init__(self) -> None:
        self.held = b""
        self.passed = 0
        self.paste: bytes | None = None
        self.string = False
        self.missing = 0

    def pending(self, expected: Expected) -> float:
        """Seconds until flush() is to be called, if nothing is fed until then; 0: it need not."""
        if self.string:
            return ANSWER_PAUSE
        if not self.held:
            return 0.0
        return ANSWER_PAUSE if expected.owes else KEY_PAUSE

    def feed(self, data: bytes, expected: Expected) -> "list[Piece]":
        """Take the next bytes, and return what has come, in order."""
        pieces: list[Piece] = []
        if _ESCAPE not in data and not self.held and self.paste is None and not self.string:
            if data:
                self._count_missing(data)
                pieces.append(Piece(TYPED, data))
            return pieces
        data = self.held + data
        self.held, passed, self.passed = b"", self.passed, 0
        at = 0
        while at < len(data):
            piece = self._next(data, at, expected)
            if piece is None:
                self.held, self.passed = data[at:], max(passed - at, 0)
                break
            end = at + len(piece.data)
            piece.passed = min(max(passed - at, 0), len(piece.data))
            at = end
            if piece.data:
                pieces.append(piece)
        self.missing = 0
        if pieces and not self.held and pieces[-1].kind == TYPED:
            self._count_missing(pieces[-1].data)
        return pieces

    def pass_held(self) -> bytes:
        """What is held is passed on: returns those bytes of it that were not yet."""
        rest = self.held[self.passed :]
        self.passed = len(self.held)
        return rest

    def flush(self) -> "list[Piece]":
        """Nothing has come for `pending` seconds: what is held is keys, and a string is over."""
        self.string = False
        self.missing = 0
        held, passed = self.held, self.passed
        self.held, self.passed = b"", 0
        return [Piece(TYPED, held, passed)] if held else []

    def _next(self, data: bytes, at: int, expected: Expected) -> "Piece | None":
        """The piece at `at`; None if it is not complete."""
        if self.paste is not None:
            return self._pasted(data, at)
        if self.string:
            return self._more(data, at)
        if data[at] != _ESC:
            end = data.find(_ESCAPE, at)
            return Piece(TYPED, data[at:] if end < 0 else data[at:end])
        if at + 1 == len(data):
            return None
        second = data[at + 1]
        if second == 0x5B:
            return self._sequence(data, at, expected)
        if second in _STRINGS:
            kind, openings = _STRINGS[second]
            if at + 2 == len(data):
                return None
            if data[at + 2] in openings and expected.asked(kind):
                self.string = True
                return Piece(ANSWER, data[at : at + 3], what=kind)
        if second == 0x4F:  # SS3
            if at + 2 == len(data):
                return None
            if data[at + 2] != _ESC:
                return Piece(TYPED, data[at : at + 3])
        # Alt and a key; two escapes are two keys.
        return Piece(TYPED, data[at : at + (1 if second == _ESC else 2)])

    def _sequence(self, data: bytes, at: int, expected: Expected) -> "Piece | None":
        match = _CSI.match(data, at)
        assert match is not None
        private, numbers, between, final = match.groups()
        if final is None:
            if match.end() == len(data) and match.end() - at <= MAX_PARAMETERS:
                return None
            return Piece(TYPED, data[at : at + 2])
        whole = match[0]
        what = _answer(private, numbers, between, final, expected)
        if what:
            return Piece(ANSWER, whole, what=what)
        if final == b"~" and not private and not between and numbers == b"200":
            self.paste = b""
            return Piece(PASTED, whole)
        if final in b"Mm" and not between and expected.mouse:
            if not private and not numbers and final == b"M":
                return _characters(data, at, expected.mouse_utf8)
            if private == b"<" or (not private and final == b"M" and _URXVT(numbers)):
                button = int(numbers.partition(b";")[0] or 0) - (0 if private else 32)
                return Piece(_mouse(button, let_go=final == b"m"), whole)
        if final in b"IO" and len(whole) == 3 and expected.focus:
            return Piece(FOCUS, whole)
        kind, _, _ = meaning(private + numbers + between, final)
        return Piece(UNFELT if kind in (RELEASE, MODIFIER) else TYPED, whole)

    def _pasted(self, data: bytes, at: int) -> Piece:
        assert self.paste is not None
        before = self.paste
        end = (before + data[at:]).find(PASTE_END)
        if end >= 0:
            self.paste = None
            return Piece(PASTE_OVER, data[at : at + end + len(PASTE_END) - len(before)])
        tail = (before + data[at:])[1 - len(PASTE_END) :]
        self.paste = tail[tail.rfind(_ESCAPE) :] if _ESCAPE in tail else b""
        return Piece(PASTED, data[at:])

    def _more(self, data: bytes, at: int) -> "Piece | None":
        """The rest of a string, as far as it is there; nothing of it is kept."""
        match = _STRING_END.search(data, at)
        end = len(data)
        if match is not None:
            end = match.end()
            if match[0] == _ESCAPE:
                if end == len(data):  # of ST, perhaps
                    return Piece(MORE, data[at:-1]) if at < end - 1 else None
                end -= 1  # another sequence ends a string as well
            self.string = False
        return Piece(MORE, data[at:end])

    def _count_missing(self, data: bytes) -> None:
        """How many bytes of a UTF-8 character `data` ends without."""
        missing = self.missing
        for byte in data[-4:] if len(data) > 4 else data:
            if byte < 0x80 or byte >= 0xF8:
                missing = 0
            elif byte >= 0xC0:
                missing = 3 if byte >= 0xF0 else 2 if byte >= 0xE0 else 1
            else:
                missing = max(missing - 1, 0)
        self.missing = missing


def _answer(
    private: bytes, numbers: bytes, between: bytes, final: bytes, expected: Expected
) -> str:
    """What the sequence answers, if it does."""
    if private or between or final != b"R":
        if final == b"n" and not private and not between and numbers in _FINE:
            return "n"
        return _ANSWERS.get((private, between, final), "")
    if not _PLACE(numbers) or (_MODIFIED_F3(numbers) and not expected.owes_place):
        return ""
    return CURSOR


def _mouse(button: int, *, let_go: bool) -> str:
    if let_go:
        return LET_GO
    return MOVE if button & _MOTION and not button & _WHEEL else PRESS


def _characters(data: bytes, at: int, utf8: bool) -> "Piece | None":
    """CSI M and three bytes, or characters: the button, and where."""
    end = at + 3
    for _ in range(3):
        if end >= len(data):
            return None
        lead = data[end]
        end += 2 if utf8 and 0xC0 <= lead < 0xE0 else 1
    if end > len(data):
        return None
    button = data[at + 3] - 32
    let_go = button & _NO_BUTTON == _NO_BUTTON and not button & (_MOTION | _WHEEL)
    return Piece(_mouse(button, let_go=let_go), data[at:end])
