"""Where things are: the runtime directory, the sockets, and what stands beside them."""

import os

from shpool.errors import ShpoolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SOCKET_NAME = "shpool.socket"
EVENTS_SOCKET_NAME = "events.socket"
PID_FILE_NAME = "daemonized-shpool.pid"
LOG_FILE_NAME = "daemonized-shpool.log"
LOCK_FILE_NAME = "daemon.lock"  # its pid and host, in the directory of its session files

# In the environment of a daemon that a client starts in the background: it has a pid file and a
# log beside its socket then, and tells that client what it has to say on its stderr.
AUTODAEMONIZED = "SHPOOL__AUTODAEMONIZED"

# In that of a program that a daemon becomes (replace.py): where it finds what it is to take over.
TAKE_OVER = "SHPOOL__TAKE_OVER"


class PathsError(ShpoolError):
    """There is no place for a file; the message is for the user."""


class Paths:
    """All absolute: `socket` for requests, `events` for subscribers, `state` for session files.

    `runtime` is below `base`, XDG_RUNTIME_DIR or, `at_home`, HOME.  `given` is the argument of
    --socket; `warning` is for the user, if the environment is odd.  Raises PathsError.
    """

    def __init__(self, environ: "Mapping[str, str]", given: "str | None" = None) -> None:
        self.warning = _oddity(environ)
        self.base, self.at_home = _base_dir(environ)
        below = (".local", "run", "shpool") if self.at_home else ("shpool",)
        self.runtime = runtime = os.path.join(self.base, *below)
        default = os.path.join(runtime, SOCKET_NAME)
        self.socket = os.path.abspath(given) if given else default
        self.events = os.path.join(os.path.dirname(self.socket), EVENTS_SOCKET_NAME)
        # Two daemons share the runtime directory, but never the files of their sessions.
        self.state = runtime if self.socket == default else os.path.join(runtime, _tag(self.socket))

    @classmethod
    def again(
        cls, base: str, runtime: str, socket: str, events: str, state: str, at_home: bool
    ) -> "Paths":
        """Those that were found before, whatever the environment is now."""
        made = cls.__new__(cls)
        made.warning = None
        made.base, made.at_home = base, at_home
        made.runtime, made.socket, made.events, made.state = runtime, socket, events, state
        return made

    def beside_socket(self, name: str) -> str:
        return os.path.join(os.path.dirname(self.socket), name)

    def locked_by(self) -> int:
        """The pid of the daemon that serves `socket`, 0 if it has not written it down."""
        try:
            fd = os.open(os.path.join(self.state, LOCK_FILE_NAME), os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            return 0
        try:
            return int(os.read(fd, 256).split()[0])
        except (OSError, ValueError, IndexError):
            return 0
        finally:
            os.close(fd)


def _base_dir(environ: "Mapping[str, str]") -> "tuple[str, bool]":
    """What the runtime directory is below, and whether that is the user's home."""
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(runtime):
        return os.path.abspath(runtime), False
    home = environ.get("HOME")
    if home:
        return os.path.abspath(home), True
    raise PathsError(
        "neither XDG_RUNTIME_DIR nor HOME is set, so there is no runtime directory;"
        " set XDG_RUNTIME_DIR to a directory of your own"
    )


def _oddity(environ: "Mapping[str, str]") -> "str | None":
    """The XDG base directory specification has all paths in such variables absolute, else ignored.

    Taken as it is, such a path would be another one in every directory.
    """
    base = environ.get("XDG_RUNTIME_DIR")
    if not base or os.path.isabs(base):
        return None
    return f"XDG_RUNTIME_DIR is ignored, since it is not an absolute path: {base}"


def _tag(path: str) -> str:
    """FNV-1a, 64 bits, in hexadecimal: short and the same in every process.

    hashlib would load OpenSSL, for a value that has to be nothing but different.
    """
    value = 0xCBF29CE484222325
    for byte in os.fsencode(path):
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"
