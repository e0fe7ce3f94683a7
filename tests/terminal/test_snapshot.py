"""Lines are numbered as the program ended them, and a snapshot stays as it was."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from shpool.terminal.backlog import Backlog
from shpool.terminal.compact import compact_clusters, compact_pens
from shpool.terminal.model import Terminal
from shpool.terminal.snapshot import Snapshot

from . import generated


def rows_of(snapshot: Snapshot) -> tuple[list[str], list[bool]]:
    """Texts of all rows, and whether each continues the one before."""
    texts: list[str] = []
    wrapped: list[bool] = []
    while not snapshot.over:
        part = snapshot.part()
        if part is not None:
            wrapped += [number in part.wrapped for number in range(len(part.texts))]
            texts += part.texts
    return texts, wrapped


def numbered(terminal: Terminal) -> dict[int, str]:
    """The lines of history and screen that have their start, by number."""
    snapshot = Snapshot(terminal, None)
    texts, wrapped = rows_of(snapshot)
    number = snapshot.begun - wrapped[: len(terminal.history)].count(False) - 1
    found: dict[int, str] = {}
    for text, goes_on in zip(texts, wrapped):
        if not goes_on:
            number += 1
            found[number] = ""
        if number in found:
            found[number] += text
    return {number: text.replace("\0", " ").rstrip() for number, text in found.items()}


def line(number: int, length: int) -> str:
    return f"<{number}>".ljust(length, "=")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_line_keeps_its_number_whatever_the_size(data: st.DataObject) -> None:
    size = st.tuples(st.integers(1, 12), st.integers(2, 50))
    terminal = Terminal(*data.draw(size), data.draw(st.integers(0, 40)))
    said = 0
    for _ in range(data.draw(st.integers(1, 6))):
        lengths = data.draw(st.lists(st.integers(0, 120), max_size=30))
        lines = [line(said + number, length) for number, length in enumerate(lengths)]
        said += len(lines)
        terminal.feed("".join(f"{each}\r\n" for each in lines).encode())
        terminal.resize(*data.draw(size))
        for number, text in numbered(terminal).items():
            assert text.startswith(f"<{number}>") or (number >= said and not text)
        assert terminal.mark <= said


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=12),
    st.integers(2, 12),
    st.integers(5, 40),
    st.integers(0, 30),
    st.booleans(),
)
def test_a_flood_that_is_skipped_leaves_the_numbers_as_they_are(
    lengths: list[int], rows: int, cols: int, history: int, full: bool
) -> None:
    before = b"one\r\ntwo" + b"\r\n" * (rows if full else 0) + b"\x1b[31m"
    flood = b"".join(b"x" * length + b"\r\n\x0b" for length in lengths)
    flood *= 80_000 // len(flood)
    read = Terminal(rows, cols, history)
    read.feed(before + flood)
    waiting = Backlog(Terminal(rows, cols, history), cap=20_000)
    waiting.append(before)
    waiting.advance(1000)
    for at in range(0, len(flood), 4096):
        waiting.append(flood[at : at + 4096])
    waiting.catch_up()
    assert waiting.terminal.mark == read.mark
    assert numbered(waiting.terminal) == numbered(read)


def test_a_flood_is_skipped_in_that_test() -> None:
    waiting = Backlog(Terminal(5, 20, 10), cap=20_000)
    for _ in range(100):
        waiting.append(b"a line\r\n" * 512)
    assert waiting.pending < 30_000
    waiting.catch_up()
    assert waiting.terminal.mark == 100 * 512 - 4


@settings(max_examples=60, deadline=None)
@given(generated.stream(), st.integers(1, 12), st.integers(1, 30))
def test_whatever_is_printed_no_piece_of_a_line_is_without_a_number(
    data: bytes, rows: int, cols: int
) -> None:
    terminal = Terminal(5, 20, 30)
    terminal.feed(data)
    terminal.resize(rows, cols)
    begin = sum(isinstance(piece, str) or not piece[2] for piece in terminal.history)
    assert begin <= terminal.begun
    assert terminal.mark in (terminal.begun, max(terminal.begun - 1, 0))


def test_the_mark_goes_back_when_the_screen_grows() -> None:
    terminal = Terminal(4, 20, 100)
    terminal.feed(b"".join(b"%d\r\n" % number for number in range(10)))
    assert terminal.mark == 7
    terminal.resize(8, 20)
    assert terminal.mark == 3
    terminal.resize(4, 20)
    assert terminal.mark == 7


def test_a_line_that_is_in_part_on_the_screen_is_not_in_the_history() -> None:
    terminal = Terminal(2, 10, 100)
    terminal.feed(b"one\r\n" + b"x" * 30)
    assert (terminal.begun, terminal.mark) == (2, 1)
    assert numbered(terminal) == {0: "one", 1: "x" * 30}


def test_what_is_lost_takes_its_numbers_along() -> None:
    text = b"".join(b"%d\r\n" % number for number in range(10))
    for erase in (b"\x1b[3J", b"\x1bc"):
        terminal = Terminal(4, 20, 100)
        terminal.feed(text + erase)
        assert terminal.mark == 7
        terminal.feed(b"\x1b[H" + text)
        lines = numbered(terminal)
        assert min(lines) == 7
        assert lines[7] == "0"
    limited = Terminal(4, 20, 3)
    limited.feed(text)
    assert list(numbered(limited).values()) == ["4", "5", "6", "7", "8", "9", ""]
    assert min(numbered(limited)) == 4


def test_a_snapshot_stays_as_it_was() -> None:
    terminal = Terminal(4, 20, 100)
    terminal.feed("".join(f"\x1b[38;5;{n}mred {n}\u0301\r\n" for n in range(20)).encode())
    expected = rows_of(Snapshot(terminal, None))
    snapshot = Snapshot(terminal, None)
    terminal.feed(b"\x1b[H\x1b[Jsomething else\r\n" * 30)
    compact_pens(terminal)
    compact_clusters(terminal)
    pens: dict[str, str] = {}
    clusters: dict[str, str] = {}
    texts: list[str] = []
    while not snapshot.over:
        part = snapshot.part()
        assert part is not None
        texts += part.texts
        pens.update({number: pen[0] for number, pen in part.pens})
        clusters.update(part.clusters)
    assert texts == expected[0]
    assert sorted(pens.values()) == sorted(f"38;5;{n}" for n in range(20))
    assert set(clusters.values()) == {f"{n % 10}\u0301" for n in range(20)}


def test_a_part_is_small_and_says_what_is_new() -> None:
    terminal = Terminal(4, 20, 2000)
    terminal.feed(b"\x1b[31mred\x1b[m\r\n" * 2000)
    snapshot = Snapshot(terminal, None)
    first, second = snapshot.part(), snapshot.part()
    assert first is not None
    assert second is not None
    assert len(first.texts) == len(second.texts) == 256
    assert [pen[0] for _, pen in first.pens] == ["31"]
    assert second.pens == []


def test_of_the_history_the_end_can_be_had() -> None:
    terminal = Terminal(2, 10, 20_000)
    terminal.feed(b"".join(b"%d %s\r\n" % (n, b"x" * 15) for n in range(9_000)))
    assert terminal.begun == 9_000  # the last one goes on on the screen
    for wanted, rows in ((0, 0), (1, 1), (2, 3), (8_998, 17_995), (50_000, 17_999)):
        texts, _ = rows_of(Snapshot(terminal, wanted))
        assert len(texts) == rows + 2


def test_the_alternate_screen_is_shown_where_it_is_in_use() -> None:
    terminal = Terminal(2, 10, 100)
    terminal.feed(b"x" * 35 + b"\x1b[?1049h\x1b[Hvim")
    snapshot = Snapshot(terminal, None)
    assert snapshot.alternate
    assert snapshot.mark == 0
    texts, wrapped = rows_of(snapshot)
    assert texts == ["x" * 10, "x" * 10, "vim", ""]
    assert wrapped == [False, True, False, False]
