"""bash with the start-up files that people have: its prompt, its status, its environment."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shpool.daemon.programs import script_bash
from tests.daemon.programs.shellpty import ShellOnPty
from tests.programs import lacking, need

PROMPT = r"shpool:main P> "
PS1 = "PS1='P> '\n"


@pytest.mark.parametrize("name", [".bash_profile", ".bash_login", ".profile"])
def test_the_only_login_file_is_read(tmp_path: Path, name: str) -> None:
    with ShellOnPty(tmp_path, "bash", {name: PS1 + "echo from the file\n"}) as bash:
        bash.expect(r"from the file\n" + PROMPT)
        assert bash.tell('"$(shopt -q login_shell && echo $0)"') == "-bash"


def test_the_first_login_file_is_the_one(tmp_path: Path) -> None:
    files = {
        ".bash_profile": PS1 + ". ~/.bashrc; echo one\n",
        ".bash_login": "echo two\n",
        ".profile": "echo three\n",
        ".bashrc": "echo rc\n",
    }
    with ShellOnPty(tmp_path, "bash", files) as bash:
        bash.expect(PROMPT)
        assert "rc\none\n" in bash.seen
        assert "two" not in bash.seen
        assert "three" not in bash.seen


def test_a_login_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    files = {".bash_profile/directory": "", ".profile": "echo profile\n"}
    with ShellOnPty(tmp_path, "bash", files) as bash:
        bash.expect(r"\.bash_profile: .*shpool:main ")
        assert "echo profile" not in bash.seen


def test_without_files_the_prefix_stands_before_the_default_prompt(tmp_path: Path) -> None:
    with ShellOnPty(tmp_path, "bash") as bash:
        bash.expect(r"(^|\n|\r)shpool:main \S")


def test_nothing_else_is_shown_up_to_the_first_prompt(tmp_path: Path) -> None:
    files = {".bash_profile": PS1}
    with ShellOnPty(tmp_path, "bash", files, start_cmd="printf started") as bash:
        bash.expect("P> ")
        assert bash.seen == "startedshpool:main P> "


def test_what_the_files_print_is_shown(tmp_path: Path) -> None:
    files = {".bash_profile": PS1 + "for i in {1..300}; do echo line $i; done\n"}
    with ShellOnPty(tmp_path, "bash", files, start_cmd="echo started") as bash:
        bash.expect(PROMPT)
        lines = "".join(f"line {i}\n" for i in range(1, 301))
        assert bash.seen == lines + "started\nshpool:main P> "


def test_a_question_in_the_files_gets_the_users_answer(tmp_path: Path) -> None:
    files = {".bash_profile": PS1 + "read -p 'name? ' name; echo \"hello $name\"\n"}
    with ShellOnPty(tmp_path, "bash", files, start_cmd="echo started") as bash:
        bash.expect(r"name\? ")
        bash.run("Ann")
        bash.expect(r"hello Ann\nstarted\n" + PROMPT)


def test_interrupted_files_leave_the_users_prompt(tmp_path: Path) -> None:
    files = {".bash_profile": PS1 + "sh -c 'echo waiting; exec sleep 1000'; echo after\n"}
    with ShellOnPty(tmp_path, "bash", files, start_cmd="echo started") as bash:
        bash.expect("waiting")
        bash.type("\x03")
        bash.expect("P> ")
        assert bash.tell("$?") == "130"
        bash.expect("P> ")
        assert bash.tell('"${PROMPT_COMMAND-none}"') == "none"
        assert "after" not in bash.seen
        assert "started" not in bash.seen


def test_history_has_what_was_typed_and_nothing_else(tmp_path: Path) -> None:
    files = {".bash_profile": PS1, ".bash_history": "old\n"}
    with ShellOnPty(tmp_path, "bash", files, start_cmd="echo started") as bash:
        bash.expect(PROMPT)
        bash.run("echo new")
        bash.expect(r"new\n.*" + PROMPT)
        bash.run("exit")
        assert bash.expect_end() == 0
        assert (bash.home / ".bash_history").read_text() == "old\necho new\nexit\n"
        assert not (bash.home / ".sh_history").exists()


def test_logout_file_is_read(tmp_path: Path) -> None:
    files = {".bash_profile": PS1, ".bash_logout": "echo goodbye\n"}
    with ShellOnPty(tmp_path, "bash", files) as bash:
        bash.expect(PROMPT)
        bash.run("exit 3")
        assert bash.expect_end() == 3
        assert bash.seen.endswith("goodbye\n")


DUMP = (
    "{ set; shopt -p; set +o; trap -p; alias; export -p; echo $-; ulimit -a; } >~/dump 2>&1;"
    "printf '\\002%s' done"
)
DIFFERENT = (
    "_=",
    "BASHPID=",
    "EPOCH",
    "HISTCMD=",
    "PIPESTATUS=",
    "PPID=",
    "RANDOM=",
    "SECONDS=",
    "SRANDOM=",
)
TEXTS = (*script_bash._HOOK.splitlines(), *script_bash._HEAD.splitlines())


@pytest.mark.parametrize(
    ("files", "env"),
    [
        ({".bash_profile": "", ".bashrc": "echo no\n"}, {}),
        ({"env": ""}, {"POSIXLY_CORRECT": "y", "ENV": "$HOME/env", "MAILCHECK": "5"}),
        ({}, {"ENV": "/it's/elsewhere", "HISTFILE": "/dev/null"}),
    ],
)
def test_shell_is_as_without_us_but_for_its_prompt(
    tmp_path: Path, files: dict[str, str], env: dict[str, str]
) -> None:
    def state(*, plain: bool) -> list[str]:
        with ShellOnPty(tmp_path, "bash", files, env=env, plain=plain) as bash:
            bash.expect(r"[#$] ")
            bash.run(DUMP)
            bash.expect("\x02done")
            ours = False
            lines = []
            for line in (bash.home / "dump").read_text().splitlines():
                ours = ours or (line.startswith("__shpool_") and line.endswith("() "))
                changing = line.startswith(DIFFERENT)
                prompt = line.startswith(("PROMPT_COMMAND=", "PS0=", "PS1=", "__shpool_"))
                prompt = prompt or line.strip("'") in TEXTS
                if not (ours or changing or prompt):
                    lines.append(line)
                ours = ours and line != "}"
            return lines

    assert state(plain=False) == state(plain=True)


@pytest.mark.parametrize(
    "profile",
    [
        "PROMPT_COMMAND='echo hook'\n",
        "PROMPT_COMMAND='echo hook;'\n",
        "PROMPT_COMMAND='echo hook # comment'\n",
        "PROMPT_COMMAND=('echo hook' 'true')\n",
        "PROMPT_COMMAND+=('echo hook')\n",
        "export PROMPT_COMMAND='echo hook'\n",
        'PROMPT_COMMAND="echo hook${PROMPT_COMMAND:+;$PROMPT_COMMAND}"\n',
    ],
)
def test_prompt_command_of_any_kind_runs_once_and_keeps_the_prefix(
    tmp_path: Path, profile: str
) -> None:
    with ShellOnPty(tmp_path, "bash", {".bash_profile": PS1 + profile}) as bash:
        bash.expect(PROMPT)
        assert bash.seen == "hook\nshpool:main P> "
        bash.run("PS1='Q> '")
        bash.expect(r"hook\nshpool:main Q> ")


def test_exported_prompt_command_stays_so_and_is_quiet_in_a_nested_bash(tmp_path: Path) -> None:
    files = {".bash_profile": PS1 + "export PROMPT_COMMAND='echo hook'\n"}
    with ShellOnPty(tmp_path, "bash", files) as bash:
        bash.expect(PROMPT)
        bash.run("PS1='nested> ' bash --norc")
        bash.expect(r"hook\nnested> ")
        assert "not found" not in bash.seen


def test_prompt_built_from_the_status_at_every_prompt(tmp_path: Path) -> None:
    files = {".bash_profile": 'build() { PS1="[$? ${PIPESTATUS[*]}] "; }; PROMPT_COMMAND=build\n'}
    with ShellOnPty(tmp_path, "bash", files) as bash:
        bash.expect(r"shpool:main \[0 0\] ")
        bash.run("true | false | (exit 3)")
        bash.expect(r"shpool:main \[3 0 1 3\] ")
        bash.run("echo")
        bash.expect(r"\nshpool:main \[0 0\] ")


def test_status_and_pipestatus_are_the_users_at_the_prompt(tmp_path: Path) -> None:
    with ShellOnPty(tmp_path, "bash", {".bash_profile": "PS1='$? P> '\n"}) as bash:
        bash.expect("shpool:main 0 P> ")
        bash.run("true | (exit 4)")
        bash.expect("shpool:main 4 P> ")
        assert bash.tell('"$? ${PIPESTATUS[*]}"') == "4 0 4"


def test_status_of_the_files_is_seen_by_the_first_prompt(tmp_path: Path) -> None:
    with ShellOnPty(tmp_path, "bash", {".bash_profile": PS1 + "(exit 7)\n"}) as bash:
        bash.expect(PROMPT)
        assert bash.tell("$?") == "7"


def test_prompt_set_late(tmp_path: Path) -> None:
    late = "late() { PS1='late> '; PROMPT_COMMAND=; }\nPROMPT_COMMAND=late\n"
    with ShellOnPty(tmp_path, "bash", {".bash_profile": PS1 + late}) as bash:
        bash.expect("shpool:main late> ")
        bash.run("PS1='later> '; PROMPT_COMMAND='true'")
        bash.expect("shpool:main later> ")
        assert "shpool:main shpool:main" not in bash.seen


def test_text_put_before_the_prompt_goes_behind_the_prefix(tmp_path: Path) -> None:
    with ShellOnPty(tmp_path, "bash", {".bash_profile": PS1}) as bash:
        bash.expect(PROMPT)
        bash.run('PS1="(venv) $PS1"')
        bash.expect(r"\nshpool:main \(venv\) P> ")


def test_prompt_of_two_lines_has_the_prefix_once(tmp_path: Path) -> None:
    with ShellOnPty(tmp_path, "bash", {".bash_profile": "PS1='top\\nP> '\n"}) as bash:
        bash.expect("P> ")
        assert bash.seen == "shpool:main top\nP> "


@pytest.mark.parametrize("option", ["-u", "-e", "-x", "-o pipefail", "-o noglob", "-a", "-T"])
def test_shell_options_in_the_files(tmp_path: Path, option: str) -> None:
    files = {".bash_profile": PS1 + f"set {option}\n[ -e nothing ] && echo something\n"}
    with ShellOnPty(tmp_path, "bash", files) as bash:
        bash.expect(PROMPT)
        bash.run("true")
        bash.expect(PROMPT)
        assert "__shpool" not in bash.seen
        assert "unbound" not in bash.seen


@pytest.mark.parametrize(
    "failure", ["set -u; echo $nothing", "if then", "false", ". /nonexistent", "echo $((1/0))"]
)
def test_files_that_fail(tmp_path: Path, failure: str) -> None:
    with ShellOnPty(
        tmp_path, "bash", {".bash_profile": PS1 + failure + "\n"}, start_cmd="echo started"
    ) as bash:
        bash.expect(r"started\n" + PROMPT)


def test_files_that_exit(tmp_path: Path) -> None:
    with ShellOnPty(
        tmp_path, "bash", {".bash_profile": "exit 5\n"}, start_cmd="echo started"
    ) as bash:
        assert bash.expect_end() == 5
        assert "started" not in bash.seen


DEBUG_TRAP = "trap 'echo \"<$BASH_COMMAND>\"' DEBUG\n"


@pytest.mark.parametrize("more", ["", "set -T\n", "shopt -s extdebug\n"])
def test_debug_trap_sees_nothing_of_ours(tmp_path: Path, more: str) -> None:
    with ShellOnPty(tmp_path, "bash", {".bash_profile": PS1 + DEBUG_TRAP + more}) as bash:
        bash.expect(PROMPT)
        bash.run("(exit 3)")
        bash.expect(PROMPT)
        assert bash.tell("$?") == "3"
        bash.expect(PROMPT)
        assert "__shpool" not in bash.seen
        assert "<printf" in bash.seen


def test_debug_trap_that_takes_the_time(tmp_path: Path) -> None:
    profile = (
        "start() { began=${began:-now}; }\ntrap start DEBUG\n"
        "stop() { took=${began-nothing}; unset began; }\nPROMPT_COMMAND=stop\nPS1='$took> '\n"
        "trap -- 'start # in the shell' DEBUG\n"
    )
    with ShellOnPty(tmp_path, "bash", {".bash_profile": profile}) as bash:
        bash.expect("shpool:main now> ")
        assert bash.tell('"$?"') == "0"
        bash.expect("shpool:main now> ")
        # What began between the prompt and the command would have been ours.
        bash.run("trap - DEBUG; unset began; true")
        bash.expect("shpool:main nothing> ")


@pytest.mark.parametrize("shell", ["dash", "zsh", "fish"])
def test_files_that_exec_another_shell(tmp_path: Path, shell: str) -> None:
    files = {
        ".bash_profile": f"export PS1='other> '; exec {need(shell)}\n",
        ".zshrc": "PS1='other> '\n",
        ".config/fish/config.fish": "function fish_prompt; echo -n 'other> '; end\n",
    }
    with ShellOnPty(tmp_path, "bash", files) as other:
        other.expect("other> ")
        answer = other.tell('"$(env)"')
        for name in (
            "ENV=",
            "ZDOTDIR",
            "POSIXLY_CORRECT",
            "__shpool",
            "HISTFILE",
            "PROMPT_COMMAND",
        ):
            assert name not in answer


def test_nested_bash_is_unaffected(tmp_path: Path) -> None:
    files = {".bash_profile": PS1, ".bashrc": "PS1='nested> '; echo rc\n"}
    with ShellOnPty(tmp_path, "bash", files, start_cmd="echo started") as bash:
        bash.expect(PROMPT)
        bash.run("bash")
        bash.expect(r"rc\nnested> ")
        assert not bash.seen.endswith("shpool:main nested> ")
        assert bash.tell('"$- ${ENV-unset} $SHELLOPTS"').startswith("himBHs unset ")
        assert "posix" not in bash.tell('"$SHELLOPTS"')


def test_nested_bash_that_inherits_the_prompt_shows_the_prefix_once(tmp_path: Path) -> None:
    files = {".bash_profile": "export PS1='P> '\n"}
    with ShellOnPty(tmp_path, "bash", files) as bash:
        bash.expect(PROMPT)
        bash.run("bash --norc")
        bash.expect(r"\nshpool:main P> ")
        bash.run("true")
        bash.expect(r"\nshpool:main P> ")


def test_start_command_runs_in_the_shell_after_the_files(tmp_path: Path) -> None:
    files = {".bash_profile": PS1 + "word=files\n"}
    command = "cd /; declare list=(a b); echo \"$word's\"; alias hi='echo alias'; (exit 9)"
    with ShellOnPty(tmp_path, "bash", files, start_cmd=command) as bash:
        bash.expect(r"files's\n" + PROMPT)
        assert bash.tell('"$? $PWD ${list[1]}"') == "9 / b"
        bash.expect(PROMPT)
        bash.run("hi")
        bash.expect(r"\nalias\n")
        assert "__shpool_" not in bash.tell('"$(env)"')
        kept = ["count", "first", "head", "history", "hook", "marks", "now", "ran"]
        assert bash.tell('"${!__shpool_*}"').split() == [f"__shpool_{name}" for name in kept]
        assert "__SHPOOL_" not in bash.tell('"$(set)"')


@pytest.mark.parametrize(
    "command", ["-x", "if then", "nonexistent-command", "return 3", "false\n#"]
)
def test_start_command_that_fails_leaves_a_prompt(tmp_path: Path, command: str) -> None:
    with ShellOnPty(tmp_path, "bash", {".bash_profile": PS1}, start_cmd=command) as bash:
        bash.expect(PROMPT)


def test_start_command_without_a_prefix(tmp_path: Path) -> None:
    files = {".bash_profile": PS1}
    with ShellOnPty(
        tmp_path, "bash", files, prefix="", start_cmd="echo started", marks=False
    ) as bash:
        bash.expect("P> ")
        assert bash.seen == "started\nP> "
        assert bash.tell('"$(set)"').count("__shpool") == 0


@pytest.mark.parametrize("more", ["", "PROMPT_COMMAND='echo hook'\n", "set -u\n"])
def test_a_bash_that_knows_no_array_of_prompt_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    script = script_bash._PROMPT
    monkeypatch.setattr(script_bash, "_PROMPT", script.replace("> 500", "> 9900"))
    with ShellOnPty(tmp_path, "bash", {".bash_profile": PS1 + more}) as bash:
        bash.expect(PROMPT)
        assert bash.tell('"$(declare -p PROMPT_COMMAND)"').startswith("declare -- ")
        bash.run("PS1='[$?] '; (exit 3)")
        bash.expect(r"shpool:main \[3\] ")


def test_apples_bash_reads_the_login_files_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path("/bin/bash").exists():
        lacking("/bin/bash is not there")
    monkeypatch.setattr(sys, "platform", "darwin")
    files = {".bash_profile": PS1 + "echo profile\n", ".bashrc": "echo rc\n"}
    with ShellOnPty(tmp_path, "/bin/bash", files, start_cmd="echo started") as bash:
        bash.expect("profile\nstarted\n" + PROMPT)
        assert "rc\n" not in bash.seen


def test_norc_reads_no_file_and_keeps_prefix_and_start_command(tmp_path: Path) -> None:
    files = {".bash_profile": "echo profile\n", ".bashrc": "echo rc\n", ".profile": "echo p\n"}
    with ShellOnPty(tmp_path, "bash", files, norc=True, start_cmd="echo started") as bash:
        bash.expect(r"started\nshpool:main \S")
        assert bash.seen.startswith("started")
        assert bash.tell('"$- $(shopt -o posix)"').endswith("off")


def test_prefix_is_prompt_source(tmp_path: Path) -> None:
    prefix = r"""\\ '\s' "$USER" $(echo `echo sub`) \[\e[1m\]bold\[\e[m\] """
    with ShellOnPty(tmp_path, "bash", {".bash_profile": PS1}, prefix=prefix) as bash:
        bash.expect(r"""\\ '-?bash' "tester" sub bold P> """)
