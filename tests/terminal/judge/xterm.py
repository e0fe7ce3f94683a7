"""xterm itself, under Xvfb: the terminal that decides where the others differ.

It is given a pty's master (-S), so that a test stands where the program would: what is written to
the other end is shown, and what is read from there was answered.
"""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import tempfile
import tty
from pathlib import Path

from tests.e2e.waiting import eventually
from tests.programs import not_installed

DEADLINE = 20.0  # seconds for an answer of a machine that is busy


def missing() -> str:
    """What this judge lacks on this machine, in words; empty when it can run."""
    for program in ("Xvfb", "xterm"):
        if shutil.which(program) is None:
            return not_installed(program)
    return ""


class Display:
    """An X server without a screen."""

    def __init__(self) -> None:
        self._last = 0
        self.directory = Path(tempfile.mkdtemp(prefix="judge-"))
        reader, writer = os.pipe()
        # -noreset: without it the server is away for a while whenever its last client goes.
        options = ["-screen", "0", "2400x1800x24", "-nolisten", "tcp", "-noreset"]
        self._process = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writer), *options],
            pass_fds=[writer],
            stderr=subprocess.DEVNULL,
        )
        os.close(writer)
        with open(reader, "rb") as pipe:
            self.name = ":" + pipe.readline().decode().strip()

    def new(self, rows: int, cols: int) -> Real:
        self._last += 1
        return Real(self, self._last, rows, cols)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(DEADLINE)
        shutil.rmtree(self.directory)


class Real:
    """One xterm window."""

    def __init__(self, display: Display, number: int, rows: int, cols: int) -> None:
        self.rows = rows
        master, self._end = pty.openpty()
        tty.setraw(self._end)
        name = os.path.basename(os.ttyname(self._end))
        self._paper = display.directory / f"paper-{number}"
        self._paper.mkdir()
        resources = [
            # Scrollback and screen are printed by a process each, and not one after the other.
            f"XTerm*printerCommand: cat > {self._paper}/$$; true",
            "XTerm*printerAutoClose: true",
            "XTerm*printAttributes: 0",
        ]
        self._process = subprocess.Popen(
            ["xterm", f"-S{name}/{master}", "-geometry", f"{cols}x{rows}", "-u8", "-fn", "fixed"]
            + ["-sl", "500"]
            + [word for resource in resources for word in ("-xrm", resource)],
            pass_fds=[master],
            env={
                "DISPLAY": display.name,
                "PATH": os.environ["PATH"],
                "HOME": str(display.directory),
                "LC_ALL": "C.UTF-8",
            },
        )
        os.close(master)
        self._read_until(b"\n")  # its window's number

    def _read_until(self, end: bytes) -> bytes:
        seen = b""
        while not seen.endswith(end):
            assert select.select([self._end], [], [], DEADLINE)[0], f"xterm said only {seen!r}"
            piece = os.read(self._end, 4096)
            assert piece, f"xterm has gone, it said only {seen!r}"
            seen += piece
        return seen

    def ask(self, data: bytes) -> bytes:
        """Write to it; what it answers."""
        view = memoryview(data + b"\x1b[?9999$p")
        while view:
            view = view[os.write(self._end, view[:1024]) :]
        end = b"\x1b[?9999;0$y"
        return self._read_until(end).removesuffix(end)

    def write(self, data: bytes) -> Real:
        self.ask(data)
        return self

    def lines(self) -> list[str]:
        """The text of its scrollback and its screen, blank tails cut off.

        Of the processes that print, one may not have begun when the other is done: what counts is
        what is printed twice.
        """
        printed = self._print()

        def again() -> bool:
            nonlocal printed
            before, printed = printed, self._print()
            return printed == before

        eventually(again, "xterm prints the same twice")
        return printed

    def _print(self) -> list[str]:
        self.ask(b"\x1b[?11i")
        eventually(lambda: not self._printing() and any(self._paper.iterdir()), "it is printed")
        sheets = sorted(self._paper.iterdir(), key=lambda sheet: int(sheet.name))
        printed = "".join(sheet.read_text() for sheet in sheets)
        for sheet in sheets:
            sheet.unlink()
        return [line.rstrip() for line in printed.split("\n")[:-1]]

    def _printing(self) -> bool:
        """Returns whether a process prints: its command line names the paper, as xterm's does."""
        for command in Path("/proc").glob("[0-9]*/cmdline"):
            if command.parent.name == str(self._process.pid):
                continue
            try:
                if os.fsencode(self._paper) in command.read_bytes():
                    return True
            except OSError:
                pass  # it has ended
        return False

    def screen(self) -> list[str]:
        """The text of its screen."""
        return self.lines()[-self.rows :]

    def cursor(self) -> tuple[int, int]:
        """Row and column from 0."""
        row, column = self.ask(b"\x1b[6n")[2:-1].split(b";")
        return int(row) - 1, int(column) - 1

    def close(self) -> None:
        os.close(self._end)
        self._process.terminate()
        self._process.wait(DEADLINE)
