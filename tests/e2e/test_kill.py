"""Killing: shells that go, shells that do not want to, and everybody else meanwhile."""

import os
import signal

from tests.e2e.harness import Place, attach_header, eventually

STUBBORN = "sh -c 'trap \"\" HUP; echo ready; while :; do sleep 1000; done'"


def test_a_shell_that_ignores_the_hang_up_delays_nobody_else(shpool: Place) -> None:
    stubborn = shpool.raw_attach("stubborn", STUBBORN)
    stubborn.output_until(b"ready")
    other = shpool.raw_attach("other", "sh -c 'stty -echo; echo ready; exec cat'")
    other.output_until(b"ready")
    events = shpool.subscribe()
    killer, lister = shpool.peer(), shpool.peer()
    # All of it lies before the daemon at once, the kill first, so what follows is answered while
    # the kill waits for the shell, however slow this machine is.
    os.kill(shpool.daemon_pid, signal.SIGSTOP)
    killer.request({"Kill": {"sessions": ["stubborn"]}})
    lister.request("List")
    other.send(b"hello\n")
    os.kill(shpool.daemon_pid, signal.SIGCONT)
    names = [row["name"] for row in lister.message()["sessions"]]
    assert names == ["stubborn", "other"]
    other.output_until(b"hello\r\n")
    assert killer.message() == {"not_found_sessions": []}
    assert shpool.statuses() == {"other": "Attached"}
    assert stubborn.to_exit_status()[1] == 128 + signal.SIGKILL
    shpool.expect_events(events, "removed")


def test_the_command_returns_when_the_stubborn_shell_is_gone(shpool: Place) -> None:
    shpool.raw_attach("stubborn", STUBBORN).output_until(b"ready")
    assert shpool.run("kill", "stubborn") == (0, "", "")
    assert shpool.statuses() == {}


def test_the_whole_process_group_of_the_shell_is_told(shpool: Place) -> None:
    peer = shpool.raw_attach("one", "sh -c 'sleep 1234 & echo ready; sleep 1234'")
    peer.output_until(b"ready")
    eventually(lambda: len(shpool.pids("sleep 1234")) == 2)
    shpool.kill("one")
    eventually(lambda: not shpool.pids("sleep 1234"))


def test_a_stopped_shell_is_killed(shpool: Place) -> None:
    peer = shpool.raw_attach("one", "sh -c 'echo ready; kill -STOP $$'")
    peer.output_until(b"ready")
    shpool.kill("one")
    assert shpool.statuses() == {}


def test_an_attach_during_a_kill_gets_a_new_session(shpool: Place) -> None:
    shpool.raw_attach("one", STUBBORN).output_until(b"ready")
    events = shpool.subscribe()
    killer = shpool.peer()
    killer.request({"Kill": {"sessions": ["one"]}})
    peer = shpool.raw_attach("one", "sh -c 'echo new; read x'")
    assert "Created" in peer.status
    assert b"new" in peer.output_until(b"new")
    assert killer.message() == {"not_found_sessions": []}
    shpool.expect_events(events, "removed", "created", "attached")


def test_a_kill_during_a_kill_waits_for_the_same_end(shpool: Place) -> None:
    shpool.raw_attach("one", STUBBORN).output_until(b"ready")
    killers = [shpool.peer() for _ in range(3)]
    for killer in killers:
        killer.request({"Kill": {"sessions": ["one"]}})
    for killer in killers:
        assert killer.message() == {"not_found_sessions": []}
    assert shpool.statuses() == {}


def test_a_killer_that_goes_away_changes_nothing(shpool: Place) -> None:
    shpool.raw_attach("one", STUBBORN).output_until(b"ready")
    events = shpool.subscribe()
    killer = shpool.peer()
    killer.request({"Kill": {"sessions": ["one"]}})
    killer.close()
    assert events.types(1) == ["session.removed"]
    assert shpool.statuses() == {}


def test_the_directory_of_a_session_goes_with_it(shpool: Place) -> None:
    client = shpool.attach("one")
    directory = client.ask("echo $SHPOOL_SESSION_DIR").strip()
    assert directory == f"{shpool.runtime}/sessions/one"
    assert os.stat(directory).st_mode & 0o777 == 0o700
    shpool.kill("one")
    assert not os.path.exists(directory)


def test_what_a_user_put_into_the_directory_of_a_session_stays(shpool: Place) -> None:
    client = shpool.attach("one")
    directory = client.ask("echo $SHPOOL_SESSION_DIR").strip()
    client.ask("touch $SHPOOL_SESSION_DIR/mine")
    shpool.kill("one")
    assert os.listdir(directory) == ["mine"]
    os.unlink(f"{directory}/mine")
    os.rmdir(directory)


def test_many_sessions_can_be_killed_at_once(shpool: Place) -> None:
    names = [f"s{number}" for number in range(20)]
    for name in names:
        shpool.raw_session(name)
    assert shpool.run("kill", *names) == (0, "", "")
    assert shpool.statuses() == {}


# ---- a session whose shell is only just being started


def test_a_kill_that_follows_an_attach_at_once_ends_the_new_session(shpool: Place) -> None:
    attaching, killer = shpool.peer(), shpool.peer()
    events = shpool.subscribe()
    # Both lie before the daemon at once, so the shell cannot run yet when the kill is looked at.
    os.kill(shpool.daemon_pid, signal.SIGSTOP)
    attaching.request(attach_header("one", "sleep 1234"))
    killer.request({"Kill": {"sessions": ["zero", "one"]}})
    os.kill(shpool.daemon_pid, signal.SIGCONT)
    assert killer.message() == {"not_found_sessions": ["zero"]}
    assert "Created" in attaching.message()["status"]
    assert attaching.to_exit_status()[1] == 128 + signal.SIGHUP
    assert not shpool.pids("sleep 1234")
    shpool.expect_events(events, "created", "attached", "removed")


def test_a_detach_that_follows_an_attach_at_once_frees_the_new_session(shpool: Place) -> None:
    attaching, detacher = shpool.peer(), shpool.peer()
    os.kill(shpool.daemon_pid, signal.SIGSTOP)
    attaching.request(attach_header("one", "sleep 1234"))
    detacher.request({"SessionMessage": {"session_name": "one", "payload": "Detach"}})
    os.kill(shpool.daemon_pid, signal.SIGCONT)
    assert detacher.message() == {"Detach": "Ok"}
    assert "Created" in attaching.message()["status"]
    assert attaching.to_exit_status()[1] == 0
    assert shpool.statuses() == {"one": "Disconnected"}


def test_a_kill_of_a_session_whose_shell_cannot_be_started_finds_none(shpool: Place) -> None:
    attaching, killer = shpool.peer(), shpool.peer()
    os.kill(shpool.daemon_pid, signal.SIGSTOP)
    attaching.request(attach_header("one", "/nowhere/at/all"))
    killer.request({"Kill": {"sessions": ["one"]}})
    os.kill(shpool.daemon_pid, signal.SIGCONT)
    assert killer.message() == {"not_found_sessions": ["one"]}
    assert "UnexpectedError" in attaching.message()["status"]


def test_a_daemon_told_to_end_while_a_shell_is_being_started_leaves_nothing(shpool: Place) -> None:
    attaching = shpool.peer()
    os.kill(shpool.daemon_pid, signal.SIGSTOP)
    attaching.request(attach_header("one", "sleep 1234"))
    os.kill(shpool.daemon_pid, signal.SIGTERM)
    assert shpool.stop(signal.SIGCONT) == 0
    assert not shpool.pids("sleep 1234")
    assert not (shpool.runtime / "sessions/one").exists()
