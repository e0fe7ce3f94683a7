"""Records what real programs write to a terminal: `python3 -m tests.terminal.record [NAME...]`.

The program runs on a pty of its own, in namespaces of its own (Linux, root): the host is called
`box`, the home is an empty /home/user, other processes are not seen, so that nothing of the machine
stands in a recording. A judge plays the terminal and answers its queries. What is typed, and when,
is in scripts.py; a script's pauses become the marks at which nothing was in flight.
"""

from __future__ import annotations

import fcntl
import json
import lzma
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path
from typing import Protocol

from .judge import Node
from .judge.kitty import Kitty
from .scripts import SCRIPTS, Script

STREAMS = Path(__file__).parent / "streams"
INDEX = STREAMS / "index.json"

QUIET = 0.5  # seconds without output that end a step
PATIENCE = 6.0  # seconds after which a step ends although output goes on
START = 4.0  # seconds a program has for its first output

INSIDE = (
    "exec 9>/dev/null; hostname box; mount -t tmpfs none /home && mkdir /home/user && cd /home/user"
    " && {\n%s\n} >&9 2>&9 </dev/null; exec 9>&-; exec %s"
)


class Answering(Protocol):
    """A terminal as the recorder needs it."""

    def write(self, data: bytes) -> object: ...

    def answers(self) -> str: ...


class Recording:
    """One program on its pty, and what it wrote so far."""

    def __init__(self, script: Script, terminal: Answering) -> None:
        self.output = bytearray()
        self.marks: list[int] = []
        self._terminal = terminal
        self._answered = 0
        self._ended = False
        self._pid, self._master = pty.fork()
        if self._pid == 0:
            _become(script)
        size = struct.pack("HHHH", script.rows, script.cols, 0, 0)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def type(self, data: bytes) -> None:
        if not self._ended:
            os.write(self._master, data)

    def settle(self, patience: float, *, must_begin: bool = True) -> None:
        """Read until the program is quiet, and mark the place."""
        deadline = time.monotonic() + patience
        begun = not must_begin
        while not self._ended and time.monotonic() < deadline:
            ready, _, _ = select.select([self._master], [], [], QUIET)
            if ready:
                self._read()
                begun = True
            elif begun:
                break
        self.marks.append(len(self.output))

    def _read(self) -> None:
        try:
            data = os.read(self._master, 65536)
        except OSError:  # EIO: the last process on the pty is gone
            data = b""
        if not data:
            self._ended = True
            return
        self.output += data
        self._terminal.write(data)
        answers = self._terminal.answers()
        if len(answers) > self._answered:
            self.type(answers[self._answered :].encode("latin-1"))
            self._answered = len(answers)

    def end(self) -> None:
        os.close(self._master)
        try:
            os.kill(self._pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(self._pid, 0)


def _become(script: Script) -> None:
    """In the child: the program in its namespaces, once the pty has its size."""
    time.sleep(0.1)
    environment = {
        "TERM": script.term,
        "HOME": "/home/user",
        "USER": "user",
        "LOGNAME": "user",
        "LANG": "C.UTF-8",
        "PATH": "/usr/bin:/bin:/usr/sbin:/sbin:/usr/games",
        "PS1": "$ ",
        "PS2": "> ",
        "SHELL": "/bin/sh",
        "TZ": "UTC",
        **script.env,
    }
    inside = INSIDE % (script.prepare or ":", script.command)
    namespaces = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--uts", "--mount"]
    os.execvpe("unshare", [*namespaces, "sh", "-c", inside], environment)


def record(script: Script, terminal: Answering) -> tuple[bytes, list[int]]:
    """Run the script: the bytes, and the offsets at which the program had fallen quiet."""
    recording = Recording(script, terminal)
    recording.settle(START + PATIENCE)
    for typed in script.steps:
        recording.type(typed.encode())
        recording.settle(PATIENCE, must_begin=False)
    recording.end()
    return bytes(recording.output[: script.limit]), recording.marks


def main(names: list[str]) -> None:
    index = json.loads(INDEX.read_text()) if INDEX.exists() else {}
    node, kitty = Node(), Kitty()
    for script in SCRIPTS:
        if names and script.name not in names:
            continue
        if script.terminal == "kitty":
            terminal: Answering = kitty.new(script.rows, script.cols)
        else:
            terminal = node.new(script.rows, script.cols)
        data, marks = record(script, terminal)
        packed = lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)
        (STREAMS / f"{script.name}.xz").write_bytes(packed)
        index[script.name] = {
            "rows": script.rows,
            "cols": script.cols,
            "marks": sorted({mark for mark in marks if mark <= len(data)}),
        }
        print(f"{script.name}: {len(data)} bytes, {len(packed)} packed, {len(marks)} marks")
    text = ",\n".join(f"  {json.dumps(name)}: {json.dumps(index[name])}" for name in sorted(index))
    INDEX.write_text("{\n" + text + "\n}\n")
    node.close()
    kitty.close()


if __name__ == "__main__":
    main(sys.argv[1:])
