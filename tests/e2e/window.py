"""A program in a terminal that is a real emulator: xterm.js shows what it writes and answers it.

Use it as a context manager.  Like everything here it only looks while something is waited for.
"""

from __future__ import annotations

import atexit
import functools
import select
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.e2e.harness import DEADLINE, Place, Terminal
from tests.programs import lacking
from tests.terminal import judge
from tests.terminal.judge.differ import history_text, joined, screen_text

# Rows that the user can scroll back to.
SCROLLBACK = 5000

# What every shell of a user's starts with: a prompt that is known, and no history.
OUTSIDE = ["bash", "--norc", "--noprofile", "-i"]


@functools.cache
def _node() -> judge.Node:
    if judge.missing():
        lacking(judge.missing())
    node = judge.Node()
    atexit.register(node.close)
    return node


class Window(Terminal):
    """`argv` in a terminal of its own, of this size."""

    def __init__(
        self,
        place: Place,
        argv: Sequence[str],
        rows: int = 24,
        cols: int = 80,
        env: dict[str, str] | None = None,
        cwd: str | Path = "/",
    ) -> None:
        self._emulator = _node().new(rows, cols, SCROLLBACK)
        self._answered = 0
        self._slow = False
        self._under_way = b""
        super().__init__(argv, {**place.env, **(env or {})}, cwd, rows, cols)

    def resize(self, rows: int, cols: int) -> None:
        self._emulator.resize(rows, cols)
        super().resize(rows, cols)

    def _read(self, timeout: float) -> bool:
        before = len(self.output)
        more = super()._read(timeout)
        self.show(self.output[before:])
        return more

    def show(self, data: bytes) -> None:
        """Have `data` on the screen, and answer what it asks."""
        if not data:
            return
        self._emulator.write(data)
        if b"\x1b" in data:
            answers = self._emulator.answers().encode()
            fresh, self._answered = answers[self._answered :], len(answers)
            self._under_way += fresh
            if not self._slow:
                self.deliver()

    def become_slow(self) -> None:
        """From now on answers are under way until deliver() is called."""
        self._slow = True

    def deliver(self) -> None:
        """Have what the terminal has answered arrive."""
        answers, self._under_way = self._under_way, b""
        if answers and self.master >= 0:
            self.send(answers)

    def state(self, *, history: bool = False) -> dict[str, Any]:
        """What the emulator knows, with its scrollback if asked."""
        while self._read(0):
            pass
        return self._emulator.dump(history=history)

    def screen(self) -> list[str]:
        """The rows of the screen, without blank tails."""
        return screen_text(self.state())

    def history(self) -> list[str]:
        """The lines in the scrollback that are not blank."""
        return [line for line in history_text(self.state(history=True)) if line]

    def lines(self) -> list[str]:
        """The lines of the screen as they were written: wherever the width wrapped them, joined."""
        state = self.state()
        return joined(state["screens"][state["alternate"]]["lines"])

    def everything(self) -> list[str]:
        """The lines of scrollback and screen that are not blank; wrapped ones are one line."""
        state = self.state(history=True)
        screen = state["screens"][state["alternate"]]["lines"]
        return [line for line in joined(state["screens"][0]["history"] + screen) if line]

    def cursor(self) -> tuple[int, int]:
        """Row and column."""
        cursor = self.state()["cursor"]
        return cursor["y"], cursor["x"]

    def cursor_line(self) -> str:
        """The line up to where its row with the cursor ends: a prompt behind text that wrapped."""
        state = self.state()
        rows = state["screens"][state["alternate"]]["lines"]
        return joined(rows[: state["cursor"]["y"] + 1])[-1]

    def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Show what comes until the condition holds."""
        deadline = time.monotonic() + DEADLINE
        while True:
            while self._read(0):
                pass
            if condition():
                return
            left = deadline - time.monotonic()
            if left <= 0 or self._ended:
                shown = "\n".join(self.screen())
                raise AssertionError(f"never came true: {what or condition}; shown:\n{shown}")
            select.select([self.master], [], [], min(left, 0.05))

    def until_shown(self, text: str) -> None:
        """Wait until `text` stands on the screen, in one line."""
        self.until(lambda: any(text in line for line in self.lines()), f"shown: {text!r}")

    def until_screen(self, expected: list[str]) -> None:
        """Wait until the screen is exactly this, blank rows at the end aside."""
        rows = len(self.screen())
        filled = expected + [""] * (rows - len(expected))
        self.until(lambda: self.screen() == filled, "the screen is\n" + "\n".join(expected))

    def disorder(self) -> str:
        """What of a program is still switched on in the terminal, in words; empty for nothing."""
        state = self.state()
        wrong: dict[str, Any] = {}
        clean = {"alternate": False, "pen": {}, "parser": 0, "unfinishedBytes": 0}
        for key, value in {**clean, "otherKeys": None}.items():
            if state[key] != value:
                wrong[key] = state[key]
        if state["cursor"]["hidden"]:
            wrong["cursor"] = "hidden"
        off = (False, "NONE", "DEFAULT")
        modes = {name for name, value in state["modes"].items() if value not in off}
        if modes != {"autowrap"}:
            wrong["modes"] = modes
        if state["charsets"]["active"] != "ascii" or state["charsets"]["shift"]:
            wrong["charsets"] = state["charsets"]
        if state["screens"][0]["margins"] != [0, state["rows"] - 1]:
            wrong["margins"] = state["screens"][0]["margins"]
        on = {mode for mode, value in state["noted"].items() if value} - {"1007", "1034", "1036"}
        if on:
            wrong["noted"] = on
        return str(wrong) if wrong else ""

    def close(self) -> None:
        super().close()
        self._emulator.close()

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *reason: object) -> None:
        if any(reason):
            print("--- shown at last\n" + "\n".join(self.screen()))
        self.close()


def attached(place: Place, *words: str, rows: int = 24, cols: int = 80, **more: Any) -> Window:
    """`shpool attach` in a window."""
    return Window(place, place.command("attach", *words), rows, cols, **more)


def outside(
    place: Place, rows: int = 24, cols: int = 80, program: Sequence[str] | None = None
) -> Window:
    """A user's own shell in a window, in which `shpool` can be typed; `program` is run for that."""
    words = " ".join(program or place.command())
    setup = place.scratch / "outside.sh"
    setup.write_text(f"PS1='outside$ '; shpool() {{ {words} \"$@\"; }}; unset HISTFILE\n")
    window = Window(place, ["bash", "--noprofile", "--rcfile", str(setup), "-i"], rows, cols)
    window.until_shown("outside$")
    return window
