"""Control sequences: how they are told apart, cut anywhere, malformed, endless."""

from __future__ import annotations

import pytest

from shpool.terminal.machine import MAX_STRING
from shpool.terminal.model import Terminal
from shpool.terminal.pen import BLINK, BOLD, DEFAULT
from shpool.terminal.sequences import CSI, parameters

from .test_interpreter_printing import screen, terminal


@pytest.mark.parametrize(
    "sequence",
    [
        "\x1b[?1s",
        "\x1b[?5r",
        "\x1b[>4;1m",
        "\x1b[?1m",
        "\x1b[0%m",
        "\x1b[$p",
        "\x1b[>q",
        "\x1b[>1;2s",
    ],
)
def test_a_prefix_or_an_intermediate_makes_another_sequence(sequence: str) -> None:
    model = terminal("\x1b[31m\x1b[2;3H\x1b7\x1b[4;5H" + sequence)
    assert model.current_pen[:3] == ("31", "", 0)
    assert (model.x, model.y) == (4, 3)
    assert (model.screen.saved.x, model.screen.saved.y) == (2, 1)
    assert (model.top, model.bottom) == (0, 3)


def test_a_soft_reset_moves_no_cursor() -> None:
    model = terminal("\x1b[2;3r\x1b[31m\x1b[2;3H\x1b[!p")
    assert (model.x, model.y) == (2, 1)
    assert (model.top, model.bottom) == (0, 3)
    assert model.current_pen[0] == ""


def test_side_margins_only_under_their_mode() -> None:
    model = terminal("\x1b[2;3H\x1b[3;6s")
    assert (model.left, model.right) == (0, 9)
    assert (model.screen.saved.x, model.screen.saved.y) == (2, 1)
    model.feed(b"\x1b[?69h\x1b[3;6s")
    assert (model.left, model.right) == (2, 5)


def test_side_margins_bound_printing() -> None:
    model = terminal("\x1b[?69h\x1b[3;6s\x1b[1;3Habcdef\rx")
    assert screen(model)[:2] == ["  abcd", "  xf"]


def test_esc_k_starts_no_string() -> None:
    assert screen(terminal("\x1bkabc"))[0] == "abc"


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ("a\x1b[1\x1b[mb", "ab"),  # a sequence breaks off another
        ("a\x1b[1\x18mb", "amb"),  # CAN
        ("a\x1b[1\x1amb", "amb"),  # SUB
        ("a\x1b[<1<mb", "ab"),  # a prefix in the middle
        ("a\x1b[1 2mb", "ab"),  # a parameter after an intermediate
        ("a\x1b]2;title\x1b[mb", "ab"),  # ESC ends a title whatever follows
        ("a\x1b]2;ti\x18b", "ab"),
        ("a\x1bPq#1\x1b\\b", "ab"),
        ("a\x1b_G\x1b\\b", "ab"),
        ("a\x1b^x\x9cb", "ab"),
        ("a\x9b1mb", "ab"),  # C1 in UTF-8
        ("a\x9d2;t\x9cb", "ab"),
        ("a\x7fb", "ab"),
        ("a\x1b[1\x7fmb", "ab"),
        ("a\x1b #b", "ab"[:1]),
    ],
)
def test_odd_sequences_print_nothing_of_themselves(data: str, shown: str) -> None:
    assert screen(terminal(data))[0] == shown


@pytest.mark.parametrize("broken", ["\x1b", "\x1b[", "\x1b[1;3", "\x1b]0;t", "\x1bPq", "\x1b("])
@pytest.mark.parametrize("run", ["\x1b[m\x1b[31m", "\x1b(B\x1b[31m", "\x1b[m\x1b[1m\x1b[0;31m"])
def test_a_run_of_sgr_after_a_sequence_that_is_broken_off_counts_in_full(
    broken: str, run: str
) -> None:
    model = terminal("\x1b[44m" + broken + run + "text")
    assert model.current_pen[0] == "31"


def test_controls_inside_a_sequence_act_at_once() -> None:
    model = terminal("a\x1b[3\r\n1mb")
    assert screen(model)[:2] == ["a", "b"]
    assert model.current_pen[0] == "31"


def test_parameters_are_bounded_in_number_and_size() -> None:
    assert len(parameters("1;" * 100)) == 32
    assert parameters("9" * 5000) == (0x7FFFFFFF,)
    assert parameters("0" * 5000 + "7") == (7,)
    terminal(b"\x1b[" + b"9" * 5000 + b"A")
    terminal(b"\x1b[" + b"1;" * 5000 + b"m")


@pytest.mark.parametrize("identity", [*CSI, "m", "b"])
@pytest.mark.parametrize(
    "body", ["", "0", "1", "2;2", "99999;99999;99999", "3;3;3;3;3;3;3;3;3", ":", "4:3"]
)
def test_no_parameters_make_a_sequence_fail(identity: str, body: str) -> None:
    prefix = identity[0] if identity[0] in "<=>?" else ""
    model = terminal("漢字 text\x1b[3;3H")
    model.feed(f"\x1b[{prefix}{body}{identity[len(prefix) :]}x".encode())
    model.feed(b"\x1b[?69h\x1b[3;6s\x1b[2;3r\x1b[?6h")
    model.feed(f"x\x1b[{prefix}{body}{identity[len(prefix) :]}x".encode())
    model.restore(10)


STATE = (
    "text \x1b[1;31mred\x1b[m\r\n漢字e\u0301👍\x1b(0lq\x1b(B\x1b]8;id=a;http://x/\x1b\\l\x1b]8;;\x07"
    "\x1b[2;3r\x1b[?6h\x1b[?2004h\x1b[2;2H\x1b7\x1b]2;title\x07\x1b[?1049h\x1b[4:3;58:2::1:2:3mu"
    "\x1bP$qm\x1b\\\x1b[>1u\x1b[?1003;1006hlast"
).encode()


def test_wherever_the_bytes_are_cut_the_state_is_the_same() -> None:
    whole = terminal(STATE).restore(10)
    for cut in range(len(STATE)):
        model = terminal(STATE[:cut])
        model.restore(10)
        model.feed(STATE[cut:])
        assert model.restore(10) == whole, cut
    single = Terminal(4, 10, 10)
    for byte in STATE:
        single.feed(bytes([byte]))
    assert single.restore(10) == whole


@pytest.mark.parametrize(
    "start", [b"\x1b]2;", b"\x1b]52;c;", b"\x1bPq", b"\x1b_G", b"\x1b^", b"\x1b["]
)
def test_a_string_over_the_cap_is_dropped_and_its_rest_does_nothing(start: bytes) -> None:
    model = terminal(b"before" + start)
    for _ in range(40):
        model.feed(b"1" * 4096)
    assert len(model.unfinished) <= MAX_STRING
    again = terminal(model.restore(0))
    for one in (model, again):
        one.feed(b"111" + (b"m" if start == b"\x1b[" else b"\x1b\\") + b"!")
        assert screen(one)[0] == "before!"
        assert one.title is None


def test_a_half_sequence_and_a_half_character_end_a_restore() -> None:
    assert terminal(b"ab\x1b[3").restore(0).endswith(b"\x1b[3")
    assert terminal(b"ab\xe6\xbc").restore(0).endswith(b"\xe6\xbc")
    assert terminal(b"\x1b[3\r\n1").restore(0).endswith(b"\x1b[31")


def test_the_prefix_of_an_erase_is_told_apart() -> None:
    model = terminal('ab\x1b[1"qcd\x1b[0"qef\r\x1b[?2K')
    assert screen(model)[0] == "  cd"
    model.feed(b"\x1b[2K")
    assert screen(model)[0] == ""


@pytest.mark.parametrize(
    ("together", "pen"),
    [
        ("\x1b[1m\x1b[31m", ("31", "", BOLD, 0, "", "")),
        ("\x1b[1m\x1b[m", DEFAULT),
        ("\x1b[m\x1b[4m", ("", "", 0, 1, "", "")),
        ("\x1b[0m\x1b[38;5m\x1b[1m", ("38;5;0", "", BOLD, 0, "", "")),
        ("\x1b[38m\x1b[5m\x1b[1m", ("", "", BOLD | BLINK, 0, "", "")),
        ("\x1b(B\x1b[m\x1b[31m", ("31", "", 0, 0, "", "")),
        ("\x1b[1m\x1b(B\x1b[31m\x1b(B", ("31", "", BOLD, 0, "", "")),
    ],
)
@pytest.mark.parametrize("start", ["", "\x1b(0", "\x1b[7m\x1b(0"])
def test_pens_changed_in_one_go_or_one_by_one_are_the_same(
    together: str, pen: tuple[str, str, int, int, str, str], start: str
) -> None:
    model = terminal(start + together)
    apart = terminal(start)
    for char in together:
        apart.feed(char.encode())
    assert model.current_pen == apart.current_pen
    assert model.charsets == apart.charsets
    if "7m" not in start:
        assert model.current_pen == pen


def test_ascii_designated_beside_no_sgr_leaves_the_pen() -> None:
    model = terminal("\x1b[1m\x1b(0q\x1b(Bq")
    assert model.current_pen == ("", "", BOLD, 0, "", "")
    assert screen(model)[0] == "─q"


def test_only_short_changes_of_the_pen_are_remembered() -> None:
    model = Terminal(4, 10, 0)
    for n in range(100):
        model.feed(b"\x1b[%s%dm" % (b"1;" * 5000, n))
    assert sum(map(len, model.pens.memo)) < 10_000
