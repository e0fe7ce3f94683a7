"""Completions in the shells themselves: what Tab offers at which place of a command line."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from shpool.commands import COMMANDS
from shpool.options import GLOBAL_OPTIONS
from tests.e2e.harness import DEADLINE, Place, eventually
from tests.e2e.terminal import Terminal
from tests.programs import need

BASH = r"""
source "$1"; shift
COMP_LINE=$1 COMP_POINT=${#1}; shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
compopt() { echo "compopt $*"; }
_shpool
printf '%s\n' "${COMPREPLY[@]}"
"""


class Shell:
    """Tells what one shell would offer; `has` the program on its PATH."""

    def __init__(self, name: str, place: Place) -> None:
        self.name = name
        self.place = place
        folder = place.scratch / "bin"
        folder.mkdir()
        program = folder / "shpool"
        words = place.command()
        program.write_text(f'#!/bin/sh\nexec {" ".join(words)} "$@"\n')
        program.chmod(0o755)
        place.env["PATH"] = f"{folder}:{place.env['PATH']}"
        done = place.run("completions", name)
        assert (done.status, done.err) == (0, "")
        self.script = place.scratch / "completions"
        self.script.write_text(done.out)

    def offers(self, line: str) -> set[str]:
        """What could stand at the end of `line`."""
        out = getattr(self, self.name)(line)
        return {each for each in out.splitlines() if each}

    def bash(self, line: str) -> str:
        return self._run([need("bash"), "-c", BASH, "bash", str(self.script), line, *split(line)])

    def fish(self, line: str) -> str:
        code = "source $argv[1]; complete -C $argv[2]"
        out = self._run([need("fish"), "--no-config", "-c", code, str(self.script), line])
        return "".join(each.partition("\t")[0] + "\n" for each in out.splitlines())

    def zsh(self, line: str) -> str:
        out = Zsh(self.place, self.script).offered(line)
        # zsh goes over to options where there is nothing else.
        wanted = line.split(" ")[-1].startswith("-")
        return "".join(
            each for each in out.splitlines(keepends=True) if wanted or not each.startswith("-")
        )

    def _run(self, words: list[str]) -> str:
        done = subprocess.run(
            words,
            env=self.place.env,
            cwd=self.place.scratch,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        assert done.stderr == ""
        return done.stdout


def split(line: str) -> list[str]:
    """As readline divides it, but for quotes: white space, and : and = by themselves."""
    words = re.findall(r"[:=]+|[^\s:=]+", line)
    if not line or line[-1].isspace():
        words.append("")
    return words


class Zsh:
    """An interactive zsh, which has no other way to complete; it lists what it would offer."""

    def __init__(self, place: Place, script: Path) -> None:
        folder = place.scratch / "zsh"
        folder.mkdir(exist_ok=True)
        (folder / "_shpool").write_text(script.read_text())
        (folder / ".zshrc").write_text(
            f"fpath=({folder} $fpath)\nautoload -U compinit; compinit -u -d {folder}/dump\n"
            "PS1='> '; unsetopt menu_complete auto_menu bash_auto_list; setopt no_beep\n"
            # All that is offered passes through compadd, a builtin that a function may hide.
            "compadd() {\n"
            "  if (( ! $@[(I)-[AO]] )); then\n"  # else nothing is offered yet
            f'    local -a shown; builtin compadd -O shown "$@"\n'
            f"    print -rl -- $shown >> {folder}/offered\n"
            "  fi\n"
            '  builtin compadd "$@"\n'
            "}\n"
            f"offered() {{ zle complete-word; print done >> {folder}/offered; BUFFER= }}\n"
            "zle -N offered; bindkey '^T' offered\n"
        )
        self.folder = folder
        self.place = place

    def offered(self, line: str) -> str:
        report = self.folder / "offered"
        report.write_text("")
        terminal: Terminal = self.place.program(
            [need("zsh"), "-i"], env={"ZDOTDIR": str(self.folder)}, cwd=self.place.scratch
        )
        terminal.expect("> ")
        terminal.send(line + "\x14")
        eventually(lambda: report.read_text().endswith("done\n"), "zsh has completed")
        terminal.send("exit\n")
        terminal.wait()
        return report.read_text().removesuffix("done\n")


@pytest.fixture(params=["bash", "zsh", "fish"])
def shell(request: pytest.FixtureRequest, place: Place) -> Shell:
    need(request.param)
    return Shell(request.param, place)


def test_commands_and_the_options_before_them(shell: Shell) -> None:
    assert shell.offers("shpool ") == set(COMMANDS)
    assert shell.offers("shpool li") == {"list"}
    assert shell.offers("shpool -D --socket x li") == {"list"}
    assert shell.offers("shpool --") == {f"--{option.long}" for option in GLOBAL_OPTIONS}
    assert not shell.place.runtime.exists()


@pytest.mark.parametrize("name", ["attach", "kill", "var", "help"])
def test_a_commands_own_options(shell: Shell, name: str) -> None:
    own = {f"--{option.long}" for option in COMMANDS[name].options}
    assert shell.offers(f"shpool {name} --") == own


def test_names_of_sessions(shell: Shell) -> None:
    assert shell.offers("shpool attach ") == set()
    assert not shell.place.runtime.exists(), "Tab starts no daemon"
    shell.place.start()
    for name in ("work", "wide:1", "other"):
        shell.place.raw_session(name)
    assert shell.offers("shpool attach w") >= {"work"}
    assert "other" not in shell.offers("shpool attach w")
    assert shell.offers("shpool attach -f -c sh wo") == {"work"}
    assert shell.offers("shpool attach --cmd=sh wo") == {"work"}
    assert shell.offers("shpool kill other wo") == {"work"}
    assert shell.offers("shpool attach other wo") == set()
    assert shell.offers(f"shpool -s {shell.place.socket} attach wo") == {"work"}
    assert shell.offers(f"shpool -s {shell.place.scratch}/x attach wo") == set()


def test_a_name_that_has_what_readline_divides_words_at(place: Place) -> None:
    need("bash")
    shell = Shell("bash", place)
    place.start()
    place.raw_session("wide:1")
    place.raw_session("a=b")
    assert shell.offers("shpool attach wide:") == {"1"}
    assert shell.offers("shpool attach wi") == {"wide:1"}
    assert shell.offers("shpool attach a=") == {"b"}


def test_variables_and_words(shell: Shell) -> None:
    shell.place.start()
    assert shell.place.run("var", "set", "workspace", "x").status == 0
    assert shell.offers("shpool var ") == {"list", "get", "set", "unset"}
    assert shell.offers("shpool var get w") == {"workspace"}
    assert shell.offers("shpool var unset w") == {"workspace"}
    assert shell.offers("shpool var list w") == set()
    assert shell.offers("shpool set-log-level tr") == {"trace"}
    assert shell.offers("shpool help ki") == {"kill"}
    assert shell.offers("shpool completions z") == {"zsh"}


def test_what_follows_an_option_is_its_value(shell: Shell) -> None:
    assert "list" not in shell.offers("shpool --log-file l")
    assert shell.offers("shpool attach --ttl ") == set()
    programs = shell.offers("shpool attach --cmd tru")
    assert "true" in programs or "truncate" in programs


def test_hosts_and_of_another_host_no_sessions(shell: Shell) -> None:
    place = shell.place
    place.start()
    place.raw_session("fence")
    # Where these shells know hosts from.
    (place.home / ".ssh").mkdir()
    (place.home / ".ssh/config").write_text("Host farhost\n")
    (place.home / ".ssh/known_hosts").write_text("farhost ssh-ed25519 AAAA\n")
    (place.home / "hosts").write_text("10.0.0.1 farhost\n")
    place.env["HOSTFILE"] = str(place.home / "hosts")
    assert shell.offers("shpool ssh farh") == {"farhost"}
    assert "fence" not in shell.offers("shpool ssh farhost f")
