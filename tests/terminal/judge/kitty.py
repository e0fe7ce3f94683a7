"""kitty's Screen as a second judge, for what xterm.js cannot see: the kitty keyboard above all.

It runs without a window, from Debian's package, under the system's Python.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PYTHON = "/usr/bin/python3"
MODULE = Path("/usr/lib/kitty/kitty/fast_data_types.so")


def missing() -> str:
    """What this judge lacks on this machine, in words; empty when it can run."""
    if not MODULE.exists() or not os.access(PYTHON, os.X_OK):
        return "kitty is not installed as Debian has it: apt install kitty"
    return ""


class Kitty:
    """The process with any number of kitty screens."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [PYTHON, str(HERE / "kitty_side.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it reports there what it does not implement
        )
        self._last = 0

    def call(self, op: str, **arguments: Any) -> Any:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"op": op, **arguments}).encode() + b"\n")
        stdin.flush()
        answer = json.loads(stdout.readline() or b'{"error": "the process ended"}')
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["ok"]

    def new(self, rows: int, cols: int, scrollback: int = 0) -> KittyScreen:
        self._last += 1
        return KittyScreen(self, self._last, rows, cols, scrollback)

    def type(self, events: list[dict[str, Any]]) -> list[bytes]:
        """What it sends for each key event; see encode_key_for_tty() of its source."""
        return [sent.encode() for sent in self.call("type", id=0, events=events)]

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


class KittyScreen:
    """One screen of kitty's."""

    def __init__(self, kitty: Kitty, number: int, rows: int, cols: int, scrollback: int) -> None:
        self._kitty = kitty
        self._id = number
        kitty.call("new", id=number, rows=rows, cols=cols, scrollback=scrollback)

    def write(self, data: bytes) -> KittyScreen:
        self._kitty.call("write", id=self._id, data=data.decode("latin-1"))
        return self

    def dump(self) -> dict[str, Any]:
        """Text and look of both screens, cursor, pen, margins, keyboard flags, titles, colours."""
        state: dict[str, Any] = self._kitty.call("dump", id=self._id)
        return state

    def probe(self) -> dict[str, Any]:
        """Modes by DECRQM and both keyboard stacks; changes the screen, so it comes last."""
        state: dict[str, Any] = self._kitty.call("probe", id=self._id)
        return state

    def answers(self) -> str:
        """What was answered to queries so far."""
        return str(self._kitty.call("answers", id=self._id))

    def close(self) -> None:
        self._kitty.call("close", id=self._id)


def difference(expected: dict[str, Any], seen: dict[str, Any]) -> str:
    """The first difference of two dumps or two probes, in words."""
    for key, one in expected.items():
        two = seen[key]
        if one == two:
            continue
        if key in ("lines", "main"):
            for y, (row, other) in enumerate(zip(one, two)):
                if row != other:
                    return f"{key}, row {y}: expected {row}, seen {other}"
        return f"{key}: expected {one!r}, seen {two!r}"
    return ""
