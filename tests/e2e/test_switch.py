"""shpool switch: an attached terminal goes over to another session, and back."""

from __future__ import annotations

import os
import signal

import pytest

from tests.e2e.conftest import BOTH_WAYS
from tests.e2e.harness import DETACH, Place, Terminal, eventually
from tests.e2e.processes import is_stopped
from tests.e2e.test_variables import at

pytestmark = BOTH_WAYS


LONG = "b -c \"$(printf 'x%.0s' {1..20000})\""


def name_of(client: Terminal) -> str:
    return client.ask("echo $SHPOOL_SESSION_NAME").strip()


def go(client: Terminal, place: Place, words: str, name: str) -> None:
    """Have the client type a switch, and wait until it is there."""
    client.send(f"shpool switch {words}\n")
    eventually(lambda: at(place, **{name: client.pid}), f"it goes to {name}")


def test_there_and_back_in_the_same_process_and_terminal(inside: Place) -> None:
    client = inside.attach("a", env={"TERM": "xterm-256color"}, rows=30, cols=90)
    client.ask("x=first")
    events = inside.subscribe()
    go(client, inside, "b", "b")
    assert client.ask("echo $SHPOOL_SESSION_NAME $TERM") == "b xterm-256color\n"
    assert client.ask("stty size") == "30 90\n"
    inside.expect_events(events, "detached", "created", "attached")
    go(client, inside, "-", "a")
    assert client.ask("echo $x") == "first\n"
    go(client, inside, "-", "b")
    (row,) = inside.sessions()["b"]["attachments"]
    assert (row["session_name_template"], row["pid"]) == ("b", client.pid)
    client.send(DETACH)
    assert client.wait() == 0
    assert client.modes() == client.first_modes


def test_what_a_new_session_is_made_of_is_worked_out_where_it_was_typed(inside: Place) -> None:
    for name in ("here", "there"):
        (inside.scratch / name).mkdir()
    inside.run("var", "set", "w", "there")
    client = inside.attach("a", "-c", "bash -i", "-d", str(inside.scratch))
    client.ask("cd here")
    go(client, inside, "b -d .", "b")
    assert client.ask("pwd") == f"{inside.scratch}/here\n"
    go(client, inside, "'{w}' -s 'y={w}' -d '../{w}' --ttl 1h", "there")
    assert client.ask("echo $y; pwd") == f"there\n{inside.scratch}/there\n"
    inside.run("var", "set", "w", "elsewhere")
    assert name_of(client) == "there", "variables move it no more"
    go(client, inside, "-", "b")
    client.send("shpool switch c -c 'sh -c \"echo the argument; cat\"'\n")
    client.expect("the argument\r\n")
    assert at(inside, c=client.pid)


@pytest.mark.parametrize("kind", ["bash", "sh"])
def test_the_exit_status_is_that_of_the_last_session(inside: Place, kind: str) -> None:
    client = inside.attach("a")
    client.ask("true")
    go(client, inside, f"b -c {kind}", "b")
    client.send("exit 7\n")
    assert client.wait() == 7
    assert inside.statuses() == {"a": "Disconnected"}


def test_what_cannot_be_is_said_where_it_was_typed_and_the_client_stays(inside: Place) -> None:
    holder = inside.attach("held")
    holder.ask("true")
    client = inside.attach("a")
    for words, said in {
        "held": "session 'held' already has a terminal attached",
        "b/c": "session names may not contain slashes",
        "'b c'": "session name 'b c' may not have whitespace",
        "b -c nonsense-program": "cannot run 'nonsense-program': No such file or directory",
        "b -c /etc": "cannot run '/etc': No such file or directory",
        "b -c /etc/passwd": "cannot run '/etc/passwd': Permission denied",
        "b -d /nonsense": "cannot use the directory '/nonsense': No such file or directory",
        "b -c 'x \"'": "cannot split the command 'x \"': ",
        "b -s x -c y": "a start command needs a shell",
        "b -c '{0}'": "invalid var name: '0'",
        "-": "there is no session before this one",
        "--from zzz b": "not found: zzz",
        "--pid 1 b": "no client with pid 1 is attached to any session",
        "--from held --pid 1 b": "no client with pid 1 is attached to 'held'",
        LONG: "command and directory together may not take more than 16384 bytes",
    }.items():
        shown = client.ask(f"shpool switch {words}; echo status $?")
        assert said in shown
        assert shown.endswith("\nstatus 1\n")
        assert shown.count("\n") == 2
    shown = client.ask("shpool switch b --ttl 7; echo status $?")
    assert shown.startswith("shpool: could not parse '7' as duration: no unit")
    assert shown.endswith("\nstatus 2\n")
    assert inside.statuses() == {"held": "Attached", "a": "Attached"}
    assert client.ask("shpool switch a; echo status $?") == "status 0\n"
    assert client.ask("shpool switch --pid x b 2>&1 | head -1") == (
        "shpool: --pid x: a pid is a number, as list --json has it\n"
    )
    assert name_of(client) == "a"


def test_force_detaches_who_is_there(inside: Place) -> None:
    holder = inside.attach("b")
    holder.ask("true")
    client = inside.attach("a")
    client.ask("true")
    go(client, inside, "-f b", "b")
    assert holder.wait() == 0


def test_share_joins_who_is_there(inside: Place) -> None:
    holder = inside.attach("b")
    holder.ask("x=shared")
    client = inside.attach("a")
    client.send("shpool switch -x b\n")
    both = [holder.pid, client.pid]
    eventually(lambda: [who["pid"] for who in inside.sessions()["b"]["attachments"]] == both)
    assert client.ask("echo $x") == "shared\n"
    holder.expect("shared\r\n")
    # Each of them goes for itself: who typed it, whoever drives.
    holder.send("shpool switch a\n")
    eventually(lambda: at(inside, a=holder.pid, b=client.pid))
    assert inside.run("switch", "--from", "b", "--pid", str(client.pid), "-x", "-").status == 0
    eventually(lambda: inside.statuses() == {"b": "Disconnected", "a": "Attached"})
    assert [who["pid"] for who in inside.sessions()["a"]["attachments"]] == both


def test_who_watches_is_sent_where_there_is_something_to_watch_and_goes_on_to(
    inside: Place,
) -> None:
    inside.raw_session("b", "cat")
    client = inside.attach("a")
    client.ask("true")
    watcher = inside.attach("-r", "a")
    pid = str(watcher.pid)

    def watched(name: str) -> bool:
        return [each["pid"] for each in inside.sessions()[name]["watchers"]] == [watcher.pid]

    eventually(lambda: watched("a"))
    assert inside.run("switch", "--pid", pid, "zzz") == (1, "", "not found: zzz\n")
    assert inside.run("switch", "--pid", pid, "b").status == 0
    eventually(lambda: watched("b"))
    watcher.send("typed in vain\n")
    assert inside.run("switch", "--pid", pid, "-").status == 0
    eventually(lambda: watched("a"))
    assert inside.run("peek", "b").out.strip() == ""
    assert at(inside, a=client.pid)


def test_the_configuration_may_say_what_an_occupied_session_is_to_who_goes_there(
    inside: Place,
) -> None:
    holder = inside.attach("b")
    holder.ask("true")
    client = inside.attach("a")
    inside.configure('attach = "share"')
    client.send("shpool switch b\n")
    both = [holder.pid, client.pid]
    eventually(lambda: [who["pid"] for who in inside.sessions()["b"]["attachments"]] == both)
    inside.configure('attach = "force"')
    other = inside.attach("c")
    other.ask("true")
    go(other, inside, "b", "b")
    assert (holder.wait(), client.wait()) == (0, 0)


def test_from_outside_it_has_to_be_said_whose_client_is_meant(inside: Place) -> None:
    client = inside.attach("a")
    client.ask("true")
    assert inside.run("switch", "b") == (
        *(1, ""),
        "this is not inside a session; from outside: shpool switch --from OLD NAME\n",
    )
    assert inside.run("switch", "--from", "a", "b") == (0, "", "")
    eventually(lambda: at(inside, b=client.pid))
    assert inside.run("switch", "--from", "a", "b") == (1, "", "nobody is attached to 'a'\n")
    assert inside.run("switch", "--pid", str(client.pid), "-") == (0, "", "")
    eventually(lambda: at(inside, a=client.pid))
    # What the environment says does not count.
    env = {"SHPOOL_SESSION_NAME": "a"}
    assert inside.run("switch", "b", env=env).status == 1


def test_a_session_may_be_called_like_the_way_back(inside: Place) -> None:
    client = inside.attach("a")
    client.ask("true")
    go(client, inside, "-- -", "-")
    assert name_of(client) == "-"
    go(client, inside, "-", "a")


def test_the_way_back_is_over_when_that_session_is(inside: Place) -> None:
    client = inside.attach("a")
    client.ask("true")
    go(client, inside, "b", "b")
    inside.kill("a")
    assert "the session before this one has ended: 'a'" in client.ask("shpool switch -")
    assert inside.statuses() == {"b": "Attached"}


def test_a_client_that_does_not_say_what_it_is_cannot_go(inside: Place) -> None:
    peer = inside.raw_attach("a", "sleep 1000")
    done = inside.run("switch", "--from", "a", "b")
    pid = inside.sessions()["a"]["attachments"][0]["pid"]
    assert done == (
        *(1, ""),
        f"the client of 'a' (pid {pid}) cannot go over: it is the original's or too old\n",
    )
    peer.close()


def test_a_stopped_client_goes_to_where_it_was_told_to_last(inside: Place) -> None:
    client = inside.attach("a")
    client.ask("true")
    os.kill(client.pid, signal.SIGSTOP)
    eventually(lambda: is_stopped(client.pid))
    for name in ("b", "c"):
        assert inside.run("switch", "--from", "a", name).status == 0
    os.kill(client.pid, signal.SIGCONT)
    eventually(lambda: at(inside, c=client.pid))
    assert name_of(client) == "c"
    assert set(inside.statuses()) == {"a", "c"}


def test_a_client_that_cannot_have_it_after_all_comes_back_and_says_why(inside: Place) -> None:
    client = inside.attach("a")
    client.ask("x=kept")
    os.kill(client.pid, signal.SIGSTOP)
    eventually(lambda: is_stopped(client.pid))
    assert inside.run("switch", "--from", "a", "b").status == 0
    holder = inside.attach("b")
    holder.ask("true")
    os.kill(client.pid, signal.SIGCONT)
    client.expect("shpool: session 'b' already has a terminal attached\r\n")
    client.send("\n")  # it stands there until a key is typed
    eventually(lambda: at(inside, a=client.pid, b=holder.pid))
    assert client.ask("echo $x") == "kept\n"
    assert "there is no session before this one" in client.ask("shpool switch -")


def test_what_has_ended_meanwhile_is_not_made_again_to_come_back_to(inside: Place) -> None:
    client = inside.attach("a", "-c", "sleep 1000")
    eventually(lambda: at(inside, a=client.pid))
    os.kill(client.pid, signal.SIGSTOP)
    eventually(lambda: is_stopped(client.pid))
    assert inside.run("switch", "--from", "a", "b").status == 0
    peer = inside.raw_attach("b", "sleep 1000")
    os.kill(client.pid, signal.SIGCONT)
    client.expect("already has a terminal attached\r\n")
    inside.kill("a")
    client.send("x")
    assert client.wait() == 1
    assert "not found: a" in client.text()
    assert client.modes() == client.first_modes
    assert inside.statuses() == {"b": "Attached"}
    peer.close()


def test_the_shell_may_end_in_which_it_was_typed(inside: Place) -> None:
    for turn in range(4):
        client = inside.attach("a")
        client.ask("true")
        client.send("shpool switch b; exit\n")
        eventually(lambda: inside.statuses() == {"b": "Attached"}, f"turn {turn}")
        assert name_of(client) == "b"
        client.send(DETACH)
        assert client.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_it_says_why_ends_it(inside: Place, number: int) -> None:
    client = inside.attach("a")
    before = client.first_modes
    client.ask("true")
    os.kill(client.pid, signal.SIGSTOP)
    eventually(lambda: is_stopped(client.pid))
    assert inside.run("switch", "--from", "a", "b").status == 0
    inside.raw_session("b")
    peer = inside.raw_attach("b")
    os.kill(client.pid, signal.SIGCONT)
    client.expect("already has a terminal attached\r\n")
    os.kill(client.pid, number)
    assert client.wait() == 128 + number
    assert client.modes() == before
    peer.close()
