"""python3 -m shpool.pack [--compiled] FILE: write shpool as one file that can be run.

It is a zip of the package, without what only people read, behind a first line for the kernel;
Python runs the __main__.py at its root.  The same sources give the same bytes, whatever they were
packed from.
"""

import io
import marshal
import os
import sys
import tempfile
import zipfile
from importlib.util import MAGIC_NUMBER, source_hash

from shpool.bare import bare
from shpool.errors import ShpoolError, UsageError
from shpool.options import HELP, Option, describe, parse
from shpool.output import complain, put
from shpool.program import archive, package

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_FIRST_LINE = b"#!/usr/bin/env python3\n"

# What runs first.  Like shpool/__init__.py, a Python that is too old reads it too.
_MAIN = """\
import sys
try:
    import zlib
except ImportError:
    sys.exit("shpool: Python's module zlib is missing, without which it cannot read " + sys.argv[0])
import shpool.__main__
"""

_COMPILED_MAIN = """\
import sys
tag = getattr(getattr(sys, "implementation", None), "cache_tag", "another Python")
if tag != {tag!r}:
    sys.exit("shpool: " + sys.argv[0] + " was compiled for {tag}, and this is " + str(tag))
import shpool.__main__
"""

# Of a hash-based pyc that is not checked against its source, which is not there (PEP 552).
_UNCHECKED = (1).to_bytes(4, "little")

_OPTIONS = (
    Option(
        "", "compiled", None, "with bytecode for this Python alone: starts faster, needs no source"
    ),
    HELP,
)

_USAGE = "Usage: python3 -m shpool.pack [OPTIONS] FILE\n"


class PackError(ShpoolError):
    """The file cannot be made; the message is for the user."""


def sources() -> "dict[str, bytes]":
    """The package's sources by their names in a zip, in order.  Raises PackError, OSError."""
    packed = archive()
    if packed is None:
        return dict(sorted(_sources_below(package())))
    with zipfile.ZipFile(packed) as file:
        names = [name for name in file.namelist() if "/" in name and name.endswith(".py")]
        if not names:
            raise PackError(f"{packed} has no sources: it was made with --compiled")
        return {name: file.read(name) for name in sorted(names)}


def _sources_below(directory: str) -> "list[tuple[str, bytes]]":
    found = []
    above = os.path.dirname(directory)
    for folder, _, names in os.walk(directory):
        for name in names:
            if name.endswith(".py"):
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    found.append((os.path.relpath(path, above).replace(os.sep, "/"), file.read()))
    return found


def packed(sources: "dict[str, bytes]", *, compiled: bool) -> bytes:
    """The one file; `compiled` for the Python that runs this."""
    tag = sys.implementation.cache_tag
    main = _COMPILED_MAIN.format(tag=tag) if compiled else _MAIN
    buffer = io.BytesIO(_FIRST_LINE)
    buffer.seek(0, io.SEEK_END)
    # "a": offsets are then those in the whole file, first line included, as its readers want them.
    with zipfile.ZipFile(buffer, "a") as file:
        # Not deflated: it has to tell of a Python that could not inflate it.
        _add(file, "__main__.py", main.encode(), zipfile.ZIP_STORED)
        for name, source in sources.items():
            source = bare(source)
            if compiled:
                # Inflating takes longer than reading what deflating saves.
                _add(file, f"{name}c", _bytecode(name, source), zipfile.ZIP_STORED)
            else:
                _add(file, name, source, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _bytecode(name: str, source: bytes) -> bytes:
    code = compile(source, name, "exec", dont_inherit=True)
    return MAGIC_NUMBER + _UNCHECKED + source_hash(source) + marshal.dumps(code)


def _add(file: zipfile.ZipFile, name: str, data: bytes, how: int) -> None:
    # ZipInfo's default time, of 1980, is the same each time.
    about = zipfile.ZipInfo(name)
    about.external_attr = 0o644 << 16
    file.writestr(about, data, how, 9)


def write(path: str, data: bytes) -> None:
    """Have an executable file at `path` with just this in it, or what was there.

    Raises PackError.
    """
    try:
        fd, made = tempfile.mkstemp(prefix=".shpool-", dir=os.path.dirname(path) or ".")
    except OSError as error:
        raise PackError(f"cannot write {path}: {error.strerror}") from None
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            os.fchmod(fd, 0o777 & ~_umask())
            file.flush()
            os.fsync(fd)
        # By another name first: who runs what was there, a daemon say, goes on with it.
        os.replace(made, path)
    except OSError as error:
        os.unlink(made)
        raise PackError(f"cannot write {path}: {error.strerror}") from None


def _umask() -> int:
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


def main(words: "Sequence[str]") -> int:
    """The exit status of the command line `words`."""
    try:
        given = parse(words, _OPTIONS)
        if given.count("help"):
            put(f"Write shpool as one file that can be run.\n\n{_USAGE}\n{describe(_OPTIONS)}")
            return 0
        if len(given.arguments) != 1:
            raise UsageError("exactly one FILE is needed")
        write(given.arguments[0], packed(sources(), compiled=bool(given.count("compiled"))))
    except UsageError as error:
        complain(f"shpool.pack: {error}\n\n{_USAGE}")
        return 2
    except ShpoolError as error:
        complain(f"shpool.pack: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
