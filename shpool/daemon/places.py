"""What a daemon has in the file system: directories, locks, sockets, pid file, log.

It lives longer than these do: logind removes a user's runtime directory at logout, cleaners remove
what is old.  So all of it can be made again, in the place of what is gone (SIGUSR1).

A directory may have several daemons, each with a socket of its own.  The events socket, pid file
and log in it are of the one that was first.
"""

import os
import socket

from shpool import logs
from shpool.daemon.carried import PATH, Socket
from shpool.daemon.loop.listener import ListenError, Taken, bind
from shpool.daemon.private import (
    LockFile,
    NotOurs,
    PlaceError,
    make_private,
    make_runtime,
    open_private,
    take_within,
)
from shpool.daemon.programs.directory import remove_leftovers
from shpool.errors import ALREADY_RUNNING
from shpool.paths import LOCK_FILE_NAME, LOG_FILE_NAME, PID_FILE_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from shpool.paths import Paths

    Stamp = tuple[int, int, int]

# Seconds for a predecessor to finish ending: it gives its shells half a second.  Less than what a
# client waits (5), so that it hears why there is no daemon.
_SUCCESSION = 4.0

# Seconds to wait for another daemon that is just binding its sockets.
_BINDING = 2.0

_BINDING_LOCK_NAME = "binding.lock"


class Places:
    """`requests` and `events` are the sockets to listen at, once bind() has been called.

    `events` is None if the directory is another daemon's.  `activated` is a socket that was passed
    to us; `daemonized` daemons have a pid file, and a log unless they have another one; `log_file`
    is what they log to already.  `warn` is called with what the user should know.
    """

    CARRIED = {
        "requests": (Socket("socket"), None),
        "events": (Socket("events socket"), None),
        "_activated": bool,
        "_log_file": (PATH, None),
        "_daemonized": bool,
        "_socket_path": PATH,
        "_bound": {PATH: (int, int, int)},
        "_lock": LockFile,
        "_pid_file": LockFile,
    }
    DERIVED = ("_paths", "_warn")

    def __init__(
        self,
        paths: "Paths",
        activated: "socket.socket | None",
        log_file: "str | None",
        daemonized: bool,
        warn: "Callable[[str], None]",
    ) -> None:
        self.requests = activated
        self._activated = activated is not None  # `requests` is, which we were passed
        self.events: socket.socket | None = None
        self._paths = paths
        self._log_file = log_file
        self._daemonized = daemonized
        self._warn = warn
        self._socket_path = paths.socket if activated is None else _path_of(activated)
        self._bound: dict[str, Stamp] = {}
        pid = os.getpid()
        self._lock = LockFile(os.path.join(paths.state, LOCK_FILE_NAME), f"{pid} {_host()}\n")
        self._pid_file = LockFile(paths.beside_socket(PID_FILE_NAME), f"{pid}\n")

    def taken_on(self, paths: "Paths") -> None:
        """Another process has taken these places before."""
        self._paths = paths
        self._warn = logs.warn

    def forget(self, fds: "set[int]") -> None:
        """These descriptors are not what they were: what they stood for can be made again."""
        if self.requests is not None and self.requests.fileno() in fds:
            self.requests = None
            self._bound.pop(self._socket_path, None)
        if self.events is not None and self.events.fileno() in fds:
            self.events = None
            self._bound.pop(self._paths.events, None)

    @property
    def logs_to_stderr(self) -> bool:
        """The log has no file."""
        return self._log_file is None and not self._daemonized

    # ---- taking the place

    def occupy(self) -> None:
        """Have the directories, and be the only daemon for this socket.

        Raises PlaceError or ListenError; leave() is to be called then.
        """
        self._make_directories()
        self._become_the_only_one()

    def bind(self) -> None:
        """Have the sockets, pid file and log.  Raises as occupy() does."""
        binding = self._binding_lock()
        if not take_within(binding, _BINDING):
            raise PlaceError(f"another daemon has locked {binding.path}")
        try:
            self._bind_all()
        finally:
            binding.unlink()
            binding.close()

    def _bind_all(self) -> None:
        if self.requests is None and _answers(self._socket_path):
            raise Taken(ALREADY_RUNNING)  # it knows nothing of the lock: the original, say
        # Before the other one: whoever can ask for a session can subscribe.
        self._bind_events()
        # What is there is of a daemon that was killed, and goes before anybody can ask for more.
        remove_leftovers(self._paths.state)
        if self.requests is None:
            self.requests = self._bind(self._socket_path)

    def _make_directories(self) -> None:
        make_runtime(self._paths)
        make_private(self._paths.state)
        sessions = os.path.join(self._paths.state, "sessions")
        if os.path.lexists(sessions):
            make_private(sessions)  # what is in it is about to be removed

    def _become_the_only_one(self) -> None:
        """Of several daemons for one socket that are started at once, one gets past this."""
        if take_within(self._lock, _SUCCESSION, self._give_up):
            return
        pid, _ = _holder(self._lock)
        raise PlaceError(
            f"a daemon (pid {pid}) has locked {self._lock.path} but does not answer at "
            f"{self._paths.socket}; kill -USR1 {pid} may help it"
        )

    def _give_up(self) -> None:
        """Whoever has the lock answers, or lives where he cannot: no use to wait for him."""
        # Where a socket was passed to us, it is ours that would answer.
        if self.requests is None and _answers(self._paths.socket):
            raise Taken(ALREADY_RUNNING)
        pid, host = _holder(self._lock)
        if host and not _is_here(host):
            raise PlaceError(
                f"a daemon on host {host.split()[0]} (pid {pid}) uses {self._paths.state}, and can "
                "only be reached from there; with XDG_RUNTIME_DIR set to a directory of this host "
                "there can be one here"
            )

    def _bind_events(self) -> None:
        directory = os.path.dirname(self._paths.events)
        try:
            self.events = self._bind(self._paths.events)
        except Taken as taken:
            pid = f" (pid {taken.pid})" if taken.pid else ""
            what = "this one is without events, pid file and log"
            self._warn(f"{directory} has another daemon already{pid}: {what}")
            return
        if self._daemonized:
            self._write_pid_file(_SUCCESSION)
            if self._log_file is None:
                self._open_log()

    def _write_pid_file(self, patience: float) -> None:
        try:
            if not take_within(self._pid_file, patience):
                self._warn(f"{self._pid_file.path} is locked: this daemon is without a pid file")
        except NotOurs as error:
            self._warn(f"{error}: this daemon is without a pid file")

    def _open_log(self) -> None:
        path = self._paths.beside_socket(LOG_FILE_NAME)
        try:
            fd = open_private(path, os.O_RDWR | os.O_APPEND)
        except NotOurs as error:
            self._warn(f"{error}: this daemon is without a log")
            return
        os.ftruncate(fd, 0)
        logs.log.to(fd, os.write)
        self._log_file = path
        self.limit_log()

    def limit_log(self) -> None:
        """If nobody has asked for the log it does not grow for ever."""
        if self._daemonized and self._log_file == self._paths.beside_socket(LOG_FILE_NAME):
            logs.log.limit()

    def _bind(self, path: str) -> socket.socket:
        sock = bind(path)
        self._bound[path] = _stamp(os.lstat(path))
        return sock

    def _binding_lock(self) -> LockFile:
        """Held while the sockets are bound: daemons of one directory share the events socket."""
        return LockFile(os.path.join(self._paths.runtime, _BINDING_LOCK_NAME), f"{os.getpid()}\n")

    # ---- taking it again

    def again(self) -> None:
        """Make again what is gone, or is not ours any more; what cannot be made is logged.

        The sockets are others afterwards, if they had to be bound.  Where somebody else answers by
        now, he is left alone.
        """
        binding = self._binding_lock()
        try:
            self._make_directories()
            _make_parents(self._paths.events)
            self._open_log_again()
            if not self._lock.stands() and not self._lock.take():
                pid, _ = _holder(self._lock)
                raise PlaceError(f"a daemon (pid {pid}) is here by now, and is left alone")
            if not binding.take():
                raise PlaceError("another daemon is just starting here")
        except PlaceError as error:
            logs.warn(f"cannot bind anew: {error}")
            return
        try:
            self.events = self._bind_again(self._paths.events, self.events)
            if self._daemonized and self._paths.events in self._bound:
                self._take_files_again()
            before = self.requests
            self.requests = self._bind_again(self._socket_path, before)
            self._activated = self._activated and self.requests is before
        finally:
            binding.unlink()
            binding.close()

    def _bind_again(self, path: str, sock: "socket.socket | None") -> "socket.socket | None":
        made = self._bound.get(path)
        if not path:
            return sock
        try:
            found = os.lstat(path)
        except FileNotFoundError:
            found = None
        except OSError as error:
            logs.warn(f"cannot bind {path} anew: {error.strerror}")
            return sock
        if made is not None and found is not None and _stamp(found) == made:
            return sock
        if sock is not None and sock is self.requests and self._activated and found is not None:
            return sock  # whose doing this is need not interest us
        try:
            fresh = self._bind(path)
        except Taken:
            logs.warn(f"another daemon is at {path} by now, and is left alone")
            self._bound.pop(path, None)
            return sock
        except ListenError as error:
            logs.warn(f"cannot bind anew: {error}")
            return sock
        logs.info(f"bound {path} anew")
        return fresh

    def _take_files_again(self) -> None:
        """What the first daemon of a directory has, which we may not have been before."""
        try:
            if not self._pid_file.stands() and not self._pid_file.take():
                logs.warn(f"{self._pid_file.path} is another daemon's by now, and is left alone")
            if self._log_file is None:
                self._open_log()
        except PlaceError as error:
            logs.warn(f"cannot bind anew: {error}")

    def _open_log_again(self) -> None:
        """Go on in the same file if it is still there, else in a new one."""
        path = self._log_file
        if path is None or logs.log.fd is None:
            return
        try:
            if _same_place(path, logs.log.fd):
                return
            fd = open_private(path, os.O_RDWR | os.O_APPEND)
        except (PlaceError, OSError) as error:
            logs.warn(f"the log cannot be opened anew: {error}")
            return
        os.dup2(fd, logs.log.fd, inheritable=False)
        os.close(fd)

    def renew_pid(self) -> None:
        """This process is another one, and has what that one had."""
        pid = os.getpid()
        self._lock.rewrite(f"{pid} {_host()}\n")
        self._pid_file.rewrite(f"{pid}\n")

    # ---- leaving it

    def withdraw(self) -> None:
        """Remove sockets and pid file, unless they are gone, or somebody else's by now.

        The locks are held on: a successor waits for the end of the sessions.
        """
        for path, made in self._bound.items():
            try:
                if _stamp(os.lstat(path)) == made:
                    os.unlink(path)
            except FileNotFoundError:
                pass
            except OSError as error:
                logs.warn(f"cannot remove {path}: {error.strerror}")
        self._bound.clear()
        self._pid_file.unlink()

    def leave(self) -> None:
        """Remove the rest as well, and let a successor in."""
        self.withdraw()
        self._pid_file.close()
        had = self._lock.fd >= 0
        self._lock.unlink()
        if had and self._paths.state != self._paths.runtime:
            for directory in (os.path.join(self._paths.state, "sessions"), self._paths.state):
                try:
                    os.rmdir(directory)
                except OSError:
                    pass  # gone already, or somebody has put something into it
        self._lock.close()


def _make_parents(path: str) -> None:
    directory = os.path.dirname(path)
    try:
        os.makedirs(directory, 0o700, exist_ok=True)
    except OSError as error:
        raise PlaceError(f"cannot make {directory}: {error.strerror}") from None


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        try:
            sock.connect(path)
        except BlockingIOError:
            return True  # it listens, with a full backlog
        except OSError:
            return False
    return True


def _path_of(sock: socket.socket) -> str:
    """Where a socket that was passed to us is bound; empty for one that has no place."""
    name = sock.getsockname()
    return name if isinstance(name, str) else ""


def _host() -> str:
    """The name of this host, and what tells it, as long as it is up, from all others."""
    name = os.uname().nodename or "-"
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return f"{name} {file.read().strip()}"
    except OSError:
        return name


def _is_here(host: str) -> bool:
    """Returns whether what _host() told somebody is this host."""
    theirs, ours = host.split(), _host().split()
    if len(theirs) == len(ours):
        return theirs[-1] == ours[-1]
    return theirs[0] == ours[0]  # where /proc is not seen


def _holder(lock: LockFile) -> "tuple[str, str]":
    """What the holder of a lock has written of himself: his pid, and his host as of _host()."""
    pid, _, host = lock.holder.partition(" ")
    return pid or "unknown", host


def _stamp(found: os.stat_result) -> "Stamp":
    """What tells a file.  The time is of use, since the inode number of one that is gone is soon
    used again."""
    return found.st_dev, found.st_ino, found.st_mtime_ns


def _same_place(path: str, fd: int) -> bool:
    """Returns whether `path` is where the open file `fd` stands.  Raises OSError."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(fd))
    except FileNotFoundError:
        return False
