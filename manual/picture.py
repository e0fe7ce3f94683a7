"""python3 -m manual.picture [FILE]: the picture in README.md, into manual/shpool.svg if not told.

What it shows was really done: somebody at work in a session, whose client is killed in the middle
of a line, and the same session in another terminal, of another size.  The two terminals are
sessions themselves, of a daemon of their own, and `shpool peek --svg` draws them.  It needs bash
and GNU ls and grep.
"""

import contextlib
import fcntl
import json
import os
import re
import shlex
import signal
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "manual" / "shpool.svg"

_FILES = {
    "Makefile": "all: parser\n",
    "dates.c": "/* TODO: leap seconds */\n",
    "parser.c": "int main(void)\n{\n\treturn parse_date(); /* TODO: zones */\n}\n",
    "README": "Dates, read.\n",
}
# Without start-up files: those of this machine are not to be seen in it.
_CONFIG = r"""
shell = "/bin/bash"
norc = true
default_dir = "{root}/home"
initial_path = "{root}/bin:/usr/local/bin:/usr/bin:/bin"
[env]
PS1 = '\[\e[32m\]me@host\[\e[0m\]:\[\e[94m\]\w\[\e[0m\]$ '
HOME = "{root}/home"
LS_COLORS = "di=1;34"
GREP_COLORS = "ms=1;31:fn=35:ln=32:se=36"
LC_ALL = "C.UTF-8"
"""

_CAPTIONS = (
    "The connection is lost in the middle of a line:",
    "Later, in another terminal, shpool attach main:",
)
_CAPTION, _GAP, _MARGIN = 26, 10, 8  # pixels


class _World:
    """A home with something to work at in `root`, and two daemons: in sessions of the `outer` one
    somebody sits at a terminal, and attaches to sessions of the `inner` one."""

    def __init__(self, root: Path) -> None:
        self._root = root
        for folder in ("home/src", "bin", "inner", "outer"):
            (root / folder).mkdir(parents=True, mode=0o700)
        for file, text in _FILES.items():
            (root / "home/src" / file).write_text(text)
        config = _CONFIG.format(root=root)
        (root / "inner.toml").write_text(config)
        (root / "outer.toml").write_text('prompt_prefix = ""\n' + config)
        inside = shlex.join(self._program("inner"))
        (root / "bin/shpool").write_text(
            f'#!/bin/sh\nXDG_RUNTIME_DIR={shlex.quote(str(root / "inner"))} exec {inside} "$@"\n'
        )
        (root / "bin/shpool").chmod(0o700)

    def _program(self, daemon: str) -> "list[str]":
        main = str(ROOT / "shpool" / "__main__.py")
        return [sys.executable, "-IS", main, "--config-file", str(self._root / f"{daemon}.toml")]

    def shpool(self, daemon: str, *arguments: str, stdin: int = subprocess.DEVNULL) -> str:
        """What the command prints.  Raises CalledProcessError if it fails."""
        environ = {
            "HOME": str(self._root / "home"),
            "XDG_RUNTIME_DIR": str(self._root / daemon),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "SHELL": "/bin/bash",
            "TERM": "xterm-256color",
            "LC_ALL": "C.UTF-8",
        }
        command = [*self._program(daemon), *arguments]
        done = subprocess.run(
            command, stdin=stdin, stdout=subprocess.PIPE, check=True, env=environ, encoding="utf-8"
        )
        return done.stdout

    def sit_down(self, terminal: str, rows: int, cols: int) -> None:
        master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", rows, cols, 0, 0))
        self.shpool("outer", "attach", "-b", terminal, stdin=slave)
        os.close(slave)
        os.close(master)

    def type(self, terminal: str, text: str, *, until: str) -> None:
        """`until`: what is on the terminal once it has taken effect, a regular expression."""
        self.shpool("outer", "send", terminal, *([text] if text.endswith(" ") else ["-e", text]))
        self.shpool("outer", "wait", terminal, "--text", until, "--timeout", "30s")

    def stop(self) -> None:
        for daemon in ("outer", "inner"):
            with contextlib.suppress(subprocess.CalledProcessError):  # it was not started
                self.shpool(daemon, "stop", "--yes")


def _at_work(world: _World) -> "list[str]":
    """The terminal before and after, as SVG."""
    world.sit_down("before", 10, 80)
    world.type("before", "shpool attach main", until=r"shpool:main me@host:~\$ $")
    look = "cd src; ls --color; grep -n --color TODO *.c"
    world.type("before", look, until=r"shpool:main me@host:~/src\$ $")
    world.type("before", 'git commit -m "Read dates with their time ', until="their time $")
    frames = [world.shpool("outer", "peek", "before", "--svg")]
    (session,) = json.loads(world.shpool("inner", "list", "--json"))["sessions"]
    os.kill(session["attachments"][0]["pid"], signal.SIGKILL)
    world.shpool("inner", "wait", "main", "--detached")
    world.sit_down("after", 10, 88)
    world.type("after", "shpool attach main", until="their time $")
    return [*frames, world.shpool("outer", "peek", "after", "--svg")]


def _one_above_the_other(frames: "list[str]") -> str:
    sizes = [_size(frame) for frame in frames]
    width = max(width for width, _ in sizes) + 2 * _MARGIN
    y = _MARGIN
    drawn = []
    for caption, frame, (_, height) in zip(_CAPTIONS, frames, sizes):
        drawn.append(f'<text x="{_MARGIN}" y="{y + 16}" fill="#808080">{caption}</text>\n')
        y += _CAPTION
        drawn.append(re.sub("^<svg ", f'<svg x="{_MARGIN}" y="{y}" ', frame))
        y += height + _GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{y}"'
        f' viewBox="0 0 {width:g} {y}">\n<title>A session outlives its client</title>\n'
        f'<g font-family="sans-serif" font-size="15">\n{"".join(drawn)}</g>\n</svg>\n'
    )


def _size(frame: str) -> "tuple[float, int]":
    """Width and height in pixels."""
    found = re.match(r'<svg [^>]* width="([\d.]+)" height="(\d+)"', frame)
    assert found is not None
    return float(found[1]), int(found[2])


def draw() -> str:
    """The picture, drawn anew."""
    with tempfile.TemporaryDirectory(prefix="shp-", dir="/tmp") as folder:
        world = _World(Path(folder))
        try:
            return _one_above_the_other(_at_work(world))
        finally:
            world.stop()


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else PICTURE).write_text(draw(), encoding="utf-8")
