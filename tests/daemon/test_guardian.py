"""The guardian of an upgrade, beside new programs that come to serve and such that do not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shpool.daemon.guardian import Guardian, Inheritance

CHECKOUT = Path(__file__).resolve().parents[2]

# What becomes a shell that runs its first argument; of a guardian that is to go on its second one
# tells.
DAEMON = """
import os, signal, subprocess, sys
sys.path.insert(0, sys.argv[3])
from shpool.daemon import guardian
from shpool.daemon.loop.reactor import Reactor
guardian._PATIENCE = float(sys.argv[4])
child = subprocess.Popen(["sleep", "1000"])
gone = subprocess.Popen(["true"])
os.waitid(os.P_PID, gone.pid, os.WEXITED | os.WNOWAIT)
found = guardian.stand_guard([child.pid, gone.pid])
if found.went_on:
    alive = sorted(found.pidfds) == sorted([child.pid, gone.pid])
    os.kill(child.pid, signal.SIGKILL)
    with open(sys.argv[2], "w") as file:
        print(alive, found.reason, file=file, end="")
    os._exit(0)
os.set_inheritable(found.pipe, True)
os.execv("/bin/sh", ["sh", "-c", f"pipe={found.pipe}; child={child.pid}; {sys.argv[1]}"])
"""


def told(script: str, tmp_path: Path, patience: float = 60.0) -> str:
    """What the guardian says once a new program that is this script has ended, empty if it went."""
    path = tmp_path / "told"
    words = [sys.executable, "-c", DAEMON, script, str(path), str(CHECKOUT), str(patience)]
    # Its output ends when nobody has it any more: neither the program nor the guardian.
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read() == b""
    return path.read_text() if path.exists() else ""


def test_it_goes_when_the_new_program_serves(tmp_path: Path) -> None:
    script = r"printf '\0' >&$pipe; kill -9 $child; eval exec $pipe'>&-'; sleep 0.1"
    assert told(script, tmp_path) == ""


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 0", "without a word"),
        ("kill -9 $$", "without a word"),
        ("printf 'KeyError: x' >&$pipe", "KeyError: x"),
        (r"printf '\377' >&$pipe", "\ufffd"),
        ("printf 'a long one: ' >&$pipe; head -c 20000 /dev/zero | tr '\\0' x >&$pipe", "a long"),
    ],
)
def test_it_goes_on_when_that_has_ended(script: str, reason: str, tmp_path: Path) -> None:
    said = told(script, tmp_path)
    assert said.startswith(f"True {reason}")
    assert len(said) < 5000


def test_one_that_does_not_come_to_serve_is_killed(tmp_path: Path) -> None:
    began = time.monotonic()
    assert told("exec sleep 1000", tmp_path, 1.0) == "True it did not come to serve within 1 s"
    assert time.monotonic() - began < 500


# ---- what the new program is told


def test_what_is_told_is_read_as_it_was_written() -> None:
    told = Inheritance.from_text(Inheritance(3, 4, 500, [15, 2]).to_text())
    assert (told.state, told.pipe, told.guardian, told.mask) == (3, 4, 500, {2, 15})
    assert Inheritance.from_text(Inheritance(3, 4, 500, []).to_text()).mask == set()


@pytest.mark.parametrize("text", ["", "3", "3 4", "3 4 x", "3 4 5  6"])
def test_what_nobody_would_tell_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"invalid literal|not enough"):
        Inheritance.from_text(text)


def test_what_is_said_to_nobody_is_no_error() -> None:
    for serves in (True, False):
        reader, writer = os.pipe()
        os.close(reader)
        told = Inheritance(3, writer, 500, [])
        if serves:
            told.say_served()
        else:
            told.say_why_not("no")
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(writer)


def test_a_guardian_that_is_not_wanted_any_more_is_ended_and_waited_for() -> None:
    process = subprocess.Popen(["sleep", "1000"])
    Guardian(process.pid, -1).dismiss()
    with pytest.raises(ChildProcessError):
        os.waitpid(process.pid, 0)
    process.returncode = -9
