"""Whoever and whatever is there when the daemon is replaced in place goes on as it was."""

from __future__ import annotations

import json
import re
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.copies import Copy
from tests.e2e.harness import CHECKOUT, DETACH, Place, attach_header, eventually
from tests.e2e.processes import inherited
from tests.e2e.upgrades import children, have_pager, upgrade
from tests.programs import need


def shown(place: Place, name: str) -> str:
    """A session's screen, as it is remembered."""
    done = place.run("peek", name)
    assert done.status == 0
    return done.out


def test_a_full_screen_program_goes_on_where_it_was(place: Place) -> None:
    vim = need("vim")
    place.start()
    path = place.scratch / "file"
    client = place.attach("edit", "-c", f"{vim} -u NONE -n {path}")
    client.expect(r"~")
    client.send("ifirst\rsecond")
    eventually(lambda: "second" in shown(place, "edit"))
    before = shown(place, "edit")
    upgrade(place)
    assert shown(place, "edit") == before
    client.send(" line\x1b:wq\r")
    assert client.wait() == 0
    assert path.read_text() == "first\nsecond line\n"


def test_what_scrolled_by_is_remembered(place: Place) -> None:
    place.start()
    client = place.attach("one")
    client.ask("seq 3000")
    client.ask("printf '\\e[1;31mred \\e]8;;http://x\\alink\\e]8;;\\a wide \\u6f22\\e[m\\n'")

    def history() -> list[object]:
        structure = json.loads(place.run("history", "--json", "one").out)
        del structure["quiet_ms"]
        return [place.run("history", "--ansi", "one").out, structure]

    before = history()
    assert "2999" in str(before)
    upgrade(place)
    assert history() == before
    upgrade(place)
    other = place.attach("-f", "one", rows=40)
    other.expect("2999\r\n3000\r\n")
    other.expect("wide 漢")


@pytest.mark.parametrize("passes", [True, False])
def test_clients_stay_with_their_terminals(place: Place, passes: bool) -> None:
    place.passes = passes
    place.configure()
    place.start()
    client = place.attach("one")
    before = client.first_modes
    assert client.ask("echo in") == "in\n"
    upgrade(place)
    assert inherited(place.daemon_pid) == []
    assert client.is_raw()
    client.resize(31, 101)
    eventually(lambda: client.ask("stty size") == "31 101\n", "the size has changed")
    upgrade(place)
    client.send(DETACH[:1])  # half of a key binding
    eventually(lambda: place.run("peek", "one").status == 0)
    upgrade(place)
    client.send(DETACH[1:])
    assert client.wait() == 0
    assert client.modes() == before


def test_a_client_that_is_killed_later_leaves_its_terminal_as_it_was(place: Place) -> None:
    place.start()
    client = place.attach("one")
    client.ask("printf '\\e[?1000h'")
    upgrade(place)
    client.process.kill()
    client.expect(re.escape("\x1b[?1000l"))
    eventually(lambda: client.modes() == client.first_modes, "its modes are restored")


def test_a_client_that_is_stopped_has_its_keys_when_it_goes_on(place: Place) -> None:
    place.start()
    client = place.attach("one")
    client.ask("x=kept")
    client.process.send_signal(signal.SIGSTOP)
    stat = Path(f"/proc/{client.pid}/stat")
    eventually(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", "it is stopped")
    client.send("echo typed when $x\n")
    upgrade(place)
    assert place.run("send", "one", "-e", "echo sent").status == 0
    eventually(lambda: "\nsent\n" in shown(place, "one"))
    upgrade(place)
    assert "typed" not in shown(place, "one")
    client.process.send_signal(signal.SIGCONT)
    client.expect("sent.*typed when kept\r\n")


def test_all_who_are_at_one_session_stay_who_they_are(place: Place) -> None:
    place.start()
    driver = place.raw_attach("one", "cat", rows=30, cols=100)
    shared = place.raw_attach("one", share=True, rows=30, cols=100)
    small = place.raw_attach("one", read_only=True, rows=10, cols=40)

    def roles() -> list[tuple[object, ...]]:
        rows = place.sessions()["one"]["attachments"]
        return [(row["role"], row["rows"], row["cols"]) for row in rows]

    before = roles()
    assert len(before) == 2  # who only looks on is not attached
    upgrade(place)
    assert roles() == before
    driver.send(b"first\n")
    for each in (driver, shared, small):
        each.output_until(b"first")
    upgrade(place)
    small.send(b"nothing\n")
    shared.send(b"second\n")
    for each in (driver, shared, small):
        assert b"nothing" not in each.output_until(b"second")
    shared.send(DETACH)
    assert shared.to_exit_status()[1] == 0
    assert len(roles()) == 1


PAGER = """#!/bin/sh
printf 'paging '
read line
printf 'and %s' "$line"
read line
"""


def test_a_client_in_the_pager_stays_there(place: Place) -> None:
    have_pager(place, PAGER)
    place.start()
    client = place.attach("one")
    client.expect("paging ")
    client.send("mo")
    upgrade(place)
    client.send("re\n")
    client.expect("and more")
    upgrade(place)
    client.send("\n")
    assert client.ask("echo in") == "in\n"


def test_a_client_that_does_not_read_is_shown_what_it_missed_when_it_does(place: Place) -> None:
    place.start()
    peer = place.raw_attach("one", "sh -c 'seq 200000; echo at the end; sleep 1000'")
    place.logged("takes no output")
    upgrade(place)
    peer.output_until(rb"at the end")
    peer.close()


def test_a_program_that_waits_for_its_client_goes_on_where_it_was(place: Place) -> None:
    place.start()
    peer = place.raw_attach("one", "seq 200000")
    upgrade(place)  # before the client is taken for frozen
    output, status = peer.to_exit_status()
    lines = output.split(b"\r\n")
    assert (lines[-2:], status) == ([b"200000", b""], 0)


def test_who_waits_for_something_waits_on(place: Place) -> None:
    place.start()
    stubborn = place.raw_attach("stubborn", "sh -c 'trap : HUP; echo .; while :; do read x; done'")
    stubborn.output_until(rb"\.")
    place.raw_session("quiet", "cat")
    place.request({"SetLogLevel": {"level": "Debug"}})
    watching = place.popen("follow", "quiet")
    waiting = place.popen("wait", "--exit", "quiet")
    killing = place.peer()
    place.logged("FollowRequest")
    place.logged("WaitRequest")
    killing.request({"Kill": {"sessions": ["stubborn"]}})
    upgrade(place)
    assert killing.message() == {"not_found_sessions": []}
    assert place.run("send", "quiet", "-e", "hello").status == 0
    assert watching.stdout is not None
    assert watching.stdout.readline() == b"hello\r\n"
    place.kill("quiet")
    assert waiting.communicate()[0] == b"quiet\texit\n"
    watching.communicate()


def test_a_time_to_live_goes_on(place: Place) -> None:
    place.start()
    began = time.monotonic()
    assert place.run("attach", "-b", "--ttl", "3s", "-c", "sleep 1000", "brief").status == 0
    upgrade(place)
    there = "brief" in place.sessions()
    assert there or time.monotonic() - began > 3
    eventually(lambda: "brief" not in place.sessions(), "its time has passed")


def test_a_session_that_is_not_remembered_draws_itself(place: Place) -> None:
    place.configure("session_restore_mode = 'simple'")
    place.start()
    client = place.attach("one")
    assert client.ask("echo in") == "in\n"
    upgrade(place)
    assert client.ask("echo in") == "in\n"
    other = place.attach("-f", "one")
    assert client.wait() == 0
    assert other.ask("echo in") == "in\n"


def test_variables_and_the_configuration_stay(place: Place) -> None:
    place.start()
    assert place.run("var", "set", "where", "here").status == 0
    upgrade(place)
    assert place.run("var", "get", "where").out == "here\n"
    place.configure("[[keybinding]]\nbinding = 'Ctrl-a d'\naction = 'detach'\n")
    client = place.attach("one")
    client.ask("true")
    client.send(b"\x01d")
    assert client.wait() == 0


def test_what_is_started_later_is_as_before(place: Place) -> None:
    place.start()
    question = "ulimit -n; umask; grep -c . /proc/$$/limits; ls -l /proc/$$/fd | wc -l; env | sort"

    def answer(name: str) -> str:
        client = place.attach(name)
        found = client.ask(question)
        client.send("exit\n")
        client.wait()
        return re.sub("SHPOOL__.*|SSH_AUTH.*", "", found.replace(name, "x"))

    before = answer("one")
    assert "SHPOOL__TAKE_OVER" not in before
    upgrade(place)
    assert answer("two") == before


def slow(place: Place) -> Copy:
    """One that starts no program for as long as there is a file named after its session."""
    copy = Copy(place)
    held = f"os.path.exists({str(place.scratch)!r} + '/' + self.env['SHPOOL_SESSION_NAME'])"
    pause = f"import time\n                while {held}: time.sleep(0.01)\n                "
    execute = "self._execute()\n        except"
    copy.change("daemon/programs/program.py", execute, pause + execute)
    return copy


def test_sessions_that_are_being_started_are_waited_for(place: Place) -> None:
    place.start(env=slow(place).env)
    early, late, rehearsing = (place.scratch / name for name in ("early", "late", "rehearsing"))
    for path in (early, late, rehearsing):
        path.touch()
    # What is rehearsed tells that it is, and goes on when it may.
    program = place.scratch / "program"
    program.write_text(
        f"#!/bin/sh\ncase $* in *--rehearse) mv {rehearsing} {rehearsing}.\n"
        f"while test -e {rehearsing}.; do sleep 0.01; done;; esac\n"
        f'exec {sys.executable} -I -S {CHECKOUT}/shpool/__main__.py "$@"\n'
    )
    program.chmod(0o755)
    first, second = place.peer(), place.peer()
    first.request(attach_header("early", "cat"))
    asking = place.peer()
    asking.request({"Upgrade": {"program": [str(program)], "check": False}})
    place.logged("an upgrade is asked for")
    early.unlink()
    assert "Created" in first.message()["status"]
    eventually(lambda: not rehearsing.exists(), "it is rehearsed")
    second.request(attach_header("late", "cat"))
    place.request("List")  # by now it is being started
    (place.scratch / "rehearsing.").unlink()
    eventually(lambda: len(children(place.daemon_pid)) == 2, "the rehearsal has ended")
    late.unlink()
    assert "Created" in second.message()["status"]
    assert "Upgraded" in asking.message()["status"]
    for peer in (first, second):
        peer.send(b"on\n")
        peer.output_until(b"on\r\non\r\n")
