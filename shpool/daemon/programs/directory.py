"""A session's directory: what its shell may source or connect to after the next attach.

    sessions/NAME/forward.env             the variables of the client that attached last
    sessions/NAME/ssh-auth-sock.socket    a link to that client's ssh agent

Everything in it is its owner's alone, and replaced in one step, so that no reader ever sees half.
"""

import os

from shpool import logs
from shpool.daemon.programs.environment import AGENT_LINK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_SESSIONS = "sessions"


def remove_leftovers(runtime_dir: str) -> None:
    """Remove the directories of sessions that ended with their daemon."""
    try:
        names = os.listdir(os.path.join(runtime_dir, _SESSIONS))
    except FileNotFoundError:
        return
    for name in names:
        SessionDir(runtime_dir, name).remove()


class SessionDir:
    """The directory of the session `name` below `runtime_dir`; made by create()."""

    def __init__(self, runtime_dir: str, name: str) -> None:
        self.path = os.path.join(runtime_dir, _SESSIONS, name)
        self.agent_link = os.path.join(self.path, AGENT_LINK)

    def create(self) -> None:
        """Make it, empty, in place of what a daemon that was killed left.  Raises OSError."""
        self.remove()
        os.makedirs(self.path, 0o700)

    def write(self, name: str, content: bytes) -> str:
        """Replace the file `name`, in a folder of its own perhaps; its path.  Raises OSError."""
        path = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        fresh = path + ".new"
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            with open(fd, "wb") as file:
                file.write(content)
            os.rename(fresh, path)
        except OSError:
            os.unlink(fresh)
            raise
        return path

    def link_agent(self, target: str) -> None:
        """Point the link at the agent's socket `target`.  Raises OSError."""
        fresh = self.agent_link + ".new"
        try:
            os.unlink(fresh)
        except FileNotFoundError:
            pass
        os.symlink(target, fresh)
        os.rename(fresh, self.agent_link)

    def remove(self) -> None:
        """Remove it with all that is in it; what cannot be removed is logged."""
        if not os.path.lexists(self.path):
            return
        if os.path.islink(self.path) or not os.path.isdir(self.path):
            _remove(os.unlink, self.path)  # somebody else's doing; what a link names is not ours
            return
        for folder, subfolders, files in os.walk(self.path, topdown=False):
            for name in files:
                _remove(os.unlink, os.path.join(folder, name))
            for name in subfolders:
                path = os.path.join(folder, name)
                _remove(os.unlink if os.path.islink(path) else os.rmdir, path)
        _remove(os.rmdir, self.path)


def _remove(how: "Callable[[str], None]", path: str) -> None:
    try:
        how(path)
    except OSError as error:
        logs.warn(f"cannot remove {path}: {error.strerror}")
