"""A daemon that lives on without its socket: finding it, and having it bind anew.

logind removes a user's runtime directory at logout, cleaners remove what looks old; the daemon and
its sessions go on, out of reach.  Whoever finds no socket looks in /proc for a daemon of the same
user that serves just this path, and sends it SIGUSR1, if it is seen to catch that: an older daemon,
or the original, would die of it.
"""

import os
import stat
import time

from shpool.client.connect import ClientError, listening
from shpool.options import GLOBAL_OPTIONS, UsageError, parse
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

# Seconds for a daemon to bind anew.
_PATIENCE = 5.0

# Seconds for one that neither catches the signal nor ignores it to show what it is: it may have
# been started a moment ago, or be about to end.
_DOUBT = 1.0

_FIRST_LOOK = 0.002
_LONGEST_LOOK = 0.05

# Of a command line and of an environment, so many bytes are read.
_WORDS_MAX = 131_072
_ENVIRON_MAX = 2_097_152

_SIGUSR1_BIT = 1 << (SIGUSR1 - 1)

# Options of the interpreter that have a value, and those with which it runs something else.
_VALUED = "mWX"
_OTHER_PROGRAM = "c-"


class _Process:
    """What /proc/PID/status says."""

    __slots__ = ("catches", "ignores", "parent", "pid", "stopped")

    def __init__(self, pid: int, fields: "dict[bytes, bytes]") -> None:
        self.pid = pid
        self.parent = int(fields[b"PPid"])
        self.stopped = fields[b"State"].startswith(b"T")
        self.catches = bool(int(fields[b"SigCgt"], 16) & _SIGUSR1_BIT)
        self.ignores = bool(int(fields[b"SigIgn"], 16) & _SIGUSR1_BIT)


def bring_back(path: str, wanted: "str | None" = None, patience: float = _PATIENCE) -> bool:
    """Returns whether a daemon that serves `path` was found, and listens at `wanted` again.

    `wanted` is `path` itself, or the events socket of the same daemon; `patience` is in seconds.  A
    daemon that is starting or ending does not count.  Raises ClientError if there is one that
    cannot be reached.
    """
    wanted = wanted or path
    began = time.monotonic()
    asked = 0
    pause = _FIRST_LOOK
    while True:
        daemon = _daemon_of(path)
        if listening(wanted):
            return True
        if daemon is None:
            return False
        waited = time.monotonic() - began
        if waited > (patience if asked else _DOUBT):
            raise ClientError(_verdict(daemon.pid, path, wanted))
        if daemon.catches and asked != daemon.pid:
            reason = _stopped(daemon) or _hopeless(path) or _in_the_way(wanted)
            if reason:
                raise ClientError(f"{_verdict(daemon.pid, path, wanted)} ({reason})")
            try:
                os.kill(daemon.pid, SIGUSR1)
            except ProcessLookupError:
                continue
            asked = daemon.pid
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_LOOK)


def _verdict(pid: int, path: str, wanted: str) -> str:
    if wanted != path and listening(path):
        return f"the daemon (pid {pid}) cannot bind {wanted}; its sessions are served all the same"
    return f"a daemon (pid {pid}) lost its socket and cannot bind anew; its sessions live on"


def _hopeless(path: str) -> str:
    """Why nobody of our user can make the socket again; empty if somebody can."""
    directory = missing = os.path.dirname(path)
    while not os.path.isdir(directory) and directory != "/":
        missing = directory
        directory = os.path.dirname(directory)
    if os.access(directory, os.W_OK | os.X_OK):
        return ""
    return f"{missing} is gone, and {directory} is not ours to make it in"


def is_daemon(pid: int) -> bool:
    """Returns whether `pid` was started as a daemon, as far as its command line tells."""
    try:
        return _options_of(str(pid)) is not None
    except OSError:
        return not os.path.exists("/proc/self/status")


def pid_of_daemon(path: str) -> int:
    """The pid of a daemon that serves `path`, by its command line; 0 if none is seen."""
    found = _daemon_of(path)
    return 0 if found is None else found.pid


def _stopped(daemon: _Process) -> str:
    return f"it is stopped: kill -CONT {daemon.pid}" if daemon.stopped else ""


def _in_the_way(wanted: str) -> str:
    """What stands where the socket should, and is not a daemon's to remove; empty if nothing."""
    try:
        owner = os.lstat(wanted).st_uid
        if owner != os.geteuid():
            return f"{wanted} belongs to uid {owner}"
        return "" if stat.S_ISSOCK(os.stat(wanted).st_mode) else f"{wanted} is no socket"
    except OSError:
        return ""


def hint(path: str) -> str:
    """What to say of a daemon that may be running, where the system has no /proc to look in.

    Empty where there is one, or where ps tells that there is none.
    """
    if os.path.exists("/proc/self/status"):
        return ""
    cure = "has it bind anew (an older one, or the original, would die of it)"
    pids = _listed_by_ps(path)
    if pids is None:
        return (
            f"no daemon answers at {path}; one may be running all the same, without its socket: "
            f"kill -USR1 PID {cure}"
        )
    if not pids:
        return ""
    pid = pids[0]
    return f"a daemon (pid {pid}) may be running without its socket {path}: kill -USR1 {pid} {cure}"


def _listed_by_ps(path: str) -> "list[int] | None":
    """Pids of daemons that may serve `path`, by their command lines; None if ps does not work."""
    import subprocess

    command = ["ps", "-xww", "-o", "pid=,command="]
    try:
        done = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_PATIENCE, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    pids = []
    for line in os.fsdecode(done.stdout).splitlines():
        pid, _, words = line.strip().partition(" ")
        if pid.isdigit() and _may_serve(words.split() or [""], path):
            pids.append(int(pid))
    return pids


def _may_serve(words: "list[str]", path: str) -> bool:
    """Returns whether a command line, all that ps tells, may be of a daemon that serves `path`."""
    # Nobody but a daemon of ours is told this path, whatever the file is called that it runs from.
    told = _daemon_options(words, named=True)
    if told is not None and told.text("socket") == path:
        return True
    given = _daemon_options(words)
    # Without a path it is one of the environment that it was started in, which ps hides.
    return given is not None and given.text("socket") is None


# ---- /proc


def _daemon_of(path: str) -> "_Process | None":
    """A daemon of our user that serves `path`, best one that can bind anew; see proc(5)."""
    us = os.geteuid()
    found: dict[int, _Process] = {}
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


def _status(entry: str, us: int) -> "_Process | None":
    """Raises OSError, ValueError, KeyError."""
    fields = {}
    for line in _read(f"/proc/{entry}/status", _WORDS_MAX).splitlines():
        key, _, value = line.partition(b":")
        fields[key] = value.strip()
    # Real, effective, saved and that of file access: nobody who has changed, or could.
    if set(fields[b"Uid"].split()) != {b"%d" % us}:
        return None
    return _Process(int(entry), fields)


def _serves(entry: str, path: str) -> bool:
    """Raises OSError."""
    given = _options_of(entry)
    if given is None or not _is_interpreter(os.readlink(f"/proc/{entry}/exe")):
        return False
    return _socket_of(entry, given.text("socket")) == path and _same_tree(entry, path)


def _options_of(entry: str) -> "Parsed | None":
    """What _daemon_options() makes of a process.  Raises OSError."""
    words = _read(f"/proc/{entry}/cmdline", _WORDS_MAX).rstrip(b"\0").split(b"\0")
    if words[-1] != b"daemon":
        return None
    # __main__.py sets the name, so that one file may be called anything.
    named = _read(f"/proc/{entry}/comm", _WORDS_MAX) == b"shpool\n"
    return _daemon_options([os.fsdecode(word) for word in words], named=named)


def _daemon_options(words: "list[str]", *, named: bool = False) -> "Parsed | None":
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
    for setting in _read(f"/proc/{entry}/environ", _ENVIRON_MAX).split(b"\0"):
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


def _read(path: str, limit: int) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = b""
        while piece := os.read(fd, limit - len(data)):
            data += piece
        return data
    finally:
        os.close(fd)
