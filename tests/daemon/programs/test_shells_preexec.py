"""bash beside bash-preexec, whose hooks rearrange PROMPT_COMMAND at every prompt.

What bash-preexec does to a shell is written down here in a few lines: it installs itself at the
first prompt, encloses the prompt commands in two of its own at every prompt, keeps them so, and has
a trap on DEBUG that takes the first command after its last one for the user's.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.daemon.programs.shellpty import ShellOnPty

PREEXEC = r"""
bash_preexec_imported=defined __bp_imported=defined
__bp_interactive_mode() { __bp_mode=on; }
__bp_is_prompt_command() {
    local line IFS=$'\n;'
    for line in ${PROMPT_COMMAND[*]}; do
        line=${line# }
        [[ $line != "$1" ]] || return 0
    done
    return 1
}
__bp_status() { return "$1"; }
__bp_debug() {
    [[ -n $__bp_mode ]] || return 0
    __bp_mode=
    __bp_is_prompt_command "$BASH_COMMAND" || preexec "$BASH_COMMAND"
}
__bp_enclose() {
    local index text=
    for index in "${!PROMPT_COMMAND[@]}"; do
        text+=${PROMPT_COMMAND[index]}$'\n'
    done
    [[ $text != $'__bp_precmd\n'*$'\n__bp_interactive_mode\n' ]] || return 0
    for index in "${!PROMPT_COMMAND[@]}"; do
        text=$'\n'${PROMPT_COMMAND[index]}$'\n'
        text=${text/$'\n__bp_install\n'/$'\n'}
        text=${text/$'\n__bp_precmd\n'/$'\n'}
        text=${text/$'\n__bp_interactive_mode\n'/$'\n'}
        text=${text#$'\n'}
        text=${text%$'\n'}
        PROMPT_COMMAND[index]=$text
        [[ -n $text ]] || unset -v "PROMPT_COMMAND[$index]"
    done
    PROMPT_COMMAND[0]=$'__bp_precmd\n'${PROMPT_COMMAND[0]-}
    PROMPT_COMMAND+=(__bp_interactive_mode)
}
__bp_precmd() {
    local result=$? hook
    __bp_enclose
    for hook in "${precmd_functions[@]}"; do
        type -t "$hook" >/dev/null || continue
        __bp_status "$result"
        "$hook"
    done
    return "$result"
}
__bp_install() {
    trap __bp_debug DEBUG
    precmd_functions+=(precmd)
    __bp_precmd
    __bp_interactive_mode
}
declare -ft __bp_install
PROMPT_COMMAND+=(__bp_install)
"""

START = "PS1='P> '\npreexec() { echo \"<$1>\"; }\n"
MINE = 'mine() { PS1="[$?] M> "; }\n'

SETUPS = {
    "precmd": PREEXEC + 'precmd() { PS1="[$?] M> "; }\n',
    "precmd_functions": PREEXEC + MINE + "precmd_functions+=(mine)\n",
    "string before": MINE + "PROMPT_COMMAND='mine;'\n" + PREEXEC,
    "string after": MINE + PREEXEC + 'PROMPT_COMMAND="$PROMPT_COMMAND; mine"\n',
    "array before": MINE + "PROMPT_COMMAND=(mine)\n" + PREEXEC,
    "array after": MINE + PREEXEC + "PROMPT_COMMAND+=(mine)\n",
    "newline before": MINE + "PROMPT_COMMAND+=$'\\nmine'\n" + PREEXEC,
    "newline after": MINE + PREEXEC + "PROMPT_COMMAND+=$'\\nmine'\n",
    "exported before": MINE + "export PROMPT_COMMAND=mine\n" + PREEXEC,
    "put in front after": MINE + PREEXEC + 'PROMPT_COMMAND="mine; $PROMPT_COMMAND"\n',
    "a trap of the user's": MINE + "trap 'last=$?' DEBUG\nPROMPT_COMMAND=mine\n" + PREEXEC,
}


@pytest.mark.parametrize("setup", SETUPS)
def test_all_is_as_without_us_but_for_the_prefix_at_every_prompt(
    tmp_path: Path, setup: str
) -> None:
    def session(*, plain: bool) -> str:
        with ShellOnPty(
            tmp_path, "bash", {".bash_profile": START + SETUPS[setup]}, plain=plain
        ) as (bash):
            bash.expect("M> ")
            for command in (
                "(exit 3)",
                "true | (exit 4)",
                "echo $? ${PIPESTATUS[*]}",
                "",
                "echo $?",
                "PROMPT_COMMAND+=$'\\n:'",
                "echo appended",
                "PROMPT_COMMAND+=('PS1=\"A$PS1\"')",
                "echo again",
                "echo and again",
            ):
                bash.run(command)
                bash.expect("\n.*?M> ")
            return bash.seen

    ours = session(plain=False)
    assert ours.count("shpool:main ") == ours.count("M> ") == 11
    assert ours.replace("shpool:main ", "") == session(plain=True)
    assert "<echo and again>" in ours


def test_what_precmd_functions_print_comes_after_the_end_of_the_command(tmp_path: Path) -> None:
    profile = START + PREEXEC + "precmd() { echo late ${PIPESTATUS[*]}; }\n"
    with ShellOnPty(tmp_path, "bash", {".bash_profile": profile}) as bash:
        bash.expect("P> ")
        bash.run("printf out; (exit 3)")
        bash.expect("late.*P> ")
        assert bash.marks[-3:] == ["D;3", "A", "B"]
        assert bash.output.index(b"out\x1b]133;D;3;") < bash.output.rindex(b"late")


def test_preexec_sourced_at_a_prompt(tmp_path: Path) -> None:
    files = {".bash_profile": START + MINE, "preexec": PREEXEC + "precmd_functions+=(mine)\n"}
    with ShellOnPty(tmp_path, "bash", files) as bash:
        bash.expect("shpool:main P> ")
        bash.run(". ~/preexec")
        bash.expect(r"M> ")
        bash.run("true")
        for _ in range(3):
            bash.expect(r"\nshpool:main \[0\] M> ")
            bash.run("true")
        bash.expect(r"<true>\nshpool:main \[0\] M> ")


@pytest.mark.parametrize(
    "change",
    [
        "PROMPT_COMMAND+=('PS1=\"late> \"')",
        "PROMPT_COMMAND+=$'\\nPS1=\"late> \"'",
        "PROMPT_COMMAND=\"$PROMPT_COMMAND; PS1='late> '\"",
    ],
)
@pytest.mark.parametrize("before", ["", "PROMPT_COMMAND=true\n", "export PROMPT_COMMAND=true\n"])
def test_what_is_added_to_the_prompt_commands_later_goes_before_the_prefix(
    tmp_path: Path, before: str, change: str
) -> None:
    if not before:
        change = change.replace("$PROMPT_COMMAND;", "")
    with ShellOnPty(tmp_path, "bash", {".bash_profile": "PS1='P> '\n" + before}) as bash:
        bash.expect("shpool:main P> ")
        bash.run(change)
        bash.expect(r"\n[^\n]*> ")
        for _ in range(3):
            bash.run("(exit 3)")
            bash.expect(r"\nshpool:main late> ")
        assert bash.tell("$?") == "3"
        bash.expect(r"shpool:main late> ")
        assert bash.tell('"${PROMPT_COMMAND[*]}"').count("__shpool_hook") == 1


def test_a_prompt_command_that_replaces_them_all(tmp_path: Path) -> None:
    profile = "later() { PS1='later> '; }\nfirst() { PROMPT_COMMAND=(later); PS1='first> '; }\n"
    with ShellOnPty(
        tmp_path, "bash", {".bash_profile": profile + "PROMPT_COMMAND=first\n"}
    ) as bash:
        bash.expect("shpool:main first> ")
        for _ in range(2):
            bash.run("true")
            bash.expect(r"\nshpool:main later> ")


def test_an_exported_array_of_prompt_commands_is_kept(tmp_path: Path) -> None:
    profile = "PS1='P> '\nPROMPT_COMMAND=('echo one' 'echo two')\nexport PROMPT_COMMAND\n"
    with ShellOnPty(tmp_path, "bash", {".bash_profile": profile}) as bash:
        bash.expect("one\ntwo\nshpool:main P> ")
        bash.run("true")
        bash.expect("\none\ntwo\nshpool:main P> ")
