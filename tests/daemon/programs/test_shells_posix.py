"""The POSIX shells, which get a start command and no prefix."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.daemon.programs.shellpty import ShellOnPty
from tests.programs import need

PROFILE = "PS1='P> '; echo profile\n"


@pytest.fixture(params=["dash", "sh", "bash-as-sh", "ksh93", "mksh", "busybox"])
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    name: str = request.param
    if name == "bash-as-sh":
        return _named(tmp_path, "bash", "sh")
    need(name)
    return name


def _named(tmp_path: Path, program: str, name: str) -> str:
    found = need(program)
    (tmp_path / name).symlink_to(found)
    return str(tmp_path / name)


def test_start_command_runs_after_the_profile_and_the_env_file_it_names(
    tmp_path: Path, shell: str
) -> None:
    files = {".profile": PROFILE + "ENV='$HOME/env file'; export ENV\n", "env file": "echo env\n"}
    command = 'cd /; word="it\'s"; echo started; (exit 3)'
    with ShellOnPty(tmp_path, shell, files, start_cmd=command) as posix:
        posix.expect("P> ")
        assert posix.seen.endswith("profile\nenv\nstarted\nP> ")
        assert posix.tell('"$PWD $word $ENV"') == "/ it's $HOME/env file"


def test_env_is_as_it_was(tmp_path: Path, shell: str) -> None:
    with ShellOnPty(tmp_path, shell, {".profile": PROFILE}, start_cmd="echo started") as posix:
        posix.expect("profile\nstarted\nP> ")
        assert posix.tell('"${ENV-unset}"') == "unset"
        assert "__SHPOOL" not in posix.tell('"$(set)"')


def test_env_of_the_session_is_read(tmp_path: Path, shell: str) -> None:
    files = {".profile": PROFILE, "env": "echo env\n"}
    env = {"ENV": "$HOME/env"}
    with ShellOnPty(tmp_path, shell, files, env=env, start_cmd="echo started") as posix:
        posix.expect("profile\nenv\nstarted\nP> ")
        assert posix.tell('"$ENV"') == "$HOME/env"


@pytest.mark.parametrize("failure", ["if then", "false", ". /nonexistent", "set -u; : $nothing"])
def test_profile_that_fails(tmp_path: Path, shell: str, failure: str) -> None:
    files = {".profile": PROFILE + failure + "\n"}
    with ShellOnPty(tmp_path, shell, files, start_cmd="echo started") as posix:
        posix.expect("started\n.*P> " if failure != "if then" else "started\n")


def test_profile_that_returns(tmp_path: Path, shell: str) -> None:
    files = {".profile": PROFILE + "return 1\necho not reached\n"}
    with ShellOnPty(tmp_path, shell, files, start_cmd="echo started") as posix:
        posix.expect("profile\nstarted\nP> ")


def test_norc_reads_nothing(tmp_path: Path, shell: str) -> None:
    files = {".profile": PROFILE, ".kshrc": "echo rc\n", ".mkshrc": "echo rc\n"}
    for start_cmd in (None, "echo started"):
        with ShellOnPty(tmp_path, shell, files, norc=True, start_cmd=start_cmd) as posix:
            posix.expect("[#$] ")
            assert "profile" not in posix.seen
            assert "rc\n" not in posix.seen
            assert ("started\n" in posix.seen) == bool(start_cmd)


@pytest.mark.parametrize(("name", "file"), [("ksh93", ".kshrc"), ("mksh", ".mkshrc")])
def test_default_env_file(tmp_path: Path, name: str, file: str) -> None:
    need(name)
    files = {".profile": PROFILE, file: "echo rc\n"}
    with ShellOnPty(tmp_path, name, files, start_cmd="echo started") as posix:
        posix.expect("profile\nrc\nstarted\nP> ")


def test_session_name_of_any_kind_is_only_a_name(tmp_path: Path, shell: str) -> None:
    name = "a$(touch${IFS}~/oops)`touch${IFS}~/oops`'\"\\z"
    files = {".profile": PROFILE}
    with ShellOnPty(tmp_path, shell, files, session=name, start_cmd="echo started") as posix:
        posix.expect("started\nP> ")
        assert not (posix.home / "oops").exists()


def test_nested_shell_is_unaffected(tmp_path: Path) -> None:
    with ShellOnPty(tmp_path, "dash", {".profile": PROFILE}, start_cmd="echo started") as dash:
        dash.expect("started\nP> ")
        dash.run("PS1='nested> ' dash")
        dash.expect("\nnested> ")
