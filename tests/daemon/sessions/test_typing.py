"""Messages and keys never mix, and a program that does not read is not waited for for ever."""

from __future__ import annotations

import gc
import socket
import weakref
from typing import Any

import pytest

from shpool.daemon.programs.pty import Pty
from tests.daemon.core import Caller, Core
from tests.daemon.fakes import FakeChild


@pytest.fixture
def person(core: Core) -> Caller:
    """Who is attached to session one."""
    return core.attached("one")


def shell(core: Core) -> FakeChild:
    return core.programs.started[0]


def send(core: Core, *texts: str, paste: bool = False, timeout_ms: int = 5000) -> Caller:
    caller = core.call()
    items = [["key", text[1:]] if text.startswith("<") else ["text", text] for text in texts]
    caller.ask(
        {
            "Send": {
                "session_name": "one",
                "items": items,
                "paste": paste,
                "timeout_ms": timeout_ms,
            }
        }
    )
    return caller


def outcome(caller: Caller) -> tuple[int, str | None] | None:
    message: Any = caller.message()
    return None if message is None else (message["typed"], message["error"])


def stop_reading(core: Core) -> None:
    """From now on the pty takes but little."""
    shell(core).near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)


def taken(core: Core) -> bytes:
    """What the program reads, until nothing more comes."""
    child = shell(core)
    found = b""
    while True:
        core.loop.writable(child.ends.master)
        piece = child.typed()
        if not piece:
            return found
        found += piece


def test_a_message_is_typed_exactly_and_answered_with_its_length(
    core: Core, person: Caller
) -> None:
    caller = send(core, "make test\nand more é")
    assert taken(core) == "make test\nand more é".encode()
    assert outcome(caller) == (21, None)


def test_an_empty_message_is_typed(core: Core, person: Caller) -> None:
    assert outcome(send(core)) == (0, None)


def test_an_unknown_session_is_not_found(core: Core, person: Caller) -> None:
    caller = core.call()
    caller.ask({"Send": {"session_name": "two", "items": [["text", "x"]]}})
    assert caller.message() == "NotFound"


def test_keys_are_sent_as_the_program_has_asked_for_them(core: Core, person: Caller) -> None:
    send(core, "<Up", "x", "<C-c")
    core.loop.idle()
    assert taken(core) == b"\x1b[Ax\x03"
    shell(core).write(b"\x1b[?1h\x1b[>1u")
    caller = send(core, "<Up", "<C-c")
    assert outcome(caller) is None  # what the program wrote has to be interpreted first
    core.loop.idle()
    assert taken(core) == b"\x1b[A\x1b[99;5u"
    assert outcome(caller) == (10, None)


def test_an_unknown_key_types_nothing(core: Core, person: Caller) -> None:
    caller = send(core, "text", "<Foo")
    core.loop.idle()
    typed, error = outcome(caller) or (None, "")
    assert (typed, taken(core)) == (0, b"")
    assert error is not None
    assert error.startswith("there is no key 'Foo'; there are Enter")


def test_a_paste_is_marked_if_the_program_wants_that(core: Core, person: Caller) -> None:
    send(core, "a\nb", paste=True)
    core.loop.idle()
    assert taken(core) == b"a\rb"
    shell(core).write(b"\x1b[?2004h")
    send(core, "a\x1b[20\x1b[201~1~\nb", paste=True)
    core.loop.idle()
    assert taken(core) == b"\x1b[200~a\rb\x1b[201~"


def test_a_paste_that_cannot_be_marked_has_no_control_characters(
    core: Core, person: Caller
) -> None:
    caller = send(core, "a\x03", paste=True)
    core.loop.idle()
    assert taken(core) == b""
    assert outcome(caller) == (
        0,
        "the text has the control character '\\x03' in it, and the program has bracketed paste off",
    )


def test_keys_go_in_at_the_messages_next_line_end(core: Core, person: Caller) -> None:
    stop_reading(core)
    line = b"x" * 3000 + b"\n"
    caller = send(core, (line * 4).decode())
    person.send(b"typed")
    found = taken(core)
    assert found.count(b"x") == 12_000
    assert found.replace(b"typed", b"") == line * 4
    assert found.index(b"typed") % len(line) == 0
    assert 0 < found.index(b"typed") < len(line) * 4
    assert outcome(caller) == (len(line) * 4, None)


def test_messages_of_several_senders_come_one_after_the_other(core: Core, person: Caller) -> None:
    stop_reading(core)
    callers = [send(core, letter * 10_000) for letter in "abc"]
    found = taken(core)
    assert found == b"a" * 10_000 + b"b" * 10_000 + b"c" * 10_000
    assert [outcome(caller) for caller in callers] == [(10_000, None)] * 3


def test_who_is_attached_can_interrupt_a_message(
    core: Core, person: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    controls = [b"\x03", b"\x1c", *[b"\0"] * 8, b"\x1a", *[b"\0"] * 20]
    monkeypatch.setattr(Pty, "control_characters", lambda self: controls)
    stop_reading(core)
    first, second = send(core, "a" * 100_000), send(core, "second")
    person.send(b"\x03")
    found = taken(core)
    assert found.strip(b"a") == b"\x03second"
    typed, error = outcome(first) or (0, None)
    assert (typed, error) == (found.index(b"\x03"), "interrupted")
    assert outcome(second) == (6, None)


def test_a_program_that_does_not_read_is_not_waited_for_for_ever(
    core: Core, person: Caller
) -> None:
    stop_reading(core)
    first, second = send(core, "a" * 100_000, timeout_ms=1000), send(core, "b", timeout_ms=1000)
    assert (outcome(first), outcome(second)) == (None, None)
    core.loop.pass_time(1.5)
    typed, error = outcome(first) or (0, None)
    assert error == "session 'one' does not read its input"
    core.loop.pass_time(1.5)
    assert outcome(second) == (0, "session 'one' does not read its input")
    assert taken(core) == b"a" * typed


def test_what_waits_behind_one_that_stands_still_is_refused_in_its_own_time(
    core: Core, person: Caller
) -> None:
    stop_reading(core)
    first = send(core, "a" * 100_000, timeout_ms=3_600_000)
    core.loop.pass_time(3)
    second = send(core, "b", timeout_ms=10_000)
    third = send(core, "c", timeout_ms=5000)
    core.loop.pass_time(3)  # for so long nothing has moved: 6 s
    refused = (0, "session 'one' does not read its input")
    assert (outcome(second), outcome(third)) == (None, refused)
    assert outcome(send(core, "d", timeout_ms=5000)) is None
    core.loop.pass_time(0)
    some = shell(core).typed()
    core.loop.writable(shell(core).ends.master)  # it reads on
    core.loop.pass_time(9)
    assert outcome(second) is None
    core.loop.pass_time(1)
    assert outcome(second) == refused
    assert outcome(first) is None
    first.hang_up()
    core.loop.settle()
    assert b"b" not in some + taken(core)


@pytest.mark.parametrize("end", ["timeout", "hang up", "interrupt"])
def test_what_was_typed_before_a_message_is_typed_whatever_becomes_of_that(
    core: Core, person: Caller, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    controls = [b"\x03", *[b"\0"] * 31]
    monkeypatch.setattr(Pty, "control_characters", lambda self: controls)
    stop_reading(core)
    person.send(b"k" * 30_000)
    caller = send(core, "a" * 10_000, timeout_ms=1000)
    if end == "timeout":
        core.loop.pass_time(1.5)
        assert outcome(caller) == (0, "session 'one' does not read its input")
    elif end == "interrupt":
        person.send(b"\x03")
        assert outcome(caller) == (0, "interrupted")
    else:
        caller.hang_up()
    assert core.loop.deadlines() == []
    assert taken(core).rstrip(b"\x03") == b"k" * 30_000


@pytest.mark.parametrize("end", ["typed", "stuck", "hang up", "ended", "too much"])
def test_a_message_that_is_over_keeps_no_session_in_memory(
    core: Core, person: Caller, end: str
) -> None:
    gc.collect()
    gc.disable()
    try:
        if end != "typed":
            stop_reading(core)
        caller = send(core, "a" * (1_000_000 if end == "too much" else 9000), timeout_ms=1000)
        if end == "too much":
            send(core, "b" * 300_000)
        elif end == "stuck":
            core.loop.pass_time(1.5)
        elif end == "hang up":
            caller.hang_up()
        elif end == "typed":
            taken(core)
        session = weakref.ref(core.table.all()[0])
        shell(core).end(0)
        core.loop.idle()
        core.loop.pass_time(10)
        assert session() is None
    finally:
        gc.enable()


def test_a_sender_that_goes_before_its_turn_has_nothing_typed(core: Core, person: Caller) -> None:
    shell(core).write(b"what has to be interpreted first")
    caller = send(core, "<Up")
    caller.hang_up()
    core.loop.idle()
    assert taken(core) == b""


def test_more_than_a_mebibyte_is_not_kept(core: Core, person: Caller) -> None:
    stop_reading(core)
    send(core, "a" * 900_000)
    assert outcome(send(core, "b" * 300_000)) == (0, "session 'one' does not read its input")


def test_a_long_line_is_refused_where_the_kernel_would_cut_it(
    core: Core, person: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pty, "is_canonical", lambda self: True)
    assert outcome(send(core, "x" * 4096)) == (
        0,
        "session 'one' reads lines of at most 4,095 bytes now",
    )
    assert outcome(send(core, "x" * 4095 + "\n" + "y" * 4095)) == (8191, None)


def test_a_session_that_ends_ends_its_messages(core: Core, person: Caller) -> None:
    stop_reading(core)
    first, second = send(core, "a" * 100_000), send(core, "<Up")
    shell(core).end(0)
    typed, error = outcome(first) or (0, None)
    assert typed > 0
    assert error == "session 'one' has ended"
    assert outcome(second) == (0, "session 'one' has ended")


def test_a_sender_that_goes_has_the_rest_not_typed(core: Core, person: Caller) -> None:
    stop_reading(core)
    first = send(core, "a" * 100_000)
    second = send(core, "b")
    first.hang_up()
    found = taken(core)
    assert found.endswith(b"b")
    assert len(found) < 100_000
    assert outcome(second) == (1, None)


def test_a_message_waits_for_the_end_of_a_paste(core: Core, person: Caller) -> None:
    person.send(b"\x1b[200~a")
    caller = send(core, "message")
    assert taken(core) == b"\x1b[200~a"
    person.send(b"b\x1b[201~")
    assert taken(core) == b"b\x1b[201~message"
    assert outcome(caller) == (7, None)


def test_a_message_overtakes_a_paste_that_does_not_go_on(core: Core, person: Caller) -> None:
    person.send(b"\x1b[200~a")
    caller = send(core, "message")
    core.loop.pass_time(1)
    assert taken(core) == b"\x1b[200~a\x1b[201~message"
    assert outcome(caller) == (7, None)
    person.send(b"\x1b[201~\x1b[200~a")
    core.loop.pass_time(1)
    send(core, "late")
    assert taken(core) == b"\x1b[200~a\x1b[201~late"


def test_a_paste_between_two_lines_of_a_message_comes_whole(core: Core, person: Caller) -> None:
    stop_reading(core)
    send(core, "one\n" + "x" * 6000 + "\ntwo\n")
    paste = b"\x1b[200~" + b"pasted " * 2000 + b"\x1b[201~"
    found = b""
    for at in range(0, len(paste), 1000):
        person.send(paste[at : at + 1000])
        found += taken(core)
    found += taken(core)
    message = b"one\n" + b"x" * 6000 + b"\ntwo\n"
    at = found.find(b"\x1b[200~")
    assert found == message[:at] + paste + message[at:], found[:100]
    assert message[at - 1 : at] in (b"\n", b"")


def test_a_message_that_is_called_off_while_it_waits_for_a_paste_is_not_typed(
    core: Core, person: Caller
) -> None:
    person.send(b"\x1b[200~a")
    send(core, "message").hang_up()
    person.send(b"b\x1b[201~c")
    assert taken(core) == b"\x1b[200~ab\x1b[201~c"
    core.loop.pass_time(10)
    assert core.loop.deadlines() == []


def test_what_interrupts_a_message_does_so_while_it_waits_for_a_paste(
    core: Core, person: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pty, "control_characters", lambda self: [b"\x03", *[b"\0"] * 31])
    person.send(b"\x1b[200~a")
    caller = send(core, "message")
    person.send(b"\x1b[201~\x03")
    assert taken(core) == b"\x1b[200~a\x1b[201~\x03"
    assert outcome(caller) == (0, "interrupted")


def test_what_stops_a_program_gets_there_though_it_reads_nothing(
    core: Core, person: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten: list[Pty] = []
    monkeypatch.setattr(Pty, "control_characters", lambda pty: [b"\x03"] * 32)
    monkeypatch.setattr(Pty, "forget_unread", lambda pty: forgotten.append(pty))
    person.send(b"\x03")
    assert forgotten == []
    stop_reading(core)
    pty = core.table.all()[0]._pty
    assert pty is not None
    while not pty.waits:
        person.send(b"x" * 1000)
    assert forgotten == []
    person.send(b"\x03")
    assert len(forgotten) == 1
    send(core, "\x03")
    assert len(forgotten) == 2
