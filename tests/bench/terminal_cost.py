"""What the terminal model costs: `python3 -m tests.bench.terminal_cost [--json] [--quick]`.

Rates are the best of several rounds on one core, in MB (10^6 bytes) a second of its time. pyte,
another terminal in Python, reads the same bytes in the same run: its ratio says more than a rate
does, which depends on the machine.
"""

from __future__ import annotations

import argparse
import importlib
import json
import random
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from shpool.terminal.backlog import Backlog
from shpool.terminal.model import Terminal
from tests.bench.streams import DEAR, VTEBENCH, Stream, true_colour, true_colour_foreground
from tests.terminal.recorded import stream

ROWS, COLS = 24, 80
SIZES = ((ROWS, COLS), (70, 280))  # of which the second is a maximised window
HISTORY = 500
CHUNK = 65536  # what one read of a pty gives at most, about
RECORDED = ("vim", "htop", "less", "tmux")


@dataclass
class Figure:
    """One measured value and the bound it is held against."""

    name: str
    value: float
    unit: str
    bound: float | None = None
    at_least: bool = True
    pyte: float | None = None  # the same for pyte

    @property
    def kept(self) -> bool | None:
        if self.bound is None:
            return None
        return self.value >= self.bound if self.at_least else self.value <= self.bound


def plain(size: int) -> bytes:
    """Lines as a compiler or a log prints them."""
    pick = random.Random(1)
    words = [b"some", b"output", b"of", b"a", b"build", b"src/terminal/model.c", b"ok", b"0.25s"]
    return _lines(size, lambda: b" ".join(pick.choices(words, k=pick.randint(3, 14))))


def coloured(size: int) -> bytes:
    """`ls -l --color` of a mixed directory."""
    pick = random.Random(2)
    names = [b"\x1b[01;34mdirectory\x1b[0m", b"\x1b[01;32mrun.sh\x1b[0m", b"plain.txt"]
    names += [b"\x1b[01;31marchive.tar.gz\x1b[0m", b"\x1b[01;36mlink\x1b[0m -> target"]
    head = b"-rw-r--r--  1 user user %8d Jan  1 00:00 "
    return _lines(size, lambda: head % pick.randint(0, 10**7) + pick.choice(names))


def rainbow(size: int) -> bytes:
    """A colour for each character."""
    pick = random.Random(3)
    out = bytearray()
    while len(out) < size:
        colour = pick.randrange(256)
        out += b"\x1b[38;5;%dm%c" % (colour, 97 + colour % 26)
    return bytes(out)


def jumping(size: int) -> bytes:
    """The cursor goes somewhere else for each few characters."""
    pick = random.Random(4)
    out = bytearray()
    while len(out) < size:
        out += b"\x1b[%d;%dH%d" % (pick.randint(1, ROWS), pick.randint(1, COLS), pick.randrange(99))
    return bytes(out)


def emoji(size: int) -> bytes:
    """Wide characters, marks and joined clusters."""
    pick = random.Random(5)
    clusters = ["😀", "👩\u200d💻", "漢", "e\u0301", "❤\ufe0f", "🇩🇪", "한", "👍🏽", "a"]
    return _lines(size, lambda: "".join(pick.choices(clusters, k=30)).encode())


def recorded(names: tuple[str, ...], size: int) -> bytes:
    """Recorded programs, one after the other, until there is enough."""
    once = b"".join(stream(name).data for name in names)
    return once * max(1, size // len(once))


def _lines(size: int, line: Callable[[], bytes]) -> bytes:
    out = bytearray()
    while len(out) < size:
        out += line() + b"\r\n"
    return bytes(out)


def seconds(run: Callable[[], object], rounds: int) -> float:
    """The processor's seconds for the shortest of several runs."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        run()
        best = min(best, time.process_time() - start)
    return best


def model_rate(data: bytes, rounds: int) -> float:
    def run() -> None:
        terminal = Terminal(ROWS, COLS, HISTORY)
        for start in range(0, len(data), CHUNK):
            terminal.feed(data[start : start + CHUNK])

    return len(data) / seconds(run, rounds) / 1e6


def pyte_rate(data: bytes, rounds: int) -> float | None:
    """The same for pyte without a history; None if it is not installed. It reads a part only."""
    try:
        pyte: Any = importlib.import_module("pyte")
    except ImportError:
        return None
    part = data[: 400_000 if rounds > 1 else 100_000]

    class Screen(pyte.Screen):  # type: ignore[misc]
        def select_graphic_rendition(self, *attributes: int, private: bool = False) -> None:
            if not private:  # pyte itself raises here on what vim writes
                super().select_graphic_rendition(*attributes)

    def run() -> None:
        reader = pyte.ByteStream(Screen(COLS, ROWS))
        for start in range(0, len(part), CHUNK):
            reader.feed(part[start : start + CHUNK])

    return len(part) / seconds(run, min(rounds, 2)) / 1e6


def backlog_rate(data: bytes, rounds: int) -> float:
    """A flood appended and caught up with at the end, most of it skipped."""

    def run() -> None:
        backlog = Backlog(Terminal(ROWS, COLS, HISTORY))
        for start in range(0, len(data), CHUNK):
            backlog.append(data[start : start + CHUNK])
        backlog.catch_up()

    return len(data) / seconds(run, rounds) / 1e6


def rates(size: int, rounds: int) -> list[Figure]:
    inputs = [
        ("plain text", plain(size), 40.0),
        ("coloured ls -l", coloured(size), None),
        ("recorded " + ", ".join(RECORDED), recorded(RECORDED, size), 10.0),
        *((f"recorded {name}", recorded((name,), size // 2), 10.0) for name in RECORDED),
        ("worst: a colour for each character", rainbow(size // 2), 3.0),
        ("worst: cursor moves", jumping(size // 2), 3.0),
        ("worst: emoji", emoji(size // 2), 3.0),
    ]
    figures = []
    for name, data, bound in inputs:
        rate, other = model_rate(data, rounds), pyte_rate(data, rounds)
        figures.append(Figure(name, rate, "MB/s", bound, pyte=other))
        if other and name.startswith("recorded"):
            figures.append(Figure(f"  {name}, times pyte", rate / other, "x", 6.0))
    for name, data in (("plain", plain(size * 4)), ("coloured", coloured(size * 4))):
        figures.append(Figure(f"backlog, {name} flood", backlog_rate(data, rounds), "MB/s"))
    return figures


def kind_seconds(kind: Stream, rows: int, cols: int, size: int, rounds: int) -> tuple[float, int]:
    """The processor's seconds for about so many bytes of a kind, and how many they were, from where
    its endless part begins."""
    start = len(kind(rows, cols, 0))
    data = kind(rows, cols, start + size)
    best = float("inf")
    for _ in range(rounds):
        terminal = Terminal(rows, cols, HISTORY)
        terminal.feed(data[:start])
        began = time.process_time()
        for at in range(start, len(data), CHUNK):
            terminal.feed(data[at : at + CHUNK])
        best = min(best, time.process_time() - began)
    return best, len(data) - start


def kinds(size: int, rounds: int) -> list[Figure]:
    """vtebench's kinds and pictures by their rate, what is dear by what a byte costs."""
    figures = []
    pictures = {"true colour": true_colour, "true colour, foreground": true_colour_foreground}
    for rows, cols in SIZES:
        for name, kind in {**VTEBENCH, **pictures}.items():
            bound = 8.0 if "region" in name else 4.0 if name in pictures else 3.0
            spent, count = kind_seconds(kind, rows, cols, size, rounds)
            figures.append(Figure(f"{name}, {rows}x{cols}", count / spent / 1e6, "MB/s", bound))
    for rows, cols in SIZES:
        for name, kind in DEAR.items():
            spent, count = kind_seconds(kind, rows, cols, 2000, rounds)
            figures.append(Figure(f"dear: {name}, {rows}x{cols}", spent / count * 1e6, "us/B"))
    return figures


def restores(rounds: int) -> list[Figure]:
    screen = Terminal(ROWS, COLS, HISTORY)
    screen.feed(stream("vim").data[:6000])
    shell = Terminal(ROWS, COLS, HISTORY)
    shell.feed(coloured(20_000))
    lines = Terminal(ROWS, COLS, 10_000)
    lines.feed(
        _lines(900_000, lambda: b"a line of plain text of some sixty columns, as in a log file")
    )
    many = Terminal(ROWS, COLS, 10_000)
    many.feed(coloured(900_000))
    again = rounds * 20

    def milliseconds(terminal: Terminal, history: int, times: int) -> float:
        return seconds(lambda: terminal.restore(history), times) * 1e3

    return [
        Figure("restore, 24x80, vim", milliseconds(screen, 0, again), "ms", 0.5, False),
        Figure("restore, 24x80, ls -l", milliseconds(shell, 0, again), "ms", 0.5, False),
        Figure("restore, 10,000 lines", milliseconds(lines, 10_000, rounds), "ms", 15.0, False),
        Figure("restore, 10,000 lines of ls -l", milliseconds(many, 10_000, rounds), "ms"),
    ]


def resizes(rounds: int) -> list[Figure]:
    terminal = Terminal(ROWS, COLS, 10_000)
    terminal.feed(plain(900_000))
    widths = iter(range(40, 40 + 10 * rounds))
    once = seconds(lambda: terminal.resize(ROWS, next(widths)), rounds)
    return [Figure("resize, 10,000 lines of history", once * 1e3, "ms")]


def memory() -> list[Figure]:
    line = b"x" * 80
    tracemalloc.start()
    try:
        # Tables and memos of the module are shared by all sessions, so they are filled before.
        Terminal(ROWS, COLS, HISTORY).feed((line + b"\r\n") * 600)
        before = tracemalloc.get_traced_memory()[0]
        terminal = Terminal(ROWS, COLS, HISTORY)
        for n in range(600):
            terminal.feed(b"%03d " % n + line[4:] + b"\r\n")
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    return [Figure("memory, 500 lines of 80 columns", used / 1024, "KiB", 100.0, False)]


def measure(size: int, rounds: int) -> list[Figure]:
    return [
        *rates(size, rounds),
        *kinds(size // 4, min(rounds, 3)),
        *restores(rounds),
        *resizes(rounds),
        *memory(),
    ]


def table(figures: list[Figure]) -> str:
    rows = []
    for figure in figures:
        verdict = {None: "", True: "kept", False: "MISSED"}[figure.kept]
        bound = (
            "" if figure.bound is None else f"{'>=' if figure.at_least else '<='} {figure.bound:g}"
        )
        other = "" if figure.pyte is None else f"{figure.pyte:.2f}"
        value = f"{figure.value:.2f} {figure.unit}"
        rows.append(f"{figure.name:<52}{value:>14}{bound:>10}{verdict:>8}{other:>8}")
    head = f"{'':<52}{'measured':>14}{'bound':>10}{'':>8}{'pyte':>8}"
    return "\n".join([head, *rows])


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="terminal_cost", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    parser.add_argument("--quick", action="store_true", help="one short round of each")
    options = parser.parse_args(arguments)
    size, rounds = (200_000, 1) if options.quick else (4_000_000, 5)
    figures = measure(size, rounds)
    if options.json:
        print(json.dumps([{**asdict(f), "kept": f.kept} for f in figures], indent=1))
    else:
        print(table(figures))
    return 0 if all(figure.kept is not False for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
