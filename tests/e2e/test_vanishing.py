"""Clients whose terminal or input goes, or was never there, and who are told so in no other way."""

import os
import signal

import pytest

from tests.e2e.conftest import BOTH_WAYS
from tests.e2e.harness import Place, Terminal, eventually
from tests.e2e.processes import is_stopped
from tests.programs import need

pytestmark = BOTH_WAYS


def ended(place: Place, pid: int) -> bool:
    return pid not in place.processes()


def attached_pid(place: Place) -> int:
    pid: int = place.sessions()["one"]["attachments"][0]["pid"]
    return pid


@pytest.mark.parametrize(
    "wrapper",
    [
        ["setsid", "-w"],  # the terminal is not its controlling terminal, so no SIGHUP comes
        ["env", "--ignore-signal=HUP"],  # it was ignored when the client started
    ],
    ids=" ".join,
)
def test_a_window_that_is_closed_without_a_word_ends_the_client(
    shpool: Place, wrapper: list[str]
) -> None:
    client = shpool.program([need(wrapper[0]), *wrapper[1:], *shpool.command("attach", "one")])
    client.ask("true")
    pid = attached_pid(shpool)
    client.hang_up()
    eventually(lambda: client.process.poll() is not None and ended(shpool, pid))
    assert shpool.statuses() == {"one": "Disconnected"}


def test_a_window_that_is_closed_while_the_client_is_stopped_ends_it(shpool: Place) -> None:
    client = shpool.attach("one")
    client.ask("true")
    os.kill(client.pid, signal.SIGSTOP)
    eventually(lambda: is_stopped(client.pid))
    client.hang_up()
    os.kill(client.pid, signal.SIGCONT)
    eventually(lambda: client.process.poll() is not None)
    eventually(lambda: shpool.statuses() == {"one": "Disconnected"})


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_descriptor_that_was_closed_is_nobody_elses(shpool: Place, closed: str) -> None:
    """Nothing that is typed or shown goes to what was opened in its place."""
    command = " ".join(shpool.command("attach", "-b", "one"))
    terminal = shpool.program(["bash", "-c", f"{command} {closed}; echo status $?"])
    terminal.expect("status 0\r\n")
    assert shpool.statuses() == {"one": "Disconnected"}
    command = " ".join(shpool.command("attach", "-c", "'echo hello'", "two"))
    terminal = shpool.program(["bash", "-c", f"{command} {closed}; echo status $?"])
    terminal.expect(r"status [01]\r\n")
    assert terminal.modes() == terminal.first_modes
    eventually(lambda: list(shpool.statuses()) == ["one"])


def stop_and_go_on(client: Terminal) -> None:
    os.kill(client.pid, signal.SIGTSTP)
    eventually(lambda: is_stopped(client.pid))
    assert client.modes() == client.first_modes
    os.kill(client.pid, signal.SIGCONT)


def test_a_client_may_be_stopped_again_and_again(shpool: Place) -> None:
    client = shpool.attach("one")
    client.ask("x=kept")
    for _ in range(3):
        stop_and_go_on(client)
        eventually(lambda: shpool.statuses() == {"one": "Attached"})
        assert client.ask("echo $x") == "kept\n"
    client.send("exit 3\n")
    assert client.wait() == 3
    assert client.modes() == client.first_modes


def test_a_client_that_is_told_to_stop_and_to_end_ends(shpool: Place) -> None:
    client = shpool.attach("one")
    client.ask("true")
    os.kill(client.pid, signal.SIGSTOP)
    eventually(lambda: is_stopped(client.pid))
    for number in (signal.SIGTSTP, signal.SIGTERM, signal.SIGCONT):
        os.kill(client.pid, number)
    assert client.wait() == 128 + signal.SIGTERM
    assert client.modes() == client.first_modes
