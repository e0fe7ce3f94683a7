"""The plan of a shell's start, without starting one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shpool.daemon.programs import shells
from shpool.daemon.programs.shells import ShellStart, ShellStartError, plan

ENV = {"HOME": "/home/ann", "PATH": "/bin"}


def planned(
    shell: str,
    prefix: str = "",
    start_cmd: str | None = None,
    *,
    norc: bool = False,
    env: dict[str, str] = ENV,
) -> ShellStart:
    return plan(
        shell, session_dir="/run/s", prompt_prefix=prefix, start_cmd=start_cmd, norc=norc, env=env
    )


@pytest.mark.parametrize("start_cmd", [None, ""])
@pytest.mark.parametrize(
    "shell", ["bash", "zsh", "fish", "dash", "sh", "ksh", "tcsh", "nu", "python3"]
)
def test_without_prefix_and_start_command_nothing_is_injected(
    shell: str, start_cmd: str | None
) -> None:
    start = planned(f"/usr/bin/{shell}", "", start_cmd)
    assert (start.argv, start.env, start.files) == ([f"-{shell}"], ENV, {})


@pytest.mark.parametrize(
    ("shell", "arguments"),
    [
        ("bash", ["-bash", "--norc", "--noprofile"]),
        ("zsh", ["-zsh", "--no-rcs"]),
        ("fish", ["-fish", "--no-config"]),
        ("dash", ["dash"]),
        ("csh", ["-csh"]),
    ],
)
def test_norc_alone_is_the_shells_own_option(shell: str, arguments: list[str]) -> None:
    start = planned(f"/bin/{shell}", norc=True)
    assert (start.argv, start.env, start.files) == (arguments, ENV, {})


@pytest.mark.parametrize(
    ("shell", "file"),
    [
        ("bash", "start.bash"),
        ("bash5.2", "start.bash"),
        ("bash-5.3", "start.bash"),
        ("rbash", "start.bash"),
        ("zsh", "zsh/.zshenv"),
        ("zsh-5.9", "zsh/.zshenv"),
        ("fish", "start.fish"),
    ],
)
def test_shell_is_told_by_its_name(shell: str, file: str) -> None:
    start = planned(f"/opt/{shell}", "prefix ")
    assert start.argv[0] == f"-{shell}"
    assert list(start.files) == [f"/run/s/{file}"]


@pytest.mark.parametrize("shell", ["sh", "dash", "ash", "ksh", "ksh93", "mksh", "lksh", "oksh"])
def test_posix_shells_take_a_start_command_and_no_prefix(shell: str) -> None:
    start = planned(f"/bin/{shell}", "prefix ", "echo")
    assert start.argv == [shell]
    assert "/run/s/start.sh" in (start.env["ENV"], start.env.get("__SHPOOL_ENV_FILE"))
    assert "prefix" not in start.files["/run/s/start.sh"]
    assert planned(f"/bin/{shell}", "prefix ").argv == [f"-{shell}"]


def test_busybox_is_told_to_be_a_shell() -> None:
    assert planned("/bin/busybox").argv == ["-sh"]
    assert planned("/bin/busybox", "", "echo").argv == ["sh"]


@pytest.mark.parametrize("shell", ["/bin/tcsh", "/usr/bin/nu", "/bin/bashful", "/x/zsh.py"])
def test_other_shells_refuse_a_start_command_and_show_no_prefix(shell: str) -> None:
    assert planned(shell, "prefix ").files == {}
    with pytest.raises(ShellStartError, match=shell):
        planned(shell, "prefix ", "echo")


def test_environment_given_is_not_changed() -> None:
    env = {"ENV": "mine", "ZDOTDIR": "mine", "HOME": "/"}
    for shell in ("bash", "zsh", "fish", "dash"):
        planned(shell, "prefix", "echo", env=env)
    assert env == {"ENV": "mine", "ZDOTDIR": "mine", "HOME": "/"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "dash"])
def test_what_the_user_wrote_is_one_quoted_word(shell: str) -> None:
    start = planned(shell, "@START@'$(prefix)\\", "@TEXT@ 'it''s' \udcff")
    (script,) = start.files.values()
    if shell != "dash":
        assert "@START@'\\''$(prefix)\\'" in script
    assert "@TEXT@" in script
    assert "\udcff" in script
    for value in start.env.values():
        assert "prefix" not in value


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("export ZDOTDIR=$HOME/.zsh", True),
        ("typeset -gx ZDOTDIR=~/zsh", True),
        ("ZDOTDIR=${XDG_CONFIG_HOME:-$HOME/.config}/zsh", True),
        ("export ZDOTDIR=${ZDOTDIR:-$HOME/.zsh}", False),
        ("[[ -n $ZDOTDIR ]] || ZDOTDIR=~/zsh", False),
        ("  ZDOTDIR=~/zsh", False),
        ("# ZDOTDIR=~/zsh", False),
    ],
)
def test_a_zdotdir_that_nobody_can_change_refuses_a_start_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, refused: bool
) -> None:
    (tmp_path / "zshenv").write_text(f"PATH=/bin\n{line}\n")
    monkeypatch.setattr(shells, "_ZSH_GLOBAL_FILES", ("/missing", str(tmp_path / "zshenv")))
    assert planned("/bin/zsh", "prefix ").files
    if refused:
        with pytest.raises(ShellStartError, match="sets ZDOTDIR"):
            planned("/bin/zsh", "prefix ", "echo")
    else:
        assert planned("/bin/zsh", "prefix ", "echo").files


def test_apples_bash_reads_an_init_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert planned("/bin/bash", "prefix ").argv == ["bash", "--init-file", "/run/s/start.bash"]
    assert planned("/bin/bash", "prefix ").env == ENV
    assert planned("/opt/homebrew/bin/bash", "prefix ").argv == ["-bash", "--posix"]


def test_importing_costs_nothing_that_the_interpreter_has_not_loaded() -> None:
    code = (
        "import sys, re, __future__; before = set(sys.modules);"
        "import shpool.daemon.programs.shells;"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [
        "shpool",
        "shpool.daemon",
        "shpool.daemon.programs",
        "shpool.daemon.programs.script_bash",
        "shpool.daemon.programs.script_fish",
        "shpool.daemon.programs.script_posix",
        "shpool.daemon.programs.script_zsh",
        "shpool.daemon.programs.scripts",
        "shpool.daemon.programs.shells",
        "shpool.errors",
    ]
