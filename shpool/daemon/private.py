"""Directories and files that are ours alone, also in a place where others may write.

A link that somebody planted is not followed, and nothing of another user's is taken or changed:
what is checked is what was opened.
"""

import errno
import fcntl
import os
import pwd
import stat
import time

from shpool import logs
from shpool.daemon.carried import PATH, Held
from shpool.errors import ShpoolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from shpool.paths import Paths

# Seconds between two looks at a lock that somebody holds.
_LOOK = 0.02

# What the holder of a lock may have written, in bytes: its pid and the name of its host.
_HOLDER_MAX = 300


class PlaceError(ShpoolError):
    """A directory or file cannot be had; the message, for the user, says why."""


class NotOurs(PlaceError):
    """Something stands there that is not ours to take."""


def make_runtime(paths: "Paths") -> None:
    """Have the runtime directory, and what it stands in if that is gone.  Raises PlaceError.

    What it stands in is to be ours or root's: whoever else owns it, as when a root's environment is
    a user's (sudo -E), could put anything in the place of what we make there.
    """
    _check_base(paths)
    parent = os.path.dirname(paths.runtime)
    try:
        os.makedirs(parent, 0o700, exist_ok=True)
    except OSError as error:
        hint = (
            "; set XDG_RUNTIME_DIR to a directory of your own"
            if paths.at_home
            else "; XDG_RUNTIME_DIR leads there: log in anew, or unset it"
        )
        raise PlaceError(
            f"cannot make {error.filename or parent}: {error.strerror}{hint}"
        ) from None
    make_private(paths.runtime)


def _check_base(paths: "Paths") -> None:
    base, us = paths.base, os.geteuid()
    for look in (os.lstat, os.stat):  # of a link, both it and what it leads to
        try:
            owner = look(base).st_uid
        except OSError:
            return  # it is not there, or not to be entered: making what is in it says so
        if owner not in (0, us) and not (paths.at_home and _may_be_home(base)):
            raise PlaceError(
                f"{base} belongs to uid {owner}: set XDG_RUNTIME_DIR to a directory of your own"
            )


def _may_be_home(directory: str) -> bool:
    """Containers have homes of other owners: root's is mounted, or its owner lets us write."""
    if os.geteuid():
        return True
    try:
        return os.path.samefile(directory, pwd.getpwuid(0).pw_dir)
    except (KeyError, OSError):
        return False


def make_private(directory: str) -> None:
    """Have a real directory of ours that only we can enter.  Raises PlaceError."""
    try:
        os.mkdir(directory, 0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise PlaceError(f"cannot make {directory}: {error.strerror}") from None
    try:
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise _refusal(directory, error) from None
    try:
        found = os.fstat(fd)
        _check_owner(directory, found)
        if found.st_mode & 0o077:
            os.fchmod(fd, 0o700)
    finally:
        os.close(fd)


def open_private(path: str, flags: int) -> int:
    """Open or make a regular file of ours, readable by us alone; a descriptor.

    `flags` has no O_TRUNC: nothing is cut off before it is known whose it is.  Raises PlaceError.
    """
    flags |= os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        fd = os.open(path, flags, 0o600)
    except OSError as error:
        raise _refusal(path, error) from None
    try:
        found = os.fstat(fd)
        _check_owner(path, found)
        # A second name may have been given, by others, to any file of ours on this file system.
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
            raise NotOurs(f"{path} is not a file of our own")
        if found.st_mode & 0o077:
            os.fchmod(fd, 0o600)
    except PlaceError:
        os.close(fd)
        raise
    return fd


def _refusal(path: str, error: OSError) -> PlaceError:
    """Why it could not be opened."""
    try:
        found = os.lstat(path)
    except OSError:
        return PlaceError(f"cannot make {path}: {error.strerror}")
    if stat.S_ISLNK(found.st_mode):
        return NotOurs(f"{path} is a link, which is not followed")
    if found.st_uid != os.geteuid():
        return NotOurs(f"{path} belongs to uid {found.st_uid}")
    if error.errno in (errno.ENOTDIR, errno.EISDIR, errno.ENXIO):
        return NotOurs(f"{path} is something else")
    return PlaceError(f"cannot open {path}: {error.strerror}")


def _check_owner(path: str, found: os.stat_result) -> None:
    if found.st_uid != os.geteuid():
        raise NotOurs(f"{path} belongs to uid {found.st_uid}")


class LockFile:
    """A file of ours that is locked for as long as we live, and says whose it is.

    The lock is of a file, not of a directory, since others may lock any directory that they can
    read, and NFS has locks for files alone.
    """

    CARRIED = {"path": PATH, "fd": Held("lock"), "_content": PATH}
    DERIVED = ("holder",)

    def derive(self) -> None:
        """What follows from what was carried over."""
        self.holder = ""

    def __init__(self, path: str, content: str) -> None:
        self.path = path
        self.fd = -1
        self.holder = ""  # what is written in it, when somebody else has it
        self._content = content

    def take(self) -> bool:
        """Returns whether we have it.  Raises PlaceError."""
        fd = open_private(self.path, os.O_RDWR)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.holder = os.read(fd, _HOLDER_MAX).decode("utf-8", "replace").strip()
            os.close(fd)
            return False
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP):
                os.close(fd)
                raise PlaceError(f"cannot lock {self.path}: {error.strerror}") from None
            # A file system without locks: who answers at the socket is asked all the same.
        if not _is_file_at(fd, self.path):
            # Its holder, for whom we did not wait long enough, has removed what we opened.
            os.close(fd)
            return False
        try:
            self._write(fd)
        except OSError as error:
            os.unlink(self.path)
            os.close(fd)
            raise PlaceError(f"cannot write {self.path}: {error.strerror}") from None
        self.close()
        self.fd = fd
        return True

    def _write(self, fd: int) -> None:
        os.ftruncate(fd, 0)
        os.pwrite(fd, self._content.encode("utf-8", "surrogateescape"), 0)

    def rewrite(self, content: str) -> None:
        """Have something else written in it, now if it is ours; what cannot be is logged."""
        self._content = content
        if self.fd >= 0:
            try:
                self._write(self.fd)
            except OSError as error:
                logs.warn(f"cannot write {self.path}: {error.strerror}")

    def stands(self) -> bool:
        """Returns whether it is ours and still where it was."""
        return self.fd >= 0 and _is_file_at(self.fd, self.path)

    def unlink(self) -> None:
        """Remove it, unless it is somebody else's by now; the lock is held on."""
        if self.stands():
            try:
                os.unlink(self.path)
            except OSError as error:
                logs.warn(f"cannot remove {self.path}: {error.strerror}")

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def take_within(
    lock: LockFile, seconds: float, meanwhile: "Callable[[], None] | None" = None
) -> bool:
    """Take the lock from a holder that may be about to end.

    `meanwhile` is called after every failure, and may raise.  Raises PlaceError.
    """
    deadline = time.monotonic() + seconds
    while not lock.take():
        if meanwhile is not None:
            meanwhile()
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK)
    return True


def _is_file_at(fd: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.lstat(path))
    except OSError:
        return False
