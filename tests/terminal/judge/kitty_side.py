"""kitty's Screen behind the line protocol of judge.js, run by the system's Python.

kitty's native module is built for the system's interpreter, which need not be the one that runs
the tests. Nothing of ours is imported here.
"""

from __future__ import annotations

import json
import sys
from typing import Any

sys.path.insert(0, "/usr/lib/kitty")

from kitty.fast_data_types import (  # type: ignore[import-not-found]
    Screen,
    encode_key_for_tty,
    parse_bytes,
    set_options,
)
from kitty.options.types import defaults  # type: ignore[import-not-found]

set_options(defaults)

QUERIED = (1, 5, 6, 7, 9, 25, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2004, 2026)
STACK = 8


class Callbacks:
    """What a window would be told; everything not listed is taken and forgotten."""

    def __init__(self) -> None:
        self.title = ""
        self.icon = ""
        self.colours: dict[str, str] = {}
        self.answers = b""

    def write(self, data: bytes) -> None:
        self.answers += bytes(data)

    def title_changed(self, title: str | None, *_: Any) -> None:
        self.title = title or ""

    def icon_changed(self, icon: str | None) -> None:
        self.icon = icon or ""

    def set_dynamic_color(self, code: int, value: str) -> None:
        self.set_color_table_color(code, value)

    def set_color_table_color(self, code: int, value: str) -> None:
        if 110 <= code <= 119:
            self.colours.pop(str(code - 100), None)
        elif code == 104:
            for name in value.split(";") if value else [n for n in self.colours if ";" in n]:
                self.colours.pop(f"4;{name}" if value else name, None)
        elif code == 4:
            parts = value.split(";")
            for name, colour in zip(parts[::2], parts[1::2]):
                if colour != "?":
                    self.colours[f"4;{name}"] = colour
        elif value != "?":
            self.colours[str(code)] = str(value)

    def __getattr__(self, name: str) -> Any:
        return lambda *a, **k: None


class Judge:
    def __init__(self, rows: int, cols: int, scrollback: int) -> None:
        self.told = Callbacks()
        self.screen = Screen(self.told, rows, cols, scrollback, 10, 20, 0, self.told)

    def write(self, data: bytes) -> None:
        parse_bytes(self.screen, data)

    def rows(self, linebuf: Any) -> list[list[Any]]:
        """Each row as runs of [text, look]; a blank has only the look that shows on a blank."""
        out = []
        for y in range(self.screen.lines):
            line = linebuf.line(y)
            links = line.hyperlink_ids()
            runs: list[list[Any]] = []
            for x in range(self.screen.columns):
                text = line[x]
                if text[:1] in "\t\0 ":  # kitty keeps the width of a tab in its first cell
                    text = " "
                c = line.cursor_from(x, y)
                look = [c.bg, c.reverse, c.strikethrough, c.decoration, c.decoration_fg]
                if text.strip() or c.reverse or c.strikethrough or c.decoration:
                    look += [c.fg, c.bold, c.italic, c.dim]
                if links[x]:
                    look.append(self.screen.hyperlink_for_id(links[x]))
                if runs and runs[-1][1] == look:
                    runs[-1][0] += text
                else:
                    runs.append([text, look])
            out.append(runs)
        return out

    def dump(self) -> dict[str, Any]:
        s = self.screen
        cursor = s.cursor
        return {
            "alternate": not s.is_main_linebuf(),
            "lines": self.rows(s.linebuf),
            "main": self.rows(s.main_linebuf),
            "cursor": [cursor.x, cursor.y, cursor.shape, s.cursor_visible],
            "pen": [
                cursor.fg,
                cursor.bg,
                cursor.bold,
                cursor.italic,
                cursor.reverse,
                cursor.strikethrough,
                cursor.dim,
                cursor.decoration,
                cursor.decoration_fg,
            ],
            "margins": [s.margin_top, s.margin_bottom],
            "keyboard": s.current_key_encoding_flags(),
            "modes": [s.cursor_key_mode, s.in_bracketed_paste_mode, s.focus_tracking_enabled],
            "title": self.told.title,
            "icon": self.told.icon,
            "colours": self.told.colours,
            "directory": str(s.last_reported_cwd or ""),
        }

    def probe(self) -> dict[str, Any]:
        """What only questions bring out; leaves the terminal changed, so it comes last."""
        self.told.answers = b""
        for mode in QUERIED:
            self.write(b"\x1b[?%d$p" % mode)
        self.write(b"\x1b[4$p\x1b[20$p")
        return {
            "answers": self.told.answers.decode("latin-1"),
            "stack": self.stack(),
            "other": self.other_stack(),
        }

    def stack(self) -> list[int]:
        flags = []
        for _ in range(STACK + 1):
            flags.append(self.screen.current_key_encoding_flags())
            self.write(b"\x1b[<u")
        return flags

    def other_stack(self) -> list[int]:
        self.write(b"\x1b[?47l" if not self.screen.is_main_linebuf() else b"\x1b[?47h")
        return self.stack()


def main() -> None:
    judges: dict[int, Judge] = {}
    for line in sys.stdin:
        request = json.loads(line)
        number, op = request["id"], request["op"]
        answer: Any = None
        try:
            if op == "new":
                judges[number] = Judge(request["rows"], request["cols"], request["scrollback"])
            elif op == "write":
                judges[number].write(request["data"].encode("latin-1"))
            elif op == "resize":
                judges[number].screen.resize(request["rows"], request["cols"])
            elif op == "dump":
                answer = judges[number].dump()
            elif op == "answers":
                answer = judges[number].told.answers.decode("latin-1")
            elif op == "probe":
                answer = judges[number].probe()
            elif op == "type":
                answer = [encode_key_for_tty(**event) for event in request["events"]]
            elif op == "close":
                del judges[number]
            print(json.dumps({"ok": answer}), flush=True)
        except Exception as error:  # told to the driver, which raises it there
            print(json.dumps({"error": repr(error)}), flush=True)


main()
