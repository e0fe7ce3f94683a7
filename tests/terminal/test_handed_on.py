"""A terminal's state, written and read again, goes on as if nothing had been."""

from __future__ import annotations

import io
from typing import Any

import pytest

from shpool.daemon.plain import Reading, Writing
from shpool.daemon.values import values, write_value
from shpool.terminal.backlog import Backlog
from shpool.terminal.model import Terminal
from tests.terminal.recorded import names, stream

HISTORY = 2000


def written(found: Any) -> bytes:
    out = io.BytesIO()
    write_value(out.write, Writing([]).part(found))
    return out.getvalue()


def read(kind: type, data: bytes) -> Any:
    (value,) = values(data)
    return Reading(None).part(kind, value)


def handed_on(terminal: Terminal) -> Terminal:
    data = written(terminal)
    again = read(Terminal, data)
    assert written(again) == data
    while again.packed:
        again.unpack()
    assert written(again) == data
    assert isinstance(again, Terminal)
    return again


def shown(terminal: Terminal) -> tuple[Any, ...]:
    return (
        terminal.restore(HISTORY),
        terminal.restore(0, in_place=True),
        terminal.leave(),
        list(terminal.history),
        terminal.begun,
        terminal.restarts,
        terminal.saved_modes,
    )


@pytest.mark.parametrize("name", names())
def test_a_recorded_program_goes_on_from_any_cut(name: str) -> None:
    recorded = stream(name)
    whole = Terminal(recorded.rows, recorded.cols, HISTORY)
    pieces = Terminal(recorded.rows, recorded.cols, HISTORY)
    start = 0
    for cut in [*recorded.cuts(12), len(recorded.data)]:
        whole.feed(recorded.data[start:cut])
        pieces.feed(recorded.data[start:cut])
        pieces = handed_on(pieces)
        start = cut
        assert shown(pieces) == shown(whole)


@pytest.mark.parametrize("name", ["bash", "vim", "unicode", "htop", "git-log"])
def test_what_waits_is_handed_on_as_it_is(name: str) -> None:
    recorded = stream(name)
    whole = Backlog(Terminal(recorded.rows, recorded.cols, HISTORY))
    pieces = Backlog(Terminal(recorded.rows, recorded.cols, HISTORY))
    start = 0
    for number, cut in enumerate([*recorded.cuts(8), len(recorded.data)]):
        for backlog in (whole, pieces):
            backlog.append(recorded.data[start:cut], unanswered=number % 2 == 0)
            backlog.advance(700)
            if number == 3:
                backlog.resize(recorded.rows + 3, recorded.cols - 5)
        start = cut
        data = written(pieces)
        pieces = read(Backlog, data)
        assert written(pieces) == data
        assert pieces.behind or not whole.behind
        while pieces.terminal.packed:  # as it is when the loop has had a moment
            pieces.terminal.unpack()
        assert (pieces.pending, pieces.must_hold, pieces.asked) == (
            whole.pending,
            whole.must_hold,
            whole.asked,
        )
    whole.catch_up()
    pieces.catch_up()
    assert whole.take_answers() == pieces.take_answers()
    assert shown(pieces.terminal) == shown(whole.terminal)
