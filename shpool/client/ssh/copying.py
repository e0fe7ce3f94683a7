"""The connection without a terminal that goes first: it looks whether the file is there, and takes
it there if not.  It has our stdin's place, so that nothing that is typed gets into the file."""

import hashlib
import os
import select
import signal
import subprocess

from shpool.client import tty
from shpool.client.ssh import script
from shpool.client.ssh.connection import put_all
from shpool.client.ssh.marks import Marks
from shpool.client.ssh.process import Process, exit_status, read_rest
from shpool.names import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from shpool.client.signals import Signals
    from shpool.client.ssh.complaints import Complaints
    from shpool.client.ssh.package import Package

_READ = 65_536

# Of what a host prints that does not do as it is told, in bytes.
_SHOWN = 65_536

# A terminal's description is a few thousand characters.
_DESCRIPTION = 32_768

# Seconds that it may take to end once it has told how it went.
_LAST_WORDS = 5.0


class Copied:
    """How it went.

    `told`: done;1, done;0 (the terminal is not known there), none (nothing there could run the
    file) or failed;REASON; empty if nothing was told.  Then `printed` is what was printed
    instead, and `status` the exit status: 255 if ssh has failed, 128 and a signal if that has
    ended us.
    """

    def __init__(self) -> None:
        self.told = ""
        self.printed = b""
        self.status = 0
        self.left = False  # by Ctrl-C, or by a signal that was sent to us

    @property
    def reason(self) -> str:
        try:
            return shown(bytes.fromhex(self.told.partition(";")[2]).decode(errors="replace"))
        except ValueError:
            return "it does not say why"


class Copying:
    def __init__(
        self, package: "Package", term: str, complaints: "Complaints", signals: "Signals"
    ) -> None:
        self._package = package
        self._term = term
        self._complaints = complaints
        self._signals = signals
        self._waiting = b""  # what ssh has not taken yet
        self._copied = Copied()

    def run(self, ssh: "Sequence[str]") -> Copied:
        """`ssh` is the command up to what is to be done there.  Raises SshError, PackError."""
        token = os.urandom(8).hex()
        self._marks = Marks(token)
        self._data = self._package.data()
        digest = hashlib.sha256(self._data).hexdigest()
        size, term = len(self._data), self._term
        wanted = (token, self._package.name, size, digest, term, description(term))
        self._program = f"{self._package.there()}\nmain{wanted!a}\n".encode()
        command = script.copy_command(token, len(self._program))
        pipe = subprocess.PIPE
        process = Process([*ssh, command], self._signals, stdin=pipe, stdout=pipe, stderr=pipe)
        try:
            self._finish(process, self._relay(process))
        finally:
            for end in (process.popen.stdin, process.popen.stdout, process.popen.stderr):
                if end is not None:
                    try:
                        end.close()
                    except OSError:
                        pass
        put_all(tty.STDERR, self._complaints.last_words())
        return self._copied

    def _relay(self, process: Process) -> "int | None":
        """What Popen calls its return code; None if it has told how it went, and need not stay."""
        stdin, stdout, stderr = process.popen.stdin, process.popen.stdout, process.popen.stderr
        assert stdin is not None
        assert stdout is not None
        assert stderr is not None
        into, out, err = stdin.fileno(), stdout.fileno(), stderr.fileno()
        for fd in (into, out, err):
            os.set_blocking(fd, False)
        takers = {out: self._take, err: self._complaint}
        while True:
            code = process.take_signals()
            if code is not None:
                for fd in takers:
                    read_rest(fd, takers[fd])
                return code
            if self._copied.told and out not in takers:
                return None
            poll = select.poll()
            poll.register(self._signals.fd, select.POLLIN)
            for fd in takers:
                poll.register(fd, select.POLLIN)
            if self._waiting:
                poll.register(into, select.POLLOUT)
            for fd, _ in poll.poll(process.timeout):
                if fd == into:
                    self._send(into)
                elif fd in takers:
                    came = os.read(fd, _READ)
                    takers[fd](came)
                    if not came:
                        del takers[fd]
            if self._copied.told and not stdin.closed:
                stdin.close()
                self._waiting = b""

    def _finish(self, process: Process, code: "int | None") -> None:
        if code is None:
            process.limit(_LAST_WORDS)
            code = process.wait()
        self._copied.left = bool(process.ended_by) or process.interrupted
        if process.ended_by:
            self._copied.status = 128 + process.ended_by
        elif process.interrupted:
            self._copied.status = 128 + signal.SIGINT
        else:
            self._copied.status = exit_status(code) if code >= 0 else 255

    def _complaint(self, came: bytes) -> None:
        put_all(tty.STDERR, self._complaints.feed(came))

    def _take(self, came: bytes) -> None:
        for item in self._marks.feed(came):
            if isinstance(item, bytes):
                self._copied.printed = (self._copied.printed + item)[:_SHOWN]
            elif item == "ready":
                self._waiting = self._program
            elif item == "want":
                self._waiting = self._data
            else:
                self._copied.told = item

    def _send(self, fd: int) -> None:
        try:
            self._waiting = self._waiting[os.write(fd, self._waiting) :]
        except BlockingIOError:
            pass
        except OSError:
            self._waiting = b""  # what it says, or its end, tells why


def description(term: str) -> str:
    """What a terminal can do, as source for tic(1); empty if that is not known here."""
    if not term:
        return ""
    try:
        done = subprocess.run(
            ["infocmp", "-x", term],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except OSError:
        return ""
    found = done.stdout.decode("ascii", "replace")
    return found if done.returncode == 0 and len(found) <= _DESCRIPTION else ""
