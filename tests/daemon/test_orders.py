"""The core in orders of events that chance makes rare: nothing hangs, leaks or is done twice."""

from __future__ import annotations

import signal

from tests.daemon.core import Core


def test_a_shell_that_ends_before_anybody_looked_has_its_status_for_its_client(core: Core) -> None:
    caller = core.attach("one")
    (shell,) = core.programs.started
    shell.far.send(b"last words")
    shell.end(5)
    assert caller.message() == {"status": {"Created": {"warnings": []}}}
    assert caller.output() == (b"last words", 5)
    assert core.events.seen == ["created", "attached", "removed"]
    assert core.programs.started == []
    assert core.room.waiting == {}


def test_two_who_ask_for_one_new_name_end_with_one_session(core: Core) -> None:
    first, second = core.attach("one"), core.attach("one")
    assert len(core.programs.started) == 1
    core.programs.started[0].run()
    assert first.message() == {"status": {"Created": {"warnings": []}}}
    assert second.message() == {"status": "Busy"}
    assert core.room.waiting == {}


def test_where_the_first_cannot_have_a_session_the_second_tries_for_itself(core: Core) -> None:
    first, second = core.attach("one"), core.attach("one")
    core.programs.started[0].fail("cannot run 'sh': gone")
    assert first.message() == {"status": {"UnexpectedError": "cannot run 'sh': gone"}}
    assert second.message() is None
    core.programs.started[0].run()
    assert second.message() == {"status": {"Created": {"warnings": []}}}


def test_who_asks_while_a_session_is_being_killed_gets_a_new_one(core: Core) -> None:
    core.attached("one")
    (shell,) = core.programs.started
    killer = core.call()
    killer.ask({"Kill": {"sessions": ["one"]}})
    assert shell.signals == [signal.SIGHUP, signal.SIGCONT]
    newcomer = core.attach("one")
    assert (killer.message(), newcomer.message()) == (None, None)
    shell.end(129)
    assert killer.message() == {"not_found_sessions": []}
    core.programs.started[0].run()
    assert newcomer.message() == {"status": {"Created": {"warnings": []}}}
    assert core.events.seen == ["created", "attached", "removed", "created", "attached"]


def test_an_attach_that_finds_a_dead_shells_entry_makes_a_new_session(core: Core) -> None:
    core.attached("one").hang_up()
    core.programs.started[0].die(0)
    caller = core.attach("one")
    core.programs.started[0].run()
    assert caller.message() == {"status": {"Created": {"warnings": []}}}
    assert core.events.seen == [
        *("created", "attached", "detached", "removed", "created", "attached")
    ]


def test_a_kill_of_a_session_being_started_waits_for_it(core: Core) -> None:
    core.attach("one")
    killer = core.call()
    killer.ask({"Kill": {"sessions": ["one", "zzz"]}})
    assert killer.message() is None
    shell = core.programs.started[0]
    shell.run()
    assert shell.signals == [signal.SIGHUP, signal.SIGCONT]
    core.loop.pass_time(1)
    assert shell.signals[-1] == signal.SIGKILL
    shell.end(137)
    assert killer.message() == {"not_found_sessions": ["zzz"]}
