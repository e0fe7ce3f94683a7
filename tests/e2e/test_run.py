"""Commands at the prompts of real shells: their output, their statuses, and what cannot be done."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess

import pytest

from tests.e2e.harness import Place, eventually
from tests.e2e.test_outside import noted
from tests.e2e.test_shells import FILES
from tests.e2e.users import start_as_user
from tests.e2e.window import attached
from tests.programs import need

NOT_TAKEN = "shpool: the shell did not take the command\n"
WANTS_MORE = "shpool: the shell did not take the command: it wants more of it, or asks something\n"


@pytest.fixture(params=FILES)
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def started(place: Place, shell: str, more: str = "") -> None:
    path, content = FILES[shell]
    (place.home / ".inputrc").unlink()  # which turns bracketed paste off
    start_as_user(place, shell, {path: content + more}, "")
    assert place.run("attach", "-b", "one").status == 0


def first_line(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    return process.stdout.readline()


def test_output_and_status_are_the_commands(place: Place, shell: str) -> None:
    started(place, shell)
    words = ["it's", "a  b", "$HOME", "*", "~", "x!y", "tab\there", "two\nlines", '"', "\\n", ""]
    assert place.run("run", "one", "--", "printf", "<%s>", *words) == (
        0,
        "".join(f"<{word}>" for word in words),
        "",
    )
    assert place.run("run", "one", "--", "sh", "-c", "echo out; exit 7") == (7, "out\n", "")
    assert place.run("run", "one", "-c", "cd /usr && pwd") == (0, "/usr\n", "")
    assert place.run("run", "one", "--", "pwd") == (0, "/usr\n", "")
    assert place.run("run", "one", "-c", "echo one\n\techo two\nsh -c 'exit 4'") == (
        4,
        "one\ntwo\n",
        "",
    )
    assert place.run("run", "one", "--", "sh", "-c", "kill -9 $$").status == 137
    assert place.run("run", "one", "--", "nosuchcommand").status == 127
    done = place.run("run", "one", "-t", "60s", "--", "seq", "100000")
    assert (done.status, done.err) == (0, "")
    assert done.out == "".join(f"{number}\n" for number in range(1, 100001))
    assert place.run("run", "one", "--ansi", "--", "printf", "\x1b[31mred\x1b[m").out.endswith(
        "\x1b[31mred\x1b[m"
    )


def test_what_a_shell_does_not_take_is_told_and_leaves_it_at_a_prompt(
    place: Place, shell: str
) -> None:
    started(place, shell)
    done = place.run("run", "one", "-c", "echo )")
    assert done == (125, "", WANTS_MORE if shell == "fish" else NOT_TAKEN)
    assert place.run("run", "one", "-c", "echo 'never ended") == (125, "", WANTS_MORE)
    assert place.run("run", "one", "--", "echo", "goes on") == (0, "goes on\n", "")


def test_who_is_attached_sees_it_as_if_it_had_been_typed(place: Place, shell: str) -> None:
    started(place, shell)
    person = place.attach("one")
    person.expect("user> ")
    command = "printf 'na%s' 'me? '; read x; echo hi $x"
    running = place.popen("run", "one", "--", "sh", "-c", command)
    person.expect(r"name\? ")
    person.send("Ann\n")
    person.expect("hi Ann")
    out, err = running.communicate()
    assert (running.returncode, out, err) == (0, b"name? Ann\nhi Ann\n", b"")
    person.expect("user> ")
    assert place.run("send", "one") == (0, "", "")  # nothing, which begins no line
    assert place.run("run", "one", "-t", "60s", "--", "true") == (0, "", "")
    person.send("half")
    person.expect("half")
    done = place.run("run", "one", "-t", "300ms", "--", "true")
    said = "shpool: somebody has begun a line at the prompt of session 'one'\n"
    assert done == (125, "", said)
    person.send("\x15")
    assert place.run("run", "one", "--", "true") == (0, "", "")


def test_output_comes_as_it_is_written_and_an_interrupt_goes_to_the_command(
    place: Place, shell: str
) -> None:
    started(place, shell)
    loop = 'trap "echo caught; exit 9" INT; echo waiting; while :; do sleep 0.1; done'
    running = place.popen("run", "one", "--json", "--", "sh", "-c", loop)
    assert first_line(running) == b"waiting\n"
    running.send_signal(signal.SIGINT)
    out, err = running.communicate()
    *lines, last = out.splitlines()
    assert (running.returncode, err) == (9, b"")
    assert lines[-1].endswith(b"caught")
    assert json.loads(last) == {"status": 9, "reason": None}


def test_nobody_notices_it_but_by_what_is_shown(place: Place) -> None:
    """Neither the size nor who is attached changes, beside a terminal of another size too."""
    started(place, "bash")
    with attached(place, "one", rows=30, cols=100) as driver:
        driver.until(lambda: driver.cursor_line() == "user>", "the prompt")
        with attached(place, "-r", "one", rows=20, cols=60) as watcher:
            watcher.until_shown("user>")
            before = noted(place, "one")
            del before["prompt"]
            subscriber = place.subscribe()
            command = "stty size; seq 3000; sh -c 'exit 3'"
            running = place.popen("run", "one", "-t", "60s", "-c", command)
            driver.until(lambda: running.poll() is not None)
            numbers = "".join(f"{number}\n" for number in range(1, 3001)).encode()
            assert running.communicate() == (b"30 100\n" + numbers, b"")
            assert running.returncode == 3
            place.expect_events(subscriber)
            after = noted(place, "one")
            assert after.pop("prompt")["last_status"] == 3
            assert after == before
            for window in (driver, watcher):
                window.until_shown("3000")


def test_time_runs_out_and_the_command_goes_on(place: Place) -> None:
    started(place, "bash")
    done = place.run("run", "one", "--json", "-t", "500ms", "--", "sh", "-c", "echo a; read x")
    assert (done.status, done.err) == (124, "")
    assert done.out == 'a\n{"status": null, "reason": "timeout"}\n'
    done = place.run("run", "one", "-t", "200ms", "--", "true")
    assert (done.status, done.out) == (125, "")
    assert done.err == (
        "shpool: session 'one' was not at its prompt in time: sh -c 'echo a; read x' runs there\n"
    )
    place.run("send", "one", "-e", "x")
    assert place.run("run", "one", "--", "true").status == 0


def test_a_command_that_nobody_waits_for(place: Place) -> None:
    started(place, "bash")
    file = place.scratch / "file"
    assert place.run("run", "one", "-d", "-c", f"read x; echo $x >{file}") == (0, "", "")
    place.run("send", "one", "-e", "word")
    eventually(lambda: file.exists() and file.read_text() == "word\n", "it has run")


def test_a_session_that_is_made_for_it(place: Place) -> None:
    started(place, "zsh")
    assert place.run("run", "two", "--", "true") == (125, "", "not found: two\n")
    assert place.run("run", "--create", "two", "--", "echo", "made") == (0, "made\n", "")
    assert place.run("run", "--create", "two", "--", "echo", "again") == (0, "again\n", "")
    assert place.statuses() == {"one": "Disconnected", "two": "Disconnected"}


def test_shells_below_and_the_session_itself_are_refused(place: Place) -> None:
    started(place, "bash")
    person = place.attach("one")
    person.expect("user> ")
    person.send("PS1='below> ' bash --norc\n")
    person.expect("below> ")
    done = place.run("run", "one", "--", "true")
    assert done.status == 125
    assert done.err.startswith("shpool: session 'one' is in another shell (PS1='below> ' bash")
    person.send("exit\n")
    person.expect("user> ")
    command = shlex.join(place.command("--socket", str(place.socket), "run", ".", "--", "true"))
    person.send(f"PYTHONPATH={place.env['PYTHONPATH']} {command}; echo status: $?\n")
    person.expect("this is session 'one', whose prompt does not come while run waits")
    person.expect("status: 125")


@pytest.mark.parametrize("configuration", ["shell_integration = false", 'shell = "/bin/dash"'])
def test_a_shell_that_marks_nothing_is_refused(place: Place, configuration: str) -> None:
    need("dash")
    place.configure(configuration)
    place.start()
    place.run("attach", "-b", "one")
    done = place.run("run", "one", "--json", "--", "true")
    assert done.status == 125
    assert done.err.startswith(
        "shpool: the shell of session 'one' does not mark its prompts: run needs bash 4.4 or later"
    )
    reason = done.err.removeprefix("shpool: ").removesuffix("\n")
    assert json.loads(done.out) == {"status": None, "reason": reason}


def test_the_shell_ends_by_it(place: Place) -> None:
    started(place, "bash")
    done = place.run("run", "one", "--", "exit", "3")
    assert done == (125, done.out, "shpool: the session has ended\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["one"], "run needs a command: NAME -- COMMAND... or NAME -c STRING"),
        (["one", "-c", "true", "--", "true"], "-c and a command cannot be used together"),
        (["one", "-c", " "], "the command is empty"),
        (["one", "-d", "--json", "--", "true"], "--detach and --json cannot be used together"),
        (["one", "-t", "x", "--", "true"], "could not parse"),
        ([], "run needs NAME -- COMMAND..."),
        (["one", "--", *["x" * 100_000] * 11], "shpool: a command has at most 1,000,000 bytes"),
        (["one", "--", "\udcff"], "shpool: the command is not UTF-8"),
    ],
)
def test_a_command_line_that_cannot_be_understood(
    standing: Place, words: list[str], said: str
) -> None:
    done = standing.run("run", *words)
    assert (done.status, done.out) == (125, "")
    assert said in done.err


# Set-ups that have their own way with prompts, keys and what is pasted.
SETUPS = {
    "bash, prompt commands that print": (
        "bash",
        "PROMPT_COMMAND=('echo before' 'echo; echo after')\nHISTCONTROL=ignoreboth\n",
    ),
    "bash, vi mode": ("bash", "set -o vi\nbind 'set show-mode-in-prompt on'\n"),
    "bash, one string that looks at PIPESTATUS": (
        "bash",
        'PROMPT_COMMAND=\'last="${PIPESTATUS[*]}"; printf "\\033]0;title\\007"\'\n',
    ),
    "bash, no bracketed paste": ("bash", "bind 'set enable-bracketed-paste off'\n"),
    "zsh, vi mode and a mark of one's own": (
        "zsh",
        "bindkey -v\nPROMPT_EOL_MARK=''\n"
        "before() { print before }\nprecmd_functions=(before $precmd_functions)\n",
    ),
    "zsh, pasting by widgets": (
        "zsh",
        "autoload -Uz bracketed-paste-magic url-quote-magic\n"
        "zle -N bracketed-paste bracketed-paste-magic\nzle -N self-insert url-quote-magic\n"
        "setopt correct hist_ignore_space no_prompt_percent\n",
    ),
    "fish, vi mode and a prompt of two lines": (
        "fish",
        "fish_vi_key_bindings\nfunction fish_prompt; echo top; echo -n 'user> '; end\n"
        "function fish_right_prompt; echo right; end\n",
    ),
}


@pytest.mark.parametrize("setup", SETUPS)
def test_set_ups_of_all_kinds(place: Place, setup: str) -> None:
    shell, more = SETUPS[setup]
    started(place, shell, more)
    for _ in range(2):
        assert place.run("run", "one", "--", "printf", "no end").out.endswith("no end")
        done = place.run("run", "one", "--", "sh", "-c", "echo http://a/?b=c; exit 3")
        assert (done.status, done.out) == (3, "http://a/?b=c\n")
