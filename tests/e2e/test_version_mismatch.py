"""A daemon of another protocol version: every command warns and goes on, attach asks first."""

import pytest

from tests.e2e.harness import Place

OLDER = 'client protocol (version "0.4.2") is older than daemon protocol (version "{}")'
NEWER = 'shpool: client protocol ("0.4.2") is newer than daemon protocol (version "{}")'
UNKNOWN = "could not get daemon version"

WARNINGS = {
    "0.5.0": OLDER,
    "1.0.0": OLDER,
    "0.3.9": NEWER,
    "0.4": UNKNOWN,
    "none": UNKNOWN,
}

HINT = "hit enter to continue anyway or ^C to exit\n"


def start(place: Place, version: str) -> str:
    """A daemon of that version; what clients are to say of it."""
    place.start(env={"SHPOOL_TEST__OVERRIDE_VERSION": version})
    return "warning: " + WARNINGS[version].format(version)


@pytest.mark.parametrize("version", WARNINGS)
def test_list_warns_on_stderr_and_goes_on(place: Place, version: str) -> None:
    said = start(place, version) + ", try restarting your daemon\n"
    assert place.run("list") == (0, "NAME\tSTATUS\n", said)


def test_so_does_every_other_short_command(place: Place) -> None:
    said = start(place, "0.5.0") + ", try restarting your daemon\n"
    assert place.run("var", "set", "a", "b") == (0, "", said)
    assert place.run("var", "get", "a") == (0, "b\n", said)
    assert place.run("detach", "zzz") == (1, "", f"{said}not found: zzz\n")
    assert place.run("kill", "zzz") == (1, "", f"{said}not found: zzz\n")
    assert place.run("set-log-level", "info") == (0, "", said)


@pytest.mark.parametrize("version", ["0.4.0", "0.4.99"])
def test_a_patch_version_makes_no_difference(place: Place, version: str) -> None:
    place.start(env={"SHPOOL_TEST__OVERRIDE_VERSION": version})
    assert place.run("list") == (0, "NAME\tSTATUS\n", "")


@pytest.mark.parametrize("version", WARNINGS)
def test_attach_waits_for_enter_and_what_follows_is_for_the_session(
    place: Place, version: str
) -> None:
    warning = start(place, version)
    process = place.popen("attach", "-c", "head -n 1", "one", stdin=-1)
    out, err = process.communicate(b"yes\nfor the session\n")
    assert err.decode() == f"{warning}, try restarting your daemon\n{HINT}"
    assert out.replace(b"\r", b"").startswith(b"for the session\nfor the session\n")
    assert process.returncode == 0


def test_attach_in_a_terminal_waits_for_enter(place: Place) -> None:
    start(place, "0.5.0")
    client = place.attach("one")
    client.expect(r"\^C to exit\r\n")
    assert place.sessions() == {}
    client.send("\n")
    assert client.ask("echo in") == "in\n"


def test_attach_can_be_given_up_with_ctrl_c(place: Place) -> None:
    start(place, "0.5.0")
    client = place.attach("one")
    before = client.modes()
    client.expect(r"\^C to exit\r\n")
    client.send(b"\x03")
    assert client.wait() != 0
    assert b"Traceback" not in client.output
    assert client.modes() == before
    assert place.sessions() == {}


def test_the_end_of_input_counts_as_enter(place: Place) -> None:
    start(place, "0.5.0")
    assert place.run("attach", "-c", "sh -c 'exit 5'", "one").status == 5


def test_in_the_background_nobody_is_asked(place: Place) -> None:
    warning = start(place, "0.5.0")
    done = place.run("attach", "-b", "one")
    first, *_ = done.err.splitlines()
    assert first == f"{warning}, proceeding in background mode; try restarting your daemon"
    assert (done.status, done.out) == (0, "")
    assert HINT not in done.err
    assert place.statuses() == {"one": "Disconnected"}
