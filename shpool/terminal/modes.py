"""Modes, pens, saved cursors, the two screens, keyboard protocols, resets."""

from .cells import PLAIN
from .edit import Editor
from .pen import DEFAULT, PROTECTED, number
from .screen import SavedCursor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .pen import Pen

# Private modes that are nothing but on or off, with their default. A restore sets them all.
TWO_VALUED = {
    1: False,  # DECCKM, application cursor keys
    5: False,  # DECSCNM, reverse video
    25: True,  # DECTCEM, cursor visible
    66: False,  # DECNKM, application keypad
    1004: False,  # focus reports
    2004: False,  # bracketed paste
    2031: False,  # reports of the colour scheme
    2048: False,  # reports of the size
}

# Private modes whose default is the user's: kept, and restored, only once the session set them.
THREE_VALUED = (
    8,  # DECARM, auto-repeat
    12,  # cursor blink
    45,  # reverse wrap
    67,  # DECBKM, what backspace sends
    80,  # DECSDM, sixel display mode
    1007,  # alternate scroll: the wheel as cursor keys
    1010,  # scroll to the bottom on output
    1011,  # scroll to the bottom on a key
    1034,  # meta and alt keys
    1035,
    1036,
    1037,
    1038,
    1039,
    1042,  # bell as urgency
    1043,
    1070,  # private colours for sixel
    2027,  # grapheme clusters
)

TRACKING = (9, 1000, 1001, 1002, 1003)  # mouse: one value, the last set wins, any reset clears
ENCODING = (1005, 1006, 1015, 1016)  # how it is reported: likewise
ALTERNATE = (47, 1047, 1049)
SYNCHRONIZED = 2026

KEYBOARD_DEPTH = 8  # entries of the kitty keyboard stack, as in kitty


class Modes(Editor):
    """The editor with everything that has a state beside cells and cursor."""

    __slots__ = (
        "alternate_kept",
        "alternate_mode",
        "encoding",
        "modes",
        "saved_modes",
        "tracking",
    )

    CARRIED = {
        "modes": {int: bool},
        "tracking": int,
        "encoding": int,
        "alternate_mode": int,
        "alternate_kept": bool,
        "saved_modes": {int: (bool, None)},
    }

    def initialize(self) -> None:
        super().initialize()
        self.modes: dict[int, bool] = {}
        self.tracking = 0
        self.encoding = 0
        self.alternate_mode = 0  # the number that switched to the alternate screen
        self.alternate_kept = False  # left by ?47l, so that ?47h is to show what was there
        self.saved_modes: dict[int, bool | None] = {}

    # Pen

    @property
    def current_pen(self) -> "Pen":
        return self.pens.pens[ord(self.pen)]

    def use_pen(self, pen: "Pen") -> None:
        """Print with this pen from now on."""
        self.pen, self._fill = self.pens.pair(pen)
        self.linked = bool(pen[5])

    def change_pen(self, body: str) -> None:
        """SGR, one or several (see pen.py), starting from the current pen."""
        try:
            self.pen, self._fill = self.pens.memo[self.pen + body]
        except KeyError:
            self.pen, self._fill = self.pens.after_sgr(self.pen, body)

    def set_pen(self, body: str) -> None:
        """SGR that begins with a reset: the same pen wherever it starts, but for the link."""
        pen = self.pen if self.linked else PLAIN
        try:
            self.pen, self._fill = self.pens.memo[pen + body]
        except KeyError:
            self.pen, self._fill = self.pens.after_sgr(pen, body)

    def change_pen_in_ascii(self, body: str) -> None:
        """SGR with ESC ( B beside it, in whatever order."""
        if self.charsets[0] != "B":
            self.designate_charset(0, "B")
        self.change_pen(body)

    def set_pen_in_ascii(self, body: str) -> None:
        """As set_pen, with ESC ( B beside it."""
        if self.charsets[0] != "B":
            self.designate_charset(0, "B")
        self.set_pen(body)

    def use_matched_colours(self) -> None:
        foreground, background, background_alone = self.match.groups()
        pen = self.pens.pens[ord(self.pen)]
        self.pen = self.pens.number(
            (foreground or pen[0], background or background_alone or pen[1], *pen[2:])
        )
        self._fill = None

    def select_protection(self, which: int, *_: int) -> None:
        """DECSCA: 1 protects what is printed from DECSED and DECSEL."""
        fg, bg, attributes, underline, line_colour, link = self.current_pen
        if which == 1:
            attributes |= PROTECTED
        elif which in (0, 2):
            attributes &= ~PROTECTED
        self.use_pen((fg, bg, attributes, underline, line_colour, link))

    # Saved cursor

    def save_cursor(self) -> None:
        """DECSC, SCOSC, ?1048h: position, pen, character sets and origin mode."""
        saved = self.screen.saved
        saved.x = min(self.x, self.cols - 1)
        saved.y = self.y
        saved.pen = self.current_pen
        saved.charsets = self.charsets[:]
        saved.shift = self.shift
        saved.origin = self.origin

    def restore_cursor(self, *_: int) -> None:
        """DECRC, SCORC, ?1048l; home and defaults if nothing was saved. A link goes on."""
        saved = self.screen.saved
        self.margin_wrap = False
        self.origin = saved.origin
        self.x = min(saved.x, self.cols - 1)
        self.y = min(saved.y, self.rows - 1)
        if self.origin:
            self.y = min(max(self.y, self.top), self.bottom)
        self.use_pen((*saved.pen[:5], self.current_pen[5]))
        self.charsets = saved.charsets[:]
        self.shift_to(saved.shift)

    def set_side_margins(self, left: int, right: int = 0, *_: int) -> None:
        """DECSLRM under ?69; SCOSC without it, whatever the parameters."""
        if not self.side_margins:
            self.save_cursor()
            return
        left = left or 1
        if not 0 < right <= self.cols:
            right = self.cols
        if left < right:
            self.left = left - 1
            self.right = right - 1
            self.move_to(0, 0)

    # Modes

    def set_mode(self, *modes: int) -> None:
        """SM: 4 is insert mode, 20 line-feed mode."""
        self._switch(modes, on=True)

    def reset_mode(self, *modes: int) -> None:
        """RM."""
        self._switch(modes, on=False)

    def _switch(self, modes: tuple[int, ...], *, on: bool) -> None:
        if 4 in modes:
            self.insert_mode = on
            self.set_limit()
        if 20 in modes:
            self.newline_mode = on

    def set_private_mode(self, *modes: int) -> None:
        """DECSET."""
        for mode in modes:
            self._set_private(mode, on=True)

    def reset_private_mode(self, *modes: int) -> None:
        """DECRST."""
        for mode in modes:
            self._set_private(mode, on=False)

    def _set_private(self, mode: int, *, on: bool) -> None:
        if mode in TWO_VALUED:
            self.modes[mode] = on
        elif mode in THREE_VALUED or mode == SYNCHRONIZED:
            self.modes[mode] = on
            if mode == 45:
                self.reverse_wrap = on
            elif mode == 2027:
                self.clustering = on
        elif mode == 7:
            self.autowrap = on
        elif mode == 6:
            self.origin = on
            self.move_to(0, 0)
        elif mode in TRACKING:
            self.tracking = mode if on else 0
        elif mode in ENCODING:
            self.encoding = mode if on else 0
        elif mode in ALTERNATE:
            if on:
                self._enter_alternate(mode)
            else:
                self._leave_alternate(mode)
        elif mode == 1048:
            if on:
                self.save_cursor()
            else:
                self.restore_cursor()
        elif mode == 69:
            self.side_margins = on
            self.left = 0
            self.right = self.cols - 1
            self.margin_wrap = False
            self.set_limit()
        elif mode == 2 and on:
            # DECANM: back from VT52 mode, which is not modelled, all sets are ASCII.
            self.charsets = ["B", "B", "B", "B"]
            self.shift_to(self.shift)

    def private_mode(self, mode: int) -> "bool | None":
        """Returns whether it is on; None if it is three-valued and was never set, or not known."""
        if mode in TRACKING:
            return self.tracking == mode
        if mode in ENCODING:
            return self.encoding == mode
        if mode == 7:
            return self.autowrap
        if mode == 6:
            return self.origin
        if mode in ALTERNATE:
            return self.screen is self.alternate
        return self.modes.get(mode, TWO_VALUED.get(mode))

    def save_private_mode(self, *modes: int) -> None:
        """XTSAVE."""
        for mode in modes:
            if mode in TWO_VALUED or mode in THREE_VALUED or self.private_mode(mode) is not None:
                self.saved_modes[mode] = self.private_mode(mode)

    def restore_private_mode(self, *modes: int) -> None:
        """XTRESTORE: a mode that was never saved stays as it is."""
        for mode in modes:
            on = self.saved_modes.get(mode)
            if on is not None:
                self._set_private(mode, on=on)
            elif mode in self.saved_modes:
                self._set_private(mode, on=False)
                self.modes.pop(mode, None)

    def application_keypad(self) -> None:
        """DECKPAM: the same as ?66h."""
        self.modes[66] = True

    def numeric_keypad(self) -> None:
        """DECKPNM."""
        self.modes[66] = False

    # Screens

    def _enter_alternate(self, mode: int) -> None:
        """47 and 1047 show what the screen holds, 1049 clears it and saves the cursor before, also
        when it is the alternate screen's, as in xterm.js."""
        if mode == 1049:
            self.save_cursor()
        if self.screen is self.alternate:
            return
        self.main.x = min(self.x, self.cols - 1)
        self.main.y = self.y
        if mode == 1049:
            self._blank(self.alternate.lines)
        self.alternate_mode = mode
        self.screen = self.alternate
        self.lines = self.screen.lines

    def _leave_alternate(self, mode: int) -> None:
        """1047 clears the screen that it leaves, as in xterm; xterm.js always does."""
        if self.screen is self.alternate:
            if mode == 1047:
                self._blank(self.alternate.lines)
            self.alternate_kept = mode == 47
            self.screen = self.main
            self.lines = self.screen.lines
        if mode == 1049:
            self.restore_cursor()

    # Keyboard protocols

    def push_keyboard(self, flags: int, *_: int) -> None:
        """CSI > flags u: a new entry of the kitty keyboard stack; the oldest one drops out."""
        stack = self.screen.keyboard
        stack.append(flags & 31)
        del stack[:-KEYBOARD_DEPTH]

    def pop_keyboard(self, count: int, *_: int) -> None:
        """CSI < count u: entries off the stack; an emptied stack means no flags."""
        stack = self.screen.keyboard
        del stack[max(len(stack) - count, 0) :]
        if not stack:
            stack.append(0)

    def set_keyboard(self, flags: int, how: int = 1, *_: int) -> None:
        """CSI = flags ; how u: 1 sets exactly these, 2 adds, 3 takes away."""
        stack = self.screen.keyboard
        flags &= 31
        if how in (0, 1):
            stack[-1] = flags
        elif how == 2:
            stack[-1] |= flags
        elif how == 3:
            stack[-1] &= ~flags

    # Resets

    def soft_reset(self, *_: int) -> None:
        """DECSTR, with the extent it has in xterm.js; the cursor stays where it is."""
        for mode in (1, 25, 66, 1004, 2004, SYNCHRONIZED):
            self.modes.pop(mode, None)
        if 45 in self.modes:
            self._set_private(45, on=False)
        self.reset_cursor_style()
        self.autowrap = True
        self.insert_mode = False
        self.origin = False
        self.side_margins = False
        self.reset_margins()
        self.charsets = ["B", "B", "B", "B"]
        self.shift_to(0)
        self.use_pen(DEFAULT)
        self.screen.saved = SavedCursor()

    def reset_cursor_style(self) -> None:
        """Back to the user's own cursor."""


def key_parameters(body: str) -> "tuple[int, int | None]":
    """XTMODKEYS: which resource, and its value or None for the default."""
    first, _, second = body.partition(";")
    value = number(second.partition(";")[0].partition(":")[0])
    return max(number(first.partition(":")[0]), 0), None if value < 0 else value
