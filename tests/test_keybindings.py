from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shpool.keybindings import KeyBindingError, Scanner, parse_binding

DETACH = b"\x00\x11"


def merged(items: list[bytes | str]) -> list[bytes | str]:
    """Neighbouring bytes joined: where the pieces were cut is no part of the promise."""
    joined: list[bytes | str] = []
    for item in items:
        last = joined[-1] if joined else ""
        if isinstance(item, bytes) and isinstance(last, bytes):
            joined[-1] = last + item
        else:
            joined.append(item)
    return joined


def reference(bindings: list[tuple[bytes, str]], data: bytes) -> tuple[list[bytes | str], bytes]:
    """The rules, a byte at a time: items and what is held at the end."""
    table = dict(bindings)
    for sequence in list(table):
        if any(other != sequence and sequence.startswith(other) for other in table):
            del table[sequence]
    items: list[bytes | str] = []
    held = b""
    for value in data:
        key = bytes([value])
        if not any(sequence.startswith(held + key) for sequence in table):
            if held:
                items.append(held)
            held = b""
        held += key
        if held in table:
            if table[held] != "noop":
                items.append(table[held])
            held = b""
        elif not any(sequence.startswith(held) for sequence in table):
            items.append(held)
            held = b""
    return merged(items), held


@pytest.mark.parametrize(
    ("text", "sequence"),
    [
        ("Ctrl-Space Ctrl-q", b"\x00\x11"),
        ("Ctrl-a d", b"\x01d"),
        ("Ctrl-x Ctrl-y Ctrl-z", b"\x18\x19\x1a"),
        ("Ctrl-@ Ctrl-2", b"\x00\x00"),
        ("Ctrl-[ Ctrl-3", b"\x1b\x1b"),
        ("Ctrl-\\ Ctrl-4", b"\x1c\x1c"),
        ("Ctrl-] Ctrl-5", b"\x1d\x1d"),
        ("Ctrl-^ Ctrl-6", b"\x1e\x1e"),
        ("Ctrl-_ Ctrl-7", b"\x1f\x1f"),
        ("Ctrl-? Ctrl-8 Ctrl-0", b"\x7f\x7f\x7f"),
        ("a z 0 9", b"az09"),
        ("\\ [ ] @ ^ _ ? Space", b"\\[]@^_? "),
        ("  Ctrl-b \t q ", b"\x02q"),
    ],
)
def test_a_binding_is_the_bytes_that_its_keys_send(text: str, sequence: bytes) -> None:
    assert parse_binding(text) == sequence


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "at least one key"),
        ("  ", "at least one key"),
        ("Ctrl-1", "no terminal has a control code for 'Ctrl-1'"),
        ("Ctrl-9", "no terminal has a control code for 'Ctrl-9'"),
        ("Ctrl-Q", "lower case"),
        ("A", "lower case"),
        ("Ctrl", "'Ctrl' is no key"),
        ("Ctrl-", "'' is no key"),
        ("-", "Ctrl is the only modifier"),
        ("Alt-x", "Ctrl is the only modifier"),
        ("ctrl-x", "Ctrl is the only modifier"),
        ("Ctrl-Ctrl-x", "'Ctrl-x' is no key"),
        ("Ctrl-ab", "'ab' is no key"),
        ("Ctrl-a!", "'a!' is no key"),
        ("ab", "'ab' is no key"),
        ("é", "'é' is no key"),
        ("%", "'%' is no key"),
    ],
)
def test_what_is_no_binding_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(KeyBindingError) as caught:
        parse_binding(text)
    assert reason in str(caught.value)


def test_input_without_a_binding_is_passed_on_as_the_same_object() -> None:
    one, several = Scanner([(DETACH, "detach")]), Scanner([(b"ab", "detach"), (b"]", "noop")])
    data = bytes(range(1, 17)) * 100
    assert one.feed(data)[0] is data
    assert several.feed(data)[0] is data
    assert one.feed(b"") == []


def test_nothing_is_found_without_bindings() -> None:
    assert Scanner([]).feed(b"\x00\x11") == [b"\x00\x11"]


def test_a_binding_is_not_passed_on_and_what_stands_around_it_is_in_order() -> None:
    assert Scanner([(DETACH, "detach")]).feed(b"ls\r\x00\x11rest") == [b"ls\r", "detach", b"rest"]


def test_a_noop_swallows_its_keys() -> None:
    scanner = Scanner([(b"\x01x", "noop")])
    assert merged(scanner.feed(b"one\x01xtwo")) == [b"onetwo"]
    assert scanner.feed(b"\x01x") == []


def test_the_keys_of_a_broken_sequence_are_passed_on() -> None:
    scanner = Scanner([(b"\x00\x11\x12", "detach")])
    assert scanner.feed(b"\x00") == []
    assert scanner.held == b"\x00"
    assert scanner.feed(b"\x11") == []
    assert scanner.feed(b"x") == [b"\x00\x11x"]
    assert scanner.held == b""


def test_the_key_that_breaks_a_sequence_can_begin_the_next_one() -> None:
    assert Scanner([(DETACH, "detach")]).feed(b"\x00\x00\x00\x11") == [b"\x00\x00", "detach"]


def test_the_shorter_of_two_that_begin_alike_wins_in_either_order() -> None:
    for bindings in itertools.permutations([(b"ab", "noop"), (b"abc", "detach")]):
        assert Scanner(bindings).feed(b"abc") == [b"c"]


def test_the_later_of_two_equal_bindings_wins() -> None:
    assert Scanner([(b"a", "noop"), (b"a", "detach")]).feed(b"a") == ["detach"]


def test_any_byte_can_be_bound() -> None:
    for value in range(256):
        key = bytes([value])
        assert Scanner([(key, "detach"), (b"\xfe\xff", "noop")]).feed(key) == ["detach"]


def test_every_split_of_a_stream_gives_the_same() -> None:
    bindings = [(DETACH, "detach"), (b"\x00\x00x", "noop"), (b"aba", "detach")]
    data = b"\x00\x11q\x00\x00\x11abab\x00\x00xaba\xff\x00"
    want, held = reference(bindings, data)
    for first, second in itertools.combinations_with_replacement(range(len(data) + 1), 2):
        scanner = Scanner(bindings)
        pieces = data[:first], data[first:second], data[second:]
        got = [item for piece in pieces for item in scanner.feed(piece)]
        assert (merged(got), scanner.held) == (want, held)


few_keys = st.binary(max_size=40).map(
    lambda data: bytes(b"\x00\x11a]"[value % 4] for value in data)
)
sequences = st.one_of(few_keys, st.binary()).filter(bool).map(lambda data: data[:4])
tables = st.lists(st.tuples(sequences, st.sampled_from(["detach", "noop"])), max_size=5)


@given(tables, st.one_of(few_keys, st.binary()), st.lists(st.integers(0, 40)))
@example([(b"aab", "detach")], b"aaab", [])
def test_the_scan_agrees_with_one_a_byte_at_a_time(
    bindings: list[tuple[bytes, str]], data: bytes, cuts: list[int]
) -> None:
    edges = [0, *sorted(cuts), len(data)]
    scanner = Scanner(bindings)
    got: list[bytes | str] = []
    for start, end in itertools.pairwise(edges):
        got += scanner.feed(data[start:end])
    assert (merged(got), scanner.held) == reference(bindings, data)
