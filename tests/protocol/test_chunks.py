from __future__ import annotations

import itertools
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shpool.protocol.chunks import (
    BACK,
    DATA,
    DETACH,
    EXIT_STATUS,
    HEARTBEAT,
    MAX_PAYLOAD,
    MAYBE_SWITCH,
    MODES,
    STATE,
    ChunkReader,
    frame,
    frame_data,
    frame_exit_status,
)
from shpool.protocol.msgpack import WireError

WITH_PAYLOAD = [DATA, HEARTBEAT, MAYBE_SWITCH, STATE, MODES, BACK, DETACH]

# As they stand on the wire, in either direction of this program's use.
LITERALS: list[tuple[tuple[int, bytes | int], bytes]] = [
    ((DATA, b"hi"), b"\x00\x02\x00\x00\x00hi"),
    ((DATA, b"\x1b[0m\xff\x00"), b"\x00\x06\x00\x00\x00\x1b[0m\xff\x00"),
    ((DATA, b"x" * 16_384), b"\x00\x00\x40\x00\x00" + b"x" * 16_384),
    ((HEARTBEAT, b""), b"\x01\x00\x00\x00\x00"),
    ((STATE, b"\x03"), b"\x04\x01\x00\x00\x00\x03"),
    ((MODES, b"xyz"), b"\x05\x03\x00\x00\x00xyz"),
    ((BACK, b""), b"\x06\x00\x00\x00\x00"),
    ((DETACH, b""), b"\x07\x00\x00\x00\x00"),
    ((EXIT_STATUS, 0), b"\x02\x00\x00\x00\x00"),
    ((EXIT_STATUS, 7), b"\x02\x07\x00\x00\x00"),
    ((EXIT_STATUS, 143), b"\x02\x8f\x00\x00\x00"),
    ((EXIT_STATUS, -1), b"\x02\xff\xff\xff\xff"),
    ((MAYBE_SWITCH, b"\x80"), b"\x03\x01\x00\x00\x00\x80"),
]


@pytest.mark.parametrize(("chunk", "wire"), LITERALS, ids=lambda item: repr(item)[:24])
def test_a_chunk_is_written_and_read_as_the_protocol_has_it(
    chunk: tuple[int, bytes | int], wire: bytes
) -> None:
    kind, content = chunk
    if isinstance(content, int):
        assert frame_exit_status(content) == wire
    else:
        assert frame(kind, content) == wire
    assert ChunkReader().feed(wire) == [chunk]


def test_a_stream_gives_the_same_chunks_wherever_it_is_cut() -> None:
    chunks = [chunk for chunk, _ in LITERALS if chunk[1] != b"x" * 16_384]
    chunks += [(DATA, b""), (DATA, b"longer output"), (HEARTBEAT, b"odd")]
    wire = b"".join(
        frame_exit_status(content) if isinstance(content, int) else frame(kind, content)
        for kind, content in chunks
    )
    for first, second in itertools.combinations_with_replacement(range(len(wire) + 1), 2):
        reader = ChunkReader()
        pieces = wire[:first], wire[first:second], wire[second:]
        assert [chunk for piece in pieces for chunk in reader.feed(piece)] == chunks


def test_a_stream_may_come_a_byte_at_a_time() -> None:
    wire = b"".join(wire for _, wire in LITERALS)
    reader = ChunkReader()
    got = [chunk for byte in wire for chunk in reader.feed(bytes([byte]))]
    assert got == [chunk for chunk, _ in LITERALS]


def test_a_chunk_is_handed_out_with_its_last_byte() -> None:
    for _, wire in LITERALS:
        reader = ChunkReader()
        assert reader.feed(wire[:-1]) == []
        assert len(reader.feed(wire[-1:])) == 1


@pytest.mark.parametrize("size", [0, 1, 16_383, 16_384, 16_385, 32_768, 100_000])
def test_output_of_any_length_goes_in_chunks_that_the_original_takes(size: int) -> None:
    output = bytes(index % 251 for index in range(size))
    got = ChunkReader().feed(frame_data(output))
    assert all(kind == DATA for kind, _ in got)
    pieces = [content for _, content in got if isinstance(content, bytes)]
    assert b"".join(pieces) == output
    assert [len(piece) for piece in pieces[:-1]] == [MAX_PAYLOAD] * (len(pieces) - 1)
    assert all(0 < len(piece) <= MAX_PAYLOAD for piece in pieces)


def test_no_output_is_no_chunk() -> None:
    assert frame_data(b"") == b""


def test_no_chunk_is_made_that_a_peer_would_refuse() -> None:
    with pytest.raises(WireError, match="a chunk of 16385 bytes"):
        frame(MAYBE_SWITCH, b"x" * 16_385)


@pytest.mark.parametrize(
    "wire",
    [b"\x08", b"\x08\x00\x00\x00\x00", b"\xff", b"\x00\x01\x00\x00\x00a\x08", b"\x01\0\0\0\0\x80"],
)
def test_an_unknown_kind_is_refused_with_its_first_byte(wire: bytes) -> None:
    with pytest.raises(WireError, match="unknown kind"):
        ChunkReader().feed(wire)


@pytest.mark.parametrize("kind", WITH_PAYLOAD)
def test_a_chunk_that_is_too_long_is_refused_with_its_head(kind: int) -> None:
    for claim in (16_385, 1 << 24, (1 << 32) - 1):
        with pytest.raises(WireError, match=f"a chunk of {claim} bytes"):
            ChunkReader().feed(bytes([kind]) + claim.to_bytes(4, "little"))


def test_no_more_is_kept_than_the_chunk_that_is_not_complete() -> None:
    whole = frame(DATA, b"x" * MAX_PAYLOAD)
    tracemalloc.start()
    try:
        reader = ChunkReader()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(50):
            reader.feed(whole + whole[:-1])
            reader.feed(whole[-1:])
        reader.feed(whole[:-1])
        assert tracemalloc.get_traced_memory()[0] - before < 2 * MAX_PAYLOAD
    finally:
        tracemalloc.stop()


chunks = st.one_of(
    st.tuples(st.just(EXIT_STATUS), st.integers(-(1 << 31), (1 << 31) - 1)),
    st.tuples(
        st.sampled_from(WITH_PAYLOAD),
        st.binary(max_size=40),
    ),
)


@settings(derandomize=True, deadline=None)
@given(st.lists(chunks, max_size=10), st.lists(st.integers(0, 300), max_size=6))
def test_whatever_is_written_is_read_back(
    sent: list[tuple[int, bytes | int]], cuts: list[int]
) -> None:
    wire = b"".join(
        frame_exit_status(content) if isinstance(content, int) else frame(kind, content)
        for kind, content in sent
    )
    reader = ChunkReader()
    edges = [0, *sorted(min(cut, len(wire)) for cut in cuts), len(wire)]
    got = [chunk for start, end in zip(edges, edges[1:]) for chunk in reader.feed(wire[start:end])]
    assert got == sent


@settings(derandomize=True, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_chunks_or_refused(wire: bytes) -> None:
    try:
        for kind, content in ChunkReader().feed(wire):
            assert isinstance(content, int) == (kind == EXIT_STATUS)
    except WireError:
        pass
