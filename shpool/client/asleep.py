"""A socket at which systemd alone listens, which starts a daemon for the first who connects."""

import os

# Programs that listen for others, as proc(5) names them in comm: systemd, systemd-socket-activate.
_STARTERS = ("systemd", "systemd-socket-")

# The flag of a socket that listens: SO_ACCEPTCON of Linux's net.h.
_LISTENS = 0x10000


def is_asleep(path: str) -> bool:
    """Returns whether it is certain that connecting to `path` would start a daemon.

    By who has the socket open; see proc(5).  Not certain where others' descriptors are not to be
    seen, and not without /proc.
    """
    try:
        wanted = {f"socket:[{inode}]" for inode in _listening(path)}
        entries = [entry for entry in os.listdir("/proc") if entry.isdigit()]
    except (OSError, ValueError):
        return False
    if not wanted:
        return False
    owners = [entry for entry in entries if _has(entry, wanted)]
    return bool(owners) and all(_name(entry) in _STARTERS for entry in owners)


def _listening(path: str) -> "list[str]":
    """The inodes of the sockets that listen at `path`.  Raises OSError, ValueError."""
    found = []
    with open("/proc/net/unix", errors="surrogateescape") as table:
        for line in table.read().splitlines()[1:]:
            fields = line.split(None, 7)
            if len(fields) == 8 and int(fields[3], 16) & _LISTENS and fields[7] == path:
                found.append(fields[6])
    return found


def _has(entry: str, wanted: "set[str]") -> bool:
    folder = f"/proc/{entry}/fd"
    try:
        return any(os.readlink(f"{folder}/{fd}") in wanted for fd in os.listdir(folder))
    except OSError:
        return False  # it has ended, or is another user's


def _name(entry: str) -> str:
    try:
        with open(f"/proc/{entry}/comm", errors="replace") as comm:
            return comm.read().rstrip("\n")
    except OSError:
        return ""
