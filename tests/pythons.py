"""python3 -m tests.pythons [PYTEST ARGUMENTS]: the tests on every other Python on this machine.

What depends on Python most: the parts that are tested without a daemon, and of the tests from end
to end those of the core. Each Python gets a virtual environment of its own in .pythons, once.
"""

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from tests.__main__ import ROOT, requirements

# As pyproject.toml has it.
FLOOR = (3, 9)
NEWEST = (3, 14)

# pytest's arguments.
PARTS = (
    *("tests/client", "tests/daemon", "tests/protocol", "tests/terminal"),
    *sorted(f"tests/{path.name}" for path in ROOT.glob("tests/test_*.py")),
    *(f"tests/e2e/test_{part}.py" for part in ("attach", "commands", "config_live", "daemonize")),
    *(f"tests/e2e/test_{part}.py" for part in ("events", "pythons", "reattach", "variables")),
)
# Judges and shells answer the same whatever Python asks them, and clocks go no faster.
_LONG = (
    "judged",
    "real_shell",
    "survives_being_read_in",
    "10_000",
    "five_seconds",
    "long_as_it_takes",
)
WITHOUT = ("-k", " and ".join(f"not {name}" for name in _LONG))

_NAMES = ("python2.7", *(f"python3.{minor}" for minor in range(5, NEWEST[1] + 1)))
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


def supported() -> "dict[tuple[int, int], str]":
    return {version: path for version, path in installed().items() if version >= FLOOR}


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


def _environment(version: "tuple[int, int]", python: str) -> Path:
    """The Python of a virtual environment in which the tests can run.

    Raises subprocess.CalledProcessError.
    """
    folder = ROOT / ".pythons" / _shown(version)
    made = folder / "bin" / "python"
    complete = folder / "complete"
    wanted = "\n".join([os.path.realpath(python), *requirements()])
    if complete.exists() and complete.read_text() == wanted and made.exists():
        return made
    subprocess.run([python, "-m", "venv", "--clear", str(folder)], check=True)
    install = [str(made), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, *requirements()], check=True)
    complete.write_text(wanted)
    return made


def _shown(version: "tuple[int, int]") -> str:
    return ".".join(map(str, version))


def main() -> int:
    found = supported()
    ours = sys.version_info[:2]
    versions = [(3, minor) for minor in range(FLOOR[1], NEWEST[1] + 1)]
    for version in versions:
        where = "this one" if version == ours else found.get(version, "not on this machine")
        print(f"tests: Python {_shown(version)}: {where}")
    outcomes = []
    for version, python in found.items():
        if version == ours:
            continue
        print(f"\ntests: Python {_shown(version)}, the parts and the core:", flush=True)
        try:
            command = [str(_environment(version, python)), "-m", "pytest", "-q", *WITHOUT]
            status = subprocess.run([*command, *PARTS, *sys.argv[1:]], cwd=ROOT, check=False)
            outcomes.append((version, "failed" if status.returncode else "passed"))
        except subprocess.CalledProcessError as error:
            outcomes.append((version, f"cannot run the tests: {error}"))
    print()
    for version, outcome in outcomes:
        print(f"tests: Python {_shown(version)} {outcome}")
    return int(any(outcome != "passed" for _, outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
