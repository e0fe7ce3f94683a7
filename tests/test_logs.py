import os
import pathlib
import re
import stat

import pytest

from shpool import logs


@pytest.fixture
def path(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A log of the test's own, and where it goes."""
    monkeypatch.setattr(logs, "log", logs.Log())
    path = tmp_path / "log"
    logs.log.to_file(str(path))
    return path


def test_a_line_has_the_time_the_level_and_the_text(path: pathlib.Path) -> None:
    logs.info("STARTING DAEMON")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO  STARTING DAEMON\n", path.read_text()
    )


def test_from_the_level_on_upward_lines_are_written(path: pathlib.Path) -> None:
    written = {}
    for level in range(logs.OFF, logs.TRACE + 1):
        logs.log.level = level
        os.truncate(path, 0)
        for write in (logs.error, logs.warn, logs.info, logs.debug, logs.trace):
            write("x")
        written[logs.NAMES[level]] = [line.split()[1] for line in path.read_text().splitlines()]
    assert written == {
        "off": [],
        "error": ["ERROR"],
        "warn": ["ERROR", "WARN"],
        "info": ["ERROR", "WARN", "INFO"],
        "debug": ["ERROR", "WARN", "INFO", "DEBUG"],
        "trace": ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"],
    }


def test_info_is_the_level_unless_another_is_asked_for() -> None:
    assert logs.Log().level == logs.INFO


def test_a_line_is_there_at_once_and_one_line_whatever_is_in_it(path: pathlib.Path) -> None:
    logs.warn("two\nlines\r and a\r\nthird")
    assert path.read_text().endswith(r"WARN  two\nlines\r and a\r\nthird" + "\n")
    assert path.read_text().count("\n") == 1


def test_the_log_is_utf_8_whatever_is_in_it(path: pathlib.Path) -> None:
    logs.info("naïve 日本 " + os.fsdecode(b"\xff\xfe") + "\0\x1b")
    assert "naïve 日本 \\udcff\\udcfe" in path.read_bytes().decode()


def test_the_file_is_its_owners_alone_and_begun_anew(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "log"
    before = os.umask(0)
    try:
        logs.Log().to_file(str(path))
        path.write_text("old")
        logs.Log().to_file(str(path))
    finally:
        os.umask(before)
    assert path.read_text() == ""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_who_write_to_one_file_do_not_overwrite_each_other(path: pathlib.Path) -> None:
    other = logs.Log()
    other.to_file(str(path))
    for number in range(3):
        logs.info(f"one {number}")
        other.write(logs.INFO, f"other {number}")
    assert len(path.read_text().splitlines()) == 6


def test_a_file_that_cannot_be_opened_is_an_error_that_names_it(tmp_path: pathlib.Path) -> None:
    with pytest.raises(logs.LogError, match=r"cannot open the log file .*/absent/log: No such"):
        logs.Log().to_file(str(tmp_path / "absent" / "log"))


def test_without_a_place_lines_go_nowhere() -> None:
    logs.Log().write(logs.ERROR, "unheard")


def test_a_log_that_cannot_be_written_disturbs_nobody() -> None:
    log = logs.Log()
    log.to_file("/dev/full")
    log.write(logs.ERROR, "no space")


def test_tracing_is_on_only_when_trace_lines_go_somewhere(
    path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not logs.tracing()
    logs.log.level = logs.TRACE
    assert logs.tracing()
    logs.log.fd = None
    assert not logs.tracing()


def test_a_line_is_at_most_4_kib_and_cut_between_characters(path: pathlib.Path) -> None:
    for start in range(4):
        logs.info("x" * start + "\N{GRINNING FACE}" * 5000)
    for line in path.read_bytes().splitlines(keepends=True):
        assert 4096 - 4 < len(line) <= 4096
        assert line.endswith(b"\x98\x80...\n")
        line.decode()


def test_what_a_terminal_would_act_on_is_spelled_out(path: pathlib.Path) -> None:
    logs.info("\x1b]0;title\a\t\x9b \u202e\u2028 é")
    assert path.read_text().endswith(r"\x1b]0;title\x07\t\x9b \u202e\u2028 é" + "\n")


def test_what_could_not_be_written_is_counted_in_the_next_line(path: pathlib.Path) -> None:
    assert logs.log.fd is not None
    fd = logs.log.fd
    with open("/dev/full", "wb") as full:
        logs.log.to(full.fileno(), os.write)
        for number in range(3):
            logs.info(f"lost {number}")
    logs.log.to(fd, os.write)
    logs.info("there is room")
    logs.info("again")
    first, second = path.read_text().splitlines()
    assert first.endswith("INFO  there is room (lines lost before this one: 3)")
    assert second.endswith("INFO  again")


def test_a_log_that_nobody_reads_is_not_waited_for(tmp_path: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "log")
    log = logs.Log()
    with pytest.raises(logs.LogError, match=r"cannot open the log file .*/log: No such device"):
        log.to_file(str(tmp_path / "log"))
    reader = os.open(tmp_path / "log", os.O_RDONLY | os.O_NONBLOCK)
    log.to_file(str(tmp_path / "log"))
    for _ in range(2000):
        log.write(logs.INFO, "x" * 100)
    assert log.fd is not None
    os.close(log.fd)
    os.close(reader)


def deep(error: Exception, calls: int) -> None:
    if calls:
        deep(error, calls - 1)
    raise error


def test_a_defect_is_one_line_with_what_it_was_and_where(path: pathlib.Path) -> None:
    try:
        deep(KeyError("one\ntwo"), 1)
    except KeyError as error:
        logs.defect(error)
    (line,) = path.read_text().splitlines()
    assert re.fullmatch(
        r".* ERROR internal error: KeyError: 'one\\ntwo' \("
        r"test_logs.py:\d+ test_a_defect_\S+ > test_logs.py:\d+ deep > test_logs.py:\d+ deep\)",
        line,
    )


def test_a_defect_tells_what_led_to_it_unless_that_is_hidden(path: pathlib.Path) -> None:
    try:
        try:
            deep(OSError("first"), 0)
        except OSError:
            deep(ValueError("second"), 0)
    except ValueError as error:
        logs.defect(error)
    try:
        deep(ValueError("alone"), 0)
    except ValueError as error:
        error.__suppress_context__ = True
        logs.defect(error)
    both, alone = path.read_text().splitlines()
    assert re.search(r"ValueError: second \([^()]+\); after OSError: first \([^()]+\)$", both)
    assert "after" not in alone


def test_a_defect_is_told_in_bounds_however_deep_it_was(path: pathlib.Path) -> None:
    try:
        deep(ValueError("x"), 500)
    except ValueError as error:
        logs.defect(error)
    assert path.read_text().count(" deep") == 12


def test_terminal_bytes_are_shown_readable_and_cut_when_long() -> None:
    assert logs.readable(b"\x1b[0m\xff'") == r'''b"\x1b[0m\xff'"'''
    assert logs.readable(b"x" * 256) == "b'" + "x" * 256 + "'"
    assert logs.readable(b"x" * 257) == "b'" + "x" * 256 + "'... (257 bytes)"


def test_a_defect_that_there_is_no_memory_to_tell_of_raises_nothing(
    path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(level: int, text: str) -> bytes:
        raise MemoryError

    monkeypatch.setattr(logs.log, "_line", short)
    logs.defect(ValueError("one"))
    assert path.read_text() == ""


def test_a_log_that_is_limited_keeps_its_end(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "log", logs.Log())
    monkeypatch.setattr(logs, "_MOST", 4000)
    monkeypatch.setattr(logs, "_KEPT", 1000)
    path = tmp_path / "log"
    for flags in (os.O_RDWR, os.O_WRONLY):  # an older version opened it to be written alone
        fd = os.open(path, flags | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        logs.log.to(fd, os.write)
        for number in range(200):
            logs.info(f"line {number:03}")
        assert path.stat().st_size > 4000  # as it was asked for
        logs.log.limit()
        sizes = []
        for number in range(200, 1000):
            logs.info(f"line {number:03}")
            sizes.append(path.stat().st_size)
        assert max(sizes) < 4000
        os.close(fd)
        first, *lines = path.read_text().splitlines()
        assert first.endswith("INFO  what was here before was too long, and is cut off")
        told = [int(line[-3:]) for line in lines]
        assert told == list(range(told[0], 1000))


def test_a_log_that_cannot_be_cut_disturbs_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "log", logs.Log())
    logs.log.to(-1, lambda fd, line: len(line))
    logs.log.limit()
    logs.info("a line")
    logs.info("a line")
