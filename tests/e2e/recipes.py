"""What README and SCRIPTS say to write down somewhere, and a `shpool` for it to find."""

from __future__ import annotations

import re
from pathlib import Path

from tests.e2e.harness import CHECKOUT, Place


def recipe(words: str) -> str:
    """The one block with these words in it."""
    text = "\n".join(Path(CHECKOUT, name).read_text() for name in ("README.md", "SCRIPTS.md"))
    (found,) = [each for each in re.findall(r"(?:^    .*\n)+", text, re.M) if words in each]
    return re.sub(r"^    ", "", found, flags=re.M)


def with_shpool(place: Place) -> dict[str, str]:
    """An environment on whose PATH is a `shpool`."""
    folder = place.root / "bin"
    folder.mkdir()
    script = folder / "shpool"
    script.write_text(f'#!/bin/sh\nexec {" ".join(place.command())} "$@"\n')
    script.chmod(0o700)
    return {"PATH": f"{folder}:{place.env['PATH']}"}
