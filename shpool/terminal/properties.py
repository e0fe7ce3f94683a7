"""What a session can change beside the screen: title, colours, directory, cursor shape, keys.

All of it has a default that is the user's own, so for each there are three cases: never set, set,
and taken back. The first is never touched; for the last the request to take it back is kept,
because a terminal that missed it needs it.
"""

import re
from operator import itemgetter

from .modes import Modes, key_parameters
from .pen import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .news import News

MAX_TEXT = 4096  # characters of a title, a directory, or a pointer's name; kitty keeps 2,048
MAX_LINK = 8192  # characters of a hyperlink with its parameters; browsers and kitty stop at 2,083
MAX_MARK = 256  # characters of an OSC 133; shells add their prompt's or command's text
STACK_DEPTH = 10  # titles on the stack, as in xterm and xterm.js

_COLOUR = re.compile(r"[#\w:/., -]{1,64}").fullmatch
# OSC 10 to 19: foreground, background, cursor, pointer, ...
DYNAMIC_COLOURS = [str(command) for command in range(10, 20)]


class Properties(Modes):
    """The modes with what OSC and a few CSI set."""

    __slots__ = (
        "_links",
        "directory",
        "dynamic",
        "icon",
        "icon_stack",
        "icons_pushed",
        "modify",
        "news",
        "palette",
        "palette_reset",
        "pointer",
        "progress",
        "shape",
        "title",
        "title_stack",
        "titles_pushed",
    )

    CARRIED = {
        "title": (str, None),
        "icon": (str, None),
        "title_stack": [(str, None)],
        "icon_stack": [(str, None)],
        "titles_pushed": int,
        "icons_pushed": int,
        "directory": (str, None),
        "palette": {int: (str, None)},
        "palette_reset": bool,
        "dynamic": {int: (str, None)},
        "shape": (int, None),
        "pointer": (str, None),
        "progress": (str, None),
        "modify": {int: (int, None)},
        "_links": int,
    }
    DERIVED = ("news",)

    def __init__(self, rows: int, cols: int, history_lines: int) -> None:
        super().__init__(rows, cols, history_lines)
        self.title: str | None = None
        self.icon: str | None = None
        self.title_stack: list[str | None] = []
        self.icon_stack: list[str | None] = []
        self.titles_pushed = 0  # the most that were ever on the stack
        self.icons_pushed = 0
        self.directory: str | None = None  # OSC 7, as the program gave it
        self.palette: dict[int, str | None] = {}  # OSC 4; None: taken back by OSC 104
        self.palette_reset = False  # OSC 104 without a number came before what palette holds
        self.dynamic: dict[int, str | None] = {}  # OSC 10 to 19; None: taken back
        self.shape: int | None = None  # DECSCUSR
        self.pointer: str | None = None  # OSC 22
        self.progress: str | None = None  # OSC 9;4
        self.modify: dict[int, int | None] = {}  # XTMODKEYS; None: taken back, -1: disabled
        self.news: News | None = None  # gathered for who wants it
        self._links = 0

    def ring(self) -> None:
        """BEL"""
        if self.news is not None:
            self.news.ring()

    def derive(self) -> None:
        super().derive()
        self.news = None

    def operating_system_command(self, body: str, end: str = "\x1b\\") -> None:
        """OSC: the number decides. Queries have no effect, and others none that lasts."""
        command, _, value = body.partition(";")
        if command in ("0", "1", "2"):
            value = value[:MAX_TEXT]
            if command != "1":
                self.title = value
            if command != "2":
                self.icon = value
        elif command == "8":
            self._hyperlink(value)
        elif command == "133":
            self._mark(value)
        elif command == "4":
            self._set_palette(value)
        elif command == "104":
            self._reset_palette(value)
        elif command == "7":
            self.directory = value[:MAX_TEXT]
        elif command == "22":
            if value[:1] not in ("?", "<", ">"):  # queries, and kitty's stack of pointers
                self.pointer = value[:MAX_TEXT]
        elif command == "9":
            if value.startswith("4;"):
                self.progress = value[:MAX_TEXT]
            elif self.news is not None:
                self.news.hear(command, value)
        elif command in ("52", "777"):
            if self.news is not None:
                self.news.hear(command, value)
        elif command in DYNAMIC_COLOURS:
            first = int(command)
            for which, colour in enumerate(value.split(";")[: 20 - first], first):
                if _COLOUR(colour):
                    self.dynamic[which] = colour
        elif len(command) == 3 and command.isdigit() and int(command) - 100 in self.dynamic:
            self.dynamic[int(command) - 100] = None

    def _set_palette(self, value: str) -> None:
        parts = value.split(";")
        for index, colour in zip(parts[::2], parts[1::2]):
            if index.isdecimal() and number(index) < 256 and _COLOUR(colour):
                self.palette[int(index)] = colour

    def _reset_palette(self, value: str) -> None:
        if not value:
            self.palette_reset = self.palette_reset or bool(self.palette)
            self.palette.clear()
            return
        for index in value.split(";"):
            if index.isdecimal() and number(index) in self.palette:
                self.palette[int(index)] = None

    def _mark(self, value: str) -> None:
        """OSC 133: here begins a prompt (A), the command line after it (B), a command's output
        (C), or what follows that (D). A row has one of each. Of a long one the last parameters are
        left out, which is where the command stands."""
        kind = value[:1]
        if not kind or kind not in "ABCD":
            return
        if len(value) > MAX_MARK:
            value = value[: MAX_MARK + 1].rpartition(";")[0] or kind
        row = self.lines[self.y]
        others = [(x, mark) for x, mark in row.marks if mark[0] != kind]
        row.marks = tuple(sorted([*others, (self.x, value)], key=itemgetter(0)))

    def _hyperlink(self, value: str) -> None:
        """OSC 8 ; params ; URI. A link without an id gets one, so that its parts, drawn one by
        one in a restore, stay one link."""
        params, separator, uri = value.partition(";")
        if not separator:
            return
        link = ""
        if uri and len(value) <= MAX_LINK:
            if not any(part.startswith("id=") and part != "id=" for part in params.split(":")):
                self._links += 1
                params = f"{params}:id=shpool-{self._links}".lstrip(":")
            link = f"{params};{uri}"
        self.use_pen((*self.current_pen[:5], link))

    def window_operation(self, operation: int, which: int = 0, *_: int) -> None:
        """XTWINOPS 22 and 23: title (0, 2) and icon name (0, 1) to and from their stacks."""
        if operation == 22:
            if which in (0, 2):
                self.title_stack = [*self.title_stack, self.title][-STACK_DEPTH:]
                self.titles_pushed = max(self.titles_pushed, len(self.title_stack))
            if which in (0, 1):
                self.icon_stack = [*self.icon_stack, self.icon][-STACK_DEPTH:]
                self.icons_pushed = max(self.icons_pushed, len(self.icon_stack))
        elif operation == 23:
            if which in (0, 2) and self.title_stack:
                self.title = self.title_stack.pop()
            if which in (0, 1) and self.icon_stack:
                self.icon = self.icon_stack.pop()

    def cursor_style(self, shape: int, *_: int) -> None:
        """DECSCUSR: 0 is the user's own cursor."""
        if shape <= 6:
            self.shape = shape

    def reset_cursor_style(self) -> None:
        if self.shape is not None:
            self.shape = 0

    def modify_keys(self, body: str) -> None:
        """XTMODKEYS: a resource's value, its default, or the default of all."""
        if body:
            resource, value = key_parameters(body)
            if resource < 8 and (value is not None or resource in self.modify):
                self.modify[resource] = value
        else:
            self.modify = dict.fromkeys(self.modify)

    def disable_modify_keys(self, resource: int, *_: int) -> None:
        """CSI > resource n; without one it is modifyFunctionKeys, 2."""
        if resource < 8:
            self.modify[resource or 2] = -1

    def reset(self) -> None:
        """RIS: all but title, directory and colours, which xterm.js keeps; history goes too."""
        modify = dict.fromkeys(self.modify)
        self.history.clear()
        self.initialize()
        self.modify = modify
        self.reset_cursor_style()
