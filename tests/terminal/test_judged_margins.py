"""Left and right margins (?69), which of the judges only libvterm has.

Where it differs from xterm, nothing here looks: inside margins it wraps at the screen's edge, CR
goes to the first column, IL and DL leave the column alone, and CSI s homes even without ?69.
"""

from __future__ import annotations

import pytest

from shpool.terminal.model import Terminal

from .judge.vterm import Vterm, difference

ROWS, COLS = 10, 40
FILLED = b"".join(
    b"\x1b[%d;1H" % (y + 1) + bytes(65 + (x + y) % 26 for x in range(39)) for y in range(ROWS)
)
MARGINS = b"\x1b[?69h\x1b[10;30s\x1b[3;8r"

SCRIPTS = {
    "margins alone": MARGINS,
    "left and right only": b"\x1b[?69h\x1b[5;20s\x1b[4;7H",
    "a scroll inside": MARGINS + b"\x1b[3;12H\x1b[2S",
    "a scroll down inside": MARGINS + b"\x1b[3;12H\x1b[T",
    "line feeds at the bottom": MARGINS + b"\x1b[8;12H\n\n",
    "reverse index at the top": MARGINS + b"\x1b[3;12H\x1bM\x1bM",
    "characters inserted": MARGINS + b"\x1b[4;12H\x1b[3@",
    "characters deleted": MARGINS + b"\x1b[4;12H\x1b[3P",
    "lines inserted": MARGINS + b"\x1b[4;12H\x1b[2L\x1b[5;11H",
    "lines deleted": MARGINS + b"\x1b[4;12H\x1b[2M\x1b[5;11H",
    "a carriage return left of them": MARGINS + b"\x1b[4;5H\rZ",
    "origin mode": MARGINS + b"\x1b[?6h\x1b[2;3Hin",
    "margins switched off": MARGINS + b"\x1b[?69l\x1b[3;8r\x1b[5;5H",
    "columns": MARGINS + b"\x1b[4;12H\x1b[2'}\x1b[5;15H\x1b['~",
}
AFTER = b"\x1b[4;15H\x1b[Pxy\x1b[8;12H\nend\x1b[3@\x1b[2M"


@pytest.mark.parametrize("script", SCRIPTS)
def test_margins_come_back(script: str, vterm: type[Vterm]) -> None:
    data = FILLED + SCRIPTS[script]
    model = Terminal(ROWS, COLS, 0)
    model.feed(data)
    whole = vterm(ROWS, COLS).write(data)
    fresh = vterm(ROWS, COLS).write(model.restore(0))
    assert difference(whole.dump(), fresh.dump()) == ""
    settings = b"\x1bP$qs\x1b\\\x1bP$qr\x1b\\\x1b[?69$p\x1b[?6$p"
    assert fresh.ask(settings) == whole.ask(settings)
    assert difference(whole.write(AFTER).dump(), fresh.write(AFTER).dump()) == ""
    whole.close()
    fresh.close()
