"""What becomes of a rehearsal: of every program that there may be, one that can take over and all
others, which end in words."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shpool.daemon import rehearsal
from shpool.daemon.loop.reactor import Reactor
from shpool.daemon.programs.spawn import Spawner, SpawnError
from shpool.daemon.rehearsal import Checksum, Rehearsal, RehearsalUser, StateFile
from shpool.errors import ShpoolError
from tests.daemon.turning import turn, turn_until

STATE = b"all there is"
MARK = "12-"


def checksum_of(data: bytes) -> str:
    checksum = Checksum()
    checksum.add(data)
    return checksum.text


class Stage(RehearsalUser):
    """Where programs, all of them shell scripts, are rehearsed; `heard` is how that ended."""

    def __init__(self, reactor: Reactor, directory: Path) -> None:
        self.reactor = reactor
        self.directory = directory
        self.spawner = Spawner(reactor, 0o022, None)
        self.heard: list[str] = []
        self.write: Callable[[Callable[[bytes], object]], list[Any]] = self.written

    def written(self, out: Callable[[bytes], object]) -> list[Any]:
        for piece in (STATE[:5], STATE[5:]):
            out(piece)
        return []

    def rehearsed(self, version: str) -> None:
        self.heard.append(version)

    def not_rehearsed(self, reason: str) -> None:
        self.heard.append(reason)

    def begin(self, *program: str) -> Rehearsal:
        file = StateFile(str(self.directory), lambda out: self.write(out))
        return Rehearsal(self.spawner, [os.fsencode(word) for word in program], file, self)

    def begin_script(self, script: str) -> Rehearsal:
        return self.begin("/bin/sh", "-c", script)

    def ended(self) -> str:
        """How it has ended, of which nothing is left."""
        turn_until(self.reactor, lambda: bool(self.heard) and not self.spawner.children)
        (heard,) = self.heard
        return heard


@pytest.fixture
def stage(reactor: Reactor, tmp_path: Path) -> Iterator[Stage]:
    before = len(os.listdir("/proc/self/fd"))
    stage = Stage(reactor, tmp_path)
    yield stage
    turn_until(reactor, lambda: not stage.spawner.children)
    assert len(os.listdir("/proc/self/fd")) <= before + 2  # the loop's for signals
    assert os.listdir(tmp_path) == []


ANSWER = f"echo shpool-py 7.8 1 {checksum_of(STATE)}"


def test_a_program_that_reads_what_was_written_can_take_over(stage: Stage) -> None:
    stage.begin_script(f'test "$(cat <&3)" = "{STATE.decode()}" && {ANSWER}')
    assert stage.ended() == "7.8"


def test_it_has_the_state_and_nothing_else_of_the_daemons(stage: Stage) -> None:
    secret = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(secret, True)
    stage.begin_script("ls /proc/self/fd | tr '\\n' ' ' >&2; exit 1")
    assert stage.ended() == f"{UNABLE}0 1 2 3 4"  # the last one is what ls looks at
    os.close(secret)


def test_nothing_is_blocked_or_ignored_in_it(stage: Stage) -> None:
    stage.begin_script("exec grep -E 'Sig(Blk|Ign)' /proc/self/status >&2")
    name, mask = stage.ended().split("\t")
    # 32 and 33 are the C library's own, which a Python may have it ignore.
    assert (name, int(mask, 16) & ~(3 << 31)) == (UNABLE + "SigIgn:", 0)
    stage.heard.clear()
    stage.begin_script("exec grep SigBlk /proc/self/status >&2")
    assert stage.ended() == UNABLE + "SigBlk:\t0000000000000000"


@pytest.mark.parametrize("in_memory", [True, False])
def test_the_state_is_nobody_elses_to_read(
    stage: Stage, in_memory: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not in_memory:
        monkeypatch.delattr(os, "memfd_create")
    stage.begin_script(f'test "$(stat -L -c %h /proc/$$/fd/3)" = 0 && {ANSWER}')
    assert stage.ended() == "7.8"


def test_in_a_directory_it_is_readable_by_its_owner_alone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "memfd_create")
    stage.begin_script(f'test "$(stat -L -c %a:%s /proc/$$/fd/3)" = 600:12 && {ANSWER}')
    assert stage.ended() == "7.8"


def test_a_file_that_was_left_is_in_nobodys_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "memfd_create")
    other = tmp_path / "other"
    other.write_text("not to be touched")
    (tmp_path / f".state-{os.getpid()}").symlink_to(other)
    os.close(StateFile(str(tmp_path), lambda out: []).open())
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
    assert other.read_text() == "not to be touched"


UNABLE = "not a shpool that can take over: "


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exit 0", "it says nothing"),
        ("exit 7", "it ended with status 7 without a word"),
        ("kill -9 $$", "it was killed by signal 9"),
        (f"{ANSWER}; kill -9 $$", "it was killed by signal 9"),
        (f"{ANSWER}; exit 1", "it ended with status 1 without a word"),
        (f"{ANSWER}; {ANSWER}", "it says nothing"),
        ("echo hello", "it says nothing"),
        (f"echo shpool 0.9; {ANSWER}", "it says nothing"),
        ("head -c 1000000 /dev/zero", "it says nothing"),
        ("head -c 1000000 /dev/zero >&2; echo >&2; echo >&2 and an end; exit 1", "and an end"),
        ("printf 'Traceback:\\n  x\\nSyntaxError: bad\\n\\n' >&2; exit 1", "SyntaxError: bad"),
        (
            "printf \"shpool: unknown command 'take-over'\\n\\nUsage: shpool\\n\" >&2; exit 2",
            "unknown command 'take-over'",
        ),
        ("printf '\\377\\n' >&2; exit 1", "\ufffd"),
        ("echo shpool-py 7.8 1 12-00000000", "it has read something else than was written"),
        ("echo shpool-py 7.8 x 12-00000000", "it says nothing"),
    ],
)
def test_one_that_cannot_says_why(stage: Stage, script: str, why: str) -> None:
    stage.begin_script(script)
    assert stage.ended() == UNABLE + why


def test_one_that_is_not_there_is_said_to_be(stage: Stage) -> None:
    stage.begin("/nowhere/python3")
    assert stage.ended() == f"{UNABLE}cannot run /nowhere/python3: No such file or directory"


def test_one_that_may_not_be_run_is_said_not_to_be(stage: Stage) -> None:
    stage.begin("/etc/passwd")
    assert stage.ended() == f"{UNABLE}cannot run /etc/passwd: Permission denied"


def test_one_that_takes_too_long_is_killed_with_all_that_it_has_started(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "_PATIENCE", 0.5)
    fifo = stage.directory / "fifo"
    os.mkfifo(fifo)
    with open(os.open(fifo, os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
        stage.begin_script(f"sleep 1000 >{fifo} & sleep 1000")
        assert stage.ended() == f"{UNABLE}no answer within 0 s"
        os.set_blocking(reader.fileno(), True)
        assert reader.read() == b""  # nobody has it open any more
    fifo.unlink()


def test_what_it_has_started_does_not_keep_it_from_having_answered(stage: Stage) -> None:
    stage.begin_script(f"sleep 1000 & echo $! >&2; {ANSWER}")
    assert stage.ended() == "7.8"
    for pid in os.listdir("/proc"):  # left running by a program that nobody would write
        if pid.isdigit() and _words(pid) == b"sleep\x001000\x00" and _is_ours(pid, stage):
            os.kill(int(pid), signal.SIGKILL)


def _words(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _is_ours(pid: str, stage: Stage) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/fd/3").startswith("/memfd:shpool-state")
    except OSError:
        return False


def test_one_that_nobody_waits_for_any_more_is_killed_and_tells_nobody(stage: Stage) -> None:
    running = stage.begin_script("sleep 1000")
    running.call_off()
    turn_until(stage.reactor, lambda: not stage.spawner.children)
    turn(stage.reactor)
    assert stage.heard == []


def refuse(out: Callable[[bytes], object]) -> list[Any]:
    raise ShpoolError("the daemon is in the middle of something")


def fill(out: Callable[[bytes], object]) -> list[Any]:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def stumble(out: Callable[[bytes], object]) -> list[Any]:
    raise KeyError("name")


def run_out(out: Callable[[bytes], object]) -> list[Any]:
    raise MemoryError


@pytest.mark.parametrize(
    ("write", "why"),
    [
        (refuse, "the daemon is in the middle of something"),
        (fill, "No space left on device"),
        (stumble, "KeyError: 'name'"),
        (run_out, "MemoryError"),
    ],
)
def test_a_state_that_cannot_be_written_is_not_the_new_programs_fault(
    stage: Stage, write: Callable[[Callable[[bytes], object]], list[Any]], why: str
) -> None:
    stage.write = write
    stage.begin_script(ANSWER)
    assert stage.ended() == f"the state cannot be written: {why}"


def test_a_state_for_which_there_is_no_file_likewise(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "memfd_create")
    stage.directory = Path("/nowhere")
    stage.begin_script(ANSWER)
    assert stage.ended() == "the state cannot be written: No such file or directory"
    stage.directory = Path("/")


def test_without_a_process_there_is_no_rehearsal(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> int:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(os, "fork", refuse)
    with pytest.raises(SpawnError, match="cannot start a process: Resource temporarily"):
        stage.begin_script(ANSWER)


def test_an_error_in_it_is_an_answer_too(stage: Stage) -> None:
    running = stage.begin_script("sleep 1000")
    running.broken()
    assert stage.ended() == "there is an error in the daemon, which its log tells of"


def test_a_checksum_tells_one_state_from_another() -> None:
    assert checksum_of(b"") == "0-00000000"
    whole, pieces = Checksum(), Checksum()
    whole.add(b"state")
    for piece in (b"st", b"", memoryview(b"ate")):
        pieces.add(piece)
    assert whole.text == pieces.text == checksum_of(b"state")
    assert checksum_of(b"state") != checksum_of(b"stale")
