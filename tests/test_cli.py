"""The command line in process: what is understood, refused and printed before any daemon."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from shpool import __version__
from shpool.cli import main
from shpool.client.context import Context
from shpool.commands import COMMANDS
from shpool.errors import ShpoolError, Verdict
from shpool.options import Parsed

CHECKOUT = Path(__file__).resolve().parents[1]


class Recorded:
    """Stands for every command's module: notes what it was run with, and ends as it is told."""

    def __init__(self) -> None:
        self.context: Context
        self.parsed: Parsed
        self.end: int | BaseException = 0

    def run(self, context: Context, parsed: Parsed) -> int:
        self.context, self.parsed = context, parsed
        if isinstance(self.end, BaseException):
            raise self.end
        return self.end


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Recorded:
    recorded = Recorded()
    for command in COMMANDS.values():
        if command.module not in ("daemon", "completions", "version", "help"):
            monkeypatch.setattr(f"shpool.client.{command.module}.run", recorded.run)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr("shpool.logs.log.level", 3)
    return recorded


@pytest.mark.parametrize(
    ("line", "values", "arguments"),
    [
        ("attach one", {}, ["one"]),
        ("attach -bf one", {"background": 1, "force": 1}, ["one"]),
        (
            "attach one -d/tmp --cmd=sh -s x",
            {"dir": "/tmp", "cmd": "sh", "start-cmd": "x"},
            ["one"],
        ),
        ("attach --ttl 5s -- -odd", {"ttl": "5s"}, ["-odd"]),
        ("detach", {}, []),
        ("detach a b", {}, ["a", "b"]),
        ("kill a b c", {}, ["a", "b", "c"]),
        ("list -j", {"json": 1}, []),
        ("events", {}, []),
        ("var set a b", {}, ["set", "a", "b"]),
        ("var list --json", {"json": 1}, ["list"]),
        ("set-log-level info", {}, ["info"]),
    ],
)
def test_a_command_is_run_with_its_options_and_arguments(
    recorded: Recorded, line: str, values: dict[str, str | int], arguments: list[str]
) -> None:
    assert main(line.split()) == 0
    assert (recorded.parsed.values, recorded.parsed.arguments) == (values, arguments)


def test_what_stands_before_the_command_is_for_all_of_them(
    recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["-vv", "-s", "sock", "-c", "conf", "-l", "log", "-D", "list"]) == 0
    context = recorded.context
    assert context.paths.socket == str(tmp_path / "sock")
    assert context.config_file == str(tmp_path / "conf")
    assert context.log_file == str(tmp_path / "log")
    assert (context.verbose, context.daemonize, context.no_daemonize) == (2, False, True)
    assert (tmp_path / "log").exists()
    assert main(["-d", "list"]) == 0
    assert (recorded.context.daemonize, recorded.context.no_daemonize) == (True, False)


def test_the_same_letter_before_and_behind_the_command_means_two_things(
    recorded: Recorded, tmp_path: Path
) -> None:
    assert main(["-d", "-c", "/conf", "attach", "-d", "/dir", "-c", "cmd", "one"]) == 0
    assert recorded.context.daemonize
    assert recorded.context.config_file == "/conf"
    assert (recorded.parsed.text("dir"), recorded.parsed.text("cmd")) == ("/dir", "cmd")


@pytest.mark.parametrize(("switches", "level"), [("", 3), ("-v", 4), ("-vv", 5), ("-v -v -v", 5)])
def test_each_verbose_is_a_level_more(recorded: Recorded, switches: str, level: int) -> None:
    from shpool import logs

    main([*switches.split(), "list"])
    assert logs.log.level == level


# ---- how a command ends


@pytest.mark.parametrize(
    ("end", "status", "said"),
    [
        (0, 0, ""),
        (7, 7, ""),
        (143, 143, ""),
        (ShpoolError("it is so"), 1, "shpool: it is so\n"),
        (ShpoolError("two\nlines"), 1, "shpool: two lines\n"),
        (Verdict("not found: x"), 1, "not found: x\n"),
        (PermissionError(13, "Permission denied", "/x"), 1, "shpool: /x: Permission denied\n"),
        (OSError("odd"), 1, "shpool: odd\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
    ids=repr,
)
def test_the_end_of_a_command_is_a_status_and_at_most_one_line(
    recorded: Recorded,
    capfd: pytest.CaptureFixture[str],
    end: int | BaseException,
    status: int,
    said: str,
) -> None:
    recorded.end = end
    assert main(["list"]) == status
    assert capfd.readouterr() == ("", said)


def test_a_usage_error_shows_the_usage_of_the_command_it_is_about(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(["attach", "--forc", "one"]) == 2
    assert capfd.readouterr() == (
        "",
        "shpool: unexpected option '--forc'\n\n"
        "Usage: shpool attach [OPTIONS] [NAME]\nSee shpool help attach.\n",
    )
    assert main(["--forc"]) == 2
    assert capfd.readouterr().err == (
        "shpool: unexpected option '--forc'\n\n"
        "Usage: shpool [OPTIONS] COMMAND [ARGUMENTS]\nSee shpool help.\n"
    )


@pytest.mark.parametrize(
    ("words", "said", "usage"),
    [
        (["atach", "main"], "unknown command 'atach'; did you mean 'attach'?", "COMMAND"),
        (["help", "lst"], "unknown command 'lst'; did you mean 'list'?", "help"),
        (["xyzzy", "attach"], "unknown command 'xyzzy'", "COMMAND"),
        (["--bogus", "attach"], "unexpected option '--bogus'", "COMMAND"),
        (["-s", "run", "list", "--bogus"], "unexpected option '--bogus'", "list"),
        (["\x1b[31m\n"], "unknown command '\\x1b[31m '", "COMMAND"),
    ],
)
def test_the_usage_shown_is_that_of_the_command_meant(
    words: list[str], said: str, usage: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    first, _, shown, *_ = capfd.readouterr().err.split("\n")
    assert first == f"shpool: {said}"
    assert shown.startswith("Usage: shpool ")
    assert usage in shown


# ---- help and version


def test_what_a_daemon_asks_a_new_program_is_nothing_for_people(
    capfd: pytest.CaptureFixture[str],
) -> None:
    for words in (["take-over"], ["take-over", "--help"], ["take-over", "--rehearse", "more"]):
        assert main(words) == 2
        said = "shpool: take-over is asked by a daemon that is replaced (see shpool upgrade)\n"
        assert capfd.readouterr().err.startswith(said)
    assert "take-over" not in COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_explained(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["help", name]) == 0
    text, errors = capfd.readouterr()
    assert errors == ""
    assert text.startswith(f"shpool {name}: {COMMANDS[name].summary}\n\nUsage: shpool {name}")
    for option in COMMANDS[name].options:
        assert f"--{option.long}" in text
    assert max(len(line) for line in text.splitlines()) <= 90
    assert main([name, "--help"]) == 0
    assert capfd.readouterr() == (text, "")


def test_help_goes_before_what_else_is_wrong(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["-h", "nonsense"]) == 0
    assert main(["attach", "-h"]) == 0
    assert main(["list", "one", "too", "many", "-h"]) == 0
    assert capfd.readouterr().err == ""


def test_the_version_is_that_of_the_program(capfd: pytest.CaptureFixture[str]) -> None:
    for words in (["version"], ["--version"], ["--version", "nonsense"]):
        assert main(words) == 0
        assert capfd.readouterr() == (f"shpool {__version__}\n", "")


# ---- the standard descriptors


def test_a_reader_that_has_seen_enough_is_no_error_to_speak_of() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "shpool", "help"],
        stdout=write,
        stderr=subprocess.PIPE,
        cwd=CHECKOUT,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_full_disk_is_an_error_in_one_line() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-IS", "shpool/__main__.py", "help"],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=CHECKOUT,
            check=False,
        )
    assert (done.returncode, done.stderr) == (
        1,
        b"shpool: cannot write the output: No space left on device\n",
    )


@pytest.mark.parametrize("redirection", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("words", "status"), [("help", 0), ("nonsense", 2)])
def test_a_closed_descriptor_is_as_good_as_dev_null(
    redirection: str, words: str, status: int
) -> None:
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m shpool {words} {redirection}"],
        capture_output=True,
        cwd=CHECKOUT,
        check=False,
    )
    assert b"Traceback" not in done.stderr
    assert b"Exception" not in done.stderr
    assert done.returncode == status


def test_output_is_utf_8_whatever_the_locale() -> None:
    code = (
        "import shpool.cli, shpool.client.list, shpool.output, sys;"
        "shpool.client.list.run = lambda *_: shpool.output.put('日本\\n') or 0;"
        "sys.exit(shpool.cli.main(['list']))"
    )
    for encoding in ("ascii", "latin-1", "utf-8", "UTF8"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": encoding},
            cwd=CHECKOUT,
            check=False,
        )
        assert (done.stdout, done.stderr, done.returncode) == ("日本\n".encode(), b"", 0)
