"""Which command lines are a daemon's; the whole of it is in e2e/test_lost.py."""

from __future__ import annotations

import os
import pathlib

import pytest

from shpool.client import daemons, lost


@pytest.mark.parametrize(
    ("line", "ours"),
    [
        ("shpool daemon", "daemon"),
        ("/usr/bin/shpool -v --socket /s daemon", "-v --socket /s daemon"),
        ("python3 -m shpool --socket /s daemon", "--socket /s daemon"),
        ("python3 -Im shpool daemon", "daemon"),
        ("python3 -mshpool daemon", "daemon"),
        ("/usr/bin/python3.11 -I -S /opt/x/shpool/__main__.py --socket /s daemon", None),
        ("python3 -ISX dev -W error::x /home/ada/.local/bin/shpool daemon", "daemon"),
        ("python3 -Xdev -Werror /bin/shpool.pyz daemon", "daemon"),
        ("python3 -IS /home/ada/.cache/shpool/shpool-0.2.0-5e1f-cpython-311.pyz daemon", "daemon"),
        ("pypy3 shpool daemon", "daemon"),
        (".python3-wrapped /nix/store/x/bin/shpool daemon", "daemon"),
    ],
)
def test_what_follows_the_programs_name_is_found(line: str, ours: str | None) -> None:
    wanted = "--socket /s daemon" if ours is None else ours
    assert daemons._options(line.split()) == wanted.split()


@pytest.mark.parametrize(
    "line",
    [
        "vim shpool daemon",
        "sh -c shpool daemon",
        "python3 -c shpool daemon",
        "python3 -m pytest shpool daemon",
        "python3 -m",
        "python3",
        "python3 /x/tool.py shpool daemon",
        "python3 /x/__main__.py daemon",
        "python3 --check-hash-based-pycs always shpool daemon",
        "python3 -W",
        "strace python3 -m shpool daemon",
        "",
    ],
)
def test_another_program_is_not_ours(line: str) -> None:
    assert daemons._options(line.split() or [""]) is None


def test_a_process_with_our_name_may_run_from_a_file_of_any_name() -> None:
    words = ["python3", "-I", "-S", "/home/ada/bin/sp", "--socket", "/s", "daemon"]
    assert daemons._options(words) is None
    assert daemons._options(words, named=True) == ["--socket", "/s", "daemon"]
    assert daemons._options(["python3", "-c", "shpool", "daemon"], named=True) is None
    assert daemons._options(["vim", "daemon"], named=True) is None


@pytest.mark.parametrize(
    ("line", "may"),
    [
        ("python3 -IS /bin/sp --socket /s daemon", True),
        ("python3 -IS /bin/sp --socket /other daemon", False),
        ("python3 -IS /bin/sp daemon", False),
        ("python3 -IS /bin/shpool.pyz daemon", True),
        ("python3 -IS /bin/shpool.pyz --socket /other daemon", False),
        ("vim --socket /s daemon", False),
    ],
)
def test_where_there_is_only_a_command_line_a_file_of_another_name_must_name_the_socket(
    line: str, may: bool
) -> None:
    assert lost._may_serve(line.split(), "/s") == may


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("/usr/bin/python3.11", True),
        ("/usr/bin/python3.11 (deleted)", True),
        ("/Library/Frameworks/Python.framework/Versions/3.9/Python", True),
        ("/opt/pypy/bin/pypy3", True),
        ("/usr/bin/shpool", True),
        ("/usr/bin/vim.basic", False),
        ("/home/python/bin/less", False),
    ],
)
def test_what_runs_it_is_an_interpreter_or_the_original(path: str, is_one: bool) -> None:
    assert daemons._is_interpreter(path) == is_one


def test_a_directory_that_nobody_of_ours_can_make_again_is_named(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = tmp_path / "run" / "7" / "shpool" / "shpool.socket"
    assert lost._hopeless(str(socket)) == ""
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert lost._hopeless(str(socket)) == (
        f"{tmp_path / 'run'} is gone, and {tmp_path} is not ours to make it in"
    )


def test_a_place_is_the_same_for_a_process_that_sees_the_same_files(
    tmp_path: pathlib.Path,
) -> None:
    us = str(os.getpid())
    assert daemons._same_tree(us, str(tmp_path / "gone" / "shpool.socket"))
    assert not daemons._same_tree("0", str(tmp_path / "shpool.socket"))
