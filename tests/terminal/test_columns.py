"""Rows as columns, and what is no such columns."""

from __future__ import annotations

from typing import Any

import pytest

from shpool.terminal.blocks import Block
from shpool.terminal.cells import Row
from shpool.terminal.clusters import FIRST_CLUSTER
from shpool.terminal.columns import BLOCK, block_of, blocks_of, from_numbers, from_strings, rows_of

ROWS: list[Any] = [
    "plain",
    "",
    ("red", "\x01\x01\x01", False, ()),
    ("wrapped", "", True, ()),
    ("$ ls", "", False, ((0, "A"), (2, "B"))),
    ("all", "\n\ud800", True, ((1, "D;0"),)),
    "\u65e5\x01\U00100001\0",
]
BLOCK_OF_ROWS = block_of(ROWS)
LENGTHS, STYLES, WRAPPED, MARKED, PLACES = 2, 3, 4, 5, 6


def test_rows_come_back_as_they_were() -> None:
    assert rows_of(BLOCK_OF_ROWS, 0xD801, ord(FIRST_CLUSTER) + 2) == ROWS
    for row in ROWS:
        assert rows_of(block_of([row]), 0xD801, ord(FIRST_CLUSTER) + 2) == [row]
    assert rows_of(block_of([]), 1, 0x10FFFF) == []


def test_many_rows_are_several_blocks() -> None:
    rows = [str(number) for number in range(2 * BLOCK + 1)]
    blocks = blocks_of(rows)
    assert [block[0] for block in blocks] == [BLOCK, BLOCK, 1]
    assert [row for block in blocks for row in rows_of(block, 1, 0x100000)] == rows


def test_a_row_that_only_looks_odd_becomes_a_plain_one() -> None:
    """Where its style was taken away (compact.py)."""
    assert rows_of(block_of([("x", "", False, ()), *ROWS]), 0xD801, 0x10FFFF)[0] == "x"


@pytest.mark.parametrize(
    ("column", "content", "words"),
    [
        (0, 9, "7 rows where 9 are meant"),
        (LENGTHS, b"\1\0", "styles of other lengths than are meant"),
        (LENGTHS, b"\1", "bytes length not a multiple of item size"),
        (STYLES, b"\1\1", "styles of other lengths than are meant"),
        (WRAPPED, b"\1", "columns of different lengths"),
        (MARKED, b"\x09\0\x09\0\x09\0", "a row that is not there"),
        (PLACES, b"\1\0", "columns of different lengths"),
    ],
)
def test_what_are_no_columns_is_refused(column: int, content: object, words: str) -> None:
    block = [*BLOCK_OF_ROWS[:column], content, *BLOCK_OF_ROWS[column + 1 :]]
    with pytest.raises(ValueError, match=words):
        rows_of(block, 0xD801, ord(FIRST_CLUSTER) + 2)


def test_numbers_without_a_meaning_are_refused() -> None:
    with pytest.raises(ValueError, match="a pen that is not in the table"):
        rows_of(BLOCK_OF_ROWS, 11, 0x10FFFF)
    with pytest.raises(ValueError, match="a pen that is not in the table"):
        rows_of(block_of([("x", "\x07", False, ())]), 7, 0x10FFFF)
    with pytest.raises(ValueError, match="a cluster that is not in the table"):
        rows_of(BLOCK_OF_ROWS, 0xD801, ord(FIRST_CLUSTER) + 1)


def test_other_columns_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="2 texts where 3 are meant"):
        from_strings([3, b"a\nb"])
    with pytest.raises(ValueError, match="bytes length not a multiple of item size"):
        from_numbers(b"abc")


def test_columns_tell_all_that_rows_and_blocks_of_output_have() -> None:
    """An attribute more needs a column more, and a default where there is none."""
    assert set(Row.__slots__) == {"text", "style", "wrapped", "marks"}
    assert set(Block.__slots__) == {"data", "lines", "unanswered"}
