"""A program on a pty, with us as the terminal emulator that shows nothing and answers nothing."""

from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.e2e.waiting import DEADLINE

_NOT_TEXT = re.compile(
    r"""
      \x1b\[ [0-?]* [ -/]* [@-~]        # CSI
    | \x1b\] [^\x07\x1b]* (\x07|\x1b\\)  # OSC
    | \x1b [ -/]* [0-~]                # other sequences
    | [\x00-\x09\x0b-\x1f]            # controls but the newline
    """,
    re.VERBOSE,
)


class Terminal:
    """A program on a pty of its own, which is its controlling terminal; we are the emulator.

    `output` is all that it has shown so far; it is only read while something is waited for.
    `first_modes` are the terminal's when the program was started.
    """

    def __init__(
        self,
        argv: Sequence[str],
        env: dict[str, str],
        cwd: str | Path = "/",
        rows: int = 24,
        cols: int = 80,
    ) -> None:
        self.master, slave = os.openpty()
        self.output = b""
        self._seen = 0
        self._questions = 0
        self._ended = False
        self.resize(rows, cols)
        self.first_modes = self.modes()  # before the program could change them
        try:
            # setsid becomes the program. With preexec_fn all memory of the tests would be forked,
            # which takes ten times as long.
            self.process = subprocess.Popen(
                ["setsid", "--ctty", *argv],
                stdin=slave,
                stdout=slave,
                stderr=slave,
                env=env,
                cwd=cwd,
            )
        finally:
            os.close(slave)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def device(self) -> str:
        """The path of the terminal's device."""
        return os.readlink(f"/proc/{self.pid}/fd/0")

    def resize(self, rows: int, cols: int) -> None:
        """As if the user had dragged the window's corner."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("4H", rows, cols, 0, 0))

    def modes(self) -> list[Any]:
        """The terminal's modes, as tcgetattr has them."""
        return termios.tcgetattr(self.master)

    def is_raw(self) -> bool:
        return not self.modes()[3] & (termios.ECHO | termios.ICANON)

    def send(self, data: bytes | str) -> None:
        """Type; a program that does not read must be handled by the test."""
        raw = data.encode() if isinstance(data, str) else data
        while raw:
            raw = raw[os.write(self.master, raw) :]

    def expect(self, pattern: bytes | str, timeout: float = DEADLINE) -> re.Match[bytes]:
        """Read until `pattern` matches what came after the last match."""
        compiled = re.compile(pattern.encode() if isinstance(pattern, str) else pattern, re.DOTALL)
        deadline = time.monotonic() + timeout
        while True:
            match = compiled.search(self.output, self._seen)
            if match:
                self._seen = match.end()
                return match
            if not self._read(max(0, deadline - time.monotonic())):
                state = "the end of the terminal" if self._ended else f"{timeout} s"
                shown = self.output[self._seen :][-2000:]
                raise AssertionError(f"not seen before {state}: {pattern!r}; but: {shown!r}")

    def shows(self, pattern: bytes | str) -> bool:
        """Whether `pattern` is in what is to be read by now, or soon; the latter is consumed."""
        raw = pattern.encode() if isinstance(pattern, str) else pattern
        while self._read(0.1):
            pass
        found = re.search(raw, self.output[self._seen :], re.DOTALL) is not None
        self._seen = len(self.output)
        return found

    def _read(self, timeout: float) -> bool:
        """Take what comes next; False when nothing does."""
        if self._ended or not select.select([self.master], [], [], timeout)[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:  # EIO: nobody has the other side open any more
            data = b""
        self._ended = not data
        self.output += data
        return bool(data)

    def ask(self, command: str) -> str:
        """What `command` prints when it is typed to the shell in this terminal."""
        self._questions += 1
        number = f"{self.pid}.{self._questions}"
        # The mark is typed with quotes in it, so the echo of what is typed does not match.
        self.send(f"echo @''{number}@; {command}; echo @''{number}@\n")
        match = self.expect(rf"@{re.escape(number)}@\r\n(.*?)@{re.escape(number)}@\r\n")
        return match[1].decode().replace("\r\n", "\n")

    def wait(self) -> int:
        """Read to the end of the program; its exit status, -N if signal N killed it."""
        deadline = time.monotonic() + DEADLINE
        pidfd = os.pidfd_open(self.pid) if self.process.returncode is None else -1
        try:
            while self.process.poll() is None:
                if time.monotonic() > deadline:
                    raise AssertionError(f"still runs; shown: {self.output[-2000:]!r}")
                watched = [pidfd] if self._ended else [pidfd, self.master]
                if self.master in select.select(watched, [], [], 1)[0]:
                    self._read(0)
        finally:
            if pidfd >= 0:
                os.close(pidfd)
        while self._read(0):
            pass
        return self.process.returncode

    def text(self) -> str:
        """All that was shown, without escape sequences and control characters."""
        return _NOT_TEXT.sub("", self.output.decode("utf-8", "replace"))

    def hang_up(self) -> None:
        """Close the window."""
        if self.master >= 0:
            os.close(self.master)
            self.master = -1
            self._ended = True

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        self.kill()
        self.hang_up()
