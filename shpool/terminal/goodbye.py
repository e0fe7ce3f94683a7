"""Leaving a terminal when the session's state is known: no more is undone than has to be."""

from .cells import PLAIN
from .leave import LEAVE
from .modes import THREE_VALUED, TWO_VALUED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .properties import Properties

# Three-valued modes that are off, or on, with nearly every user: what a session changed is
# changed back when it is left. The others differ too much from terminal to terminal.
_USUALLY_OFF = (45, 80, 1010, 1011, 1042, 1043, 2027)
_USUALLY_ON = (8,)


def goodbye(terminal: "Properties") -> bytes:
    """The bytes that make the client's terminal usable for the shell outside.

    LEAVE, and what can only be done by who knows the session: it takes back what the session
    changed of the user's defaults, and places the cursor where LEAVE could not.
    """
    before = ["\x18\x1b\\"]
    if terminal.screen is terminal.alternate and terminal.alternate_mode != 1049:
        x, y = terminal.main.x, terminal.main.y
        before.append(f"\x1b[?{terminal.alternate_mode}l\x1b[?6l\x1b[{y + 1};{x + 1}H")
    elif terminal.screen is terminal.alternate and terminal.origin:
        # To tmux origin mode is no part of a screen: LEAVE's ESC 7 and ESC 8 would keep it.
        before.append("\x1b[?6l")
    elif terminal.screen is terminal.main and terminal.origin:
        x, y = min(terminal.x, terminal.cols - 1), terminal.y
        before.append(f"\x1b[?6l\x1b[{y + 1};{x + 1}H")
    # The last that comes off is the title that the user had when the program pushed it.
    titles = "\x1b[23;2t" * len(terminal.title_stack) + "\x1b[23;1t" * len(terminal.icon_stack)
    return ("".join(before) + titles + _taken_back(terminal)).encode() + LEAVE


def farewell_drawn(terminal: "Properties") -> bytes:
    """The same for a terminal on which the session is drawn, after WIPE; see drawn.py."""
    return _taken_back(terminal).encode() + LEAVE


def untitled(terminal: "Properties") -> bytes:
    """What takes the title and the icon name away that the session has given a terminal, which is
    about to show another session. The user's own are not known."""
    icon = "" if terminal.icon is None else "\x1b]1;\x1b\\"
    title = "" if terminal.title is None else "\x1b]2;\x1b\\"
    return f"\x18\x1b\\{icon}{title}".encode() if icon or title else b""


def _taken_back(terminal: "Properties") -> str:
    """What brings back the user's defaults, where the session changed them."""
    after = []
    if terminal.palette:
        after.append("\x1b]104\x1b\\")
    after += [f"\x1b]{number + 100}\x1b\\" for number, colour in terminal.dynamic.items() if colour]
    if terminal.pointer:
        after.append("\x1b]22;\x1b\\")
    if terminal.progress and not terminal.progress.startswith("4;0"):
        after.append("\x1b]9;4;0;\x1b\\")
    if terminal.shape or terminal.modes.get(12) is not None:
        after.append("\x1b[0 q")
    for mode in THREE_VALUED:
        on = terminal.modes.get(mode)
        if (on and mode in _USUALLY_OFF) or (on is False and mode in _USUALLY_ON):
            after.append(f"\x1b[?{mode}{'l' if on else 'h'}")
    # Before LEAVE's last words, which undo what a terminal may mistake for SGR.
    after += [f"\x1b[>{resource}m" for resource in terminal.modify]
    return "".join(after)


def is_clean(terminal: "Properties") -> bool:
    """Returns whether there is nothing that goodbye() would have to turn off or take back."""
    return not (
        terminal.screen is terminal.alternate
        or any(
            mode in THREE_VALUED or on != TWO_VALUED.get(mode, False)
            for mode, on in terminal.modes.items()
        )
        or (terminal.tracking or terminal.encoding)
        or (
            terminal.insert_mode
            or terminal.newline_mode
            or terminal.origin
            or terminal.side_margins
        )
        or not terminal.autowrap
        or (terminal.top, terminal.bottom) != (0, terminal.rows - 1)
        or (terminal.charsets != ["B"] * 4 or terminal.shift)
        or terminal.pen != PLAIN
        or any(screen.keyboard != [0] for screen in (terminal.main, terminal.alternate))
        or (terminal.palette or terminal.palette_reset or terminal.dynamic)
        or (terminal.shape or terminal.pointer or terminal.progress or terminal.modify)
        or (terminal.title_stack or terminal.icon_stack)
        or terminal.unfinished
    )
