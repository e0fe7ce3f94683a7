"""shpool wait, from the command line: what it prints, and with which status it ends."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys

import pytest

from tests.e2e.harness import CHECKOUT, Place, Terminal, eventually
from tests.programs import need


class Waiting:
    """A wait that goes on, and that the daemon knows of."""

    def __init__(self, place: Place, *words: str) -> None:
        assert place.run("set-log-level", "debug").status == 0
        self.process = place.popen("wait", *words)
        place.logged(rf"connection of pid {self.process.pid}: WaitRequest$")
        place.request("List")  # answered after the request was taken up
        assert self.process.poll() is None

    def end(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out.decode(), err.decode()


def test_the_end_of_any_of_several_sessions(shpool: Place) -> None:
    shpool.raw_session("one")
    shpool.raw_session("two")
    waiting = Waiting(shpool, "one", "two", "--exit")
    shpool.kill("two")
    assert waiting.end() == (0, "two\texit\n", "")


def test_the_end_of_all_of_several_sessions(shpool: Place) -> None:
    shpool.raw_session("one")
    shpool.raw_session("two")
    waiting = Waiting(shpool, "one", "two", "gone", "--exit", "--all")
    shpool.kill("two")
    assert waiting.process.poll() is None
    shpool.kill("one")
    assert waiting.end() == (0, "gone\texit\ntwo\texit\none\texit\n", "")


def test_a_session_that_comes_and_is_attached_to(shpool: Place) -> None:
    waiting = Waiting(shpool, "one", "--exists", "--attached", "--all")
    shpool.attach("one").expect("[$#] ")
    assert waiting.end() == (0, "one\texists\none\tattached\n", "")


def test_who_leaves_is_waited_for(shpool: Place) -> None:
    person = shpool.attach("one")
    person.expect("[$#] ")
    waiting = Waiting(shpool, "one", "--detached")
    shpool.run("detach", "one")
    assert waiting.end() == (0, "one\tdetached\n", "")


def test_quiet_comes_when_a_program_stops_printing(shpool: Place) -> None:
    person: Terminal = shpool.attach("-c", "sh -c 'yes; sleep 1000'", "one")
    person.expect("y\r\ny")
    waiting = Waiting(shpool, "one", "--quiet", "100ms")
    yes = eventually(lambda: shpool.pids("yes"))
    subprocess.run(["kill", *map(str, yes)], check=True)
    assert waiting.end() == (0, "one\tquiet\n", "")


def test_variables_and_the_session_one_is_in(shpool: Place) -> None:
    shpool.run("var", "set", "n", "1")
    person = shpool.attach("x-{n}")
    person.expect("[$#] ")
    assert shpool.run("wait", "x-{n}", "--exists") == (0, "x-1\texists\n", "")
    person.send(f"cd '{CHECKOUT}'; {' '.join(shpool.command('wait', '.', '--exists'))}\n")
    person.expect("\r\nx-1\texists\r\n")


def test_a_session_that_ends_is_not_waited_for_any_more(shpool: Place) -> None:
    shpool.raw_session("one")
    waiting = Waiting(shpool, "one", "--attached")
    shpool.kill("one")
    assert waiting.end() == (3, "", "")


@pytest.mark.parametrize(
    ("words", "done"),
    [
        (["one", "--attached", "-t", "0s"], (124, "", "")),
        (["one", "--detached", "-t", "0s"], (0, "one\tdetached\n", "")),
        (["one", "--quiet", "20d", "-t", "10ms"], (124, "", "")),
        (["one", "nope", "no", "--attached"], (1, "", "not found: nope no\n")),
        ([".", "--attached"], (1, "", "not found: .\n")),
        # It would be over at once, or never.
        (["a b", "--exists"], (1, "", "session name 'a b' may not have whitespace\n")),
        (["nope", "--exit"], (0, "nope\texit\n", "")),
        (
            ["one", "--quiet", "5"],
            (
                2,
                "",
                "shpool: could not parse '5' as duration: no unit, write for example 5s\n\n"
                "Usage: shpool wait [OPTIONS] NAME...\nSee shpool help wait.\n",
            ),
        ),
        (["", "--exit"], (1, "", "blank session names are not allowed\n")),
        (
            ["{x}", "--exit"],
            (
                1,
                "",
                "blank session names are not allowed: the variables in '{x}' are not set\n",
            ),
        ),
    ],
)
def test_what_is_so_already_and_what_is_not(
    shpool: Place, words: list[str], done: tuple[int, str, str]
) -> None:
    shpool.raw_session("one")
    assert shpool.run("wait", *words) == done


def test_a_daemon_that_ends_is_told_of(shpool: Place) -> None:
    shpool.raw_session("one")
    waiting = Waiting(shpool, "one", "--attached")
    shpool.stop()
    status, _, err = waiting.end()
    assert (status, err) == (1, "shpool: the daemon hung up without an answer\n")


def test_a_hundred_that_wait_cost_nothing_while_nothing_happens(shpool: Place) -> None:
    shpool.raw_session("one")
    peers = [shpool.peer() for _ in range(100)]
    for number, peer in enumerate(peers):
        peer.request(
            {
                "Wait": {
                    "sessions": ["one", "two"],
                    "conditions": [["attached", ""]] * 2 + [["exists", ""]],
                    "timeout_ms": None,
                    "text": number % 2 == 0,
                }
            }
        )
        peer.message()
    assert shpool.wake_ups_in_a_second() == 0


# ---- text


def test_a_line_of_a_build_is_waited_for(shpool: Place) -> None:
    person = shpool.attach("one")
    person.expect("[$#] ")
    waiting = Waiting(shpool, "one", "--text", "^tests: [0-9]+ ok$")
    person.send("printf '\\033[32mtests: %s\\033[m ok\\n' 12\n")
    assert waiting.end() == (0, "one\ttext\n", "")


def test_what_stands_on_the_screen_counts_unless_only_new_lines_do(shpool: Place) -> None:
    person = shpool.attach("one")
    person.expect("[$#] ")
    person.send("echo he''re\n")
    person.expect("here\r\n")
    assert shpool.run("wait", "one", "--text", "^here$", "-t", "0s") == (0, "one\ttext\n", "")
    new = ("wait", "one", "--text", "^here$|echo", "--new", "-t")
    assert shpool.run(*new, "300ms") == (124, "", "")
    waiting = Waiting(shpool, *new[1:], "1m")
    person.send("echo he''re\n")
    assert waiting.end() == (0, "one\ttext\n", "")


def test_a_prompt_without_a_line_end_and_a_progress_bar(shpool: Place) -> None:
    python = "import sys; print('10%', end='\\r'); print('20%', end='\\r'); input('Name: ')"
    person = shpool.attach("-c", shlex.join([sys.executable, "-c", python]), "one")
    person.expect("Name: ")
    assert shpool.run("wait", "one", "--text", "^Name: $").status == 0


def test_text_in_vim_and_less_is_found_by_rows(shpool: Place) -> None:
    file = shpool.root / "file"
    file.write_text("".join(f"row {number}\n" for number in range(200)))
    vim = shlex.join([need("vim"), "-u", "NONE", "-N", str(file)])
    person = shpool.attach("-c", vim, "one")
    person.expect("row 5")
    assert shpool.run("wait", "one", "--text", "^row 7$").status == 0
    waiting = Waiting(shpool, "one", "--text", "^row 150$", "--new")
    person.send("G:1\r140Gzt")
    assert waiting.end() == (0, "one\ttext\n", "")
    person.send(":q\r")
    person.wait()


def test_a_line_that_scrolls_by_in_a_flood_is_not_missed(shpool: Place) -> None:
    flood = "stty -onlcr; echo ready; read x; seq 1 400000; echo the needle; seq 1 400000; read x"
    person = shpool.attach("-c", f"sh -c '{flood}'", "one")
    person.expect("ready")
    waiting = Waiting(shpool, "one", "--text", "^ *the needle$")
    person.send("\n")
    status, out, err = waiting.end()
    assert (status, out, err) == (0, "one\ttext\n", "")


def test_nothing_is_missed_between_a_send_and_a_wait_and_nothing_old_counts(shpool: Place) -> None:
    shpool.raw_session("one", "bash --norc --noprofile -i")

    def typed(text: str) -> str:
        done = shpool.run("send", "one", "-e", "--json", text)
        assert (done.status, done.err) == (0, "")
        found = json.loads(done.out)
        assert found.keys() == {"typed", "mark"}
        return str(found["mark"])

    waiting = ("wait", "one", "--text", "^done$")
    assert shpool.run(*waiting, "--since", typed("echo do''ne")).status == 0
    before = typed("true")
    assert shpool.run(*waiting, "-t", "0s").status == 0  # it stands on the screen
    assert shpool.run(*waiting, "--since", before, "-t", "0s").status == 124
    mark = typed("echo do''ne; seq 1 300; echo at the en''d")
    assert shpool.run("wait", "one", "--text", "^at the end$", "--since", mark).status == 0
    assert shpool.run(*waiting, "--since", mark, "-t", "0s") == (0, "one\ttext\n", "")
    mark = typed("clear; echo do''ne; sleep 1000")
    assert shpool.run(*waiting, "--since", mark) == (0, "one\ttext\n", "")


def test_any_of_several_and_every_one_of_them(shpool: Place) -> None:
    for name in ("one", "two"):
        shpool.raw_session(name, "sh -c 'read x; echo got $x; read x'")
    waiting = Waiting(shpool, "one", "two", "--text", "^got", "--all")
    shpool.run("send", "two", "-e", "b")
    shpool.run("send", "one", "-e", "a")
    status, out, _ = waiting.end()
    assert (status, sorted(out.splitlines())) == (0, ["one\ttext", "two\ttext"])


def test_the_end_comes_before_the_text(shpool: Place) -> None:
    shpool.raw_session("one", "sh -c 'read x; printf last'")
    waiting = Waiting(shpool, "one", "--text", "^never$")
    found = Waiting(shpool, "one", "--text", "^last$")
    shpool.run("send", "one", "-e", "")
    assert waiting.end() == (3, "", "")
    assert found.end() == (0, "one\ttext\n", "")


@pytest.mark.parametrize("how", ["timeout", "interrupt"])
def test_a_hostile_pattern_stops_nobody_but_its_own_wait(shpool: Place, how: str) -> None:
    shpool.raw_session("one", "sh -c 'read x; echo " + "a" * 60 + "; read x'")
    limit = ["-t", "1s"] if how == "timeout" else []
    waiting = Waiting(shpool, "one", "--text", "^(a+)+$", "--new")
    hostile = Waiting(shpool, "one", "--text", "^(a+)+b$", *limit)
    shpool.run("send", "one", "-e", "")
    assert waiting.end() == (0, "one\ttext\n", "")
    if how == "interrupt":
        assert hostile.process.poll() is None
        hostile.process.send_signal(signal.SIGINT)
    assert hostile.end() == (124 if how == "timeout" else 130, "", "")


@pytest.mark.parametrize(
    ("words", "status", "err"),
    [
        (["--text", "x("], 2, "shpool: cannot read 'x(' as a regular expression: missing )"),
        (["--new", "--exit"], 2, "shpool: --new is for --text\n"),
        (["--since", "1", "--exit"], 2, "shpool: --since is for --text\n"),
        (
            ["--text", "x", "--since", "1", "--new"],
            2,
            "shpool: --since and --new cannot be used together\n",
        ),
        (["--text", "x", "--since", "-1"], 2, "shpool: the option '--since' needs a value, MARK"),
        (["--text", "x", "--since", "y"], 2, "shpool: the option '--since' takes a number, not"),
        (
            ["two", "--text", "x", "--since", "1"],
            2,
            "shpool: --since is for one NAME, for each session has lines of its own\n",
        ),
        (["--text"], 2, "shpool: the option '--text' needs a value, REGEX\n"),
    ],
)
def test_bad_patterns_are_answered_in_words(
    standing: Place, words: list[str], status: int, err: str
) -> None:
    done = standing.run("wait", "one", *words)
    assert (done.status, done.out) == (status, "")
    assert done.err.startswith(err)


def test_a_session_without_a_model_has_no_text(shpool: Place) -> None:
    shpool.configure('session_restore_mode = "simple"')
    shpool.raw_session("one")
    assert shpool.run("wait", "one", "--text", "x") == (
        1,
        "",
        "shpool: session 'one' keeps no screen: its restore mode is simple\n",
    )
