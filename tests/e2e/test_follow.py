"""shpool follow: what a session prints, as other programs are given it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess

import pytest

from tests.e2e.harness import DETACH, Place, eventually


class Following:
    """A `shpool follow` that the daemon knows of; its output goes to a file."""

    def __init__(self, place: Place, *words: str) -> None:
        self.place = place
        self.path = place.root / "followed"
        assert place.run("set-log-level", "debug").status == 0
        with open(self.path, "wb") as out:
            self.process = subprocess.Popen(
                place.command("follow", *words),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.PIPE,
                env=place.env,
            )
        place._processes.append(self.process)
        place.logged(rf"connection of pid {self.process.pid}: FollowRequest$")
        place.request("List")

    @property
    def output(self) -> bytes:
        return self.path.read_bytes()

    def until(self, part: bytes) -> None:
        eventually(lambda: part in self.output, f"{part!r} is followed")

    def end(self) -> tuple[int, str]:
        _, err = self.process.communicate(timeout=60)
        return self.process.returncode, err.decode()


def test_a_shell_is_followed_to_its_end(shpool: Place) -> None:
    person = shpool.attach("one", rows=30, cols=90)
    person.expect("[$#] ")
    following = Following(shpool, "one")
    person.send("stty size\n")
    person.expect("30 90\r\n")
    following.until(b"30 90\r\n")
    person.send("exit 3\n")
    assert person.wait() == 3
    assert following.end() == (0, "")
    assert following.output.endswith(b"$ exit 3\r\nlogout\r\n")


def test_the_screen_comes_first(shpool: Place) -> None:
    person = shpool.attach("one")
    person.expect("[$#] ")
    person.send("echo be''fore\n")
    person.expect("before\r\n")
    person.send(DETACH)
    person.wait()
    following = Following(shpool, "one", "--from-screen")
    following.until(b"before")
    shpool.kill("one")
    assert following.end() == (0, "")


def test_text_is_lines_without_colours_and_what_was_written_over(shpool: Place) -> None:
    shpool.run("attach", "-b", "one")
    following = Following(shpool, "one", "--text")
    shpool.run("send", "one", "-e", r"printf '\033[31mred\033[m\n10%%\r20%%\n'; printf la''st")
    following.until(b"20%\n")
    shpool.run("send", "one", "-k", "Enter", "exit", "-e")
    assert following.end() == (0, "")
    lines = following.output.decode().splitlines()
    assert "red" in lines
    assert "20%" in lines
    assert "\x1b" not in following.output.decode()


def test_a_recording_has_sizes_times_and_the_exit(shpool: Place) -> None:
    person = shpool.attach("one", rows=30, cols=90)
    person.expect("[$#] ")
    following = Following(shpool, "one", "--cast")
    person.send("printf '\\303\\244\\377'\n")
    following.until(b"\\u00e4\\ufffd")
    person.resize(40, 100)
    following.until(b'"100x40"')
    person.send("exit 5\n")
    person.wait()
    assert following.end() == (0, "")
    head, *events = [json.loads(line) for line in following.output.splitlines()]
    assert (head["version"], head["term"], head["title"]) == (3, {"cols": 90, "rows": 30}, "one")
    assert next(event for event in events if event[1] == "r")[2] == "100x40"
    assert events[-1][1:] == ["x", "5"]
    assert all(0 <= interval < 60 for interval, _, _ in events)
    assert {event[1] for event in events} == {"o", "r", "x"}


def test_it_ends_when_nobody_reads_it_though_nothing_is_printed(shpool: Place) -> None:
    shpool.raw_session("one")
    shpool.run("set-log-level", "debug")
    command = shpool.popen("follow", "one")
    shpool.logged(rf"connection of pid {command.pid}: FollowRequest$")
    assert command.stdout is not None
    command.stdout.close()
    command.stdout = None
    assert command.wait(60) == 0


def test_a_reader_that_is_too_slow_is_not_waited_for(shpool: Place) -> None:
    done = shpool.root / "done"
    script = f"sh -c 'read x; head -c 30000000 /dev/zero | tr \"\\0\" x; touch {done}; read x'"
    shpool.raw_session("one", script)
    shpool.run("set-log-level", "debug")
    command = shpool.popen("follow", "one")
    shpool.logged(rf"connection of pid {command.pid}: FollowRequest$")
    shpool.request("List")
    shpool.run("send", "one", "-e", "")
    eventually(done.exists, "the program has written all")
    assert command.stdout is not None
    assert command.stderr is not None
    shpool.run("send", "one", "-e", "")
    out, err = command.communicate(timeout=60)
    assert command.returncode == 0
    assert err.decode().startswith("shpool: ")
    assert err.decode().endswith(" bytes were missed\n")
    assert len(out) < 30_000_000


def test_on_a_terminal_what_it_answers_is_not_typed_and_it_is_left_as_it_was(
    shpool: Place,
) -> None:
    shpool.raw_session("one", "sh -c 'read x; printf \"\\033[?1049h\\033[?1000hhere\"; read x'")
    command = shlex.join(shpool.command("follow", "one"))
    shpool.run("set-log-level", "debug")
    shell = shpool.program(["bash", "--norc", "--noprofile", "-i"])
    shell.expect("[$#] ")
    shell.send(f"cd '{os.getcwd()}'; stty -a | md5sum; {command}; stty -a | md5sum\n")
    shell.expect("  -\r\n")
    shpool.logged("connection of pid [0-9]+: FollowRequest$")
    shpool.run("send", "one", "-e", "")
    shell.expect("here")
    shell.send("\x1b[?1;2c")
    shpool.run("send", "one", "-e", "")
    shell.expect(r"\x1b\[\?1049l")
    shell.expect("  -\r\n")
    sums = [line.split()[0] for line in shell.output.decode().splitlines() if "  -" in line]
    assert len(set(sums[-2:])) == 1
    assert b"1;2c" not in shell.output


def test_a_terminal_is_left_as_it_was_by_a_signal_too(shpool: Place) -> None:
    shpool.raw_session("one", "sh -c 'printf \"\\033[?1000hhere\"; read x'")
    shpool.run("set-log-level", "debug")
    follower = shpool.terminal("follow", "one", "--from-screen")
    before = follower.modes()
    follower.expect("here")
    assert follower.modes() != before
    os.kill(follower.pid, signal.SIGTERM)
    follower.expect(r"\x1b\[\?1000l")
    eventually(lambda: follower.modes() == before, "the terminal has its modes again")
    assert follower.wait() == 143


@pytest.mark.parametrize(
    ("words", "status", "err"),
    [
        (["nope"], 1, "not found: nope\n"),
        (["."], 1, "not found: .\n"),
        (["one", "--text", "--cast"], 2, "shpool: --text and --cast cannot be used together\n"),
        (
            ["one", "--text", "--from-screen"],
            2,
            "shpool: --text and --from-screen cannot be used together\n",
        ),
        ([], 2, "shpool: follow needs NAME\n"),
    ],
)
def test_bad_input_is_answered_in_words(
    standing: Place, words: list[str], status: int, err: str
) -> None:
    done = standing.run("follow", *words)
    assert (done.status, done.out) == (status, "")
    assert done.err.startswith(err)


def test_a_session_without_a_model_has_no_screen_to_begin_with(shpool: Place) -> None:
    shpool.configure('session_restore_mode = "simple"')
    shpool.raw_session("one")
    assert shpool.run("follow", "one", "--from-screen") == (
        1,
        "",
        "shpool: session 'one' keeps no screen: its restore mode is simple\n",
    )
