"""What a wait for text is sent: the screen, then output, rows where the cursor is put, no hole."""

from __future__ import annotations

from typing import Any

import pytest

from shpool.config import Config
from shpool.config_values import RestoreMode
from shpool.daemon.clients.patient_stream import CAP
from shpool.protocol.outside import SendRequest
from shpool.protocol.replies import SendReply
from shpool.protocol.watching import EventReader, WaitRequest, WatchHead, event
from tests.daemon.core import Core


class Reader:
    def __init__(self, core: Core, timeout_ms: int | None = None, since: int | None = None) -> None:
        self.core = core
        self.caller = core.call()
        self.caller.ask(WaitRequest(["one"], [], timeout_ms, text=True, since=since))
        self.events = EventReader()
        self.head = WatchHead.from_wire(self.caller.message())

    def told(self) -> list[tuple[Any, ...]]:
        """What it was told since it was asked last, once it has read all; output joined."""
        found: list[tuple[Any, ...]] = []
        while data := self.caller.received():
            for kind, _, said in self.events.feed(data):
                if kind == "output" and found and found[-1][0] == "output":
                    found[-1] = (kind, found[-1][1] + said[0])
                else:
                    found.append((kind, *said))
            if self.caller.near >= 0:
                self.core.loop.writable(self.caller.near)
        return found


def write(core: Core, data: bytes) -> None:
    core.programs.started[0].write(data)


def one(core: Core) -> Any:
    return core.table.all()[0]


def test_the_screen_comes_first_and_output_follows_without_a_hole(core: Core) -> None:
    core.attached("one")
    write(core, b"before\r\n$ ")
    reader = Reader(core)
    write(core, b"on")  # is not read until the screen was sent
    core.loop.idle()
    write(core, b"after")
    screen, output = reader.told()
    assert screen == ("screen", ["before", "$ ", *[""] * 22], 1, False, 1)
    assert output == ("output", b"onafter")


def test_where_the_cursor_is_put_changed_rows_are_sent_at_most_every_50_ms(core: Core) -> None:
    core.attached("one")
    reader = Reader(core)
    core.loop.idle()
    reader.told()
    write(core, b"\x1b[5;1Hfive")
    write(core, b"\x1b[6;1Hsix")
    core.loop.idle()
    assert [each[0] for each in reader.told()] == ["output"]
    core.loop.pass_time(0.05)
    core.loop.idle()
    assert reader.told() == [("rows", [[4, "five"], [5, "six"]], 5)]
    write(core, b"plain")
    core.loop.pass_time(1)
    core.loop.idle()
    assert [each[0] for each in reader.told()] == ["output"]


def test_a_sequence_that_is_cut_is_seen(core: Core) -> None:
    core.attached("one")
    reader = Reader(core)
    core.loop.idle()
    write(core, b"\x1b[5;")
    write(core, b"1Hfive")
    core.loop.pass_time(0.05)
    core.loop.idle()
    assert reader.told()[-1] == ("rows", [[4, "five"]], 4)


def test_on_the_alternate_screen_all_output_makes_rows(core: Core) -> None:
    core.attached("one")
    write(core, b"\x1b[?1049h")
    reader = Reader(core)
    core.loop.idle()
    write(core, b"text")
    core.loop.pass_time(0.05)
    core.loop.idle()
    told = reader.told()
    assert told[0][3] is True
    assert told[-1] == ("rows", [[0, "text"]], 0)


def test_while_nothing_is_written_there_is_no_deadline(core: Core) -> None:
    core.attached("one").hang_up()
    write(core, b"\x1b[?1049h")
    core.loop.pass_time(10)
    core.loop.idle()
    before = len(core.loop.deadlines())
    Reader(core)
    core.loop.idle()
    core.loop.pass_time(1)
    assert len(core.loop.deadlines()) == before


def fill(core: Core) -> int:
    """The program writes until it has to wait; how much."""
    session = one(core)
    written = 0
    while not any(each.holds for each in session.onlookers):
        session.pty_output(b"x" * 8190 + b"\r\n")
        written += 8192
        assert written < 2 * CAP
    core.loop.settle()
    core.loop.idle()
    return written


def test_who_reads_nothing_holds_the_program_for_2_s_and_is_told_what_it_missed(
    core: Core,
) -> None:
    core.attached("one").hang_up()
    reader = Reader(core)
    core.loop.idle()
    fill(core)
    assert not core.loop.reads(master(core))
    core.loop.pass_time(2)
    assert core.loop.reads(master(core))
    write(core, b"missed\r\n")
    told = reader.told()
    core.loop.idle()
    told += reader.told()
    assert [each[0] for each in told] == ["screen", "output", "missed", "screen"]
    assert told[2][1] == 8
    assert "missed" in told[3][1]
    write(core, b"live")
    assert reader.told() == [("output", b"live")]


def master(core: Core) -> int:
    """The descriptor that the session reads."""
    descriptor: int = one(core)._pty._ends.master
    return descriptor


def test_who_reads_again_in_time_misses_nothing(core: Core) -> None:
    core.attached("one").hang_up()
    reader = Reader(core)
    core.loop.idle()
    written = fill(core)
    core.loop.pass_time(1.9)
    told = reader.told()
    core.loop.pass_time(5)
    assert [each[0] for each in told] == ["screen", "output"]
    assert len(told[1][1]) == written
    assert core.loop.reads(master(core))


def test_the_last_output_is_sent_before_the_end(core: Core) -> None:
    core.attached("one")
    reader = Reader(core)
    core.programs.started[0].far.send(b"last words")
    core.programs.started[0].end(3)
    assert reader.told()[1:] == [("output", b"last words"), ("ended", 3)]


def test_a_session_that_ends_before_its_screen_was_sent_has_it_sent(core: Core) -> None:
    core.attached("one")
    write(core, b"there")
    reader = Reader(core)
    core.programs.started[0].end(3)
    screen, ended = reader.told()
    assert (screen[1][0], ended) == ("there", ("ended", 3))


def test_what_there_is_to_see_is_sent_before_the_time_is_over(core: Core) -> None:
    core.attached("one")
    write(core, b"there")
    reader = Reader(core, timeout_ms=0)
    core.loop.pass_time(0)
    assert reader.events.status is None
    core.loop.idle()
    core.loop.pass_time(0)
    assert reader.told()[0][1][0] == "there"
    assert reader.events.status == 124


def test_who_goes_leaves_nothing_behind(core: Core) -> None:
    core.attached("one").hang_up()
    core.loop.pass_time(10)
    core.loop.idle()
    reader = Reader(core)
    core.loop.idle()
    write(core, b"\x1b[H")
    reader.caller.hang_up()
    core.loop.pass_time(1)
    core.loop.idle()
    assert one(core).onlookers == []
    assert core.loop.deadlines() == []


def test_a_session_without_a_model_has_no_text(core: Core) -> None:
    values = {"pass_terminal": False, "session_restore_mode": RestoreMode("simple")}
    core.config.config = Config(values)
    core.attached("one")
    assert Reader(core).head.error == ("session 'one' keeps no screen: its restore mode is simple")
    assert one(core).onlookers == []


@pytest.mark.parametrize("cut", range(1, 8))
def test_an_alternate_screen_that_is_entered_in_pieces_is_seen(core: Core, cut: int) -> None:
    core.attached("one")
    reader = Reader(core)
    core.loop.idle()
    data = b"\x1b[?1049h"
    write(core, data[:cut])
    write(core, data[cut:] + b"x")
    core.loop.pass_time(0.05)
    core.loop.idle()
    assert reader.told()[-1] == ("rows", [[0, "x"]], 0)


# ---- lines from a number on


def typed_at(core: Core) -> int:
    """Something is typed; the line where that is."""
    caller = core.call()
    caller.ask(SendRequest("one", [("text", "x")], mark=True))
    core.loop.idle()
    reply = SendReply.from_wire(caller.message())
    assert (reply.typed, reply.error) == (1, None)
    assert reply.mark is not None
    return reply.mark


def lines_told(reader: Reader) -> list[str]:
    """What it was sent at first, blank lines at the end left out."""
    reader.core.loop.idle()
    screen, *lines = reader.told()
    assert screen[0] == "screen"
    assert {each[0] for each in lines} <= {"lines"}
    found = [text for each in lines for text in each[1]]
    while found and not found[-1]:
        found.pop()
    return found


def test_nothing_is_missed_between_a_send_and_a_wait(core: Core) -> None:
    core.attached("one")
    write(core, b"old ok\r\n$ ")
    mark = typed_at(core)
    assert mark == 1
    write(core, b"make\r\n" + b"".join(b"line %d\r\n" % number for number in range(300)))
    assert lines_told(Reader(core, since=mark)) == [
        "$ make",
        *(f"line {number}" for number in range(300)),
    ]


def test_of_a_screen_that_was_cleared_meanwhile_all_counts(core: Core) -> None:
    core.attached("one")
    write(core, b"old\r\n" * 10 + b"$ ")
    mark = typed_at(core)
    write(core, b"\x1b[H\x1b[2Jfresh\r\n$ ")
    assert lines_told(Reader(core, since=mark)) == ["fresh", "$ "]
    write(core, b"more\r\n" * 20 + b"$ ")  # beyond where it stood
    assert lines_told(Reader(core, since=mark))[0] == "fresh"
    assert lines_told(Reader(core, since=mark + 1))[0] == "more"
    assert lines_told(Reader(core, since=1000))[0] == "fresh"  # no line of this session's yet


def test_of_the_alternate_screen_all_counts(core: Core) -> None:
    core.attached("one")
    write(core, b"old\r\n$ ")
    mark = typed_at(core)
    write(core, b"vim\r\n\x1b[?1049h\x1b[Hin vim")
    assert lines_told(Reader(core, since=mark)) == ["in vim"]


def test_what_was_sent_of_old_lines_is_whole_before_the_end_and_the_time_is_over(
    core: Core,
) -> None:
    core.attached("one")
    write(core, b"".join(b"line %d\r\n" % number for number in range(400)))
    reader = Reader(core, timeout_ms=0, since=0)
    core.programs.started[0].end(3)
    core.loop.pass_time(1)
    assert reader.events.status is None
    core.loop.idle()
    told = reader.told()
    assert [each[0] for each in told] == ["screen", *["lines"] * (len(told) - 2), "ended"]
    assert sum(len(each[1]) for each in told[1:-1]) > 400
    core.loop.pass_time(0)
    reader.told()
    assert reader.events.status == 124


def test_who_does_not_read_is_sent_no_more_of_them_for_now(core: Core) -> None:
    core.attached("one").hang_up()
    write(core, b"".join(b"line %d\r\n" % number for number in range(400)))
    reader = Reader(core, since=0)
    caught_up = one(core)._errands[0]
    fill_stream(reader)
    core.loop.idle()
    assert not caught_up.shown
    reader.told()
    core.loop.idle()
    assert caught_up.shown
    assert "lines" in [each[0] for each in reader.told()]


def fill_stream(reader: Reader) -> None:
    """As if as much waited as may."""
    (connection,) = reader.core.requests.waits
    connection.stream(event("size", 0, b"x" * (CAP + 1_000_000)))
    assert connection.full


def test_lines_that_are_gone_are_told_of(core: Core) -> None:
    core.config.config = Config({"pass_terminal": False, "output_spool_lines": 10})
    core.attached("one")
    write(core, b"".join(b"line %d\r\n" % number for number in range(100)))
    reader = Reader(core, since=0)
    core.loop.idle()
    told = reader.told()
    assert told[1][1][0] == "line 67"
    assert told[-1] == ("lost", 67)


def test_a_session_without_a_model_has_no_lines_to_type_on(core: Core) -> None:
    values = {"pass_terminal": False, "session_restore_mode": RestoreMode("simple")}
    core.config.config = Config(values)
    core.attached("one")
    caller = core.call()
    caller.ask(SendRequest("one", [("text", "x")], mark=True))
    core.loop.idle()
    assert caller.message() == {"typed": 1, "error": None, "mark": None}
