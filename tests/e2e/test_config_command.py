"""shpool config: what is in force, where it comes from, what is wrong; and no daemon is started."""

import pytest

from shpool.config import find
from shpool.config_values import READERS
from shpool.toml import loads
from tests.e2e.harness import Place

EVERYTHING = r"""
norc = true
shell = "/bin/zsh"
env = { A = "1", "b c" = 'say "hi" \ ' }
forward_env = ["X", "Y"]
output_spool_lines = 7
session_restore_mode = { lines = 9 }
motd = { pager = { bin = "less", show_every = "1d" } }
motd_args = ["motd=/x"]
prompt_prefix = "\u001b[1m\U000e0001é日\n"
keybinding = [{ binding = "Ctrl-a d", action = "detach" }]
var_default = [{ var = "a", value = "b" }]
"""


def test_every_key_is_there_and_says_where_it_comes_from(place: Place) -> None:
    place.config_file.write_text("norc = true\nprompt_prefix = ''\n")
    done = place.run("config")
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].startswith("# /etc/shpool/config.toml")
    assert lines[1] == f"# {place.config_file}"
    assert f"norc = true                             # {place.config_file}" in lines
    assert f'prompt_prefix = ""                      # {place.config_file}' in lines
    assert 'default_dir = "$HOME"                   # default' in lines
    assert "# shell                                 # default: the user's login shell" in lines
    assert (
        "# motd_args                             # default: what PAM is told on this machine"
        in (lines)
    )
    assert set(loads(done.out)) == set(READERS) - {"shell", "motd_args"}
    assert not place.runtime.exists()


def test_what_it_prints_is_a_configuration_that_means_the_same(place: Place) -> None:
    for text in (EVERYTHING, ""):
        place.config_file.write_text(text)
        before = place.run("config").out
        assert "\x1b" not in before
        assert "\U000e0001" not in before
        place.config_file.write_text(before)
        assert find([str(place.config_file)]).errors == []
        again = place.run("config").out
        assert loads(again) == loads(before)
    assert loads(place.run("config").out) == loads(before)


def test_a_file_named_by_the_option_is_the_only_one(place: Place) -> None:
    missing = place.scratch / "missing.toml"
    done = place.run("-c", str(missing), "config")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"# {missing} (not there)\nnorc = false ")


def test_all_that_is_wrong_is_said_at_once_and_the_rest_is_printed(place: Place) -> None:
    place.config_file.write_text("norc = 1\nnoecho = true\nenv = 5\nodd = 1\n")
    done = place.run("config")
    assert done.status == 1
    assert done.err == (
        f"warning: {place.config_file}: unknown key 'odd'\n"
        f"shpool: {place.config_file}: norc: found the number 1, want true or false\n"
        f"shpool: {place.config_file}: env: found the number 5, want a table of strings\n"
    )
    assert "noecho = true " in done.out


@pytest.mark.parametrize("text", ['shell = "\\e"', "norc = true\nnorc = true"])
def test_a_file_that_does_not_parse(place: Place, text: str) -> None:
    place.config_file.write_text(text)
    done = place.run("config")
    assert done.status == 1
    assert done.err.startswith(f"shpool: {place.config_file}: ")
    assert done.err.count("\n") == 1
    assert "norc = false" in done.out
