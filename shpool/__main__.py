"""python3 -m shpool, or the path of this file: what a daemon is started by, in any directory."""

import os
import sys


def _cache_bytecode(here):
    # type: (str) -> None
    """Have what is compiled kept in the user's cache, if it cannot be kept in `here`.

    In a checkout that cannot be written to, and was never compiled, every command would compile
    what it loads, which takes as long as all the rest.
    """
    if not os.path.isdir(here):
        return  # a zip, of which nothing is kept
    if os.access(here, os.W_OK) or os.path.isdir(os.path.join(here, "__pycache__")):
        return
    home = os.environ.get("HOME", "")
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    if sys.pycache_prefix is not None or not os.path.isabs(caches):
        return
    cache = os.path.join(caches, "shpool")
    try:
        above = caches if os.path.isdir(caches) else os.path.dirname(caches)
        if os.stat(above).st_uid != os.geteuid():
            return  # after sudo -E, say: nothing of root's is left with a user
        os.makedirs(caches, 0o700, exist_ok=True)
        if not os.path.isdir(cache):
            os.mkdir(cache, 0o700)
        found = os.stat(cache)
    except OSError:
        return
    # What others can write to, they could make us run.
    if found.st_uid == os.geteuid() and not found.st_mode & 0o022:
        sys.pycache_prefix = cache


def _take_name():
    # type: () -> None
    """Be called shpool by ps, top and killall, not by the interpreter's name (Linux)."""
    try:
        fd = os.open("/proc/self/comm", os.O_WRONLY)
    except OSError:
        return
    os.write(fd, b"shpool")
    os.close(fd)


def _run():
    # type: () -> int
    _take_name()
    here = os.path.dirname(os.path.abspath(__file__))
    if not __package__:
        # Run by its path: the package's own directory is what Python put first, not its parent.
        sys.path[0] = os.path.dirname(here)
    import shpool  # noqa: F401  ends here, in words, where Python is too old for what follows

    _cache_bytecode(here)
    from shpool.cli import main

    return main()


sys.exit(_run())
