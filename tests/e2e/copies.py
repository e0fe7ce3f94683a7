"""Copies of the program: other versions of it, and such as have a fault."""

from __future__ import annotations

import os
import subprocess
import time

from shpool import __version__
from tests.e2e.harness import CHECKOUT, Place


class Copy:
    """A checkout of its own below the scratch directory of `place`; `version` is what it says."""

    def __init__(self, place: Place, name: str = "copy", version: str = __version__) -> None:
        self.place = place
        self.path = place.scratch / name
        self.version = version
        self._changed = int(time.time())
        # With what is compiled, which would take longer than all else.
        self.path.mkdir()
        subprocess.run(["cp", "-a", CHECKOUT / "shpool", self.path], check=True)
        self.change("__init__.py", f'"{__version__}"', f'"{version}"')

    @property
    def env(self) -> dict[str, str]:
        """With which a command is run by this copy."""
        return {"PYTHONPATH": str(self.path)}

    def change(self, name: str, before: str, after: str) -> None:
        """Have the first `before` in a file be `after`."""
        path = self.path / "shpool" / name
        text = path.read_text()
        assert before in text, name
        path.write_text(text.replace(before, after, 1))
        # Python takes what it compiled within the same second, of as many bytes, for the same.
        self._changed += 10
        os.utime(path, (self._changed, self._changed))
