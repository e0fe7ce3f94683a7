"""The terminal that judges the model: @xterm/headless, driven through one long-lived Node process.

A judge knows nothing of the model: it is fed bytes and tells what stands on its screens.
`difference` says in words where two such states first differ; what it treats as equal is listed
in `differ.py` and explained in README.md.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

from .differ import State, difference

__all__ = ["Node", "State", "Xterm", "difference", "missing"]

HERE = Path(__file__).parent
PACKAGES = ("@xterm/headless", "@xterm/addon-unicode11")


def missing() -> str:
    """What this judge lacks on this machine, in words; empty when it can run."""
    if shutil.which("node") is None:
        return "node is not installed: apt install nodejs npm"
    for package in PACKAGES:
        if not (HERE / "node_modules" / package / "package.json").exists():
            return f"{package} is not installed: run `npm ci` in tests/terminal/judge"
    return ""


class JudgeError(Exception):
    """The Node side answered with an error, or went away."""


class Node:
    """The Node process; any number of terminals live in it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["node", str(HERE / "judge.js")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=HERE,
        )
        self._last = 0

    def call(self, op: str, **arguments: Any) -> Any:
        """One request and its answer."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"op": op, **arguments}).encode() + b"\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise JudgeError("the Node process ended")
        answer = json.loads(line)
        if "error" in answer:
            raise JudgeError(answer["error"])
        return answer["ok"]

    def new(self, rows: int, cols: int, scrollback: int = 0) -> Xterm:
        """A fresh terminal. Without scrollback a saved cursor stays on its row, as in xterm."""
        self._last += 1
        return Xterm(self, self._last, rows, cols, scrollback)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


class Xterm:
    """One terminal; a context manager that frees it."""

    def __init__(self, node: Node, number: int, rows: int, cols: int, scrollback: int) -> None:
        self._node = node
        self._id = number
        self._dumped: dict[bool, State] = {}  # since it was last told anything
        node.call("new", id=number, rows=rows, cols=cols, scrollback=scrollback)

    def write(self, data: bytes) -> Xterm:
        self._dumped = {}
        self._node.call("write", id=self._id, data=data.decode("latin-1"))
        return self

    def resize(self, rows: int, cols: int) -> Xterm:
        self._dumped = {}
        self._node.call("resize", id=self._id, rows=rows, cols=cols)
        return self

    def dump(self, history: bool = False) -> State:
        """Everything the terminal knows; with the rows of its scrollback when asked."""
        if history not in self._dumped:
            self._dumped[history] = self._node.call("dump", id=self._id, history=history)
        return self._dumped[history]

    def answers(self) -> str:
        """What was answered to queries so far."""
        return str(self._node.call("answers", id=self._id))

    def close(self) -> None:
        self._node.call("close", id=self._id)

    def __enter__(self) -> Xterm:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
