"""Where a key binding is matched: the scan of a client's input.

Input comes in pieces of any size, and what it amounts to does not depend on where they were cut.
A sequence under way is held back, from its first key on, and looked at again from there when more
comes: it is short, and so the whole state is the bytes held and a few small values.

What is not the sequence's own in the midst of it (modifier keys, and keys let go that were pressed
before it) is held too, since nothing may overtake anything, and is passed on when it is complete.
A key let go is swallowed if it was swallowed when it was pressed.
"""

import re

from shpool.keys.decoding import (
    KEY,
    MAX_PARAMETERS,
    OTHER,
    PASTE,
    PASTE_END,
    RELEASE,
    UNFINISHED,
    Input,
    legacy_bytes,
    read,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Seconds after which what may be a part of a key is passed on all the same.  An Escape pressed is
# such a part, and is not to be felt late; parts of what a terminal writes at once are not further
# apart, unless a connection is failing.
KEY_PAUSE = 0.05

# Seconds without a byte after which a paste whose end did not come is over.
PASTE_PAUSE = 1.0

# Bytes held for one sequence.  A modifier key held down may repeat for as long as its user likes.
MAX_HELD = 1024

# Keys that were swallowed and not let go yet.  Most terminals never tell.
_MAX_SWALLOWED = 8

# Bytes of a key in a legacy encoding: a digit of the keypad has most.
_LONGEST_LEGACY = 3

_ESC = b"\x1b"


class Action(str):
    """What keys are bound to, and the bytes that they came as."""

    keys: bytes

    def __new__(cls, action: str, keys: bytes) -> "Action":
        made = super().__new__(cls, action)
        made.keys = keys
        return made


class Scanner:
    """Finds bindings in a stream of input.

    `bindings` are pairs of the names of keys (see parse_binding) and an action. Of two that begin
    alike the shorter one wins, since the longer one can never be completed before it; of two
    that are the same, the later one.

    A part of a key at the end of the input, if only an escape, is held for KEY_PAUSE: whoever
    feeds the scanner calls flush() when `pending` seconds have passed without more. What was
    passed on by then stays under consideration: a key that comes after all is the key that it is,
    though the program has seen a part of it (more than an escape: it is given the rest as well).
    After an escape that stayed alone, and until a key comes as a sequence, an escape is taken for
    the escape key and passed on at once.

    What is pasted (in brackets, ?2004) is passed on unlooked at, to its end or to a pause of
    PASTE_PAUSE.

    CARRIED is the whole state: another scanner that is given the same goes on from there.
    """

    CARRIED = {
        "held": bytes,
        "passed": int,
        "unfinished": bool,
        "paste": (bytes, None),
        "swallowed": ((int, ...), ...),
        "sends_escape": bool,
        "_bindings": [((str, ...), str)],
    }
    DERIVED = ("_binds_escape", "_keypad", "_start", "_starts")

    def __init__(self, bindings: "Iterable[tuple[tuple[str, ...], str]]") -> None:
        self.held = b""  # may be the beginning of a binding
        self.passed = 0  # of these bytes so many were passed on all the same
        self.unfinished = False  # a part of a key is at the end of what is held
        self.paste: bytes | None = None  # in a paste: what may be a part of its end
        self.swallowed: tuple[tuple[int, ...], ...] = ()  # codes of keys still down
        self.sends_escape = False  # its escape key sends an escape alone

        self._bindings = list(bindings)
        self.derive()

    def derive(self) -> None:
        """What follows from the bindings.  Raises ValueError for one without keys."""
        if not all(keys for keys, _ in self._bindings):
            raise ValueError("an empty sequence cannot be bound")
        named = {key for keys, _ in self._bindings for key in keys}
        self._keypad = not named.isdisjoint("0123456789")
        firsts = {legacy_bytes(keys[0]) for keys, _ in self._bindings}
        self._binds_escape = _ESC in firsts
        self._starts = tuple(firsts | {_ESC}) if firsts else ()
        self._start = _start_pattern(firsts)

    @property
    def pending(self) -> float:
        """Seconds until flush() is to be called, if nothing is fed until then; 0: it need not."""
        if self.paste is not None:
            return PASTE_PAUSE
        return KEY_PAUSE if self.unfinished else 0.0

    def feed(self, data: bytes) -> "list[bytes | Action]":
        """Take the next bytes of input and return what they amount to, in order.

        A bytes item is to be passed on to the shell, any other is an action to perform. A
        ``noop`` is swallowed here. Keys of a sequence that turns out not to be one are passed
        on, all of them, and the key that broke it can begin the next one.
        """
        if self.held or self.paste is not None:
            return self._scan(self.held + data, final=False)
        for start in self._starts:  # looking for a byte at a time is far faster than for several
            if start in data:
                return self._scan(data, final=False)
        if self.swallowed:
            self._forget_typed(data)
        return [data] if data else []

    def read_again(self, data: bytes) -> "list[bytes | Action]":
        """What `data` amounts to, without regard to what came before or comes behind it."""
        other = Scanner(self._bindings)
        return other.feed(data) + other.flush()

    def flush(self) -> "list[bytes | Action]":
        """Nothing has come for `pending` seconds: return as feed() does what was waited for."""
        if self.paste is not None:
            self.paste = None
            return []
        if not self.unfinished:
            return []
        held = self.held
        waiting = held[self.passed :]
        items = self._scan(held, final=True)
        if held.endswith(_ESC):
            self.sends_escape = True
        if items == [waiting]:  # no part of it was a binding, but all may yet be
            self.held, self.passed = held, len(held)
        return items

    # ---- the scan

    def _scan(self, data: bytes, final: bool) -> "list[bytes | Action]":
        items: list[bytes | Action] = []
        settled = self.passed  # everything before this is passed on or swallowed
        self.held, self.passed, self.unfinished = b"", 0, False
        at = 0  # and everything before this was looked at
        while at < len(data):
            if self.paste is not None:
                at = self._skip_paste(self.paste, data, at)
                continue
            found = self._start.search(data, at)
            start = found.start() if found else len(data)
            if self.swallowed and start > at:
                self._forget_typed(data[at:start])
            at = start
            if at == len(data):
                break
            events, action = self._match(data, at, final)
            if action is None:
                self.held = data[at:]
                break
            for event in self._settle(events, bool(action)):
                if event.start + 1 < settled < event.end:
                    continue  # the program has seen half of it, and waits for the rest
                if event.start > settled:
                    items.append(data[settled : event.start])
                settled = max(settled, event.end)
            if action and action != "noop":
                items.append(Action(action, data[events[0].start : events[-1].end]))
            at = events[-1].end
            if events[0].kind == PASTE:
                self.paste = b""
        begin = at = len(data) - len(self.held)
        if self.held == _ESC and self.sends_escape and not self._binds_escape:
            self.unfinished = False
            at = len(data)
        if settled < at:
            items.append(data[settled:at])
            settled = at
        self.passed = max(settled - begin, 0)
        return items

    def _skip_paste(self, before: bytes, data: bytes, at: int) -> int:
        """Where the paste, or `data`, ends; `before` is what may be a part of its end already."""
        if not before:
            at = data.find(_ESC, at)
            if at < 0:
                return len(data)
        pasted = before + data[at:]
        found = pasted.find(PASTE_END)
        if found < 0:
            tail = pasted[1 - len(PASTE_END) :]
            self.paste = tail if _ESC in tail else b""
            return len(data)
        self.paste = None
        return at + found + len(PASTE_END) - len(before)

    def _match(self, data: bytes, start: int, final: bool) -> "tuple[list[Input], str | None]":
        """The input from `start` on that is a binding, and its action.

        Where no binding begins there the action is empty, and the input is what may be passed on.
        It is None as long as that is not known.
        """
        events: list[Input] = []
        bindings = self._bindings
        depth = 0
        at = start
        while at < len(data):
            event = read(data, at, self._keypad, final)
            if event.kind == UNFINISHED:
                self.unfinished = True
                return events, None
            if event.kind == KEY:
                if event.end - at > _LONGEST_LEGACY:
                    self.sends_escape = False
                bindings = [entry for entry in bindings if entry[0][depth] in event.names]
                depth += 1
            if not bindings or event.kind in (PASTE, OTHER) or at - start > MAX_HELD:
                return events or [event], ""
            events.append(event)
            complete = [action for keys, action in bindings if len(keys) == depth]
            if complete:
                return events, complete[-1]
            if not depth:
                return events, ""
            at = event.end
        return events, None

    def _settle(self, events: "list[Input]", complete: bool) -> "list[Input]":
        """What of these events is to be swallowed: the keys of a binding, and what was pressed
        when that was swallowed."""
        swallowed = []
        for event in events:
            if event.kind == KEY:
                self._forget(event.codes)
                if complete:
                    swallowed.append(event)
                    self.swallowed = (*self.swallowed[1 - _MAX_SWALLOWED :], event.codes)
            elif event.kind == RELEASE and self._forget(event.codes):
                swallowed.append(event)
        return swallowed

    def _forget(self, codes: tuple[int, ...]) -> bool:
        """The key is pressed anew, or let go. Returns whether it was swallowed."""
        kept = tuple(key for key in self.swallowed if not set(key) & set(codes))
        known = len(kept) < len(self.swallowed)
        self.swallowed = kept
        return known

    def _forget_typed(self, data: bytes) -> None:
        """Keys are pressed in legacy encoding, and none that begins a binding."""
        for key in self.swallowed:
            if any(code < 0x80 and code in data for code in key):
                self._forget(key)


def _start_pattern(firsts: "set[bytes]") -> "re.Pattern[bytes]":
    """Where a binding may begin, or something else that the scan has to know of.

    A letter may stand in any sequence, and then it begins nothing, so all of these are to be
    looked at if a letter is bound. Else those are that may be a key.
    """
    one = b"[" + re.escape(b"".join(firsts)) + b"]" if firsts else b"(?!)"
    if _ESC in firsts or any(first >= b" " for first in firsts):
        return re.compile(one + rb"|\x1b")
    return re.compile(one + rb"|\x1b(?:\[[0-?]{0,%d}(?:[u~]|[ -/]{0,2}\Z)|\Z)" % MAX_PARAMETERS)
