"""A session's directory: what its shell may source or connect to after the next attach.

    sessions/NAME/forward.env             the variables of the client that attached last
    sessions/NAME/ssh-auth-sock.socket    a link to that client's ssh agent

Everything in it is its owner's alone, and replaced in one step, so that no reader ever sees half.
What others have put there stays; only what we write is ever removed. Directories are opened one
below the other, so that no link is followed, and taken only if they are ours.
"""

import errno
import os
import stat
from contextlib import contextmanager

from shpool import logs
from shpool.daemon.carried import PATH
from shpool.daemon.programs.environment import AGENT_LINK, FORWARD_ENV_FILE
from shpool.daemon.programs.shells import START_FILES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

_SESSIONS = "sessions"

# What stands there until it takes the place of the file of that name.
_FRESH = ".new"

MOTD_FILE = "motd"

_OURS = (FORWARD_ENV_FILE, AGENT_LINK, MOTD_FILE, *START_FILES)


def remove_leftovers(runtime_dir: str) -> None:
    """Remove what sessions left that ended with their daemon; what cannot be removed is logged."""
    try:
        with _opened(runtime_dir, _SESSIONS) as sessions:
            for name in os.listdir(sessions):
                _remove_session(sessions, name)
    except FileNotFoundError:
        pass
    except OSError as error:
        logs.warn(f"cannot clean up {os.path.join(runtime_dir, _SESSIONS)}: {error.strerror}")


class SessionDir:
    """The directory of the session `name` below `runtime_dir`; made by create().

    It remembers what it was told last, to be made again if somebody removes it. All but remove()
    raise OSError.
    """

    CARRIED = {"name": str, "forward_env": (bytes, None), "agent": (PATH, None)}
    DERIVED = ("path", "runtime_dir")

    def __init__(self, runtime_dir: str, name: str) -> None:
        self.name = name
        self.taken_on(runtime_dir)
        self.forward_env: bytes | None = None
        self.agent: str | None = None

    def taken_on(self, runtime_dir: str) -> None:
        """It is there below `runtime_dir`."""
        self.path = os.path.join(runtime_dir, _SESSIONS, self.name)
        self.runtime_dir = runtime_dir

    def create(self) -> None:
        """Make it, with nothing in it of what a daemon that was killed wrote."""
        try:
            os.fsencode(self.name)
        except UnicodeEncodeError:  # in a locale that has not all of Unicode
            raise OSError(errno.EILSEQ, os.strerror(errno.EILSEQ)) from None
        self.remove()
        self._make()

    def make_again(self) -> None:
        """Make it anew with what it was told last, after somebody removed it or some of it."""
        self._make()
        if self.forward_env is not None:
            self.write(FORWARD_ENV_FILE, self.forward_env)
        if self.agent is not None:
            self.link_agent(self.agent)

    def write_forward_env(self, content: bytes) -> None:
        self.forward_env = content
        self.write(FORWARD_ENV_FILE, content)

    def write(self, name: str, content: bytes) -> str:
        """Replace one of our files, given by its name or path; its path."""
        path = os.path.join(self.path, name)
        name = os.path.relpath(path, self.path)
        if name not in _OURS:
            raise ValueError(f"{name} would never be removed")
        *folders, name = name.split("/")
        with self._opened() as directory:
            for folder in folders:
                os.close(_make(folder, directory))
        with _opened(self.runtime_dir, _SESSIONS, self.name, *folders) as directory:
            _write(directory, name, content)
        return path

    def link_agent(self, target: str) -> None:
        """Point the link at the agent's socket `target`."""
        self.agent = target
        fresh = AGENT_LINK + _FRESH
        with self._opened() as directory:
            _unlink(directory, fresh)
            os.symlink(target, fresh, dir_fd=directory)
            os.rename(fresh, AGENT_LINK, src_dir_fd=directory, dst_dir_fd=directory)

    def remove(self) -> None:
        """Remove what we wrote, and the directory unless others put something there.

        What cannot be removed is logged.
        """
        try:
            with _opened(self.runtime_dir, _SESSIONS) as sessions:
                _remove_session(sessions, self.name)
        except FileNotFoundError:
            pass
        except OSError as error:
            logs.warn(f"cannot remove {self.path}: {error.strerror}")

    def _opened(self) -> "AbstractContextManager[int]":
        return _opened(self.runtime_dir, _SESSIONS, self.name)

    def _make(self) -> None:
        os.makedirs(self.runtime_dir, 0o700, exist_ok=True)
        with _opened(self.runtime_dir) as runtime:
            os.close(_make(_SESSIONS, runtime))
        with _opened(self.runtime_dir, _SESSIONS) as sessions:
            os.close(_make(self.name, sessions))


@contextmanager
def _opened(*path: str) -> "Iterator[int]":
    """The directory at the end of `path`, each name of which is one in the directory before."""
    directory = _open(path[0], None)
    try:
        for name in path[1:]:
            above = directory
            directory = _open(name, above)
            os.close(above)
        yield directory
    finally:
        os.close(directory)


def _open(name: str, above: "int | None") -> int:
    """Open the directory `name` if it is one, and ours."""
    fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
    owner = os.fstat(fd).st_uid
    if owner != os.geteuid():
        os.close(fd)
        raise PermissionError(errno.EPERM, f"{name} belongs to uid {owner}")
    return fd


def _make(name: str, above: int) -> int:
    """Open the directory `name`, made if it is not there, for us alone."""
    try:
        os.mkdir(name, 0o700, dir_fd=above)
    except FileExistsError:
        pass
    fd = _open(name, above)
    os.fchmod(fd, 0o700)
    return fd


def _write(directory: int, name: str, content: bytes) -> None:
    fresh = name + _FRESH
    _unlink(directory, fresh)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    fd = os.open(fresh, flags, 0o600, dir_fd=directory)
    try:
        with open(fd, "wb") as file:
            file.write(content)
        os.rename(fresh, name, src_dir_fd=directory, dst_dir_fd=directory)
    except OSError:
        _unlink(directory, fresh)
        raise


def _remove_session(sessions: int, name: str) -> None:
    """Remove what a session of ours wrote below `name`, if that is a directory of ours.

    A link, a file or somebody else's directory there is none that a session had.
    """
    try:
        directory = _open(name, sessions)
    except (OSError, UnicodeEncodeError):
        return
    try:
        for path in _OURS:
            *folders, file = path.split("/")
            if folders:
                _remove_in_folder(directory, folders[0], file)
            else:
                _remove_file(directory, file)
    finally:
        os.close(directory)
    _remove_empty(sessions, name)


def _remove_in_folder(directory: int, folder: str, file: str) -> None:
    try:
        inner = _open(folder, directory)
    except OSError:
        return
    try:
        _remove_file(inner, file)
    finally:
        os.close(inner)
    _remove_empty(directory, folder)


def _remove_file(directory: int, name: str) -> None:
    for path in (name, name + _FRESH):
        try:
            _unlink(directory, path)
        except OSError as error:
            # A directory in its place is none of ours.
            if not _is_directory(directory, path):
                logs.warn(f"cannot remove {path} of a session: {error.strerror}")


def _remove_empty(above: int, name: str) -> None:
    try:
        os.rmdir(name, dir_fd=above)
    except FileNotFoundError:
        pass
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            logs.warn(f"cannot remove the directory {name} of a session: {error.strerror}")


def _is_directory(directory: int, name: str) -> bool:
    try:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode)


def _unlink(directory: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        pass
