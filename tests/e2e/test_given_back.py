"""What has ended is given back at once, by counting references alone: no collection is waited for.

A daemon without garbage collection tells how many objects of ours there are, of each class.
"""

import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable

import pytest

from shpool.protocol.msgpack import pack
from tests.e2e.conftest import BOTH_WAYS
from tests.e2e.harness import CHECKOUT, DETACH, Place, eventually

COUNTING = """
import collections, gc, os, signal, sys
from shpool.daemon import server
from shpool.daemon.loop.reactor import Reactor
from shpool.paths import Paths

gc.disable()

def count():
    found = collections.Counter(type(each).__name__ for each in gc.get_objects()
                                if type(each).__module__.startswith("shpool."))
    with open(sys.argv[1] + ".new", "w") as file:
        for name in sorted(found):
            print(name, found[name], file=file)
    os.rename(sys.argv[1] + ".new", sys.argv[1])

def run(reactor, run=Reactor.run):
    reactor.on_signal(signal.SIGUSR2, count)
    run(reactor)

Reactor.run = run
server.run(Paths(os.environ), [sys.argv[2]], os.environ, None)
"""


def count(place: Place) -> "dict[str, int]":
    """How many objects of each class of ours the daemon has."""
    report = place.scratch / "report"
    report.unlink(missing_ok=True)
    assert place.daemon is not None
    place.daemon.send_signal(signal.SIGUSR2)
    eventually(report.exists, "it has counted")
    lines = [line.split() for line in report.read_text().splitlines()]
    return {name: int(number) for name, number in lines}


def counting(place: Place) -> None:
    with open(place.log, "ab") as log:
        place.daemon = subprocess.Popen(
            [sys.executable, "-c", COUNTING, place.scratch / "report", place.config_file],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**place.env, "PYTHONPATH": str(CHECKOUT)},
        )
    eventually(place.answers, "the daemon answers")
    place.run("list")  # what is made once is made


def exits(place: Place) -> None:
    client = place.attach("one")
    client.ask("seq 3000")
    client.send("exit\n")
    client.wait()


def is_killed(place: Place) -> None:
    client = place.attach("one")
    client.ask("seq 3000")
    place.kill("one")
    client.wait()


def is_left_and_killed(place: Place) -> None:
    client = place.attach("one")
    client.ask("seq 3000")
    client.send(DETACH)
    client.wait()
    again = place.attach("one", rows=30, cols=100)
    again.ask("seq 300")
    place.run("attach", "one")  # busy
    place.run("detach", "one")
    again.wait()
    place.kill("one")


def loses_its_client(place: Place) -> None:
    client = place.attach("one")
    client.ask("printf '\\033[?1049h\\033[?1000h\\033[31mred'")
    client.kill()
    eventually(lambda: place.statuses()["one"] == "Disconnected", "it is seen to be gone")
    client = place.attach("one")
    client.expect("red")
    client.hang_up()
    eventually(lambda: place.statuses()["one"] == "Disconnected", "it is seen to be gone")
    place.kill("one")


def is_killed_in_a_flood(place: Place) -> None:
    peer = place.raw_attach("one", "yes flood")
    peer.output_until(b"flood")
    place.kill("one")
    peer.remainder()
    peer.close()


def has_a_frozen_client(place: Place) -> None:
    before = place.log_text().count("takes no output")
    deaf = place.raw_attach("one", "yes flood")
    eventually(lambda: place.log_text().count("takes no output") > before, "it is frozen")
    place.kill("one")
    deaf.close()


def has_a_time_to_live(place: Place) -> None:
    assert place.run("attach", "-b", "--ttl", "20d", "one").status == 0
    place.kill("one")


def cannot_be_made(place: Place) -> None:
    for fields in (
        {"name": "a/b"},
        {"name": "one", "cmd": "/nowhere/to/be/found"},
        {"name": "one", "cmd": "'"},
        {"name": "one", "dir": "/nowhere"},
    ):
        peer = place.raw_attach(**fields)
        assert "UnexpectedError" in peer.status
        peer.close()


def is_asked_about(place: Place) -> None:
    for words in (["list"], ["var", "set", "a", "b"], ["var", "unset", "a"], ["kill", "nobody"]):
        place.run(*words)
    for request in (b"", b"\xc1", pack("Nonsense"), pack({"Kill": {"sessions": 5}})[:9]):
        peer = place.peer()
        peer.send(request)
        peer.sock.shutdown(socket.SHUT_WR)
        peer.remainder()
        peer.close()
    subscriber = place.subscribe()
    place.fence()
    subscriber.close()


def check(place: Place, way: Callable[[Place], None]) -> None:
    """There are no more objects after it was done again than there were before."""
    way(place)
    assert place.sessions() == {}
    before: dict[str, int] = {}

    def settled() -> bool:
        nonlocal before
        latest, before = before, count(place)
        return latest == before and "Session" not in before

    eventually(settled, "what was done is over")
    for _ in range(2):
        way(place)
    grown: dict[str, tuple[int, int]] = {}

    def as_before() -> bool:
        grown.clear()
        for name, number in count(place).items():
            if number > before.get(name, 0):
                grown[name] = before.get(name, 0), number
        return not grown

    try:
        eventually(as_before, "as many objects as before")
    finally:
        print(f"--- more than before: {grown}")


@BOTH_WAYS
@pytest.mark.parametrize("way", [exits, is_killed, is_left_and_killed, loses_its_client])
def test_a_session_that(place: Place, way: Callable[[Place], None]) -> None:
    counting(place)
    check(place, way)


@pytest.mark.parametrize(
    "way", [is_killed_in_a_flood, has_a_frozen_client, has_a_time_to_live, cannot_be_made]
)
def test_a_session_too_that(place: Place, way: Callable[[Place], None]) -> None:
    counting(place)
    check(place, way)


def test_connections_and_subscribers(place: Place) -> None:
    counting(place)
    check(place, is_asked_about)


def pager(place: Place) -> None:
    path = place.scratch / "pager"
    path.write_text("#!/bin/sh\necho paging\nread line\n")
    path.chmod(0o755)
    (place.scratch / "motd").write_text("of the day\n")
    place.configure(f"motd_args = ['motd={place.scratch}/motd']\n[motd.pager]\nbin = '{path}'")


def pages(place: Place) -> None:
    client = place.attach("one")
    client.expect("paging")
    client.send("\n")
    client.ask("true")
    place.kill("one")
    client.wait()


def ends_in_the_pager(place: Place) -> None:
    client = place.attach("one")
    client.expect("paging")
    place.kill("one")
    client.wait()


def is_left_in_the_pager(place: Place) -> None:
    client = place.attach("one")
    client.expect("paging")
    client.kill()
    eventually(lambda: place.statuses()["one"] == "Disconnected", "it is seen to be gone")
    place.kill("one")


@pytest.mark.parametrize("way", [pages, ends_in_the_pager, is_left_in_the_pager])
def test_a_session_that_is_entered_by_a_pager_and(
    place: Place, way: Callable[[Place], None]
) -> None:
    pager(place)
    counting(place)
    check(place, way)


COLOURED = r"seq -f $'\e[31mred %g\e[m and some more text\e[1m that is bold\e[m' 3000"


def test_the_system_gets_the_memory_of_ended_sessions_back(place: Place) -> None:
    place.configure("output_spool_lines = 3000")
    place.start()

    def fill(name: str) -> None:
        peer = place.raw_attach(name, f"bash -c {shlex.quote(f'{COLOURED}; exec sleep 1000')}")
        peer.output_until(rb"red 3000")
        peer.close()

    fill("before")
    place.kill("before")
    before = place.memory()
    names = [f"s{number}" for number in range(25)]
    for name in names:
        fill(name)
    taken = eventually(lambda: max(place.memory() - before - 8192, 0), "memory is taken") + 8192
    place.kill(*names)
    eventually(lambda: place.memory() - before < taken * 2 / 3, "much of it is given back")
