"""stdout and stderr that cannot be written: what was asked for is an error then, a complaint not.

A full disk (/dev/full), or a pipe that nobody reads any more; what was closed is as /dev/null.
"""

import os
import subprocess

import pytest

from tests.e2e.harness import DEADLINE, Place, Result, eventually

FULL = "No space left on device"

# Commands with output, and those that have something to complain of.
SPEAKING = [
    *("list", "list --json", "var list", "var get x", "version", "help", "help attach"),
    "attach -c 'echo hello' new",
]
COMPLAINING = {
    "kill nope": 1,
    "detach nope": 1,
    "detach one": 1,
    "attach nope": 1,  # its input is at its end
    "set-log-level loud": 2,
    "-D -s nowhere list": 1,
    "attach one two": 2,
    "nonsense": 2,
    "var get": 2,
}


@pytest.fixture
def shpool(shpool: Place) -> Place:
    shpool.raw_session("one")
    shpool.run("var", "set", "x", "y")
    return shpool


@pytest.fixture
def standing(standing: Place) -> Place:
    standing.raw_session("one")
    standing.request({"ModifyVar": {"var": "x", "val": "y"}})
    return standing


def run(place: Place, line: str, redirections: str) -> Result:
    """As a shell runs it; what is said on the pipe that is left, as `err`."""
    script = f'exec "$0" -m shpool {line} {redirections}'
    done = subprocess.run(
        ["bash", "-c", script, place.command()[0]],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=place.env,
        cwd=place.scratch,
        timeout=DEADLINE,
        check=False,
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.mark.parametrize("line", SPEAKING)
def test_output_that_cannot_be_written_is_an_error(standing: Place, line: str) -> None:
    done = run(standing, line, ">/dev/full")
    assert done == (1, "", f"shpool: cannot write the output: {FULL}\n")


@pytest.mark.parametrize("line", SPEAKING)
def test_output_that_nobody_reads_ends_a_command_without_a_word(standing: Place, line: str) -> None:
    read, write = os.pipe()
    os.close(read)
    script = f'exec "$0" -m shpool {line}'
    done = subprocess.run(
        ["bash", "-c", script, standing.command()[0]],
        stdin=subprocess.DEVNULL,
        stdout=write,
        stderr=subprocess.PIPE,
        env=standing.env,
        timeout=DEADLINE,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-", ">/dev/full 2>&1", "<&- >&- 2>&-"])
@pytest.mark.parametrize("line", COMPLAINING)
def test_a_complaint_that_cannot_be_written_changes_nothing(
    standing: Place, line: str, redirection: str
) -> None:
    assert run(standing, line, redirection).status == COMPLAINING[line]


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-", "<&- 2>&-"])
def test_a_warning_that_cannot_be_written_keeps_nobody_from_the_answer(
    shpool: Place, redirection: str
) -> None:
    shpool.stop()
    shpool.start(env={"SHPOOL_TEST__OVERRIDE_VERSION": "0.9.0"})
    assert run(shpool, "list", redirection) == (0, "NAME\tSTATUS\n", "")
    # Its input is at its end, or closed: there is no enter to wait for.
    made = run(shpool, "attach -c 'echo hello' two", redirection)
    assert (made.status, made.out) == (0, "hello\r\n")


def test_a_session_whose_output_cannot_be_written_goes_on(shpool: Place) -> None:
    with open("/dev/full", "wb") as full:
        process = subprocess.Popen(
            shpool.command("attach", "-c", "sh -c 'echo hello; sleep 1000'", "two"),
            stdin=subprocess.PIPE,  # which does not end before it
            stdout=full,
            stderr=subprocess.PIPE,
            env=shpool.env,
        )
    assert process.stderr is not None
    assert process.stderr.read().decode() == f"shpool: cannot write the output: {FULL}\n"
    process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    eventually(lambda: shpool.statuses()["two"] == "Disconnected")


def test_events_that_cannot_be_written_are_an_error(shpool: Place) -> None:
    with open("/dev/full", "wb") as full:
        process = subprocess.Popen(
            shpool.command("events"), stdout=full, stderr=subprocess.PIPE, env=shpool.env
        )
    shpool.until_subscribed(1)
    shpool.fence()
    _, said = process.communicate(timeout=DEADLINE)
    assert (process.returncode, said.decode()) == (1, f"shpool: cannot write the output: {FULL}\n")


def test_a_reader_that_takes_its_time_gets_all_of_it(shpool: Place) -> None:
    """Also where somebody has made the pipe non-blocking, which belongs to the open file."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    while True:
        try:
            os.write(write, bytes(4096))
        except BlockingIOError:
            break
    process = subprocess.Popen(shpool.command("list"), stdout=write, env=shpool.env)
    os.close(write)
    with open(read, "rb") as file:
        assert file.read().lstrip(b"\0") == b"NAME\tSTATUS\none\tdisconnected\n"
    assert process.wait() == 0
