"""The real program, driven from outside: daemon, clients on ptys, raw peers, event subscribers.

A Place is one user's world in a directory of its own: runtime directory, home, configuration.
Whatever was started in it has its path in the environment, so that leaving can end all of it
and can tell whether the program left anything behind.  Nothing here sleeps for luck: everything
waits for a condition, with a deadline that only a broken program reaches.

Tests import from here whatever they drive the program with; its parts are beside this file.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.e2e import processes
from tests.e2e.peers import Peer, Subscriber, attach_header
from tests.e2e.terminal import Terminal
from tests.e2e.waiting import DEADLINE, LOOK, eventually

__all__ = [
    "CHECKOUT",
    "DEADLINE",
    "DETACH",
    "FENCE",
    "Peer",
    "Place",
    "Result",
    "Subscriber",
    "Terminal",
    "attach_header",
    "eventually",
]

CHECKOUT = Path(__file__).resolve().parents[2]

DETACH = b"\x00\x11"  # Ctrl-Space Ctrl-q

# What creating and killing a session without a client's help is seen as.
FENCE = ["session.created", "session.attached", "session.detached", "session.removed"]


class Result(NamedTuple):
    """How a command that has ended went."""

    status: int
    out: str
    err: str


class Place:
    """One user's world; see the top.  A context manager: leaving it ends and checks everything.

    `passes`: whether clients pass their terminals to the daemon.
    """

    passes = True

    def __init__(self) -> None:
        # Short: socket paths are limited to 107 bytes.
        self.root = Path(tempfile.mkdtemp(prefix="shp-", dir="/tmp"))
        self.home = self.root / "h"
        self.xdg_runtime = self.root / "r"
        self.config_home = self.root / "c"
        self.scratch = self.root / "s"
        for directory in (self.home, self.xdg_runtime, self.config_home, self.scratch):
            directory.mkdir(0o700)
        self.runtime = self.xdg_runtime / "shpool"
        self.socket = self.runtime / "shpool.socket"
        self.events_socket = self.runtime / "events.socket"
        self.log = self.root / "daemon.log"
        self.config_file = self.config_home / "shpool" / "config.toml"
        self.config_file.parent.mkdir()
        self.env = {
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.xdg_runtime),
            "XDG_CONFIG_HOME": str(self.config_home),
            "TERM": "xterm",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(CHECKOUT),
        }
        self.wrapper: list[str] = []  # a program, with arguments, that runs the program
        self.daemon: subprocess.Popen[bytes] | None = None
        self._to_close: list[Terminal | Peer | Subscriber] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        startup = "PS1='$ '\nunset HISTFILE\n"
        for name in (".bashrc", ".profile"):
            (self.home / name).write_text(startup)
        (self.home / ".inputrc").write_text("set enable-bracketed-paste off\n")
        self.configure()

    # ---- configuration

    def configure(self, text: str = "", env: dict[str, str] | None = None) -> None:
        """Write the configuration: `text`, our home for shells, and a known shell and prompt,
        which is not marked, for who looks at its bytes."""
        for line in ('shell = "/bin/bash"', 'prompt_prefix = ""', "shell_integration = false"):
            if not re.search(rf"^{line.split()[0]}\b", text, re.MULTILINE):
                text = f"{line}\n{text}"
        if not self.passes:
            text = f"pass_terminal = false\n{text}"
        variables = {"HOME": str(self.home), **(env or {})}
        rows = "".join(f'{name} = "{value}"\n' for name, value in variables.items())
        self.config_file.write_text(f"{text}\n[env]\n{rows}")

    # ---- the daemon

    def start(
        self,
        *options: str,
        env: dict[str, str] | None = None,
        preexec: Callable[[], None] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        """Run a daemon in the foreground until it answers."""
        self.launch(*options, env=env, preexec=preexec, pass_fds=pass_fds)
        eventually(lambda: self.answers() or self._daemon_ended(), "the daemon answers")
        assert self.answers(), self.log_text()

    def launch(
        self,
        *options: str,
        env: dict[str, str] | None = None,
        preexec: Callable[[], None] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> subprocess.Popen[bytes]:
        """Run a daemon in the foreground, and do not wait for anything."""
        with open(self.log, "ab") as log:
            self.daemon = processes.Process(
                self.command(*options, "daemon"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**self.env, **(env or {})},
                cwd="/",
                start_new_session=True,
                preexec_fn=preexec,
                pass_fds=pass_fds,
            )
        self._processes.append(self.daemon)
        return self.daemon

    def _daemon_ended(self) -> bool:
        return self.daemon is not None and self.daemon.poll() is not None

    def answers(self) -> bool:
        """Whether a daemon listens."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            return sock.connect_ex(str(self.socket)) == 0

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the daemon a signal that ends it; its exit status."""
        assert self.daemon is not None
        self.daemon.send_signal(number)
        status = self.daemon.wait(DEADLINE)
        self.daemon = None
        return status

    def kill_daemon(self) -> None:
        """SIGKILL: what it could not clean up is removed here."""
        assert self.daemon is not None
        self.daemon.kill()
        self.daemon.wait()
        self.daemon = None
        shutil.rmtree(self.runtime)

    def autodaemon(self, directory: Path | None = None) -> int:
        """The pid of the daemon that a client has started, with its socket in `directory`."""
        return int(((directory or self.runtime) / "daemonized-shpool.pid").read_text())

    def end_autodaemon(self, directory: Path | None = None) -> int:
        """End the daemon that a client has started; its pid."""
        pid = self.autodaemon(directory)
        os.kill(pid, signal.SIGTERM)
        eventually(lambda: pid not in self.processes(), "the daemon ends")
        return pid

    @property
    def daemon_pid(self) -> int:
        assert self.daemon is not None
        return self.daemon.pid

    def log_text(self) -> str:
        """What the daemon of this place has logged."""
        logs = [self.log, self.runtime / "daemonized-shpool.log"]
        return "".join(log.read_text(errors="replace") for log in logs if log.exists())

    def logged(self, pattern: str) -> re.Match[str]:
        """Wait until a line of the log matches."""
        return eventually(
            lambda: re.search(pattern, self.log_text(), re.MULTILINE), f"logged: {pattern}"
        )

    # ---- clients

    def command(self, *words: str) -> list[str]:
        return [*self.wrapper, sys.executable, "-m", "shpool", *words]

    def popen(
        self,
        *words: str,
        env: dict[str, str] | None = None,
        cwd: str | Path = "/",
        stdin: int = subprocess.DEVNULL,
    ) -> subprocess.Popen[bytes]:
        """A command without a terminal, its output in pipes."""
        process = processes.Process(
            self.command(*words),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**self.env, **(env or {})},
            cwd=cwd,
        )
        self._processes.append(process)
        return process

    def run(
        self,
        *words: str,
        env: dict[str, str] | None = None,
        cwd: str | Path = "/",
        stdin: bytes = b"",
    ) -> Result:
        """A command without a terminal, to its end."""
        done = subprocess.run(
            self.command(*words),
            input=stdin,
            capture_output=True,
            env={**self.env, **(env or {})},
            cwd=cwd,
            timeout=DEADLINE,
            check=False,
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    def terminal(
        self,
        *words: str,
        env: dict[str, str] | None = None,
        cwd: str | Path = "/",
        rows: int = 24,
        cols: int = 80,
    ) -> Terminal:
        """A command in a terminal."""
        return self.program(self.command(*words), env=env, cwd=cwd, rows=rows, cols=cols)

    def program(
        self,
        argv: Sequence[str],
        env: dict[str, str] | None = None,
        cwd: str | Path = "/",
        rows: int = 24,
        cols: int = 80,
    ) -> Terminal:
        """Any program in a terminal."""
        terminal = Terminal(argv, {**self.env, **(env or {})}, cwd, rows, cols)
        self._to_close.append(terminal)
        return terminal

    def attach(self, *words: str, **kwargs: Any) -> Terminal:
        """`shpool attach` in a terminal."""
        return self.terminal("attach", *words, **kwargs)

    # ---- raw peers

    def peer(self, *, greeted: bool = True) -> Peer:
        peer = Peer(self.socket, greeted=greeted)
        self._to_close.append(peer)
        return peer

    def request(self, value: Any) -> Any:
        """One request over the raw socket, and its reply."""
        peer = self.peer()
        peer.request(value)
        reply = peer.message()
        peer.close()
        self._to_close.remove(peer)
        return reply

    def raw_attach(self, name: str, cmd: str | None = None, **fields: Any) -> Peer:
        """A peer that has asked to attach, and been told the status."""
        peer = self.peer()
        peer.request(attach_header(name, cmd, **fields))
        peer.status = peer.message()["status"]
        return peer

    def raw_session(self, name: str, cmd: str = "sleep 1000") -> None:
        """Make a session that nobody is attached to, and that costs next to nothing."""
        peer = self.raw_attach(name, cmd)
        assert "Created" in peer.status, peer.status
        assert self.request({"Detach": {"sessions": [name]}}) == {
            "not_found_sessions": [],
            "not_attached_sessions": [],
        }
        peer.close()
        self._to_close.remove(peer)

    def kill(self, *names: str) -> None:
        assert self.request({"Kill": {"sessions": list(names)}}) == {"not_found_sessions": []}

    def sessions(self) -> dict[str, Any]:
        """The rows of a List reply by name."""
        return {row["name"]: row for row in self.request("List")["sessions"]}

    def statuses(self) -> dict[str, str]:
        return {name: row["status"] for name, row in self.sessions().items()}

    def subscribe(self) -> Subscriber:
        """A subscriber that hears of everything that happens from now on."""
        subscriber = Subscriber(self.events_socket)
        self._to_close.append(subscriber)
        self.request("List")  # answered after the subscriber was accepted, which came first
        return subscriber

    def until_subscribed(self, count: int) -> None:
        """Wait until so many subscribers, whoever they are, hear of everything from now on."""
        connected = f" 03 .* {re.escape(str(self.events_socket))}$"

        def enough() -> bool:
            table = Path("/proc/net/unix").read_text()
            return len(re.findall(connected, table, re.MULTILINE)) >= count

        eventually(enough, "the subscribers connect")
        self.request("List")

    def fence(self) -> None:
        """Cause FENCE, after whatever events there were."""
        self.raw_session("fence")
        self.kill("fence")

    def expect_events(self, subscriber: Subscriber, *types: str) -> None:
        """Exactly these events have come since the last time."""
        self.fence()
        expected = [f"session.{name}" for name in types] + FENCE
        assert subscriber.types(len(expected)) == expected
        assert subscriber.nothing_waits()

    # ---- processes

    def processes(self) -> dict[int, str]:
        """Pid and command line of everything that was started in this place and still runs."""
        return processes.marked(self.root)

    def memory(self) -> int:
        """The daemon's resident memory in KiB."""
        return processes.status_number(self.daemon_pid, "VmRSS")

    def daemon_has(self, path: str) -> bool:
        """Whether the daemon has this file open."""
        folder = f"/proc/{self.daemon_pid}/fd"
        for entry in os.listdir(folder):
            try:
                if os.readlink(f"{folder}/{entry}") == path:
                    return True
            except FileNotFoundError:
                pass  # closed meanwhile
        return False

    def descriptors(self) -> int:
        """How many the daemon has open."""
        return len(os.listdir(f"/proc/{self.daemon_pid}/fd"))

    def wake_ups_in_a_second(self) -> int:
        """How often the daemon, once it has come to rest, goes to sleep again within a second."""
        return processes.wake_ups_in_a_second(self.daemon_pid)

    def pids(self, words: str) -> list[int]:
        """The processes of this place with this command line."""
        return [pid for pid, found in self.processes().items() if found.rstrip() == words]

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *reason: object) -> None:
        """End everything; complain of what the program should have ended or removed itself."""
        complaints = []
        try:
            for closing in self._to_close:
                closing.close()
            if self.daemon is not None and self.daemon.poll() is None:
                try:
                    status = self.stop()
                    if status:
                        complaints.append(f"the daemon ended with {status}")
                except subprocess.TimeoutExpired:
                    complaints.append("the daemon did not end")
            complaints += self._left_behind()
            log = self.log_text()
            if "internal error" in log or "Traceback" in log:
                complaints.append("the daemon logged an internal error")
            print(f"--- log of the daemon\n{log}")
        finally:
            for pid in self.processes():
                processes.kill(pid)
            for process in self._processes:
                if process.poll() is None:
                    process.kill()
                process.wait()
                for pipe in (process.stdout, process.stderr, process.stdin):
                    if pipe is not None:
                        pipe.close()
            shutil.rmtree(self.root, ignore_errors=True)
        assert not complaints, complaints

    def _left_behind(self) -> list[str]:
        deadline = time.monotonic() + DEADLINE
        while (running := self.processes()) and time.monotonic() < deadline:
            for process in self._processes:
                process.poll()
            time.sleep(LOOK)
        complaints = [f"left running: {pid} {words}" for pid, words in running.items()]
        for folder, _, files in os.walk(self.runtime):
            complaints += [
                f"left behind: {os.path.join(folder, file)}"
                for file in files
                if file != "daemonized-shpool.log"
            ]
        return complaints
