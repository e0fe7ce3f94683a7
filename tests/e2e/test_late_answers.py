"""Answers that come when whoever asked has been left are not typed into the shell outside."""

import os
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import BOTH_WAYS
from tests.e2e.harness import DETACH, Place, eventually
from tests.e2e.window import Window, outside

pytestmark = BOTH_WAYS

# What a program may ask when it starts, and what comes of it here, beside what the emulator says.
QUESTIONS = {
    "DA1 and CPR": (r"\033[c\033[6n", b""),
    "background colour": (r"\033]11;?\033\\", b"\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\"),
    "XTGETTCAP": (r"\033P+q544e\033\\", b"\x1bP1+r544e=787465726d\x1b\\"),
    "keyboard protocol": (r"\033[?u", b"\x1b[?0u"),
    "a mode": (r"\033[?2026$p", b""),
    "behind which a screen is drawn": (r"\033[c\033]10;?\007", b"\x1b]10;rgb:0/0/0\x07"),
}


def _program(place: Place, question: str) -> str:
    script = place.scratch / "asking"
    script.write_text(
        f"#!/bin/sh\nstty raw -echo\nprintf '\\033[?1049h{question}'\n"
        "seq -f 'drawn %g' -s ' ' 2000; printf ready; exec sleep 1000\n"
    )
    script.chmod(0o755)
    return str(script)


# Runs the client, which waits for answers for as long as it may take on a busy machine.
_PATIENT = """
import runpy
from shpool.client import reports
reports._PATIENCE = 60.0
runpy.run_module("shpool", run_name="__main__", alter_sys=True)
"""


def _client(place: Place) -> int:
    pid: int = place.sessions()["one"]["attachments"][0]["pid"]
    return pid


def _types_ahead() -> bool:
    """Whether the system lets what was typed be typed again; root it lets always."""
    setting = Path("/proc/sys/dev/tty/legacy_tiocsti")
    return not setting.exists() or setting.read_text().strip() == "1" or os.geteuid() == 0


def _patiently_outside(place: Place) -> Window:
    """A shell in a window whose answers have to be delivered."""
    script = place.scratch / "patient.py"
    script.write_text(_PATIENT)
    window = outside(place, program=[sys.executable, str(script)])
    window.become_slow()
    return window


def _asked(place: Place, question: str) -> Window:
    """A shell in a window, in which a client runs whose program has asked and got no answer."""
    window = _patiently_outside(place)
    window.send(f"shpool attach -c {_program(place, question)} one\n")
    window.expect("ready")
    return window


@pytest.mark.parametrize("what", QUESTIONS)
def test_answers_that_come_late_are_thrown_away_and_what_is_typed_is_not(
    shpool: Place, what: str
) -> None:
    question, answer = QUESTIONS[what]
    with _asked(shpool, question) as window:
        window.send(DETACH)
        window.expect(rb"\x1b\[5n")
        if _types_ahead():
            window.send("echo typed''")
        window.send(answer)
        window.deliver()
        if _types_ahead():  # what comes in the instant before it is typed again would be before it
            window.until(lambda: window.cursor_line().endswith("echo typed''"))
        window.send(("" if _types_ahead() else "echo typed''") + "ahead\n")
        window.until_shown("typedahead")
        window.until(lambda: window.cursor_line() == "outside$")
        shown = window.everything()
        assert [line for line in shown if "rgb" in line or "62;" in line or "+r" in line] == []
        assert shown[-2:] == ["typedahead", "outside$"]
        assert window.disorder() == ""


WAYS: dict[str, Callable[[Place], object]] = {
    "SIGTERM": lambda place: os.kill(_client(place), signal.SIGTERM),
    "SIGTSTP": lambda place: os.kill(_client(place), signal.SIGTSTP),
    "the session is killed": lambda place: place.kill("one"),
    "the daemon is stopped": lambda place: place.stop(),
    "the daemon is killed": lambda place: place.kill_daemon(),
}


@pytest.mark.parametrize("way", WAYS)
def test_however_the_client_leaves(shpool: Place, way: str) -> None:
    with _asked(shpool, r"\033]11;?\033\\") as window:
        WAYS[way](shpool)
        window.expect(rb"\x1b\[5n")
        window.send(b"\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\")
        window.deliver()
        window.until(lambda: window.cursor_line() == "outside$")
        window.send("echo us''able\n")
        window.until_shown("usable")
        assert not any("rgb" in line for line in window.everything())


def test_answers_for_one_session_are_not_typed_into_the_next(shpool: Place) -> None:
    shpool.run("var", "set", "w", "a")
    with _patiently_outside(shpool) as window:
        program = _program(shpool, r"\033]11;?\033\\")
        shpool.raw_session("x-b", "sh -c 'stty -echo; while read x; do echo got $x; done'")
        window.send(f"shpool attach -c {program} 'x-{{w}}'\n")
        window.expect("ready")
        shpool.run("var", "set", "w", "b")
        window.expect(rb"\x1b\[5n")
        window.send(b"\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\")
        window.deliver()
        eventually(lambda: shpool.statuses().get("x-b") == "Attached")
        window.send("it\n")
        window.until_shown("got it")


def test_a_terminal_that_never_answers_costs_a_second_and_nothing_of_what_is_typed(
    shpool: Place,
) -> None:
    setup = shpool.scratch / "outside.sh"
    setup.write_text("PS1='outside$ '\n")
    terminal = shpool.program(["bash", "--noprofile", "--rcfile", str(setup), "-i"])
    terminal.expect(r"outside\$ ")
    program = _program(shpool, r"\033[c")
    terminal.send(shlex.join(shpool.command("attach", "-c", program, "one")) + "\n")
    terminal.expect("ready")
    terminal.send(DETACH)
    terminal.expect(rb"\x1b\[5n")
    if _types_ahead():
        terminal.send("echo typed''ahead\n")
        terminal.expect("typedahead\r\n")
    terminal.expect(r"outside\$ ")
