"""The daemon's own life: starting, being started, refusing to be two, ending without a trace."""

import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.harness import Place, eventually

# ---- ending


def test_what_a_killed_daemon_left_of_its_sessions_is_removed_by_the_next(place: Place) -> None:
    place.start()
    place.raw_session("one")
    place.raw_session("two")
    notes = place.runtime / "sessions/two/notes"
    notes.write_text("kept")
    assert place.daemon is not None
    place.daemon.kill()
    place.daemon.wait()
    assert (place.runtime / "sessions/one/forward.env").exists()
    place.start()
    assert list((place.runtime / "sessions").rglob("*")) == [notes.parent, notes]
    notes.unlink()


def test_what_somebody_put_into_a_sessions_directory_stays(place: Place) -> None:
    directory = place.runtime / "sessions/one"
    directory.mkdir(parents=True, mode=0o700)
    place.runtime.chmod(0o700)
    notes = directory / "notes"
    notes.write_text("kept")
    place.start()
    assert place.run("attach", "-b", "-c", "sleep 1000", "one").status == 0
    assert sorted(file.name for file in directory.iterdir()) == ["forward.env", "notes"]
    assert place.run("kill", "one").status == 0
    assert list(directory.iterdir()) == [notes]
    assert notes.read_text() == "kept"
    notes.unlink()


def test_a_link_in_a_sessions_place_is_neither_followed_nor_removed(place: Place) -> None:
    place.start()
    elsewhere = place.scratch / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "forward.env").write_text("kept")
    link = place.runtime / "sessions/one"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(elsewhere)
    done = place.run("attach", "-b", "one")
    assert done == (1, "", f"shpool: cannot make {link}: Not a directory\n")
    assert place.statuses() == {}
    assert link.is_symlink()
    assert (elsewhere / "forward.env").read_text() == "kept"


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT], ids=lambda n: n.name
)
def test_a_signal_ends_the_daemon_and_leaves_nothing(shpool: Place, number: signal.Signals) -> None:
    client = shpool.attach("one")
    client.ask("true")
    shpool.raw_session("two")
    assert shpool.socket.is_socket()
    assert shpool.events_socket.is_socket()
    assert shpool.stop(number) == 0
    assert not shpool.socket.exists()
    assert not shpool.events_socket.exists()
    assert client.wait() == 1
    assert shpool.run("-D", "list") == (1, "", "could not connect to daemon\n")


def test_the_end_tolerates_that_its_files_are_gone(shpool: Place) -> None:
    shpool.socket.unlink()
    shpool.events_socket.unlink()
    assert shpool.stop() == 0


def test_the_end_leaves_what_is_somebody_elses_by_now(shpool: Place) -> None:
    shpool.socket.unlink()
    shpool.socket.write_text("not yours")
    assert shpool.stop() == 0
    assert shpool.socket.read_text() == "not yours"
    shpool.socket.unlink()


def test_signals_that_come_together_say_it_once(shpool: Place) -> None:
    assert shpool.daemon is not None
    for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        shpool.daemon.send_signal(number)
    assert shpool.stop(signal.SIGCONT) == 0
    assert not shpool.socket.exists()


def test_a_second_signal_ends_a_daemon_that_waits_for_its_shells(shpool: Place) -> None:
    shpool.raw_session("one", "sh -c 'trap \"\" HUP; echo ready; exec sleep 1235'")
    assert shpool.daemon is not None
    shpool.daemon.send_signal(signal.SIGTERM)
    eventually(lambda: not shpool.socket.exists())
    # 1, unless half a second passed in between: then it ends by itself, or is just doing so.
    assert shpool.stop(signal.SIGINT) in (1, 0, -signal.SIGINT)
    for pid in shpool.pids("sleep 1235"):
        os.kill(pid, signal.SIGKILL)


def test_shells_that_ignore_a_hang_up_end_with_the_daemon(shpool: Place) -> None:
    peer = shpool.raw_attach("one", "sh -c 'trap \"\" HUP; echo ready; exec sleep 1236'")
    peer.output_until(b"ready")
    assert shpool.stop() == 0
    assert not shpool.pids("sleep 1236")


def test_sessions_end_with_the_daemon(shpool: Place) -> None:
    shpool.raw_session("one", "sleep 1234")
    shpool.stop()
    eventually(lambda: not shpool.pids("sleep 1234"))


def test_signals_that_were_blocked_when_it_was_started_reach_the_daemon(place: Place) -> None:
    place.start(preexec=_block_signals)
    assert place.raw_attach("one", "sh -c 'exit 3'").to_exit_status()[1] == 3
    assert place.statuses() == {}
    assert place.stop() == 0


def _block_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


# ---- starting


def test_the_log_says_that_the_daemon_starts(shpool: Place) -> None:
    shpool.logged("STARTING DAEMON")


@pytest.mark.parametrize("which", ["shpool.socket", "events.socket"])
def test_a_stale_socket_is_replaced(place: Place, which: str) -> None:
    place.runtime.mkdir(0o700)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stale:
        stale.bind(str(place.runtime / which))
    place.start()
    shpool_events = place.subscribe()
    place.expect_events(shpool_events)


def test_a_daemon_that_was_killed_can_be_followed_by_another(shpool: Place) -> None:
    shpool.raw_session("one", "sleep 1234")
    assert shpool.daemon is not None
    shpool.daemon.kill()
    shpool.daemon.wait()
    assert shpool.socket.exists()
    shpool.start()
    shpool.raw_session("one", "sleep 1000")
    assert shpool.statuses() == {"one": "Disconnected"}


@pytest.mark.parametrize("which", ["shpool.socket", "events.socket"])
def test_a_file_that_is_no_socket_is_left_as_it_is(place: Place, which: str) -> None:
    place.runtime.mkdir(0o700)
    path = place.runtime / which
    path.write_text("precious")
    done = place.run("daemon")
    assert done.status == 1
    assert done.err.splitlines()[-1] == (
        f"shpool: cannot listen at {path}: it exists and is no socket"
    )
    assert path.read_text() == "precious"
    path.unlink()
    assert list(place.runtime.iterdir()) == [], "what was bound before is removed again"


def test_a_second_daemon_refuses(shpool: Place) -> None:
    shpool.raw_session("one")
    done = shpool.run("daemon")
    assert done.status == 1
    assert done.out == ""
    assert done.err == "shpool: another daemon is already running\n"
    assert shpool.statuses() == {"one": "Disconnected"}
    shpool.expect_events(shpool.subscribe())


def test_sockets_and_directories_are_their_owners_alone(place: Place) -> None:
    place.xdg_runtime.chmod(0o755)
    place.start(preexec=_open_umask)
    place.raw_attach("one", "sleep 1000", local_env=[["SSH_AUTH_SOCK", "/tmp/agent"]])
    _assert_private(place.runtime)


def _open_umask() -> None:
    os.umask(0)


def _assert_private(top: Path) -> None:
    """Every directory from `top` on 0700, every file and socket 0600."""
    assert stat.S_IMODE(top.stat().st_mode) == 0o700
    seen = 0
    for path in top.rglob("*"):
        if path.is_symlink():
            continue
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path
        seen += 1
    assert seen > 4


def test_the_log_file_is_private_truncated_and_utf_8(place: Place) -> None:
    log = place.scratch / "log"
    log.write_text("old content\n")
    log.chmod(0o600)
    place.start("-vv", "-l", str(log))
    peer = place.raw_attach("one", r"printf '\377\000end'")
    peer.to_exit_status()
    text = log.read_bytes().decode()
    assert "old content" not in text
    assert "STARTING DAEMON" in text
    place.stop()
    fresh = place.scratch / "fresh"
    place.start("--log-file", str(fresh), preexec=_open_umask)
    assert stat.S_IMODE(fresh.stat().st_mode) == 0o600


def test_without_a_runtime_directory_of_the_users_it_is_below_home(place: Place) -> None:
    del place.env["XDG_RUNTIME_DIR"]
    assert place.run("-D", "list") == (1, "", "could not connect to daemon\n")
    process = place.popen("daemon")
    directory = place.home / ".local" / "run" / "shpool"
    try:
        eventually((directory / "shpool.socket").is_socket)
        assert place.run("-D", "list") == (0, "NAME\tSTATUS\n", "")
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    finally:
        process.terminate()
        assert process.wait() == 0


def test_without_home_and_runtime_directory_there_is_no_place(place: Place) -> None:
    del place.env["XDG_RUNTIME_DIR"], place.env["HOME"]
    done = place.run("list")
    assert (done.status, done.out) == (1, "")
    assert "neither XDG_RUNTIME_DIR nor HOME is set" in done.err


@pytest.mark.parametrize("command", ["list", "daemon"])
def test_a_socket_path_that_is_too_long_is_said(place: Place, command: str) -> None:
    path = place.scratch / ("x" * 200)
    done = place.run("-s", str(path), "-D", command)
    assert done.status == 1
    assert str(path) in done.err.splitlines()[-1]
    assert "too long" in done.err
    assert "Traceback" not in done.err


def test_another_socket_has_its_events_beside_it_and_files_of_its_own(place: Place) -> None:
    place.start()
    place.raw_attach("one", "sleep 1000")
    elsewhere = place.root / "e"
    elsewhere.mkdir()
    second = place.popen("--socket", "x.socket", "daemon", cwd=elsewhere)
    try:
        eventually(lambda: (elsewhere / "x.socket").exists())
        words = ("-s", str(elsewhere / "x.socket"))
        assert place.run(*words, "attach", "-b", "-c", "sleep 1234", "one") == (0, "", "")
        assert (elsewhere / "events.socket").is_socket()
        assert place.run(*words, "list").out == "NAME\tSTATUS\none\tdisconnected\n"
        assert place.statuses() == {"one": "Attached"}
        found = [path.parent.parent for path in place.runtime.rglob("sessions/one")]
        assert len(set(found)) == 2
    finally:
        second.terminate()
        assert second.wait() == 0


def test_a_relative_socket_path_may_be_given_to_every_command(place: Place) -> None:
    try:
        done = place.run("-s", "x.socket", "attach", "-b", "one", cwd=place.scratch)
        assert done == (0, "", "")
        assert place.run("-s", "x.socket", "list", cwd=place.scratch).out == (
            "NAME\tSTATUS\none\tdisconnected\n"
        )
    finally:
        place.end_autodaemon(place.scratch)


# ---- doing nothing


def test_an_idle_daemon_makes_no_system_call(shpool: Place) -> None:
    shpool.raw_session("one")
    shpool.raw_attach("two", "sleep 1000")
    shpool.subscribe()
    shpool.request("List")
    assert shpool.wake_ups_in_a_second() == 0


def test_the_program_can_be_run_by_its_path_from_anywhere(place: Place) -> None:
    path = Path(__file__).resolve().parents[2] / "shpool" / "__main__.py"
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(path), "--version"],
        cwd="/",
        env={},
        capture_output=True,
        check=True,
    )
    assert done.stdout.startswith(b"shpool ")


def test_signals_that_mean_nothing_to_it_neither_end_nor_stop_the_daemon(shpool: Place) -> None:
    peer = shpool.raw_attach("one", "sh -c 'read x; kill -USR2 $$'")
    assert shpool.daemon is not None
    for name in ("USR2", "ALRM", "VTALRM", "PROF", "IO", "XCPU", "TTIN", "TTOU", "PIPE", "WINCH"):
        shpool.daemon.send_signal(getattr(signal, f"SIG{name}"))
    assert shpool.statuses() == {"one": "Attached"}
    peer.sock.sendall(b"\r")
    assert peer.to_exit_status()[1] == 128 + signal.SIGUSR2  # to programs they mean what they did
