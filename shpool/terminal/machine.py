"""The state machine of control sequences, a character at a time.

It is Paul Williams' parser for DEC terminals (vt100.net/emu/dec_ansi_parser), with the choices of
xterm.js: ESC ends an OSC and lets it take effect whatever follows; a character beyond ASCII breaks
off any sequence but an OSC and the data of a DCS; ESC k is no string. Nearly all input goes past
it: see parser.py.
"""

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Characters of an unfinished sequence that are kept, for its effect and for a restore. A title or
# a link fits many times over; of a clipboard or an image the rest passes through to nothing.
MAX_STRING = 64 * 1024
MAX_SEQUENCE = 1024

# The machine's states, by the names they have in Williams' diagram.
(
    GROUND,
    ESCAPE,
    INTERMEDIATE,
    CSI_PARAM,
    OSC_STRING,
    DCS_PARAM,
    DCS_PASSTHROUGH,
    SOS_PM_APC_STRING,
) = range(8)

OPEN = {
    "\x1b": ("\x1b", ESCAPE),
    "\x90": ("\x1bP", DCS_PARAM),
    "\x98": ("\x1bX", SOS_PM_APC_STRING),
    "\x9b": ("\x1b[", CSI_PARAM),
    "\x9d": ("\x1b]", OSC_STRING),
    "\x9e": ("\x1b^", SOS_PM_APC_STRING),
    "\x9f": ("\x1b_", SOS_PM_APC_STRING),
}
_AFTER_ESCAPE = {
    "[": CSI_PARAM,
    "]": OSC_STRING,
    "P": DCS_PARAM,
    "X": SOS_PM_APC_STRING,
    "^": SOS_PM_APC_STRING,
    "_": SOS_PM_APC_STRING,
}

# What ends the inside of a string, or interrupts it.
_ENDS = {
    OSC_STRING: re.compile("[\x07\x18\x1a\x1b\x80-\x9f]"),
    DCS_PASSTHROUGH: re.compile("[\x18\x1a\x1b\x80-\x9f]"),
    # By what is not in it: a range up to the last character takes 3 ms to compile.
    SOS_PM_APC_STRING: re.compile("[^\x00-\x17\x19\x1c-\x7f]"),
}
_IGNORED_IN_OSC = re.compile("[\x00-\x1f]+")

# What a sequence longer than its cap turns into, so that its rest, which goes on arriving, does
# nothing and prints nothing: an OSC of a number nobody uses, a PM, a malformed CSI.
_DROPPED = {
    OSC_STRING: "\x1b]88888888;",
    DCS_PASSTHROUGH: "\x1b^",
    SOS_PM_APC_STRING: "\x1b^",
    CSI_PARAM: "\x1b[0<",
    DCS_PARAM: "\x1b^",
}


class Machine:
    """A sequence that has begun, or none, in the state GROUND; a subclass has _dispatch."""

    # Here and in each subclass: in a dict, so many attributes would be read more slowly, by a
    # twentieth of all the interpreter does.
    __slots__ = ("_unfinished", "_unfinished_size", "after_print", "state")

    # What is carried over to another process, and by what it is told again there: see
    # daemon/carried.py for what such a table says.
    CARRIED: "dict[str, Any]" = {
        "state": int,
        "after_print": bool,
        "_unfinished": [str],
        "_unfinished_size": int,
    }
    DERIVED: "tuple[str, ...]" = ()

    def __init__(self) -> None:
        self.state = GROUND
        # True when the last thing seen was printed: only then REP repeats (as in xterm.js).
        self.after_print = False
        self._unfinished: list[str] = []  # the sequence so far, without what it already did
        self._unfinished_size = 0

    def derive(self) -> None:
        """What follows from what was carried over, which is looked at.  Raises ValueError."""
        if not GROUND <= self.state <= SOS_PM_APC_STRING:
            raise ValueError(f"a parser in the state {self.state}")

    def _dispatch(self, control: str) -> bool:
        """Carry out one complete control; True if it begins a sequence instead."""
        raise NotImplementedError

    def operating_system_command(self, body: str, end: str) -> None:
        """An OSC, without its introducer; end: what it was terminated by, BEL or ST."""

    def _begin(self, opening: str, state: int) -> None:
        self.state = state
        self._unfinished = [opening]
        self._unfinished_size = len(opening)

    def _end(self) -> str:
        """Back to ground; what had been collected."""
        collected = "".join(self._unfinished)
        self.state = GROUND
        self._unfinished = []
        return collected

    def _collect(self, text: str) -> None:
        self._unfinished_size += len(text)
        cap = MAX_SEQUENCE if self.state in (CSI_PARAM, INTERMEDIATE, DCS_PARAM) else MAX_STRING
        if self._unfinished_size <= cap:
            self._unfinished.append(text)
        elif self.state != INTERMEDIATE:
            self._unfinished = [_DROPPED[self.state]]

    def _consume(self, text: str) -> str:
        """Take characters until ground is reached; what is left of text."""
        at = 0
        while at < len(text) and self.state != GROUND:
            if self.state >= OSC_STRING and self.state != DCS_PARAM:
                match = _ENDS[self.state].search(text, at)
                end = match.start() if match else len(text)
                inside = text[at:end]
                if self.state == OSC_STRING:
                    inside = _IGNORED_IN_OSC.sub("", inside)
                if inside:
                    self._collect(inside)
                at = end
                if match:
                    self._end_string(text[at])
                    at += 1
            else:
                self._step(text[at])
                at += 1
        return text[at:]

    def _end_string(self, char: str) -> None:
        """A character that ends a string, one way or another."""
        if self.state != SOS_PM_APC_STRING:
            self.after_print = False
        if self.state == OSC_STRING:
            body = self._end()[2:]
            if char in "\x07\x1b\x9c":
                self.operating_system_command(body, "\x07" if char == "\x07" else "\x1b\\")
        self._end()
        if char in OPEN:
            self._begin(*OPEN[char])
        elif "\x80" <= char < "\xa0" and char != "\x9c":
            self._dispatch(char)
        elif char in "\x18\x1a":
            self.after_print = False

    def _step(self, char: str) -> None:
        """One character inside ESC, CSI or the head of a DCS."""
        if char < " ":
            if char == "\x1b":
                self._begin(*OPEN[char])
            elif char in "\x18\x1a":
                self._end()
                self.after_print = False
            elif self.state != DCS_PARAM:
                self._dispatch(char)
        elif char > "\x7f":
            self._end()
            if char in OPEN:
                self._begin(*OPEN[char])
            elif char < "\xa0" and char != "\x9c":
                self._dispatch(char)
        elif self.state == ESCAPE and char in _AFTER_ESCAPE:
            self._begin("\x1b" + char, _AFTER_ESCAPE[char])
        elif self.state == ESCAPE and char < "0":
            self._begin("\x1b" + char, INTERMEDIATE)
        elif char < ("0" if self.state == INTERMEDIATE else "@") and self.state != ESCAPE:
            self._collect(char)
        elif self.state == DCS_PARAM:
            self._collect(char)
            self.state = DCS_PASSTHROUGH
        else:
            self._dispatch(self._end() + char)
