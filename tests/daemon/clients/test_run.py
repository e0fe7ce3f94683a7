"""A command at a session's prompt: when it is pasted there, and what is known to come of it."""

from __future__ import annotations

from typing import Any

import pytest

from shpool.config import Config
from shpool.config_values import RestoreMode
from shpool.daemon.clients import run_reasons
from shpool.daemon.loop import peer
from shpool.daemon.programs.pty import Pty
from shpool.daemon.sessions.session import Session
from shpool.keys.scanner import KEY_PAUSE
from shpool.protocol.running import RunRequest
from shpool.protocol.watching import EventReader, WatchHead
from shpool.terminal.marks import Prompt
from tests.daemon.carrying import carry_over
from tests.daemon.core import Caller, Core
from tests.daemon.fakes import FakeChild
from tests.daemon.served import ServedCore

PASTED = b"\x1b[200~make\x1b[201~\r"


def mark(kind: str, command: str = "") -> bytes:
    kind, _, rest = kind.partition(" ")
    named = f";cmdline_url={command}" if command else ""
    return f"\x1b]133;{kind};{rest + ';' if rest else ''}aid=0a1b{named}\x07".encode()


PROMPT = mark("A") + b"$ " + mark("B") + b"\x1b[?2004h"
TAKEN, END = mark("C", "make"), mark("D 7")


class Runner:
    """Somebody runs a command in session "one", whose shell marks."""

    def __init__(self, core: Core, patch: pytest.MonkeyPatch, *, shell: str = "bash") -> None:
        self.core = core
        self.edits = True  # the shell edits lines itself, and has not left that to the kernel
        patch.setattr(Pty, "is_canonical", lambda pty: not self.edits)
        patch.setattr(Pty, "control_characters", lambda pty: [b"\x03"] * 32)
        self.person = core.attached("one")
        self.session.prompt = Prompt("0a1b", shell)
        self.program: FakeChild = core.programs.started[0]

    @property
    def session(self) -> Session:
        return self.core.table.all()[0]

    def write(self, data: bytes) -> None:
        self.program.write(data)
        self.core.loop.idle()

    def at_prompt(self) -> None:
        """It has been at its prompt for long."""
        self.write(PROMPT)
        self.core.loop.pass_time(5)
        self.core.loop.idle()

    def run(self, line: str = "make", timeout_ms: int | None = None) -> None:
        self.caller: Caller = self.core.call()
        self.caller.ask(RunRequest("one", [], line, timeout_ms))
        self.reader = EventReader()
        self.head = WatchHead.from_wire(self.caller.message())
        self.core.loop.idle()

    def run_after(self, keys: bytes) -> None:
        """Somebody attached has typed `keys`, which the program has read."""
        self.person.send(keys)
        self.typed()
        self.core.loop.pass_time(2 * KEY_PAUSE)  # so long an escape may become a key, or a binding
        self.typed()
        self.run()

    def told(self) -> list[Any]:
        """What was told since this was asked last: events, each with what it says."""
        events = self.reader.feed(self.caller.received())
        return [(kind, *said) for kind, _, said in events]

    def typed(self) -> bytes:
        """What was typed to the shell since this was asked last; it has read that."""
        data = self.program.typed()
        self.core.loop.writable(self.program.ends.master)
        return data


@pytest.fixture
def runner(core: Core, monkeypatch: pytest.MonkeyPatch) -> Runner:
    return Runner(core, monkeypatch)


def test_a_command_is_pasted_at_the_prompt_and_its_output_told_of_up_to_its_end(
    runner: Runner,
) -> None:
    runner.at_prompt()
    runner.run()
    assert (runner.head.names, runner.typed()) == (["one"], PASTED)
    runner.write(b"make\r\n\x1b[?2004l")
    assert runner.told() == []
    runner.write(TAKEN + b"out")
    runner.write(b"put\r\n" + END + PROMPT)
    assert runner.told() == [
        ("taken",),
        ("output", b"out"),
        ("output", b"put\r\n" + END),
        ("done", 7, 80),
    ]
    assert runner.reader.status == 0
    assert runner.session.onlookers == []
    runner.core.loop.pass_time(1)
    assert runner.core.loop.deadlines() == []


def test_the_prompt_is_waited_for_and_nobody_else_gets_it(runner: Runner) -> None:
    runner.write(mark("C") + b"busy")
    runner.run()
    second = Caller(runner.core)
    second.ask(RunRequest("one", [], "second"))
    assert runner.typed() == b""
    runner.write(END + PROMPT)
    assert runner.typed() == PASTED
    runner.write(TAKEN + END + PROMPT)
    assert runner.typed() == b"\x1b[200~second\x1b[201~\r"
    assert runner.told()[-1] == ("done", 7, 80)


def test_a_line_that_somebody_has_begun_is_waited_for_and_said_when_time_is_up(
    runner: Runner,
) -> None:
    prompt = mark("A n=5") + b"$ " + mark("B")
    runner.write(prompt)
    runner.person.send(b"half")
    runner.typed()
    runner.run(timeout_ms=3000)
    runner.write(prompt)  # drawn again
    runner.core.loop.pass_time(3)
    begun = "somebody has begun a line at the prompt of session 'one'"
    assert runner.told() == [("waits", f"{begun}, and it is waited for"), ("failed", begun)]
    assert runner.typed() == b""


def test_who_waits_is_told_what_for_once(runner: Runner) -> None:
    runner.write(PROMPT + mark("C", "make%20%1b]0%3Bx%07%e2%80%ae" + "x" * 100))
    runner.run()
    runner.core.loop.pass_time(0.9)
    assert runner.told() == []
    runner.core.loop.pass_time(60)
    command = (r"make \x1b]0;x\x07\u202e" + "x" * 100)[:57] + "..."
    waits = f"waiting for the prompt of session 'one': {command} runs there"
    assert runner.told() == [("waits", waits)]
    runner.write(END + PROMPT.replace(b"A;", b"A;n=2;"))
    assert runner.typed() == PASTED


@pytest.mark.parametrize(
    ("keys", "empty"),
    [
        (b"half\x15", True),
        (b"half a line\x15", True),
        (b"abc\x7f\x7f\x7f\x7f", True),
        (b"abc\x7f\x7f", False),
        (b"gco \x7f\x7f\x7f\x7f", False),  # what is expanded by a blank has more characters
        (b"'\x15", False),  # there may be another one behind the cursor
        (b"x\x1b0i\x15", False),
        (b"\x1b", False),
        (b"\xc3\xa9\x7f", False),
        (b"\x01\x15", False),
    ],
)
def test_a_line_that_was_begun_and_erased_is_none_when_nobody_has_typed_for_a_second(
    runner: Runner, keys: bytes, empty: bool
) -> None:
    runner.at_prompt()
    runner.run_after(keys)
    runner.core.loop.pass_time(0.8)
    assert runner.typed() == b""
    runner.core.loop.pass_time(0.3)
    runner.core.loop.idle()
    assert runner.typed() == (PASTED if empty else b"")


def test_there_is_no_time_for_a_command_while_a_key_may_be_under_way(runner: Runner) -> None:
    runner.at_prompt()
    runner.person.send(b"\x1b")
    runner.core.loop.pass_time(KEY_PAUSE)  # it is no binding
    assert runner.typed() == b"\x1b"
    runner.run()
    runner.core.loop.pass_time(5)
    assert runner.typed() == b""


def test_a_line_that_is_erased_while_it_is_waited_for_is_none(runner: Runner) -> None:
    runner.at_prompt()
    runner.run_after(b"half")
    runner.core.loop.pass_time(5)
    runner.person.send(b"\x15")
    runner.typed()
    runner.write(b"\x1b[K")
    runner.core.loop.pass_time(0.5)
    runner.person.send(b"x\x7f")
    runner.typed()
    runner.write(b"x\b \b")
    runner.core.loop.pass_time(0.9)
    assert runner.typed() == b""
    runner.core.loop.pass_time(0.2)
    runner.core.loop.idle()
    assert runner.typed() == PASTED


def test_a_line_that_was_entered_is_not_empty_before_the_next_prompt(runner: Runner) -> None:
    runner.at_prompt()
    runner.run_after(b"read\r")
    runner.core.loop.pass_time(5)
    assert runner.typed() == b""


@pytest.mark.parametrize(
    ("keys", "begun"), [(b"half", True), (b"half\r", False), (b"half\x03", False), (b"\x04", False)]
)
def test_what_is_typed_ahead_is_the_beginning_of_the_next_line(
    runner: Runner, keys: bytes, begun: bool
) -> None:
    runner.at_prompt()
    runner.write(TAKEN)
    runner.edits = False
    runner.run_after(keys)
    runner.edits = True
    runner.write(END + PROMPT)
    runner.core.loop.pass_time(1.1)
    runner.core.loop.idle()
    assert runner.typed() == (b"" if begun else PASTED)
    if begun:
        runner.core.loop.pass_time(5)
        runner.write(TAKEN + END + PROMPT)
        assert runner.typed() == b""  # nobody has entered it
        runner.person.send(b"\r")
        runner.typed()
        runner.write(TAKEN + END + PROMPT)
        assert runner.typed() == PASTED


@pytest.mark.parametrize("foreground", [77, None])
def test_what_a_program_reads_key_by_key_is_not(
    runner: Runner, monkeypatch: pytest.MonkeyPatch, foreground: int | None
) -> None:
    """But a shell that is in between may do so as well."""
    if foreground is not None:
        monkeypatch.setattr(Session, "foreground", lambda session: foreground)
    runner.at_prompt()
    runner.write(TAKEN)
    runner.run_after(b"q")
    runner.write(END + PROMPT)
    assert runner.typed() == (b"" if foreground is None else PASTED)


def test_the_prompt_of_a_program_that_has_not_turned_anything_on_yet_is_waited_for(
    runner: Runner,
) -> None:
    runner.edits = False
    runner.write(mark("A") + mark("B"))
    runner.run()
    runner.core.loop.pass_time(1)
    assert runner.typed() == b""
    runner.edits = True
    runner.core.loop.pass_time(1)
    assert runner.typed() == b"make\r"


def test_without_bracketed_paste_it_is_one_plain_line_or_refused(runner: Runner) -> None:
    runner.write(mark("A") + mark("B"))
    runner.run("echo a\necho b")
    runner.core.loop.pass_time(1)
    ((kind, reason),) = runner.told()
    assert (kind, reason) == (
        "failed",
        "the command has several lines: the shell takes nothing else while it has bracketed"
        " paste off",
    )
    assert runner.typed() == b""


def test_what_the_terminal_takes_for_itself_is_refused_in_a_line_and_quoted_in_words(
    runner: Runner,
) -> None:
    runner.at_prompt()
    runner.run("echo \x03")
    reason = "has a control character in it that the terminal of session 'one' takes for itself"
    assert runner.told() == [("failed", f"the command {reason}")]
    runner.core.call().ask(RunRequest("one", ["echo", "\x03"]))
    runner.core.loop.idle()
    assert runner.typed() == b"\x1b[200~echo ''$'\\x03'''\x1b[201~\r"


def test_what_was_typed_ahead_is_not_taken_for_the_command(runner: Runner) -> None:
    runner.write(mark("C"))
    runner.edits = False
    runner.run_after(b"ls\r")
    runner.edits = True
    runner.write(END + PROMPT)
    runner.core.loop.pass_time(0.9)
    assert runner.typed() == b""
    runner.core.loop.pass_time(0.2)
    runner.core.loop.idle()
    assert runner.typed() == PASTED  # the shell is slow
    runner.write(mark("C", "ls") + b"file\r\n" + mark("D 0") + PROMPT)
    assert [kind for kind, *_ in runner.told()] == ["waits"]
    runner.write(TAKEN + END)
    assert runner.told() == [("taken",), ("output", END), ("done", 7, 80)]


def test_a_shell_that_shows_its_prompt_again_has_not_taken_it(runner: Runner) -> None:
    runner.at_prompt()
    runner.run("echo )")
    runner.typed()
    runner.write(b"syntax error\r\n" + PROMPT)
    assert runner.told() == [("failed", "the shell did not take the command")]


def test_a_shell_that_wants_more_is_sent_an_interrupt(runner: Runner) -> None:
    runner.at_prompt()
    runner.run("if")
    runner.typed()
    runner.write(b"> ")
    runner.core.loop.pass_time(1.9)
    assert runner.typed() == b""
    runner.core.loop.pass_time(0.2)
    assert runner.typed() == b"\x03"
    runner.core.loop.pass_time(1)  # it took no notice
    assert runner.typed() == b"\x03"
    assert runner.told() == []
    runner.write(PROMPT)
    reason = "the shell did not take the command: it wants more of it, or asks something"
    assert runner.told() == [("failed", reason)]


def test_a_shell_that_never_answers_is_given_up(runner: Runner) -> None:
    runner.at_prompt()
    runner.run("if")
    for _ in range(20):
        runner.typed()
        runner.core.loop.pass_time(1)
    ((kind, reason),) = runner.told()
    assert (kind, reason[:34]) == ("failed", "the shell did not take the command")


def test_a_shell_that_is_slow_to_say_that_it_runs_it_is_waited_for(runner: Runner) -> None:
    runner.at_prompt()
    runner.run()
    runner.typed()
    runner.edits = False
    runner.core.loop.pass_time(30)
    assert (runner.typed(), runner.told()) == (b"", [])
    runner.write(TAKEN)
    assert runner.told() == [("taken",)]


def test_time_is_up_while_it_runs(runner: Runner) -> None:
    runner.at_prompt()
    runner.run(timeout_ms=3000)
    runner.typed()
    runner.write(TAKEN)
    runner.core.loop.pass_time(3)
    assert (runner.told(), runner.reader.status) == ([("taken",)], 124)


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (b"", "does not mark its prompts"),
        (PROMPT + TAKEN, "session 'one' was not at its prompt in time: make runs there"),
        (PROMPT + TAKEN + END, "session 'one' was not at its prompt in time"),
    ],
)
def test_why_there_was_no_prompt_in_time(runner: Runner, before: bytes, reason: str) -> None:
    runner.write(before)
    runner.run(timeout_ms=1000)
    runner.core.loop.pass_time(1)
    ((kind, said),) = runner.told()
    assert kind == "failed"
    assert reason in said


def test_a_shell_that_edits_a_line_and_has_sent_no_marks_never_will(runner: Runner) -> None:
    runner.write(b"$ ")
    runner.run()
    runner.core.loop.pass_time(10)
    waits, (kind, reason) = runner.told()
    assert waits == ("waits", "waiting for the prompt of session 'one'")
    assert kind == "failed"
    assert "does not mark its prompts" in reason


def test_marks_of_a_shell_below_are_no_prompt_to_run_it_at(runner: Runner) -> None:
    runner.write(PROMPT + mark("C", "ssh%20host"))
    runner.run()
    assert runner.told() == []
    runner.write(b"\x1b]133;A\x07host$ \x1b]133;B\x07")
    runner.core.loop.pass_time(1)
    ((_, reason),) = runner.told()
    assert reason.startswith("session 'one' is in another shell (ssh host), where run cannot tell")


def test_marks_that_a_command_prints_are_no_shells(runner: Runner) -> None:
    runner.write(PROMPT + mark("C", "cat%20recorded"))
    runner.run()
    runner.write(b"\x1b]133;A\x07$ \x1b]133;B\x07" + END + PROMPT)
    assert runner.typed() == PASTED


def test_a_shell_below_is_known_by_its_name_as_well(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner.write(PROMPT + mark("C", "bash"))
    monkeypatch.setattr(Session, "foreground", lambda session: 77)
    monkeypatch.setattr(run_reasons, "name_of", lambda pid: "bash")
    runner.run()
    runner.core.loop.pass_time(1)
    ((_, reason),) = runner.told()
    assert reason.startswith("session 'one' is in another shell (bash)")


def test_a_child_that_is_to_become_a_command_is_no_other_shell(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "foreground", lambda session: 77)
    monkeypatch.setattr(run_reasons, "name_of", lambda pid: "zsh")
    runner.write(PROMPT)
    runner.run_after(b"ls\r")
    runner.write(mark("C", "ls"))
    runner.core.loop.pass_time(0.9)
    runner.write(END + PROMPT)
    assert (runner.typed(), runner.told()) == (PASTED, [])


@pytest.mark.parametrize("when", ["waiting", "typed", "running"])
def test_the_session_ends_first(runner: Runner, when: str) -> None:
    runner.write(PROMPT if when != "waiting" else b"")
    runner.core.loop.pass_time(5)
    runner.core.loop.idle()
    runner.run()
    runner.typed()
    if when == "running":
        runner.write(TAKEN)
    runner.program.end(3)
    assert runner.told()[-1] == ("failed", "the session has ended")
    assert runner.core.loop.deadlines() == []


@pytest.mark.parametrize("when", ["waiting", "typed", "running"])
def test_who_waits_no_more_leaves_nothing_behind(runner: Runner, when: str) -> None:
    runner.write(PROMPT if when != "waiting" else b"")
    runner.core.loop.pass_time(5)
    runner.core.loop.idle()
    runner.run(timeout_ms=60_000)
    if when == "running":
        runner.typed()
        runner.write(TAKEN)
    runner.caller.hang_up()
    assert runner.session.onlookers == []
    runner.core.loop.pass_time(1)
    assert runner.core.loop.deadlines() == []


def test_an_interrupt_typed_while_it_is_pasted_drops_the_rest(runner: Runner) -> None:
    runner.at_prompt()
    runner.run("x" * 700_000)
    runner.person.send(b"\x03")
    assert runner.told() == [("failed", "interrupted")]


def test_a_reader_that_takes_nothing_holds_the_program_and_then_misses(runner: Runner) -> None:
    runner.at_prompt()
    runner.run()
    runner.typed()
    runner.write(TAKEN)
    master = runner.program.ends.master
    while not runner.session.onlookers.hold:
        runner.session.pty_output(b"x" * 8190 + b"\r\n")
    runner.core.loop.settle()
    runner.core.loop.idle()
    assert not runner.core.loop.reads(master)
    runner.core.loop.pass_time(2.1)
    assert runner.core.loop.reads(master)
    runner.program.write(b"missed" + END)
    kinds: list[Any] = []
    while runner.reader.status is None:
        kinds += [each[:2] for each in runner.told() if each[0] != "output"]
        runner.core.loop.writable(runner.caller.near)
    assert kinds == [("taken",), ("missed", 6 + len(END)), ("done", 7)]


@pytest.mark.parametrize("when", ["waiting", "typed", "running"])
def test_it_goes_on_when_the_daemon_is_replaced(
    served: ServedCore, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    runner = Runner(served, monkeypatch)
    if when == "waiting":
        runner.write(mark("C", "before"))
    else:
        runner.at_prompt()
    runner.run(timeout_ms=60_000)
    if when == "running":
        runner.typed()
        runner.write(TAKEN + b"out")
    carry_over(served)
    runner.program = served.programs.started[0]
    if when == "waiting":
        runner.write(END + PROMPT)
    if when != "running":
        assert runner.typed() == PASTED
        runner.write(TAKEN + b"out")
    runner.write(b"put" + END)
    told = runner.told()
    assert b"".join(each[1] for each in told if each[0] == "output") == b"output" + END
    assert [each for each in told if each[0] != "output"] == [("taken",), ("done", 7, 80)]


def test_sessions_in_which_no_command_can_be_run(core: Core) -> None:
    core.config.config = Config({"shell": "/bin/cat"})
    core.attached("one")
    answer = core.ask(RunRequest("one", ["true"]))
    assert answer["error"].startswith(
        "the shell of session 'one' does not mark its prompts: run needs bash 4.4 or later, zsh or"
    )
    core.config.config = Config({"session_restore_mode": RestoreMode("simple")})
    core.attached("two")
    answer = core.ask(RunRequest("two", ["true"]))
    assert answer["error"] == "session 'two' keeps no screen: its restore mode is simple"
    assert core.ask(RunRequest("three", ["true"]))["not_found_sessions"] == ["three"]


def test_an_error_in_the_terminal_model_ends_it(runner: Runner) -> None:
    runner.at_prompt()
    runner.run()
    runner.session.picture.broken()
    runner.core.loop.settle()
    reason = "session 'one' keeps no screen: its restore mode is simple"
    assert runner.told() == [("failed", reason)]
    assert runner.session.row().prompt is None


def test_a_session_cannot_wait_for_itself(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    device = runner.session.device
    monkeypatch.setattr(peer, "controlling_terminal", lambda pid: device)
    answer = runner.core.ask(RunRequest("one", ["true"]))
    assert answer["error"] == "this is session 'one', whose prompt does not come while run waits"


def test_a_command_is_quoted_for_the_sessions_shell(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = Runner(core, monkeypatch, shell="fish")
    runner.write(mark("A") + b"\x1b[?2004h")
    caller = core.call()
    caller.ask(RunRequest("one", ["echo", "a\tb"]))
    core.loop.idle()
    assert runner.typed() == b"\x1b[200~echo 'a'\\t'b'\x1b[201~\r"
