"""Whether a terminal needs cleaning up: what a session turned on, and only that."""

import pytest

from shpool.terminal.model import Terminal

TURNED_ON = [
    b"\x1b[?1049h",
    b"\x1b[?1000h",
    b"\x1b[?1006h",
    b"\x1b[?2004h",
    b"\x1b[?1h",
    b"\x1b=",
    b"\x1b[?25l",
    b"\x1b[?7l",
    b"\x1b[?6h",
    b"\x1b[4h",
    b"\x1b[20h",
    b"\x1b[2;5r",
    b"\x1b(0",
    b"\x0e",
    b"\x1b[1m",
    b"\x1b[>1u",
    b"\x1b[?12l",
    b"\x1b[5 q",
    b"\x1b]4;1;red\x07",
    b"\x1b]11;red\x07",
    b"\x1b[>4;2m",
    b"\x1b[",
]


@pytest.mark.parametrize("sequence", TURNED_ON)
def test_what_a_session_turned_on_needs_cleaning_up(sequence: bytes) -> None:
    terminal = Terminal(10, 30, 0)
    terminal.feed(b"text\r\n" + sequence)
    assert not terminal.clean


@pytest.mark.parametrize(
    "output",
    [
        b"",
        b"text\r\n\x1b[31mred\x1b[m\r\n",
        b"\x1b[?2004h$ exit\r\n\x1b[?2004l\r",
        b"\x1b[?1049h\x1b[?25lvim\x1b[?25h\x1b[?1049l",
        b"\x1b[?2026hframe\x1b[?2026l",
        b"\x1b[?1002;1006h\x1b[?1002;1006l",
    ],
)
def test_what_is_off_again_needs_nothing(output: bytes) -> None:
    terminal = Terminal(10, 30, 0)
    terminal.feed(output)
    assert terminal.clean
