"""The user's terminal, where the system has it that it is not to be had at once."""

from __future__ import annotations

import errno
import termios

import pytest

from shpool.client import tty


@pytest.mark.parametrize(("number", "is_set"), [(errno.EINTR, True), (errno.EIO, False)])
def test_who_was_stopped_as_it_took_its_terminal_tries_again(
    monkeypatch: pytest.MonkeyPatch, number: int, is_set: bool
) -> None:
    """In the background a process is stopped by that, and when it goes on the call has failed."""
    fails = [number, number]

    def set_modes(*arguments: object) -> None:
        if fails:
            raise termios.error(fails.pop(), "")

    monkeypatch.setattr(termios, "tcsetattr", set_modes)
    assert tty._set([]) == is_set
    assert len(fails) == (0 if is_set else 1)
