"""Key bindings found in input: what is passed on, in what order, and what is done."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shpool.keys.bindings import parse_binding
from shpool.keys.scanner import KEY_PAUSE, MAX_HELD, PASTE_PAUSE, Scanner

DETACH = b"\x00\x11"
DEFAULT = "Ctrl-Space Ctrl-q"


def scanner(**bindings: str | list[str]) -> Scanner:
    """One with these actions, each with what it is bound to."""
    pairs = []
    for action, texts in bindings.items():
        for text in [texts] if isinstance(texts, str) else texts:
            pairs.append((parse_binding(text), action))
    return Scanner(pairs)


def merged(items: Iterable[bytes | str]) -> list[bytes | str]:
    """Neighbouring bytes joined: where the pieces were cut is no part of the promise."""
    joined: list[bytes | str] = []
    for item in items:
        last = joined[-1] if joined else ""
        if isinstance(item, bytes) and isinstance(last, bytes):
            joined[-1] = last + item
        else:
            joined.append(item)
    return joined


def cut(data: bytes, *cuts: int) -> list[bytes]:
    """The pieces of `data` between these places, which may lie outside it."""
    edges = sorted([0, *cuts, len(data)])
    return [data[start:end] for start, end in zip(edges, edges[1:])]


def fed(scanning: Scanner, *pieces: bytes) -> list[bytes | str]:
    return merged(item for piece in pieces for item in scanning.feed(piece))


# ---- as ever, in legacy encoding


def test_input_without_a_binding_is_passed_on_as_the_same_object() -> None:
    data = bytes(range(1, 17)) * 100
    assert scanner(detach=DEFAULT).feed(data)[0] is data
    assert scanner(detach="a b", noop="]").feed(data)[0] is data
    assert scanner(detach=DEFAULT).feed(b"") == []


def test_nothing_is_found_without_bindings() -> None:
    scanning = Scanner([])
    for data in (DETACH, b"\x1b", b"\x1b[113;5u"):
        assert scanning.feed(data) == [data]
        assert not scanning.pending


def test_a_binding_is_not_passed_on_and_what_stands_around_it_is_in_order() -> None:
    assert scanner(detach=DEFAULT).feed(b"ls\r\x00\x11rest") == [b"ls\r", "detach", b"rest"]


def test_a_noop_swallows_its_keys() -> None:
    scanning = scanner(noop="Ctrl-a x")
    assert fed(scanning, b"one\x01xtwo") == [b"onetwo"]
    assert scanning.feed(b"\x01x") == []


def test_the_keys_of_a_broken_sequence_are_passed_on() -> None:
    scanning = scanner(detach="Ctrl-Space Ctrl-q Ctrl-r")
    assert scanning.feed(b"\x00") == []
    assert scanning.held == b"\x00"
    assert scanning.feed(b"\x11") == []
    assert scanning.feed(b"x") == [b"\x00\x11x"]
    assert scanning.held == b""


def test_the_key_that_breaks_a_sequence_can_begin_the_next_one() -> None:
    assert scanner(detach=DEFAULT).feed(b"\x00\x00\x00\x11") == [b"\x00\x00", "detach"]


def test_the_shorter_of_two_that_begin_alike_wins_in_either_order() -> None:
    assert scanner(noop="a b", detach="a b c").feed(b"abc") == [b"c"]
    assert scanner(detach="a b c", noop="a b").feed(b"abc") == [b"c"]


def test_the_later_of_two_equal_bindings_wins() -> None:
    assert scanner(noop="a", detach="a").feed(b"a") == ["detach"]
    assert scanner(noop="Ctrl-@", detach="Ctrl-Space").feed(b"\x00") == ["detach"]


def test_a_binding_needs_a_key() -> None:
    with pytest.raises(ValueError, match="empty"):
        Scanner([((), "detach")])


# ---- in every encoding


SPACE = {
    "legacy": b"\x00",
    "kitty": b"\x1b[32;5u",
    "kitty with locks": b"\x1b[32;197:1u",
    "xterm": b"\x1b[27;5;32~",
}
Q = {
    "legacy": b"\x11",
    "kitty": b"\x1b[113;5u",
    "kitty with locks": b"\x1b[113;197:1u",
    "kitty, Cyrillic": b"\x1b[1081::113;5u",
    "xterm": b"\x1b[27;5;113~",
    "xterm with Caps Lock": b"\x1b[27;5;81~",
}


@pytest.mark.parametrize("second", Q)
@pytest.mark.parametrize("first", SPACE)
def test_a_binding_is_found_in_any_mixture_of_encodings_split_anywhere(
    first: str, second: str
) -> None:
    data = b"a" + SPACE[first] + Q[second] + b"z"
    for cuts in itertools.combinations_with_replacement(range(len(data) + 1), 2):
        assert fed(scanner(detach=DEFAULT), *cut(data, *cuts)) == [b"a", "detach", b"z"]
    one_by_one = [data[i : i + 1] for i in range(len(data))]
    assert fed(scanner(detach=DEFAULT), *one_by_one) == [b"a", "detach", b"z"]


@pytest.mark.parametrize("d", [b"d", b"\x1b[100u", b"\x1b[100;65;68u", b"\x1b[1074::100;;1074u"])
def test_a_plain_second_key(d: bytes) -> None:
    for a in (b"\x01", b"\x1b[97;5u", b"\x1b[27;5;97~"):
        assert scanner(detach="Ctrl-a d").feed(a + d) == ["detach"]
        assert fed(scanner(detach="Ctrl-a d"), a + b"D" + d) == [a + b"D" + d]


@pytest.mark.parametrize(
    "data",
    [
        SPACE["kitty"] + b"\x1b[113;6u",
        SPACE["kitty"] + b"\x1b[113;7u",
        SPACE["xterm"] + b"\x1b[27;6;81~",
        b"\x1b[32;6u" + Q["kitty"],
        SPACE["kitty"] + b"\x1b[A" + Q["kitty"],
        SPACE["kitty"] + b"\x1b[<35;1;1M" + Q["kitty"],
        SPACE["kitty"] + b"x" + Q["kitty"],
        SPACE["kitty"] + SPACE["kitty"] + b"\x1b[113u",
    ],
)
def test_keys_of_a_sequence_that_is_none_come_out_byte_for_byte(data: bytes) -> None:
    for at in range(len(data)):
        assert fed(scanner(detach=DEFAULT), data[:at], data[at:]) == [data]


def test_a_repeated_key_is_pressed_again() -> None:
    again = b"\x1b[32;5:2u"
    data = SPACE["kitty"] + again + again + Q["kitty"]
    assert fed(scanner(detach=DEFAULT), data) == [SPACE["kitty"] + again, "detach"]


def test_a_binding_of_the_keypad_is_found_where_that_is_in_application_mode() -> None:
    scanning = scanner(detach="Ctrl-a 7")
    assert fed(scanning, b"\x01\x1b", b"O", b"w") == ["detach"]
    assert fed(scanning, b"\x01\x1b[57406u") == ["detach"]


# ---- keys let go, and modifiers as keys

CTRL, CTRL_UP = b"\x1b[57442;5u", b"\x1b[57442;1:3u"
SPACE_UP, Q_UP = b"\x1b[32;5:3u", b"\x1b[113;5:3u"


def test_modifiers_reach_the_program_and_break_no_sequence() -> None:
    typed = CTRL + SPACE["kitty"] + SPACE_UP + CTRL_UP + CTRL + Q["kitty"]
    for at in range(len(typed)):
        scanning = scanner(detach=DEFAULT)
        got = fed(scanning, typed[:at], typed[at:])
        assert got == [CTRL + CTRL_UP + CTRL, "detach"]


def test_nothing_overtakes_the_keys_of_a_sequence_that_is_none() -> None:
    typed = SPACE["kitty"] + CTRL_UP + SPACE_UP + b"x"
    scanning = scanner(detach=DEFAULT)
    assert scanning.feed(typed[:-1]) == []
    assert scanning.feed(b"x") == [typed]


def test_a_key_that_was_swallowed_is_swallowed_when_it_is_let_go() -> None:
    scanning = scanner(noop=DEFAULT)
    assert fed(scanning, SPACE["kitty"] + Q["kitty"]) == []
    assert fed(scanning, b"x", SPACE_UP, b"y", Q_UP) == [b"xy"]
    assert fed(scanning, SPACE_UP, Q_UP) == [SPACE_UP + Q_UP]


def test_a_key_that_was_passed_on_is_passed_on_when_it_is_let_go() -> None:
    up = b"\x1b[108;1:3u"
    scanning = scanner(noop=DEFAULT)
    assert fed(scanning, b"l", SPACE["kitty"], up, Q["kitty"]) == [b"l" + up]
    assert fed(scanning, SPACE_UP, Q["kitty"], Q_UP) == [Q["kitty"] + Q_UP]
    assert fed(scanning, SPACE["kitty"], SPACE_UP, b"x") == [SPACE["kitty"] + SPACE_UP + b"x"]


@pytest.mark.parametrize("press", [b"d", b"\x1b[100u", b"\x1b[100;1:2u"])
def test_a_key_pressed_anew_is_let_go_by_the_program_too(press: bytes) -> None:
    up = b"\x1b[100;1:3u"
    scanning = scanner(noop="Ctrl-a d")
    assert fed(scanning, b"\x01d", press, up) == [press + up]


def test_a_key_swallowed_earlier_and_let_go_in_the_midst_of_a_sequence_is_swallowed() -> None:
    scanning = scanner(noop=DEFAULT)
    fed(scanning, SPACE["kitty"], SPACE_UP, Q["kitty"])
    assert fed(scanning, SPACE["kitty"], Q_UP, b"x") == [SPACE["kitty"] + b"x"]
    fed(scanning, SPACE["kitty"], SPACE_UP, Q["kitty"])
    assert fed(scanning, SPACE["kitty"], Q_UP, Q["kitty"]) == []


def test_a_press_in_legacy_encoding_can_be_let_go_in_another() -> None:
    # kitty with "report event types" alone, and with "disambiguate" for plain keys.
    scanning = scanner(noop=[DEFAULT, "Ctrl-a d"])
    assert fed(scanning, b"\x00", SPACE_UP, b"\x11", Q_UP) == []
    assert fed(scanning, b"\x1b[97;5u\x1b[97;5:3ud\x1b[100;1:3u") == []
    assert scanning.swallowed == ()


def test_keys_that_no_terminal_tells_of_any_more_are_forgotten() -> None:
    scanning = scanner(noop=[f"Ctrl-a {letter}" for letter in "bcdefghijklmnop"])
    for letter in b"bcdefghijklmnop" * 3:
        scanning.feed(b"\x01%c" % letter)
    assert len(scanning.swallowed) <= 8


# ---- an escape, and parts of sequences


def test_an_escape_is_held_for_a_moment_the_first_time_and_then_no_more() -> None:
    scanning = scanner(detach=DEFAULT)
    assert scanning.feed(b"x\x1b") == [b"x"]
    assert scanning.pending == KEY_PAUSE <= 0.05
    assert scanning.flush() == [b"\x1b"]
    assert not scanning.pending
    assert scanning.feed(b":q") == [b":q"]
    for _ in range(3):
        assert scanning.feed(b"\x1b") == [b"\x1b"]
        assert not scanning.pending
    assert fed(scanning, b"\x1b[32;5u", b"\x1b[113;5u") == ["detach"]
    assert scanning.feed(b"\x1b") == []  # such a terminal has another one


def test_an_escape_is_passed_on_with_the_key_after_it() -> None:
    for after in (b"x", b"\x1b", b"]", b"O", b"[x", b"[A"):
        scanning = scanner(detach=DEFAULT)
        assert scanning.feed(b"\x1b") == []
        assert fed(scanning, after, b".") == [b"\x1b" + after + b"."]


def test_an_escape_just_before_a_binding_is_a_key_of_its_own() -> None:
    for detach in (DETACH, SPACE["kitty"] + Q["kitty"]):
        assert scanner(detach=DEFAULT).feed(b"\x1b" + detach) == [b"\x1b", "detach"]


@pytest.mark.parametrize("part", [b"\x1b[", b"\x1b[3", b"\x1b[32;5", b"\x1b[<35;1"])
def test_a_part_of_a_sequence_is_not_stuck(part: bytes) -> None:
    scanning = scanner(detach=DEFAULT)
    assert scanning.feed(part) == []
    assert scanning.pending
    assert scanning.flush() == [part]
    assert not scanning.pending
    assert scanning.flush() == []
    assert scanning.feed(b"x") == [b"x"]
    assert scanning.held == b""


def test_a_sequence_under_way_is_passed_on_when_an_escape_stays_alone() -> None:
    scanning = scanner(detach=DEFAULT)
    assert fed(scanning, b"\x00", b"\x1b") == []
    assert scanning.flush() == [b"\x00\x1b"]
    assert fed(scanning, b"\x11", b"\x00") == [b"\x11"]
    assert not scanning.pending  # for the next key it waits without limit
    assert scanning.feed(b"\x11") == ["detach"]


def test_a_key_that_comes_in_parts_is_found_however_late_the_rest_is() -> None:
    data = b"a" + SPACE["kitty"] + Q["kitty"] + b"z"
    for step in (1, 2, 3, 5):
        scanning = scanner(detach=DEFAULT)
        items: list[bytes | str] = []
        for at in range(0, len(data), step):
            items += scanning.feed(data[at : at + step])
            items += scanning.flush()
        assert items.count("detach") == 1
        # What was passed on of a key is not half of one, unless it is an escape.
        passed = b"".join(item for item in items if isinstance(item, bytes))
        assert passed.replace(SPACE["kitty"], b"").replace(Q["kitty"], b"").strip(b"\x1b") == (
            b"az"
        )


def test_an_escape_can_be_bound() -> None:
    scanning = scanner(detach="Ctrl-[ d", noop="Ctrl-3 x")
    assert scanning.feed(b"\x1b") == []
    assert scanning.flush() == []
    assert not scanning.pending
    assert scanning.feed(b"d") == ["detach"]
    assert scanning.feed(b"\x1bd") == ["detach"]
    assert scanning.feed(b"\x1b[91;5u\x1b[100u") == ["detach"]
    assert fed(scanning, b"\x1b[A", b"\x1b[3~", b"\x1b", b"[A") == [b"\x1b[A\x1b[3~\x1b[A"]
    single = scanner(noop="Ctrl-[")
    assert single.feed(b"\x1b") == []
    assert single.flush() == []
    assert single.held == b""
    assert fed(single, b"\x1bx") == [b"x"]


def test_what_is_held_is_bounded() -> None:
    for first, more in (
        (b"\x1b[", b"1"),
        (SPACE["kitty"], b"\x1b[57442;5:2u"),
        (b"\x00\x1b[", b"1"),
    ):
        scanning = scanner(detach=DEFAULT)
        got = scanning.feed(first)
        for _ in range(1000):
            got += scanning.feed(more)
            assert len(scanning.held) < MAX_HELD + 200
        assert merged([*got, *scanning.feed(b"x")]) == [first + more * 1000 + b"x"]


# ---- pastes


def test_what_is_pasted_is_passed_on_unlooked_at_however_it_is_split() -> None:
    paste = b"\x1b[200~ls\x00\x11\x1b[32;5u\x1b[113;5u\x1b[20\x1b[201~"
    data = paste + DETACH + b"z"
    for first, second in itertools.combinations_with_replacement(range(len(data) + 1), 2):
        assert fed(scanner(detach=DEFAULT), *cut(data, first, second)) == [paste, "detach", b"z"]
    assert fed(scanner(detach=DEFAULT), *(bytes([byte]) for byte in data)) == [
        paste,
        "detach",
        b"z",
    ]


def test_nothing_of_a_paste_is_held() -> None:
    scanning = scanner(detach=DEFAULT)
    assert scanning.feed(b"\x1b[200~\x00") == [b"\x1b[200~\x00"]
    assert scanning.feed(b"\x00\x1b[2") == [b"\x00\x1b[2"]
    assert scanning.feed(b"01~\x00\x11") == [b"01~", "detach"]


def test_a_paste_breaks_a_sequence() -> None:
    data = b"\x00\x1b[200~\x11\x1b[201~\x11"
    assert fed(scanner(detach=DEFAULT), data) == [data]


def test_a_paste_whose_end_does_not_come_is_over_after_a_pause() -> None:
    scanning = scanner(detach=DEFAULT)
    assert scanning.feed(b"\x1b[200~lost\x1b[20") == [b"\x1b[200~lost\x1b[20"]
    assert scanning.pending == PASTE_PAUSE
    assert scanning.flush() == []
    assert not scanning.pending
    assert scanning.feed(DETACH) == ["detach"]
    assert fed(scanning, b"\x1b[201~") == [b"\x1b[201~"]


# ---- anything


def copied(scanning: Scanner, bindings: Scanner) -> Scanner:
    """Another scanner with the first one's state alone."""
    for name in ("held", "passed", "unfinished", "paste", "swallowed", "sends_escape"):
        setattr(bindings, name, getattr(scanning, name))
    return bindings


PIECES = [
    *SPACE.values(),
    *Q.values(),
    *(b"a", b"d", b"[", b"7", b"\x01", b"\x1b", b"\x1b[A", b"\x1bOw", b"\x1b[<0;1;1M", b"\xff"),
    *(CTRL, CTRL_UP, SPACE_UP, Q_UP, b"\x1b[100u", b"\x1b[100;1:3u", b"\x1b[97;5u", b"\x1b[1;1:3A"),
    *(b"\x1b[200~", b"\x1b[201~", b"\x1b[113;6u", b"\x1b[50:64;6u"),
]
BINDINGS = [
    *("Ctrl-Space Ctrl-q", "Ctrl-a d", "Ctrl-a 7", "Ctrl-Space Ctrl-Space", "Ctrl-@", "d", "[ a"),
    *("Ctrl-[ d", "Ctrl-[", "Ctrl-a Ctrl-a Ctrl-q", "Ctrl-q d a"),
]
inputs = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join), st.binary(max_size=30)
)
tables = st.lists(
    st.tuples(st.sampled_from(BINDINGS).map(parse_binding), st.sampled_from(["detach", "noop"])),
    max_size=4,
)


@given(tables, inputs, st.lists(st.integers(0, 100)))
def test_where_input_is_cut_makes_no_difference_and_the_state_is_all_there_is(
    bindings: list[tuple[tuple[str, ...], str]], data: bytes, cuts: list[int]
) -> None:
    whole = Scanner(bindings)
    want = merged(whole.feed(data))
    scanning = Scanner(bindings)
    got: list[bytes | str] = []
    for piece in cut(data, *cuts):
        got += scanning.feed(piece)
        scanning = copied(scanning, Scanner(bindings))
    assert merged(got) == want
    assert scanning.held == whole.held


@given(inputs, st.lists(st.integers(0, 100)))
def test_without_a_whole_binding_everything_comes_out(data: bytes, cuts: list[int]) -> None:
    scanning = Scanner([(parse_binding("Ctrl-a Ctrl-b Ctrl-c"), "detach")])
    data = data.replace(b"\x03", b"")
    got: list[bytes | str] = []
    for number, piece in enumerate(cut(data, *cuts)):
        got += scanning.feed(piece)
        if number % 2:
            got += scanning.flush()
    got.append(scanning.held[scanning.passed :])
    assert b"".join(item for item in got if isinstance(item, bytes)) == data


# Whole events: (bytes, kind, names, codes).
EVENTS = [
    (b"\x00", "key", {"Ctrl-Space", "Ctrl-@", "Ctrl-2"}, {0, 32, 50, 64}),
    (b"\x11", "key", {"Ctrl-q"}, {113}),
    (b"d", "key", {"d"}, {100}),
    (b"x", "key", set(), {120}),
    (b"\x1b[32;5u", "key", {"Ctrl-Space", "Ctrl-@"}, {32}),
    (b"\x1b[32;5:2u", "key", {"Ctrl-Space", "Ctrl-@"}, {32}),
    (b"\x1b[27;5;32~", "key", {"Ctrl-Space", "Ctrl-@"}, {32}),
    (b"\x1b[1081::113;5u", "key", {"Ctrl-q"}, {1081}),
    (b"\x1b[27;5;113~", "key", {"Ctrl-q"}, {113}),
    (b"\x1b[113;6u", "key", set(), {113}),
    (b"\x1b[100;;100u", "key", {"d"}, {100}),
    (b"\x1b[32;1:3u", "release", set(), {32}),
    (b"\x1b[113;5:3u", "release", set(), {113}),
    (b"\x1b[1081:1049:113;1:3u", "release", set(), {1081}),
    (b"\x1b[100;1:3u", "release", set(), {100}),
    (b"\x1b[1;1:3A", "release", set(), set()),
    (b"\x1b[57442;5u", "modifier", set(), set()),
    (b"\x1b[57442;1:3u", "modifier", set(), set()),
    (b"\x1b[A", "other", set(), set()),
    (b"\x1b[<0;1;1m", "other", set(), set()),
]


class Model:
    """The rules, an event at a time."""

    def __init__(self, bindings: list[tuple[tuple[str, ...], str]]) -> None:
        self.bindings = bindings
        self.items: list[bytes | str] = []
        self.held: list[tuple[bytes, str, set[str], set[int]]] = []
        self.swallowed: list[set[int]] = []

    def alive(self, names: list[set[str]]) -> list[tuple[tuple[str, ...], str]]:
        return [
            (keys, action)
            for keys, action in self.bindings
            if len(keys) >= len(names) and all(key in called for key, called in zip(keys, names))
        ]

    def take(self, event: tuple[bytes, str, set[str], set[int]]) -> None:
        keys = [names for _, kind, names, _ in self.held if kind == "key"]
        if event[1] == "key":
            alive = self.alive([*keys, event[2]])
            if not alive and self.held:
                self.settle("")
                self.take(event)
                return
            self.held.append(event)
            done = [action for names, action in alive if len(names) == len(keys) + 1]
            if done or not alive:
                self.settle(done[-1] if done else "")
        else:
            if event[1] == "other":
                self.settle("")
            self.held.append(event)
            if not keys or event[1] == "other":
                self.settle("")

    def settle(self, action: str) -> None:
        for data, kind, _, codes in self.held:
            known = [key for key in self.swallowed if key & codes]
            for key in known:
                self.swallowed.remove(key)
            if kind == "key" and action:
                self.swallowed.append(codes)
            elif kind != "release" or not known:
                self.items.append(data)
        self.held = []
        if action not in ("", "noop"):
            self.items.append(action)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["Ctrl-Space Ctrl-q", "Ctrl-@ d", "Ctrl-q", "Ctrl-Space Ctrl-Space d", "d d"]
            ).map(parse_binding),
            st.sampled_from(["detach", "noop"]),
        ),
        max_size=3,
    ),
    st.lists(st.sampled_from(EVENTS), max_size=8),
    st.lists(st.integers(0, 60)),
)
@example(
    [(parse_binding("Ctrl-Space Ctrl-Space d"), "noop")],
    [EVENTS[4], EVENTS[5], EVENTS[5], EVENTS[2]],
    [],
)
def test_the_scan_agrees_with_the_rules_an_event_at_a_time(
    bindings: list[tuple[tuple[str, ...], str]],
    events: list[tuple[bytes, str, set[str], set[int]]],
    cuts: list[int],
) -> None:
    model = Model(bindings)
    for event in events:
        model.take(event)
    data = b"".join(event[0] for event in events)
    scanning = Scanner(bindings)
    got: list[bytes | str] = []
    for piece in cut(data, *cuts):
        got += scanning.feed(piece)
    assert merged(got) == merged(model.items)
    assert scanning.held == b"".join(event[0] for event in model.held)
