"""What is printed of a command's output, up to the mark that it has ended."""

from __future__ import annotations

import pytest

from shpool.client import printed
from shpool.client.printed import Printed, Tail, Text

END = b"\x1b]133;D;0;aid=0a1b\x07"
LEFT_OPEN = b"\x1b[1m\x1b[7m%\x1b[27m\x1b[1m\x1b[0m" + b" " * 79 + b"\r \r"
NO_MARK = b" " * 80 + b"\r\r"

OF_FISH_4 = b"\x1b]133;D;0\x07"

ENDS = [END, OF_FISH_4 + END, LEFT_OPEN + END, NO_MARK + END, b"\x1b[?2004h" + END]


class Output:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen = b""
        monkeypatch.setattr(printed, "put", self._put)

    def _put(self, data: bytes) -> None:
        self.seen += data


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch) -> Output:
    return Output(monkeypatch)


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 1000])
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(
    "said", [b"", b"out\r\n", b"100%", b"a # b   ", b"\x1b[31mred\x1b[m\r\n", b"\x1b[31mred\x1b[m"]
)
def test_what_the_shell_adds_is_taken_off(said: bytes, end: bytes, size: int) -> None:
    tail = Tail()
    found = b"".join([tail.feed(piece) for piece in cut(said + end, size)])
    assert found + tail.end(80) == said


def test_what_only_looks_like_it_is_not_taken_off() -> None:
    for said in (b"%", b"100%  ", b"x\r", b"   ", b"\x1b[7m%\x1b[m 5", b"% \r", b"\x1b]133;C\x07"):
        tail = Tail()
        assert tail.feed(said) + tail.feed(END) + tail.end(80) == said


def test_what_is_held_is_given_when_output_pauses_unless_it_is_the_shells() -> None:
    tail = Tail()
    assert (tail.feed(b"50%"), tail.waits) == (b"50", True)
    assert (tail.pause(), tail.waits) == (b"%", False)
    assert (tail.feed(LEFT_OPEN), tail.waits, tail.pause()) == (b"", False, b"")
    assert tail.feed(END) + tail.end(80) == b""


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_text_is_lines_as_they_are_at_their_end(output: Output, size: int) -> None:
    text = Text()
    said = b"\x1b[?2004l\x1b]0;title\x07\rone\r\n\x1b[1mtwo\x1b[m\r\n10%\r20%\r\n\r\nrest"
    for piece in cut(said + LEFT_OPEN + END, size):
        text.output(piece)
    text.end(80)
    assert output.seen == b"one\ntwo\n20%\n\nrest"
    assert text.open_line


def test_a_question_is_printed_when_output_pauses_and_its_answer_behind_it(output: Output) -> None:
    text = Text()
    text.output(b"a line\r\nName? ")
    assert (output.seen, text.waits) == (b"a line\n", True)
    text.pause()
    assert (output.seen, text.waits) == (b"a line\nName? ", False)
    text.output(b"Ann\r\nHello Ann\r\n" + END)
    text.end(80)
    assert output.seen == b"a line\nName? Ann\nHello Ann\n"
    assert not text.open_line


def test_a_line_that_is_written_anew_after_it_was_shown_is_printed_once_more(
    output: Output,
) -> None:
    text = Text()
    text.output(b"10 of 20")
    text.pause()
    text.output(b"\r20 of 20\r\nnext")
    text.end(80)
    assert output.seen == b"10 of 20\n20 of 20\nnext"


def test_every_byte_but_the_shells(output: Output) -> None:
    every = Printed()
    every.output(b"\x1b[31mred\x1b[m\r\n50%")
    every.pause()
    every.output(b" \r\n" + LEFT_OPEN)
    every.output(END)
    every.end(80)
    assert output.seen == b"\x1b[31mred\x1b[m\r\n50% \r\n"
    assert not every.open_line


def test_a_line_that_is_too_long_to_be_kept_is_printed_as_it_is(
    output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shpool.client.lines._LONGEST", 10)
    text = Text()
    said = "".join(map(chr, range(32, 127))).encode()
    for piece in cut(said + b"\r\nend\r\n" + END, 7):
        text.output(piece)
    text.end(80)
    assert output.seen == said + b"\nend\n"
