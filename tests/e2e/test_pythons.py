"""Pythons that are too old, or not all there: what a user is told, by whatever way in."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import pythons
from tests.e2e.harness import CHECKOUT, Place
from tests.programs import need

PACKAGE = CHECKOUT / "shpool"

# Each is given a command of ours. The last is what an installer makes of pyproject.toml.
ENTRIES = {
    "module": ["-m", "shpool"],
    "file": [str(PACKAGE / "__main__.py")],
    "directory": [str(PACKAGE)],
    "script": ["-c", "import sys; from shpool.cli import main; sys.exit(main())"],
}


NONE = pytest.param(
    "", marks=pytest.mark.skip(reason="no Python older than 3.9 is on this machine")
)


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("python", pythons.too_old() or [NONE])
def test_a_python_that_is_too_old_is_told_so_in_one_line(python: str, entry: str) -> None:
    done = subprocess.run(
        [python, "-B", *ENTRIES[entry], "version"],
        env={"PYTHONPATH": str(CHECKOUT), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    asked = [python, "-c", "import sys; print('.'.join(map(str, sys.version_info[:3])))"]
    version = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert done.stderr == f"shpool: needs Python 3.9 or later, this is {version}"
    assert (done.returncode, done.stdout) == (1, "")


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_python_that_says_it_is_too_old_is_believed(entry: str, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.version_info = (3, 8, 20)\n")
    done = subprocess.run(
        [sys.executable, *ENTRIES[entry], "version"],
        env={"PYTHONPATH": f"{tmp_path}:{CHECKOUT}"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == "shpool: needs Python 3.9 or later, this is 3.8.20\n"
    assert (done.returncode, done.stdout) == (1, "")


@pytest.mark.parametrize("name", ["__init__.py", "__main__.py"])
def test_what_an_old_python_reads_first_is_written_in_its_words(name: str) -> None:
    text = (PACKAGE / name).read_text(encoding="ascii")
    newer = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Nonlocal, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(text, feature_version=(3, 4))):
        assert not isinstance(node, newer), ast.dump(node)
        if isinstance(node, ast.FunctionDef):
            arguments = node.args
            assert [node.returns, *arguments.kwonlyargs, *arguments.posonlyargs] == [None]
            assert not any(argument.annotation for argument in arguments.args)


# ---- a module of the standard library that is missing


def without(place: Place, *modules: str) -> None:
    """Let Python not find these, as where only a part of it is installed."""
    (place.scratch / "sitecustomize.py").write_text(
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name in {modules!r}:\n"
        '            raise ModuleNotFoundError(f"No module named {name!r}", name=name)\n'
        "sys.meta_path.insert(0, Missing())\n"
        f"for name in {modules!r}:\n"
        "    sys.modules.pop(name, None)\n"
    )
    place.env["PYTHONPATH"] = f"{place.scratch}:{CHECKOUT}"


@pytest.mark.parametrize(
    ("words", "module"),
    [
        (["attach", "-b", "one"], "termios"),
        (["list", "--json"], "json"),
        (["daemon"], "resource"),
        (["daemon"], "selectors"),
        (["kill", "one"], "_socket"),
    ],
)
def test_a_missing_module_is_named(place: Place, words: list[str], module: str) -> None:
    if words[0] == "list":
        place.start()
    without(place, module)
    done = place.run("-D", *words)
    assert done.err.startswith(f"shpool: Python's module {module} is missing: ")
    assert done.err.count("\n") == 1
    assert (done.status, done.out) == (1, "")


def test_on_debian_the_package_is_named_that_has_the_module(place: Place) -> None:
    python = "/usr/bin/python3"
    if not (os.path.exists("/etc/debian_version") and os.path.exists(python)):
        pytest.skip("needs Debian's own Python: apt install python3, on Debian")
    without(place, "termios")
    words = [need(python), "-m", "shpool", "attach", "one"]
    done = subprocess.run(
        words, env=place.env, cwd="/", capture_output=True, text=True, check=False
    )
    version = os.path.basename(os.path.realpath(python))
    assert done.stderr == (
        "shpool: Python's module termios is missing: it is in the package "
        f"lib{version}-stdlib (apt install python3)\n"
    )
    assert done.returncode == 1


def test_a_module_of_ours_that_is_missing_is_named(place: Place) -> None:
    without(place, "shpool.client.kill")
    done = place.run("kill", "one")
    assert done.err == (
        "shpool: the module shpool.client.kill is missing: shpool is not completely installed\n"
    )
    assert done.status == 1
