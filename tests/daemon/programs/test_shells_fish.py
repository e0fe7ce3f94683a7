"""fish with and without a config, and with prompts that are defined anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.daemon.programs.shellpty import ShellOnPty

PROMPT = "shpool:main P> "
CONFIG = ".config/fish/config.fish"
QUIET = "set -g fish_greeting\n"
RC = QUIET + "function fish_prompt; echo -n 'P> '; end\n"


def test_without_a_config_the_prefix_stands_before_the_default_prompt(tmp_path: Path) -> None:
    with ShellOnPty(tmp_path, "fish", start_cmd="echo started") as fish:
        fish.expect(r"started\n.*\nshpool:main \S+@\S+ ~[#>] ")
        assert fish.tell('"$(status is-login; and echo login)"') == "login"


def test_config_is_read_before_the_start_command(tmp_path: Path) -> None:
    files = {
        CONFIG: RC + "for i in (seq 300); echo line $i; end\n",
        ".config/fish/conf.d/a.fish": "echo conf.d\n",
    }
    with ShellOnPty(tmp_path, "fish", files, start_cmd="echo started") as fish:
        fish.expect(PROMPT)
        lines = "".join(f"line {i}\n" for i in range(1, 301))
        assert fish.seen == "conf.d\n" + lines + "started\n" + PROMPT


def test_a_question_in_the_config_gets_the_users_answer(tmp_path: Path) -> None:
    files = {CONFIG: RC + "read -P 'name? ' name; echo hello $name\n"}
    with ShellOnPty(tmp_path, "fish", files, start_cmd="echo started") as fish:
        fish.expect(r"name\? ")
        fish.run("Ann")
        fish.expect("hello Ann\nstarted\n" + PROMPT)


def test_history_has_what_was_typed_and_nothing_else(tmp_path: Path) -> None:
    with ShellOnPty(tmp_path, "fish", {CONFIG: RC}, start_cmd="echo started") as fish:
        fish.expect(PROMPT)
        fish.run("exit")
        assert fish.expect_end() == 0
        history = (fish.home / ".local/share/fish/fish_history").read_text()
        assert [line for line in history.splitlines() if "cmd:" in line] == ["- cmd: exit"]


def test_status_and_pipestatus_are_the_users_at_the_prompt(tmp_path: Path) -> None:
    prompt = QUIET + 'function fish_prompt; echo -n "[$status $pipestatus] "; end\n'
    with ShellOnPty(tmp_path, "fish", {CONFIG: prompt}) as fish:
        fish.expect(r"shpool:main \[0 0\] ")
        fish.run("true | false | sh -c 'exit 3'")
        fish.expect(r"shpool:main \[3 0 1 3\] ")
        assert fish.tell('"$status $pipestatus"') == "3 0 1 3"


def test_prompt_functions_defined_anew_keep_the_prefix(tmp_path: Path) -> None:
    with ShellOnPty(tmp_path, "fish", {CONFIG: RC}) as fish:
        fish.expect(PROMPT)
        fish.run("function fish_prompt; echo -n 'new> '; end")
        fish.expect("shpool:main new> ")
        fish.run("function fish_mode_prompt; echo -n '[mode] '; end")
        fish.expect(r"shpool:main \[mode\] new> ")
        fish.run("functions -c fish_mode_prompt old; function fish_mode_prompt; old; end")
        fish.expect("shpool:main new> ")
        fish.run("functions -e fish_mode_prompt")
        fish.expect("shpool:main new> ")
        assert "shpool:main shpool:main" not in fish.seen
        assert "__shpool" not in fish.tell('"$(functions fish_prompt)"')


def test_hook_that_defines_the_prompt_at_every_prompt(tmp_path: Path) -> None:
    hook = (
        QUIET + "function hook --on-event fish_prompt\n"
        '  function fish_prompt; echo -n "[$status] "; end\n'
        "  function fish_mode_prompt; echo -n M; end\nend\n"
    )
    with ShellOnPty(tmp_path, "fish", {CONFIG: hook}) as fish:
        fish.expect(r"shpool:main M\[0\] ")
        for _ in range(2):
            fish.run("sh -c 'exit 3'")
            fish.expect(r"shpool:main M\[3\] ")


def test_prompt_saved_to_a_file_is_the_users(tmp_path: Path) -> None:
    with ShellOnPty(tmp_path, "fish", {CONFIG: RC}) as fish:
        fish.expect(PROMPT)
        fish.run("funcsave fish_prompt >/dev/null; funcsave -q fish_mode_prompt; echo sa''ved")
        fish.expect("\nsaved\n.*" + PROMPT)
        saved = (fish.home / ".config/fish/functions/fish_prompt.fish").read_text()
        assert "shpool" not in saved
    with ShellOnPty(tmp_path, "fish", {CONFIG: QUIET}) as fish:
        fish.expect("shpool:main P> ")
        assert "shpool:main shpool:main" not in fish.seen


# tide's prompt of two lines, as wide as the terminal; it asks for the status first of all.
TIDE = (
    QUIET + "set -g _tide_left_items pwd newline character\n"
    "function fish_prompt\n  set -l result $status $pipestatus\n"
    '  string repeat -n $COLUMNS =; echo -n "$result> "\nend\n'
)


def test_prompt_that_fills_the_first_of_two_lines(tmp_path: Path) -> None:
    with ShellOnPty(tmp_path, "fish", {CONFIG: TIDE}) as fish:
        fish.expect(r"=\s*shpool:main 0 0> ")
        fish.run("true | sh -c 'exit 3'")
        fish.expect(r"=\s*shpool:main 3 0 3> ")
        assert "…" not in fish.seen
        fish.run("function fish_prompt; echo one; echo -n 'new> '; end")
        fish.expect("one\nshpool:main new> ")
        fish.run("set -e _tide_left_items; function fish_prompt; echo -n 'new> '; end")
        fish.expect("shpool:main new> ")
        assert "shpool:main shpool:main" not in fish.seen


def test_vi_mode_stands_behind_the_prefix(tmp_path: Path) -> None:
    with ShellOnPty(tmp_path, "fish", {CONFIG: RC + "fish_vi_key_bindings\n"}) as fish:
        fish.expect(r"shpool:main \[I\] P> ")


@pytest.mark.parametrize(
    ("prefix", "shown"),
    [
        ('$SHPOOL_SESSION_NAME (not) "said" ', r'main \(not\) "said" '),
        (r"it's \"$LANG\" \$USER \\ ", r"""it's "C.UTF-8" \$USER \\ """),
        ('$(echo "a  b") ', "a  b "),
        ('broken " (', r'broken " \('),
        ("%s -n \\", r"%s -n \\"),
    ],
)
def test_prefix_is_what_may_stand_between_double_quotes(
    tmp_path: Path, prefix: str, shown: str
) -> None:
    with ShellOnPty(tmp_path, "fish", {CONFIG: RC}, prefix=prefix) as fish:
        fish.expect(shown + "P> ")
        assert "rror" not in fish.seen


def test_config_that_fails(tmp_path: Path) -> None:
    with ShellOnPty(
        tmp_path, "fish", {CONFIG: RC + "source /nonexistent\nif\n"}, start_cmd="echo started"
    ) as fish:
        fish.expect("started\n")
        fish.expect("shpool:main ")


def test_config_that_execs_another_shell(tmp_path: Path) -> None:
    files = {CONFIG: "set -x PS1 'other> '; exec bash --norc\n"}
    with ShellOnPty(tmp_path, "fish", files) as other:
        other.expect("other> ")
        assert "__shpool" not in other.tell('"$(env)"')


def test_nested_fish_is_unaffected(tmp_path: Path) -> None:
    with ShellOnPty(tmp_path, "fish", {CONFIG: RC}) as fish:
        fish.expect(PROMPT)
        fish.run("fish")
        fish.expect("\nP> ")


def test_start_command_runs_in_the_shell(tmp_path: Path) -> None:
    command = "-x; cd /; set word it\\'s; set -gx list a b; function hi; echo 'h i'; end; false"
    with ShellOnPty(tmp_path, "fish", {CONFIG: RC}, start_cmd=command) as fish:
        fish.expect(PROMPT)
        assert fish.tell('"$PWD $word $list[2] $(hi)"') == "/ it's b h i"


@pytest.mark.parametrize("command", ["if then", "nonexistent", "return 3", "false\n#"])
def test_start_command_that_fails_leaves_a_prompt(tmp_path: Path, command: str) -> None:
    with ShellOnPty(tmp_path, "fish", {CONFIG: RC}, start_cmd=command) as fish:
        fish.expect(PROMPT)


def test_start_command_without_a_prefix(tmp_path: Path) -> None:
    with ShellOnPty(
        tmp_path, "fish", {CONFIG: RC}, prefix="", start_cmd="echo started", marks=False
    ) as fish:
        fish.expect("P> ")
        assert fish.seen == "started\nP> "
        assert "__shpool" not in fish.tell('"$(functions -a)"')


def test_norc_reads_no_file_and_keeps_prefix_and_start_command(tmp_path: Path) -> None:
    with ShellOnPty(
        tmp_path, "fish", {CONFIG: RC + "echo rc\n"}, norc=True, start_cmd="echo started"
    ) as fish:
        fish.expect("shpool:main .*[#>] ")
        assert fish.seen.startswith("started\n")
        assert "rc\n" not in fish.seen
