"""Waiting for a condition, with a deadline that only a broken program reaches."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

# Seconds that only a broken program needs.
DEADLINE = 40.0

# Between two looks at a condition that nothing can be waited on for, in seconds.
LOOK = 0.01

T = TypeVar("T")


def eventually(condition: Callable[[], T | None], what: str = "") -> T:
    """The first true value of `condition`."""
    deadline = time.monotonic() + DEADLINE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"never came true: {what or condition}")
        time.sleep(LOOK)
