"""The real program, driven from outside: daemon, clients on ptys, raw peers, event subscribers.

A Place is one user's world in a directory of its own: runtime directory, home, configuration.
Whatever was started in it has its path in the environment, so that leaving can end all of it
and can tell whether the program left anything behind.  Nothing here sleeps for luck: everything
waits for a condition, with a deadline that only a broken program reaches.
"""

import fcntl
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from shpool.protocol.chunks import ChunkReader
from shpool.protocol.msgpack import Decoder, pack

CHECKOUT = Path(__file__).resolve().parents[2]

# Seconds that only a broken program needs.
DEADLINE = 40.0

# Between two looks at a condition that nothing can be waited on for, in seconds.
_LOOK = 0.01

DETACH = b"\x00\x11"  # Ctrl-Space Ctrl-q

# What creating and killing a session without a client's help is seen as.
FENCE = ["session.created", "session.attached", "session.detached", "session.removed"]

_NOT_TEXT = re.compile(
    r"""
      \x1b\[ [0-?]* [ -/]* [@-~]        # CSI
    | \x1b\] [^\x07\x1b]* (\x07|\x1b\\)  # OSC
    | \x1b [ -/]* [0-~]                # other sequences
    | [\x00-\x09\x0b-\x1f]            # controls but the newline
    """,
    re.VERBOSE,
)

T = TypeVar("T")


def eventually(condition: Callable[[], T | None], what: str = "") -> T:
    """The first true value of `condition`."""
    deadline = time.monotonic() + DEADLINE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"never came true: {what or condition}")
        time.sleep(_LOOK)


class Result(NamedTuple):
    """How a command that has ended went."""

    status: int
    out: str
    err: str


class Terminal:
    """A program on a pty of its own, which is its controlling terminal; we are the emulator.

    `output` is all that it has shown so far; it is only read while something is waited for.
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
        try:
            self.process = subprocess.Popen(
                argv,
                stdin=slave,
                stdout=slave,
                stderr=slave,
                env=env,
                cwd=cwd,
                start_new_session=True,
                preexec_fn=_acquire_terminal,
            )
        finally:
            os.close(slave)

    @property
    def pid(self) -> int:
        return self.process.pid

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

    def expect(self, pattern: bytes | str, timeout: float = DEADLINE) -> "re.Match[bytes]":
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


def _acquire_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Peer:
    """A raw connection to the main socket."""

    def __init__(self, path: Path, *, greeted: bool = True) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(DEADLINE)
        self.sock.connect(str(path))
        self.rest = b""
        self._chunks = ChunkReader()
        self._found: list[tuple[int, bytes | int]] = []
        self.status: Any = None  # what the attach reply said
        self.greeting = self.message() if greeted else None

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def request(self, value: Any) -> None:
        self.send(pack(value))

    def message(self) -> Any:
        """The next message."""
        decoder = Decoder()
        data, self.rest = self.rest, b""
        while not decoder.feed(data):
            data = self.sock.recv(65536)
            if not data:
                raise EOFError("the daemon closed the connection")
        self.rest = decoder.rest
        return decoder.value

    def chunk(self) -> tuple[int, bytes | int]:
        """The next chunk of what follows an attach reply."""
        data, self.rest = self.rest, b""
        while True:
            self._found += self._chunks.feed(data)
            if self._found:
                return self._found.pop(0)
            data = self.sock.recv(65536)
            if not data:
                raise EOFError("the daemon closed the connection")

    def output_until(self, pattern: bytes) -> bytes:
        """Data chunks joined, read until `pattern` matches somewhere in them."""
        output = b""
        while not re.search(pattern, output, re.DOTALL):
            kind, payload = self.chunk()
            if kind == 0:
                assert isinstance(payload, bytes)
                output += payload
        return output

    def to_exit_status(self) -> tuple[bytes, int]:
        """All output up to the exit status, and that."""
        output = b""
        while True:
            kind, payload = self.chunk()
            if kind == 0:
                assert isinstance(payload, bytes)
                output += payload
            elif kind == 2:
                assert isinstance(payload, int)
                return output, payload

    def remainder(self) -> bytes:
        """What is still to come, up to the end of the connection."""
        data = self.rest
        self.rest = b""
        while True:
            try:
                piece = self.sock.recv(65536)
            except ConnectionResetError:
                return data
            if not piece:
                return data
            data += piece

    def close(self) -> None:
        self.sock.close()


class Subscriber:
    """A raw connection to the events socket."""

    def __init__(self, path: Path) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(DEADLINE)
        self.sock.connect(str(path))
        self.received = b""

    def lines(self, count: int) -> list[bytes]:
        """The next `count` lines."""
        while self.received.count(b"\n") < count:
            data = self.sock.recv(65536)
            if not data:
                raise EOFError(f"the stream ended after {self.received!r}")
            self.received += data
        *lines, self.received = self.received.split(b"\n", count)
        return lines

    def types(self, count: int) -> list[str]:
        """The next `count` events, each of which must be written exactly as the contract has it."""
        found = []
        for line in self.lines(count):
            match = re.fullmatch(rb'\{"type":"(session\.[a-z]+)"\}', line)
            assert match, line
            found.append(match[1].decode())
        return found

    def nothing_waits(self) -> bool:
        return not self.received and not select.select([self.sock], [], [], 0)[0]

    def ended(self) -> bool:
        """Whether nothing but the end of the stream is still to come."""
        return not self.received and not self.sock.recv(65536)

    def close(self) -> None:
        self.sock.close()


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
        """Write the configuration: `text`, our home for shells, and a known shell and prompt."""
        for key, value in (("shell", "/bin/bash"), ("prompt_prefix", "")):
            if not re.search(rf"^{key}\b", text, re.MULTILINE):
                text = f'{key} = "{value}"\n{text}'
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
    ) -> "subprocess.Popen[bytes]":
        """Run a daemon in the foreground, and do not wait for anything."""
        with open(self.log, "ab") as log:
            self.daemon = subprocess.Popen(
                [sys.executable, "-m", "shpool", *options, "daemon"],
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

    @property
    def daemon_pid(self) -> int:
        assert self.daemon is not None
        return self.daemon.pid

    def log_text(self) -> str:
        """What the daemon of this place has logged."""
        logs = [self.log, self.runtime / "daemonized-shpool.log"]
        return "".join(log.read_text(errors="replace") for log in logs if log.exists())

    def logged(self, pattern: str) -> "re.Match[str]":
        """Wait until a line of the log matches."""
        return eventually(
            lambda: re.search(pattern, self.log_text(), re.MULTILINE), f"logged: {pattern}"
        )

    # ---- clients

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "shpool", *words]

    def popen(
        self,
        *words: str,
        env: dict[str, str] | None = None,
        cwd: str | Path = "/",
        stdin: int = subprocess.DEVNULL,
    ) -> "subprocess.Popen[bytes]":
        """A command without a terminal, its output in pipes."""
        process = subprocess.Popen(
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
        mark = os.fsencode(self.root)
        found = {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit() or int(entry) == os.getpid():
                continue
            try:
                environ = Path("/proc", entry, "environ").read_bytes()
                words = Path("/proc", entry, "cmdline").read_bytes()
            except OSError:
                continue
            if mark in environ:
                found[int(entry)] = words.replace(b"\0", b" ").decode("utf-8", "replace")
        return found

    def memory(self) -> int:
        """The daemon's resident memory in KiB."""
        return _status_number(self.daemon_pid, "VmRSS")

    def descriptors(self) -> int:
        """How many the daemon has open."""
        return len(os.listdir(f"/proc/{self.daemon_pid}/fd"))

    def wake_ups_in_a_second(self) -> int:
        """How often the daemon, once it has come to rest, goes to sleep again within a second."""

        def asleep() -> int | None:
            state = Path(f"/proc/{self.daemon_pid}/stat").read_text().rpartition(") ")[2][0]
            return _status_number(self.daemon_pid, "voluntary_ctxt_switches") * (state == "S")

        def at_rest() -> int | None:
            before = asleep()
            time.sleep(5 * _LOOK)
            return before if before == asleep() else None

        before = eventually(at_rest, "the daemon has nothing to do")
        time.sleep(1)  # the measurement: nothing is waited for
        return _status_number(self.daemon_pid, "voluntary_ctxt_switches") - before

    def pids(self, words: str) -> list[int]:
        """The processes of this place with this command line."""
        return [pid for pid, found in self.processes().items() if found.rstrip() == words]

    def __enter__(self) -> "Place":
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
                _kill(pid)
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
        deadline = time.monotonic() + 10
        while (running := self.processes()) and time.monotonic() < deadline:
            for process in self._processes:
                process.poll()
            time.sleep(_LOOK)
        complaints = [f"left running: {pid} {words}" for pid, words in running.items()]
        for folder, _, files in os.walk(self.runtime):
            complaints += [
                f"left behind: {os.path.join(folder, file)}"
                for file in files
                if file != "daemonized-shpool.log"
            ]
        return complaints


def _status_number(pid: int, key: str) -> int:
    match = re.search(rf"^{key}:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert match, key
    return int(match[1])


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def attach_header(name: str, cmd: str | None = None, **fields: Any) -> Any:
    """An Attach request; `rows`, `cols` and the header's own fields can be given."""
    size = {
        "rows": fields.pop("rows", 24),
        "cols": fields.pop("cols", 80),
        "xpixel": 0,
        "ypixel": 0,
    }
    header = {
        "name": name,
        "name_template": name,
        "local_tty_size": size,
        "local_env": [["TERM", "xterm"]],
        "ttl_secs": None,
        "cmd": cmd,
        "dir": None,
        "start_cmd": None,
        **fields,
    }
    return {"Attach": header}
