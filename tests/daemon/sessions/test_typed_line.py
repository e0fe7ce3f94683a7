"""What is left on a shell's line of what was typed."""

from __future__ import annotations

import pytest

from shpool.daemon.sessions.typed_line import TypedLine


@pytest.mark.parametrize(
    ("typed", "empty"),
    [
        ([], True),
        ([b"ls"], False),
        ([b"l", b"s", b"\x7f", b"\x08"], True),
        ([b"ls\x7f"], False),
        ([b"\x7f\x7fl\x7f"], True),
        ([b"a b", b"\x7f\x7f\x7f"], False),
        ([b"a b\x15"], True),
        ([b"a\x15b"], False),
        ([b"ls\r"], False),  # it is the next line then
        ([b"ls\r", b"x\x15"], False),
        ([b"ls\x03"], True),
        ([b"ls\r", b"\x03"], False),
        ([b"(\x03"], False),
        ([b"\x1b[A", b"\x15"], False),
        ([b"(", b"\x15"], False),
        ([b"x" * 5000, b"\x15"], False),
    ],
)
def test_a_line_is_empty_when_that_is_certain(typed: list[bytes], empty: bool) -> None:
    line = TypedLine()
    assert line.prompted() is False
    for number, keys in enumerate(typed):
        line.typed(keys, float(number))
    assert line.empty is empty
    assert line.at == max(len(typed) - 1, 0)


@pytest.mark.parametrize(
    ("typed", "begun"),
    [
        ([], False),
        ([b"ls"], True),
        ([b"ls\n"], False),
        ([b"x\r", b"l", b"s"], True),
        ([b"ls\x03"], False),
        ([b"ls", b"\x7f\x7f"], False),
        ([b"\x1b[A"], False),  # nobody knows
    ],
)
def test_what_was_typed_ahead_begins_the_next_line(typed: list[bytes], begun: bool) -> None:
    line = TypedLine()
    line.prompted()
    for keys in typed:
        line.typed(keys, 0.0)
    assert line.prompted() is begun
    assert line.empty is not begun


@pytest.mark.parametrize(
    ("typed", "ahead"),
    [
        ([], 0),
        ([b"ls"], 0),
        ([b"ls\r"], 1),
        ([b"a\rb\nc", b"\r"], 3),
        ([b"ls\r", b"\x03"], 0),
        ([b"x\r\x03ls\r"], 1),
    ],
)
def test_lines_that_were_typed_ahead_are_counted(typed: list[bytes], ahead: int) -> None:
    line = TypedLine()
    line.prompted()
    line.typed(b"make\r", 0.0)
    line.entered()
    for keys in typed:
        line.typed(keys, 0.0)
    assert line.ahead == ahead
    assert line.unread is (typed not in ([], [b"ls\r", b"\x03"]))
    line.prompted()
    assert line.ahead == ahead
    if ahead:
        line.prompted()  # for a line that was empty
        assert line.ahead == ahead - 1
        line.settled()
        assert line.ahead == 0
