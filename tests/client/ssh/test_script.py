"""What is run there, in every shell that an account may have, and by every sh."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from shpool.client.ssh import script
from tests.in_tmp import IN_TMP, clear, stays
from tests.programs import need

SHELLS = ("bash", "dash", "ksh", "mksh", "zsh", "fish", "tcsh", "bsd-csh", "busybox")

# What may be /bin/sh there.
SHS = ("dash", "bash", "ksh", "mksh", "zsh", "busybox")

HARD = 'it\'s $HOME \\ ! "`x`" * é \x7f\t%s \n\n'

FILE = "shpool-1.2.3-abc"

MARK = re.compile(r"\x1b\]8888;t0;([^\x07]*)\x07")

# Tells how it was run.  Of the original's only the commands that are asked for.
PROGRAM = """#!/bin/sh
case "$1" in
    help) {knows} ;;
    list) printf 'NAME\\tSTARTED_AT\\tSTATUS\\n{row}' ;;
    *) for word do printf '<%s>' "$word"; done
       printf '|%s|%s' "$LC_HARD" "$SHPOOL__SSH"
       exit 7 ;;
esac
"""


def session(
    *,
    token: str = "t0",
    file: str = FILE,
    remote: str = "",
    name: str = "main",
    existing: bool = False,
    words: tuple[str, ...] = ("--", "main"),
) -> str:
    return script.session_command(
        token=token,
        file=file,
        remote=remote,
        name=name,
        existing=existing,
        caller="t0;;",
        env=[("LC_HARD", HARD)],
        words=words,
    )


class Host:
    """A home, and a PATH with no more on it than is put there."""

    def __init__(self, root: Path) -> None:
        self.home = root / "home"
        self.bin = root / "bin"
        self.cache = self.home / ".cache/shpool"
        self.home.mkdir()
        self.bin.mkdir()
        for program in ("sh", "od", "id", "ls", "printf"):
            (self.bin / program).symlink_to(need(program))

    def have(self, *, ours: bool = False, row: str = "", folder: Path | None = None) -> Path:
        """A shpool, the original's or one that knows who runs it."""
        folder = folder or self.bin
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "shpool"
        path.write_text(PROGRAM.format(knows="exit 0" if ours else "exit 2", row=row))
        path.chmod(0o755)
        return path

    def python(self, name: str, does: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{does}\n")
        path.chmod(0o755)

    def have_file(self, *names: str) -> None:
        self.cache.mkdir(parents=True, mode=0o700, exist_ok=True)
        for name in names:
            (self.cache / name).write_text("")

    def run(
        self, command: str, shell: str = "dash", sh: str = "/bin/sh", stdin: bytes = b""
    ) -> tuple[int, str, str]:
        """Exit status, output and what is said of a command line, given to a shell as sshd does."""
        argv = [need(shell), "-c", command.replace("/bin/sh", sh, 1)]
        if shell == "busybox":
            argv.insert(1, "sh")
        done = subprocess.run(
            argv,
            input=stdin,
            capture_output=True,
            env={"PATH": str(self.bin), "HOME": str(self.home)},
            check=False,
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def told(output: str) -> list[str]:
    return MARK.findall(output)


@pytest.mark.parametrize("command", [session(), script.copy_command("t0", 1000)])
def test_there_is_nothing_in_it_that_a_shell_takes_for_its_own(command: str) -> None:
    assert command.isascii()
    assert command.isprintable()
    start, quoted, word = re.fullmatch(
        r"(exec /bin/sh -c )'(.*)'( sh [0-9a-z., ]+)", command, 16
    ).groups()  # type: ignore[union-attr]
    assert start
    assert word
    assert not set(quoted) & set("'\\!\n")


@pytest.mark.parametrize("shell", SHELLS)
def test_words_arrive_as_they_are_through_every_shell(host: Host, shell: str) -> None:
    program = host.have(ours=True)
    long = "x" * 3000  # csh takes no word of 8,192 bytes
    command = session(remote=str(program), words=("-f", f"--cmd={HARD}", "--", long))
    status, out, err = host.run(command, shell)
    assert (status, err) == (7, "")
    assert told(out) == ["seen", "end;7"]
    assert MARK.sub("", out) == f"<attach><-f><--cmd={HARD}><--><{long}>|{HARD}|t0;;"


@pytest.mark.parametrize("sh", SHS)
def test_any_sh_runs_it(host: Host, sh: str) -> None:
    called_sh = host.home.parent / "as/sh"  # by which some know what they are to be
    called_sh.parent.mkdir()
    called_sh.symlink_to(need(sh))
    path = str(called_sh)
    program = host.have(ours=True)
    command = session(remote=str(program), existing=True, words=("--", HARD))
    status, out, err = host.run(command, "dash", path)
    assert (status, err) == (7, "")
    assert MARK.sub("", out) == f"<attach><--existing><--><{HARD}>|{HARD}|t0;;"
    # All that it may come to, where nothing is.
    host.have_file(f"{FILE}.pyz")
    program.unlink()
    status, out, err = host.run(session(), "dash", path)
    assert (status, told(out)) == (1, ["end;1"])
    assert err == ("shpool: there is no Python of 3.9 or later here, and no shpool: found none\n")


def test_what_was_found_is_said_where_nothing_will_do(host: Host) -> None:
    host.python("python3", '[ "$1" = -V ] && echo Python 3.6.8 >&2; exit 1')
    host.python("python3.9", '[ "$1" = -V ] && echo broken; exit 1')
    status, out, err = host.run(session())
    assert (status, told(out)) == (1, ["end;1"])
    assert err == (
        "shpool: there is no Python of 3.9 or later here, and no shpool: found python3"
        " (Python 3.6.8), python3.9 (broken)\n"
    )
    assert told(host.run(script.copy_command("t0", 4))[1]) == ["none"]


def test_the_file_is_run_by_the_first_python_that_passes(host: Host) -> None:
    host.python("python3", "exit 1")
    says = '[ "$2" = -c ] && echo cpython-39 && exit; echo "$0 $*"; exit 4'
    host.python("python3.10", says)
    host.python("python3.9", says)
    assert told(host.run(session())[1]) == ["copy"]
    host.have_file(f"{FILE}.pyz")
    status, out, _ = host.run(session())
    assert (status, told(out)) == (4, ["seen", "end;4"])
    run = f"{host.bin}/python3.10 -IS {host.cache}/{FILE}"
    assert MARK.sub("", out) == f"{run}.pyz attach -- main\n"
    host.have_file(f"{FILE}-cpython-39.pyz")
    assert MARK.sub("", host.run(session())[1]) == f"{run}-cpython-39.pyz attach -- main\n"
    (host.cache / f"{FILE}.python").write_text(f"{host.bin}/python3.9\n")
    assert f"{host.bin}/python3.9 -IS" in host.run(session())[1]
    (host.cache / f"{FILE}.python").write_text("/gone/python\n")
    assert f"{host.bin}/python3.10 -IS" in host.run(session())[1]


def test_a_real_python_passes(host: Host) -> None:
    (host.bin / "python3").symlink_to(sys.executable)
    assert told(host.run(session())[1]) == ["copy"]
    code = b"print(sys.flags.isolated, sys.flags.no_site, sys.stdin.buffer.read())"
    command = script.copy_command("t0", len(code))
    assert len(command) < 8192  # what csh takes as a word
    out = host.run(command, stdin=code + b"rest")[1]
    assert (told(out), MARK.sub("", out)) == (["ready"], "1 1 b'rest'\n")


def test_a_python_without_a_part_that_is_needed_does_not_pass(host: Host) -> None:
    real = shlex.quote(sys.executable)
    host.python(
        "python3", f"shift; shift; exec {real} -c \"import sys;sys.modules['zlib']=None;$1\""
    )
    assert told(host.run(session())[1]) == ["end;1"]


@pytest.mark.parametrize("why", ["link", "mode", "missing"])
def test_a_directory_that_others_may_have_had_is_not_run_from(host: Host, why: str) -> None:
    host.python("python3", '[ "$2" = -c ] && echo tag && exit; echo ran')
    host.have_file(f"{FILE}.pyz")
    if why == "link":
        host.cache.rename(host.home / "elsewhere")
        host.cache.symlink_to(host.home / "elsewhere")
    elif why == "mode":
        host.cache.chmod(0o750)
    else:
        host.cache.rename(host.home / "elsewhere")
    assert told(host.run(session())[1]) == ["copy"]


def test_without_a_home_the_daemon_has_its_place_beside_the_file(host: Host) -> None:
    file = f"{FILE}{os.getpid()}"
    host.python("python3", '[ "$2" = -c ] && echo tag && exit; echo "<$XDG_RUNTIME_DIR>"')
    command = session(file=file)
    with stays(taken=True):
        try:
            IN_TMP.mkdir(mode=0o700, exist_ok=True)
            (IN_TMP / f"{file}.pyz").touch()
            assert "<>" in host.run(command)[1]
            assert f"<{IN_TMP}>" in host.run(f"HOME=/proc/none; {command}")[1]
            given = f"HOME=/proc/none; XDG_RUNTIME_DIR=/run/it; export XDG_RUNTIME_DIR; {command}"
            assert "</run/it>" in host.run(given)[1]
        finally:
            clear(file)


def test_a_shpool_on_the_path_is_run_where_there_is_no_python(host: Host) -> None:
    host.have(folder=host.home / ".local/bin")
    status, out, err = host.run(session(words=("-f", "--", "main")))
    assert (status, err, told(out)) == (7, "", ["seen", "end;7"])
    assert "<attach><-f><--><main>" in out


@pytest.mark.parametrize(
    ("row", "marks"),
    [
        ("main\\t2024-01-01\\tdisconnected\\n", ["seen", "end;7"]),
        ("main\\t2024-01-01\\tattached\\n", ["busy;original"]),
        ("mainly\\t2024-01-01\\tattached\\n", ["gone"]),
        ("", ["gone"]),
    ],
)
def test_one_that_cannot_be_told_who_comes_back_is_asked_for_a_list(
    host: Host, row: str, marks: list[str]
) -> None:
    program = host.have(row=row)
    status, out, err = host.run(session(remote=str(program), existing=True))
    assert (status, err) == (7 if "seen" in marks else 1, "")
    assert told(out) == marks
    assert "--existing" not in out
    if marks == ["busy;original"]:  # taken all the same
        out = host.run(session(remote="shpool", existing=True, words=("-f", "--", "main")))[1]
        assert told(out) == ["seen", "end;7"]


def test_without_a_token_nothing_is_told(host: Host) -> None:
    host.have(ours=True)
    assert host.run(session(token="", remote="shpool"))[1] == f"<attach><--><main>|{HARD}|t0;;"
    assert host.run(session(token="", remote="missing"))[0] == 127


def test_it_is_quick(host: Host) -> None:
    """Linear in what is to be told: a start command may be long."""
    host.have(ours=True)
    long = "x" * 20_000
    command = session(remote="shpool", words=("--", long))
    assert len(command) < script.LONGEST
    assert f"<{long}>" in host.run(command)[1]
    assert os.listdir(host.home) == []
