"""Daemons of another protocol version: a warning, and attach asks before it goes on."""

import pytest

from shpool import __version__
from shpool.protocol.msgpack import pack
from tests.e2e.copies import Copy
from tests.e2e.harness import Place, eventually
from tests.e2e.test_original import Daemon, original

__all__ = ["original"]

OLDER = 'client protocol (version "0.4.2") is older than daemon protocol (version "0.5.0")'
NEWER = 'shpool: client protocol ("0.4.2") is newer than daemon protocol (version "0.3.9")'
UNREADABLE = "could not get daemon version"

MISMATCHES = pytest.mark.parametrize(
    ("version", "text"),
    [("0.5.0", OLDER), ("0.3.9", NEWER), ("nonsense", UNREADABLE), ("1.2", UNREADABLE)],
)

# One command for each request that the original does not have.
NEWER_REQUESTS = [
    ["send", "one", "x"],
    ["peek", "one"],
    ["history", "one"],
    ["wait", "one", "--exit"],
    ["follow", "one"],
]

PROMPT = "hit enter to continue anyway or ^C to exit\n"


def start(place: Place, version: str) -> None:
    place.start(env={"SHPOOL_TEST__OVERRIDE_VERSION": version})


@MISMATCHES
def test_a_command_warns_and_goes_on(place: Place, version: str, text: str) -> None:
    start(place, version)
    warning = f"warning: {text}, try restarting your daemon\n"
    assert place.run("list") == (0, "NAME\tSTATUS\n", warning)


@pytest.mark.parametrize(
    "words",
    [
        ["detach", "x"],
        ["kill", "x"],
        ["var", "list"],
        ["var", "set", "a", "b"],
        ["set-log-level", "info"],
    ],
    ids=" ".join,
)
def test_every_command_warns(place: Place, words: list[str]) -> None:
    start(place, "0.5.0")
    done = place.run(*words)
    assert done.err.startswith(f"warning: {OLDER}, try restarting your daemon\n")


@pytest.mark.parametrize("version", ["0.4.0", "0.4.99"])
def test_another_patch_version_fits(place: Place, version: str) -> None:
    start(place, version)
    assert place.run("list") == (0, "NAME\tSTATUS\n", "")


@MISMATCHES
def test_attach_asks_and_goes_on_after_enter(place: Place, version: str, text: str) -> None:
    start(place, version)
    client = place.attach("one")
    client.expect(r"\^C to exit\r\n")
    assert place.statuses() == {}
    # What follows the newline is for the session.
    client.send("\necho in $SHPOOL_SESSION_NAME\n")
    client.expect("in one\r\n")
    assert client.text().startswith(f"warning: {text}, try restarting your daemon\n{PROMPT}")
    assert place.statuses() == {"one": "Attached"}


def test_attach_ends_at_ctrl_c(place: Place) -> None:
    start(place, "0.5.0")
    client = place.attach("one")
    client.expect(r"\^C to exit\r\n")
    before = client.first_modes
    client.send(b"\x03")
    assert client.wait() != 0
    assert "Traceback" not in client.text()
    assert client.modes() == before
    assert place.statuses() == {}


def test_attach_goes_on_at_the_end_of_its_input(place: Place) -> None:
    start(place, "0.5.0")
    client = place.attach("-c", "echo in the session", "one")
    client.expect(r"\^C to exit\r\n")
    client.send(b"\x04")
    assert client.wait() == 0
    assert "in the session" in client.text()


def test_attach_goes_on_without_any_input(place: Place) -> None:
    start(place, "0.5.0")
    done = place.run("attach", "-c", "sh -c 'echo through; exit 3'", "one")
    assert done.err.startswith(f"warning: {OLDER}, try restarting your daemon\n{PROMPT}")


def test_input_behind_the_newline_of_a_pipe_reaches_the_session(place: Place) -> None:
    start(place, "0.5.0")
    process = place.popen("attach", "-c", "sh -c 'read x; exit $x'", "one", stdin=-1)
    assert process.stdin is not None
    process.stdin.write(b"\n6\n")
    process.stdin.flush()
    assert process.wait() == 6


@pytest.mark.parametrize(("version", "text"), [("0.5.0", OLDER), ("0.3.9", NEWER)])
def test_in_the_background_nobody_is_asked(place: Place, version: str, text: str) -> None:
    start(place, version)
    done = place.run("attach", "-b", "one")
    assert done.status == 0
    assert done.out == ""
    assert done.err.startswith(
        f"warning: {text}, proceeding in background mode; try restarting your daemon\n"
    )
    assert PROMPT not in done.err
    assert eventually(place.statuses) == {"one": "Disconnected"}


# ---- requests that a daemon does not know


def test_the_original_is_not_asked_for_what_it_does_not_have(
    place: Place, original: Daemon
) -> None:
    for words in NEWER_REQUESTS:
        asking = place.popen(*words)
        assert original.accept().sock.recv(1) == b"", words  # nothing was sent
        out, err = asking.communicate(timeout=60)
        assert (asking.returncode, out, err.decode()) == (
            1,
            b"",
            "shpool: the daemon does not know this request (the original shpool)\n",
        )


def test_an_older_one_of_ours_is_asked_and_hangs_up(place: Place, original: Daemon) -> None:
    for words in NEWER_REQUESTS:
        asking = place.popen(*words)
        link = original.accept(pack({"version": "0.4.2", "server": "shpool-py 0.1.0"}))
        assert link.sock.recv(1024), words  # it may know it, for it does not say what it knows
        link.close()
        out, err = asking.communicate(timeout=60)
        assert (asking.returncode, out, err.decode()) == (
            1,
            b"",
            "shpool: the daemon does not know this request (shpool-py 0.1.0; see: shpool"
            " upgrade)\n",
        )


def test_attach_says_once_that_a_daemon_of_ours_is_of_another_version(place: Place) -> None:
    place.start(env=Copy(place, "old", "0.1.0").env)
    line = (
        f"shpool: warn: the daemon is shpool-py 0.1.0 and this is shpool-py {__version__};"
        " shpool upgrade makes it the same, and sessions go on\n"
    )
    assert place.run("attach", "-b", "one") == (0, "", line)
    assert place.run("list").err == ""
    client = place.attach("one-{n}")
    assert client.ask("true") == ""
    assert place.run("var", "set", "n", "2").status == 0
    eventually(lambda: "one-2" in place.statuses())
    client.ask("true")
    assert client.text().count("shpool: warn: ") == 1


def test_a_daemon_of_the_same_version_is_nothing_to_speak_of(place: Place) -> None:
    place.start()
    assert place.run("attach", "-b", "one") == (0, "", "")
