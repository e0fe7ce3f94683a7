import math
import re
import struct
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shpool.protocol.msgpack import MAX_DEPTH, MAX_REQUEST, Decoder, Ext, WireError, pack


def decode(wire: bytes) -> Any:
    """The value of `wire`, of which nothing may be left."""
    decoder = Decoder()
    assert decoder.feed(wire)
    assert decoder.rest == b""
    return decoder.value


# ---- every form of a value

SHORTEST: list[tuple[Any, bytes]] = [
    (None, b"\xc0"),
    (False, b"\xc2"),
    (True, b"\xc3"),
    (0, b"\x00"),
    (127, b"\x7f"),
    (128, b"\xcc\x80"),
    (255, b"\xcc\xff"),
    (256, b"\xcd\x01\x00"),
    (65_535, b"\xcd\xff\xff"),
    (65_536, b"\xce\x00\x01\x00\x00"),
    ((1 << 32) - 1, b"\xce\xff\xff\xff\xff"),
    (1 << 32, b"\xcf\x00\x00\x00\x01\x00\x00\x00\x00"),
    ((1 << 64) - 1, b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
    (-1, b"\xff"),
    (-32, b"\xe0"),
    (-33, b"\xd0\xdf"),
    (-128, b"\xd0\x80"),
    (-129, b"\xd1\xff\x7f"),
    (-32_768, b"\xd1\x80\x00"),
    (-32_769, b"\xd2\xff\xff\x7f\xff"),
    (-(1 << 31), b"\xd2\x80\x00\x00\x00"),
    (-(1 << 31) - 1, b"\xd3\xff\xff\xff\xff\x7f\xff\xff\xff"),
    (-(1 << 63), b"\xd3\x80\x00\x00\x00\x00\x00\x00\x00"),
    ("", b"\xa0"),
    ("a" * 31, b"\xbf" + b"a" * 31),
    ("a" * 32, b"\xd9\x20" + b"a" * 32),
    ("a" * 255, b"\xd9\xff" + b"a" * 255),
    ("a" * 256, b"\xda\x01\x00" + b"a" * 256),
    ("a" * 65_535, b"\xda\xff\xff" + b"a" * 65_535),
    ("a" * 65_536, b"\xdb\x00\x01\x00\x00" + b"a" * 65_536),
    ("é", b"\xa2\xc3\xa9"),
    ("é" * 16, b"\xd9\x20" + b"\xc3\xa9" * 16),  # the length is that of the bytes
    (b"", b"\xc4\x00"),
    (b"\xff", b"\xc4\x01\xff"),
    (b"a" * 256, b"\xc5\x01\x00" + b"a" * 256),
    (b"a" * 65_536, b"\xc6\x00\x01\x00\x00" + b"a" * 65_536),
    ([], b"\x90"),
    ([7] * 15, b"\x9f" + b"\x07" * 15),
    ([7] * 16, b"\xdc\x00\x10" + b"\x07" * 16),
    ([7] * 65_535, b"\xdc\xff\xff" + b"\x07" * 65_535),
    ([7] * 65_536, b"\xdd\x00\x01\x00\x00" + b"\x07" * 65_536),
    ({}, b"\x80"),
    ({"a": 1, "b": []}, b"\x82\xa1a\x01\xa1b\x90"),
    (
        {str(n): n for n in range(16)},
        b"\xde\x00\x10" + b"".join(pack(str(n)) + bytes([n]) for n in range(16)),
    ),
]


@pytest.mark.parametrize(("value", "wire"), SHORTEST, ids=lambda item: repr(item)[:20])
def test_a_value_is_written_in_its_shortest_form_and_read_back(value: Any, wire: bytes) -> None:
    assert pack(value) == wire
    got = decode(wire)
    assert got == value
    assert type(got) is type(value)


def test_a_map_of_more_than_65535_has_the_longest_head_and_is_read_back() -> None:
    value = {str(n): 0 for n in range(65_536)}
    wire = pack(value)
    assert wire.startswith(b"\xdf\x00\x01\x00\x00")
    assert decode(wire) == value


def test_a_tuple_is_written_as_an_array() -> None:
    assert pack(("a", 1)) == pack(["a", 1])


@pytest.mark.parametrize(
    ("value", "forms"),
    [
        (5, ["05", "cc05", "cd0005", "ce00000005", "cf0000000000000005"]),
        (5, ["d005", "d10005", "d200000005", "d30000000000000005"]),
        (-1, ["ff", "d0ff", "d1ffff", "d2ffffffff", "d3ffffffffffffffff"]),
        ("hi", ["a26869", "d9026869", "da00026869", "db000000026869"]),
        (b"hi", ["c4026869", "c500026869", "c6000000026869"]),
        ([1, 2], ["920102", "dc00020102", "dd000000020102"]),
        ({"a": 1}, ["81a16101", "de0001a16101", "df00000001a16101"]),
    ],
)
def test_every_form_of_a_value_reads_the_same(value: Any, forms: list[str]) -> None:
    for form in forms:
        assert decode(bytes.fromhex(form)) == value


def test_floats_are_read_although_no_message_has_one() -> None:
    assert decode(b"\xca" + struct.pack(">f", 1.5)) == 1.5
    assert decode(b"\xcb" + struct.pack(">d", -math.pi)) == -math.pi


@pytest.mark.parametrize(
    "form",
    [
        *("d401aa", "d501" + 2 * "aa", "d601" + 4 * "aa", "d701" + 8 * "aa", "d801" + 16 * "aa"),
        *("c70001", "c70301aabbcc", "c8000301aabbcc", "c90000000301aabbcc"),
    ],
)
def test_an_extension_is_stepped_over(form: str) -> None:
    got = decode(b"\x92" + bytes.fromhex(form) + b"\xa4next")
    assert isinstance(got[0], Ext)
    assert got[1] == "next"


def test_text_that_is_not_utf_8_is_left_to_the_message_as_bytes() -> None:
    assert decode(b"\xa3a\xffb") == b"a\xffb"
    assert decode(b"\xa2\xc3(") == b"\xc3("
    assert decode(b"\xa3\xed\xa0\x80") == b"\xed\xa0\x80"  # a surrogate


def test_a_field_name_may_come_as_bin() -> None:
    assert decode(b"\x81\xc4\x04name\xa1a") == {"name": "a"}


def test_keys_that_no_message_has_cannot_be_many() -> None:
    # Each NaN is another key, and in 3.9 all have one hash: 65,535 took two minutes.
    decoder = Decoder()
    assert decoder.feed(b"\xde\xff\xff" + (bytes([0xCA]) + b"\x7f\xc0\x00\x00\x01") * 65_535)
    assert len(decoder.value) == 1


def test_the_later_of_two_equal_keys_counts() -> None:
    assert decode(b"\x83\xa1a\x01\xa1b\x02\xa1a\x03") == {"a": 3, "b": 2}


# ---- a stream in pieces

NESTED = {
    "sessions": [
        {"name": "é" * 40, "at": 1_700_000_000_000, "who": [{"pid": -70_000}, None]},
        {"name": b"\xff" * 300, "at": True, "who": []},
    ],
    "": {},
}


def test_a_value_is_the_same_wherever_the_stream_is_cut() -> None:
    wire = pack(NESTED) + b"\xd5\x01\xaa\xaa"
    end = len(pack(NESTED))
    for cut in range(len(wire) + 1):
        decoder = Decoder()
        if not decoder.feed(wire[:cut]):
            assert cut < end
            assert decoder.started == (cut > 0)
            assert decoder.feed(wire[cut:])
            assert decoder.rest == wire[end:]
        else:
            assert cut >= end
            assert decoder.rest == wire[end:cut]
        assert decoder.value == NESTED


def test_a_value_may_come_a_byte_at_a_time() -> None:
    wire = pack(NESTED)
    decoder = Decoder()
    for position, byte in enumerate(wire):
        assert decoder.feed(bytes([byte])) == (position == len(wire) - 1)
    assert (decoder.value, decoder.rest) == (NESTED, b"")


def test_what_follows_a_value_is_kept_however_much_it_is() -> None:
    behind = b"\xc1" * (3 * MAX_REQUEST)
    decoder = Decoder()
    assert decoder.feed(b"\xa4List" + behind)
    assert (decoder.value, decoder.rest) == ("List", behind)


def test_a_long_string_in_small_pieces_costs_time_in_proportion() -> None:
    # Joining what there is for each piece would copy 100 GB here.
    wire = pack("x" * (MAX_REQUEST - 5))
    decoder = Decoder()
    for start in range(0, len(wire), 5):
        done = decoder.feed(wire[start : start + 5])
    assert done
    assert len(decoder.value) == MAX_REQUEST - 5


# ---- bounds


def test_a_message_may_have_1_mib_and_not_a_byte_more() -> None:
    most = MAX_REQUEST - 5
    assert decode(pack("x" * most)) == "x" * most
    with pytest.raises(WireError, match="more than 1048576 bytes"):
        Decoder().feed(pack("x" * (most + 1)))


@pytest.mark.parametrize("piece", [500, 1 << 19])
def test_a_message_that_grows_too_large_is_refused_when_it_does(piece: int) -> None:
    wire = pack([7, None] * 262_144 + [70_000] * 200_000)
    decoder = Decoder()
    for start in range(0, MAX_REQUEST - piece + 1, piece):
        assert not decoder.feed(wire[start : start + piece])
    with pytest.raises(WireError, match="more than 1048576 bytes"):
        decoder.feed(wire[start + piece : start + 2 * piece + 1])


def test_containers_may_nest_16_deep_and_not_deeper() -> None:
    assert decode(b"\x91" * (MAX_DEPTH - 1) + b"\x90") is not None
    assert decode((b"\x81\xa1k" * (MAX_DEPTH - 1)) + b"\x80") is not None
    for head in (b"\x91", b"\x81\xa1k", b"\xdd\x00\x00\x00\x01", b"\xde\x00\x01\xa1k"):
        for last in (b"\x90", b"\x80", b"\x91"):
            with pytest.raises(WireError, match="deeper than 16"):
                Decoder().feed(head * MAX_DEPTH + last)


def test_a_wide_message_is_not_a_deep_one() -> None:
    value: list[Any] = [[[]] for _ in range(1000)]
    assert decode(pack(value)) == value


@pytest.mark.parametrize(
    "claim",
    [
        b"\xdb\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xc9\xff\xff\xff\xff\x01",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\x81\xa4name\xdb\x00\x10\x00\x00",
        b"\xdd\x00\x10\x00\x00",
        b"\xdf\x00\x08\x00\x00",
    ],
)
def test_a_claim_of_more_than_a_message_holds_is_refused_at_once(claim: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(WireError, match="more than 1048576 bytes"):
            Decoder().feed(claim)
        assert tracemalloc.get_traced_memory()[1] < 50_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "claim", [b"\xdb\x00\x0f\xff\xf0", b"\xdd\x00\x0f\xff\xf0", b"\xdf\x00\x07\xff\xf0"]
)
def test_a_claim_that_is_allowed_sets_no_memory_aside(claim: bytes) -> None:
    tracemalloc.start()
    try:
        decoder = Decoder()
        assert not decoder.feed(claim)
        assert not decoder.feed(b"\xa1")
        assert tracemalloc.get_traced_memory()[1] < 50_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("wire", [b"\xc1", b"\x81\x90\x00", b"\x81\x81\xa1a\x00\x00"])
def test_what_is_no_message_is_refused(wire: bytes) -> None:
    with pytest.raises(WireError):
        Decoder().feed(wire)


@pytest.mark.parametrize("value", [1 << 64, -(1 << 63) - 1, 1.5, object(), [set()], {"a": {1}}])
def test_what_has_no_form_on_the_wire_is_not_written(value: Any) -> None:
    with pytest.raises(WireError):
        pack(value)


def test_a_file_name_that_is_not_utf_8_has_no_form_on_the_wire() -> None:
    with pytest.raises(WireError, match="not valid UTF-8"):
        pack({"cmd": b"\xff".decode("utf-8", "surrogateescape")})


# ---- whatever else

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.text(max_size=300)
    | st.binary(max_size=300)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=40), inner, max_size=20)
    ),
    max_leaves=40,
)


@settings(derandomize=True, deadline=None)
@given(values, st.binary(max_size=20), st.lists(st.integers(0, 400), max_size=8))
def test_whatever_is_written_is_read_back_however_it_is_cut(
    value: Any, behind: bytes, cuts: list[int]
) -> None:
    wire = pack(value) + behind
    edges = sorted({0, len(wire), *(cut for cut in cuts if cut < len(wire))})
    decoder = Decoder()
    for start, end in zip(edges, edges[1:]):
        if decoder.feed(wire[start:end]):
            assert decoder.value == value
            assert decoder.rest + wire[end:] == behind
            return
    pytest.fail("the value did not end")


# Bytes that begin something, or are small lengths, more often than by chance.
tricky = st.lists(
    st.sampled_from([0x00, 0x01, 0x02, 0x81, 0x92, 0xA1, 0xC0, 0xC1, 0xFF, *range(0xC4, 0xE0)]),
    max_size=60,
).map(bytes)


@settings(derandomize=True, deadline=None)
@given(st.binary(max_size=60) | tricky, st.integers(0, 60))
def test_any_bytes_are_a_value_or_the_start_of_one_or_refused(wire: bytes, cut: int) -> None:
    def outcome(*pieces: bytes) -> str:
        decoder = Decoder()
        try:
            for piece in pieces:
                if decoder.feed(piece):
                    return re.sub("0x[0-9a-f]+", "", repr(decoder.value))
        except WireError:
            return "refused"
        return "incomplete"

    assert outcome(wire) == outcome(wire[:cut], wire[cut:])
