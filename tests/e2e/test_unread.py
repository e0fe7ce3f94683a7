"""A daemon whose stderr nobody reads serves on: in a terminal under ^S, in front of a full pipe."""

import os
import re
import socket
import subprocess

from tests.e2e.harness import Place, eventually

# At trace level, each makes more of a log than a terminal or pipe keeps.
MUCH = "sh -c 'seq 200000; echo done'"


def talk(place: Place) -> None:
    """Log much, and see that all goes on."""
    for name in ("one", "two"):
        peer = place.raw_attach(name, MUCH)
        output, status = peer.to_exit_status()
        assert (output[-6:], status) == (b"done\r\n", 0)
    client = place.attach("three")
    assert client.ask("echo in") == "in\n"
    assert place.run("list").status == 0
    assert place.run("kill", "three").status == 0
    client.wait()


def test_in_a_terminal_under_ctrl_s(place: Place) -> None:
    daemon = place.program(place.command("-vv", "daemon"))
    eventually(place.answers, "the daemon answers")
    daemon.expect("STARTING DAEMON")
    daemon.send(b"\x13")
    talk(place)
    daemon.send(b"\x11")  # ^Q, which the system may take a while to heed

    def says() -> bool:
        place.sessions()
        daemon.shows("")
        return re.search(rb"lines lost before this one: \d+\)", daemon.output) is not None

    eventually(says, "the lost lines are counted")
    daemon.send(b"\x03")
    assert daemon.wait() == 0


def test_in_a_terminal_that_is_closed_while_it_stands_still(place: Place) -> None:
    """And with SIGHUP ignored, as nohup has it, it lives on."""
    words = place.command("-vv", "daemon")
    daemon = place.program(["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *words])
    eventually(place.answers, "the daemon answers")
    daemon.send(b"\x13")
    place.sessions()
    daemon.hang_up()
    talk(place)
    daemon.process.terminate()
    assert daemon.process.wait() == 0


def unread(place: Place, stderr: int) -> None:
    place.daemon = subprocess.Popen(
        place.command("-vv", "daemon"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        env=place.env,
        cwd="/",
    )
    eventually(place.answers, "the daemon answers")


def drained(fd: int) -> bytes:
    data = b""
    os.set_blocking(fd, False)
    try:
        while piece := os.read(fd, 65536):
            data += piece
    except BlockingIOError:
        pass
    return data


def check_unread(place: Place, near: int, far: int) -> None:
    unread(place, near)
    assert os.get_blocking(near)  # whoever else writes to it waits as before
    talk(place)
    kept = drained(far)
    place.sessions()
    kept += eventually(lambda: drained(far), "something is logged again")
    lines = kept.splitlines(keepends=True)
    assert b"STARTING DAEMON" in lines[0]
    assert [line for line in lines if not re.match(rb"\S+Z [A-Z]+ .*\n$", line)] == []
    assert re.search(rb"lines lost before this one: \d+\)\n", kept)
    assert place.stop() == 0
    os.close(near)
    os.close(far)


def test_in_front_of_a_pipe(place: Place) -> None:
    far, near = os.pipe()
    check_unread(place, near, far)


def test_in_front_of_a_socket(place: Place) -> None:
    """As journald gives it, and inetd."""
    near, far = socket.socketpair()
    check_unread(place, near.detach(), far.detach())
