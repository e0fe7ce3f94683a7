"""What is typed while a terminal is left, beside the answers that are under way."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from shpool.client.reports import drain

ANSWER = b"\x1b[0n"


@pytest.fixture(name="terminal")
def _terminal() -> Iterator[tuple[int, int, int]]:
    """Where the terminal writes; where it is read; where it is asked."""
    read_fd, sends = os.pipe()
    asked = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    yield sends, read_fd, asked
    for fd in (sends, read_fd, asked):
        os.close(fd)


def test_what_is_typed_before_and_behind_the_answer_comes_in_its_order(
    terminal: tuple[int, int, int],
) -> None:
    sends, read_fd, asked = terminal
    os.write(sends, b"echo typed \x1b]11;rgb:0/0/0\x07" + ANSWER + b"ahead\n")
    assert drain(read_fd, asked, reports=False) == b"echo typed ahead\n"


def test_what_is_typed_behind_the_answer_alone_is_left_where_it_is(
    terminal: tuple[int, int, int],
) -> None:
    sends, read_fd, asked = terminal
    os.write(sends, b"\x1b]11;rgb:0/0/0\x07" + ANSWER + b"ahead\n")
    assert drain(read_fd, asked, reports=False) == b""
    assert os.read(read_fd, 100) == b"ahead\n"
