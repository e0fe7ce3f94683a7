"""Attaching: a terminal and its session, from the first keystroke to the exit status."""

import os
import re
import shlex
import signal
import sys
from pathlib import Path

import pytest

import shpool as shpool_package
from tests.e2e.conftest import BOTH_WAYS
from tests.e2e.harness import DETACH, Place, Terminal, attach_header, eventually
from tests.programs import need

pytestmark = BOTH_WAYS

# ---- the terminal and the shell


def test_attach_makes_a_session_in_which_typing_works(shpool: Place) -> None:
    client = shpool.attach("one")
    assert client.ask("echo hello $SHPOOL_SESSION_NAME") == "hello one\n"
    assert shpool.statuses() == {"one": "Attached"}


def test_ctrl_space_ctrl_q_detaches_and_attach_goes_on_where_it_was(shpool: Place) -> None:
    client = shpool.attach("one")
    client.ask("x=kept")
    client.send(DETACH)
    assert client.wait() == 0
    assert shpool.statuses() == {"one": "Disconnected"}
    again = shpool.attach("one")
    assert again.ask("echo $x") == "kept\n"


def test_every_byte_of_output_reaches_the_terminal_untouched(shpool: Place) -> None:
    content = b"<" + bytes(range(256)) * 3 + b"\x1b[1;31mred\x1b[m \xe2\x82\xac \xff\xfe\n>"
    (shpool.scratch / "bytes").write_bytes(content)
    client = shpool.attach("-c", f"sh -c 'stty raw; cat {shpool.scratch}/bytes; read x'", "one")
    client.expect(re.escape(content))


def test_every_byte_of_input_reaches_the_program_untouched(place: Place) -> None:
    place.configure("keybinding = []")
    place.start()
    program = "stty raw -echo; echo ready; head -c 512 | od -An -v -tx1; echo done"
    client = place.attach("-c", f"sh -c '{program}'", "one")
    client.expect("ready")
    content = bytes(range(256)) + bytes(reversed(range(256)))
    client.send(content)
    match = client.expect(r"ready\s(.*)done|\n(.*)done")
    assert bytes.fromhex((match[1] or match[2]).decode()) == content


def test_keys_of_a_binding_that_is_not_completed_reach_the_program(shpool: Place) -> None:
    program = "stty raw -echo; echo ready; head -c 4 | od -An -v -tx1; echo done"
    client = shpool.attach("-c", f"sh -c '{program}'", "one")
    client.expect("ready")
    client.send(b"\x00")
    client.send(b"\x00")
    client.send(b"x\x11")
    client.expect("00 00 78 11")


def test_what_was_typed_before_the_detach_keys_is_delivered(shpool: Place) -> None:
    client = shpool.attach("-c", f"sh -c 'stty -echo; echo ready; cat > {shpool.scratch}/x'", "one")
    client.expect("ready")
    client.send(b"all of it\n" + DETACH)
    assert client.wait() == 0
    written = shpool.scratch / "x"
    eventually(lambda: written.read_text() == "all of it\n")


def test_a_binding_of_the_users_replaces_the_default_one(place: Place) -> None:
    place.configure('[[keybinding]]\nbinding = "Ctrl-a d"\naction = "detach"')
    place.start()
    program = "stty raw -echo; echo ready; head -c 2 | od -An -v -tx1; read x"
    client = place.attach("-c", f"sh -c '{program}'", "one")
    client.expect("ready")
    client.send(DETACH)
    client.expect("00 11")
    client.send(b"\x01d")
    assert client.wait() == 0


def test_ctrl_c_interrupts_the_program_and_not_the_client(shpool: Place) -> None:
    client = shpool.attach("one")
    client.send("sh -c 'echo sta''rted; exec sleep 1000'\n")
    client.expect("started")
    client.send(b"\x03")
    assert client.ask("echo still here") == "still here\n"
    assert shpool.statuses() == {"one": "Attached"}


def test_ctrl_z_stops_the_program_and_not_the_client(shpool: Place) -> None:
    client = shpool.attach("one")
    client.send("sh -c 'echo sta''rted; exec sleep 1000'\n")
    client.expect("started")
    client.send(b"\x1a")
    assert "Stopped" in client.ask("jobs")
    client.ask("kill -KILL %1")


def test_the_shell_has_the_size_of_the_terminal_and_follows_it(shpool: Place) -> None:
    client = shpool.attach("one", rows=30, cols=100)
    assert client.ask("stty size") == "30 100\n"
    client.resize(31, 101)
    eventually(lambda: client.ask("stty size") == "31 101\n")
    client.resize(10, 50)
    eventually(lambda: client.ask("stty size") == "10 50\n")


def test_a_terminal_of_another_size_makes_the_shell_fit(shpool: Place) -> None:
    client = shpool.attach("one", rows=30, cols=100)
    client.ask("true")
    client.send(DETACH)
    assert client.wait() == 0
    again = shpool.attach("one", rows=20, cols=90)
    eventually(lambda: again.ask("stty size") == "20 90\n")


def test_in_mode_simple_a_reattach_makes_the_program_redraw(place: Place) -> None:
    place.configure('session_restore_mode = "simple"')
    place.start()
    program = 'trap "stty size" WINCH; echo ready; while :; do sleep 0.01; done'
    client = place.attach("-c", f"sh -c '{program}'", "one")
    client.expect("ready")
    client.send(DETACH)
    assert client.wait() == 0
    again = place.attach("one")
    # First a row and a column more, then the real size; the program may only see the latter.
    again.expect("24 80")


def test_a_terminal_of_no_size_counts_as_24_by_80(shpool: Place) -> None:
    client = shpool.attach("one", rows=0, cols=0)
    assert client.ask("stty size") == "24 80\n"


def test_a_terminal_of_no_size_can_come_back(shpool: Place) -> None:
    shpool.attach("one", rows=0, cols=0).ask("true")
    again = shpool.attach("-f", "one", rows=0, cols=0)
    eventually(lambda: again.ask("stty size") == "24 80\n")


def test_a_terminal_of_one_cell_works(shpool: Place) -> None:
    program = "stty -echo; echo ready; while read x; do stty size; done"
    client = shpool.attach("-c", f"sh -c '{program}'", "one", rows=1, cols=1)
    client.expect("ready")
    client.send("\n")
    client.expect(r"\n1 1\r\n")
    client.send(DETACH)
    assert client.wait() == 0
    again = shpool.attach("one", rows=1, cols=1)

    def size() -> bytes:
        again.send("\n")
        return again.expect(r"(\d+ \d+)\r\n")[1]

    eventually(lambda: size() == b"1 1")


# ---- the end


def test_the_exit_status_of_the_shell_is_the_clients(shpool: Place) -> None:
    client = shpool.attach("one")
    client.send("exit 7\n")
    assert client.wait() == 7
    assert shpool.statuses() == {}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV])
def test_a_shell_killed_by_signal_n_makes_the_client_exit_128_plus_n(
    shpool: Place, number: signal.Signals
) -> None:
    client = shpool.attach("-c", f"sh -c 'ulimit -c 0; kill -{number:d} $$'", "one")
    assert client.wait() == 128 + number


def test_all_output_comes_before_the_exit_status(shpool: Place) -> None:
    client = shpool.attach("-c", "sh -c 'seq 20000; exit 3'", "one")
    assert client.wait() == 3
    numbers = [int(line) for line in re.findall(rb"(\d+)\r\n", client.output)]
    assert numbers == list(range(1, 20001))


def test_a_background_process_that_keeps_the_pty_open_does_not_keep_the_session(
    shpool: Place,
) -> None:
    client = shpool.attach("-c", "sh -c 'trap \"\" HUP; sleep 1000 & exit 5'", "one")
    assert client.wait() == 5
    assert shpool.statuses() == {}
    (pid,) = eventually(lambda: shpool.pids("sleep 1000"), "it runs")
    os.kill(pid, signal.SIGKILL)


def test_a_chatty_background_process_does_not_keep_the_session(shpool: Place) -> None:
    client = shpool.attach("-c", "sh -c 'trap \"\" HUP; yes >/dev/tty & exit 5'", "one")
    assert client.wait() == 5
    assert shpool.statuses() == {}
    eventually(lambda: not shpool.pids("yes"))


# ---- one terminal at a time


def test_a_second_terminal_is_told_that_the_session_is_occupied(shpool: Place) -> None:
    first = shpool.attach("one")
    first.ask("true")
    second = shpool.attach("one")
    assert second.wait() == 0
    assert second.text() == (
        "session 'one' already has a terminal attached\n-f takes it over, -x joins, -r watches\n"
    )
    assert first.ask("echo undisturbed") == "undisturbed\n"


def test_the_refusal_goes_to_stderr(shpool: Place) -> None:
    shpool.raw_attach("one", "sleep 1000")
    done = shpool.run("attach", "one")
    assert done == (0, "", "session 'one' already has a terminal attached\n")


def test_force_takes_the_session_and_the_other_client_exits_0(shpool: Place) -> None:
    first = shpool.attach("one")
    first.ask("x=kept")
    second = shpool.attach("-f", "one")
    assert first.wait() == 0
    assert second.ask("echo $x") == "kept\n"
    assert shpool.statuses() == {"one": "Attached"}


def test_force_on_a_session_that_is_free_or_new_is_a_plain_attach(shpool: Place) -> None:
    shpool.raw_session("free", "bash")
    assert shpool.attach("--force", "free").ask("echo in") == "in\n"
    assert shpool.attach("--force", "new").ask("echo in") == "in\n"


@pytest.mark.parametrize("count", [2, 10])
def test_of_clients_that_ask_for_one_new_name_at_once_one_gets_it(
    shpool: Place, count: int
) -> None:
    events = shpool.subscribe()
    peers = [shpool.peer() for _ in range(count)]
    for peer in peers:
        peer.request(attach_header("one", "sleep 1000"))
    replies = [peer.message()["status"] for peer in peers]
    assert replies.count("Busy") == count - 1
    assert replies.count({"Created": {"warnings": []}}) == 1
    shpool.expect_events(events, "created", "attached")


# ---- what a client is shown


def test_what_was_printed_is_on_the_screen_again_after_a_reattach(shpool: Place) -> None:
    program = "stty -echo; echo remember me; while read x; do echo $x; done"
    client = shpool.attach("-c", f"sh -c '{program}'", "one")
    client.expect("remember me")
    client.send(DETACH)
    assert client.wait() == 0
    again = shpool.attach("one")
    again.expect("remember me")
    again.send("live\n")
    again.expect("live")


def test_a_full_screen_program_is_on_the_screen_again_after_a_reattach(shpool: Place) -> None:
    vim = need("vim")
    text = shpool.scratch / "text"
    text.write_text("first line of the file\n" * 3)
    client = shpool.attach("-c", f"{vim} -u NONE -i NONE {text}", "one")
    client.expect("first line of the file")
    client.send(DETACH)
    assert client.wait() == 0
    again = shpool.attach("one", rows=20, cols=70)
    again.expect("first line of the file")
    again.send("G:q!\r")
    assert again.wait() == 0


def test_the_prompt_says_which_session_it_is(place: Place) -> None:
    place.configure('prompt_prefix = "shpool:$SHPOOL_SESSION_NAME "')
    place.start()
    client = place.attach("one")
    client.expect(r"shpool:one \$ ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_start_command_runs_before_the_first_prompt_and_is_not_typed(
    place: Place, shell: str
) -> None:
    place.configure(f'shell = "{need(shell)}"')
    place.start()
    client = place.attach("-s", "echo sta''rted in {w}$SHPOOL_SESSION_NAME", "one")
    client.expect(r"started in one\r?\n")
    assert "sta''rted" not in client.text()
    client.send("exit 0\n")
    assert client.wait() == 0
    assert "sta''rted" not in client.text()


def test_a_start_command_and_a_command_exclude_each_other(shpool: Place) -> None:
    done = shpool.run("attach", "-b", "-s", "true", "-c", "sleep 1000", "one")
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("shpool: ")
    assert done.err.count("\n") == 1
    assert shpool.statuses() == {}


def test_the_message_of_the_day_is_printed_in_a_new_session_only(place: Place) -> None:
    (place.scratch / "motd").write_text("the news\nof today")
    place.configure(f'motd = "dump"\nmotd_args = ["motd={place.scratch}/motd"]')
    place.start()
    program = "stty -echo; while read x; do clear; echo $x; done"
    client = place.attach("-c", f"sh -c '{program}'", "one")
    client.expect("the news\r\nof today\r\n")
    client.send("gone\n")
    client.expect("gone")
    client.send(DETACH)
    assert client.wait() == 0
    again = place.attach("one")
    again.send("again\n")
    again.expect("again")
    assert b"the news" not in again.output


def test_the_message_of_the_day_in_a_pager_comes_before_each_attach(place: Place) -> None:
    (place.scratch / "motd").write_text("the news")
    pager = place.scratch / "pager"
    pager.write_text("#!/bin/sh\nstty -echo\ncat $1\nread x\necho left with $x\n")
    pager.chmod(0o755)
    place.configure(
        f'motd_args = ["motd={place.scratch}/motd"]\nmotd = {{ pager = {{ bin = "{pager}" }} }}'
    )
    place.start()
    client = place.attach("-c", "sh -c 'stty -echo; echo shell; exec cat'", "one")
    for last in (False, True):
        client.expect("the news")
        client.send("key\n")
        client.expect("left with key")
        _until_answered(client)  # what is typed before the pager has ended is the pager's
        if not last:
            client.send(DETACH)
            assert client.wait() == 0
            client = place.attach("one")


def _until_answered(client: Terminal) -> None:
    """Type until the session, which runs cat, answers."""

    def answered() -> bool:
        client.send("to the shell\n")
        return client.shows("to the shell")

    eventually(answered)


# ---- the terminal is given back


def test_the_terminal_is_raw_while_attached_and_as_before_after_a_detach(shpool: Place) -> None:
    client = shpool.attach("one")
    before = client.first_modes
    client.ask("true")
    assert client.is_raw()
    client.send(DETACH)
    assert client.wait() == 0
    assert client.modes() == before


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT], ids=lambda n: n.name
)
def test_a_client_told_to_end_gives_the_terminal_back_and_frees_the_session(
    shpool: Place, number: signal.Signals
) -> None:
    events = shpool.subscribe()
    client = shpool.attach("one")
    before = client.first_modes
    client.ask("true")
    os.kill(client.pid, number)
    assert client.wait() == 128 + number
    assert client.modes() == before
    shpool.expect_events(events, "created", "attached", "detached")
    assert shpool.statuses() == {"one": "Disconnected"}


def test_the_terminal_is_given_back_when_the_daemon_ends(shpool: Place) -> None:
    client = shpool.attach("one")
    before = client.first_modes
    client.ask("true")
    assert shpool.stop() == 0
    assert client.wait() == 1
    assert client.modes() == before
    assert "shpool: lost the connection to the daemon" in client.text()


def test_the_terminal_is_given_back_when_the_daemon_is_killed(shpool: Place) -> None:
    client = shpool.attach("-c", "cat", "one")
    before = client.first_modes
    eventually(client.is_raw)
    shpool.kill_daemon()
    assert client.wait() == 1
    assert client.modes() == before


@pytest.mark.parametrize("off", ["?1049l", "?1000l", "?2004l", "?25h", "?1l", "m"])
def test_what_a_session_turned_on_in_the_terminal_is_off_after_a_detach(
    shpool: Place, off: str
) -> None:
    program = r"printf \"\033[?1049h\033[?1000h\033[?2004h\033[?25l\033[?1h\033[31mon\""
    client = shpool.attach("-c", f'sh -c "{program}; read x"', "one")
    client.expect("on")
    client.send(DETACH)
    assert client.wait() == 0
    client.expect(re.escape(f"\x1b[{off}"))


def test_a_client_that_is_stopped_and_continued_is_attached_again(shpool: Place) -> None:
    client = shpool.program(["bash", "--norc", "-i"])
    client.ask("PS1='outside '")
    client.send(" ".join(shpool.command("attach", "one")) + "\n")
    eventually(lambda: shpool.statuses() == {"one": "Attached"})
    eventually(client.is_raw)
    (pid,) = [row["pid"] for row in shpool.sessions()["one"]["attachments"]]
    os.kill(pid, signal.SIGTSTP)
    client.expect("Stopped")
    assert client.ask("echo at $((2 * 21)); stty -a | grep -c ' icanon'") == "at 42\n1\n"
    client.send("fg\n")
    eventually(lambda: shpool.statuses() == {"one": "Attached"})
    assert client.ask("echo in $SHPOOL_SESSION_NAME") == "in one\n"


# ---- without a terminal


def test_without_a_terminal_bytes_come_from_and_go_to_pipes(shpool: Place) -> None:
    process = shpool.popen("attach", "-c", "sh -c 'stty size; read x; exit $x'", "one", stdin=-1)
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == b"24 80\r\n"
    process.stdin.write(b"4\n")
    process.stdin.flush()
    assert process.wait() == 4


def test_the_end_of_input_hangs_up_and_the_session_goes_on(shpool: Place) -> None:
    done = shpool.run("attach", "-c", "sleep 1000", "one")
    assert done.status == 1
    assert eventually(lambda: shpool.statuses() == {"one": "Disconnected"})


def test_a_terminal_on_one_side_only_is_left_as_it_is(shpool: Place) -> None:
    words = " ".join(shpool.command("attach", "-c", "'echo through'", "one"))
    client = shpool.program(["sh", "-c", f"{words} | cat"])
    before = client.first_modes
    client.expect("through")
    assert client.modes() == before
    assert client.wait() == 0


def test_closing_the_window_frees_the_session(shpool: Place) -> None:
    events = shpool.subscribe()
    client = shpool.attach("one")
    client.ask("true")
    client.hang_up()
    assert events.types(3) == ["session.created", "session.attached", "session.detached"]
    assert shpool.statuses() == {"one": "Disconnected"}


@pytest.mark.parametrize("options", [(), ("-f",)])
def test_a_session_cannot_be_attached_to_from_inside_it(
    shpool: Place, options: tuple[str, ...]
) -> None:
    client = shpool.attach("one")
    program = Path(shpool_package.__file__).with_name("__main__.py")
    words = (sys.executable, str(program), "-D", "attach", *options, "one")
    command = f"XDG_RUNTIME_DIR={shpool.runtime.parent} {shlex.join(words)}"
    shown = client.ask(f"{command}; echo status $?")
    assert shown.replace("\r", "") == (
        "shpool: session 'one' cannot be attached to from inside it\nstatus 1\n"
    )
    assert shpool.statuses() == {"one": "Attached"}
