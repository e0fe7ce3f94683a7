"""Upgrades that cannot be: everything is as before, and who asked is told why."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from shpool import __version__
from tests.e2e.copies import Copy
from tests.e2e.harness import DETACH, Place, eventually
from tests.e2e.test_hooks import embed
from tests.e2e.upgrades import children

UNABLE = "shpool: not a shpool that can take over: "


class Work:
    """A daemon with a session in which somebody works."""

    def __init__(self, place: Place, copy: Copy | None = None) -> None:
        options = ("-v", "--config-file", str(place.config_file))
        place.start(*options, env=copy.env if copy else None)
        self.place = place
        self.client = place.attach("one")
        self.client.ask("x=kept")
        self.events = place.subscribe()
        # Two listen, and there are the client and the subscriber; who has asked is gone soon.
        eventually(lambda: len(sockets(place.daemon_pid)) == 4)
        self.descriptors = place.descriptors()

    def refused(self, copy: Copy, *words: str) -> str:
        """What is said, and that nothing has changed by it."""
        done = self.place.run("upgrade", *words, env=copy.env)
        assert (done.status, done.out) == (1, "")
        self.check()
        return done.err

    def check(self) -> None:
        assert self.client.ask("echo $x") == "kept\n"
        self.place.expect_events(self.events)
        eventually(lambda: self.place.descriptors() == self.descriptors, "all is closed again")
        assert children(self.place.daemon_pid) == [self.place_shell()]

    def place_shell(self) -> int:
        return int(self.client.ask("echo $$"))


def sockets(pid: int) -> list[str]:
    """The descriptors of a process that are sockets."""
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            if os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"):
                found.append(name)
        except FileNotFoundError:
            pass  # closed meanwhile
    return found


@pytest.fixture
def work(place: Place) -> Work:
    return Work(place)


# ---- the new program


def break_syntax(copy: Copy) -> None:
    copy.change("daemon/server.py", "class Server", "class class Server")


def lose_a_module(copy: Copy) -> None:
    (copy.path / "shpool/daemon/places.py").unlink()


def need_more(copy: Copy) -> None:
    copy.change("daemon/state.py", "FORMAT = 1", "FORMAT = 0")


def forget_the_command(copy: Copy) -> None:
    copy.change("cli.py", 'name == "take-over"', "False")


def forget_an_option(copy: Copy) -> None:
    copy.change("options.py", '"c", "config-file"', '"c", "config-files"')


def be_killed(copy: Copy) -> None:
    copy.change(
        "daemon/take_over.py", "    data = _mapped(_STATE)\n", "    os.kill(os.getpid(), 9)\n"
    )


def hang(copy: Copy) -> None:
    sleep = "    import time\n    time.sleep(1000)\n"
    copy.change("daemon/take_over.py", "    data = _mapped(_STATE)\n", sleep)


def lose_something(copy: Copy) -> None:
    copy.change("daemon/take_over.py", "    server.unpack()\n", _FORGET)


_FORGET = """\
    server.unpack()
    server._table.all()[0].env = {}
"""


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (break_syntax, r"SyntaxError: invalid syntax|SyntaxError: expected .*"),
        (lose_a_module, "the module shpool.daemon.places is missing: .*"),
        (need_more, f"the state needs format 1, version {__version__} reads 0"),
        (forget_the_command, "unknown command 'take-over'"),
        (forget_an_option, "unexpected option '--config-file'"),
        (be_killed, "it was killed by signal 9"),
        (
            lose_something,
            "what would be written of the state is not what was read: session.env",
        ),
    ],
)
def test_a_program_that_cannot_take_over_says_why(
    work: Work, fault: Callable[[Copy], None], said: str
) -> None:
    copy = Copy(work.place)
    fault(copy)
    for words in ((), ("--check",)):
        assert re.fullmatch(f"{re.escape(UNABLE)}({said})\n", work.refused(copy, *words))


def test_one_that_hangs_is_given_up_and_everybody_is_served_meanwhile(place: Place) -> None:
    old = Copy(place, "old")
    old.change("daemon/rehearsal.py", "_PATIENCE = 10.0", "_PATIENCE = 4.0")
    work = Work(place, old)
    copy = Copy(place)
    hang(copy)
    process = place.popen("upgrade", env=copy.env)
    eventually(lambda: len(children(place.daemon_pid)) == 2, "it is rehearsed")
    assert work.client.ask("echo meanwhile") == "meanwhile\n"
    second = place.request({"Upgrade": {"program": ["/bin/false"], "check": False}})
    assert second == {"status": {"Refused": "an upgrade is under way"}}
    out, err = process.communicate()
    assert (process.returncode, out) == (1, b"")
    assert err.decode() == f"{UNABLE}no answer within 4 s\n"
    work.check()


def test_one_whose_client_goes_is_called_off(work: Work) -> None:
    place = work.place
    copy = Copy(place)
    hang(copy)
    process = place.popen("upgrade", env=copy.env)
    eventually(lambda: len(children(place.daemon_pid)) == 2, "it is rehearsed")
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130
    process.communicate()
    place.logged("the upgrade is called off: who asked for it has gone")
    eventually(lambda: len(children(place.daemon_pid)) == 1, "it is killed")
    work.check()


def test_one_whose_client_goes_when_the_rehearsal_has_just_ended_is_called_off(work: Work) -> None:
    place, shell = work.place, work.place_shell()
    process = place.popen("upgrade")
    eventually(lambda: len(children(place.daemon_pid)) == 2, "it is rehearsed")
    (rehearsed,) = set(children(place.daemon_pid)) - {shell}
    os.kill(place.daemon_pid, signal.SIGSTOP)
    stat = Path(f"/proc/{rehearsed}/stat")
    eventually(lambda: stat.read_text().rpartition(")")[2].split()[0] == "Z", "it has ended")
    process.kill()
    process.wait()
    # Both are noticed in one turn.
    os.kill(place.daemon_pid, signal.SIGCONT)
    place.logged("the upgrade is called off: who asked for it has gone")
    work.check()


def test_a_daemon_that_is_told_to_end_meanwhile_ends(work: Work) -> None:
    place = work.place
    copy = Copy(place)
    hang(copy)
    process = place.popen("upgrade", env=copy.env)
    eventually(lambda: len(children(place.daemon_pid)) == 2, "it is rehearsed")
    assert place.stop() == 0
    assert process.communicate()[1] == b"shpool: the daemon is about to end\n"
    assert process.returncode == 1


def test_a_program_that_is_gone_when_it_is_to_be_run_leaves_everything_as_it_was(
    work: Work,
) -> None:
    place = work.place
    program = place.scratch / "python"
    program.write_text(f'#!/bin/sh\nrm {program}\nexec {sys.executable} "$@"\n')
    program.chmod(0o755)
    main = os.fsdecode(Path(__file__).resolve().parents[2] / "shpool" / "__main__.py")
    words = [str(program), "-I", "-S", main]
    answer = place.request({"Upgrade": {"program": words, "check": False}})
    reason = "the daemon cannot be replaced: No such file or directory"
    assert answer == {"status": {"Refused": reason}}
    work.check()


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_state_for_which_there_is_no_room_changes_nothing(place: Place, in_memory: bool) -> None:
    old = Copy(place, "old")
    if not in_memory:
        old.change("daemon/rehearsal.py", "os.memfd_create(", "os.memfd_created(")
    work = Work(place, old)
    work.client.ask("seq 3000")
    no_limit = resource.prlimit(place.daemon_pid, resource.RLIMIT_FSIZE, (10_000, -1))
    said = "shpool: the state cannot be written: File too large\n"
    assert work.refused(old) == said
    resource.prlimit(place.daemon_pid, resource.RLIMIT_FSIZE, no_limit)
    work.check()
    assert place.run("upgrade", env=old.env).status == 0
    assert [path.name for path in place.runtime.iterdir() if "state" in path.name] == []


# ---- the daemon


def test_without_a_daemon_there_is_nothing_to_replace(place: Place) -> None:
    assert place.run("upgrade") == (1, "", "no daemon is running\n")
    assert not place.socket.exists()


def test_a_daemon_within_another_program_stays_what_it_is(place: Place) -> None:
    embed(place)
    said = "shpool: this daemon is embedded in another program\n"
    assert place.run("upgrade") == (1, "", said)
    place.run("attach", "-b", "one")
    assert "one" in place.sessions()


@pytest.mark.parametrize("how", ["without a word", "by name"])
def test_a_daemon_that_does_not_know_how_is_left_alone(place: Place, how: str) -> None:
    copy = Copy(place, version="0.1.0")
    copy.change("protocol/upgrading.py", '{"Upgrade": UpgradeRequest}', "{}")
    if how == "without a word":
        copy.change("protocol/replies.py", '"server": server, "knows": knows', '"novelty": 1')
    place.start(env=copy.env)
    place.raw_session("one")
    said = (
        f"the daemon (pid {place.daemon_pid}) is the original's or older than this command; its"
        " sessions cannot be taken over\n"
    )
    assert place.run("upgrade") == (1, "", said)
    assert "one" in place.sessions()


# ---- a new program that dies when the old one is gone


def die(copy: Copy, how: str) -> None:
    """Not in the rehearsal."""
    copy.change("daemon/take_over.py", "    server.take_up()\n", f"    {how}\n")


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("raise KeyError('name')", "KeyError: 'name'"),
        ("os._exit(1)", "without a word"),
        ("os.kill(os.getpid(), 9)", "without a word"),
        ("server.take_up(); server.catch_signals(os.environ); raise KeyError(7)", "KeyError: 7"),
    ],
)
def test_the_old_program_goes_on_in_another_process_if_the_new_one_dies(
    place: Place, how: str, reason: str
) -> None:
    assert place.run("attach", "-b", "other").status == 0
    old = place.autodaemon()
    log = place.runtime / "daemonized-shpool.log"
    client = place.attach("one")
    client.ask("x=kept")
    chunks = place.raw_attach("chunks", "sh -c 'read a; echo got $a; read b; exit $b'")
    events = place.subscribe()
    copy = Copy(place)
    die(copy, how)
    done = place.run("upgrade", env=copy.env)
    said = f"shpool: the new program died before it served: {reason}\n"
    assert (done.status, done.out, done.err) == (1, "", said)
    eventually(lambda: place.autodaemon() != old, "the pid file is written anew")
    pid = place.autodaemon()
    assert (place.runtime / "daemon.lock").read_text().startswith(f"{pid} ")
    assert f"what went on before goes on in process {pid}" in log.read_text()
    assert client.ask("echo $x") == "kept\n"
    chunks.send(b"word\n")
    chunks.output_until(b"got word\r\n")
    place.expect_events(events)
    # Their ends are noticed, without the status; those of its own children as ever.
    client.send("exit 7\n")
    assert client.wait() == 1
    place.expect_events(events, "removed")
    assert place.attach("new", "-c", "sh -c 'exit 7'").wait() == 7
    # It can be replaced as any other, and goes on to know who its children are not.
    assert place.run("upgrade").out.startswith(f"{__version__} -> {__version__}: 2 sessions")
    assert place.autodaemon() == pid
    chunks.send(b"5\n")
    assert chunks.to_exit_status()[1] == 1
    place.kill("other")
    assert place.sessions() == {}
    assert place.run("upgrade").out.startswith(f"{__version__} -> {__version__}: 0 sessions")
    place.end_autodaemon()


def test_one_that_does_not_come_to_serve_is_given_up(place: Place) -> None:
    old = Copy(place, "old")
    old.change("daemon/guardian.py", "_PATIENCE = 20.0", "_PATIENCE = 0.5")
    assert place.run("attach", "-b", "one", env=old.env).status == 0
    pid = place.autodaemon()
    new = Copy(place, "new")
    die(new, "import time; time.sleep(1000)")
    done = place.run("upgrade", env=new.env)
    assert done.status == 1
    assert done.err.endswith("died before it served: it did not come to serve within 0 s\n")
    eventually(lambda: place.autodaemon() != pid, "the pid file is written anew")
    client = place.attach("one")
    assert client.ask("echo in") == "in\n"
    client.send(DETACH)
    assert client.wait() == 0
    place.kill("one")
    place.end_autodaemon()


# ---- what happens in the last turn


def slow(place: Place) -> Copy:
    """One that takes its time before it takes anything up, and tells when it has come there."""
    copy = Copy(place)
    pause = (
        f"open({str(place.scratch / 'there')!r}, 'w').close()\n    import time\n"
        f"    while not os.path.exists({str(place.scratch / 'go')!r}): time.sleep(0.01)\n"
    )
    copy.change(
        "daemon/take_over.py", "    server.take_up()\n", f"    {pause}    server.take_up()\n"
    )
    return copy


def upgrading(place: Place) -> tuple[subprocess.Popen[bytes], Callable[[], None]]:
    """An upgrade in whose last turn things may happen; and what has it go on."""
    process = place.popen("upgrade", env=slow(place).env)
    eventually((place.scratch / "there").exists, "the new program is about to take over")
    return process, (place.scratch / "go").touch


def test_a_shell_that_ends_in_the_last_turn_has_ended_with_its_status(place: Place) -> None:
    place.start()
    ends = place.raw_attach("ends", "sh -c 'trap \"exit 7\" USR1; echo $$.; read x'")
    pid = int(ends.output_until(rb"\d+\.").partition(b".")[0])
    stays = place.raw_attach("stays", "cat")
    events = place.subscribe()
    process, go_on = upgrading(place)
    os.kill(pid, signal.SIGUSR1)
    eventually(lambda: Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z", "it has ended")
    go_on()
    assert ends.to_exit_status()[1] == 7
    assert b": 1 session, " in process.communicate()[0] or process.returncode == 0
    place.expect_events(events, "removed")
    stays.send(b"on\n")
    stays.output_until(b"on\r\n")


def test_a_client_that_goes_in_the_last_turn_has_gone(place: Place) -> None:
    place.start()
    client = place.attach("one")
    client.ask("true")
    peer = place.raw_attach("two", "cat")
    events = place.subscribe()
    process, go_on = upgrading(place)
    client.process.kill()
    client.process.wait()
    peer.close()
    go_on()
    process.communicate()
    assert process.returncode == 0
    eventually(lambda: set(place.statuses().values()) == {"Disconnected"})
    place.expect_events(events, "detached", "detached")
    eventually(lambda: client.modes() == client.first_modes, "its terminal is left as it was")


def test_who_comes_in_the_last_turn_is_served_after_it(place: Place) -> None:
    place.start()
    client = place.attach("one")
    process, go_on = upgrading(place)
    listing = place.popen("list")
    client.send("echo typed meanwhile\n")
    client.resize(31, 101)
    go_on()
    assert listing.communicate()[0].startswith(b"NAME")
    client.expect("\ntyped meanwhile\r\n")
    eventually(lambda: client.ask("stty size") == "31 101\n", "the size has changed")
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_daemon_that_is_told_to_end_in_the_last_turn_ends(
    place: Place, number: signal.Signals
) -> None:
    place.start()
    client = place.attach("one")
    client.ask("true")
    process, go_on = upgrading(place)
    assert place.daemon is not None
    place.daemon.send_signal(number)
    go_on()
    assert place.daemon.wait() == 0
    place.daemon = None
    process.communicate()
    assert client.wait() != 0
    assert not place.socket.exists()


def test_a_new_program_that_is_killed_in_the_last_turn_is_as_one_that_dies(place: Place) -> None:
    place.start()
    client = place.attach("one")
    client.ask("x=kept")
    process, _ = upgrading(place)
    assert place.daemon is not None
    place.daemon.kill()
    place.daemon.wait()
    place.daemon = None
    assert process.communicate()[1].endswith(b"died before it served: without a word\n")
    assert client.ask("echo $x") == "kept\n"
    assert place.run("stop", "--yes").status == 0
    assert client.wait() != 0
