"""A real shell, started as planned, on a real pty, with a home of its own."""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import subprocess
import termios
import time
from pathlib import Path

import pytest

from shpool.daemon.programs import shells
from tests.programs import need

DEFAULT_PREFIX = "shpool:$SHPOOL_SESSION_NAME "

# By which its marks are known.
AID = "0123abcd"

# Generous: a condition that holds is seen at once, so only a failure takes this long.
PATIENCE_S = 40.0

_ESCAPES = re.compile(
    r"""
    \x1b\[ [0-?]* [ -/]* [@-~]      # CSI
    | \x1b\] .*? (?: \x07 | \x1b\\) # OSC
    | \x1b [PX^_] .*? \x1b\\        # DCS, SOS, PM, APC
    | \x1b [ -/]+ [0-~]             # character sets
    | \x1b [0-~]
    """,
    re.VERBOSE | re.DOTALL,
)

# zsh's mark for a line without end, when it is painted over.
_MARK = re.compile(r"[%#] +\r \r")


class ShellOnPty:
    """`files` maps names below the home directory to what stands in them."""

    def __init__(
        self,
        tmp_path: Path,
        shell: str,
        files: dict[str, str] | None = None,
        *,
        prefix: str = DEFAULT_PREFIX,
        start_cmd: str | None = None,
        norc: bool = False,
        env: dict[str, str] | None = None,
        session: str = "main",
        plain: bool = False,
        marks: bool = True,
    ) -> None:
        path = shell if "/" in shell else need(shell)
        self.home = tmp_path / "home"
        session_dir = tmp_path / "sessions" / session
        # Without this one fish begins to parse all manual pages.
        completions = self.home / ".local/share/fish/generated_completions"
        for directory in (completions, session_dir):
            directory.mkdir(parents=True, exist_ok=True)
        for name, content in (files or {}).items():
            file = self.home / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        environment = {
            "HOME": str(self.home),
            "USER": "tester",
            "SHELL": path,
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "TERM": "xterm",
            "SHPOOL_SESSION_NAME": session,
            "SHPOOL_SESSION_DIR": str(session_dir),
        } | (env or {})
        start = shells.plan(
            path,
            session_dir=str(session_dir),
            prompt_prefix="" if plain else prefix,
            start_cmd=None if plain else start_cmd,
            norc=norc,
            env=environment,
            aid=AID if marks and not plain else "",
        )
        for name, content in start.files.items():
            Path(name).parent.mkdir(exist_ok=True)
            Path(name).write_bytes(os.fsencode(content))
        master, slave = os.openpty()
        try:
            fcntl.ioctl(slave, termios.TIOCSWINSZ, b"\x28\x00\xc8\x00\x00\x00\x00\x00")
            self._process = subprocess.Popen(
                start.argv,
                executable=path,
                env=start.env,
                cwd=self.home,
                stdin=slave,
                stdout=slave,
                stderr=slave,
                start_new_session=True,
                preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            )
        except BaseException:
            os.close(master)
            raise
        finally:
            os.close(slave)
        self._master = master
        self._raw = b""
        self.seen = ""
        self.output = b""  # every byte

    def __enter__(self) -> ShellOnPty:
        return self

    def __exit__(self, *reason: object) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.close(self._master)
        self._process.wait(PATIENCE_S)

    def expect(self, pattern: str) -> re.Match[str]:
        """Read until `pattern` stands in what has not been matched yet; go on behind it."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            text = self._text()
            if match := re.search(pattern, text, re.DOTALL):
                self.seen += text[: match.end()]
                self._raw = text[match.end() :].encode()
                return match
            if not self._read(deadline):
                pytest.fail(f"{pattern!r} did not come: {self.seen[-300:]!r} {text!r}")

    def interrupt(self, pattern: str) -> None:
        """^C until `pattern` is there: shells take no notice of one that comes while they draw."""
        text = self._text()
        self.seen += text
        self._raw = b""
        for _ in range(int(PATIENCE_S)):
            self.type("\x03")
            deadline = time.monotonic() + 1
            while self._read(deadline):
                if re.search(pattern, self._text(), re.DOTALL):
                    self.expect(pattern)
                    return
        pytest.fail(f"{pattern!r} did not come after ^C: {text!r} {self._text()!r}")

    def expect_end(self) -> int:
        """Read until the shell has gone and return its status; negative for a signal."""
        deadline = time.monotonic() + PATIENCE_S
        while self._read(deadline):
            pass
        self.seen += self._text()
        return self._process.wait(max(0, deadline - time.monotonic()))

    def _text(self) -> str:
        """What has been read and not matched: without escape sequences, lines ended by \\n."""
        text = _ESCAPES.sub("", self._raw.decode(errors="replace"))
        text = _MARK.sub("", text)
        if not self.seen or self.seen.endswith("\n"):
            text = text.lstrip("\r")
        return re.sub(r"\r*\n\r*", "\n", text)

    def _read(self, deadline: float) -> bool:
        readable, _, _ = select.select([self._master], [], [], max(0, deadline - time.monotonic()))
        if not readable:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # EIO: nobody has the other side any more
            return False
        self._answer(data)
        self._raw += data
        self.output += data
        return bool(data)

    @property
    def marks(self) -> list[str]:
        """The marks of ours so far, without what makes them so, and without the numbers of A."""
        found = re.findall(rb"\x1b\]133;([A-D][^\x07\x1b]*)\x07", self.output)
        ours = [each.decode() for each in found if f";aid={AID}".encode() in each]
        return [re.sub(r";aid=\w+|;n=\d+", "", each) for each in ours]

    def _answer(self, data: bytes) -> None:
        # fish 4 waits for these.
        if b"\x1b[c" in data or b"\x1b[0c" in data:
            os.write(self._master, b"\x1b[?62c")

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def run(self, command: str) -> None:
        self.type(command + "\r")

    def tell(self, word: str) -> str:
        """What the shell makes of `word`; its own echo cannot be mistaken for the answer."""
        self.run(rf"printf '\002%s\003' {word}")
        return self.expect("\x02(.*?)\x03")[1]
