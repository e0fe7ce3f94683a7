"""python3 -m tests [PYTEST ARGUMENTS]: run the test suite, on a machine without pytest too.

Where what the tests need (extra `test` in pyproject.toml) is not installed, it is installed into a
virtual environment, .venv in the checkout, and used from there. The judges that npm and pip can
fetch (judges.py) are fetched the first time. The last lines say what was skipped, and why; in CI
they are followed by how many of the branches of the daemon and the protocol their own tests reach.
"""

import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from shpool.toml import loads

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"

# What to import of a package, where that is not its name.
MODULES = {"pytest-xdist": "xdist"}


def requirements() -> list[str]:
    project = loads((ROOT / "pyproject.toml").read_text())["project"]
    return list(project["optional-dependencies"]["test"])


def make_venv() -> None:
    """Raises SystemExit with what to do when it cannot be made."""
    sys.stderr.write(f"tests: installing {' '.join(requirements())} into {VENV}\n")
    if find_spec("ensurepip") is None:
        sys.exit("tests: this Python cannot make virtual environments: apt install python3-venv")
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", *requirements()]
    if subprocess.run(command, check=False).returncode:
        sys.exit("tests: pip could not install what the tests need")


def compile_tests() -> None:
    """Have the tests compiled by a process for each of two processors, and not by each worker."""
    collect = [sys.executable, "-m", "pytest", "-n", "0", "--collect-only", "-qq", "tests"]
    parts = [[*collect[:-1], "tests/e2e"], [*collect, "--ignore=tests/e2e"]]
    for process in [subprocess.Popen(part, stdout=subprocess.DEVNULL) for part in parts]:
        process.wait()


def measured(arguments: list[str]) -> int:
    """Run the tests, and print how much of the daemon and the protocol is reached by those that
    are about them (measured.py), by branches."""
    compile_tests()
    coverage = [sys.executable, "-m", "coverage"]
    with tempfile.TemporaryDirectory(prefix="coverage-") as folder:
        environ = {**os.environ, "COVERAGE_FILE": os.path.join(folder, "data")}
        tests = [sys.executable, "-m", "pytest", *arguments]
        status = subprocess.run(tests, env=environ, check=False).returncode
        subprocess.run([*coverage, "combine", "--quiet"], env=environ, check=False)
        subprocess.run([*coverage, "report"], env=environ, check=False)
    return status


def main() -> int:
    complete = all(find_spec(MODULES.get(name, name)) for name in requirements())
    if not complete and Path(sys.prefix).resolve() != VENV:
        make_venv()
        os.chdir(ROOT)
        os.execv(PYTHON, [str(PYTHON), "-m", "tests", *sys.argv[1:]])
    if not complete:
        sys.exit(f"tests: {VENV} lacks what it was made for; remove it and try again")
    import pytest

    from tests import judges

    os.chdir(ROOT)
    judges.set_up()
    # Otherwise each worker compiles all that there is.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if os.environ.get("CI") == "true":
        return measured(sys.argv[1:])
    return int(pytest.main(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
