"""Which terminal somebody runs on: one in a container may have the number of one outside."""

from __future__ import annotations

import fcntl
import os
import struct

import pytest

from shpool.daemon.loop.peer import _may_be_terminal, controlling_terminal, same_terminal
from tests.e2e.terminal import Terminal

# Linux's, for the number of a pty; from asm-generic/ioctls.h.
_TIOCGPTN = 0x80045430


@pytest.mark.parametrize("redirected", ["", "</dev/null", "</dev/null >/dev/null 2>&1"])
def test_the_terminal_is_told_with_the_file_system_that_it_is_in(redirected: str) -> None:
    terminal = Terminal(["sh", "-c", f"echo ready; exec sleep 1000 {redirected}"], dict(os.environ))
    try:
        terminal.expect("ready")
        (number,) = struct.unpack("i", fcntl.ioctl(terminal.master, _TIOCGPTN, bytes(4)))
        there = os.stat(f"/dev/pts/{number}")
        found = controlling_terminal(terminal.pid)
        assert found is not None
        assert found[1] == there.st_rdev
        if ">" not in redirected:
            assert found[0] == there.st_dev
        assert same_terminal(found, (there.st_dev, there.st_rdev))
    finally:
        terminal.close()


def test_who_has_none_or_is_not_there_runs_on_none() -> None:
    assert controlling_terminal(0) is None
    assert not same_terminal(None, None)


def test_one_of_the_same_number_in_another_file_system_is_another_one() -> None:
    assert same_terminal((5, 1), (5, 1))
    assert not same_terminal((5, 1), (6, 1))
    assert not same_terminal((5, 1), (5, 2))
    assert same_terminal((0, 1), (6, 1))  # it may be


def test_what_is_no_terminal_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file on a network that is out of reach would have the daemon wait for it."""
    script = "exec </proc/version; echo ready; exec sleep 1000"
    terminal = Terminal(["sh", "-c", script], dict(os.environ))
    stat = os.stat
    seen: list[str] = []

    def note(path: str) -> os.stat_result:
        seen.append(path)
        return stat(path)

    try:
        terminal.expect("ready")
        monkeypatch.setattr(os, "stat", note)
        assert controlling_terminal(terminal.pid) is not None
        assert seen == [f"/proc/{terminal.pid}/fd/1"]
    finally:
        monkeypatch.undo()
        terminal.close()


@pytest.mark.parametrize(
    ("link", "may_be"),
    [
        ("/dev/pts/3", True),
        ("/dev/console", True),
        ("/srv/chroot/dev/pts/3", True),
        ("/3", True),
        ("/mnt/nfs/3", False),
        ("/home/tty", False),
        ("socket:[3]", False),
        ("anon_inode:[eventpoll]", False),
    ],
)
def test_a_terminal_is_known_by_where_it_stands(link: str, may_be: bool) -> None:
    assert _may_be_terminal(link) is may_be
