"""The answer to a Peek request, from the daemon's tables to the client's."""

from __future__ import annotations

from typing import Any

import pytest

from shpool.protocol.msgpack import WireError, pack
from shpool.protocol.screens import PeekHead, Rows, pack_part

PART = pack_part(
    ["abc", "", "\U00100000\x01 漢\x01"],
    [(2, "\n\ud800\x00"), (0, "\x01")],
    [1],
    [
        ("\n", ("31", "", 5, 2, "58:5:1", "id=a;http://x/\ud800")),
        ("\ud800", ("", "4", 0, 0, "", "")),
    ],
    [("\U00100000", "👩\u200d💻")],
)


def test_rows_come_back_wherever_they_were_cut() -> None:
    for size in (1, 2, 3, 7, 1000):
        rows = Rows()
        data = PART + PART
        for at in range(0, len(data), size):
            rows.feed(data[at : at + size])
        assert rows.texts == ["abc", "", "\U00100000\x01 漢\x01"] * 2
        assert rows.styles == ["\x01", "", "\n\ud800\x00"] * 2
        assert rows.wrapped == [False, True, False] * 2
        assert rows.pens == {
            "\n": ("31", "", 5, 2, "58:5:1", "id=a;http://x/\ud800"),
            "\ud800": ("", "4", 0, 0, "", ""),
        }
        assert rows.clusters == {"\U00100000": "👩\u200d💻"}


@pytest.mark.parametrize(
    "part",
    [
        1,
        [],
        [b"", [], [], b"", b"", b""],
        [b"", [7, b""], [], b"", b"", b"", b""],
        [b"", [0, 1], [], b"", b"", b"", b""],
        [b"", [], ["x"], b"", b"", b"", b""],
        [b"", [], [], b"a", b"no pen", b"", b""],
        [b"\xff", [], [], b"", b"", b"", b""],
    ],
)
def test_what_is_no_part_is_refused(part: Any) -> None:
    with pytest.raises(WireError, match="a part of a picture is none"):
        Rows().feed(pack(part))


def test_a_head_says_all_of_a_screen_but_its_rows() -> None:
    head = PeekHead("one")
    head.rows, head.cols, head.x, head.y = 24, 80, 3, 4
    head.palette, head.dynamic = {1: "#123456"}, {11: "rgb:0/0/0"}
    head.title, head.shape, head.alternate = "vim", 2, True
    read = PeekHead.from_wire(head.to_wire())
    for slot in PeekHead.__slots__:
        assert getattr(read, slot) == getattr(head, slot), slot


def test_a_head_without_what_may_be_missing_is_read() -> None:
    head = PeekHead.from_wire({"Peek": {"name": "one", "rows": 5}})
    assert (head.rows, head.mark, head.title, head.palette, head.visible) == (5, 0, None, {}, True)


@pytest.mark.parametrize("palette", [7, [1], [[1, 2]], [["x", "y"]]])
def test_a_table_of_colours_that_is_none_is_refused(palette: Any) -> None:
    with pytest.raises(WireError):
        PeekHead.from_wire({"Peek": {"name": "one", "palette": palette}})
    with pytest.raises(WireError, match="a table of colours is none"):
        PeekHead.from_wire({"Peek": {"name": "one", "palette": 7}})
