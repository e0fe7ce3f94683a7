"""The one file that is to run there: shpool as it runs here, by a name that says what is in it."""

import hashlib
import os
import zipfile

from shpool import __version__, pack
from shpool.client.ssh.there import cache, private_directory, version, write
from shpool.program import archive

# Of the hash so many digits stand in the name: of two contents nobody would make one.
_DIGITS = 16

# The program for the other side, by its name in a zip.
THERE = "shpool/client/ssh/there.py"


class Package:
    """`name` is that of the file without its ending, and the same for the same contents."""

    def __init__(self) -> None:
        """Raises PackError, OSError."""
        self.sources = _sources()
        known = hashlib.sha256()
        for name, source in self.sources.items():
            known.update(b"%s\0%d\0" % (name.encode(), len(source)) + source)
        self.name = f"shpool-{__version__}-{known.hexdigest()[:_DIGITS]}"

    def there(self) -> str:
        return self.sources[THERE].decode()

    def data(self) -> bytes:
        """The file itself, from the cache if it is there.  Raises OSError."""
        directory = private_directory(cache())
        if directory is None:
            return pack.packed(self.sources, compiled=False)
        path = os.path.join(directory, f"{self.name}.pyz")
        try:
            with open(path, "rb") as file:
                return file.read()
        except OSError:
            data = pack.packed(self.sources, compiled=False)
        try:
            write(directory, path, data)
        except OSError:
            pass  # the next time it has to be made again
        return data


def _sources() -> "dict[str, bytes]":
    """What runs here; a compiled file has none, but was made of one that stands beside it."""
    running = archive()
    beside = os.path.join(os.path.dirname(running), f"{version(running)}.pyz") if running else ""
    if beside == running or not os.path.exists(beside):
        return pack.sources()
    with zipfile.ZipFile(beside) as file:
        names = [name for name in file.namelist() if "/" in name and name.endswith(".py")]
        return {name: file.read(name) for name in sorted(names)}
