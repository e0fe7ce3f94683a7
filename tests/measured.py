"""How much of the daemon and the protocol is reached by the tests that are about them.

Coverage looks at every line of whatever runs in the process, which takes as long again, or twice;
so it is on only in those tests, and in none of the programs that tests start.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Generator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent

# The rooms below tests/ that are about them.
COUNTED = {"client", "daemon", "protocol"}

# Walks go in thousands of steps where other tests have been in one.
NOT_COUNTED = {"test_walk.py", "test_walk_carried.py"}


class Measured:
    """A plugin; `path` is what the names of its files of data begin with."""

    def __init__(self, path: str) -> None:
        from coverage import Coverage

        config = str(TESTS.parent / "tox.ini")
        self._coverage = Coverage(path, data_suffix=True, config_file=config)
        self._coverage.start()
        for name in ("shpool.daemon", "shpool.protocol"):
            package = importlib.import_module(name)
            for module in pkgutil.walk_packages(package.__path__, f"{name}."):
                importlib.import_module(module.name)
        self._coverage.stop()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        path = item.path.relative_to(TESTS)
        counted = path.parts[0] in COUNTED and path.name not in NOT_COUNTED
        if counted:
            self._coverage.start()
        try:
            return (yield)
        finally:
            if counted:
                self._coverage.stop()

    def pytest_sessionfinish(self) -> None:
        self._coverage.save()
