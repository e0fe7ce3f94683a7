"""The place in /tmp that `shpool ssh` takes itself to where a home will not do.

All tests of a user share it, also those that run at the same time.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

IN_TMP = Path(f"/tmp/shpool-{os.geteuid()}")


@contextmanager
def stays(*, taken: bool = False) -> Iterator[None]:
    """Meanwhile nobody takes the package itself there, or, with `taken`, only whoever asks so."""
    fd = os.open("/tmp", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX if taken else fcntl.LOCK_SH)
        yield
    finally:
        os.close(fd)


def clear(name: str) -> None:
    """Remove the files that begin with `name`, and what is empty then."""
    for file in IN_TMP.glob(f"{name}*"):
        file.unlink()
    with suppress(OSError):
        IN_TMP.rmdir()
