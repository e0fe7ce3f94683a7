"""Who is at the other end of a Unix socket."""

import os
import socket
import struct


def credentials(sock: socket.socket) -> "tuple[int, int]":
    """(pid, uid) of the process that connected.  Raises OSError when the system does not tell."""
    if hasattr(socket, "SO_PEERCRED"):
        layout = struct.Struct("3i")  # struct ucred: pid, uid, gid
        raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, layout.size)
        pid, uid, _ = layout.unpack(raw)
        return pid, uid
    return _bsd_credentials(sock)


def controlling_terminal(pid: int) -> "int | None":
    """The device, as st_rdev has it, of the terminal that `pid` runs on; None if it has none.

    From field 7 of Linux's /proc/PID/stat, see proc(5); elsewhere None.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return terminal_device(int(fields[4])) or None
    except (OSError, IndexError, ValueError):
        return None


def terminal_device(number: int) -> int:
    """Field 7 of /proc/PID/stat as st_rdev; 0 for no terminal.  See proc(5)."""
    return os.makedev(number >> 8 & 0xFFF, number & 0xFF | number >> 12 & 0xFFF00)


def _bsd_credentials(sock: socket.socket) -> "tuple[int, int]":
    """macOS and FreeBSD: struct xucred by LOCAL_PEERCRED, the pid by macOS's LOCAL_PEERPID."""
    local, peercred, peerpid = 0, 1, 2
    version_and_uid = struct.Struct("II")
    raw = sock.getsockopt(local, peercred, 128)
    _, uid = version_and_uid.unpack_from(raw)
    try:
        pid = sock.getsockopt(local, peerpid)
    except OSError:
        pid = 0
    return pid, uid
