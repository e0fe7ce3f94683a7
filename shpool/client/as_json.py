"""A screen as one JSON object on one line."""

import json
import re

from shpool.client.as_text import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from shpool.client.screen import Screen

# What is not to be seen as it is: C1 controls, what turns text around, and line ends of Unicode.
# Those of C0 are never left as they are.
_UNSAFE = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

# By DECSCUSR's number.
_SHAPES = ("default", "block", "block", "underline", "underline", "bar", "bar")


def as_json(screen: "Screen", **more: "Any") -> str:
    """`more`: what belongs to the command that it is for."""
    head = screen.head
    shape = head.shape or 0
    found = {
        "name": head.name,
        "rows": head.rows,
        "cols": head.cols,
        "title": head.title or "",
        "cwd": _directory(head.directory) or head.cwd,
        "cursor": {
            "row": head.y,
            "col": head.x,
            "visible": head.visible,
            "shape": _SHAPES[shape] if shape < len(_SHAPES) else "default",
        },
        "alternate": head.alternate,
        "lines": plain(screen).split("\n")[:-1],
        "mark": head.mark,
        "quiet_ms": head.quiet_ms,
        "prompt": head.prompt,
        **more,
    }
    written = json.dumps(found, ensure_ascii=False)
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", written) + "\n"


def _directory(address: "str | None") -> "str | None":
    """The path in a file address (OSC 7)."""
    if not address or not address.startswith("file://"):
        return None
    from urllib.parse import unquote

    _host, slash, path = address[len("file://") :].partition("/")
    return unquote(slash + path) or None
