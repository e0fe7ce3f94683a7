"""The log: levels, one line at a time, to a file or stderr or nowhere.

The logging module is left out because importing it costs more than a whole `shpool list`.
Content of sessions belongs at trace level only, in readable() form.
"""

import os
import time

from shpool.errors import ShpoolError

OFF, ERROR, WARN, INFO, DEBUG, TRACE = range(6)
NAMES = ("off", "error", "warn", "info", "debug", "trace")

# More of one read or write than this, in bytes, tells a reader of the log nothing.
_READABLE_MAX = 256

# Of a defect: errors that led to one another, and calls that led to each.
_CHAIN_MAX = 4
_PLACES_MAX = 12


class LogError(ShpoolError):
    """The log file cannot be opened."""


class Log:
    """Where lines go, and from which level on; `fd` is None for nowhere."""

    def __init__(self) -> None:
        self.level = INFO
        self.fd: int | None = None

    def to_stderr(self) -> None:
        self.fd = 2

    def to_file(self, path: str) -> None:
        """Truncate or create `path`, readable by its owner alone.  Raises LogError."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
        try:
            self.fd = os.open(path, flags, 0o600)
        except OSError as error:
            raise LogError(f"cannot open the log file {path}: {error.strerror}") from None

    def write(self, level: int, text: str) -> None:
        """One line, written at once; `text` may hold any characters."""
        if self.fd is None or level > self.level:
            return
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        text = text.replace("\n", "\\n").replace("\r", "\\r")
        line = f"{stamp}.{int(now % 1 * 1000):03d}Z {NAMES[level].upper():5} {text}\n"
        try:
            os.write(self.fd, line.encode("utf-8", "backslashreplace"))
        except OSError:
            # A full disk or a closed stderr: there is nowhere left to say so.
            pass


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
    may be another version's by now.
    """
    told: list[str] = []
    found: BaseException | None = error
    while found is not None and len(told) < _CHAIN_MAX:
        told.append(f"{type(found).__name__}: {found} ({_origin(found)})")
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
    log.write(ERROR, f"internal error: {'; after '.join(told)}")


def _origin(error: BaseException) -> str:
    places = []
    step = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        places.append(f"{os.path.basename(code.co_filename)}:{step.tb_lineno} {code.co_name}")
        step = step.tb_next
    return " > ".join(places[-_PLACES_MAX:])


def tracing() -> bool:
    """Whether trace lines go anywhere, for callers on a hot path."""
    return log.level >= TRACE and log.fd is not None


def readable(data: bytes) -> str:
    """Terminal bytes as a log may show them: quoted, escaped, cut when long."""
    if len(data) <= _READABLE_MAX:
        return ascii(data)
    return f"{data[:_READABLE_MAX]!a}... ({len(data)} bytes)"
