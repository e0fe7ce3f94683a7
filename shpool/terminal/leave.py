"""What to write to a terminal that a session leaves, so that the shell outside is usable.

For whoever has no model of the session's state (a client that lost its daemon): LEAVE, and a
Watch of what is written, which says what of it is needed. Who has the model asks it instead
(goodbye.py), which also takes back what only the session changed.
"""

# Private modes off, each as a sequence of its own: several terminals drop a whole sequence
# for one number they do not know.
_OFF = (
    9,  # mouse: X10, then buttons, highlight, drag, any motion
    1000,
    1001,
    1002,
    1003,
    1005,  # mouse encodings: UTF-8, SGR, urxvt, SGR in pixels
    1006,
    1015,
    1016,
    1004,  # focus reports
    2004,  # bracketed paste
    2031,  # colour scheme reports
    2048,  # size reports
    1,  # application cursor keys
    5,  # reverse video
)

_ALTERNATE_OFF = b"\x1b[?1049l"

_POP_KEYBOARD = b"\x1b[<99u"  # deeper than any stack; an emptied stack resets the flags

# Left alone, because the user's own default is not known here: cursor shape and blink, ?1007,
# ?45, ?1034 to ?1039, ?2027, colours, title. Not DECSTR and not RIS: what they reset besides
# differs from terminal to terminal.
#
# ESC 7 stands before whatever moves a cursor that should stay: ?1049l on the main screen,
# CSI r, ?6l, and CSI < u where an old terminal takes it for SCORC. Where ESC 8 also brings back
# origin mode (xterm, kitty) and the program had it on in the main screen, it stays on, within
# margins that are the whole screen; switching it off blindly would send every cursor home.
LEAVE = b"".join(
    [
        b"\x18\x1b\\",  # CAN and ST: out of any unfinished sequence
        b"\x1b[?2026l",
        b"\x1b7" + _POP_KEYBOARD + _ALTERNATE_OFF,  # the alternate screen has its own stack
        b"\x1b7" + _POP_KEYBOARD + b"\x1b[?69l\x1b[r\x1b[?6l\x1b8",
        b"".join(b"\x1b[?%dl" % mode for mode in _OFF),
        b"\x1b>",  # numeric keypad
        b"\x1b[?7h\x1b[?25h",
        b"\x1b[4l\x1b[20l",  # replace mode, line feed mode
        b"\x1b[>4m",  # modifyOtherKeys to its default; taken for SGR by some, so before CSI m
        b"\x1b]8;;\x1b\\",
        b"\x1b[m\x0f\x1b(B\x1b)B",  # last: ESC 8 brings back pen and charsets
    ]
)

# LEAVE for a terminal that is known to show the main screen.
LEAVE_MAIN = LEAVE.replace(_ALTERNATE_OFF, b"")

# The end that both have in common.
LEAVE_END = LEAVE.rpartition(_ALTERNATE_OFF)[2]

_SWITCHES = tuple((b"\x1b[?%dh" % mode, b"\x1b[?%dl" % mode) for mode in (1049, 1047, 47))

# Private modes that make a terminal send what nobody typed, or say in which form: programs
# begin with either (terminfo's XM has ?1006;1000).
_REPORTS = (9, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2031, 2048)

_STARTS = tuple(b"\x1b[?%d%c" % (mode, end) for mode in _REPORTS for end in b"h;")

# The longest of all these, less one, may end in the next piece of output.
_OVERLAP = 7

_KEPT = len(LEAVE_END) + 2

# Bytes of output, at least, in which a question is looked for when a terminal is left: what a
# program draws behind one when it starts.
_RECENT = 65_536

# Seconds after which a terminal has answered, or never will.
_ANSWERED = 5.0

# Watch.state; and that a question may be unanswered, which it does not tell
ALTERNATE = 1
REPORTS = 2
ASKED = 4


class Watch:
    """Takes all output that a terminal is sent, in order.

    Whether the alternate screen is on decides how to leave: on the main screen `?1049l` is not
    harmless everywhere, since tmux moves the cursor to where it was when that screen was last
    left.  Only a sequence with several modes in it escapes notice.

    `reports`: whether reports were ever switched on.  Only a hint is needed, so a sequence with
    several modes in it counts by the first, whatever it does to them, and the hint is never taken
    back: asking a terminal in vain costs one round trip.  A terminal that never answers costs
    more, so switching them off is no hint.

    Nothing is looked at for questions while output passes: the last of it is kept, and looked at
    when somebody wants to know.
    """

    __slots__ = ("_alternate", "_asked", "_at", "_older", "_recent", "_tail", "reports")

    CARRIED = {
        "reports": bool,
        "_alternate": bool,
        "_tail": bytes,
        "_asked": bool,
        "_at": float,
        "_older": bytes,
        "_recent": bytes,
    }

    def __init__(self) -> None:
        self.reports = False
        self._alternate = False
        self._tail = b""
        self._asked = False  # by what has passed this watch by
        self._at = 0.0  # when what is recent was written last
        self._older = b""
        self._recent = b""

    def output(self, data: bytes, now: float = 0.0) -> None:
        """`now` is in seconds, by a clock that asked() is told the time by, too."""
        # Looking for one byte is a hundred times faster than for several, and colours have none.
        tail = self._tail[-_OVERLAP:]
        if b"?" in data or b"?" in tail:
            self._look(tail + data)
        if len(data) >= _RECENT:
            self._older, self._recent = b"", data
        else:
            if len(self._recent) >= _RECENT or now - self._at > _ANSWERED:
                self._older, self._recent = self._recent, b""
            self._recent += data
        self._at = now
        self._tail = (self._tail + data)[-_KEPT:] if len(data) < _KEPT else data[-_KEPT:]

    def _look(self, data: bytes) -> None:
        if b"\x1b[?" not in data:
            return
        latest = -1
        for on, off in _SWITCHES:
            set_at, reset_at = data.rfind(on), data.rfind(off)
            if max(set_at, reset_at) > latest:
                latest = max(set_at, reset_at)
                self._alternate = set_at > reset_at
        if not self.reports:
            self.reports = any(start in data for start in _STARTS)

    @property
    def state(self) -> int:
        """ALTERNATE, if that screen is on, and REPORTS: for a watch that sees other output."""
        return (ALTERNATE if self._alternate else 0) | (REPORTS if self.reports else 0)

    def unseen(self, state: int) -> None:
        """Output that passed this watch by has left the terminal like this."""
        self._alternate = bool(state & ALTERNATE)
        self.reports = bool(state & REPORTS)
        self._asked = bool(state & ASKED)
        self._tail = b"?"  # it may have ended anywhere

    def asked(self, now: float) -> bool:
        """Returns whether the terminal may still be about to answer a question."""
        if self._asked:
            return True
        return now - self._at <= _ANSWERED and asks(self._older + self._recent)

    def settled(self) -> None:
        """Whatever was asked has been answered, or never will be."""
        self._asked = False
        self._older = self._recent = b""

    def words(self) -> bytes:
        """What turns off whatever is on, as far as that is safe."""
        return LEAVE if self._alternate else LEAVE_MAIN

    def farewell(self) -> bytes:
        """What to write after the output, so that nothing is on; then it counts as left."""
        tail, self._tail = self._tail, b""
        # A daemon of ours has said all this already.
        said = tail.endswith((LEAVE_END, LEAVE_END + b"\r\n")) and not self._alternate
        words = b"" if said else self.words()
        self._alternate = False
        # A prompt would be missed at the end of somebody else's line.
        return words + (b"\r\n" if tail and not tail.endswith((b"\n", LEAVE_END)) else b"")


def asks(output: bytes) -> bool:
    """Returns whether there is a question in `output` that terminals answer by typing."""
    return any(map(_asks, output.split(b"\x1b")[1:]))


def _asks(sequence: bytes) -> bool:
    """`sequence` is what follows an ESC, up to the next one."""
    kind = sequence[:1]
    if kind == b"[":
        behind = sequence[1:].lstrip(b"0123456789:;<=>?")
        return csi_asks(sequence[1 : len(sequence) - len(behind)], behind[:2])
    if kind == b"]":  # colours, clipboard: a question mark in the place of a value
        return b";?" in sequence.partition(b"\x07")[0]
    if kind == b"P":  # DECRQSS, XTGETTCAP
        return sequence[1:3] in (b"$q", b"+q")
    if kind == b"_":  # kitty's graphics, which are silent only if told to be
        return sequence[1:2] == b"G" and b"q=2" not in sequence
    return kind == b"Z"  # DECID


def csi_asks(parameters: bytes, behind: bytes) -> bool:
    """See xterm's ctlseqs: `behind` has the final byte, or an intermediate one before it."""
    private, final = parameters[:1], behind[:1]
    if final == b"c":  # DA1, DA2, DA3
        return parameters in (b"", b"0") or private in (b">", b"=")
    if final == b"n":  # DSR, of which `>` switches something off
        return private != b">"
    if final == b"q":  # XTVERSION; else DECLL
        return private == b">"
    if final == b"u":  # keyboard protocol
        return parameters == b"?"
    if final == b"t":  # sizes and titles
        return parameters.partition(b";")[0] in _WINDOW_QUESTIONS
    if final == b"S":  # XTSMGRAPHICS
        return private == b"?"
    return behind in (b"$p", b"*y") or (final == b"x" and parameters in (b"", b"0", b"1"))


_WINDOW_QUESTIONS = (b"11", b"13", b"14", b"15", b"16", b"18", b"19", b"20", b"21")
