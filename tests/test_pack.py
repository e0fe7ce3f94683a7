"""The one file, as a file: what is in it, how large it is, and what goes wrong in making it."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from shpool import __version__, pack
from tests.programs import need

CHECKOUT = Path(__file__).resolve().parents[1]

# What is sent over a slow line before anything can be seen.
MOST_BYTES = 400 * 1024


def run(*words: str | Path) -> tuple[int, str, str]:
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, check=False, cwd=CHECKOUT
    )
    return done.returncode, done.stdout, done.stderr


def packed(path: Path, *options: str) -> Path:
    assert run(sys.executable, "-m", "shpool.pack", *options, path) == (0, "", "")
    return path


def test_it_is_small_and_has_all_of_the_package(tmp_path: Path) -> None:
    made = packed(tmp_path / "shpool")
    assert made.stat().st_size <= MOST_BYTES
    with zipfile.ZipFile(made) as file:
        assert file.testzip() is None
        inside = set(file.namelist())
    files = {str(path.relative_to(CHECKOUT)) for path in CHECKOUT.glob("shpool/**/*.py")}
    assert inside == {"__main__.py", *files}


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_it_is_executable_for_whom_the_umask_lets(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        pack.write(str(tmp_path / "made"), b"x")
    finally:
        assert os.umask(before) == umask
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o777 & ~umask


def test_the_same_sources_give_the_same_file_from_wherever_they_are_packed(
    tmp_path: Path,
) -> None:
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    packed(one)
    packed(two)
    code = (
        f"import sys; sys.path.insert(0, {str(one)!r}); from shpool.pack import main;"
        f"sys.exit(main([{str(three)!r}]))"
    )
    assert run(sys.executable, "-IS", "-c", code) == (0, "", "")
    assert one.read_bytes() == two.read_bytes() == three.read_bytes()


def test_the_compiled_one_has_bytecode_alone_and_cannot_be_packed_again(tmp_path: Path) -> None:
    made = packed(tmp_path / "shpool", "--compiled")
    with zipfile.ZipFile(made) as file:
        names = file.namelist()
    assert [name for name in names if name.endswith(".py")] == ["__main__.py"]
    code = (
        f"import sys; sys.path.insert(0, {str(made)!r}); from shpool.pack import main; main(['x'])"
    )
    _, _, said = run(sys.executable, "-IS", "-c", code)
    assert said == f"shpool.pack: {made} has no sources: it was made with --compiled\n"


def test_what_was_compiled_for_another_python_says_so(tmp_path: Path) -> None:
    made = packed(tmp_path / "shpool", "--compiled")
    tag = sys.implementation.cache_tag
    other = tmp_path / "other"
    data = io.BytesIO()
    with zipfile.ZipFile(made) as file, zipfile.ZipFile(data, "w") as copy:
        for name in file.namelist():
            copy.writestr(name, file.read(name).replace(tag.encode(), b"cpython-30"))
    other.write_bytes(data.getvalue())
    status, out, said = run(sys.executable, other, "version")
    assert (status, out) == (1, "")
    assert said == f"shpool: {other} was compiled for cpython-30, and this is {tag}\n"


def test_a_python_that_cannot_inflate_it_says_so(tmp_path: Path) -> None:
    made = packed(tmp_path / "shpool")
    code = (
        "import runpy, sys; sys.modules['zlib'] = None;"
        f"sys.argv[0] = {str(made)!r}; runpy.run_path({str(made)!r}, run_name='__main__')"
    )
    status, _, said = run(sys.executable, "-c", code)
    assert status == 1
    assert said == (
        f"shpool: Python's module zlib is missing, without which it cannot read {made}\n"
    )


def test_it_runs_isolated_or_not(tmp_path: Path) -> None:
    made = packed(tmp_path / "shpool")
    for python in {need("python3"), sys.executable}:
        assert run(python, made, "version") == (0, f"shpool {__version__}\n", "")
        assert run(python, "-IS", made, "version") == (0, f"shpool {__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ([], 2, r"shpool.pack: exactly one FILE is needed\n\nUsage: .*\n"),
        (["a", "b"], 2, r"shpool.pack: exactly one FILE is needed\n\nUsage: .*\n"),
        (["--nonsense", "a"], 2, r"shpool.pack: unexpected option '--nonsense'\n\nUsage: .*\n"),
        (["/nowhere/a"], 1, r"shpool.pack: cannot write /nowhere/a: No such file or directory\n"),
        (["/"], 1, r"shpool.pack: cannot write /: .*\n"),
        ([str(CHECKOUT / "tests")], 1, r"shpool.pack: cannot write .*/tests: Is a directory\n"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(words: list[str], status: int, said: str) -> None:
    before = sorted(os.listdir(CHECKOUT))
    done = run(sys.executable, "-m", "shpool.pack", *words)
    assert done[:2] == (status, "")
    assert re.fullmatch(said, done[2])
    assert sorted(os.listdir(CHECKOUT)) == before


def test_it_explains_itself() -> None:
    status, out, said = run(sys.executable, "-m", "shpool.pack", "--help")
    assert (status, said) == (0, "")
    assert "--compiled" in out
