"""Users' start-up files that make it hard for whoever starts their shell, through a real attach.

Each shell's mechanism is tested alone, and closer, in tests/daemon.
"""

import pytest

from tests.e2e.harness import DETACH, Place
from tests.e2e.users import at_prompt, start_as_user
from tests.e2e.window import attached
from tests.programs import need

# 300 lines, then a question; the answer and the last status stand in the prompt.
BASH = r"""
for i in {1..300}; do echo "line $i"; done
read -r -p "answer? " answer
HISTFILE=~/history
"""
ZSH = r"""
for i in {1..300}; do echo "line $i"; done
read -r "answer?answer? "
HISTFILE=~/history SAVEHIST=100
"""
FISH = r"""
function fish_greeting; end
for i in (seq 300); echo line $i; end
read -g -P "answer? " answer
function fish_prompt; echo -n "[$status] $answer> "; end
"""

CONFIGURATION = """
prompt_prefix = "<$SHPOOL_SESSION_NAME> "
session_restore_mode = { lines = 400 }
"""

SETUPS: dict[str, tuple[str, dict[str, str]]] = {
    "bash, commands in an array": (
        "bash",
        {".bash_profile": BASH + "PROMPT_COMMAND=('seen=$?' :)\nPS1='[$seen] $answer> '\n"},
    ),
    "bash, prompt rebuilt by a command": (
        "bash",
        {".bash_login": BASH + 'build() { PS1="[$?] $answer> "; }\nPROMPT_COMMAND=build\nset -u\n'},
    ),
    "bash, trap on DEBUG": (
        "bash",
        {
            ".profile": BASH
            + "PS1='[$?] $answer> '\nset -u\n"
            + "trap 'case $BASH_COMMAND in *__*) echo seen: $BASH_COMMAND ;; esac' DEBUG\n"
        },
    ),
    "zsh, all four files": (
        "zsh",
        {
            ".zshenv": "ZDOTDIR=~/zsh\n",
            "zsh/.zprofile": "setopt prompt_subst\n",
            "zsh/.zshrc": ZSH + "PS1='[%?] $unset> '\nset -u\nunset=\n",
            "zsh/.zlogin": "PS1='[%?] $answer> '\n",
        },
    ),
    "zsh, prompt rebuilt by a function": (
        "zsh",
        {".zshrc": ZSH + 'precmd() { PS1="[$?] $answer> " }\n'},
    ),
    "fish, config": ("fish", {".config/fish/config.fish": FISH}),
    "fish, config and conf.d": (
        "fish",
        {
            ".config/fish/config.fish": FISH,
            ".config/fish/conf.d/own.fish": (
                "fish_vi_key_bindings\nfunction fish_mode_prompt; end\n"
            ),
        },
    ),
}


@pytest.mark.parametrize("setup", SETUPS)
def test_files_that_print_ask_and_build_the_prompt_themselves(place: Place, setup: str) -> None:
    shell, files = SETUPS[setup]
    start_as_user(place, shell, files, CONFIGURATION)
    lines = [f"line {number}" for number in range(1, 301)]
    shown = [*lines, "answer? forty-two", "started with forty-two"]
    with attached(place, "-s", "echo started with $answer", "one") as window:
        window.until(lambda: window.cursor_line() == "answer?")
        assert window.everything() == [*lines, "answer?"], "and nothing else"
        window.send("forty-two\n")
        at_prompt(window, "<one> [0] forty-two>")
        assert window.everything() == [*shown, "<one> [0] forty-two>"]
        status = "false" if shell == "fish" else "(exit 1)"
        window.send(f"{status}\n")
        at_prompt(window, "<one> [1] forty-two>")
        window.send(DETACH)
        assert window.wait() == 0
    with attached(place, "one") as window:
        at_prompt(window, "<one> [1] forty-two>")
        assert window.everything() == [
            *shown,
            f"<one> [0] forty-two> {status}",
            "<one> [1] forty-two>",
        ]


@pytest.mark.parametrize("target", ["zsh", "fish", "dash"])
def test_a_shell_that_the_files_exec_is_left_alone(place: Place, target: str) -> None:
    prompts = {
        ".zshrc": "PS1='mine> '\n",
        ".config/fish/config.fish": "function fish_prompt; echo -n 'mine> '; end\n"
        "function fish_greeting; end\n",
        ".dashrc": "PS1='mine> '\n",
    }
    profile = f"export ENV=~/.dashrc\nexec {need(target)}\n"
    start_as_user(place, "bash", {".bash_profile": profile, **prompts}, CONFIGURATION)
    with attached(place, "-s", "echo started", "one") as window:
        at_prompt(window, "mine>")
        assert window.everything() == ["mine>"]
        window.send("env | grep -c -e __SHPOOL -e ZDOTDIR\n")
        window.until(lambda: window.everything()[-2:] == ["0", "mine>"])


@pytest.mark.parametrize(
    ("shell", "name", "failure"),
    [
        ("bash", ".bash_profile", "if then"),
        ("bash", ".bash_profile", "set -u\necho $nothing"),
        ("zsh", ".zshrc", "if then )"),
        ("zsh", ".zshenv", "return 3"),
        ("fish", ".config/fish/config.fish", "if then"),
        ("fish", ".config/fish/config.fish", "false\nreturn 3"),
    ],
)
def test_files_that_fail_leave_prefix_and_start_command(
    place: Place, shell: str, name: str, failure: str
) -> None:
    start_as_user(place, shell, {".zshrc": "", name: f"{failure}\n"}, CONFIGURATION)
    with attached(place, "-s", "echo star''ted", "one") as window:
        window.until_shown("started")
        window.until(lambda: window.cursor_line().startswith("<one> "))
