"""Attaching: a terminal and its session, from the first keystroke to the exit status."""

from tests.e2e.harness import DETACH, Place


def test_attach_makes_a_session_in_which_typing_works(shpool: Place) -> None:
    client = shpool.attach("one")
    assert client.ask("echo hello $SHPOOL_SESSION_NAME") == "hello one\n"
    assert shpool.statuses() == {"one": "Attached"}


def test_ctrl_space_ctrl_q_detaches_and_attach_goes_on_where_it_was(shpool: Place) -> None:
    client = shpool.attach("one")
    client.ask("x=kept")
    client.send(DETACH)
    assert client.wait() == 0
    assert shpool.statuses() == {"one": "Disconnected"}
    again = shpool.attach("one")
    assert again.ask("echo $x") == "kept\n"


def test_the_exit_status_of_the_shell_is_the_clients(shpool: Place) -> None:
    client = shpool.attach("one")
    client.send("exit 7\n")
    assert client.wait() == 7
    assert shpool.statuses() == {}
