"""Who the sessions' programs run as: what passwd says of the daemon's uid, or stands in for it."""

import os
import pwd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_SHELL = "/bin/sh"


class Account:
    """`home` and `shell` are never empty; without a passwd entry `name` is the uid in digits."""

    __slots__ = ("home", "name", "shell")

    def __init__(self, name: str, home: str, shell: str) -> None:
        self.name = name
        self.home = home or "/"
        self.shell = shell or _SHELL


def current_account(environ: "Mapping[str, str]") -> Account:
    """The user that this process runs as; `environ` is its environment.

    In a container the uid often has no entry. As for every other program there, HOME and SHELL
    then say what is to be used, if they are absolute. Raises OSError where passwd cannot be read.
    """
    uid = os.geteuid()
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        _check_that_files_can_be_opened()
        return Account(str(uid), _absolute(environ, "HOME"), _absolute(environ, "SHELL"))
    return Account(entry.pw_name, entry.pw_dir, entry.pw_shell)


def _check_that_files_can_be_opened() -> None:
    """pwd says that there is no entry, too, where there is no free descriptor to look with."""
    os.close(os.open(os.devnull, os.O_RDONLY))


def _absolute(environ: "Mapping[str, str]", name: str) -> str:
    value = environ.get(name, "")
    return value if os.path.isabs(value) else ""
