"""Who comes back after a lost connection: whose place it takes, and what it is shown again."""

from __future__ import annotations

import re

import pytest

from shpool.config import Config
from shpool.config_values import RestoreMode
from shpool.protocol.attaching import COMEBACK, Comeback
from tests.daemon.core import Caller, Core
from tests.daemon.scene import flood

ATTACHED: dict[str, dict[str, object]] = {"status": {"Attached": {"warnings": []}}}
MARK = re.compile(rb"\x1b\]8888;(\w+);line;(\d+)\x07")


def settle(core: Core) -> None:
    core.loop.pass_time(1)
    core.loop.idle()


def shown(caller: Caller) -> tuple[bytes, list[int]]:
    """What a terminal is shown, and the numbers of lines that were told."""
    output, _ = caller.output()
    told = [int(number) for _, number in MARK.findall(output)]
    return MARK.sub(b"", output), told


def test_the_greeting_says_that_it_is_known(core: Core) -> None:
    assert COMEBACK in core.call().greeting["knows"]


def test_it_takes_the_session_from_the_client_that_it_replaces(core: Core) -> None:
    first = core.attached("one", comeback=Comeback("t1", [], None))
    second = core.attached("one", existing=True, comeback=Comeback("t3", ["t1", "t2"], None))
    assert second.reply == ATTACHED
    assert first.output()[1] == 0  # detached
    third = core.attached("one", existing=True, comeback=Comeback("t4", ["t3"], None))
    assert third.reply == ATTACHED


@pytest.mark.parametrize("replaces", [[], ["t2"]])
def test_it_takes_the_session_from_nobody_else(core: Core, replaces: list[str]) -> None:
    first = core.attached("one", comeback=Comeback("t1", [], None))
    second = core.attach("one", existing=True, comeback=Comeback("t3", replaces, None))
    assert second.message() == {"status": "Busy"}
    assert first.output()[1] is None
    stranger = core.attach("one")
    assert stranger.message() == {"status": "Busy"}


def test_somebody_without_a_token_is_replaced_by_none(core: Core) -> None:
    core.attached("one")
    second = core.attach("one", existing=True, comeback=Comeback("t2", ["t1"], None))
    assert second.message() == {"status": "Busy"}


def test_in_a_steady_stream_of_lines_it_is_told_without_a_pause(core: Core) -> None:
    caller = core.attached("one", comeback=Comeback("t1", [], None))
    shell = core.programs.started[0]
    told: list[int] = []
    for number in range(200):
        shell.write(b"\x1b[32mline %d\x1b[m\r\n" % number)
        core.loop.pass_time(0.01)
        now = shown(caller)[1]
        told += now
        assert all(line <= number + 1 for line in now)
    assert len(told) >= 90
    assert told[-1] >= 198
    assert told == sorted(set(told))
    shell.write(b"\x1b[A\x1b[A")  # what moves up may print lines over others
    for _ in range(20):
        shell.write(b"\x1b[Aover\r\n")
        core.loop.pass_time(0.01)
    assert max(shown(caller)[1], default=200) <= 200
    settle(core)
    assert shown(caller)[1] in ([], [198])


def test_nobody_is_told_the_numbers_of_lines_but_who_has_a_token(core: Core) -> None:
    caller = core.attached("one")
    core.programs.started[0].write(b"a\r\nb\r\n")
    settle(core)
    assert b"8888" not in caller.output()[0]


def test_the_number_of_the_cursors_line_is_told_when_all_is_interpreted(core: Core) -> None:
    caller = core.attached("one", comeback=Comeback("t1", [], None))
    shell = core.programs.started[0]
    shell.write(b"a\r\nb\r\n$ ")
    assert shown(caller) == (b"a\r\nb\r\n$ ", [])
    settle(core)
    assert shown(caller) == (b"", [2])
    shell.write(b"typed")
    settle(core)
    assert shown(caller) == (b"typed", [])  # nothing new
    shell.write(b"x" * 200 + b"\r\n")  # wraps, and is one line
    settle(core)
    assert shown(caller)[1] == [3]
    shell.write(b"line\r\n" * 100)
    settle(core)
    assert shown(caller)[1] == [103]
    shell.write(b"\x1b[?1049h\x1b[5;5H" + b"\r\n" * 50)
    settle(core)
    assert shown(caller)[1] == []  # the alternate screen has no lines


@pytest.mark.parametrize("mode", [RestoreMode("screen", 0), RestoreMode("lines", 20)])
def test_it_is_shown_the_lines_that_it_has_not_had_whatever_others_are_shown(
    core: Core, mode: RestoreMode
) -> None:
    core.config.config = Config(
        {"pass_terminal": False, "session_restore_mode": mode, "output_spool_lines": 500}
    )
    caller = core.attached("one", comeback=Comeback("t1", [], None))
    shell = core.programs.started[0]
    shell.write(b"".join(b"line %d\r\n" % number for number in range(100)))
    settle(core)
    (line,) = shown(caller)[1]
    assert line == 100
    caller.hang_up()
    shell.write(b"".join(b"line %d\r\n" % number for number in range(100, 200)))
    settle(core)
    again = core.attached("one", existing=True, comeback=Comeback("t2", ["t1"], line))
    settle(core)
    output, told = shown(again)
    assert [int(number) for number in re.findall(rb"line (\d+)", output)] == list(range(100, 200))
    assert told == [200]


def test_of_what_is_lost_by_now_it_is_shown_what_there_is(core: Core) -> None:
    core.config.config = Config({"pass_terminal": False, "output_spool_lines": 30})
    caller = core.attached("one", comeback=Comeback("t1", [], None))
    shell = core.programs.started[0]
    caller.hang_up()
    shell.write(b"".join(b"line %d\r\n" % number for number in range(200)))
    settle(core)
    again = core.attached("one", existing=True, comeback=Comeback("t2", ["t1"], 0))
    settle(core)
    found = [int(number) for number in re.findall(rb"line (\d+)", shown(again)[0])]
    assert found == list(range(147, 200))  # 23 rows of the screen, and 30 before them


def test_a_number_from_another_session_of_that_name_does_no_harm(core: Core) -> None:
    core.attached("one").hang_up()
    core.programs.started[0].write(b"a\r\nb\r\n")
    settle(core)
    again = core.attached("one", existing=True, comeback=Comeback("t2", ["t1"], 1_000_000))
    settle(core)
    output, told = shown(again)
    assert b"a\r\nb" in output
    assert told == [2]


def test_a_session_without_a_screen_takes_it_all_the_same(core: Core) -> None:
    simple = Config({"pass_terminal": False, "session_restore_mode": RestoreMode("simple", 0)})
    core.config.config = simple
    core.attached("one", comeback=Comeback("t1", [], None))
    again = core.attached("one", existing=True, comeback=Comeback("t2", ["t1"], 5))
    settle(core)
    core.programs.started[0].write(b"word")
    assert shown(again)[0] == b"word"


def test_a_client_that_takes_nothing_is_told_nothing_until_it_does(core: Core) -> None:
    caller = core.attached("one", comeback=Comeback("t1", [], None))
    flood(core.programs.started[0])
    core.loop.pass_time(3)
    core.loop.idle()
    assert b"8888" not in caller.received()
    for _ in range(200):
        caller.received()
        core.loop.writable(caller.near)
        core.loop.readable(core.programs.started[0].ends.master)
        core.loop.idle()
    core.programs.started[0].write(b"\r\nword")
    settle(core)
    assert MARK.search(caller.received())
