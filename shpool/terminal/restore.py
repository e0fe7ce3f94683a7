"""The bytes that bring a terminal to the state of a session, whatever it showed before.

Each step is there because some terminal goes wrong without it; the order matters. It was tried
in xterm.js and kitty.
"""

from .cells import BLANK, PLAIN, TAIL, Row
from .lines import last_rows
from .modes import ENCODING, THREE_VALUED, TRACKING, TWO_VALUED
from .paint import Painter
from .settings import private, properties
from .width import joins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .properties import Properties
    from .screen import SavedCursor, Screen

# CAN and ST are the one beginning that is clean from inside any unfinished sequence. ESC 7 stands
# before what would move the cursor: what is on the screen must go into the scrollback from there.
# CSI < u comes twice, for each screen has its stack. CSI > 4 m is the user's own default for
# modifyOtherKeys, and underline to some, so SGR 0 comes after it. Not DECSTR, RIS or DECALN:
# they reset what is not the session's.
CLEAN = (
    "\x18\x1b\\"
    "\x1b[?2026l"
    "\x1b7\x1b[<99u\x1b[?1049l"
    "\x1b7\x1b[?69l\x1b[r\x1b8"
    '\x1b[>4m\x1b[m\x1b]8;;\x1b\\\x1b[0"q\x0f\x1b(B\x1b)B\x1b[4l\x1b[20l'
)

# G2 and G3 are designated where a terminal that does not know how prints nothing that stays.
# Never CSI 2 J, which several terminals take for a reason to push the screen into the history, nor
# CSI J in its first row, which to tmux is one as well.
_HOME = "\x1b[?6l\x1b[?7h\x1b[H\x1b*B\x1b+B\x1b[H\x1b[2K\x1b[2H\x1b[J\x1b[H"

# Modes whose saved values come back. Not those that switch screens, nor a synchronized update.
_SAVED = frozenset((6, 7, *TWO_VALUED, *THREE_VALUED, *TRACKING, *ENCODING))

_DESIGNATE = ("\x1b(", "\x1b)", "\x1b*", "\x1b+")
_SHIFT = ("\x0f", "\x0e", "\x1bn", "\x1bo")


def restore(terminal: "Properties", history: int, *, in_place: bool) -> bytes:
    """The bytes that draw a terminal; see Terminal.restore."""
    painter = Painter(
        terminal.pens, terminal.clusters, terminal.rows, joining=not terminal.clustering
    )
    out = painter.out
    out.append(CLEAN)
    if not in_place:
        out.append("\n" * terminal.rows)
    out.append(_HOME)
    if 2027 in terminal.modes:  # decides how wide is what is printed now
        out.append(private(2027, terminal.modes[2027]))

    main = terminal.main
    rows = main.lines
    if history > 0:
        rows = last_rows(terminal.history, history, terminal.cols) + rows
    painter.rows(rows, terminal.cols)

    out.append(_keyboard(main) + _tab_stops(terminal))
    if terminal.screen is main:
        _visit_alternate(painter, terminal)
        _saved_cursor(painter, main.saved)
    else:
        _enter_alternate(painter, terminal)
        painter.rows([Row(row.text, row.style) for row in terminal.lines], terminal.cols)
        _saved_cursor(painter, terminal.alternate.saved)
        out.append(_keyboard(terminal.alternate))
        if terminal.alternate_tab_stops:
            out.append(_tab_stops(terminal))

    out.append(_titles(terminal, in_place=in_place) + properties(terminal) + _modes(terminal))
    _cursor(painter, terminal)
    # A synchronized update that the program is in stays ended: CLEAN did that, and a sequence
    # here would take away what REP repeats.
    return "".join(out).encode() + terminal.unfinished


def _keyboard(screen: "Screen") -> str:
    """The kitty keyboard stack: emptied, then its base and what was pushed."""
    base, *pushed = screen.keyboard
    stack = "\x1b[<99u"
    if base:
        stack += f"\x1b[={base}u"
    return stack + "".join(f"\x1b[>{flags}u" for flags in pushed)


def _tab_stops(terminal: "Properties") -> str:
    """All stops anew. CSI ? 5 W adds the default ones beyond the present width, where known."""
    stops = terminal.tab_stops[: terminal.cols]
    columns = [column for column, stop in enumerate(stops) if stop]
    made = "\x1b[3g" + "".join(f"\x1b[{column + 1}G\x1bH" for column in columns)
    if columns == list(range(0, terminal.cols, 8)):
        made += "\x1b[?5W"
    return made


def _charsets(charsets: list[str], shift: int) -> str:
    """Character sets, from all ASCII and G0 in use."""
    made = [slot + name for slot, name in zip(_DESIGNATE, charsets) if name != "B"]
    return "".join(made) + (_SHIFT[shift] if shift else "")


def _use_saved(painter: Painter, saved: "SavedCursor") -> None:
    """Bring pen, sets, origin mode and position to what a saved cursor holds. The margins are
    the whole screen, so a position is the same under origin mode."""
    if saved.origin:
        painter.out.append("\x1b[?6h")
    painter.out.append(f"\x1b[{saved.y + 1};{saved.x + 1}H")
    painter.out.append(_charsets(saved.charsets, saved.shift))
    painter.use(painter.number(saved.pen))


def _unuse_saved(painter: Painter, saved: "SavedCursor") -> None:
    if saved.origin:
        painter.out.append("\x1b[?6l")
    if saved.shift:
        painter.out.append("\x0f")
    painter.out += [slot + "B" for slot, name in zip(_DESIGNATE, saved.charsets) if name != "B"]
    painter.use("\0")


def _saved_cursor(painter: Painter, saved: "SavedCursor") -> None:
    _use_saved(painter, saved)
    painter.out.append("\x1b7")
    _unuse_saved(painter, saved)


def _visit_alternate(painter: Painter, terminal: "Properties") -> None:
    """What outlives the use of the alternate screen, and can only be set from there: its keyboard
    stack, its saved cursor, and what stands on it if the program may show that again. After 1049l
    xterm would show it too to a program that goes on with ?47h; none does."""
    alternate = terminal.alternate
    kept = terminal.alternate_kept and any(row.text for row in alternate.lines)
    if not kept and alternate.keyboard == [0] and alternate.saved.is_default:
        return
    painter.out.append("\x1b[?1049h")
    if kept:
        painter.out.append("\x1b[H")
        painter.rows([Row(row.text, row.style) for row in alternate.lines], terminal.cols)
    _saved_cursor(painter, alternate.saved)
    painter.out.append(_keyboard(alternate) + "\x1b[?1049l")


def _enter_alternate(painter: Painter, terminal: "Properties") -> None:
    """Main's saved cursor, and the alternate screen, erased. 1049 saves the cursor itself; some
    terminals know nothing else."""
    main = terminal.main
    saved = main.saved
    _use_saved(painter, saved)
    if terminal.alternate_mode == 1049 or (main.x, main.y) == (saved.x, saved.y):
        painter.out.append("\x1b[?1049h")
        _unuse_saved(painter, saved)
    else:
        painter.out.append("\x1b7")
        _unuse_saved(painter, saved)
        painter.out.append(f"\x1b[{main.y + 1};{main.x + 1}H\x1b[?{terminal.alternate_mode}h")
    painter.out.append("\x1b[H\x1b[J")


def _titles(terminal: "Properties", *, in_place: bool) -> str:
    """Title and icon name, and their stacks. A terminal that shows the session already has some
    of the stack: how much is not known, for it may have missed pushes and pops; so as many are
    popped as there can be, which does nothing on an empty stack."""
    made = []
    for stack, pushed, current, command, which in (
        (terminal.title_stack, terminal.titles_pushed, terminal.title, 2, 2),
        (terminal.icon_stack, terminal.icons_pushed, terminal.icon, 1, 1),
    ):
        if in_place:
            made += [f"\x1b[23;{which}t"] * pushed
        for text in stack:
            made.append(f"\x1b]{command};{text}\x1b\\" if text is not None else "")
            made.append(f"\x1b[22;{which}t")
        if current is not None:
            made.append(f"\x1b]{command};{current}\x1b\\")
    return "".join(made)


def _modes(terminal: "Properties") -> str:
    """All modes, margins, and origin mode after them. XTSAVE's values come before the present."""
    made = []
    saved_modes = terminal.saved_modes
    for mode, value in saved_modes.items():
        if value is not None and mode in _SAVED:
            made.append(f"{private(mode, value)}\x1b[?{mode}s")
    made += [private(mode, on) for mode, on in ((6, False), (7, True)) if mode in saved_modes]
    modes = terminal.modes
    for mode, default in TWO_VALUED.items():
        on = modes.get(mode, default)
        made.append(("\x1b=" if on else "\x1b>") if mode == 66 else private(mode, on))
    made += [private(mode, modes[mode]) for mode in THREE_VALUED if mode in modes]
    made += [private(mode, False) for mode in (*TRACKING, *ENCODING)]
    if terminal.tracking:
        made.append(private(terminal.tracking, True))
    if terminal.encoding:
        made.append(private(terminal.encoding, True))
    if not terminal.autowrap:
        made.append(private(7, False))
    if terminal.newline_mode:
        made.append("\x1b[20h")
    if terminal.side_margins:
        made.append(f"\x1b[?69h\x1b[{terminal.left + 1};{terminal.right + 1}s")
    if (terminal.top, terminal.bottom) != (0, terminal.rows - 1):
        made.append(f"\x1b[{terminal.top + 1};{terminal.bottom + 1}r")
    if terminal.origin:
        made.append(private(6, True))
    return "".join(made)


def _cursor(painter: Painter, terminal: "Properties") -> None:
    """Character sets, pen, position, insert mode; and the last cluster once more in its own cell
    if a wrap is pending or REP would repeat it."""
    out = painter.out
    x, y = terminal.x, terminal.y
    charsets = _charsets(terminal.charsets, terminal.shift)
    insert = "\x1b[4h" if terminal.insert_mode else ""
    pending = x >= terminal.cols or terminal.margin_wrap
    start, cells = _last_cluster(terminal)
    if not pending and not (terminal.after_print and cells.strip(BLANK)):
        out.append(charsets + _position(terminal, y, x))
        painter.use(terminal.pen)
        out.append(insert)
        return
    cluster = "".join(map(terminal.clusters.text, cells.replace(TAIL, "")))
    row = terminal.lines[y]
    look = row.style[start : start + 1] or "\0"
    # What is printed last is what REP repeats. So the cell comes last, unless its pen or a
    # character set stand against that, or the program's last word was another, or it could not be
    # taken out from where it is inserted.
    last = (
        terminal.after_print
        and cluster
        and look == terminal.pen
        and not (insert and terminal.side_margins)
        and not (terminal.translation and ord(cluster[0]) in terminal.translation)
    )
    out.append(_position(terminal, y, start))
    if last:
        out.append(charsets)
        painter.use(look)
        if insert:
            # Taken out, for printing puts it in again.
            out.append(f"{insert}\x1b[{len(cells.rstrip(BLANK))}P")
        out.append(cluster)
    else:
        painter.use(look)
        out.append(cluster or " ")
        if not row.text.strip(BLANK):
            out.append("\x1b[1K")  # the row was erased under the pending wrap, which survived it
        painter.use(terminal.pen)
        if not charsets:
            charsets = "\x0f"  # anything but a print
        out.append(charsets + insert)


def _last_cluster(terminal: "Properties") -> tuple[int, str]:
    """Column and cells of what was printed last: with the cells of one pen before it that some
    terminals join with it. Printed alone it would break them there."""
    start, cells = terminal.cell_before()
    row = terminal.lines[terminal.y]
    style = row.style.ljust(start + 1, PLAIN)
    last = cells
    while start > 0 and last.strip(BLANK) and not terminal.clustering:
        before = start - (2 if row.text[start - 1] == TAIL else 1)
        text = terminal.clusters.text(row.text[before : before + 1] or BLANK)
        if (
            not text
            or style[before] != style[start]
            or not joins(text, terminal.clusters.text(last[0])[0])
        ):
            break
        last = row.text[before:start]
        cells = last + cells
        start = before
    return start, cells


def _position(terminal: "Properties", y: int, x: int) -> str:
    if terminal.origin:
        y -= terminal.top
        x -= terminal.left
    return f"\x1b[{y + 1};{x + 1}H"
