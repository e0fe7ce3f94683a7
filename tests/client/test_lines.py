"""Lines out of raw output, wherever the output is cut."""

from __future__ import annotations

import pytest

from shpool.client.lines import Lines

# What is fed, and the versions found: with a full stop behind those that are complete, and an @
# before those that were put somewhere else.
CASES = [
    (b"one\r\ntwo\r\nthree", ["one.", "two.", "three"]),
    (b"one\ntwo\n", ["one.", "two."]),
    (b"one\r\r\n", ["one."]),
    (b"\r\n\r\n", [".", "."]),
    (b"\x1b[1;31mred\x1b[m and \x1b[38:2::1:2:3mnot\x1b[0m\r\n", ["red and not."]),
    (b"10%\r20%\r100%\r\n", ["10%", "20%", "100%."]),
    (b"10%\x1b[2K\r20%\n", ["10%", "20%."]),
    (b"$ lx\b\x1b[Ks\r\n", ["$ lx", "$ ls."]),
    (b"$ ab\x1b[2D\x1b[@c\r\n", ["$ cab."]),
    (b"$ abc\x1b[3D\x1b[Pd\n", ["$ abc", "$ dc."]),
    (b"abc\b\b\x1b[Xd\n", ["abc", "adc."]),
    (b"ab\x1b[3Gc\x1b[2Cd\n", ["abc  d."]),
    (b"a\x1b[4b\n", ["aaaaa."]),
    (b"old\x1b[Hnew\nmore\n", ["old", "@new.", "more."]),
    (b"\x1b[2;5Hthere\x1b[4;1Hhere", ["@there", "@here"]),
    (b"a\x1b[?1049h\x1b[Hvim\r\n:q\x1b[?1049lb\n", ["a", "@b."]),
    (b"\x1b]0;title\x07text\n", ["text."]),
    (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n", ["link."]),
    (b"\x1bPq#0;2;0\n\nsixel\x1b\\after\n", ["after."]),
    (b"\x1b]0;cut\x18on\n", ["on."]),
    (b"\x1b(Bplain\x1b=\x1b[?2004h\x1b[>1u\n", ["plain."]),
    ("zwölf €\U0001f600\n".encode(), ["zwölf €\U0001f600."]),
    (b"bad \xff\xc3\n", ["bad \ufffd\ufffd."]),
    (b"a\tb\x07\n", ["a\tb."]),
    (b"a\x0bb\x85".replace(b"\x85", "\x85".encode()), ["a.", "b."]),
    (b"top\x1bMup\n", ["top", "@up."]),
    (b"\x1b[99999999999Cx\n", [" " * 10_000 + "x."]),
]


def found(lines: Lines, pieces: list[bytes]) -> list[str]:
    versions = [version for piece in pieces for version in lines.feed(piece)]
    shown = [
        f"{'@' if version.placed else ''}{version.text}{'.' if version.complete else ''}"
        for version in versions
    ]
    rest = f"{'@' if lines.placed else ''}{lines.text}"
    return [*shown, rest] if lines.text else shown


@pytest.mark.parametrize(("data", "expected"), CASES, ids=[repr(case[0])[:40] for case in CASES])
def test_versions_are_found_wherever_the_output_is_cut(data: bytes, expected: list[str]) -> None:
    assert found(Lines(), [data]) == expected
    for cut in range(len(data) + 1):
        assert found(Lines(), [data[:cut], data[cut:]]) == expected, cut
    assert found(Lines(), [bytes((byte,)) for byte in data]) == expected


def test_it_goes_on_from_what_stands_in_the_row() -> None:
    assert found(Lines("$ "), [b"ls\r\n"]) == ["$ ls."]


def test_on_the_alternate_screen_there_are_no_lines_until_it_is_left() -> None:
    lines = Lines(alternate=True)
    assert found(lines, [b"vim\r\nmore\r\n\x1b[?1049", b"l$ \r\n"]) == ["@$ ."]


def test_a_line_without_an_end_is_cut() -> None:
    lines = Lines()
    versions = lines.feed(b"x" * 1_000_001)
    assert [len(version.text) for version in versions] == [1_000_001]
    assert lines.text == ""


def test_a_string_without_an_end_is_not_kept() -> None:
    lines = Lines()
    for _ in range(100):
        assert lines.feed(b"\x1b]52;c;" + b"A" * 10_000) == []
    assert len(lines._held) < 2
    assert found(lines, [b"\x07after\n"]) == ["after."]
