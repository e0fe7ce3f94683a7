"""The event stream: exactly what behaviour promises for each thing that can happen, and no more."""

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tests.e2e.harness import (
    DEADLINE,
    DETACH,
    Place,
    attach_header,
    eventually,
)
from tests.programs import need

# ---- one row of the table after the other


def test_a_new_session(shpool: Place) -> None:
    events = shpool.subscribe()
    shpool.attach("one").ask("true")
    shpool.expect_events(events, "created", "attached")


def test_a_new_session_in_the_background(shpool: Place) -> None:
    events = shpool.subscribe()
    assert shpool.run("attach", "-b", "one").status == 0
    shpool.expect_events(events, "created", "attached", "detached")


def test_a_reattach(shpool: Place) -> None:
    shpool.raw_session("one", "cat")
    events = shpool.subscribe()
    client = shpool.attach("one")
    eventually(lambda: shpool.statuses() == {"one": "Attached"})
    shpool.expect_events(events, "attached")
    client.send(DETACH)
    assert client.wait() == 0
    assert shpool.run("attach", "-b", "one").status == 0
    shpool.expect_events(events, "detached", "attached", "detached")


def test_a_client_that_detaches_itself_by_keys(shpool: Place) -> None:
    client = shpool.attach("one")
    client.ask("true")
    events = shpool.subscribe()
    client.send(DETACH)
    assert client.wait() == 0
    shpool.expect_events(events, "detached")


def test_a_client_that_is_detached_by_command(shpool: Place) -> None:
    client = shpool.attach("one")
    client.ask("true")
    events = shpool.subscribe()
    assert shpool.run("detach", "one").status == 0
    assert client.wait() == 0
    assert shpool.run("detach", "one").status == 1
    shpool.expect_events(events, "detached")


def test_a_client_that_is_detached_by_session_message(shpool: Place) -> None:
    peer = shpool.raw_attach("one", "sleep 1000")
    events = shpool.subscribe()
    message = {"SessionMessage": {"session_name": "one", "payload": "Detach"}}
    assert shpool.request(message) == {"Detach": "Ok"}
    assert peer.to_exit_status() == (b"", 0)
    assert peer.remainder() == b""
    shpool.expect_events(events, "detached")


def test_a_client_that_is_killed(shpool: Place) -> None:
    client = shpool.attach("one")
    client.ask("true")
    events = shpool.subscribe()
    client.kill()
    assert events.types(1) == ["session.detached"]
    assert shpool.statuses() == {"one": "Disconnected"}
    shpool.expect_events(events)


def test_force_over_another_client(shpool: Place) -> None:
    first = shpool.attach("one")
    first.ask("true")
    events = shpool.subscribe()
    second = shpool.attach("-f", "one")
    assert first.wait() == 0
    second.ask("true")
    shpool.expect_events(events, "detached", "attached")


def test_a_shell_that_exits_while_attached(shpool: Place) -> None:
    client = shpool.attach("one")
    client.ask("true")
    events = shpool.subscribe()
    client.send("exit\n")
    assert client.wait() == 0
    shpool.expect_events(events, "removed")


def test_a_shell_that_exits_while_nobody_is_attached(shpool: Place) -> None:
    fifo = shpool.scratch / "fifo"
    os.mkfifo(fifo)
    shpool.raw_session("one", f"sh -c 'read x < {fifo}'")
    events = shpool.subscribe()
    fifo.write_text("go\n")
    assert events.types(1) == ["session.removed"]
    assert shpool.statuses() == {}
    shpool.expect_events(events)


def test_a_kill_of_an_attached_session(shpool: Place) -> None:
    client = shpool.attach("one")
    client.ask("true")
    events = shpool.subscribe()
    assert shpool.run("kill", "one").status == 0
    client.wait()
    shpool.expect_events(events, "removed")


def test_a_kill_of_a_detached_session(shpool: Place) -> None:
    shpool.raw_session("one")
    events = shpool.subscribe()
    assert shpool.run("kill", "one", "unknown").status == 1
    shpool.expect_events(events, "removed")


def test_a_kill_of_an_attached_shell_that_ignores_the_hang_up(shpool: Place) -> None:
    peer = shpool.raw_attach("one", "sh -c 'trap \"\" HUP; echo ready; sleep 1000'")
    peer.output_until(b"ready")
    events = shpool.subscribe()
    shpool.kill("one")
    assert peer.to_exit_status()[1] == 128 + signal.SIGKILL
    shpool.expect_events(events, "removed")


def test_the_end_of_a_time_to_live(shpool: Place) -> None:
    events = shpool.subscribe()
    peer = shpool.raw_attach("one", "sleep 1000", ttl_secs=0)
    assert peer.to_exit_status()[1] == 128 + signal.SIGHUP
    shpool.expect_events(events, "created", "attached", "removed")


def test_what_changes_nothing_in_the_table_is_no_event(shpool: Place) -> None:
    client = shpool.attach("one-{x}", rows=24)
    client.ask("true")
    events = shpool.subscribe()
    assert shpool.run("attach", "one-").status == 0  # busy
    client.resize(30, 90)
    eventually(lambda: client.ask("stty size") == "30 90\n")
    assert shpool.run("var", "set", "y", "1").status == 0
    assert shpool.run("var", "unset", "y").status == 0
    assert shpool.run("list").status == 0
    assert shpool.run("detach", "unknown").status == 1
    assert shpool.run("kill", "unknown").status == 1
    assert shpool.run("set-log-level", "debug").status == 0
    assert shpool.run("attach", "-b", "-c", "/nowhere", "bad").status == 1
    assert shpool.run("attach", "-b", "a b").status == 1
    shpool.expect_events(events)


def test_a_switch_leaves_one_session_and_makes_another(shpool: Place) -> None:
    client = shpool.attach("s-{w}")
    client.ask("true")
    events = shpool.subscribe()
    shpool.run("var", "set", "w", "b")
    eventually(lambda: shpool.statuses() == {"s-": "Disconnected", "s-b": "Attached"})
    shpool.expect_events(events, "detached", "created", "attached")


def test_the_end_of_the_daemon_is_the_end_of_the_stream_and_no_event(shpool: Place) -> None:
    shpool.raw_session("one")
    shpool.raw_attach("two", "sleep 1000")
    events = shpool.subscribe()
    assert shpool.stop() == 0
    assert events.ended()


def test_an_attach_whose_old_shell_has_died_unseen_makes_a_new_session(shpool: Place) -> None:
    # The daemon is stopped while the shell dies and somebody attaches, so that it meets both in
    # one turn.  Which of them it sees first must not be seen from outside.
    shpool.raw_session("one", "sleep 1234")
    (pid,) = shpool.pids("sleep 1234")
    events = shpool.subscribe()
    peer = shpool.peer()
    os.kill(shpool.daemon_pid, signal.SIGSTOP)
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: _state(pid) == "Z")
    peer.request(attach_header("one", "sleep 1000"))
    os.kill(shpool.daemon_pid, signal.SIGCONT)
    assert "Created" in peer.message()["status"]
    shpool.expect_events(events, "removed", "created", "attached")


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]


# ---- subscribers


def test_the_line_is_the_contract_to_the_byte(shpool: Place) -> None:
    events = shpool.subscribe()
    shpool.fence()
    assert events.lines(4) == [
        b'{"type":"session.created"}',
        b'{"type":"session.attached"}',
        b'{"type":"session.detached"}',
        b'{"type":"session.removed"}',
    ]
    assert events.nothing_waits()


def test_all_subscribers_hear_the_same_from_when_they_came(shpool: Place) -> None:
    early = shpool.subscribe()
    shpool.raw_session("one")
    late = shpool.subscribe()
    shpool.kill("one")
    shpool.expect_events(early, "created", "attached", "detached", "removed")
    assert late.types(5)[0] == "session.removed"
    assert late.nothing_waits()


def test_a_list_sent_after_reading_an_event_never_shows_the_state_before_it(
    shpool: Place,
) -> None:
    events = shpool.subscribe()
    for _ in range(50):
        peer = shpool.peer()
        peer.request(attach_header("one", "sleep 1000"))
        assert events.types(1) == ["session.created"]
        assert "one" in shpool.statuses()
        assert events.types(1) == ["session.attached"]
        assert shpool.statuses() == {"one": "Attached"}
        peer.close()
        assert events.types(1) == ["session.detached"]
        assert shpool.statuses() == {"one": "Disconnected"}
        killer = shpool.peer()
        killer.request({"Kill": {"sessions": ["one"]}})
        assert events.types(1) == ["session.removed"]
        assert shpool.statuses() == {}
        killer.close()


def test_a_subscriber_that_writes_garbage_is_listened_to_with_patience(shpool: Place) -> None:
    events = shpool.subscribe()
    for garbage in (b"hello\n", b"\xff" * 100_000, b'{"type":"session.removed"}\n'):
        events.sock.sendall(garbage)
    shpool.raw_session("one")
    shpool.expect_events(events, "created", "attached", "detached")


def test_a_subscriber_that_shuts_its_writing_side_down_stays_subscribed(shpool: Place) -> None:
    events = shpool.subscribe()
    events.sock.shutdown(socket.SHUT_WR)
    shpool.raw_session("one")
    shpool.expect_events(events, "created", "attached", "detached")


def test_a_subscriber_that_has_gone_is_forgotten(shpool: Place) -> None:
    def come_and_go() -> None:
        subscribers = [shpool.subscribe() for _ in range(20)]
        for subscriber in subscribers[::2]:
            subscriber.sock.shutdown(socket.SHUT_WR)
        for subscriber in subscribers:
            subscriber.close()

    shpool.request("List")
    before = shpool.descriptors()
    come_and_go()
    # One more may stay: the loop needs it for those who have shut their writing side down.
    eventually(lambda: shpool.descriptors() <= before + 1, "the descriptors are closed")
    come_and_go()
    eventually(lambda: shpool.descriptors() <= before + 1, "the descriptors are closed")


def test_one_that_never_reads_is_cut_off_while_another_hears_all_10_000(shpool: Place) -> None:
    deaf = shpool.subscribe()
    names = [f"s{number}" for number in range(50)]
    for name in names:
        shpool.raw_session(name)
    hearing = shpool.subscribe()
    memory = shpool.memory()
    heard: list[str] = []
    rounds = 100
    for done in range(1, rounds + 1):
        peers = [shpool.peer(greeted=False) for _ in names]
        for name, peer in zip(names, peers):
            peer.request(attach_header(name))
        heard += hearing.types(len(names))
        for peer in peers:
            peer.close()
        heard += hearing.types(len(names))
        if done == 50:  # by then it has what it needs for so many at once
            memory = shpool.memory()
    assert heard == (["session.attached"] * 50 + ["session.detached"] * 50) * rounds
    shpool.expect_events(hearing)
    shpool.logged("evicted a subscriber")
    assert shpool.log_text().count("evicted") == 1
    assert shpool.memory() - memory < 2048, "its backlog was kept"
    # What the kernel had taken for it is whole lines but for the last; then the stream ends.
    received = b""
    while data := deaf.sock.recv(65536):
        received += data
    lines = received.split(b"\n")
    assert 100 < len(lines) < len(heard)
    assert lines[0] == b'{"type":"session.created"}'


def test_a_hundred_subscribers_all_hear_everything(shpool: Place) -> None:
    subscribers = [shpool.subscribe() for _ in range(100)]
    shpool.fence()
    for subscriber in subscribers:
        assert subscriber.types(4)[3] == "session.removed"
        assert subscriber.nothing_waits()


@contextlib.contextmanager
def listening(place: Place, *argv: str) -> Iterator[IO[bytes]]:
    """What a program prints that is told of every event from now on, until it ends by itself."""
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, env=place.env)
    assert process.stdout is not None
    try:
        with process.stdout:
            place.until_subscribed(1)
            yield process.stdout
        assert process.wait(DEADLINE) == 0
    finally:
        process.kill()
        process.wait()


def test_socat_is_a_complete_subscriber(shpool: Place) -> None:
    socat = need("socat")
    with listening(shpool, socat, "-u", f"UNIX-CONNECT:{shpool.events_socket}", "-") as output:
        shpool.fence()
        assert [output.readline() for _ in range(4)][3] == b'{"type":"session.removed"}\n'
        shpool.stop()
        assert output.read() == b""


def test_events_can_be_piped_to_jq(shpool: Place) -> None:
    jq = need("jq")
    words = " ".join(shpool.command("events"))
    with listening(shpool, "sh", "-c", f"{words} | {jq} --unbuffered -r .type") as output:
        shpool.fence()
        assert output.readline() == b"session.created\n"
        shpool.stop()
        assert output.read() == b"session.attached\nsession.detached\nsession.removed\n"
