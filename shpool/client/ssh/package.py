"""The one file that is to run there: shpool as it runs here, by a name that says what is in it."""

import hashlib
import os
import re
import zipfile

from shpool import __version__, pack
from shpool.bare import bare
from shpool.client.ssh.there import cache, private_directory, remove_old, version, write
from shpool.program import archive

# Of the hash so many digits stand in the name: of two contents nobody would make one.
_DIGITS = 16

_NAME = re.compile(rf"shpool-{re.escape(__version__)}-[0-9a-f]{{{_DIGITS}}}")

# The program for the other side, by its name in a zip.
THERE = "shpool/client/ssh/there.py"


class Package:
    """`name` is that of the file without its ending, and the same for the same contents."""

    def __init__(self) -> None:
        """Raises PackError, OSError."""
        self._running = _running()
        self._sources: dict[str, bytes] = {}
        if self._running:
            self.name = version(self._running)
            return
        self._sources = pack.sources()
        known = hashlib.sha256()
        for name, source in self._sources.items():
            known.update(b"%s\0%d\0" % (name.encode(), len(source)) + source)
        self.name = f"shpool-{__version__}-{known.hexdigest()[:_DIGITS]}"

    def there(self) -> str:
        if self._running:
            with zipfile.ZipFile(self._running) as file:
                return file.read(THERE).decode()
        return bare(self._sources[THERE]).decode()

    def data(self) -> bytes:
        """The file itself, from the cache if it is there.  Raises OSError."""
        if self._running:
            return _read(self._running)
        directory = private_directory(cache())
        if directory is None:
            return self._made()
        path = os.path.join(directory, f"{self.name}.pyz")
        try:
            return _read(path)
        except OSError:
            data = self._made()
        try:
            write(directory, path, data)
            remove_old(directory, self.name)
        except OSError:
            pass  # the next time it has to be made again
        return data

    def _made(self) -> bytes:
        return pack.packed(self._sources, compiled=False)


def _running() -> str:
    """The file that was taken here from another host, if it is what runs, or what that was
    compiled from; empty if there is none."""
    running = archive()
    if running is None or not _NAME.fullmatch(version(running)):
        return ""
    beside = os.path.join(os.path.dirname(running), f"{version(running)}.pyz")
    return beside if os.path.exists(beside) else ""


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
