"""Commands typed in a session: they know which one by its pty, and do not nest it unasked."""

from __future__ import annotations

import pytest

from tests.e2e.harness import DETACH, Place, eventually


def refusal(name: str, wanted: str) -> str:
    return (
        f"shpool: this is session '{name}'; to switch: shpool switch {wanted};"
        f" to nest them: shpool attach --nested {wanted}\nstatus 1\n"
    )


def test_a_session_within_a_session_has_to_be_asked_for(inside: Place) -> None:
    client = inside.attach("a")
    for name, shown in (("b", "b"), ("'x;y'", "'x;y'"), ("-- -x", "-- -x")):
        said = client.ask(f"shpool attach {name}; echo status $?").replace("\r", "")
        assert said == refusal("a", shown)
    assert inside.statuses() == {"a": "Attached"}
    # What types nothing, or is typed to by a program, may.
    assert client.ask("shpool attach -b b") == ""
    assert inside.statuses() == {"a": "Attached", "b": "Disconnected"}
    words = "echo 'echo from a pipe $((6*7)); exit' | shpool attach b | tr -d '\\r' | grep 42$"
    assert client.ask(words) == "from a pipe 42\n"
    client.send("shpool attach --nested b\n")
    eventually(lambda: inside.statuses() == {"a": "Attached", "b": "Attached"})
    assert client.ask("echo $SHPOOL_SESSION_NAME") == "b\n"
    client.send("exit\n")
    eventually(lambda: inside.statuses() == {"a": "Attached"})
    assert client.ask("echo $SHPOOL_SESSION_NAME") == "a\n"


def test_the_configuration_may_allow_it(inside: Place) -> None:
    client = inside.attach("a")
    client.ask("true")
    inside.configure("nested = true")
    client.send("shpool attach b\n")
    eventually(lambda: inside.statuses() == {"a": "Attached", "b": "Attached"})
    client.send(DETACH)  # from the outer one, as CONFIG.md says
    assert client.wait() == 0
    assert inside.statuses() == {"a": "Disconnected", "b": "Attached"}


def test_an_original_client_nests_as_ever(inside: Place) -> None:
    """One that does not say whether it may: here the bytes of it come from inside a session."""
    client = inside.attach("a")
    code = (
        "import os,socket,sys; sys.path.insert(0, os.environ['SHPOOL_TEST_PATH']);"
        "from tests.e2e.peers import Peer, attach_header; from pathlib import Path;"
        "p = Peer(Path(sys.argv[1])); p.request(attach_header('b', 'sleep 1000'));"
        "print(*p.message()['status'])"
    )
    path = inside.env["PYTHONPATH"]
    python = inside.command()[0]
    assert client.ask(f'SHPOOL_TEST_PATH={path} {python} -c "{code}" {inside.socket}') == (
        "Created\n"
    )


@pytest.mark.parametrize("way", ["attach --nested", "attach --nested -f", "switch", "switch -f"])
def test_nothing_shows_a_session_in_itself(inside: Place, way: str) -> None:
    client = inside.attach("a")
    client.send("shpool attach --nested b\n")
    eventually(lambda: inside.statuses() == {"a": "Attached", "b": "Attached"})
    assert client.ask(f"shpool {way} a; echo status $?").replace("\r", "").removeprefix(
        "shpool: "
    ) == ("session 'a' cannot be attached to from inside it\nstatus 1\n")
    assert client.ask("echo $SHPOOL_SESSION_NAME") == "b\n"


def test_variables_do_not_bring_a_client_into_itself(inside: Place) -> None:
    inside.run("var", "set", "w", "b")
    client = inside.attach("a")
    client.send("shpool attach --nested '{w}'\n")
    eventually(lambda: inside.statuses() == {"a": "Attached", "b": "Attached"})
    inside.run("var", "set", "w", "a")
    client.expect("session 'a' cannot be attached to from inside it\r\n")
    client.send("echo status $?\n")
    client.expect("status 1\r\n")
    assert inside.statuses() == {"a": "Attached", "b": "Disconnected"}


def test_a_nested_client_goes_over_by_itself(inside: Place) -> None:
    client = inside.attach("a")
    client.send("shpool attach --nested b\n")
    eventually(lambda: inside.statuses() == {"a": "Attached", "b": "Attached"})
    client.ask("true")
    client.send("shpool switch c\n")
    eventually(lambda: inside.statuses().get("c") == "Attached")
    assert inside.statuses() == {"a": "Attached", "b": "Disconnected", "c": "Attached"}
    assert client.ask("echo $SHPOOL_SESSION_NAME") == "c\n"


def test_detach_lets_the_client_go_that_typed_it(inside: Place) -> None:
    client = inside.attach("a")
    client.ask("export SHPOOL_SESSION_NAME=zzz")
    client.send("shpool detach\n")
    assert client.wait() == 0
    assert inside.statuses() == {"a": "Disconnected"}
    assert inside.run("send", "a", "-e", "shpool detach >~/out 2>&1; echo $? >>~/out").status == 0
    out = inside.home / "out"
    eventually(lambda: out.exists() and out.read_text() == "not attached: a\n1\n")
