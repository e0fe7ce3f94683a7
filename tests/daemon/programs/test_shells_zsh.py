"""zsh with the start-up files that people have: all four of them, ZDOTDIR, hooks and options."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.daemon.programs.shellpty import ShellOnPty

PROMPT = "shpool:main P> "
PS1 = "PS1='P> '\n"


@pytest.mark.parametrize("directory", ["", ".config/zsh/"])
def test_all_files_are_read_in_order_and_where_the_user_has_them(
    tmp_path: Path, directory: str
) -> None:
    names = (".zshenv", ".zprofile", ".zshrc", ".zlogin", ".zlogout")
    files = {directory + name: f"echo {name} ${{ZDOTDIR-none}}\n" for name in names}
    files[directory + ".zshrc"] += PS1
    env = {"ZDOTDIR": str(tmp_path / "home" / directory)} if directory else {}
    with ShellOnPty(tmp_path, "zsh", files, env=env, start_cmd="echo started") as zsh:
        zsh.expect(PROMPT)
        where = env.get("ZDOTDIR", "none")
        read = "".join(f"{name} {where}\n" for name in names[:-1])
        assert zsh.seen == read + "started\n" + PROMPT
        assert zsh.tell('"$0 ${ZDOTDIR-none}"') == f"-zsh {where}"
        zsh.run("exit 3")
        assert zsh.expect_end() == 3
        assert zsh.seen.endswith(f"\n.zlogout {where}\n")


def test_zdotdir_set_in_zshenv(tmp_path: Path) -> None:
    files = {
        ".zshenv": "ZDOTDIR=~/zsh\n",
        "zsh/.zshrc": PS1 + "echo right\n",
        ".zshrc": "echo wrong\n",
    }
    with ShellOnPty(tmp_path, "zsh", files) as zsh:
        zsh.expect(PROMPT)
        assert zsh.seen == "right\n" + PROMPT
        assert zsh.tell("$ZDOTDIR") == str(zsh.home / "zsh")


def test_without_files_zsh_asks_what_it_always_asks(tmp_path: Path) -> None:
    with ShellOnPty(tmp_path, "zsh", {}, env={"TERM": "xterm"}) as zsh:
        zsh.expect("zsh-newuser-install|shpool:main ")


def test_what_the_files_print_is_shown(tmp_path: Path) -> None:
    files = {".zshrc": PS1 + "for i in {1..300}; do echo line $i; done\n"}
    with ShellOnPty(tmp_path, "zsh", files, start_cmd="echo started") as zsh:
        zsh.expect(PROMPT)
        lines = "".join(f"line {i}\n" for i in range(1, 301))
        assert zsh.seen == lines + "started\n" + PROMPT


def test_a_question_in_the_files_gets_the_users_answer(tmp_path: Path) -> None:
    files = {".zshrc": PS1 + "read 'name?name: '; echo \"hello $name\"\n"}
    with ShellOnPty(tmp_path, "zsh", files, start_cmd="echo started") as zsh:
        zsh.expect("name: ")
        zsh.run("Ann")
        zsh.expect("hello Ann\nstarted\n" + PROMPT)


def test_interrupted_files_leave_the_prefix(tmp_path: Path) -> None:
    files = {".zshrc": PS1 + "sh -c 'echo waiting; exec sleep 1000'; echo after\n"}
    with ShellOnPty(tmp_path, "zsh", files) as zsh:
        zsh.expect("waiting")
        zsh.type("\x03")
        zsh.expect(PROMPT)


def test_history_has_what_was_typed_and_nothing_else(tmp_path: Path) -> None:
    files = {".zshrc": PS1 + "HISTFILE=~/history SAVEHIST=9\n"}
    with ShellOnPty(tmp_path, "zsh", files, start_cmd="echo started") as zsh:
        zsh.expect(PROMPT)
        zsh.run("exit")
        assert zsh.expect_end() == 0
        assert (zsh.home / "history").read_text() == "exit\n"


DUMP = (
    "{ set; export; setopt; alias; bindkey -L; trap; echo $-; } >~/dump 2>&1; printf '\\002%s' done"
)
DIFFERENT = (
    "$=",
    "PROMPT=",
    "PS1=",
    "RANDOM=",
    "SECONDS=",
    "TTY",
    "_=",
    "precmd_",
    "preexec_",
    "prompt=",
)


@pytest.mark.parametrize(("norc", "env"), [(False, {}), (False, {"ZDOTDIR": "/none"}), (True, {})])
def test_shell_is_as_without_us_but_for_its_prompt(
    tmp_path: Path, norc: bool, env: dict[str, str]
) -> None:
    def state(*, plain: bool) -> list[str]:
        with ShellOnPty(tmp_path, "zsh", {".zshrc": ""}, env=env, norc=norc, plain=plain) as zsh:
            zsh.expect("[#%] ")
            zsh.run(DUMP)
            zsh.expect("\x02done")
            lines = (zsh.home / "dump").read_text().replace("'$'", "$").splitlines()
            return [line for line in lines if not line.startswith((*DIFFERENT, "__shpool_"))]

    assert state(plain=False) == state(plain=True)


def test_status_and_pipestatus_are_the_users_at_the_prompt(tmp_path: Path) -> None:
    files = {".zshrc": 'precmd() { PS1="[$? $pipestatus] %? " }\n'}
    with ShellOnPty(tmp_path, "zsh", files) as zsh:
        zsh.expect(r"shpool:main \[0 0\] 0 ")
        zsh.run("true | false | (exit 3)")
        zsh.expect(r"shpool:main \[3 0 1 3\] 3 ")
        assert zsh.tell('"$? $pipestatus"') == "3 0 1 3"


@pytest.mark.parametrize(
    "rc",
    [
        "precmd() { PS1='P> ' }\n",
        "precmd_functions=(mine); mine() { PS1='P> ' }\n",
        "precmd_functions+=(mine); mine() { PS1='P> ' }\n",
        "autoload -Uz add-zsh-hook; add-zsh-hook precmd mine; mine() { PS1='P> ' }\n",
        "mine() { PS1='P> ' }; precmd_functions+=(mine); precmd() { : }\n",
        "setopt prompt_subst; mine() { print -n 'P> ' }; PS1='$(mine)'\n",
        "functions[old]=$functions[precmd]; precmd() { old; PS1='P> ' }\n",
        "autoload -Uz promptinit; promptinit; prompt off; PS1='P> '\n",
        # At the end of the list of hooks, at every prompt and only when somebody else is there.
        "mine() { PS1='P> '; precmd_functions=(${precmd_functions:#mine} mine) }\n"
        "precmd_functions+=(mine)\n",
        "mine() { PS1='P> '; [[ $precmd_functions[-1] == mine ]] ||\n"
        " precmd_functions=(${precmd_functions:#mine} mine) }; precmd_functions+=(mine)\n",
        "first() { precmd_functions=(${precmd_functions:#first} mine); PS1='P> ' }\n"
        "mine() { PS1='P> ' }; precmd_functions=(first $precmd_functions)\n",
        "prompt_mine_setup() { prompt_opts=(cr percent subst); mine() { PS1='%4v> ' }\n"
        " add-zsh-hook precmd mine; psvar[4]=P }; autoload -Uz promptinit; promptinit\n"
        "prompt_themes+=(mine); prompt mine\n",
    ],
)
def test_prompt_built_by_hooks_of_any_kind_has_the_prefix_once(tmp_path: Path, rc: str) -> None:
    with ShellOnPty(tmp_path, "zsh", {".zshrc": rc}) as zsh:
        zsh.expect("P> ")
        assert zsh.seen == PROMPT
        for _ in range(3):
            zsh.run("true | (exit 4)")
            zsh.expect("\n" + PROMPT)
        assert zsh.tell('"$? $pipestatus"') == "4 0 4"


def test_hook_added_at_a_prompt(tmp_path: Path) -> None:
    with ShellOnPty(tmp_path, "zsh", {".zshrc": PS1}) as zsh:
        zsh.expect(PROMPT)
        zsh.run("mine() { PS1='late> ' }; precmd_functions+=(mine)")
        zsh.expect(r"\n\S*late> ")
        for _ in range(2):
            zsh.run("true")
            zsh.expect("\nshpool:main late> ")


# What powerlevel10k does to a shell: it stays the last hook, fills the lines but the last, builds
# the prompt anew while the user types, and draws it small when the line is done.
POWERLEVEL = r"""
_p9k_line_segments_left=(one two)
_p9k_set_prompt() {
    emulate -L zsh
    PROMPT='${_p9k__1-'"top $built"$'}\n${_p9k__2-P> }'
    (( ++built ))
}
_p9k_precmd() {
    result=$?
    _p9k_set_prompt
    [[ $precmd_functions[-1] == _p9k_precmd ]] ||
        precmd_functions=(${precmd_functions:#_p9k_precmd} _p9k_precmd)
    setopt prompt_subst
}
precmd_functions+=(_p9k_precmd)
answered() { _p9k_set_prompt; zle .reset-prompt; zle -R }
zle -N answered
bindkey '^T' answered
small() { PROMPT='small> ' zle .reset-prompt; zle -R }
"""


@pytest.mark.parametrize("transient", [False, True])
def test_prompt_of_powerlevel10k(tmp_path: Path, transient: bool) -> None:
    rc = POWERLEVEL + ("zle -N zle-line-finish small\n" if transient else "")
    with ShellOnPty(tmp_path, "zsh", {".zshrc": rc}) as zsh:
        zsh.expect("^top 0?\nshpool:main P> ")
        for _ in range(3):
            zsh.run("(exit 3)")
            zsh.expect(r"\ntop \d+\nshpool:main P> ")
        zsh.type("\x14")
        zsh.expect(r"top \d+\nshpool:main P> ")
        assert zsh.tell("$result") == "3"
        zsh.expect(r"top \d+\nshpool:main P> ")
        assert "shpool:main top" not in zsh.seen
        assert "shpool:main small" not in zsh.seen
        assert ("small> " in zsh.seen) is transient
        assert zsh.tell('"$(_p9k_set_prompt instant_; print -r -- $PROMPT)"').count("shpool") == 0


def test_hooks_see_the_directory_the_start_command_went_to(tmp_path: Path) -> None:
    for number, rc in enumerate(("precmd() {", "precmd_functions=(mine); mine() {")):
        files = {".zshrc": rc + ' PS1="$PWD> " }\n'}
        home = tmp_path / str(number)
        with ShellOnPty(home, "zsh", files, start_cmd="cd /usr; printf started") as zsh:
            zsh.expect("started.*shpool:main /usr> ")


def test_prompt_set_late_and_text_put_before_it(tmp_path: Path) -> None:
    with ShellOnPty(tmp_path, "zsh", {".zshrc": PS1}) as zsh:
        zsh.expect(PROMPT)
        zsh.run("PROMPT='late> '")
        zsh.expect("\nshpool:main late> ")
        zsh.run('PS1="(venv) $PS1"')
        zsh.expect(r"\nshpool:main \(venv\) late> ")


def test_prefix_is_prompt_source_and_the_prompt_is_not_made_so(tmp_path: Path) -> None:
    files = {".zshrc": "PS1='$(oops) %1v> '; psvar=('$HOME')\n"}
    prefix = "%n '$USER' $(echo `echo sub`) %B$((1+1))%b "
    with ShellOnPty(tmp_path, "zsh", files, prefix=prefix) as zsh:
        zsh.expect(r"\w+ 'tester' sub 2 \$\(oops\) \$HOME> ")
        zsh.run("setopt prompt_subst; PS1='$USER> '; USER='$HOME'")
        zsh.expect(r"\w+ '\$HOME' sub 2 \$HOME> ")
        zsh.run("setopt no_prompt_subst no_prompt_percent; PS1='%n> '")
        zsh.expect(r"%n '\$HOME' sub %B2%b %n> ")
        zsh.run("true")
        zsh.expect(r"\n%n '\$HOME' sub %B2%b %n> ")


@pytest.mark.parametrize("option", ["", "prompt_subst", "prompt_bang", "no_prompt_percent"])
@pytest.mark.parametrize(
    ("prefix", "name", "shown"),
    [
        ("$SHPOOL_SESSION_NAME", "a%~!%%$(echo)`echo`%", "a%~!%%$(echo)`echo`%"),
        ("${SHPOOL_SESSION_NAME}", "%(?.a.b)%n", "%(?.a.b)%n"),
        ("${(U)SHPOOL_SESSION_NAME}", "a%n!", "A%N!"),
        ("$(print -r $SHPOOL_SESSION_NAME)", "a%n!", "a%n!"),
        ("$SHPOOL_SESSION_NAMES", "a%n", ""),
    ],
)
def test_session_name_is_no_prompt_source(
    tmp_path: Path, option: str, prefix: str, name: str, shown: str
) -> None:
    files = {".zshrc": PS1 + (f"setopt {option}\n" if option else "")}
    with ShellOnPty(tmp_path, "zsh", files, prefix=f"<{prefix}> ", session=name) as zsh:
        for _ in range(2):
            assert zsh.expect(r"<(.*)> P> ")[1] == shown
            zsh.run("true")
            zsh.expect("\n")


# What pure up to 1.27 does: it builds the prompt of two lines out of its last line, and shows it
# anew when git has answered.
PURE = r"""
PROMPT='P> '
prompt_pure_reset_prompt() { zle && zle .reset-prompt }
prompt_pure_preprompt_render() {
    PROMPT="top $(( ++built ))"$'\n'${PROMPT##*$'\n'}
    [[ $1 == precmd ]] || prompt_pure_reset_prompt
}
prompt_pure_precmd() { prompt_pure_preprompt_render precmd }
precmd_functions+=(prompt_pure_precmd)
answered() { prompt_pure_preprompt_render; zle -R }
zle -N answered
bindkey '^T' answered
"""


def test_prompt_of_pure(tmp_path: Path) -> None:
    with ShellOnPty(tmp_path, "zsh", {".zshrc": PURE}, session="a%n") as zsh:
        zsh.expect("^shpool:a%n top 1\nP> ")
        zsh.run("true")
        zsh.expect(r"\nshpool:a%n top 2\nP> ")
        zsh.type("\x14")
        zsh.expect(r"shpool:a%n top 3\nP> ")
        zsh.run("(exit 3)")
        zsh.expect(r"\nshpool:a%n top 4\nP> ")
        assert zsh.tell("$?") == "3"
        assert "%n shpool" not in zsh.seen


OPTIONS = (
    "no_unset err_exit ksh_arrays sh_word_split glob_subst no_glob rc_expand_param "
    "warn_create_global posix_traps no_prompt_cr all_export ksh_glob typeset_silent rc_quotes "
    "no_functionargzero csh_null_glob no_equals ignore_braces"
)


@pytest.mark.parametrize("option", OPTIONS.split())
@pytest.mark.parametrize("name", [".zshenv", ".zshrc"])
def test_shell_options_in_the_files(tmp_path: Path, name: str, option: str) -> None:
    files = {".zshrc": PS1}
    files[name] = files.get(name, "") + f"setopt {option}\n"
    with ShellOnPty(tmp_path, "zsh", files, start_cmd="typeset word='it''s'; :") as zsh:
        zsh.expect("P> ")
        assert zsh.seen == PROMPT
        zsh.run("true")
        zsh.expect("\n" + PROMPT)
        assert zsh.tell('"$word"') in ("its", "it's")


@pytest.mark.parametrize("name", [".zshenv", ".zprofile", ".zshrc", ".zlogin"])
@pytest.mark.parametrize(
    "failure", ["set -u; echo $nothing", "if then", "false", ". /nonexistent", "echo $((1/0))"]
)
def test_files_that_fail(tmp_path: Path, name: str, failure: str) -> None:
    files = {".zshrc": PS1}
    files[name] = files.get(name, "") + failure + "\n"
    with ShellOnPty(tmp_path, "zsh", files, start_cmd="echo started") as zsh:
        zsh.expect("started\n" + PROMPT)


def test_files_that_exec_another_shell(tmp_path: Path) -> None:
    files = {".zprofile": "PS1='other> ' exec bash --norc\n"}
    with ShellOnPty(tmp_path, "zsh", files) as other:
        other.expect("other> ")
        answer = other.tell('"$(env)"')
        assert "ZDOTDIR" not in answer
        assert "__shpool" not in answer


def test_nested_zsh_is_unaffected(tmp_path: Path) -> None:
    files = {".zshrc": "PS1='P> '; echo rc $SHLVL\n"}
    with ShellOnPty(tmp_path, "zsh", files, start_cmd="echo started") as zsh:
        zsh.expect(PROMPT)
        zsh.run("zsh")
        zsh.expect(r"\nrc \d\nP> ")
        assert zsh.tell('"${ZDOTDIR-none} $(functions) $(env)"').count("__shpool") == 0


def test_start_command_runs_in_the_shell_after_the_files(tmp_path: Path) -> None:
    files = {".zlogin": PS1 + "word=files\n"}
    command = 'cd /; typeset -A map=(a b); setopt extended_glob; echo "$word\'s"; (exit 9)'
    with ShellOnPty(tmp_path, "zsh", files | {".zshrc": ""}, start_cmd=command) as zsh:
        zsh.expect("files's\n" + PROMPT)
        assert zsh.tell('"$PWD $map[a] $options[extendedglob]"') == "/ b on"
        zsh.expect(PROMPT)
        names = zsh.tell('"${(ok)functions[(I)__shpool*]} ${(k)parameters[(I)__shpool*]}"')
        functions = ["command", "done", "prompt", "set_prompt", "write"]
        variables = ["after", "aid", "name", "ran", "shown"]
        assert sorted(names.split()) == sorted(f"__shpool_{x}" for x in functions + variables)


@pytest.mark.parametrize("command", ["-x", "if then", "nonexistent", "return 3", "false\n#"])
def test_start_command_that_fails_leaves_a_prompt(tmp_path: Path, command: str) -> None:
    with ShellOnPty(tmp_path, "zsh", {".zshrc": PS1}, start_cmd=command) as zsh:
        zsh.expect(PROMPT)


def test_start_command_that_leaves_a_line_open(tmp_path: Path) -> None:
    with ShellOnPty(tmp_path, "zsh", {".zshrc": PS1}, start_cmd="printf open") as zsh:
        zsh.expect("open.*" + PROMPT)


def test_start_command_without_a_prefix(tmp_path: Path) -> None:
    with ShellOnPty(
        tmp_path, "zsh", {".zshrc": PS1}, prefix="", start_cmd="echo started", marks=False
    ) as zsh:
        zsh.expect("P> ")
        assert zsh.seen == "started\nP> "
        assert "__shpool" not in zsh.tell('"$(set; functions)"')


def test_norc_reads_no_file_and_keeps_prefix_and_start_command(tmp_path: Path) -> None:
    files = {f".z{name}": f"echo {name}\n" for name in ("shenv", "profile", "shrc", "login")}
    with ShellOnPty(tmp_path, "zsh", files, norc=True, start_cmd="echo started") as zsh:
        zsh.expect(r"shpool:main \S+[#%] ")
        assert zsh.seen.startswith("started\nshpool:main ")
        assert zsh.tell('"$options[rcs] ${ZDOTDIR-none}"') == "off none"
