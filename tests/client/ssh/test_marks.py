"""Marks are taken out of output, wherever it is split."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shpool.client.ssh.marks import Marks
from shpool.protocol.attaching import mark

TOKEN = "a1b2"


def fed(marks: Marks, *pieces: bytes) -> tuple[bytes, list[str]]:
    """Output and words of marks."""
    output, words = b"", []
    for piece in pieces:
        for item in marks.feed(piece):
            if isinstance(item, bytes):
                assert item
                output += item
            else:
                words.append(item)
    return output + marks.flush(), words


STREAM = (
    b"noise\x1b]0;title\x07"
    + mark(TOKEN, "seen")
    + b"\x1b[31"
    + mark(TOKEN, "line;12")  # in the middle of a sequence
    + b"mred\xe2\x82"
    + mark(TOKEN, "line;13")  # and of a character
    + b"\xac\x1b"
    + mark(TOKEN, "end;3")
    + mark("other", "end;4")
    + b"\x1b]8888;a1b"
)
OUTPUT = b"noise\x1b]0;title\x07\x1b[31mred\xe2\x82\xac\x1b" + mark("other", "end;4")
OUTPUT += b"\x1b]8888;a1b"
WORDS = ["seen", "line;12", "line;13", "end;3"]


def test_in_one_piece() -> None:
    assert fed(Marks(TOKEN), STREAM) == (OUTPUT, WORDS)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 16])
def test_in_pieces_of_one_size(size: int) -> None:
    pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    assert fed(Marks(TOKEN), *pieces) == (OUTPUT, WORDS)


def test_at_every_split_point() -> None:
    for at in range(len(STREAM) + 1):
        assert fed(Marks(TOKEN), STREAM[:at], STREAM[at:]) == (OUTPUT, WORDS)


@given(st.lists(st.sampled_from([b"\x1b", b"]8888;", b"a1b2;", b"x", b"\x07", b"\x1b]8888;a1b2;"])))
def test_what_comes_out_does_not_depend_on_how_it_is_split(pieces: list[bytes]) -> None:
    assert fed(Marks(TOKEN), *pieces) == fed(Marks(TOKEN), b"".join(pieces))


def test_output_is_not_held_but_for_what_may_begin_a_mark() -> None:
    marks = Marks(TOKEN)
    assert marks.feed(b"word\x1b[") == [b"word\x1b["]
    assert marks.feed(b"word\x1b") == [b"word"]
    assert marks.feed(b"[m") == [b"\x1b[m"]
    assert marks.feed(b"word\x1b]888") == [b"word"]
    assert marks.feed(b"9;x\x07") == [b"\x1b]8889;x\x07"]
    assert marks.flush() == b""


def test_of_a_mark_that_is_cut_off_nothing_is_shown() -> None:
    """A terminal would wait for its end, and show nothing before."""
    whole = b"\x1b]8888;a1b2;line;17"
    known = whole.index(b"line")
    for end in range(known, len(whole) + 1):
        assert fed(Marks(TOKEN), b"x" + whole[:end]) == (b"x", [])
    assert fed(Marks(TOKEN), whole[: known - 1]) == (whole[: known - 1], [])


def test_a_mark_without_an_end_is_not_kept_for_ever() -> None:
    endless = mark(TOKEN, "x" * 10_000)[:-1]
    for size in (100, 5000, 20_000):
        pieces = [endless[at : at + size] for at in range(0, len(endless), size)]
        output, words = fed(Marks(TOKEN), *pieces, b"\x07", mark(TOKEN, "seen"))
        assert output == b"x" * 10_000 + b"\x07"
        assert words == ["seen"]
