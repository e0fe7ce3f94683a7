"""Which terminal a process at the other end of a socket runs on."""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    # A terminal: st_dev, 0 where that is not known, and st_rdev.  Each container, or whoever else
    # has mounted a devpts of its own, has a terminal of the same st_rdev.
    Device = tuple[int, int]

_STDIO = (0, 1, 2)


def same_terminal(one: "Device | None", other: "Device | None") -> bool:
    """Returns whether they are one terminal, or may be, as far as that is known."""
    if one is None or other is None or one[1] != other[1]:
        return False
    return one[0] == other[0] or 0 in (one[0], other[0])


def controlling_terminal(pid: int) -> "Device | None":
    """The terminal that `pid` runs on; None if it has none, and elsewhere than on Linux.

    By field 7 of /proc/PID/stat, see proc(5), and what the process has open.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        device = terminal_device(int(fields[4]))
    except (OSError, IndexError, ValueError):
        return None
    if not device:
        return None
    for fd in _STDIO:
        path = f"/proc/{pid}/fd/{fd}"
        try:
            # A file on a network may be out of reach, and looking at it would wait for that.
            status = os.stat(path) if _may_be_terminal(os.readlink(path)) else None
        except OSError:
            continue  # closed, or of a process that hides what it has open
        if status is not None and status.st_rdev == device:
            return status.st_dev, device
    return 0, device


def _may_be_terminal(path: str) -> bool:
    """By what /proc/PID/fd says: of a devpts that is not mounted where we are it is "/0"."""
    return "/dev/" in path or path.rfind("/") == 0


def terminal_device(number: int) -> int:
    """Field 7 of /proc/PID/stat as st_rdev; 0 for no terminal.  See proc(5)."""
    return os.makedev(number >> 8 & 0xFFF, number & 0xFF | number >> 12 & 0xFFF00)
