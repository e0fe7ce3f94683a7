"""Daemons among the processes of our user, by their command lines; see proc(5).

On systems without /proc nothing is found.
"""

import os

from shpool.errors import UsageError
from shpool.files import read_bounded
from shpool.options import GLOBAL_OPTIONS, parse
from shpool.paths import Paths, PathsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from signal import SIGUSR1

    from shpool.options import Parsed
else:
    # Of what signal adds to this, enum alone takes as long to load as all of a list.
    try:
        from _signal import SIGUSR1
    except ImportError:
        from signal import SIGUSR1

# Of a command line and of an environment, so many bytes are read.
_WORDS_MAX = 131_072
_ENVIRON_MAX = 2_097_152

_SIGUSR1_BIT = 1 << (SIGUSR1 - 1)

# Options of the interpreter that have a value, and those with which it runs something else.
_VALUED = "mWX"
_OTHER_PROGRAM = "c-"


class Process:
    """What /proc/PID/status says."""

    __slots__ = ("catches", "ignores", "parent", "pid", "stopped")

    def __init__(self, pid: int, fields: "dict[bytes, bytes]") -> None:
        self.pid = pid
        self.parent = int(fields[b"PPid"])
        self.stopped = fields[b"State"].startswith(b"T")
        self.catches = bool(int(fields[b"SigCgt"], 16) & _SIGUSR1_BIT)
        self.ignores = bool(int(fields[b"SigIgn"], 16) & _SIGUSR1_BIT)

    def have_bind_anew(self) -> None:
        """For one that catches this.  Raises ProcessLookupError."""
        os.kill(self.pid, SIGUSR1)


def is_daemon(pid: int) -> bool:
    """Returns whether `pid` was started as a daemon, as far as its command line tells."""
    try:
        return _options_of(str(pid)) is not None
    except OSError:
        return not os.path.exists("/proc/self/status")


def doubts(path: str, pid: int) -> "tuple[int, str]":
    """Of who listens at `path`, `pid` as the kernel has it: the daemon's pid, 0 if that cannot be
    told, and why it may be silent, empty if that is not known."""
    found = daemon_of(path)
    if found is not None:
        return found.pid, stopped(found)
    return (pid, "") if pid and is_daemon(pid) else (0, "")


def pid_of_daemon(path: str) -> int:
    """The pid of a daemon that serves `path`, by its command line; 0 if none is seen."""
    found = daemon_of(path)
    return 0 if found is None else found.pid


def stopped(daemon: Process) -> str:
    return f"it is stopped: kill -CONT {daemon.pid}" if daemon.stopped else ""


def daemon_of(path: str) -> "Process | None":
    """A daemon of our user that serves `path`, best one that can bind anew; see proc(5)."""
    us = os.geteuid()
    found: dict[int, Process] = {}
    try:
        entries = os.listdir("/proc")
    except OSError:
        return None
    for entry in entries:
        if not entry.isdigit():
            continue
        try:
            if os.stat(f"/proc/{entry}").st_uid == us and _serves(entry, path):
                process = _status(entry, us)
                if process is not None:
                    found[process.pid] = process
        except (OSError, ValueError, KeyError):
            pass  # it has ended
    best = None
    for process in found.values():
        # A child that has not become its program yet looks like its parent.
        if process.parent in found or process.ignores:
            continue
        if best is None or (process.catches and not best.catches):
            best = process
    return best


def _status(entry: str, us: int) -> "Process | None":
    """Raises OSError, ValueError, KeyError."""
    fields = {}
    for line in read_bounded(f"/proc/{entry}/status", _WORDS_MAX).splitlines():
        key, _, value = line.partition(b":")
        fields[key] = value.strip()
    # Real, effective, saved and that of file access: nobody who has changed, or could.
    if set(fields[b"Uid"].split()) != {b"%d" % us}:
        return None
    return Process(int(entry), fields)


def _serves(entry: str, path: str) -> bool:
    """Raises OSError."""
    given = _options_of(entry)
    if given is None or not _is_interpreter(os.readlink(f"/proc/{entry}/exe")):
        return False
    return _socket_of(entry, given.text("socket")) == path and _same_tree(entry, path)


def _options_of(entry: str) -> "Parsed | None":
    """What daemon_options() makes of a process.  Raises OSError."""
    words = read_bounded(f"/proc/{entry}/cmdline", _WORDS_MAX).rstrip(b"\0").split(b"\0")
    if words[-1] != b"daemon":
        return None
    # __main__.py sets the name, so that one file may be called anything.
    named = read_bounded(f"/proc/{entry}/comm", _WORDS_MAX) == b"shpool\n"
    return daemon_options([os.fsdecode(word) for word in words], named=named)


def daemon_options(words: "list[str]", *, named: bool = False) -> "Parsed | None":
    """The options of a command line of `shpool daemon`; None if it is of something else.

    `named`: the process is known to run shpool, if it is an interpreter that runs a file.
    """
    ours = _options(words, named=named)
    if ours is None:
        return None
    try:
        given = parse(ours, GLOBAL_OPTIONS, stop=True)
    except UsageError:
        return None
    return given if given.rest == ["daemon"] else None


def _options(words: "list[str]", *, named: bool = False) -> "list[str] | None":
    """What follows the program's name, if the program is shpool; any file is, if `named`."""
    if os.path.basename(words[0]) == "shpool":
        return words[1:]
    if not _is_interpreter(words[0]):
        return None
    rest = words[:0:-1]  # the next one last
    while rest:
        word = rest.pop()
        if not word.startswith("-"):
            return rest[::-1] if named or _is_program(word) else None
        letter, value = _interpreter_option(word)
        if letter in _VALUED and not value and rest:
            value = rest.pop()
        if letter == "m":
            return rest[::-1] if value in ("shpool", "shpool.__main__") else None
        if letter in _OTHER_PROGRAM:
            return None
    return None


def _interpreter_option(word: str) -> "tuple[str, str]":
    """Of a word like -ISWerror the letter that has a value, and what of it stands in the word."""
    for position, letter in enumerate(word[1:], 2):
        if letter in _VALUED or letter in _OTHER_PROGRAM:
            return letter, word[position:]
    return " ", ""


def _is_program(path: str) -> bool:
    directory, name = os.path.split(path)
    if name == "__main__.py":
        name = os.path.basename(directory)
    # shpool.pyz, and with version and hash of its contents behind it.
    return name == "shpool" or (name.startswith("shpool") and name.endswith(".pyz"))


def _is_interpreter(path: str) -> bool:
    """Also of one that was replaced, "/usr/bin/python3.11 (deleted)"; the original is its own."""
    name = os.path.basename(path).partition(" ")[0].lower()
    return "python" in name or "pypy" in name or name == "shpool"


def _socket_of(entry: str, given: "str | None") -> str:
    """Where the process has its socket.  Raises OSError."""
    if given:
        return os.path.normpath(os.path.join(os.readlink(f"/proc/{entry}/cwd"), given))
    environ = {}
    for setting in read_bounded(f"/proc/{entry}/environ", _ENVIRON_MAX).split(b"\0"):
        name, _, value = setting.partition(b"=")
        environ[os.fsdecode(name)] = os.fsdecode(value)
    try:
        return Paths(environ).socket
    except PathsError:
        return ""


def _same_tree(entry: str, path: str) -> bool:
    """Returns whether `path` is, to that process, where it is to us: it may be in a container."""
    directory = os.path.dirname(path)
    while True:
        try:
            here = os.stat(directory)
        except OSError:
            here = None
        if here is not None or directory == "/":
            break
        directory = os.path.dirname(directory)
    try:
        there = os.stat(f"/proc/{entry}/root{directory}")
    except OSError:
        return False
    return here is not None and os.path.samestat(here, there)
