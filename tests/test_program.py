"""What a daemon is started by, and replaced by, from wherever that is asked."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from shpool import program


def test_the_words_are_of_this_python_by_its_path() -> None:
    assert program.words() == [sys.executable, "-I", "-S", program.path()]


def test_a_python_that_was_found_by_a_relative_path_is_the_same_from_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lib").mkdir()
    monkeypatch.chdir(tmp_path / "lib")
    monkeypatch.setattr(sys, "executable", "../bin/python3")  # PATH=../bin
    assert program.words()[0] == str(tmp_path / "bin/python3")


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_python_that_does_not_know_where_it_is_asks_the_system(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exe = os.readlink("/proc/self/exe")
    monkeypatch.setattr(sys, "executable", "")  # exec -a python
    assert program.words()[0] == exe
