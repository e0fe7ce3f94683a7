"""What shpool runs from: the files of a package, or one file, a zip that Python runs (pack.py)."""

import os
import sys

import shpool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec


def archive() -> "str | None":
    """The absolute path of the one file; None where there are several.

    Links are resolved: a link may lead to another version by the time somebody asks.
    """
    spec: ModuleSpec | None = shpool.__spec__
    path: str | None = getattr(spec and spec.loader, "archive", None)  # zipimport.zipimporter's
    return os.path.realpath(path) if path else None


def package() -> str:
    """The absolute path of the package's directory, where there are several files."""
    return os.path.dirname(os.path.abspath(shpool.__file__))


def path() -> str:
    """What to give Python to run, in any working directory."""
    return archive() or os.path.join(package(), "__main__.py")


def interpreter() -> str:
    """The absolute path of this Python, which may have been found by a relative one, or not at
    all: then it is what the system says."""
    try:
        return os.path.abspath(sys.executable or os.readlink("/proc/self/exe"))
    except OSError:
        return ""


def words() -> "list[str]":
    """How a daemon is run, all but its options.

    Isolated (-I) and without site (-S): what a user's environment or site-packages does to
    Python programs is not for a process that outlives the login.
    """
    return [interpreter(), "-I", "-S", path()]
