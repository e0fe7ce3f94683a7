"""Programs that tests drive but the project does not bring along."""

import os
import shutil

import pytest


def need(program: str) -> str:
    """The path of `program`; without it the test is skipped, naming it, or fails in CI."""
    path = shutil.which(program)
    if path is None:
        lacking(f"{program} is not installed")
    assert path is not None
    return path


def lacking(what: str) -> None:
    """Skip the test for lack of something, or in CI, where nothing may lack, fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)
