"""VTE, the terminal inside GNOME's and many others, behind the line protocol of judge.js.

Run by the system's Python, which has its bindings, in an X server. Nothing of ours is imported.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import gi  # type: ignore[import-not-found]

gi.require_version("Gtk", "3.0")
gi.require_version("Vte", "2.91")
from gi.repository import GLib, Gtk, Vte  # type: ignore[import-not-found]  # noqa: E402

PLACE = re.compile(r"\x1b\[(\d+);(\d+)R$")


class Judge:
    def __init__(self, rows: int, cols: int) -> None:
        self.rows, self.cols = rows, cols
        self._answers = ""
        self._window = Gtk.Window()
        area = Gtk.Fixed()
        self._window.add(area)
        self._terminal = Vte.Terminal()
        self._terminal.set_scrollback_lines(100)
        self._terminal.connect("commit", self._commit)
        area.put(self._terminal, 0, 0)
        self._window.show_all()
        padding = self._terminal.get_style_context().get_padding(Gtk.StateFlags.NORMAL)
        self._terminal.set_size_request(
            self._terminal.get_char_width() * cols + padding.left + padding.right,
            self._terminal.get_char_height() * rows + padding.top + padding.bottom,
        )
        loop = GLib.MainContext.default()
        while (self._terminal.get_column_count(), self._terminal.get_row_count()) != (cols, rows):
            loop.iteration(True)

    def _commit(self, _terminal: Any, text: str, _size: int) -> None:
        self._answers += text

    def write(self, data: bytes) -> None:
        """Feed it, and wait until it has taken all."""
        self._answers = ""
        self._terminal.feed(data + b"\x1b[6n")
        loop = GLib.MainContext.default()
        while not PLACE.search(self._answers):
            loop.iteration(True)

    def dump(self) -> dict[str, Any]:
        self.write(b"")
        match = PLACE.search(self._answers)
        assert match
        row, column = int(match[1]) - 1, int(match[2]) - 1
        top = self._terminal.get_cursor_position()[1] - row
        lines = [
            self._terminal.get_text_range(y, 0, y, self.cols - 1, None)[0].rstrip("\n")
            for y in range(top, top + self.rows)
        ]
        return {"lines": lines, "cursor": [row, column]}

    def close(self) -> None:
        self._window.destroy()


def main() -> None:
    judges: dict[int, Judge] = {}
    for line in sys.stdin:
        request = json.loads(line)
        number = request["id"]
        answer: Any = None
        if request["op"] == "new":
            judges[number] = Judge(request["rows"], request["cols"])
        elif request["op"] == "write":
            judges[number].write(request["data"].encode("latin-1"))
        elif request["op"] == "dump":
            answer = judges[number].dump()
        else:
            judges.pop(number).close()
        print(json.dumps({"ok": answer}), flush=True)


main()
