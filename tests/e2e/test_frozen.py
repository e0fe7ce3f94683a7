"""A client that reads nothing, or is stopped, keeps no program and no other session waiting."""

import os
import re
import shlex
import signal
import termios

from tests.e2e.conftest import BOTH_WAYS
from tests.e2e.harness import DETACH, Place, eventually
from tests.e2e.window import Window, attached, outside

pytestmark = BOTH_WAYS

# Far more than all buffers between the program and the terminal hold.
FLOOD = 4_000_000


def flood(place: Place, then: str = "cat") -> str:
    """A command that writes a flood once it is told to, notes that it has, and goes on."""
    script = place.scratch / "flood"
    script.write_text(
        "#!/bin/sh\nstty -echo\necho ready\nread x\n"
        f"seq -f 'flood %08.0f' {FLOOD // 16}\n"
        f"echo over > {place.scratch}/over\necho flood is over\n{then}\n"
    )
    script.chmod(0o755)
    return str(script)


def is_over(place: Place) -> bool:
    return (place.scratch / "over").exists()


def test_a_frozen_terminal_does_not_stop_the_program(shpool: Place) -> None:
    with attached(shpool, "-c", flood(shpool), "one") as window:
        window.until_shown("ready")
        window.send("\n")
        # Nothing of what comes is read any more.
        eventually(lambda: is_over(shpool), "the flood is over")
        shpool.logged("takes no output, so it is skipped until it does")
        assert shpool.statuses() == {"one": "Attached"}
        other = shpool.attach("other")
        assert other.ask("echo goes on") == "goes on\n"
        # It reads again: the screen is right, what was missed is not sent.
        window.until(lambda: "flood is over" in window.screen())
        last = FLOOD // 16
        rows = [row for row in window.screen() if row]
        assert rows == [f"flood {n:08d}" for n in range(last - 21, last + 1)] + ["flood is over"]
        assert len(window.output) < FLOOD
        window.send("and live again\n")
        window.until_shown("and live again")
        shpool.logged("reads again")


def test_what_was_missed_is_put_into_the_scrollback_once(place: Place) -> None:
    place.configure("session_restore_mode = { lines = 200 }")
    place.start()
    with attached(place, "-c", flood(place), "one") as window:
        window.until_shown("ready")
        window.send("\n")
        eventually(lambda: is_over(place), "the flood is over")
        place.logged("takes no output, so it is skipped until it does")
        window.until(lambda: "flood is over" in window.screen())
        shown = [line for line in window.everything() if re.fullmatch(r"flood \d+", line)]
        last = FLOOD // 16
        # The flood's beginning went there as it came; one line may have been cut where it froze.
        assert shown[-200:] == [f"flood {n:08d}" for n in range(last - 199, last + 1)]
        assert len(shown) == len(set(shown))


def test_nothing_is_put_into_the_scrollback_again_when_a_client_was_only_stopped(
    place: Place,
) -> None:
    place.configure("session_restore_mode = { lines = 200 }")
    place.start()
    with outside(place) as window:
        window.send("shpool attach -c 'sh -c \"seq 100; cat\"' one\n")
        window.until(lambda: "100" in window.screen())
        (row,) = place.sessions()["one"]["attachments"]
        os.kill(row["pid"], signal.SIGSTOP)
        window.until_shown("Stopped")
        window.send("fg\n")
        # Raw, not only as the shell outside has it while it reads a line.
        window.until(lambda: not window.modes()[3] & termios.ISIG)
        window.send("it\n")
        window.until(lambda: window.screen().count("it") == 2)
        shown = [line for line in window.everything() if re.fullmatch(r"\d+", line)]
        assert shown.count("50") == 1


def test_a_frozen_raw_client_is_sent_the_screen_when_it_reads_again(shpool: Place) -> None:
    peer = shpool.raw_attach("one", flood(shpool))
    peer.output_until(b"ready")
    peer.send(b"\n")
    eventually(lambda: is_over(shpool), "the flood is over")
    assert len(peer.output_until(b"flood is over")) < FLOOD
    peer.send(b"live again\n\x04")
    output, status = peer.to_exit_status()
    assert status == 0
    assert output.startswith(b"live again\r\n")


def test_a_frozen_client_hears_of_changed_variables_when_it_reads_again(shpool: Place) -> None:
    shpool.run("var", "set", "which", "one")
    with attached(shpool, "-c", flood(shpool), "{which}") as window:
        window.until_shown("ready")
        window.send("\n")
        eventually(lambda: is_over(shpool), "the flood is over")
        shpool.logged("skipped until it does")
        for n in range(5):
            shpool.run("var", "set", "which", f"two{n}")
        eventually(lambda: window.state() and shpool.statuses().get("two4") == "Attached")
        # A client whose terminal is passed hears of it at once, and has it given back.
        others = {f"two{n}": "Disconnected" for n in range(4)} if shpool.passes else {}
        found = shpool.statuses()
        assert {"one": "Disconnected", "two4": "Attached"}.items() <= found.items()
        assert found.items() <= {"one": "Disconnected", "two4": "Attached", **others}.items()


def test_a_frozen_client_can_be_detached_and_its_session_taken(shpool: Place) -> None:
    with attached(shpool, "-c", flood(shpool), "one") as window:
        window.until_shown("ready")
        window.send("\n")
        eventually(lambda: is_over(shpool), "the flood is over")
        shpool.logged("skipped until it does")
        with attached(shpool, "-f", "one") as second:
            second.until_shown("flood is over")
            second.send("mine\n")
            second.until_shown("mine")
        assert window.wait() == 0
        assert window.disorder() == ""


def test_a_client_that_reads_slowly_is_sent_everything(shpool: Place) -> None:
    peer = shpool.raw_attach("one", "sh -c 'stty -onlcr; seq 100000; echo end'")
    output = b""
    while not output.endswith(b"\nend\n"):
        shpool.request("List")  # something else is always done first
        kind, payload = peer.chunk()
        assert kind == 0
        assert isinstance(payload, bytes)
        output += payload
    assert output == b"".join(b"%d\n" % n for n in range(1, 100_001)) + b"end\n"


def test_keys_reach_the_program_while_its_output_does_not_fit(shpool: Place) -> None:
    done = shpool.scratch / "interrupted"
    program = f"sh -c 'trap \"echo so > {done}; exit 3\" INT; echo ready; while :; do seq 9; done'"
    with attached(shpool, "-c", program, "one") as window:
        window.until_shown("9")
        window.send(b"\x03")
        eventually(done.exists)
        assert window.wait() == 3


# ---- a stopped client


def stop(window: Window, place: Place, number: signal.Signals) -> int:
    (row,) = place.sessions()["one"]["attachments"]
    pid: int = row["pid"]
    os.kill(pid, number)
    return pid


def test_a_client_that_is_stopped_frees_its_session_and_comes_back_to_it(shpool: Place) -> None:
    with outside(shpool) as window:
        before = window.modes()
        window.send("shpool attach one\n")
        window.until(lambda: window.cursor_line() == "$")
        window.send("echo half")
        window.until(lambda: window.cursor_line() == "$ echo half")
        stop(window, shpool, signal.SIGTSTP)
        window.until(lambda: window.cursor_line() == "outside$")
        assert window.modes() == before
        assert shpool.statuses() == {"one": "Disconnected"}
        window.send("fg\n")
        window.until(lambda: window.cursor_line() == "$ echo half")
        assert shpool.statuses() == {"one": "Attached"}
        window.send(" and half\n")
        window.until_shown("half and half")
        window.send(DETACH)
        window.until(lambda: window.cursor_line() == "outside$")
        assert window.modes() == before


def test_a_full_screen_program_is_back_after_fg(shpool: Place) -> None:
    program = r"""sh -c 'printf "\033[?1049h\033[?1000h\033[Hfull screen"; cat'"""
    with outside(shpool) as window:
        window.send(f"shpool attach -c {shlex.quote(program)} one\n")
        window.until(lambda: window.screen()[0] == "full screen")
        stop(window, shpool, signal.SIGTSTP)
        window.until(lambda: window.cursor_line() == "outside$")
        assert window.disorder() == ""
        window.send("fg\n")
        window.until(lambda: window.screen()[0] == "full screen")
        assert window.state()["modes"]["mouse"] != "NONE"
        window.send(DETACH)
        window.until(lambda: window.cursor_line() == "outside$")
        assert window.disorder() == ""


def test_a_window_that_was_resized_while_its_client_was_stopped(shpool: Place) -> None:
    with outside(shpool) as window:
        window.send("shpool attach one\n")
        window.until(lambda: window.cursor_line() == "$")
        stop(window, shpool, signal.SIGSTOP)
        # The shell outside is told of the new size, and nobody else.
        window.until(lambda: window.cursor_line().endswith("outside$"))
        window.resize(31, 101)
        window.send("fg\n")
        eventually(window.is_raw)
        eventually(lambda: window.ask("stty size") == "31 101\n")


def test_a_client_that_was_told_to_end_while_it_was_stopped_leaves_no_reports(
    shpool: Place,
) -> None:
    program = r"""sh -c 'printf "\033[?1000hready"; cat'"""
    with outside(shpool) as window:
        window.send(f"shpool attach -c {shlex.quote(program)} one\n")
        window.until(lambda: "ready" in window.screen())
        pid = stop(window, shpool, signal.SIGSTOP)
        window.until(lambda: window.cursor_line().endswith("outside$"))
        os.kill(pid, signal.SIGTERM)
        window.send("fg\n")
        eventually(lambda: window.state() and pid not in shpool.processes())
        window.send("echo no''thing\n")
        window.until_shown("nothing")
        assert "[0n" not in "\n".join(window.everything())
        assert window.disorder() == ""


def test_a_session_taken_while_its_client_was_stopped_is_busy_for_it(shpool: Place) -> None:
    with outside(shpool) as window:
        window.send("shpool attach one\n")
        window.until(lambda: window.cursor_line() == "$")
        stop(window, shpool, signal.SIGTSTP)
        window.until(lambda: window.cursor_line() == "outside$")
        taken = shpool.attach("one")
        eventually(lambda: shpool.statuses() == {"one": "Attached"})
        window.send("fg\n")
        window.until_shown("session 'one' already has a terminal attached")
        window.until(lambda: window.cursor_line() == "outside$")
        assert taken.ask("echo undisturbed") == "undisturbed\n"
