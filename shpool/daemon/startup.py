"""What a daemon needs before it can serve: its directories, pid file, activation, limits."""

import fcntl
import os
import resource
import socket
import time

from shpool import logs
from shpool.errors import ShpoolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# Descriptors: two for each session and one for each client, subscriber and connection.
_WANTED_DESCRIPTORS = 65_536

# Seconds for which a daemon started in the background waits for a predecessor to finish ending.
_SUCCESSION = 5.0

_LISTEN_FD = 3


class StartError(ShpoolError):
    """The daemon cannot run; the message is for the user."""


def lock_pid_file(path: str, control_socket: str) -> str:
    """Write our pid to `path` and hold its lock for as long as the process lives.

    Of several daemons that clients start at once, one gets past this.  Raises StartError.
    """
    deadline = time.monotonic() + _SUCCESSION
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The holder we waited for may have removed the file that we have open.
            if os.path.exists(path) and os.path.samestat(os.fstat(fd), os.stat(path)):
                break
        except BlockingIOError:
            if _answers(control_socket) or time.monotonic() > deadline:
                raise StartError("another daemon is already running") from None
            time.sleep(0.02)
        os.close(fd)
    os.ftruncate(fd, 0)
    os.write(fd, b"%d\n" % os.getpid())
    return path


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        return sock.connect_ex(path) == 0


def activation_socket(environ: "Mapping[str, str]") -> "socket.socket | None":
    """The listening socket that systemd (or who speaks its protocol, sd_listen_fds) passed."""
    if environ.get("LISTEN_FDS") != "1":
        return None
    if environ.get("LISTEN_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        sock = socket.socket(fileno=_LISTEN_FD)
    except OSError:
        return None
    if sock.family != socket.AF_UNIX or sock.type != socket.SOCK_STREAM:
        sock.detach()
        return None
    os.set_inheritable(_LISTEN_FD, False)
    sock.setblocking(False)
    logs.info("using systemd activation socket")
    return sock


def make_private(directory: str) -> None:
    """Have a directory that only its owner can enter, and that is ours.  Raises StartError."""
    try:
        os.makedirs(directory, 0o700, exist_ok=True)
        status = os.stat(directory)
        if status.st_uid != os.geteuid():
            raise StartError(f"{directory} belongs to uid {status.st_uid}")
        if status.st_mode & 0o077:
            os.chmod(directory, 0o700)
    except OSError as error:
        raise StartError(f"cannot make {directory}: {error.strerror}") from None


def raise_descriptor_limit() -> "tuple[int, int] | None":
    """Allow ourselves as many descriptors as we may; the limit before, for the shells."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft, hard = before
    wanted = _WANTED_DESCRIPTORS if hard == resource.RLIM_INFINITY else hard
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return None
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError) as error:
        logs.warn(f"cannot raise the limit of open files: {error}")
        return None
    return before
