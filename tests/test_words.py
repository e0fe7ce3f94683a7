"""What is said of a word on the command line, or in a configuration, that means nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from shpool.config import ConfigError, load
from shpool.durations import parse_duration
from shpool.errors import ShpoolError
from shpool.keys.bindings import KeyBindingError, parse_binding
from shpool.paths import Paths
from shpool.shellwords import split_words

SAID: list[tuple[Callable[[], object], str]] = [
    (
        lambda: parse_duration("200000d"),
        "could not parse '200000d' as duration: longer than 292 years",
    ),
    (lambda: parse_binding(" "), "a key binding needs at least one key"),
    (
        lambda: Paths({}),
        "neither XDG_RUNTIME_DIR nor HOME is set, so there is no runtime directory;"
        " set XDG_RUNTIME_DIR to a directory of your own",
    ),
    (lambda: split_words("echo 'a"), "missing closing ' in the command"),
    (lambda: split_words('echo "a'), 'missing closing " in the command'),
]


@pytest.mark.parametrize(("do", "said"), SAID, ids=[said[:40] for _, said in SAID])
def test_it_is_said_what_is_wrong(do: Callable[[], object], said: str) -> None:
    with pytest.raises((ShpoolError, KeyBindingError), match=f"^{re.escape(said)}$"):
        do()


def test_a_file_that_is_too_large_is_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"#" * 1_048_577)
    said = re.escape("large: larger than 1048576 bytes, not a configuration")
    with pytest.raises(ConfigError, match=f"{said}$"):
        load([str(tmp_path / "large")])
