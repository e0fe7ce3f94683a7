"""Made-up streams: judged where a judge can follow, survived by the model where none can."""

from __future__ import annotations

import random
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shpool.terminal.model import Terminal

from . import generated
from .judge import Node
from .seamless import failures, report

ROWS, COLS = 10, 30

steady = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=200,
    suppress_health_check=list(HealthCheck),
)


@given(data=generated.JUDGED, cut=st.floats(0, 1))
@steady
def test_cut_anywhere_a_made_up_stream_goes_on_as_if_never_left(
    node: Node, data: bytes, cut: float
) -> None:
    cuts = [int(cut * len(data)), len(data)]
    told = failures(node, data, ROWS, COLS, cuts)
    assert told == [], report(told, len(cuts)) + f"\nof {data!r}"


@given(data=generated.WILD)
@steady
def test_the_model_never_raises_and_its_restore_is_stable(data: bytes) -> None:
    restores = []
    for _ in range(3):
        model = Terminal(ROWS, COLS, 50)
        model.feed(data)
        data = model.restore(50, in_place=True)
        restores.append(data)
    # The first may leave out what the second then has seen reset, and nothing else changes.
    assert restores[1] == restores[2]


@given(data=generated.WILD, cuts=st.lists(st.floats(0, 1), max_size=6))
@steady
def test_how_the_bytes_arrive_makes_no_difference(data: bytes, cuts: list[float]) -> None:
    whole = Terminal(ROWS, COLS, 50)
    whole.feed(data)
    pieces = Terminal(ROWS, COLS, 50)
    places = [0, *sorted(int(cut * len(data)) for cut in cuts), len(data)]
    for start, end in zip(places, places[1:]):
        pieces.feed(data[start:end])
    assert pieces.restore(50) == whole.restore(50)


@given(data=generated.WILD, sizes=st.lists(st.tuples(st.integers(1, 40), st.integers(1, 90))))
@steady
def test_any_size_at_any_time_is_survived(data: bytes, sizes: list[tuple[int, int]]) -> None:
    model = Terminal(ROWS, COLS, 20)
    step = max(1, len(data) // (len(sizes) + 1))
    for n, (rows, cols) in enumerate(sizes):
        model.feed(data[n * step : (n + 1) * step])
        model.resize(rows, cols)
        model.restore(20)
    model.feed(data[len(sizes) * step :])
    model.restore(20)


@given(data=generated.JUDGED)
@steady
def test_reading_the_state_does_not_change_it(data: bytes) -> None:
    watched, left_alone = Terminal(ROWS, COLS, 50), Terminal(ROWS, COLS, 50)
    for n in range(0, len(data), 5):
        watched.feed(data[n : n + 5])
        watched.restore(50)
    left_alone.feed(data)
    assert watched.restore(50) == left_alone.restore(50)


ENDLESS = {
    "a title": (b"\x1b]2;", b"x" * 65536),
    "a DCS": (b"\x1bPq", b"#0;2;0;0;0#0~~@@vv" * 4096),
    "an APC": (b"\x1b_G", b"AAAA" * 16384),
    "a CSI": (b"\x1b[", b"1;" * 4096),
    "combining marks": (b"e", "\u0301".encode() * 8192),
    "joiners": ("👩".encode(), "\u200d👩".encode() * 8192),
    "lines": (b"", b"line of text\r\n" * 8192),
    "links": (b"", b"".join(b"\x1b]8;;http://x/%d\x07y" % n for n in range(4000))),
    "titles pushed": (b"", b"\x1b]2;title\x07\x1b[22t" * 2048),
    "keyboards pushed": (b"", b"\x1b[>1u" * 8192),
    "colours": (b"", b"".join(b"\x1b]4;%d;#123456\x07" % n for n in range(4000))),
    "pens": (b"", b"".join(b"\x1b[38;2;%d;%d;7mx" % (n % 256, n // 256) for n in range(6000))),
    "directories": (b"", b"".join(b"\x1b]7;file:///%d\x07" % n for n in range(4000))),
    "modes saved": (b"", b"".join(b"\x1b[?%ds" % n for n in range(6000))),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_memory_stays_bounded_under_endless(what: str) -> None:
    start, more = ENDLESS[what]
    model = Terminal(24, 80, 100)
    model.feed(start)
    tracemalloc.start()
    try:
        peaks = []
        for _ in range(4):  # caches and tables may fill for a while, but not for ever
            sizes = []
            for _ in range(6):
                model.feed(more)
                sizes.append(tracemalloc.get_traced_memory()[0])
            peaks.append(max(sizes))
    finally:
        tracemalloc.stop()
    assert peaks[3] < peaks[2] * 1.1 + 16 * 1024
    # The most is that of links, each a pen of its own: 22,000 of them.
    assert peaks[3] < 12 * 1024 * 1024
    assert len(model.restore(100)) < 1024 * 1024


def test_random_bytes_are_survived() -> None:
    pick = random.Random(7)
    model = Terminal(24, 80, 100)
    for _ in range(60):
        model.feed(bytes(pick.choices(b"\x1b\x1b[]?;:0123456789hlmHJKrsu \xe6\xbc\xa2\x07", k=500)))
        model.feed(pick.randbytes(200))
        model.restore(100)
