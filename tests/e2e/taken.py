"""What shpool ssh takes to a host, made once: making and compiling it takes longer than most tests.

A host that is given it has it, as after a visit; what is noted here of hosts is not given.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

from shpool.client.ssh.package import Package
from tests.packing import packed


@functools.cache
def _made() -> dict[str, bytes]:
    """Files by their names: that of the sources first."""
    package = Package()
    data = packed()
    wanted = ("t0", package.name, len(data), sha256(data).hexdigest(), "", "")
    python = shutil.which("python3", path="/usr/bin:/bin") or sys.executable
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [python, "-IS", "-c", f"{package.there()}\nmain{wanted!a}\n"],
            input=data,
            capture_output=True,
            env={"HOME": folder, "PATH": "/usr/bin:/bin"},
            check=True,
        )
        found = Path(folder) / ".cache/shpool"
        files = {path.name: path.read_bytes() for path in sorted(found.iterdir())}
    source = f"{package.name}.pyz"
    return {source: files.pop(source), **files}


def _give(home: Path, files: dict[str, bytes]) -> None:
    cache = home / ".cache/shpool"
    cache.parent.mkdir(0o700, exist_ok=True)
    cache.mkdir(0o700)
    for name, data in files.items():
        (cache / name).write_bytes(data)
        os.chmod(cache / name, 0o600)


def give_there(home: Path) -> None:
    _give(home, _made())


def give_here(home: Path) -> None:
    _give(home, dict(list(_made().items())[:1]))
