"""Where man pages, completions and units go in an installation, below its prefix."""

import os
from pathlib import Path

from manual.pages import shpool_1, shpool_config_5
from shpool.cli import completions

_ROOT = Path(__file__).resolve().parent.parent

# What README refers to, so that its links lead somewhere; not what is for developers.
_DOCUMENTS = ("README", "CONFIG", "SCRIPTS", "EVENTS", "CHANGELOG")


def contents() -> "dict[str, str]":
    """Each file by its path below the prefix; where it is looked for, its reader has laid down."""
    return {
        "share/man/man1/shpool.1": shpool_1(),
        "share/man/man5/shpool-config.5": shpool_config_5(),
        "share/bash-completion/completions/shpool": completions("bash"),
        "share/zsh/site-functions/_shpool": completions("zsh"),
        "share/fish/vendor_completions.d/shpool.fish": completions("fish"),
        # systemd looks there below /usr, /usr/local and ~/.local.
        **{
            f"share/systemd/user/{unit.name}": unit.read_text()
            for unit in sorted((_ROOT / "systemd").iterdir())
        },
        **{
            f"share/doc/shpool/{name}": (_ROOT / name).read_text(encoding="utf-8")
            for name in (*(f"{name}.md" for name in _DOCUMENTS), "manual/shpool.svg")
        },
    }


def write(folder: str) -> "list[tuple[str, list[str]]]":
    """Write them all below `folder`; what setuptools calls data_files."""
    found = []
    for name, text in contents().items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        found.append((os.path.dirname(name), [path]))
    return found
