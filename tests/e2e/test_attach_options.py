"""What attach can be told: its options, and the name of the session."""

import os
import pwd
import signal
from pathlib import Path

import pytest

from tests.e2e.harness import DETACH, Place, eventually

# ---- in the background


def test_background_makes_a_session_and_lets_go_of_it(shpool: Place) -> None:
    done = shpool.run("attach", "-b", "one")
    assert done == (0, "", "")
    assert shpool.statuses() == {"one": "Disconnected"}
    assert shpool.attach("one").ask("echo alive") == "alive\n"


def test_background_on_a_free_session_is_fine_too(shpool: Place) -> None:
    shpool.raw_session("one")
    assert shpool.run("attach", "--background", "one") == (0, "", "")
    assert shpool.statuses() == {"one": "Disconnected"}


def test_background_with_force_frees_a_session(shpool: Place) -> None:
    first = shpool.attach("one")
    first.ask("true")
    assert shpool.run("attach", "-bf", "one") == (0, "", "")
    assert first.wait() == 0
    assert shpool.statuses() == {"one": "Disconnected"}


def test_background_does_not_touch_the_terminal(shpool: Place) -> None:
    client = shpool.attach("-b", "one")
    before = client.first_modes
    assert client.wait() == 0
    assert client.output == b""
    assert client.modes() == before


# ---- --ttl


def test_a_session_is_killed_when_its_time_to_live_is_over(shpool: Place) -> None:
    events = shpool.subscribe()
    assert shpool.run("attach", "-b", "--ttl", "1s", "-c", "sleep 1000", "one").status == 0
    assert shpool.statuses() == {"one": "Disconnected"}
    assert events.types(4)[3] == "session.removed"
    assert shpool.statuses() == {}


def test_the_client_of_a_session_whose_time_is_over_ends(shpool: Place) -> None:
    client = shpool.attach("--ttl", "00:01", "-c", "sleep 1000", "one")
    assert client.wait() == 128 + signal.SIGHUP


def test_a_time_to_live_counts_only_for_a_new_session(shpool: Place) -> None:
    events = shpool.subscribe()
    shpool.raw_session("one")
    assert shpool.run("attach", "-b", "--ttl", "0s", "one").status == 0
    assert shpool.run("attach", "-b", "--ttl", "0s", "-c", "sleep 1000", "later").status == 0
    while events.types(1) != ["session.removed"]:
        pass
    assert shpool.statuses() == {"one": "Disconnected"}


def test_a_new_session_of_the_same_name_has_its_own_clock(shpool: Place) -> None:
    shpool.raw_attach("one", "sleep 1000", ttl_secs=1).close()
    shpool.kill("one")
    shpool.raw_session("one")
    shpool.raw_attach("clock", "sleep 1000", ttl_secs=1).close()
    eventually(lambda: "clock" not in shpool.statuses())
    assert shpool.statuses() == {"one": "Disconnected"}


@pytest.mark.parametrize(
    ("ttl", "reason"),
    [
        ("5", "could not parse '5' as duration: no unit, write for example 5s"),
        ("x", "could not parse 'x' as duration: want dd:hh:mm:ss or a number with s, m, h or d"),
        ("1:2:3:4:5", "could not parse '1:2:3:4:5' as duration: more than dd:hh:mm:ss"),
    ],
)
def test_a_time_to_live_that_means_nothing_is_refused(shpool: Place, ttl: str, reason: str) -> None:
    done = shpool.run("attach", "-b", "--ttl", ttl, "one")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"shpool: {reason}\n\nUsage: shpool attach")
    assert shpool.statuses() == {}


# ---- --cmd and --dir


def test_a_command_is_split_as_a_shell_would(shpool: Place) -> None:
    cmd = r"""printf '<%s>\n' 'a b' c\ d "e \$HOME \` f" $HOME # not this"""
    client = shpool.attach("-c", cmd, "one")
    assert client.wait() == 0
    assert client.text() == "<a b>\n<c d>\n<e $HOME ` f>\n<$HOME>\n"


def test_a_command_is_not_a_login_shell_and_the_shell_is(shpool: Place) -> None:
    assert shpool.attach("-c", "bash", "one").ask("echo $0; shopt login_shell") == (
        "bash\nlogin_shell    \toff\n"
    )
    assert shpool.attach("two").ask("echo $0; shopt login_shell") == (
        "-bash\nlogin_shell    \ton\n"
    )


def test_a_command_is_looked_up_on_the_path_of_the_new_shell(place: Place) -> None:
    program = place.scratch / "greet"
    program.write_text("#!/bin/sh\necho hello from $PATH\n")
    program.chmod(0o755)
    place.configure(f'initial_path = "{place.scratch}:/bin"')
    place.start()
    client = place.attach("-c", "greet", "one")
    assert client.wait() == 0
    assert client.text() == f"hello from {place.scratch}:/bin\n"


@pytest.mark.parametrize(
    ("cmd", "reason"),
    [
        ("/nowhere/at/all", "cannot run '/nowhere/at/all': No such file or directory"),
        ("no-such-program", "cannot run 'no-such-program': No such file or directory"),
        ("/etc/passwd", "cannot run '/etc/passwd': Permission denied"),
        ("", "the command to run is empty"),
        ("echo 'x", "cannot split the command"),
    ],
)
def test_a_command_that_cannot_be_run_is_said_and_leaves_no_session(
    shpool: Place, cmd: str, reason: str
) -> None:
    events = shpool.subscribe()
    done = shpool.run("attach", "-b", f"--cmd={cmd}", "one")
    assert (done.status, done.out) == (1, "")
    assert reason in done.err
    assert done.err.count("\n") == 1
    shpool.expect_events(events)
    assert shpool.statuses() == {}


def test_a_shell_that_cannot_be_run_is_said(place: Place) -> None:
    place.configure('shell = "/nowhere/sh"')
    place.start()
    client = place.attach("one")
    assert client.wait() == 1
    assert client.text() == "shpool: cannot run '/nowhere/sh': No such file or directory\n"
    assert place.statuses() == {}


def test_a_session_starts_at_home(shpool: Place) -> None:
    home = os.path.realpath(pwd.getpwuid(os.getuid()).pw_dir)
    client = shpool.attach("one", cwd=shpool.scratch)
    assert client.ask("pwd -P") == f"{home}\n"


@pytest.mark.parametrize(
    ("given", "below"), [("sub", "sub"), (".", ""), ("sub/..", ""), ("{d}", "sub")]
)
def test_a_directory_given_is_taken_from_where_attach_runs(
    shpool: Place, given: str, below: str
) -> None:
    (shpool.scratch / "sub").mkdir()
    shpool.run("var", "set", "d", "sub")
    client = shpool.attach("-d", given, "-c", "pwd", "one", cwd=shpool.scratch)
    assert client.wait() == 0
    assert Path(client.text().strip()) == shpool.scratch / below


def test_default_dir_dot_is_where_attach_runs_and_dir_beats_it(place: Place) -> None:
    place.configure('default_dir = "."')
    place.start()
    client = place.attach("-c", "pwd", "one", cwd=place.scratch)
    assert client.wait() == 0
    assert client.text() == f"{place.scratch}\n"
    client = place.attach("-c", "pwd", "-d/", "one", cwd=place.scratch)
    assert client.wait() == 0
    assert client.text() == "/\n"


@pytest.mark.parametrize("given", ["/nowhere/at/all", "/etc/passwd"])
def test_a_directory_that_cannot_be_used_is_said_and_leaves_no_session(
    shpool: Place, given: str
) -> None:
    done = shpool.run("attach", "-b", "-d", given, "one")
    assert done.status == 1
    assert done.err.startswith(f"shpool: cannot use the directory '{given}': ")
    assert shpool.statuses() == {}


def test_what_is_for_making_a_session_is_ignored_on_reattach(shpool: Place) -> None:
    shpool.raw_session("one", "bash")
    client = shpool.attach("-c", "/nowhere", "-d", "/nowhere", "-s", "exit 9", "one")
    assert client.ask("echo fine") == "fine\n"


# ---- names


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "blank session names are not allowed"),
        ("a b", "session name 'a b' may not have whitespace"),
        ("a/b", "session names may not contain slashes"),
        (".", "session names may not be special directory names"),
        ("..", "session names may not be special directory names"),
        ("a\x1bb", r"session name 'a\x1bb' may not have control characters"),
        ("a\x9bb", r"session name 'a\x9bb' may not have control characters"),
        (
            "a\u202eb",
            r"session name 'a\u202eb' may not have characters that change the direction of text",
        ),
        ("a{" + "x" * 254 + "}", "session name templates may not be longer than 255 bytes"),
        ("x" * 300, "session names may not be longer than 255 bytes"),
        (
            "{unset}",
            "blank session names are not allowed: the variables in '{unset}' are not set",
        ),
        ("{", "unclosed var substitution"),
        ("{a-b}", "invalid var name: 'a-b'"),
    ],
)
def test_a_name_that_no_session_may_have_is_refused(
    standing: Place, name: str, message: str
) -> None:
    assert standing.run("attach", "-b", "--", name) == (1, "", f"{message}\n")
    assert standing.statuses() == {}


@pytest.mark.parametrize("name", ["x" * 255, "ü€😀", "-dash", "...", "a'b\"c", "a}b"])
def test_odd_names_work(shpool: Place, name: str) -> None:
    client = shpool.attach("--", name)
    assert client.ask("basename -- $SHPOOL_SESSION_DIR; ls -d $SHPOOL_SESSION_DIR/..") != ""
    assert shpool.statuses() == {name: "Attached"}
    assert shpool.run("detach", "--", name) == (0, "", "")
    assert client.wait() == 0
    assert shpool.run("kill", "--", name) == (0, "", "")
    assert shpool.statuses() == {}


def test_no_daemon_is_started_for_a_session_that_is_to_be_there(place: Place) -> None:
    assert place.run("attach", "--existing", "one") == (1, "", "not found: one\n")
    done = place.run("-D", "attach", "--existing", "one")
    assert done == (1, "", "could not connect to daemon\n")
    assert not place.answers()


def test_only_a_session_that_is_there_is_attached_to_if_that_is_wanted(shpool: Place) -> None:
    assert shpool.run("attach", "--existing", "one") == (1, "", "not found: one\n")
    assert shpool.statuses() == {}
    shpool.run("attach", "-b", "one")
    client = shpool.attach("--existing", "one")
    client.ask("echo he''re")
    client.send(DETACH)
    assert client.wait() == 0
