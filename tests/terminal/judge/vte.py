"""VTE as a judge of emoji and of the alternate screen, where xterm.js has its own ways."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PYTHON = "/usr/bin/python3"
ASK = "import gi; gi.require_version('Gtk', '3.0'); gi.require_version('Vte', '2.91')"


def missing() -> str:
    """What this judge lacks on this machine, in words; empty when it can run."""
    if os.access(PYTHON, os.X_OK):
        known = subprocess.run([PYTHON, "-c", ASK], capture_output=True, check=False)
        if known.returncode == 0:
            return ""
    return "VTE (Debian's gir1.2-vte-2.91 and python3-gi) is not installed"


class Vte:
    """The process with any number of VTE's terminals, in an X server of this name."""

    def __init__(self, display: str) -> None:
        self._process = subprocess.Popen(
            [PYTHON, str(HERE / "vte_side.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it would like to have a desktop
            env={"DISPLAY": display, "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        )
        self._last = 0

    def call(self, op: str, **arguments: Any) -> Any:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"op": op, **arguments}).encode() + b"\n")
        stdin.flush()
        return json.loads(stdout.readline() or b'{"error": "the process ended"}')["ok"]

    def new(self, rows: int, cols: int) -> VteScreen:
        self._last += 1
        self.call("new", id=self._last, rows=rows, cols=cols)
        return VteScreen(self, self._last)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


class VteScreen:
    """One terminal of VTE's."""

    def __init__(self, vte: Vte, number: int) -> None:
        self._vte = vte
        self._id = number

    def write(self, data: bytes) -> VteScreen:
        self._vte.call("write", id=self._id, data=data.decode("latin-1"))
        return self

    def dump(self) -> dict[str, Any]:
        """The text of its screen, and the cursor's row and column."""
        state: dict[str, Any] = self._vte.call("dump", id=self._id)
        return state

    def close(self) -> None:
        self._vte.call("close", id=self._id)
