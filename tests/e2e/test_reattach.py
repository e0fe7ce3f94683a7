"""Coming back: the screen is there, as if nobody had ever left, also in a terminal of another size.

The judge of what is shown is another emulator (window.py).
"""

import os
import signal

import pytest

from tests.e2e.conftest import BOTH_WAYS
from tests.e2e.harness import DETACH, Place, eventually
from tests.e2e.window import Window, attached, outside
from tests.programs import need
from tests.terminal.judge import difference

pytestmark = BOTH_WAYS

SIZES = {"the same size": (24, 80), "a smaller one": (16, 60), "a larger one": (30, 100)}

VIM = "vim -u NONE -i NONE -N -n"


def leave(window: Window) -> None:
    window.send(DETACH)
    assert window.wait() == 0


def text_of_screen(place: Place, lines: int) -> str:
    """A file with so many numbered lines."""
    path = place.scratch / "text"
    path.write_text("".join(f"line {n}\n" for n in range(1, lines + 1)))
    return str(path)


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    return SIZES[request.param]


# ---- full-screen programs


def test_vim_is_there_and_leaving_it_brings_the_shells_screen_back(
    shpool: Place, size: tuple[int, int]
) -> None:
    need("vim")
    path = text_of_screen(shpool, 100)
    rows, cols = size
    with attached(shpool, "one") as window:
        window.until(lambda: window.cursor_line() == "$")
        window.send("echo in the sh''ell\n")
        window.until_shown("in the shell")
        window.until(lambda: window.cursor_line() == "$")
        window.send(f"{VIM} +50 {path}\n")
        window.until_shown("line 50")
        window.send("ix")
        window.until_shown("xline 50")
        leave(window)
    with attached(shpool, "one", rows=rows, cols=cols) as window:
        window.until(lambda: window.cursor_line() == "xline 50")
        window.until(lambda: "INSERT" in window.screen()[-1])
        assert window.state()["alternate"]
        window.send("y")
        window.until(lambda: window.cursor_line() == "xyline 50")
        window.send("\x1b:q!\n")
        window.until(lambda: window.cursor_line() == "$")
        assert not window.state()["alternate"]
        assert window.everything() == [
            "$ echo in the sh''ell",
            "in the shell",
            f"$ {VIM} +50 {path}",
            "$",
        ]


def test_less_is_there(shpool: Place, size: tuple[int, int]) -> None:
    need("less")
    path = text_of_screen(shpool, 100)
    rows, cols = size
    with attached(shpool, "one") as window:
        window.until(lambda: window.cursor_line() == "$")
        window.send(f"less {path}\n")
        window.until_shown("line 23")
        window.send(" ")
        window.until_shown("line 46")
        leave(window)
    with attached(shpool, "one", rows=rows, cols=cols) as window:
        expected = [f"line {n}" for n in range(24, 24 + rows - 1)]
        window.until(lambda: window.screen()[:-1] == expected)
        assert window.screen()[-1] == ":"
        window.send("q")
        window.until(lambda: window.cursor_line() == "$")
        assert window.screen()[0].startswith("$ less")


def test_htop_is_there(shpool: Place, size: tuple[int, int]) -> None:
    need("htop")
    rows, cols = size
    with attached(shpool, "one") as window:
        window.until(lambda: window.cursor_line() == "$")
        window.send("htop -d 100\n")
        window.until_shown("F10")
        leave(window)
    with attached(shpool, "one", rows=rows, cols=cols) as window:
        window.until(lambda: "F1Help" in window.screen()[-1] and "PID" in "".join(window.screen()))
        assert window.state()["cursor"]["hidden"]
        assert window.state()["modes"]["mouse"] != "NONE"
        window.send("q")
        window.until(lambda: window.cursor_line() == "$")
        assert window.disorder() == ""


# ---- the shell


def test_a_half_typed_command_can_be_finished(shpool: Place, size: tuple[int, int]) -> None:
    rows, cols = size
    with attached(shpool, "one") as window:
        window.until(lambda: window.cursor_line() == "$")
        window.send("echo be''fore\n")
        window.until_shown("before")
        window.until(lambda: window.cursor_line() == "$")
        window.send("echo fin''ished")
        window.until(lambda: window.cursor_line() == "$ echo fin''ished")
        window.send("\x1b[D\x1b[D")
        window.until(lambda: window.cursor()[1] == len("$ echo fin''ish"))
        leave(window)
    with attached(shpool, "one", rows=rows, cols=cols) as window:
        window.until(lambda: window.cursor_line() == "$ echo fin''ished")
        window.until(lambda: window.cursor()[1] == len("$ echo fin''ish"))
        assert window.everything() == ["$ echo be''fore", "before", "$ echo fin''ished"]
        window.send("-\n")
        wanted = [
            "$ echo be''fore",
            "before",
            "$ echo fin''ish-ed",
            "finish-ed",
            "$",
        ]
        window.until(lambda: window.everything() == wanted)


def test_a_prompt_at_the_bottom_of_a_full_screen_stays_visible(
    shpool: Place, size: tuple[int, int]
) -> None:
    rows, cols = size
    with attached(shpool, "one") as window:
        window.until(lambda: window.cursor_line() == "$")
        window.send("seq 100; echo at the bot''tom\n")
        window.until_shown("at the bottom")
        window.until(lambda: window.cursor_line() == "$")
        leave(window)
    with attached(shpool, "one", rows=rows, cols=cols) as window:
        window.until_shown("at the bottom")
        window.until(lambda: window.cursor_line() == "$")
        shown = [row for row in window.screen() if row]
        assert shown[-3:] == ["100", "at the bottom", "$"]
        assert shown[0] == str(100 - len(shown) + 3)
        window.send("echo still the''re\n")
        window.until_shown("still there")


def test_a_right_prompt_stands_at_the_right(place: Place, size: tuple[int, int]) -> None:
    zsh = need("zsh")
    place.configure(f'shell = "{zsh}"\nnorc = false')
    (place.home / ".zshrc").write_text("PS1='left> '\nRPS1='<right'\nunsetopt PROMPT_SP\n")
    place.start()
    rows, cols = size
    with attached(place, "one") as window:
        window.until(lambda: window.cursor_line() == "left> " + "<right".rjust(80 - 7))
        window.send("echo half")
        window.until_shown("left> echo half")
        leave(window)
    with attached(place, "one", rows=rows, cols=cols) as window:
        prompt = "left> echo half"
        window.until(
            lambda: window.cursor_line() == prompt + "<right".rjust(cols - 1 - len(prompt))
        )
        assert window.cursor()[1] == len(prompt)
        window.send(" of it\n")
        window.until_shown("half of it")
        window.until(lambda: window.cursor_line() == "left> " + "<right".rjust(cols - 7))


def test_a_long_build_log_is_rewrapped(shpool: Place, size: tuple[int, int]) -> None:
    rows, cols = size
    program = shpool.scratch / "build"
    program.write_text(
        "#!/bin/sh\n"
        'for n in $(seq 40); do echo "cc -c -O2 -Wall -Wextra -o build/objects/file$n.o '
        'source/of/the/program/file$n.c -Iinclude"; done\n'
        "printf 'waiting'; read x; echo went on; read x\n"
    )
    program.chmod(0o755)
    with attached(shpool, "-c", str(program), "one") as window:
        window.until(lambda: window.cursor_line() == "waiting")
        leave(window)
    with attached(shpool, "one", rows=rows, cols=cols) as window:
        window.until(lambda: window.cursor_line() == "waiting")
        log = [
            f"cc -c -O2 -Wall -Wextra -o build/objects/file{n}.o "
            f"source/of/the/program/file{n}.c -Iinclude"
            for n in range(1, 41)
        ]
        wrapped = [
            line[at : at + cols].rstrip() for line in log for at in range(0, len(line), cols)
        ]
        assert [row for row in window.screen() if row] == [*wrapped, "waiting"][-rows:]
        window.send("\n")
        window.until_shown("went on")


def test_the_screen_is_cell_exact_with_colours_cursor_and_modes(shpool: Place) -> None:
    program = shpool.scratch / "colours"
    program.write_text(
        "#!/bin/sh\n"
        r"printf '\033[1;31mred\033[0;4;38;5;200m under\033[48;2;1;2;3m true\033[m plain\r\n'"
        "\n"
        r"printf '\033]2;a title\007\033[?2004h\033[?1000h\033[?1006h\033[5;10r\033[7;9H'"
        "\n"
        r"printf '\033(0lqk\033(B wide \344\270\255 e\314\201 \033[3 q\033[7m'"
        "\nread x\n"
    )
    program.chmod(0o755)
    with attached(shpool, "-c", str(program), "one") as window:
        window.until_shown("wide")
        window.until(lambda: window.state()["pen"])
        before = window.state()
        leave(window)
    with attached(shpool, "one") as window:
        window.until_shown("wide")
        window.until(lambda: window.state()["pen"])
        assert difference(before, window.state(), ignore=frozenset({"saved"})) == ""


def test_a_program_cut_inside_a_sequence_goes_on_inside_it(shpool: Place) -> None:
    program = shpool.scratch / "halves"
    program.write_text(
        "#!/bin/sh\nstty -echo\n"
        r"printf 'begin \033[3'; read x; printf '1mred\033[m \342\202'; read x; printf '\254 end'"
        "\nread x\n"
    )
    program.chmod(0o755)
    with attached(shpool, "-c", str(program), "one") as window:
        window.until_shown("begin")
        leave(window)
    with attached(shpool, "one") as window:
        window.until_shown("begin")
        window.send("\n")
        window.until_shown("begin red")
        leave(window)
    with attached(shpool, "one") as window:
        window.until_shown("begin red")
        window.send("\n")
        window.until_shown("begin red € end")


# ---- history, and what stood there before


@pytest.mark.parametrize("lines", [0, 10, 200])
def test_lines_of_history_come_into_the_scrollback(place: Place, lines: int) -> None:
    place.configure(f"session_restore_mode = {{ lines = {lines} }}")
    place.start()
    with attached(place, "one") as window:
        window.until(lambda: window.cursor_line() == "$")
        window.send("seq -f '%g of many' 300; echo do''ne\n")
        window.until_shown("done")
        window.until(lambda: window.cursor_line() == "$")
        leave(window)
    with attached(place, "one") as window:
        window.until(lambda: window.cursor_line() == "$")
        on_screen = [f"{n} of many" for n in range(300 - 22 + 1, 301)] + ["done", "$"]
        assert window.screen() == on_screen
        last = 300 - 22
        history = [f"{n} of many" for n in range(last - lines + 1, last + 1)]
        assert window.history() == history


def test_wrapped_lines_of_history_are_joined(place: Place) -> None:
    place.configure("session_restore_mode = { lines = 100 }")
    place.start()
    long = "x" * 79 + "y" * 79
    with attached(place, "-c", f"sh -c 'echo {long}; seq 50; read x'", "one") as window:
        window.until_shown("50")
        leave(window)
    with attached(place, "one", cols=120) as window:
        window.until_shown("50")
        assert long in window.history()


def test_in_mode_screen_no_history_comes(shpool: Place) -> None:
    with attached(shpool, "-c", "sh -c 'seq 300; read x'", "one") as window:
        window.until_shown("300")
        leave(window)
    with attached(shpool, "one") as window:
        window.until_shown("300")
        assert window.history() == []


@pytest.mark.parametrize("above", [3, 40])
@pytest.mark.parametrize("inside", [2, 100])
def test_what_stood_there_before_goes_into_the_scrollback_once(
    shpool: Place, above: int, inside: int
) -> None:
    first = attached(shpool, "-c", f"sh -c 'seq -f %g-in {inside}; read x'", "one")
    with first:
        first.until_shown(f"{inside}-in")
        leave(first)
    with outside(shpool) as window:
        window.send(f"seq -f %g-out {above}\n")
        window.until_shown(f"{above}-out")
        window.until(lambda: window.cursor_line() == "outside$")
        window.send("shpool attach one\n")
        window.until_shown(f"{inside}-in")
        everything = window.everything()
        assert everything[: above + 2] == [
            f"outside$ seq -f %g-out {above}",
            *[f"{n}-out" for n in range(1, above + 1)],
            "outside$ shpool attach one",
        ]
        shown = [row for row in window.screen() if row]
        assert shown == [f"{n}-in" for n in range(max(1, inside - 22), inside + 1)]
        assert everything[above + 2 :] == shown
        window.send(DETACH)
        window.until(lambda: window.cursor_line() == "outside$")
        window.send("shpool attach one\n")
        eventually(lambda: shpool.statuses() == {"one": "Attached"})
        window.until(lambda: [row for row in window.screen() if row] == shown)
        everything = window.everything()
        assert len([line for line in everything if line.endswith("-out")]) == above


def test_a_new_session_begins_where_the_cursor_is(shpool: Place) -> None:
    with outside(shpool) as window:
        window.send("shpool attach one\n")
        window.until(lambda: window.cursor_line() == "$")
        assert window.everything() == ["outside$ shpool attach one", "$"]


# ---- other ways to come back


def test_a_session_attached_by_force_looks_the_same(shpool: Place) -> None:
    with attached(shpool, "one") as first:
        first.until(lambda: first.cursor_line() == "$")
        first.send("echo half of it")
        first.until(lambda: first.cursor_line() == "$ echo half of it")
        with attached(shpool, "-f", "one") as second:
            second.until(lambda: second.cursor_line() == "$ echo half of it")
            assert first.wait() == 0
            assert first.disorder() == ""


def test_after_a_killed_client_the_screen_is_there(shpool: Place) -> None:
    with attached(shpool, "one") as window:
        window.until(lambda: window.cursor_line() == "$")
        window.send("echo kept half")
        window.until(lambda: window.cursor_line() == "$ echo kept half")
        os.kill(window.pid, signal.SIGKILL)
        assert window.wait() == -signal.SIGKILL
    eventually(lambda: shpool.statuses() == {"one": "Disconnected"})
    with attached(shpool, "one") as window:
        window.until(lambda: window.cursor_line() == "$ echo kept half")


def test_what_the_program_wrote_meanwhile_is_there(shpool: Place) -> None:
    program = f"sh -c 'echo ready; cat {shpool.scratch}/go >/dev/null; seq 10; cat'"
    os.mkfifo(shpool.scratch / "go")
    with attached(shpool, "-c", program, "one") as window:
        window.until_shown("ready")
        leave(window)
    (shpool.scratch / "go").write_text("now")
    with attached(shpool, "one") as window:
        window.until(lambda: window.screen()[:11] == ["ready", *map(str, range(1, 11))])


def test_a_window_that_changes_while_attached_ends_on_the_same_screen_as_a_reattach(
    shpool: Place,
) -> None:
    with attached(shpool, "one") as window:
        window.until(lambda: window.cursor_line() == "$")
        window.send("seq 40; echo wi''de $(seq 60)\n")
        window.until(lambda: window.cursor_line() == "$")
        for rows, cols in ((20, 50), (30, 90), (24, 80)):
            window.resize(rows, cols)
            while f"{rows} {cols}\n" not in window.ask("stty size"):
                pass
        window.send("clear; echo set''tled\n")
        window.until(lambda: window.screen()[:2] == ["settled", "$"])
        before = window.screen()
        leave(window)
    with attached(shpool, "one") as window:
        window.until(lambda: window.screen() == before)
