"""What marks say of a shell, from bytes however they are cut."""

from __future__ import annotations

import pytest

from shpool.terminal.marks import Prompt

AID = "0a1b"


def mark(value: str, end: str = "\x07") -> bytes:
    kind, *rest = value.split(";", 1)
    first = [part for part in rest if "=" not in part]
    others = [part for part in rest if "=" in part]
    return f"\x1b]133;{';'.join([kind, *first, f'aid={AID}', *others])}{end}".encode()


A, B, C, D = mark("A;n=1"), mark("B"), mark("C;cmdline_url=make%20-j8%3B%C3%A9"), mark("D;3")


def said(*pieces: bytes, shell: str = "bash") -> Prompt:
    prompt = Prompt(AID, shell)
    for now, piece in enumerate(pieces):
        prompt.feed(piece, float(now))
    return prompt


def test_a_shell_that_does_not_mark_says_nothing() -> None:
    prompt = said(b"$ ls\r\n$ ")
    assert (prompt.describe(1.0), prompt.at_prompt) == (None, False)


def test_a_prompt_a_command_and_its_end() -> None:
    prompt = said(A)
    assert prompt.describe(9.0) == {
        "at_prompt": False,
        "command": None,
        "running_ms": None,
        "last_status": None,
    }
    prompt = said(A, b"$ " + B)
    assert (prompt.at_prompt, prompt.stands, prompt.since) == (True, True, 1.0)
    prompt = said(A + B, b"make\r\n", C)
    assert prompt.describe(4.5) == {
        "at_prompt": False,
        "command": "make -j8;é",
        "running_ms": 2500,
        "last_status": None,
    }
    prompt = said(A + B, C, b"output", D)
    assert (prompt.running, prompt.at_prompt, prompt.last_status) == (False, False, 3)
    prompt = said(A + B, C + D, mark("A;n=2") + B)
    assert prompt.describe(4.0) == {
        "at_prompt": True,
        "command": None,
        "running_ms": None,
        "last_status": 3,
    }


def test_fish_is_at_its_prompt_where_that_begins() -> None:
    assert said(mark("A"), shell="fish").at_prompt
    assert not said(mark("A")).at_prompt


@pytest.mark.parametrize("cut", range(1, 90))
def test_marks_are_found_however_they_are_cut(cut: int) -> None:
    data = b"x\x1b[m" + A + b"$ " + B + b"make\r\n" + C + b"out\r\n\x1b" + D + b"\x1b"
    prompt = Prompt(AID, "bash")
    ends = []
    for start in range(0, len(data), cut):
        ends += [(each.kind, start + each.end) for each in prompt.feed(data[start:][:cut], 0.0)]
    assert ends == [
        (kind, data.index(each) + len(each)) for kind, each in zip("ABCD", (A, B, C, D))
    ]
    assert prompt.last_status == 3


@pytest.mark.parametrize("cut", range(1, 12))
def test_st_ends_a_mark_as_well(cut: int) -> None:
    data = mark("A", "\x1b\\") + mark("B", "\x1b") + mark("C", "\x1b\\") + b"x"
    prompt = Prompt(AID, "bash")
    kinds = []
    for start in range(0, len(data), cut):
        kinds += [each.kind for each in prompt.feed(data[start : start + cut], 0.0)]
    assert kinds == ["A", "B", "C"]


def test_what_is_broken_off_or_too_long_or_another_is_no_mark() -> None:
    for data in (
        mark("A", "\x18"),
        b"\x1b]133;" + b"A" * 10_000 + A[:5],
        b"\x1b]133;X\x07\x1b]133;\x07\x1b]133;AB\x07",
        b"\x1b]1337;A\x07",
    ):
        prompt = Prompt(AID, "bash")
        assert prompt.feed(data, 0.0) == []
        assert [each.kind for each in prompt.feed(b"\x07" + B, 0.0)] == ["B"]


def test_an_end_without_a_command_says_nothing() -> None:
    prompt = said(A + B, C + D + A + B, mark("D;7"))
    assert (prompt.at_prompt, prompt.last_status) == (False, 3)
    assert said(A + B, mark("D;7") + B).at_prompt


def test_a_second_command_before_the_end_is_the_same_one() -> None:
    prompt = said(A + B, C, mark("C;cmdline_url=second"))
    assert (prompt.command, prompt.since) == ("make -j8;é", 1.0)


def test_prompts_before_the_end_are_a_nested_shells() -> None:
    prompt = said(A + B, C, mark("A;n=2") + B)
    assert (prompt.running, prompt.at_prompt) == (True, False)


def test_a_prompt_is_stale_once_something_was_typed_and_drawing_it_again_changes_nothing() -> None:
    prompt = said(A + B)
    prompt.typed()
    assert (prompt.at_prompt, prompt.stands) == (True, False)
    prompt.feed(A + b"$ " + B, 1.0)
    assert (prompt.at_prompt, prompt.stands) == (True, False)
    prompt.feed(mark("A;n=2") + b"$ " + B, 2.0)
    assert (prompt.at_prompt, prompt.stands) == (True, True)


def test_a_prompt_without_a_number_is_always_a_new_one() -> None:
    prompt = said(mark("A"), shell="fish")
    prompt.typed()
    prompt.feed(mark("A"), 1.0)
    assert prompt.stands


def test_marks_of_others_count_only_from_a_shell_that_never_sent_ours() -> None:
    foreign = b"\x1b]133;A\x07$ \x1b]133;B\x07"
    prompt = said(foreign)
    assert (prompt.stands, prompt.describe(0.0)) == (True, None)
    prompt.feed(b"\x1b]133;C\x07", 1.0)
    assert not prompt.at_prompt
    prompt.feed(foreign, 2.0)
    assert prompt.stands
    prompt.feed(C + foreign + b"\x1b]133;D;5\x07", 3.0)
    assert (prompt.running, prompt.at_prompt, prompt.last_status) == (True, False, None)
    assert said(b"\x1b]133;A;aid=other\x07", shell="fish").describe(0.0) is None
    assert Prompt().feed(b"\x1b]133;A;aid=\x07", 0.0)[0].ours is False


def test_a_status_that_is_none_and_a_command_that_is_not_utf8() -> None:
    assert said(C, mark("D")).last_status is None
    assert said(C, mark("D;x")).last_status is None
    assert said(mark("C;cmdline_url=%FF%zz%4")).command == "\ufffd%zz%4"
    assert said(mark("C;cmdline_url=")).command is None
