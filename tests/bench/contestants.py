"""Who is compared: a pty without anything, dtach, screen, tmux and shpool from this checkout."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

from tests.bench import proc, wire
from tests.bench.client import PATIENCE, Stuck, run

CHECKOUT = Path(__file__).resolve().parents[2]

# Isolated and without site, for shpool and for the bare interpreter it is compared to: what is
# installed beside a Python can cost more than all that is measured here.
PYTHON = [sys.executable, "-I", "-S"]


class Contestant:
    """One of them in a directory of its own, which is also in the environment of whatever it
    starts; close() ends all of that."""

    name = "raw pty"
    program = ""  # what has to be installed
    server = ""  # the name of the processes that keep the sessions
    persistent = True
    relays_only = False  # differs from another one only in how bytes travel
    shows_early = True  # what a program prints before the client is there reaches it
    leave = b""  # the keys that detach

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(0o700)
        self.env = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(root),
            "SHELL": "/bin/sh",
            "TERM": "xterm",
            "LANG": "C.UTF-8",
            "XDG_RUNTIME_DIR": str(root),
            "XDG_CONFIG_HOME": str(root),
        }
        self.start()

    @classmethod
    def available(cls) -> bool:
        return not cls.program or shutil.which(cls.program) is not None

    def start(self) -> None:
        """Have whatever must run before the first session."""

    def new(self, name: str, command: list[str]) -> list[str]:
        """What makes a session and attaches to it."""
        raise NotImplementedError

    def new_detached(self, name: str, command: list[str]) -> list[str]:
        """What makes a session and comes back."""
        raise NotImplementedError

    def attach(self, name: str) -> list[str]:
        raise NotImplementedError

    def listing(self) -> list[str] | None:
        """What lists the sessions, if there is such a thing."""
        return None

    def showing(self, text: str) -> list[str]:
        """A command whose session shows `text` to whoever attaches."""
        return ["sh", "-c", f"printf %s {text}; exec sleep 1000"]

    def make(self, sessions: dict[str, list[str]]) -> None:
        """Make these sessions, by name and command, detached, in the fastest way there is."""
        for name, command in sessions.items():
            run(self.new_detached(name, command), self.env)

    def servers(self) -> list[int]:
        """The processes that keep the sessions, while nobody is attached."""
        return [pid for pid in self.processes() if proc.name_of(pid) == self.server]

    def processes(self) -> list[int]:
        return proc.with_in_environment(str(self.root))

    def kill(self, name: str = "") -> None:
        """End every process, or those of this name, and wait for that."""
        deadline = monotonic() + PATIENCE
        while left := [pid for pid in self.processes() if name in ("", proc.name_of(pid))]:
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if monotonic() > deadline:
                raise Stuck(f"{self.name}: processes that cannot be ended: {left}")
            sleep(0.01)

    def close(self) -> None:
        self.kill()


class Raw(Contestant):
    persistent = False

    def new(self, name: str, command: list[str]) -> list[str]:
        return command


class Dtach(Contestant):
    name = program = server = "dtach"
    leave = b"\x1c"

    def _socket(self, name: str) -> str:
        return str(self.root / name)

    def new(self, name: str, command: list[str]) -> list[str]:
        return ["dtach", "-c", self._socket(name), "-z", *command]

    def new_detached(self, name: str, command: list[str]) -> list[str]:
        return ["dtach", "-n", self._socket(name), *command]

    def attach(self, name: str) -> list[str]:
        return ["dtach", "-a", self._socket(name), "-z", "-r", "winch"]

    def showing(self, text: str) -> list[str]:
        # It remembers nothing: the program has to draw itself again.
        draw = f"printf %s {text}"
        return ["sh", "-c", f"trap '{draw}' WINCH; {draw}; sleep 1000 & while :; do wait; done"]


class Screen(Contestant):
    name = program = server = "screen"
    leave = b"\x01d"

    def start(self) -> None:
        sockets = self.root / "sockets"
        sockets.mkdir(0o700)
        rc = self.root / "screenrc"
        rc.write_text("startup_message off\n")
        self.env |= {"SCREENDIR": str(sockets), "SCREENRC": str(rc), "SYSSCREENRC": "/dev/null"}

    def new(self, name: str, command: list[str]) -> list[str]:
        return ["screen", "-S", name, *command]

    def new_detached(self, name: str, command: list[str]) -> list[str]:
        return ["screen", "-dmS", name, *command]

    def attach(self, name: str) -> list[str]:
        return ["screen", "-r", name]

    def listing(self) -> list[str]:
        return ["screen", "-ls"]


class Tmux(Contestant):
    name = program = "tmux"
    leave = b"\x02d"
    server = "tmux: server"

    def start(self) -> None:
        # Keys that come faster than a millisecond apart are typed here, not pasted.
        (self.root / "conf").write_text("set -g status off\nset -g assume-paste-time 0\n")

    def _tmux(self, *words: str) -> list[str]:
        return ["tmux", "-S", str(self.root / "socket"), "-f", str(self.root / "conf"), *words]

    def new(self, name: str, command: list[str]) -> list[str]:
        return self._tmux("new-session", "-s", name, *command)

    def new_detached(self, name: str, command: list[str]) -> list[str]:
        return self._tmux("new-session", "-d", "-x", "80", "-y", "24", "-s", name, *command)

    def attach(self, name: str) -> list[str]:
        return self._tmux("attach-session", "-t", name)

    def listing(self) -> list[str]:
        return self._tmux("list-sessions")


class Shpool(Contestant):
    name = "shpool"
    leave = b"\x00\x11"

    def start(self) -> None:
        self.socket = self.root / "shpool" / "shpool.socket"
        self.events_socket = self.root / "shpool" / "events.socket"
        self._log = self.root / "log"
        with open(self._log, "wb") as log:
            self._daemon = subprocess.Popen(
                self._shpool("daemon"),
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
        deadline = monotonic() + PATIENCE
        while not wire.answers(self.socket):
            if self._daemon.poll() is not None or monotonic() > deadline:
                raise Stuck(f"the daemon does not start: {self._log.read_text()}")
            sleep(0.005)

    def _shpool(self, *words: str) -> list[str]:
        return [*PYTHON, str(CHECKOUT / "shpool" / "__main__.py"), *words]

    def new(self, name: str, command: list[str]) -> list[str]:
        return self._shpool("attach", "-c", shlex.join(command), name)

    def new_detached(self, name: str, command: list[str]) -> list[str]:
        return self._shpool("attach", "-b", "-c", shlex.join(command), name)

    def attach(self, name: str) -> list[str]:
        return self._shpool("attach", name)

    def listing(self) -> list[str]:
        return self._shpool("list")

    def make(self, sessions: dict[str, list[str]]) -> None:
        for name, command in sessions.items():
            wire.attached(self.socket, wire.attach_request(name, shlex.join(command))).close()

    def servers(self) -> list[int]:
        return [self._daemon.pid]

    def close(self) -> None:
        self._daemon.terminate()
        self._daemon.wait(PATIENCE)
        super().close()


class ShpoolChunks(Shpool):
    """With the terminal in the client's hands."""

    name = "shpool, chunks"
    relays_only = True

    def start(self) -> None:
        config = self.root / "shpool" / "config.toml"
        config.parent.mkdir(0o700)
        config.write_text("pass_terminal = false\n")
        super().start()


ALL: list[type[Contestant]] = [Raw, Dtach, Screen, Tmux, Shpool, ShpoolChunks]
