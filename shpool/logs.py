"""The log: levels, one line at a time, to a file or stderr or nowhere.

The logging module is left out because importing it costs more than a whole `shpool list`.
Content of sessions belongs at trace level only, in readable() form.
"""

import os
import time

from shpool.errors import ShpoolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

OFF, ERROR, WARN, INFO, DEBUG, TRACE = range(6)
NAMES = ("off", "error", "warn", "info", "debug", "trace")

# Bytes of a line, with its end: what goes into a pipe whole or not at all (PIPE_BUF on Linux).
LINE_MAX = 4096

# Bytes that a log may have that is limited, and those at its end that are kept when it has them.
_MOST = 16 * 1024 * 1024
_KEPT = 1024 * 1024

# More of one read or write than this, in bytes, tells a reader of the log nothing.
_READABLE_MAX = 256

# Of a defect: errors that led to one another, and calls that led to each.
_CHAIN_MAX = 4
_PLACES_MAX = 12


class LogError(ShpoolError):
    """The log file cannot be opened."""


class Log:
    """Where lines go, and from which level on; `fd` is None for nowhere.

    A line that cannot be written at once is lost; the next one tells how many were.
    """

    def __init__(self) -> None:
        self.level = INFO
        self.fd: int | None = None
        self._write: Callable[[int, bytes], int] = os.write
        self._lost = 0
        self._torn = False  # the line written last has no end
        self._room: int | None = None  # bytes until its length is to be looked at, if ever

    def to(self, fd: int, write: "Callable[[int, bytes], int]") -> None:
        """`write` is called with `fd` and a line, and returns or raises as os.write does."""
        self.fd = fd
        self._write = write
        self._room = None

    def limit(self) -> None:
        """Have its file, which can be read as well, not grow for ever: nobody asked for it, it is
        written for months, and where it stands is memory on most systems."""
        self._room = 0

    def to_file(self, path: str) -> None:
        """Truncate or create `path`, readable by its owner alone.  Raises LogError."""
        # Non-blocking for who names a FIFO or a terminal: nobody waits for its reader.
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        flags |= os.O_NONBLOCK | os.O_NOCTTY
        try:
            self.to(os.open(path, flags, 0o600), os.write)
        except OSError as error:
            raise LogError(f"cannot open the log file {path}: {error.strerror}") from None

    def write(self, level: int, text: str) -> None:
        """One line, written at once or not at all; `text` may hold any characters."""
        if self.fd is None or level > self.level:
            return
        line = self._line(level, text)
        try:
            taken = self._write(self.fd, line)
        except OSError:  # nobody reads it, the disk is full, a terminal is gone
            self._lost += 1
            return
        self._torn = taken < len(line)
        self._lost = self._lost + 1 if self._torn else 0
        if self._room is not None:
            self._room -= taken
            if self._room < 0:
                self._room = self._shorten(self.fd)

    def _shorten(self, fd: int) -> int:
        """Cut the beginning off if it is too long.  How much may be written until the next look."""
        try:
            size = os.fstat(fd).st_size
            if size >= _MOST:
                try:
                    kept = os.pread(fd, _KEPT, size - _KEPT).partition(b"\n")[2]
                except OSError:
                    kept = b""  # it was opened by an older version, to be written alone
                os.ftruncate(fd, 0)
                kept = self._line(INFO, "what was here before was too long, and is cut off") + kept
                size = os.write(fd, kept)
        except OSError:
            return _KEPT
        return _MOST - size

    def _line(self, level: int, text: str) -> bytes:
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        text = _printable(text[:LINE_MAX])
        line = f"{stamp}.{int(now % 1 * 1000):03d}Z {NAMES[level].upper():5} {text}".encode()
        end = f" (lines lost before this one: {self._lost})\n" if self._lost else "\n"
        room = LINE_MAX - len(end) - self._torn
        if len(line) > room:
            line = line[: room - 3].decode(errors="ignore").encode() + b"..."
        return b"\n" * self._torn + line + end.encode()


def _printable(text: str) -> str:
    """`text` with what would do more on a terminal than to show a character spelled out."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


log = Log()


def error(text: str) -> None:
    log.write(ERROR, text)


def warn(text: str) -> None:
    log.write(WARN, text)


def info(text: str) -> None:
    log.write(INFO, text)


def debug(text: str) -> None:
    log.write(DEBUG, text)


def trace(text: str) -> None:
    log.write(TRACE, text)


def defect(error: BaseException) -> None:
    """What nobody foresaw: what it was, and where it came from, the innermost place last.

    Only names and numbers of lines are told.  The traceback module would read the sources, which
    may be another version's by now.  Where memory is short nothing may be.
    """
    try:
        log.write(ERROR, f"internal error: {'; after '.join(_told(error))}")
    except MemoryError:
        pass  # whoever calls this has more to see to


def _told(error: BaseException) -> "list[str]":
    told: list[str] = []
    found: BaseException | None = error
    while found is not None and len(told) < _CHAIN_MAX:
        told.append(f"{type(found).__name__}: {found} ({_origin(found)})")
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
    return told


def _origin(error: BaseException) -> str:
    places = []
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        places.append(f"{os.path.basename(code.co_filename)}:{step.tb_lineno} {code.co_name}")
        step = step.tb_next
    return " > ".join(places[-_PLACES_MAX:])


def tracing() -> bool:
    """Returns whether trace lines go anywhere, for callers on a hot path."""
    return log.level >= TRACE and log.fd is not None


def readable(data: bytes) -> str:
    """Terminal bytes as a log may show them: quoted, escaped, cut when long."""
    if len(data) <= _READABLE_MAX:
        return ascii(data)
    return f"{data[:_READABLE_MAX]!a}... ({len(data)} bytes)"
