"""The marks (OSC 133) that shells are made to write: prompt (A, B), command (C) and end (D)."""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from urllib.parse import unquote

import pytest

from tests.daemon.programs.shellpty import PATIENCE_S, ShellOnPty
from tests.daemon.programs.test_shells_all import FILES

PROMPT = "shpool:main P> "


@pytest.fixture(params=FILES)
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def prompt_of(shell: str) -> list[str]:
    return ["A"] if shell == "fish" else ["A", "B"]


def told(running: ShellOnPty, shell: str, command: str, prompt: str = PROMPT) -> list[str]:
    """Run a command; the marks from its Enter to the next prompt, of which one that comes twice
    is told of once."""
    if not any(each.startswith("C") for each in running.marks[-1:]):  # no shell below it
        await_mark(running, shell)
    before = len(running.marks)
    running.run(command)
    running.expect(f"\n(.*\n)?[^\n]*{prompt}")
    await_mark(running, shell)
    new = running.marks[before:]
    return [each for at, each in enumerate(new) if at == 0 or each != new[at - 1]]


def await_mark(running: ShellOnPty, shell: str) -> None:
    """What a prompt ends with may come right behind the text of it."""
    wanted = prompt_of(shell)[-1]
    deadline = monotonic() + PATIENCE_S
    while running.marks[-1:] != [wanted]:
        assert running._read(deadline), running.marks


def begun(command: str) -> str:
    return f"C;cmdline_url={command}"


def test_a_command_is_marked_with_its_text_and_its_status(tmp_path: Path, shell: str) -> None:
    with ShellOnPty(tmp_path, shell, FILES[shell]) as running:
        running.expect(PROMPT)
        prompt = prompt_of(shell)
        assert told(running, shell, "true") == [begun("true"), "D;0", *prompt]
        assert told(running, shell, "false") == [begun("false"), "D;1", *prompt]
        command = "sh -c 'exit 7' | sh -c 'exit 3; é%41'"
        first, *rest = told(running, shell, command)
        assert unquote(first) == begun(command)
        assert first.isascii()
        assert ";" not in first[len(begun("")) :]
        assert rest == ["D;3", *prompt]
        killed = told(running, shell, "sh -c 'kill -9 $$'")
        assert killed[1:] == ["D;137", *prompt]


def test_what_runs_no_command_is_a_prompt_and_nothing_else(tmp_path: Path, shell: str) -> None:
    with ShellOnPty(tmp_path, shell, FILES[shell]) as running:
        running.expect(PROMPT)
        prompt = prompt_of(shell)
        assert told(running, shell, "") == prompt
        if shell != "fish":  # which goes on with the line as it is
            assert told(running, shell, "echo )") == prompt
            assert told(running, shell, "!nosuch") == prompt
        running.type("half")
        running.expect("half")
        before = len(running.marks)
        running.interrupt(PROMPT)
        running.run("")
        running.expect("\n.*" + PROMPT)
        assert running.marks[before : before + len(prompt)] == prompt
        assert set(running.marks[before:]) == set(prompt)


def test_a_long_command_is_cut(tmp_path: Path, shell: str) -> None:
    with ShellOnPty(tmp_path, shell, FILES[shell]) as running:
        running.expect(PROMPT)
        running.type("\x1b[200~" + "true " + "é" * 2000 + "\x1b[201~")
        running.run("")
        running.expect("\n.*" + PROMPT)
        (command,) = [each for each in running.marks if each[0] == "C"]
        assert 4000 < len(command) < 4120
        assert unquote(command[len(begun("")) :]).startswith("true ééé")


def test_a_prompt_that_is_drawn_again_is_not_a_new_one(tmp_path: Path) -> None:
    with ShellOnPty(tmp_path, "bash", FILES["bash"]) as bash:
        bash.expect(PROMPT)
        bash.type("ec\x0c")
        bash.expect(PROMPT + "ec")
        numbers = [mark for mark in bash.output.split(b"\x1b]133;") if mark.startswith(b"A")]
        assert numbers[-1] == numbers[-2]
        bash.run("ho")
        bash.expect("\n.*" + PROMPT)
        numbers = [mark for mark in bash.output.split(b"\x1b]133;") if mark.startswith(b"A")]
        assert numbers[-1] != numbers[-2]


def test_what_bash_does_not_put_into_its_history_has_no_text(tmp_path: Path) -> None:
    files = {".bash_profile": "PS1='P> '\nHISTCONTROL=ignoreboth\nHISTTIMEFORMAT='%s: '\n"}
    with ShellOnPty(tmp_path, "bash", files) as bash:
        bash.expect(PROMPT)
        assert told(bash, "bash", "echo one")[0] == begun("echo%20one")
        assert told(bash, "bash", "echo one")[0] == begun("")
        assert told(bash, "bash", " echo two")[0] == begun("")
        assert told(bash, "bash", "echo three")[0] == begun("echo%20three")


@pytest.mark.parametrize(
    "profile",
    [
        "PROMPT_COMMAND='echo hook'\n",
        "PROMPT_COMMAND=('echo hook' 'echo more')\n",
        "export PROMPT_COMMAND='echo hook'\n",
    ],
)
def test_what_prompt_commands_of_bash_print_comes_after_the_end(
    tmp_path: Path, profile: str
) -> None:
    with ShellOnPty(tmp_path, "bash", {".bash_profile": "PS1='P> '\n" + profile}) as bash:
        bash.expect(PROMPT)
        bash.run("printf out; (exit 3)")
        bash.expect("\nout.*hook.*" + PROMPT)
        assert b"out\x1b]133;D;3;" in bash.output
        if profile.startswith("export"):
            return
        bash.run("PROMPT_COMMAND='echo other'")
        bash.expect("\nother.*" + PROMPT)
        bash.run("printf out; (exit 4)")
        bash.expect("\nout.*other.*" + PROMPT)
        assert b"out\x1b]133;D;4;" in bash.output


def test_bash_gives_prompt_commands_what_they_look_at(tmp_path: Path) -> None:
    profile = 'build() { PS1="[$? ${PIPESTATUS[*]}] P> "; echo hook; }; PROMPT_COMMAND=build\n'
    with ShellOnPty(tmp_path, "bash", {".bash_profile": profile}) as bash:
        bash.expect(r"shpool:main \[0 0\] P> ")
        bash.run("false | (exit 4)")
        bash.expect(r"shpool:main \[4 1 4\] P> ")
        assert bash.marks[-3:] == ["D;4", "A", "B"]


def test_bash_whose_prompts_are_not_expanded_marks_nothing(tmp_path: Path) -> None:
    files = {".bash_profile": "PS1='P> '\nshopt -u promptvars\n"}
    with ShellOnPty(tmp_path, "bash", files, prefix="<one> ") as bash:
        bash.expect("<one> P> ")
        bash.run("shopt -s promptvars")
        bash.expect("<one> P> ")
        bash.run("true")
        bash.expect("\n<one> P> ")
        assert bash.marks[:3] == ["A", "B", begun("true")]
        bash.run("shopt -u promptvars")
        bash.expect("\n<one> P> ")
        before = len(bash.marks)
        bash.run("true")
        bash.expect("\n<one> P> ")
        assert bash.marks[before:] == []


def test_restricted_bash_has_its_prefix_and_no_complaints(tmp_path: Path) -> None:
    with ShellOnPty(tmp_path, "rbash", FILES["bash"]) as bash:
        bash.expect(PROMPT)
        bash.run("true")
        bash.expect("\n" + PROMPT)
        assert "restricted" not in bash.seen
        assert bash.marks == []


def test_nested_shells_mark_nothing(tmp_path: Path, shell: str) -> None:
    files = {**FILES[shell], ".bashrc": "", ".zshenv": ""}
    with ShellOnPty(tmp_path, shell, files) as running:
        running.expect(PROMPT)
        if shell == "bash":
            assert told(running, shell, "export PS1 PS0")
        nested = {"bash": "bash --norc", "zsh": "zsh", "fish": "fish"}[shell]
        before = len(running.marks)
        running.run(nested)
        running.expect("\n.*P> ")
        running.run("set -u; echo $(( 6 * 7 ))" if shell != "fish" else "math 6 x 7")
        running.expect("\n42.*P> ")
        assert "unbound" not in running.seen
        assert len(running.marks) == before + 1
        assert told(running, shell, "exit 5")[0] == "D;5"


def test_a_zsh_that_takes_prompts_as_they_are(tmp_path: Path) -> None:
    files = {".zshrc": "PS1='P> '\nsetopt no_prompt_percent\n"}
    with ShellOnPty(tmp_path, "zsh", files) as zsh:
        zsh.expect(PROMPT)
        assert told(zsh, "zsh", "true") == [begun("true"), "D;0", "A", "B"]
        assert "133" not in zsh.tell('"$PS1"')


def test_hooks_of_zsh_come_between_end_and_prompt(tmp_path: Path) -> None:
    rc = "PS1='P> '\nfirst() { print first }\nprecmd_functions+=(first)\n"
    with ShellOnPty(tmp_path, "zsh", {".zshrc": rc}) as zsh:
        zsh.expect("first\n" + PROMPT)
        zsh.run("late() { print late; }; precmd_functions=(late $precmd_functions)")
        zsh.expect("\n.*" + PROMPT)
        zsh.run("printf out; (exit 3)")
        zsh.expect("\nout.*late\nfirst\n" + PROMPT)
        out, _, rest = zsh.output.rpartition(b"out")[2].partition(b"\x1b]133;D;3;")
        assert b"late" not in out
        assert rest.index(b"first") < rest.index(b"\x1b]133;A") < rest.index(b"P> ")
        zsh.run("said() { print said; }; preexec_functions+=(said)")
        zsh.expect("\n.*" + PROMPT)
        zsh.run("printf out")
        zsh.expect("\nout.*" + PROMPT)
        assert zsh.output.rindex(b"said") < zsh.output.rindex(b"\x1b]133;C")


@pytest.mark.parametrize("norc", [False, True])
@pytest.mark.parametrize("prefix", ["", "<one> "])
def test_marks_need_neither_a_prefix_nor_the_users_files(
    tmp_path: Path, shell: str, norc: bool, prefix: str
) -> None:
    with ShellOnPty(tmp_path, shell, FILES[shell], prefix=prefix, norc=norc) as running:
        running.expect(f"{prefix}.*[#%>$] ")
        running.run("sh -c 'echo ha''llo; exit 3'")
        running.expect(r"\nhallo.*[#%>$] ")
        assert running.marks[0] == "A"
        assert [each for each in running.marks if each[0] == "D"] == ["D;3"]
        assert ("<one>" in running.seen) is bool(prefix)


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_shows_marks_gets_none(tmp_path: Path, shell: str, term: str) -> None:
    with ShellOnPty(tmp_path, shell, FILES[shell], env={"TERM": term}) as running:
        running.expect("P> ")
        running.run("true")
        running.expect("\n.*P> ")
        assert b"\x1b]133" not in running.output
