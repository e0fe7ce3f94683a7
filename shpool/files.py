"""Reading small files that somebody else wrote, without ever waiting for one of them; and closing
whatever is open."""

import errno
import os
import stat


def read_bounded(path: str, limit: int) -> bytes:
    """The first `limit` bytes of the file at `path`.

    Only regular files and character devices that have something to give at once (/dev/null) are
    read: opening a FIFO would wait for somebody to write. Raises OSError.
    """
    if "\0" in path:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        if not stat.S_ISREG(mode) and not stat.S_ISCHR(mode):
            raise OSError(errno.EINVAL, "Not a regular file", path)
        data = b""
        while piece := os.read(descriptor, limit - len(data)):
            data += piece
        return data
    finally:
        os.close(descriptor)


def close_from(first: int) -> None:
    """Close every descriptor from `first` on, in a process that is about to be another program.

    Some Pythons close one number after the other up to the limit, which may be a thousand million.
    So those are closed that the system names, where it does.
    """
    try:
        numbers = [int(name) for name in os.listdir("/dev/fd")]
    except (OSError, ValueError):
        numbers = []
    # One that tells all tells by what it was read as well.
    if max(numbers, default=0) < 3:
        os.closerange(first, os.sysconf("SC_OPEN_MAX"))
        return
    for number in numbers:
        if number >= first:
            try:
                os.close(number)
            except OSError:
                pass  # it was that one
