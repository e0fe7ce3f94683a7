"""From bytes to calls: decoding, and finding control sequences.

What stands complete in a piece of input is split off by one regular expression and looked up in
a memo; that is nearly everything. What is cut by the end of a piece, or is odd (controls inside
a sequence, a sequence broken off by the next), goes through the machine of machine.py. C1
controls count when they come as UTF-8.
"""

import re
from codecs import utf_8_decode
from itertools import islice

from . import sequences
from .machine import GROUND, OPEN, Machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .sequences import Action

# Bytes interpreted at a time: bounds what is decoded at once, and how far the tables of pens and
# clusters can grow before they are compacted.
MAX_PIECE = 64 * 1024

# More work than any piece of input makes.
UNBOUNDED = 1 << 62

# Sequences remembered with what they mean, for all terminals of the process: some 400 bytes each.
# The positions of four screens of 24x80 fit in; those of more cells are read quickly each time.
MAX_MEMO = 8192
_MAX_MEMO_KEY = 64
# Colours that have been seen once; what is seen twice is remembered.
_MAX_SEEN = 4096


class Parser(Machine):
    """Feeds the methods that sequences.py names; a subclass has them, and write."""

    __slots__ = (
        "_partial",
        "_put_off",
        "continues",
        "match",
        "unprinted",
        "work",
    )

    CARRIED: "dict[str, Any]" = {
        "continues": str,
        "_partial": bytes,
        "_put_off": [str],
        "unprinted": str,
    }
    DERIVED: "tuple[str, ...]" = ("match", "work")  # neither means anything between two calls

    _memo: "dict[str, Action]" = {}  # shared on purpose
    _seen: "set[str]" = set()  # likewise

    def __init__(self) -> None:
        super().__init__()
        self.continues = ""  # the very text that goes on where an earlier piece stopped printing
        self._partial = b""  # the first bytes of a character
        self.match: re.Match[str]  # of a control that is not worth remembering
        # Counts down what sequences may still cost before the interpreter pauses.
        self.work = UNBOUNDED
        self._put_off: list[str] = []  # texts and controls, in turns, since the pause
        self.unprinted = ""  # cells before those

    def derive(self) -> None:
        super().derive()
        self.work = UNBOUNDED

    def write(self, text: str) -> None:
        """Print characters, none of them a control."""
        raise NotImplementedError

    def repeat(self, count: int) -> None:
        """REP: print the last cluster again."""
        raise NotImplementedError

    def write_lines(self, text: str) -> str:
        """Print whole lines at once if that can be done, and return what is left of text."""
        return text

    def finish_printing(self) -> None:
        """Print what is in unprinted, or again a part of it."""

    def compact(self) -> None:
        """Called between slices of input, to bound what tables have grown to."""

    def ignore(self, *_: object) -> None:
        """A sequence without lasting effect, or an unknown one."""

    @property
    def unfinished(self) -> bytes:
        """The bytes of a sequence or character that has begun and is not complete."""
        return "".join(self._unfinished).encode() + self._partial

    def feed(self, data: bytes) -> None:
        """Interpret output of the program, cut anywhere. Never raises, whatever the bytes."""
        for start in range(0, len(data), MAX_PIECE):
            self.begin(data[start : start + MAX_PIECE], UNBOUNDED)

    def begin(self, data: bytes, work: int) -> None:
        """As feed, but of at most MAX_PIECE bytes, and not after a pause before that has ended.

        A few bytes can mean much to do. What a sequence costs beyond its length is taken from
        work; once nothing is left of that, the interpreter is paused.
        """
        self.work = work
        piece = self._partial + data
        text, used = utf_8_decode(piece, "replace")
        self._partial = piece[used:]
        if "\x7f" in text:  # DEL is ignored wherever it stands
            text = text.replace("\x7f", "")
        if text:
            self._interpret(text)
            if not self.paused:
                self.compact()

    @property
    def paused(self) -> bool:
        """Something of the last piece is still to be interpreted, by go_on."""
        return bool(self._put_off or self.unprinted)

    def go_on(self, work: int) -> None:
        """Interpret what was left when there was a pause; there may be another one."""
        self.work = work
        if self.unprinted:
            self.finish_printing()
            if self.work < 0:
                return
        parts, self._put_off = self._put_off, []
        if parts:
            self._run(parts)
        if not self.paused:
            self.compact()

    def _interpret(self, text: str) -> None:
        if self.state == GROUND and len(text) > 256:
            rest = self.write_lines(text)
            if len(rest) != len(text):
                self.after_print = False
                text = rest
                if not text:
                    return
        parts = sequences.split(text)
        # Ends the last pair: the piece of input is at its end.
        parts.append("")
        self._run(parts)

    def _run(self, parts: list[str]) -> None:
        """Interpret texts and controls, which alternate."""
        pairs = iter(parts)
        if self.state != GROUND:
            self.continues = ""
            self._resume(pairs)
            carried = None
        else:
            self.continues = parts[0] if self.after_print else ""
            # REP may stand at the very start, after what an earlier piece printed.
            carried = parts[1] if self.after_print and not parts[0] else None
        memo = self._memo
        write = self.write
        for text, control in zip(pairs, pairs):
            if text:
                write(text)
            if self.work < 0:
                self.after_print = bool(text)
                self._put_off = ["", control, *pairs]
                return
            try:
                action = memo[control]
            except KeyError:
                action = self._look_up(control)
            if action is not None:
                action(self)
            else:
                printed = bool(text) or control is carried
                carried = None
                if self._handle(control, printed):
                    self._resume(pairs)

    def _look_up(self, control: str) -> "Action":
        """What a control does that is not in the memo."""
        memo = self._memo
        if ";2;" in control:
            match = sequences.true_colours(control)
            if match is not None and control not in self._seen:
                if len(self._seen) >= _MAX_SEEN:
                    self._seen.clear()
                self._seen.add(control)
                self.match = match
                return type(self).use_matched_colours
        elif len(memo) >= MAX_MEMO:
            match = sequences.position(control)
            if match is not None:
                self.match = match
                return type(self).go_to_matched_position
        action = sequences.resolve(control, self) if control else None
        if len(control) <= _MAX_MEMO_KEY:
            if len(memo) >= MAX_MEMO:
                for old in list(islice(memo, MAX_MEMO // 2)):
                    del memo[old]
            memo[control] = action
        return action

    def use_matched_colours(self) -> None:
        """SGR as in match: a foreground and a background, or a background alone."""

    def go_to_matched_position(self) -> None:
        """CUP as in match: row and column, from 1."""

    def _handle(self, control: str, printed: bool) -> bool:
        """What needs to know its surroundings; printed: a print came just before.

        True if a sequence begins here that is not complete.
        """
        self.after_print = printed
        if control in OPEN:
            self._begin(*OPEN[control])
            return True
        if control:  # REP
            self.after_print = False
            if printed:
                self.repeat(sequences.parameters(control[2:-1])[0] or 1)
        return False

    def _resume(self, pairs: "Iterator[str]") -> None:
        """Go on inside a sequence; returns when it ended where a new pair begins."""
        for text in pairs:
            if self.work < 0:
                self._put_off = [text, *pairs]
                return
            rest = self._consume(text)
            control = next(pairs)
            if self.state != GROUND:
                rest = self._consume(control)
                if self.state != GROUND and control:
                    continue
                if rest:  # a run of SGR is one control, and its first ended the sequence
                    self._dispatch(rest)
                return
            if rest:
                self.write(rest)
                self.after_print = True
            if not control:
                return
            if self.work < 0:
                self._put_off = ["", control, *pairs]
                return
            if not self._dispatch(control):
                return

    def _dispatch(self, control: str) -> bool:
        """Carry out one complete control; True if it begins a sequence instead."""
        try:
            action = self._memo[control]
        except KeyError:
            action = self._look_up(control)
        if action is None:
            return self._handle(control, self.after_print)
        self.after_print = False
        action(self)
        return False
