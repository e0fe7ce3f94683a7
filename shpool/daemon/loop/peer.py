"""Which terminal a process at the other end of a socket runs on."""

import os


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
