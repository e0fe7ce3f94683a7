"""Who is at the other end of a Unix socket: what daemon and client ask before they trust it."""

# Not socket, which takes as long to load as the interpreter and is nothing a client needs.
import _socket
from struct import Struct

_UCRED = Struct("3i")  # struct ucred: pid, uid, gid
_XUCRED = Struct("II")  # the beginning of struct xucred: version, uid

# Of macOS and FreeBSD; the pid is macOS's alone.
_SOL_LOCAL, _LOCAL_PEERCRED, _LOCAL_PEERPID = 0, 1, 2


def credentials(sock: _socket.socket) -> "tuple[int, int]":
    """(pid, uid) of the process that connected, or that listened; the pid is 0 if unknown.

    They are those of the moment when it did so.  Raises OSError when the system does not tell.
    """
    if hasattr(_socket, "SO_PEERCRED"):
        raw = sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, _UCRED.size)
        pid, uid, _ = _UCRED.unpack(raw)
        return pid, uid
    raw = sock.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, 128)
    _, uid = _XUCRED.unpack_from(raw)
    try:
        pid = sock.getsockopt(_SOL_LOCAL, _LOCAL_PEERPID)
    except OSError:
        pid = 0
    return pid, uid
