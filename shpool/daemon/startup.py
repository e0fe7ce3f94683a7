"""What a daemon was started with, and by whom: activation, limits, a client that waits for it."""

import os
import resource
import socket

from shpool import logs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# Descriptors: two for each session and one for each client, subscriber and connection.
_WANTED_DESCRIPTORS = 65_536

_LISTEN_FD = 3


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


def tell_launcher(text: str) -> None:
    """Warn the client that started us; our stderr leads to it until release_launcher()."""
    logs.warn(text)
    try:
        os.write(2, f"shpool: warn: {text}\n".encode("utf-8", "backslashreplace"))
    except OSError:
        pass  # it did not wait


def release_launcher() -> None:
    """We serve: the client that started us reads the end of what we have to say."""
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    os.dup2(null, 2)
    os.close(null)
