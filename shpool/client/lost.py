"""A daemon that lives on without its socket: finding it, and having it bind anew.

logind removes a user's runtime directory at logout, cleaners remove what looks old; the daemon and
its sessions go on, out of reach.  Whoever finds no socket looks in /proc for a daemon of the same
user that serves just this path, and sends it SIGUSR1, if it is seen to catch that: an older daemon,
or the original, would die of it.
"""

import fcntl
import os
import stat
import time

from shpool.client.connect import ClientError, listening
from shpool.client.daemons import daemon_of, daemon_options, stopped
from shpool.paths import LOCK_FILE_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.paths import Paths

# Seconds for a daemon to bind anew.
_PATIENCE = 5.0

# Seconds for one that neither catches the signal nor ignores it to show what it is: it may have
# been started a moment ago, or be about to end.
_DOUBT = 1.0

_FIRST_LOOK = 0.002
_LONGEST_LOOK = 0.05


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
        daemon = daemon_of(path)
        if listening(wanted):
            return True
        if daemon is None:
            return False
        waited = time.monotonic() - began
        if waited > (patience if asked else _DOUBT):
            raise ClientError(_verdict(daemon.pid, path, wanted))
        if daemon.catches and asked != daemon.pid:
            reason = stopped(daemon) or _hopeless(path) or _in_the_way(wanted)
            if reason:
                raise ClientError(f"{_verdict(daemon.pid, path, wanted)} ({reason})")
            try:
                daemon.have_bind_anew()
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


def _in_the_way(wanted: str) -> str:
    """What stands where the socket should, and is not a daemon's to remove; empty if nothing."""
    try:
        owner = os.lstat(wanted).st_uid
        if owner != os.geteuid():
            return f"{wanted} belongs to uid {owner}"
        return "" if stat.S_ISSOCK(os.stat(wanted).st_mode) else f"{wanted} is no socket"
    except OSError:
        return ""


def hint(paths: "Paths") -> str:
    """What to say of a daemon that may be running, where the system has no /proc to look in.

    Empty where there is one, or where ps, or what a daemon leaves behind, tells that there is none.
    """
    if os.path.exists("/proc/self/status"):
        return ""
    path = paths.socket
    cure = "has it bind anew (an older one, or the original, would die of it)"
    pids = _listed_by_ps(path)
    if pids is None:
        if _surely_none(paths):
            return ""
        return (
            f"no daemon answers at {path}; one may be running all the same, without its socket: "
            f"kill -USR1 PID {cure}"
        )
    if not pids:
        return ""
    pid = pids[0]
    return f"a daemon (pid {pid}) may be running without its socket {path}: kill -USR1 {pid} {cure}"


def _surely_none(paths: "Paths") -> bool:
    """Returns whether no daemon of ours lives, as far as the lock tells that each of them holds."""
    try:
        fd = os.open(os.path.join(paths.state, LOCK_FILE_NAME), os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        # It was removed with its directory, of which only those in a home stay.
        return paths.at_home or os.path.isdir(paths.state)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(fd)
    return True


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
    told = daemon_options(words, named=True)
    if told is not None and told.text("socket") == path:
        return True
    given = daemon_options(words)
    # Without a path it is one of the environment that it was started in, which ps hides.
    return given is not None and given.text("socket") is None
