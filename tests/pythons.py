"""The Pythons on this machine, other than the one that runs the tests."""

import os
import re
import subprocess
from functools import cache
from pathlib import Path

# What the package says in setup.cfg.
FLOOR = (3, 9)

_NAMES = ("python2.7", *(f"python3.{minor}" for minor in range(5, 15)))
_ASK = "import sys; print('%d %d' % sys.version_info[:2])"


@cache
def installed() -> "dict[tuple[int, int], str]":
    """One interpreter for each version, 2.7 to 3.14, on PATH or among pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    folders = [str(folder / "bin") for folder in sorted(pyenv.glob("*"), key=_numbers)]
    # pyenv's shims answer to every name, mostly with an error.
    folders += [name for name in os.get_exec_path() if not name.endswith("shims")]
    found: dict[tuple[int, int], str] = {}
    for name in _NAMES:
        for folder in folders:
            version = _version(os.path.join(folder, name))
            if version is not None:
                found.setdefault(version, os.path.join(folder, name))
    return found


def too_old() -> "list[str]":
    return [path for version, path in installed().items() if version < FLOOR]


def supported() -> "list[str]":
    return [path for version, path in installed().items() if version >= FLOOR]


def _numbers(path: Path) -> "list[int]":
    return [int(number) for number in re.findall(r"\d+", path.name)]


def _version(path: str) -> "tuple[int, int] | None":
    if not os.access(path, os.X_OK):
        return None
    done = subprocess.run([path, "-c", _ASK], capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    major, minor = done.stdout.split()
    return int(major), int(minor)


if __name__ == "__main__":
    print(*supported(), sep="\n")
