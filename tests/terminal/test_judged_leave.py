"""Leaving: whatever a session was in the middle of, the terminal is usable afterwards."""

from __future__ import annotations

import pytest

from shpool.terminal.leave import LEAVE
from shpool.terminal.model import Terminal

from .judge import Node, State, difference
from .judge.differ import screen_text
from .judge.kitty import Kitty
from .recorded import stream

SHELL = b"$ one\r\n$ two\r\n$ "

# The six ways in which users found a terminal after leaving the original, and some more.
STATES = {
    "mouse reports": b"\x1b[?1000h\x1b[?1003h\x1b[?1006h\x1b[?1004h",
    "the alternate screen": b"\x1b[?1049h\x1b[2J\x1b[Hfull screen\x1b[?1h\x1b=\x1b[?25l",
    "line drawing": b"\x1b(0\x1b)0lqqk\x0e",
    "a scroll region in origin mode": b"\x1b[5;20r\x1b[?6hin the region",
    "a pen and no wrap": b"\x1b[1;3;4;7;31;44m\x1b]8;;https://example.org/\x07\x1b[?7lcoloured",
    "paste and insert": b"\x1b[?2004h\x1b[4h\x1b[20h\x1b[?5h\x1b[?1l",
    "half a sequence": b"\x1b[?1049h\x1b]2;half a tit",
    "a synchronized update": b"\x1b[?1049h\x1b[?2026h\x1b[44mblue",
    "an editor": stream("vim").data[:6000],
    "a monitor": stream("htop").data,
    "an installer": stream("apt").data[:3000],
    "a Textual program": stream("textual").data[:20000],
    "a cut inside a character": stream("unicode").data[:95] + b"\xe6\xbc",
}


def _at_rest(state: State) -> str:
    """What of a program is still on, in words; the cursor's place and the text aside."""
    plain = {**state, "cursor": {"hidden": state["cursor"]["hidden"]}}
    clean = {
        "alternate": False,
        "cursor": {"hidden": False},
        "pen": {},
        "parser": 0,
        "unfinishedBytes": 0,
        "otherKeys": None,
    }
    wrong = {key: plain[key] for key, value in clean.items() if plain[key] != value}
    modes = {name for name, on in state["modes"].items() if on not in (False, "NONE", "DEFAULT")}
    if modes != {"autowrap"}:
        wrong["modes"] = modes
    if state["charsets"]["active"] != "ascii" or state["charsets"]["shift"] != 0:
        wrong["charsets"] = state["charsets"]
    if state["screens"][0]["margins"] != [0, state["rows"] - 1]:
        wrong["margins"] = state["screens"][0]["margins"]
    on = {mode for mode, value in state["noted"].items() if value} - {"1007", "1034", "1036"}
    if on:
        wrong["noted"] = on
    return str(wrong) if wrong else ""


@pytest.mark.parametrize("state", STATES)
def test_who_knows_nothing_of_the_session_still_leaves_the_terminal_clean_from(
    state: str, node: Node
) -> None:
    with node.new(24, 80) as judge:
        judge.write(SHELL + STATES[state] + LEAVE)
        assert _at_rest(judge.dump()) == ""


@pytest.mark.parametrize("state", STATES)
def test_the_model_leaves_the_terminal_clean_from(state: str, node: Node) -> None:
    model = Terminal(24, 80, 0)
    model.feed(SHELL + STATES[state])
    with node.new(24, 80) as judge:
        judge.write(SHELL + STATES[state] + model.leave())
        assert _at_rest(judge.dump()) == ""


@pytest.mark.parametrize("state", ["the alternate screen", "a synchronized update"])
def test_leaving_brings_back_the_screen_that_the_program_covered(state: str, node: Node) -> None:
    with node.new(24, 80) as judge:
        judge.write(SHELL + STATES[state] + LEAVE + b"next")
        assert screen_text(judge.dump())[:3] == ["$ one", "$ two", "$ next"]


def test_leaving_a_shell_at_its_prompt_changes_nothing_that_can_be_seen(node: Node) -> None:
    with node.new(24, 80) as left, node.new(24, 80) as stayed:
        left.write(SHELL + LEAVE)
        stayed.write(SHELL)
        assert difference(stayed.dump(), left.dump(), ignore=frozenset({"saved", "repeats"})) == ""


def test_leaving_empties_the_keyboard_stacks_of_both_screens(kitty: Kitty) -> None:
    judge = kitty.new(24, 80)
    judge.write(b"\x1b[>1u\x1b[>5u\x1b[?1049h\x1b[>7u\x1b[=15u" + LEAVE)
    assert judge.dump()["keyboard"] == 0
    found = judge.probe()
    assert set(found["stack"]) == {0}
    assert set(found["other"]) == {0}
    judge.close()


@pytest.mark.parametrize(
    "program", [b"\x1b[22;0t", b"\x1b[22;0t\x1b]0;vim\x07\x1b[22;2t\x1b]2;make\x07"]
)
def test_titles_that_a_program_pushed_do_not_stay_on_the_users_stack(
    program: bytes, node: Node
) -> None:
    with node.new(24, 80) as judge:
        judge.write(b"\x1b]0;the user's own\x07")
        model = Terminal(24, 80, 100)
        for _ in range(3):
            judge.write(model.restore(0))
            assert model.clean
            model.feed(program)
            judge.write(program)
            assert not model.clean
            judge.write(model.leave())
            state = judge.dump()
            assert (state["title"], state["icon"]) == ("the user's own",) * 2
            assert state["titles"] == state["icons"] == []
            model = Terminal(24, 80, 100)
