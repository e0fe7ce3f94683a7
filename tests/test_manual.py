"""The man pages: that they are in order, that nothing is left out, and what is escaped in them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from manual import files, mdoc
from shpool.commands import COMMANDS
from shpool.config_values import READERS
from shpool.options import GLOBAL_OPTIONS
from tests.programs import need

# In the checkout alone, or installed where it belongs.
ELSEWHERE = {"systemd", "CONTRIBUTING.md"}

PAGES = [name for name in files.contents() if "/man/" in name]


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    files.write(str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", PAGES)
def test_mandoc_has_nothing_to_say(installed: Path, name: str) -> None:
    words = [need("mandoc"), "-Tlint", str(installed / name)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    # Whether other pages are installed is none of this one's business.
    said = [line for line in done.stdout.splitlines() if "manual not found" not in line]
    assert said == []


def shown(path: Path) -> str:
    """The page as it is read, its words with one space between them."""
    words = [need("mandoc"), "-Tascii", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    unstruck = ""
    for char in done.stdout:
        unstruck = unstruck[:-1] if char == "\b" else unstruck + char
    return " ".join(unstruck.split())


def test_every_command_and_option_is_in_the_page(installed: Path) -> None:
    text = shown(installed / "share/man/man1/shpool.1")
    for option in GLOBAL_OPTIONS:
        assert f"--{option.long}" in text
    for name, command in COMMANDS.items():
        assert f" {name} {command.arguments}".rstrip() in text, name
        for option in command.options:
            assert f"--{option.long}" in text, (name, option.long)


def test_every_key_of_the_configuration_is_in_the_page(installed: Path) -> None:
    text = shown(installed / "share/man/man5/shpool-config.5")
    for key in READERS:
        assert f" {key}" in text
    assert "prompt_prefix = '[$SHPOOL_SESSION_NAME] '" in text
    assert "`a' to `z'" not in text, "code is not in quotes but bold"
    assert "CONFIG.md" not in shown(installed / "share/man/man1/shpool.1"), "this page is it"
    assert "`" not in text


def test_what_stands_in_the_shells_folders_is_what_the_command_prints(installed: Path) -> None:
    for name in files.contents():
        assert (installed / name).stat().st_size > 100
    for unit in ("shpool.service", "shpool.socket"):
        source = Path(__file__).parent.parent / "systemd" / unit
        assert (installed / "share/systemd/user" / unit).read_text() == source.read_text()
    assert (installed / "share/zsh/site-functions/_shpool").read_text().startswith("#compdef")


def test_what_is_installed_refers_to_what_is_installed(installed: Path) -> None:
    documents = installed / "share/doc/shpool"
    for document in documents.glob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
            if not target.startswith("http") and target not in ELSEWHERE:
                assert (documents / target).is_file(), (document.name, target)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("one. Two", "one.\nTwo"),
        ("NAME . is", "NAME . is"),
        (".x is", "\\&.x is"),
        ("'x' is", "\\&'x' is"),
        ("a `b-c` d", "a \\fBb\\-c\\fP d"),
        ("a `.b` d", "a \\fB\\&.b\\fP d"),
        ("back\\slash", "back\\eslash"),
        ("[TOML](https://toml.io/en)", "TOML (https://toml.io/en)"),
        ("[here](CONFIG.md)", "here"),
        ("**so**", "\\fBso\\fP"),
    ],
)
def test_words(text: str, source: str) -> None:
    assert mdoc.prose(text) == source


def test_a_document() -> None:
    text = (
        "# T\n\nIntro.\n\n## Part\n\n### `key`\n\nWords.\n\n    .x = '\\'\n\n- one\n  more\n- two\n"
    )
    assert mdoc.of_markdown(text) == (
        "Intro.\n.Sh PART\n.Ss key\nWords.\n.Bd -literal -offset indent\n"
        "\\&.x = \\(aq\\e\\(aq\n.Ed\n.Bl -bullet\n.It\none more\n.It\ntwo\n.El\n"
    )
