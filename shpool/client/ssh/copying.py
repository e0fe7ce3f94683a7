"""The connection without a terminal that goes first: it looks whether the file is there, and takes
it there if not.  It has our stdin's place, so that nothing that is typed gets into the file."""

import hashlib
import os
import select
import subprocess

from shpool.client import tty
from shpool.client.ssh import script
from shpool.client.ssh.connection import exit_status, put_all, start
from shpool.client.ssh.marks import Marks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

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
    instead, and `status` the exit status.
    """

    def __init__(self) -> None:
        self.told = ""
        self.printed = b""
        self.status = 0

    @property
    def reason(self) -> str:
        return bytes.fromhex(self.told.partition(";")[2]).decode(errors="replace")


class Copying:
    def __init__(self, package: "Package", term: str, complaints: "Complaints") -> None:
        self._package = package
        self._term = term
        self._complaints = complaints
        self._waiting = b""  # what ssh has not taken yet
        self._copied = Copied()

    def run(self, ssh: "Sequence[str]") -> Copied:
        """`ssh` is the command up to what is to be done there.  Raises SshError, PackError."""
        token = os.urandom(8).hex()
        self._marks = Marks(token)
        data = self._package.data()
        digest = hashlib.sha256(data).hexdigest()
        wanted = (token, self._package.name, len(data), digest, self._term, description(self._term))
        self._program = f"{self._package.there()}\nmain{wanted!a}\n".encode()
        command = script.copy_command(token, len(self._program))
        pipe = subprocess.PIPE
        process = start([*ssh, command], stdin=pipe, stdout=pipe, stderr=pipe)
        try:
            self._relay(process, data)
            self._copied.status = exit_status(_wait(process))
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            for end in (process.stdin, process.stdout, process.stderr):
                if end is not None:
                    try:
                        end.close()
                    except OSError:
                        pass
        put_all(tty.STDERR, self._complaints.last_words())
        return self._copied

    def _relay(self, process: "subprocess.Popen[bytes]", data: bytes) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        into, out, err = (end.fileno() for end in (process.stdin, process.stdout, process.stderr))
        os.set_blocking(into, False)
        open_ends = {out, err}
        while open_ends and not (self._copied.told and out not in open_ends):
            poll = select.poll()
            for fd in open_ends:
                poll.register(fd, select.POLLIN)
            if self._waiting:
                poll.register(into, select.POLLOUT)
            for fd, _ in poll.poll():
                if fd == into:
                    self._send(into)
                    continue
                came = os.read(fd, _READ)
                if not came:
                    open_ends.discard(fd)
                elif fd == err:
                    put_all(tty.STDERR, self._complaints.feed(came))
                else:
                    self._take(came, data)
            if self._copied.told and not process.stdin.closed:
                process.stdin.close()
                self._waiting = b""

    def _take(self, came: bytes, data: bytes) -> None:
        for item in self._marks.feed(came):
            if isinstance(item, bytes):
                self._copied.printed = (self._copied.printed + item)[:_SHOWN]
            elif item == "ready":
                self._waiting = self._program
            elif item == "want":
                self._waiting = data
            else:
                self._copied.told = item

    def _send(self, fd: int) -> None:
        try:
            self._waiting = self._waiting[os.write(fd, self._waiting) :]
        except BlockingIOError:
            pass
        except OSError:
            self._waiting = b""  # what it says, or its end, tells why


def _wait(process: "subprocess.Popen[bytes]") -> int:
    """Its return code; 0 if it stays, as one does that has become a master."""
    try:
        return process.wait(_LAST_WORDS)
    except subprocess.TimeoutExpired:
        return 0


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
