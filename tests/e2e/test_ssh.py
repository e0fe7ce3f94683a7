"""shpool ssh, by an ssh that goes nowhere: what is run there, how it is lost, how it comes back."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import CHECKOUT, DETACH, Place, Result, Terminal, eventually
from tests.e2e.taken import give_here, give_there
from tests.in_tmp import stays

FAKE = Path(__file__).with_name("fake_ssh.py")

SETTINGS = """\
host there
user somebody
hostname there
port 22
batchmode no
sessiontype default
stdinnull no
forkafterauthentication no
loglevel INFO
serveralivecountmax 3
serveraliveinterval 0
connecttimeout none
clearallforwardings no
permitlocalcommand no
"""

LOST = r"connection to there lost; trying again in \d+ s \(Enter: now, Ctrl-C: give up\)"


class There:
    """Another host, which is this place; what is here has a home of its own."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.folder = place.scratch / "ssh"
        self.folder.mkdir()
        self.here = place.scratch / "here"
        self.here.mkdir()
        self.settings(SETTINGS)
        self.env = {
            name: value
            for name, value in place.env.items()
            if name not in ("PYTHONPATH", "TERM", "LANG")
        }
        self.shell = ["/bin/sh"]
        self.write()
        self.words = [f"--ssh={shlex.join([sys.executable, str(FAKE), str(self.folder)])}"]
        self.cache = place.home / ".cache/shpool"
        give_here(self.here)

    def have(self) -> None:
        """What is to be taken there is there."""
        give_there(self.place.home)

    def write(self) -> None:
        (self.folder / "there.json").write_text(json.dumps({"shell": self.shell, "env": self.env}))

    def settings(self, text: str) -> None:
        (self.folder / "settings").write_text(text)

    def ask(self) -> None:
        """For a password that nobody knows."""
        (self.folder / "asks").touch()

    def refuse(self, said: str, status: int = 255, *, batch: bool = False) -> None:
        found = {"said": said, "status": status, "batch": batch}
        (self.folder / "refuse").write_text(json.dumps(found))

    def allow(self) -> None:
        (self.folder / "refuse").unlink()

    def _env(self) -> dict[str, str]:
        return {"HOME": str(self.here), "XDG_CONFIG_HOME": "", "XDG_RUNTIME_DIR": ""}

    def ssh(self, *words: str, env: dict[str, str] | None = None) -> Terminal:
        """`shpool ssh` in a terminal."""
        words = ("ssh", *self.words, *(words or ("there",)))
        return self.place.terminal(*words, env={**self._env(), **(env or {})})

    def run(self, *words: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> Result:
        """`shpool ssh` without one."""
        env = {**self._env(), **(env or {})}
        return self.place.run("ssh", *self.words, *words, stdin=stdin, env=env)

    @property
    def log(self) -> list[Any]:
        """Options, HOST and COMMAND of each ssh that was run."""
        log = self.folder / "log"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def signal(self, number: int) -> None:
        """To the ssh that was run last."""
        os.kill(int((self.folder / "pid").read_text()), number)

    def lose(self) -> None:
        self.signal(signal.SIGUSR1)

    def lose_unnoticed(self) -> None:
        """Who is attached there stays so."""
        self.signal(signal.SIGUSR2)
        eventually(lambda: (self.folder / "kept").exists())

    def let_notice(self) -> None:
        os.kill(int((self.folder / "kept").read_text()), signal.SIGKILL)

    def files(self) -> list[str]:
        return sorted(os.listdir(self.cache)) if self.cache.exists() else []

    def attached(self) -> int:
        """How many are attached to the first session."""
        rows = self.place.request("List")["sessions"]
        return len(rows[0]["attachments"]) if rows else 0


@pytest.fixture
def bare(place: Place) -> Iterator[There]:
    """A host where nothing of ours is."""
    with stays():
        yield There(place)
    kept = place.scratch / "ssh/kept"
    if kept.exists():
        try:
            os.kill(int(kept.read_text()), signal.SIGKILL)
        except ProcessLookupError:
            pass
    if place.answers():
        assert place.run("stop", "--yes").status == 0


@pytest.fixture
def there(bare: There) -> There:
    bare.have()
    return bare


def test_it_is_taken_there_once_and_is_what_runs(bare: There) -> None:
    there = bare
    shutil.rmtree(there.here / ".cache")
    client = there.ssh()
    assert client.ask("echo in $SHPOOL_SESSION_NAME $TERM") == "in main xterm\n"
    pyz, note, compiled = sorted(there.files(), key=len)
    assert re.fullmatch(r"shpool-[0-9.]+-[0-9a-f]{16}\.pyz", pyz)
    assert note == pyz.replace(".pyz", ".python")
    assert compiled == pyz.replace(".pyz", f"-{sys.implementation.cache_tag}.pyz")
    daemon = Path(f"/proc/{there.place.autodaemon()}/cmdline").read_text().split("\0")
    assert daemon[1:4] == ["-I", "-S", str(there.cache / compiled)]
    client.send(DETACH)
    assert client.wait() == 0
    copy, session = there.log
    assert ("-T" in copy[0], "-t" in copy[0]) == (True, False)
    assert ("-T" in session[0], "-t" in session[0]) == (False, True)
    again = there.ssh()
    assert again.ask("echo again") == "again\n"
    again.send("exit 3\n")
    assert again.wait() == 3
    assert len(there.log) == 3  # nothing is asked any more


def test_what_the_host_has_no_more_is_taken_there_again(there: There) -> None:
    there.run("there", "main", stdin=b"exit\n")
    client = there.ssh()
    client.ask("echo")
    for name in there.files():
        (there.cache / name).unlink()
    client.send(DETACH)
    assert client.wait() == 0
    again = there.ssh()
    again.expect(r"\$ ")
    assert again.ask("echo again") == "again\n"
    assert len(there.files()) == 3
    assert ["-t" in options for options, _, _ in there.log[-3:]] == [True, False, True]


def test_options_and_variables_travel(there: There) -> None:
    words = ("there", "two", "--cmd", "sh -c 'echo \"$LC_X\" $COLORTERM; pwd; exec cat'", "--dir=/")
    client = there.ssh(*words, "--ttl", "1h", "-p", "7", env={"LC_X": "it's", "COLORTERM": "24bit"})
    client.expect("it's 24bit\r\n/\r\n")
    options, host, _ = there.log[-1]
    assert (options[-2:], host) == (["-p", "7"], "there")
    assert "ServerAliveInterval=5" in options
    assert there.place.run("list", "--short").out == "two\n"


def test_a_connection_that_was_lost_comes_back_and_brings_what_was_missed(there: There) -> None:
    client = there.ssh()
    client.ask("seq 1 60")
    # Its output is told to be seen once it has been interpreted.
    go = there.place.scratch / "go"
    client.send(f"(while [ ! -e {go} ]; do sleep 0.01; done; seq 101 200; echo do''ne) &\n")
    client.expect(r"\[1\] \d+\r\n")
    mark = int(json.loads(there.place.run("peek", "main", "--json").out)["mark"])
    assert mark > 30
    there.refuse("ssh: connect to host there port 22: Connection refused\n")
    there.lose()
    client.expect(LOST)
    client.expect("ssh: connect to host there port 22: Connection refused\r\n")
    go.touch()
    assert there.place.run("wait", "main", "--text", "^done", "--since", "0").status == 0
    there.allow()
    client.send("\r")
    shown = client.expect(r"101\D.*\D200\D.*done").group().decode()
    numbers = [int(number) for number in re.findall(r"\b1\d\d\b", shown)]
    assert numbers == list(range(101, 200))
    assert client.output.count(b"\r\n33\r\n") == 1  # seen before, and not again
    assert client.ask("echo back") == "back\n"
    assert there.attached() == 1
    options, _, _ = there.log[-1]
    assert options[:4] == ["-o", "ConnectTimeout=10", "-o", "BatchMode=yes"]
    client.send("exit 4\n")
    assert client.wait() == 4


def test_a_terminal_is_clean_while_the_connection_is_lost(there: There) -> None:
    client = there.ssh(
        "there", "two", "--cmd", r"""sh -c 'printf "\033[?1049h\033[?1003hfull"; cat'"""
    )
    client.expect("full")
    there.lose()
    client.expect(r"\x1b\[\?1049l.*\x1b\[\?1003l.*\x1b\[5n")
    client.send("\x1b[0n")
    client.expect(LOST)
    client.expect(r"\x1b\[\?1049h.*full")
    client.send("\r~.")
    assert client.wait() == 255
    assert client.modes() == client.first_modes


def test_who_has_gone_over_to_another_session_comes_back_to_that_one(there: There) -> None:
    client = there.ssh()
    client.ask("seq 50")
    client.expect(r"\$ ")
    assert there.place.run("var", "set", "which", "{two}").status == 0
    command = shlex.join(there.place.command("switch", "{which}"))
    client.send(f"PYTHONPATH={CHECKOUT} {command}\r")
    client.expect(r"\n.*\$ ")
    assert client.ask("echo in $SHPOOL_SESSION_NAME") == "in {two}\n"
    client.expect(r"\$ ")
    there.lose()
    client.expect(LOST)
    client.expect(r"\$ ")
    assert client.ask("echo in $SHPOOL_SESSION_NAME") == "in {two}\n"
    client.expect(r"\$ ")
    there.refuse("ssh: no\n")
    there.lose()
    client.expect(LOST)
    assert there.place.run("kill", "{two}").status == 0
    there.allow()
    client.send("\r")
    client.expect("the session ended while the connection was lost")
    assert client.wait() == 1


def test_who_is_still_there_by_the_connection_that_was_lost_is_replaced(there: There) -> None:
    client = there.ssh()
    assert client.ask("echo one") == "one\n"
    there.lose_unnoticed()
    client.expect(LOST)
    assert there.attached() == 1
    client.send("\r")
    client.expect(r"\$ ")
    assert client.ask("echo two") == "two\n"
    assert there.attached() == 1
    there.let_notice()
    assert client.ask("echo three") == "three\n"


def test_nobody_else_is_thrown_out_unless_that_is_wanted(there: There) -> None:
    client = there.ssh()
    assert client.ask("echo one") == "one\n"
    there.refuse("ssh: no\n")
    there.lose()
    client.expect(LOST)
    other = there.place.attach("-f", "main")
    assert other.ask("echo other") == "other\n"
    there.allow()
    client.send("\r")
    client.expect("session 'main' is attached elsewhere; Enter: take it, Ctrl-C: leave it")
    assert other.ask("echo still") == "still\n"
    client.send("xyz\r")
    client.expect(r"\$ ")
    assert client.ask("echo mine") == "mine\n"
    assert other.wait() == 0
    other = there.place.attach("-f", "main")
    assert client.wait() == 0  # detached, as by anybody
    assert other.ask("echo other") == "other\n"


def test_it_may_be_left_to_others(there: There) -> None:
    client = there.ssh()
    client.ask("echo")
    there.refuse("ssh: no\n")
    there.lose()
    client.expect(LOST)
    other = there.place.attach("-f", "main")
    other.ask("echo")
    there.allow()
    client.send("\r")
    client.expect("Ctrl-C: leave it")
    client.send("\x03")
    assert client.wait() == 130
    assert client.modes() == client.first_modes


def test_a_session_that_has_ended_meanwhile_is_not_made_anew(there: There) -> None:
    """With the host, say, which was started again."""
    client = there.ssh()
    client.ask("echo")
    there.refuse("ssh: no\n")
    there.lose()
    client.expect(LOST)
    assert there.place.run("stop", "--yes").status == 0
    there.allow()
    client.send("\r")
    client.expect("the session ended while the connection was lost\r\n")
    assert client.wait() == 1
    assert not there.place.answers()


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM", "SIGHUP"])
def test_the_pause_can_be_ended(there: There, how: str) -> None:
    client = there.ssh()
    client.ask("echo")
    there.refuse("ssh: no\n")
    there.lose()
    client.expect("ssh: no\r\n")
    client.expect(LOST)
    if how == "Ctrl-C":
        client.send("typed in vain\x03")
    else:
        os.kill(client.pid, getattr(signal, how))
    assert client.wait() == {"Ctrl-C": 130, "SIGTERM": 143, "SIGHUP": 129}[how]
    assert client.modes() == client.first_modes
    assert client.output.endswith(b"\r\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_leaves_the_terminal_clean(there: There, number: int) -> None:
    client = there.ssh()
    client.ask("echo")
    client.expect(r"\$ ")
    os.kill(client.pid, number)
    assert client.wait() == 128 + number
    assert client.modes() == client.first_modes
    assert re.search(rb"\x1b\)B\r+\n\Z", client.output)
    assert len(there.log) == 2


def test_sigint_is_the_sessions(there: There) -> None:
    client = there.ssh()
    client.ask("echo")
    os.kill(client.pid, signal.SIGINT)
    os.kill(client.pid, signal.SIGQUIT)
    assert client.ask("echo alive") == "alive\n"


def test_it_stops_when_ssh_is_stopped_and_goes_on_with_it(there: There) -> None:
    words = shlex.join(there.place.command("ssh", *there.words, "there"))
    env = {**there._env(), "PS1": "outside$ "}
    outside = there.place.program(["bash", "--norc", "-i"], env=env)
    outside.expect(r"outside\$ ")
    outside.send(f"{words}\n")
    outside.expect(r"\r\n.*\$ ")
    assert outside.ask("echo in") == "in\n"
    outside.send("\r")
    outside.expect(r"\$ ")
    outside.send("~")
    outside.send("\x1a")
    outside.expect(r"suspend ssh.*Stopped.*outside\$ ")
    outside.send("fg\n")
    outside.expect("fake_ssh")
    assert outside.ask("echo on") == "on\n"
    outside.send(DETACH)
    outside.expect(r"outside\$ ")


def test_a_password_is_asked_for_when_there_is_somebody_to_type_it(there: There) -> None:
    client = there.ssh()
    client.ask("echo")
    there.refuse("a@there: Permission denied (publickey,password).\n", batch=True)
    there.lose()
    client.expect("there wants a password; Enter: log in, Ctrl-C: give up")
    client.send("\r")
    client.expect(r"\$ ")
    assert client.ask("echo back") == "back\n"
    assert b"Permission denied" not in client.output
    assert "BatchMode=yes" not in there.log[-1][0]


@pytest.mark.parametrize("how", ["Ctrl-C", "SIGTERM"])
def test_who_is_asked_for_a_password_may_leave(there: There, how: str) -> None:
    """At the connection that looks whether the file is there."""
    there.ask()
    client = there.ssh()
    client.expect("password: ")
    assert client.modes() != client.first_modes
    if how == "Ctrl-C":
        client.send("\x03")
    else:
        os.kill(client.pid, signal.SIGTERM)
    assert client.wait() == (130 if how == "Ctrl-C" else 143)
    assert client.modes() == client.first_modes
    with pytest.raises(ProcessLookupError):  # nobody asks any more
        there.signal(0)
    assert "does not run commands" not in client.text()


def test_an_ssh_that_is_killed_while_it_connects_is_run_again(there: There) -> None:
    client = there.ssh()
    client.ask("echo")
    there.ask()
    there.lose()
    client.expect(f"{LOST}.*password: ")
    there.signal(signal.SIGKILL)
    client.expect(LOST)
    (there.folder / "asks").unlink()
    client.send("\r")
    client.expect(r"\$ ")
    assert client.ask("echo back") == "back\n"


@pytest.mark.parametrize(
    "said",
    [
        "a@there: Permission denied (publickey).",
        "Host key verification failed.",
        "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @",
    ],
)
def test_what_makes_no_sense_to_be_tried_again_ends_it(there: There, said: str) -> None:
    client = there.ssh()
    client.ask("echo")
    there.refuse(f"{said}\n")
    there.lose()
    client.expect(f"{re.escape(said)}\r\n")
    assert client.wait() == 255
    assert client.modes() == client.first_modes


def test_the_first_connection_fails_as_sshs_own(there: There) -> None:
    there.refuse("ssh: Could not resolve hostname there\n")
    client = there.ssh()
    assert client.wait() == 255
    assert client.text() == "ssh: Could not resolve hostname there\r\n".replace("\r", "")
    assert len(there.log) == 1


@pytest.mark.parametrize(
    ("prints", "status", "said"),
    [
        ("echo no shells here; exit 5", 5, "no shells here\n"),
        ("echo never >&2; exit 6", 6, "never\n"),
        ("exit 0", 1, "shpool: there does not run commands\n"),
    ],
)
def test_a_host_that_does_not_do_as_it_is_told(
    there: There, prints: str, status: int, said: str
) -> None:
    there.shell = ["/bin/sh", "-c", prints]
    there.write()
    client = there.ssh()
    assert client.wait() == status
    assert client.text() == said
    # As well when it has run something before.
    there.shell = ["/bin/sh"]
    there.write()
    again = there.ssh()
    again.ask("echo")
    again.send(DETACH)
    assert again.wait() == 0
    there.shell = ["/bin/sh", "-c", prints]
    there.write()
    last = there.ssh()
    assert last.wait() == status
    assert said.rstrip("\n") in last.text()


def shell(there: There, text: str) -> None:
    """Have the account there this shell, which is given -c and a command."""
    program = there.folder / "shell"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    there.shell = [str(program)]
    there.write()


@pytest.mark.parametrize(
    ("reason", "said"), [("6e6f20726f6f6d1b", "no room\\x1b"), ("nonsense", "it does not say why")]
)
def test_a_host_that_cannot_take_it_says_why(there: There, reason: str, said: str) -> None:
    shell(there, rf"""t=${{2##* sh }}; printf '\033]8888;%s;failed;{reason}\007' "${{t%%.*}}" """)
    client = there.ssh()
    assert client.wait() == 1
    assert client.text() == f"shpool: cannot take shpool to there: {said}\n"


def test_a_host_that_does_not_keep_it_is_not_asked_for_ever(there: There) -> None:
    shell(there, 'case $2 in *until*) export XDG_CACHE_HOME=/nowhere;; esac; exec /bin/sh "$@"')
    client = there.ssh()
    assert client.wait() == 1
    assert "shpool: there does not keep what is taken there\n" in client.text()
    assert client.modes() == client.first_modes


def test_another_ssh_is_given_no_options_and_not_run_again(there: There) -> None:
    (there.folder / "settings").unlink()
    client = there.ssh("there", "--dir=/")
    assert client.ask("pwd") == "/\n"
    assert there.log[-1][0] == ["-t"]
    there.lose()
    client.expect("client_loop: send disconnect: Broken pipe\r\n")
    assert client.wait() == 255
    assert client.modes() == client.first_modes


def test_where_stderr_is_a_file_the_terminal_shows_what_is_asked(there: There) -> None:
    log = there.place.scratch / "log"
    words = shlex.join(there.place.command("ssh", *there.words, "there"))
    client = there.place.program(["sh", "-c", f"exec {words} 2>{log}"], env=there._env())
    client.expect(r"\$ ")
    there.refuse("ssh: no\n")
    there.lose()
    client.expect(LOST)
    client.send("\x03")
    assert client.wait() == 130
    assert client.modes() == client.first_modes
    assert "Broken pipe" in log.read_text()
    assert "trying again" not in log.read_text()


def test_the_users_log_level_decides_what_is_shown(there: There) -> None:
    there.settings(SETTINGS.replace("loglevel INFO", "loglevel ERROR"))
    client = there.ssh("-q", "there")
    client.ask("echo")
    assert "-q" not in there.log[-1][0]
    assert "LogLevel=INFO" in there.log[-1][0]
    there.settings(SETTINGS.replace("loglevel INFO", "loglevel VERBOSE"))
    client.send(DETACH)
    assert client.wait() == 0
    assert b"Connection to there closed" not in client.output
    client = there.ssh("-v", "there")
    client.ask("echo")
    client.send(DETACH)
    assert client.wait() == 0
    assert client.output.endswith(b"Connection to there closed.\r\n")


def test_without_a_terminal_it_is_a_pipe_and_runs_once(there: There) -> None:
    script = b"echo $((40 + 2))\nexit 7\n"
    done = there.run("there", stdin=script)
    assert done.status == 7
    assert "42" in done.out
    assert "8888" not in done.out
    assert all("-T" in options for options, _, _ in there.log)


def test_without_a_terminal_a_signal_ends_it(there: There) -> None:
    words = ("ssh", *there.words, "there")
    process = there.place.popen(*words, env=there._env(), stdin=subprocess.PIPE)
    eventually(lambda: there.place.answers() and there.attached() == 1, "it is attached")
    process.terminate()
    assert process.wait() == 143
    with pytest.raises(ProcessLookupError):
        there.signal(0)


def test_a_terminal_that_is_not_known_there_is_told_of_once(there: There) -> None:
    for expected in (True, False):
        client = there.ssh(env={"TERM": "xterm-of-nobody"})
        assert client.ask("echo $TERM") == "xterm-256color\n"
        told = "there does not know the terminal xterm-of-nobody, and is told xterm-256color"
        assert (told in client.text()) is expected
        client.send("exit\n")
        assert client.wait() == 0


def test_from_the_file_that_was_taken_there_the_next_host_is_reached(there: There) -> None:
    """What runs there is compiled, and has no sources; the file beside it has."""
    client = there.ssh()
    client.ask("echo")
    client.send("exit\n")
    assert client.wait() == 0
    files = there.files()
    (compiled,) = [name for name in files if "cpython" in name]
    # To be there, a host of its own.
    other = there.place.scratch / "other"
    other.mkdir()
    there.env["XDG_CACHE_HOME"] = str(other)
    there.write()
    words = [sys.executable, "-IS", str(there.cache / compiled), "ssh", *there.words, "there"]
    onward = there.place.program(words, env={**there._env(), "HOME": str(other)})
    assert onward.ask("echo onward") == "onward\n"
    assert sorted(os.listdir(other / "shpool")) == files


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-N", "there"], "ssh's option '-N' cannot be used"),
        (["--", "-oProxyCommand=x"], "HOST may neither be empty nor begin with a hyphen"),
        ([""], "HOST may neither be empty nor begin with a hyphen"),
        (["there", "a/b"], "session names may not contain slashes"),
        (["there", "a b{c}"], "session name template 'a b{c}' may not have whitespace"),
        (["there", "--ttl", "x"], "could not parse 'x' as duration"),
        (["there", "a", "b"], "unexpected argument 'b'"),
        (["there", "--ssh", ""], "the option '--ssh' needs a command"),
        (["there", "--ssh", "'x"], "missing closing ' in the command"),
        (["there", "--ssh", "/nowhere/ssh"], "cannot run /nowhere/ssh: No such file or directory"),
        (["there", f"--cmd={'x' * 50_000}"], "what is to be run there is too long"),
    ],
)
def test_bad_input_is_answered_in_words(there: There, words: list[str], said: str) -> None:
    if not any(word.startswith("--ssh") for word in words):
        words = [*there.words, *words]
    done = there.place.run("ssh", *words, env=there._env())
    assert done.status in (1, 2)
    assert said in done.err
