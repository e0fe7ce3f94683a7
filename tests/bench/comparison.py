"""python3 -m tests.bench.comparison: what becomes of a terminal and of a session's picture, in each
program of this kind that is on the PATH.

Each is driven on a pty, and what it writes there goes into a terminal model, shpool's own, which
the tests hold against real terminals.  The table is Markdown, as README.md has it.  The original
shpool is looked for under the name shpool-original.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

from shpool.terminal.model import Terminal
from tests.bench import echo, flood, report
from tests.bench.client import Client, Stuck
from tests.bench.contestants import Contestant, Dtach, Screen, Shpool, Tmux
from tests.bench.measuring import Bench, Sizes, say_on_stderr

ROWS, COLS = 24, 80
_LINES = 200
_SETTLED = 0.4  # seconds of silence after which nothing more is expected
_PATIENCE = 20.0
_SIZES = Sizes(repeats=5, flood_mb=16, keystrokes=400)


class _Other(Contestant):
    """One that is found on the PATH of who measures, wherever that is."""

    @property
    def path(self) -> str:
        return shutil.which(self.program) or self.program


class Original(_Other):
    name = "original"
    program = "shpool-original"
    leave = b"\x00\x11"

    def start(self) -> None:
        all_lines(self)

    def _attach(self, *words: str) -> list[str]:
        config = str(self.root / "shpool" / "config.toml")
        return [self.path, "--config-file", config, "attach", *words]

    def new(self, name: str, command: list[str]) -> list[str]:
        return self._attach("-c", shlex.join(command), name)

    def attach(self, name: str) -> list[str]:
        return self._attach(name)


class AllLines(Shpool):
    def start(self) -> None:
        all_lines(self)
        super().start()


def all_lines(contestant: Contestant) -> None:
    """Have it bring back lines that have scrolled off, which both shpools do if told."""
    config = contestant.root / "shpool" / "config.toml"
    config.parent.mkdir(0o700)
    config.write_text(f"session_restore_mode = {{ lines = {_LINES + ROWS} }}\n")


class Abduco(_Other):
    name = program = "abduco"
    leave = b"\x1c"

    def new(self, name: str, command: list[str]) -> list[str]:
        return [self.path, "-c", name, *command]

    def attach(self, name: str) -> list[str]:
        return [self.path, "-a", name]


class Zmx(_Other):
    name = program = "zmx"
    leave = b"\x1c"
    shows_early = False

    def new(self, name: str, command: list[str]) -> list[str]:
        return [self.path, "attach", name, *command]

    def attach(self, name: str) -> list[str]:
        return [self.path, "attach", name]


class Mosh(_Other):
    """Its sessions have one client, for good."""

    name = "mosh"
    program = "mosh-server"
    persistent = False

    def new(self, name: str, command: list[str]) -> list[str]:
        start = " ".join([self.path, "new", "-i", "127.0.0.1", "--", *command])
        script = (
            f"set -- $({start} 2>/dev/null | grep '^MOSH CONNECT'); "
            'MOSH_KEY=$4 exec mosh-client 127.0.0.1 "$3"'
        )
        return ["sh", "-c", script]


class Window:
    """A client and what its terminal shows; a context manager that hangs up."""

    def __init__(
        self, contestant: Contestant, argv: list[str], rows: int = ROWS, cols: int = COLS
    ) -> None:
        self._client = Client(argv, contestant.env, (rows, cols))
        self._leave = contestant.leave
        self.terminal = Terminal(rows, cols, 10 * _LINES)
        self.written = b""

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.close()

    def settle(self, text: str = "") -> None:
        """Read until `text` is on the screen and nothing more comes."""
        deadline = monotonic() + _PATIENCE
        while True:
            while self._more():
                pass
            if text in "\n".join(self.screen()):
                return
            if monotonic() > deadline:
                raise Stuck(f"{text!r} does not come")

    def type(self, data: bytes) -> None:
        os.write(self._client.master, data)

    def screen(self) -> list[str]:
        return [row.text for row in self.terminal.lines]

    def numbered(self, text: str) -> int:
        """How many of the lines in history and on the screen begin with `text`."""
        kept = [piece if isinstance(piece, str) else piece[0] for piece in self.terminal.history]
        return sum(line.startswith(text) for line in [*kept, *self.screen()])

    def detach(self) -> None:
        self.type(self._leave)
        try:
            self.settle()
        except Stuck:
            pass  # the client has ended

    def _more(self) -> bool:
        if not self._client.readable(_SETTLED):
            return False
        data = self._client.read()
        self.written += data
        self.terminal.feed(data)
        return True


class Trial:
    """A contestant with a session in which a script has run, and what its first client showed."""

    def __init__(self, contestant: Contestant, script: str) -> None:
        self.contestant = contestant
        (contestant.root / "script").write_text(
            f"stty -echo\nread go\n{script}\nprintf DONE\nread answer\n"
        )
        self.first = Window(
            contestant, contestant.new("one", ["sh", str(contestant.root / "script")])
        )
        self.first.settle()
        self.first.type(b"\n")
        self.first.settle("DONE")

    def __enter__(self) -> Trial:
        return self

    def __exit__(self, *exception: object) -> None:
        self.first.__exit__()
        self.contestant.close()

    def back(self, rows: int = ROWS, cols: int = COLS) -> Window:
        """The session in another terminal, after the first client was hung up."""
        self.first.__exit__()
        return self.another(rows, cols)

    def another(self, rows: int = ROWS, cols: int = COLS) -> Window:
        deadline = monotonic() + _PATIENCE
        while True:
            window = Window(self.contestant, self.contestant.attach("one"), rows, cols)
            try:
                window.settle()
                return window
            except Stuck:  # some take a while to see that the session is free again
                window.__exit__()
                if monotonic() > deadline:
                    raise
                sleep(_SETTLED)


_PRINT = f"i=0; while [ $i -lt {_LINES} ]; do echo line$i; i=$((i+1)); done"
_STRINGS = {
    "links": rb"\033]8;;http://a.example/\033\\there\033]8;;\033\\",
    "sixel": rb"\033Pq#1;2;0;0;0#1~~\033\\",
    "kitty's images": rb"\033_Ga=T,f=24,s=1,v=1;AAAA\033\\",
    "iTerm's images": rb"\033]1337;File=inline=1:AAAA\007",
}


def scrollback(trial: Trial) -> str:
    """How many of 200 lines are in the terminal, and can be scrolled to."""
    return f"{trial.first.numbered('line')} of {_LINES}"


def untouched(trial: Trial) -> str:
    """What reaches the terminal as it was written."""
    passed = [
        name
        for name, text in _STRINGS.items()
        if text.decode("unicode_escape").encode("latin-1") in trial.first.written
    ]
    return "all" if len(passed) == len(_STRINGS) else ", ".join(passed) or "none"


def lines_back(trial: Trial) -> str:
    """How many of 200 lines another terminal has after it has attached."""
    with trial.back() as window:
        return f"{window.numbered('line')} of {_LINES}"


def screen_back(trial: Trial) -> str:
    """Whether a full-screen program that does not draw itself again is there."""
    with trial.back() as window:
        shown = any("PICTURE" in row for row in window.screen())
        apart = window.terminal.screen is window.terminal.alternate
    return "shown" if shown and apart else "not on the alternate screen" if shown else "not shown"


def wraps_anew(trial: Trial) -> str:
    """Whether a line of 100 characters is one row in a terminal of 120 columns."""
    with trial.back(cols=120) as window:
        rows = [row for row in window.screen() if "x" in row]
    if not rows:
        return "nothing is shown"
    return "yes" if len(rows) == 1 else "no"


def modes_back(trial: Trial) -> str:
    """Whether bracketed paste, mouse and cursor shape are on again."""
    with trial.back() as window:
        return _which(window, on=True)


def left_clean(trial: Trial) -> str:
    """Which of them are off in the terminal that is left by the keys."""
    trial.first.detach()
    return _which(trial.first, on=False)


def _which(window: Window, *, on: bool) -> str:
    """`all`, or those of the three that are on, or off."""
    terminal = window.terminal
    state = {
        "paste": bool(terminal.private_mode(2004)),
        "mouse": bool(terminal.private_mode(1002)),
        "keypad": bool(terminal.private_mode(66)),
    }
    right = [name for name, is_on in state.items() if is_on is on]
    return "all" if len(right) == len(state) else ", ".join(right) or "none"


_MODES = r"printf '\033[?2004h\033[?1002h\033='"
_WRITE = "".join(f"printf '{text.decode()}'\n" for text in _STRINGS.values())

TRIALS: list[tuple[str, str, bool, Callable[[Trial], str]]] = [
    ("lines in the terminal's own scrollback", _PRINT, False, scrollback),
    ("output reaches the terminal as it was written", _WRITE, False, untouched),
    ("scrollback lines after a reattach", _PRINT, True, lines_back),
    (
        "an idle full-screen program after a reattach",
        r"printf '\033[?1049h\033[HPICTURE'",
        True,
        screen_back,
    ),
    ("lines rewrap at another width", f"printf '{'x' * 100}\\n'", True, wraps_anew),
    ("modes restored after a reattach", _MODES, True, modes_back),
    ("modes reset after a detach", _MODES, True, left_clean),
]

KINDS: list[type[Contestant]] = [AllLines, Original, Zmx, Tmux, Screen, Abduco, Dtach, Mosh]


def result(
    kind: type[Contestant], script: str, judge: Callable[[Trial], str], *, again: bool
) -> str:
    if again and not kind.persistent:
        return "-"
    with tempfile.TemporaryDirectory(prefix="shp-", dir="/tmp") as root:
        contestant = kind(Path(root, "r"))
        try:
            with Trial(contestant, script) as trial:
                return judge(trial)
        except Stuck as error:
            contestant.close()
            return f"({error})"


def main() -> int:
    kinds = [kind for kind in KINDS if kind.available()]
    for kind in KINDS:
        if kind not in kinds:
            sys.stderr.write(f"{kind.name} is not on the PATH, so it is left out\n")
    print("| | " + " | ".join(kind.name for kind in kinds) + " |")
    print("| --- |" + " --- |" * len(kinds))
    for label, script, again, judge in TRIALS:
        results = [result(kind, script, judge, again=again) for kind in kinds]
        print(f"| {label} | " + " | ".join(results) + " |", flush=True)
    # mosh shows the latest state, and not all that was written.
    fast = [kind for kind in kinds if kind is not Mosh]
    bench = Bench(_SIZES, fast, say_on_stderr)
    for label, rows in (
        ("plain text, MB/s", flood.plain(bench)),
        ("coloured text, MB/s", flood.coloured(bench)),
        ("echo of a key, microseconds", echo.quiet(bench)),
    ):
        values = rows[0].values
        cells = [f"{values[kind.name]:.0f}" if kind.name in values else "-" for kind in kinds]
        print(f"| {label} | " + " | ".join(cells) + " |")
    print(report.machine())
    return 0


if __name__ == "__main__":
    sys.exit(main())
