"""What a new shell finds: descriptors, signals, limits, its directory, its environment."""

import os
import re
import resource
import select
import signal
import socket
import time
from pathlib import Path

from tests.e2e.harness import DETACH, Peer, Place, eventually


def shown(place: Place, name: str, command: str, **fields: object) -> str:
    """What `sh -c command` prints in a session of its own."""
    script = place.scratch / f"{name}.sh"
    script.write_text(command)
    output, status = place.raw_attach(name, f"sh {script}", **fields).to_exit_status()
    assert status == 0, output
    return output.decode().replace("\r\n", "\n")


def test_a_shell_inherits_its_terminal_on_0_1_and_2_and_nothing_else(shpool: Place) -> None:
    # Others are open in the daemon meanwhile: masters of other sessions, clients, subscribers.
    shpool.subscribe()
    shpool.raw_session("one")
    shpool.raw_attach("two", "sleep 1000")
    shpool.peer()
    lines = shown(shpool, "x", "ls -l /proc/$$/fd").splitlines()
    found = dict(re.findall(r" (\d+) -> (\S+)", "\n".join(lines)))
    script = found.pop("10", "")  # where dash keeps the script it reads
    assert script in ("", f"{shpool.scratch}/x.sh")
    assert set(found) == {"0", "1", "2"}
    assert len(set(found.values())) == 1
    assert found["0"].startswith("/dev/pts/")


def test_no_session_has_the_terminal_of_another_open(shpool: Place) -> None:
    for number in range(5):
        shpool.raw_session(f"s{number}", "sleep 1234")
    (*pids,) = shpool.pids("sleep 1234")
    assert len(pids) == 5
    for pid in pids:
        folder = Path(f"/proc/{pid}/fd")
        assert sorted(os.listdir(folder)) == ["0", "1", "2"]
        assert not any("ptmx" in os.readlink(fd) for fd in folder.iterdir())


def test_signals_are_at_their_defaults_and_none_is_blocked(place: Place) -> None:
    def spoil() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2, signal.SIGTERM])

    place.start(preexec=spoil)
    place.raw_session("one", "sleep 1234")
    (pid,) = place.pids("sleep 1234")
    status = Path(f"/proc/{pid}/status").read_text()
    for mask in ("SigBlk", "SigIgn", "SigCgt"):
        match = re.search(rf"^{mask}:\s+([0-9a-f]+)$", status, re.MULTILINE)
        assert match
        # The C library keeps 32 and 33 for itself, and they cannot be reset.
        assert int(match[1], 16) & ~(3 << 31) == 0, mask


def test_umask_and_limits_are_those_the_daemon_was_started_with(place: Place) -> None:
    def prepare() -> None:
        os.umask(0o027)
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, hard))

    place.start(preexec=prepare)
    assert shown(place, "one", "umask; ulimit -n") == "0027\n300\n"


def test_a_session_leads_its_own_session_on_a_terminal_of_its_own(shpool: Place) -> None:
    shpool.raw_session("one", "sleep 1234")
    (pid,) = shpool.pids("sleep 1234")
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    group, session, terminal, foreground = (int(field) for field in fields[2:6])
    assert group == session == foreground == pid
    assert terminal != 0


def test_nothing_of_the_daemons_environment_leaks_into_a_shell(place: Place) -> None:
    place.start(env={"SECRET": "leaked", "LISTEN_FDS": "0"})
    lines = shown(place, "one", "exec /usr/bin/env").splitlines()
    names = {line.partition("=")[0] for line in lines}
    assert names >= {
        "HOME", "PATH", "SHPOOL_SESSION_NAME", "SHPOOL_SESSION_DIR", "SHELL", "USER",
        "SSH_AUTH_SOCK", "XDG_RUNTIME_DIR", "TERM",
    }  # fmt: skip
    assert not names & {"SECRET", "LISTEN_FDS", "PYTHONPATH", "XDG_CONFIG_HOME", "LANG"}


def test_variables_of_the_client_reach_the_shell_and_the_file_for_running_ones(
    place: Place,
) -> None:
    place.configure('forward_env = ["FIRST", "SECOND", "THIRD"]')
    place.start()
    script = place.scratch / "show"
    script.write_text('echo "$TERM|$DISPLAY|$LANG|$FIRST|$SECOND|${THIRD-unset}|${OTHER-unset}"')
    env = {"TERM": "vt220", "DISPLAY": ":7", "FIRST": "1", "SECOND": "", "OTHER": "no"}
    client = place.attach("-c", "sh", "one", env=env)
    assert client.ask(f"sh {script}") == "vt220|:7|C.UTF-8|1||unset|unset\n"
    client.send(DETACH)
    assert client.wait() == 0
    tricky = "a'b $(touch /tmp/never) \\ c"
    again = place.attach("one", env={"TERM": "xterm", "THIRD": tricky, "SSH_AUTH_SOCK": "/a/b"})
    assert again.ask(f"sh {script}") == "vt220|:7|C.UTF-8|1||unset|unset\n"
    file = place.runtime / "sessions" / "one" / "forward.env"
    assert file.stat().st_mode & 0o777 == 0o600
    again.ask("unset DISPLAY; . $SHPOOL_SESSION_DIR/forward.env; export THIRD")
    assert again.ask(f"sh {script}") == f"xterm||C.UTF-8|1||{tricky}|unset\n"
    assert again.ask("echo $SSH_AUTH_SOCK") == "/a/b\n"


def test_the_agent_of_the_terminal_one_comes_from_is_the_shells(shpool: Place) -> None:
    link = shpool.runtime / "sessions" / "one" / "ssh-auth-sock.socket"
    first = shpool.attach("one", env={"SSH_AUTH_SOCK": "/tmp/first"})
    assert first.ask("echo $SSH_AUTH_SOCK; readlink $SSH_AUTH_SOCK") == f"{link}\n/tmp/first\n"
    second = shpool.attach("-f", "one", env={"SSH_AUTH_SOCK": "/tmp/second"})
    assert second.ask("readlink $SSH_AUTH_SOCK") == "/tmp/second\n"
    third = shpool.attach("-f", "one")
    assert third.ask("readlink $SSH_AUTH_SOCK") == "/tmp/second\n"


def test_echo_can_be_off_from_the_start(place: Place) -> None:
    place.configure("noecho = true")
    place.start()
    client = place.attach("-c", "sh -c 'echo ready; read x; echo \"<$x>\"'", "one")
    client.expect("ready")
    client.send("typed\n")
    assert client.wait() == 0
    assert client.text().strip() == "ready\n<typed>"


def test_the_prompt_is_there_without_anything_being_typed(shpool: Place) -> None:
    client = shpool.attach("one")
    client.expect(r"\$ ")
    assert client.text().strip() == "$"


# ---- what does not read, and what does not take


FLOOD = "stty raw -echo; echo ready; read x; seq 300000; echo all > {done}; exec cat"


def test_a_client_that_stops_reading_does_not_stop_the_program(shpool: Place) -> None:
    done = shpool.scratch / "done"
    peer = shpool.raw_attach("one", f"sh -c '{FLOOD.format(done=done)}'")
    peer.output_until(b"ready")
    peer.send(b"\n")
    eventually(done.exists, "the program ends its output although nobody reads it")
    # Meanwhile others are served, and the session is still this client's.
    assert shpool.statuses() == {"one": "Attached"}
    # What is typed while it was not reading may be answered on the screen that it is sent then;
    # once it reads it is live.
    received = b""

    def live() -> bool:
        nonlocal received
        peer.send(b"live again\n")
        while select.select([peer.sock], [], [], 0.1)[0]:
            received += peer.sock.recv(65536)
        return b"live again\n" in received

    eventually(live)


def test_in_mode_simple_the_program_redraws_for_a_client_that_thaws(place: Place) -> None:
    place.configure('session_restore_mode = "simple"')
    place.start()
    done = place.scratch / "done"
    program = (
        'trap "echo drawn anew" WINCH; stty -echo; echo ready; read x;'
        f" seq 300000; echo all > {done}; while :; do read x; done"
    )
    peer = place.raw_attach("one", f"sh -c '{program}'")
    peer.output_until(b"ready")
    peer.send(b"\n")
    place.logged("takes no output, so it is skipped")
    eventually(done.exists)
    peer.output_until(b"drawn anew")


def test_a_client_in_a_frozen_terminal_goes_on_when_it_thaws(shpool: Place) -> None:
    done = shpool.scratch / "done"
    client = shpool.attach("-c", f"sh -c '{FLOOD.format(done=done)}'", "one")
    client.expect("ready")
    client.send("\n")
    eventually(done.exists)  # nothing is read from the terminal all this time

    def live() -> bool:
        client.send("live again\n")
        return client.shows("live again")

    eventually(live)


def test_a_client_that_reads_slowly_but_steadily_misses_nothing(shpool: Place) -> None:
    peer = shpool.raw_attach(
        "one", "sh -c 'stty raw -echo; echo ready; read x; seq 100000; exit 6'"
    )
    received = peer.output_until(b"ready\n")
    peer.send(b"\n")
    # For longer than a frozen client is waited for, at a rate far below the program's.
    started = time.monotonic()
    raw = b""
    while (elapsed := time.monotonic() - started) < 5:
        time.sleep(0.05)  # this is the slowness
        raw += peer.sock.recv(max(1, int(60_000 * elapsed) - len(raw)))
    peer.rest = raw
    output, status = peer.to_exit_status()
    assert status == 6
    wanted = b"".join(b"%d\n" % number for number in range(1, 100_001))
    assert (received + output).endswith(wanted)


def test_ctrl_s_in_the_outer_terminal_holds_output_and_not_input(shpool: Place) -> None:
    flag = shpool.scratch / "interrupted"
    program = (
        f'stty -echo; trap "echo yes > {flag}; exit 3" INT; echo ready; while :; do echo y; done'
    )
    client = shpool.attach("-c", f"sh -c '{program}'", "one")
    client.expect("ready")
    # The terminal takes no output, as ours is not read; ^C must get through all the same.
    client.send(b"\x03")
    eventually(flag.exists)
    assert client.wait() == 3


def test_a_big_paste_into_a_program_that_does_not_read_frees_the_session_with_its_client(
    shpool: Place,
) -> None:
    peer = shpool.raw_attach("one", "sh -c 'stty raw -echo; echo ready; sleep 1000'")
    peer.output_until(b"ready")
    events = shpool.subscribe()
    memory = shpool.memory()
    _fill(peer)
    assert shpool.statuses() == {"one": "Attached"}
    assert shpool.memory() - memory < 2048
    peer.close()
    assert events.types(1) == ["session.detached"]
    assert shpool.statuses() == {"one": "Disconnected"}
    again = shpool.raw_attach("one")
    assert "Attached" in again.status


def test_a_big_paste_into_a_program_that_does_not_read_can_be_left_by_command(
    shpool: Place,
) -> None:
    peer = shpool.raw_attach("one", "sh -c 'stty raw -echo; echo ready; sleep 1000'")
    peer.output_until(b"ready")
    _fill(peer)
    assert shpool.run("detach", "one") == (0, "", "")
    assert shpool.run("kill", "one") == (0, "", "")


def _fill(peer: Peer) -> None:
    """Send input until nothing more is taken."""
    peer.sock.settimeout(0.3)
    sent = 0
    try:
        while sent < 10_000_000:
            sent += peer.sock.send(b"x" * 65536)
    except socket.timeout:
        pass
    assert sent < 2_000_000
    peer.sock.settimeout(40)


def test_a_big_paste_arrives_whole(shpool: Place) -> None:
    size = 500_000
    peer = shpool.raw_attach(
        "one", f"sh -c 'stty raw -echo; echo ready; head -c {size} | sha256sum; exit 0'"
    )
    peer.output_until(b"ready")
    content = bytes(range(1, 256)) * (size // 255 + 1)
    peer.send(content[:size])
    output, status = peer.to_exit_status()
    import hashlib

    assert hashlib.sha256(content[:size]).hexdigest().encode() in output
    assert status == 0


def test_input_and_output_at_once_do_not_block_each_other(shpool: Place) -> None:
    peer = shpool.raw_attach("one", "sh -c 'stty raw -echo; echo ready; exec cat'")
    peer.output_until(b"ready\n")
    content = b"".join(b"line %d\n" % number for number in range(30_000))
    received = b""
    position = 0
    while len(received) < len(content):
        if position < len(content):
            position += peer.sock.send(content[position : position + 4096])
        kind, payload = peer.chunk()
        assert kind == 0
        assert isinstance(payload, bytes)
        received += payload
    assert received == content
