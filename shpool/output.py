"""What a command says: output, which must arrive or be an error, and complaints, which may be lost.

Straight to the descriptors, so that nothing is left for the end of the process, when it could
only fail; and in UTF-8 whatever the locale, as names are.
"""

import os

from shpool.errors import ShpoolError

_STDOUT, _STDERR = 1, 2


class OutputError(ShpoolError):
    """stdout does not take what the user asked for; the message is for the user."""


def put(output: "str | bytes") -> None:
    """Write all of `output` to stdout.  Raises OutputError; BrokenPipeError if nobody reads it."""
    data = output.encode("utf-8", "surrogateescape") if isinstance(output, str) else output
    try:
        _write(_STDOUT, data)
    except OSError as error:
        raise unwritable(error) from None


def complain(text: str) -> None:
    """Write `text`, whole lines, to stderr; where that cannot be written, nothing changes."""
    try:
        _write(_STDERR, text.encode("utf-8", "backslashreplace"))
    except OSError:
        pass  # the exit status has to do


def unwritable(error: OSError) -> Exception:
    """What to raise when stdout cannot be written."""
    if isinstance(error, BrokenPipeError):
        return error
    return OutputError(f"cannot write the output: {error.strerror}")


def _write(fd: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(fd, data) :]
        except BlockingIOError:
            # Somebody who shares the open file has made it so; we wait as ever.
            _wait_for_room(fd)


def _wait_for_room(fd: int) -> None:
    import select

    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    poll.poll()
