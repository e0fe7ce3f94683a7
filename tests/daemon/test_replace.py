"""An upgrade in every order in which things can happen, without another program or process."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shpool import __version__
from shpool.daemon import replace
from shpool.daemon.guardian import Guardian, Inheritance
from shpool.daemon.programs.spawn import SpawnError
from shpool.daemon.rehearsal import RehearsalUser, StateFile
from shpool.daemon.replace import DUE, IDLE, REHEARSING, SETTLING, WAITING, Replaceable, Replacement
from shpool.daemon.state import Descriptor
from shpool.daemon.values import StateError
from shpool.paths import TAKE_OVER
from tests.daemon.conftest import LogLines
from tests.daemon.core import Caller, Core

PROGRAM = [b"/new/python", b"-I", b"/new/shpool"]
OPTIONS = ["-v", "--socket", "/a\udcff", "daemon"]


class Became(BaseException):
    """The process is another program now: `words`, and its environment."""

    def __init__(self, words: list[bytes], environ: dict[str, str]) -> None:
        self.words = words
        self.environ = environ


class FakeRehearsal:
    """One that ends when the test says so."""

    def __init__(self, spawner: Any, program: list[bytes], file: Any, user: RehearsalUser) -> None:
        self.program = program
        self.user = user
        self.called_off = False

    def call_off(self) -> None:
        self.called_off = True


class Daemon(Replaceable):
    """What is replaced; `carried` is a descriptor that goes with the state."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.carried, self._other = os.pipe()
        self.error: Exception | None = None
        self.renewed = 0

    def starting(self) -> str:
        starting = self.core.programs.starting
        return starting[0].purpose if starting else ""

    def write_state(self, out: Callable[[bytes], object]) -> list[Descriptor]:
        if self.error is not None:
            raise self.error
        out(b"all there is")
        return [Descriptor(self.carried, "pipe", [])]

    def counts(self) -> tuple[int, int, int]:
        return len(self.core.table.listed()), 2, 3

    def renew_pid(self) -> None:
        self.renewed += 1

    def close(self) -> None:
        os.close(self.carried)
        os.close(self._other)


class Trial:
    """A daemon's core of which an upgrade is asked."""

    def __init__(self, core: Core, patch: pytest.MonkeyPatch) -> None:
        self.core = core
        self.patch = patch
        self.daemon = Daemon(core)
        self.rehearsals: list[FakeRehearsal] = []
        self.dismissed: list[int] = []
        self.guardian: Guardian | OSError = Guardian(4711, -1)
        self.before_exec: Callable[[], None] = lambda: None
        patch.setattr(replace, "Rehearsal", self._rehearse)
        patch.setattr(replace, "stand_guard", self._stand_guard)
        patch.setattr(Guardian, "dismiss", lambda guardian: self.dismissed.append(guardian.pid))
        patch.setattr(os, "execve", self._execve)
        self.replacement = core.requests.replacement = self.make(OPTIONS)

    def make(self, options: list[str] | None) -> Replacement:
        core = self.core
        return Replacement(core.loop, core.programs, self.daemon, options, str(core.state))

    def _rehearse(self, *arguments: Any) -> FakeRehearsal:
        self.rehearsals.append(FakeRehearsal(*arguments))
        return self.rehearsals[-1]

    def _stand_guard(self, pids: list[int]) -> Guardian:
        if isinstance(self.guardian, OSError):
            raise self.guardian
        if not self.guardian.went_on:
            self.guardian.pipe = os.dup(self.daemon.carried)  # the replacement's to close
        return self.guardian

    def _execve(self, file: bytes, words: list[bytes], environ: dict[str, str]) -> None:
        self.before_exec()
        raise Became(words, environ)

    def ask(self, *, check: bool = False) -> Caller:
        caller = self.core.call()
        caller.ask({"Upgrade": {"program": PROGRAM, "check": check}})
        return caller

    def rehearsed(self, version: str = "9.9") -> None:
        self.rehearsals[-1].user.rehearsed(version)
        self.core.loop.settle()

    def due(self) -> Caller:
        """An upgrade of which only the last turn is missing."""
        caller = self.ask()
        self.rehearsed()
        assert self.state == DUE
        return caller

    @property
    def state(self) -> str:
        return self.replacement.state.now

    def carry_out(self) -> None:
        self.replacement.carry_out()
        self.core.loop.settle()


@pytest.fixture
def trial(core: Core, monkeypatch: pytest.MonkeyPatch, log: LogLines) -> Iterator[Trial]:
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    trial = Trial(core, monkeypatch)
    yield trial
    trial.daemon.close()
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == mask


def refused(caller: Caller) -> str:
    """Why, as the one answer that came."""
    answer = caller.message()
    assert list(answer["status"]) == ["Refused"]
    assert caller.ended
    return str(answer["status"]["Refused"])


# ---- until the last turn


def test_the_new_program_is_rehearsed_and_then_the_last_turn_is_due(trial: Trial) -> None:
    caller = trial.ask()
    assert trial.state == REHEARSING
    (rehearsal,) = trial.rehearsals
    options = [b"-v", b"--socket", b"/a\xff"]
    assert rehearsal.program == [*PROGRAM, *options, b"take-over", b"--rehearse"]
    trial.core.loop._running = True
    trial.rehearsed()
    assert trial.replacement.due
    assert not trial.core.loop._running
    assert caller.message() is None  # the new program answers


def test_a_check_says_what_would_be_and_does_nothing(trial: Trial) -> None:
    trial.core.attached("one")
    caller = trial.ask(check=True)
    trial.core.loop._running = True
    trial.rehearsed("1.2.3")
    counts = {"sessions": 1, "clients": 2, "subscribers": 3}
    possible = {"before": __version__, "after": "1.2.3", **counts}
    assert caller.message() == {"status": {"Possible": possible}}
    assert trial.state == IDLE
    assert trial.core.loop._running


def test_a_program_that_cannot_take_over_says_why(trial: Trial, log: LogLines) -> None:
    caller = trial.ask()
    trial.rehearsals[0].user.not_rehearsed("it is too old")
    trial.core.loop.settle()
    assert refused(caller) == "it is too old"
    assert log.read()[-1] == "WARN no upgrade: it is too old"
    assert trial.state == IDLE
    assert not trial.core.loop.deadlines()[1:]  # but the one for the answer to be read
    trial.ask()
    assert trial.state == REHEARSING


def test_where_there_is_no_process_for_a_rehearsal_there_is_none(trial: Trial) -> None:
    def fail(*arguments: Any) -> None:
        raise SpawnError("cannot start a process: no")

    trial.patch.setattr(replace, "Rehearsal", fail)
    assert refused(trial.ask()) == "cannot start a process: no"
    assert trial.state == IDLE


def test_a_second_one_meanwhile_is_refused_and_disturbs_nothing(trial: Trial) -> None:
    first = trial.ask()
    second = trial.ask()
    assert refused(second) == "an upgrade is under way"
    assert trial.state == REHEARSING
    assert not trial.rehearsals[0].called_off
    trial.rehearsed()
    third = trial.ask()
    assert refused(third) == "an upgrade is under way"
    assert (trial.state, first.ended) == (DUE, False)


def test_a_daemon_within_another_program_is_not_replaced(trial: Trial) -> None:
    trial.core.requests.replacement = trial.make(None)
    assert refused(trial.ask()) == "this daemon is embedded in another program"


@pytest.mark.parametrize("when", [WAITING, REHEARSING, SETTLING, DUE])
def test_one_whose_client_has_gone_is_called_off(trial: Trial, when: str) -> None:
    if when == WAITING:
        trial.core.attach("one")
    caller = trial.ask()
    if when == SETTLING:
        trial.core.attach("one")
    if when in (SETTLING, DUE):
        trial.rehearsed()
    assert trial.state == when
    caller.hang_up()
    assert trial.state == IDLE
    assert all(each.called_off for each in trial.rehearsals if when == REHEARSING)
    for child in trial.core.programs.started:
        child.run()
    assert trial.state == IDLE
    trial.carry_out()
    trial.ask()
    assert trial.state == REHEARSING


def test_one_whose_client_has_gone_is_not_taken_for_the_next_one(trial: Trial) -> None:
    first = trial.ask()
    trial.rehearsals[0].user.not_rehearsed("no")
    trial.ask()
    first.hang_up()
    assert trial.state == REHEARSING


def test_a_daemon_that_is_about_to_end_is_not_replaced(trial: Trial) -> None:
    caller = trial.ask()
    trial.replacement.call_off("the daemon is about to end")
    trial.core.loop.settle()
    assert refused(caller) == "the daemon is about to end"
    assert trial.rehearsals[0].called_off
    trial.replacement.call_off("the daemon is about to end")  # once more does nothing


def test_the_snapshot_is_of_a_daemon_that_is_not_in_the_middle_of_anything(trial: Trial) -> None:
    settled: list[bool] = []
    rehearse = trial._rehearse

    def look(*arguments: Any) -> FakeRehearsal:
        settled.append(trial.core.loop.settled)
        return rehearse(*arguments)

    trial.patch.setattr(replace, "Rehearsal", look)
    when_none_starts = trial.core.programs.when_none_starts
    more = [lambda: None, lambda: None]

    def meanwhile(callback: Callable[[], None] | None) -> None:
        when_none_starts(callback)
        if callback is not None and more:
            trial.core.loop.soon(more.pop())

    trial.patch.setattr(trial.core.programs, "when_none_starts", meanwhile)
    trial.ask()
    assert (trial.state, settled, more) == (REHEARSING, [True], [])


# ---- what is being started


def test_a_session_that_is_being_started_is_waited_for_before_the_rehearsal(trial: Trial) -> None:
    trial.core.attach("one")
    trial.ask()
    assert (trial.state, trial.rehearsals) == (WAITING, [])
    trial.core.programs.started[0].run()
    assert trial.state == REHEARSING


def test_one_that_is_started_meanwhile_is_waited_for_before_the_last_turn(trial: Trial) -> None:
    trial.ask()
    trial.core.attach("one")
    trial.rehearsed()
    assert trial.state == SETTLING
    trial.core.programs.started[0].fail("no such shell")
    assert trial.state == DUE


@pytest.mark.parametrize("when", [WAITING, SETTLING])
def test_it_is_waited_for_5_seconds(trial: Trial, when: str) -> None:
    if when == WAITING:
        trial.core.attach("one")
    caller = trial.ask()
    if when == SETTLING:
        trial.core.attach("one")
        trial.rehearsed()
    trial.core.loop.pass_time(4.9)
    assert trial.state == when
    trial.core.loop.pass_time(0.2)
    assert refused(caller) == "session 'one' is being started; try again"
    trial.core.programs.started[0].run()
    assert trial.state == IDLE


def test_one_that_is_started_in_the_turn_before_the_last_is_waited_for_too(trial: Trial) -> None:
    trial.due()
    trial.core.attach("one")
    trial.carry_out()
    assert trial.state == SETTLING
    trial.core.programs.started[0].run()
    assert trial.state == DUE
    with pytest.raises(Became):
        trial.carry_out()


# ---- the last turn


def test_the_process_becomes_the_new_program_with_the_options_of_the_old_one(trial: Trial) -> None:
    trial.due()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    inherited: list[bool] = []
    blocked: list[set[int]] = []

    def look() -> None:
        inherited.append(os.get_inheritable(trial.daemon.carried))
        blocked.append({int(each) for each in signal.pthread_sigmask(signal.SIG_BLOCK, ())})

    trial.before_exec = look
    with pytest.raises(Became) as became:
        trial.carry_out()
    assert became.value.words == [*PROGRAM, b"-v", b"--socket", b"/a\xff", b"daemon"]
    assert inherited == [True]
    assert signal.SIGTERM in blocked[0]
    told = Inheritance.from_text(became.value.environ.pop(TAKE_OVER))
    assert became.value.environ == dict(os.environ)
    assert (told.guardian, told.mask) == (4711, {int(number) for number in mask})


def test_only_what_is_carried_is_inherited(trial: Trial) -> None:
    trial.due()
    seen: list[list[int]] = []

    def look() -> None:
        fds = [int(name) for name in os.listdir("/proc/self/fd")]
        seen.append([fd for fd in fds if fd > 2 and _is_inheritable(fd) and fd not in before])

    before = [int(name) for name in os.listdir("/proc/self/fd") if _is_inheritable(int(name))]
    trial.before_exec = look
    with pytest.raises(Became) as became:
        trial.carry_out()
    told = Inheritance.from_text(became.value.environ[TAKE_OVER])
    assert sorted(seen[0]) == sorted([trial.daemon.carried, told.state, told.pipe])


def _is_inheritable(fd: int) -> bool:
    try:
        return os.get_inheritable(fd)
    except OSError:
        return False


def test_a_program_that_cannot_be_run_after_all_leaves_everything_as_it_was(trial: Trial) -> None:
    def refuse() -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    trial.before_exec = refuse
    caller = trial.due()
    before = os.listdir("/proc/self/fd")
    trial.carry_out()
    assert refused(caller) == "the daemon cannot be replaced: Permission denied"
    assert trial.dismissed == [4711]
    assert not os.get_inheritable(trial.daemon.carried)
    assert len(os.listdir("/proc/self/fd")) <= len(before)
    trial.ask()
    assert trial.state == REHEARSING


def full(*arguments: Any) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_without_space_for_the_state_nothing_has_changed(trial: Trial) -> None:
    trial.patch.setattr(StateFile, "open", full)
    caller = trial.due()
    trial.carry_out()
    assert refused(caller) == "the daemon cannot be replaced: No space left on device"
    assert (trial.state, trial.dismissed) == (IDLE, [])


def test_without_a_process_for_the_guardian_nothing_has_changed(trial: Trial) -> None:
    trial.guardian = OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    caller = trial.due()
    trial.carry_out()
    assert refused(caller).startswith("the daemon cannot be replaced: Resource temporarily")


def test_a_state_that_cannot_be_written_changes_nothing(trial: Trial) -> None:
    trial.daemon.error = StateError("the daemon is in the middle of something")
    caller = trial.due()
    trial.carry_out()
    said = "the daemon cannot be replaced: the daemon is in the middle of something"
    assert refused(caller) == said


def test_an_error_in_the_daemon_is_an_answer_too(trial: Trial, log: LogLines) -> None:
    trial.daemon.error = KeyError("name")
    caller = trial.due()
    trial.carry_out()
    assert refused(caller) == "there is an error in the daemon, which its log tells of"
    assert any("internal error: KeyError: 'name'" in line for line in log.read())


def test_a_signal_that_has_come_ends_the_daemon_and_not_the_new_program(trial: Trial) -> None:
    caller = trial.due()
    waiting = [True]

    def take_signals() -> bool:
        if waiting:
            trial.replacement.call_off("the daemon is about to end")
        return bool(waiting and waiting.pop())

    trial.patch.setattr(trial.core.loop, "take_signals", take_signals)
    trial.carry_out()
    assert refused(caller) == "the daemon is about to end"


def test_a_loop_that_does_not_settle_is_not_replaced(trial: Trial) -> None:
    caller = trial.due()
    settle = trial.core.loop.settle
    trial.patch.setattr(trial.core.loop, "settle", lambda: False)
    trial.replacement.carry_out()
    trial.patch.setattr(trial.core.loop, "settle", settle)
    trial.core.loop._do_soon()
    assert caller.message()["status"] == {"Refused": "the daemon does not come to rest"}


# ---- in the guardian


def test_the_guardian_goes_on_as_the_daemon(trial: Trial, log: LogLines) -> None:
    trial.core.attached("one")
    pid = trial.core.programs.started[0].pid
    guardian = Guardian(0, -1)
    guardian.pidfds = {pid: -1}
    guardian.reason = "KeyError: 'x'"
    trial.guardian = guardian
    caller = trial.due()
    trial.patch.setattr(os, "kill", lambda pid, number: None)  # it lives
    trial.carry_out()
    assert refused(caller) == "the new program died before it served: KeyError: 'x'"
    assert trial.daemon.renewed == 1
    assert list(trial.core.programs.adopted) == [pid]
    assert any(line.startswith("ERROR the new program died") for line in log.read())
    trial.ask()
    assert trial.state == REHEARSING
