"""The recorded streams, and where to cut them."""

from __future__ import annotations

import json
import lzma
import random
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

STREAMS = Path(__file__).parent / "streams"

# What a cut may fall into: an escape sequence, or a character of several bytes.
LONG = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]"
    rb"|[\xc2-\xf4][\x80-\xbf]+"
)


@dataclass(frozen=True)
class Stream:
    """What one program wrote, the size of its terminal, and where it had fallen quiet."""

    name: str
    data: bytes
    rows: int
    cols: int
    marks: tuple[int, ...]

    def cuts(self, count: int) -> list[int]:
        """Places to cut at, the same on every run: a third anywhere, the rest inside a sequence."""
        pick = random.Random(f"{self.name} {count}")
        inside = [n for m in LONG.finditer(self.data) for n in range(m.start() + 1, m.end())]
        anywhere = range(1, len(self.data))
        cuts = set(pick.sample(inside, min(count - count // 3, len(inside))))
        cuts.update(pick.sample(anywhere, min(count - len(cuts), len(anywhere))))
        return sorted(cuts)


@cache
def stream(name: str) -> Stream:
    entry = json.loads((STREAMS / "index.json").read_text())[name]
    data = lzma.decompress((STREAMS / f"{name}.xz").read_bytes())
    return Stream(name, data, entry["rows"], entry["cols"], tuple(entry["marks"]))


def names() -> list[str]:
    return sorted(json.loads((STREAMS / "index.json").read_text()))
