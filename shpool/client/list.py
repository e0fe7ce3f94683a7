"""shpool list: which sessions there are."""

import os

from shpool.client.here import where
from shpool.client.reach import ask
from shpool.output import put
from shpool.protocol.replies import SessionRow, list_reply, read_list_reply
from shpool.protocol.requests import ListRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from shpool.client.context import Context
    from shpool.options import Parsed


_STDOUT = 1

# Of a terminal: bold, and as before (ECMA-48, SGR).
_BOLD, _PLAIN = "\x1b[1m", "\x1b[m"


def run(context: "Context", parsed: "Parsed") -> int:
    form = parsed.one_of("json", "long", "short")
    reply = ask(context, ListRequest())
    sessions = read_list_reply(reply)
    if form == "json":
        put(_json(sessions))
    elif form == "short":
        put("".join(f"{session.name}\n" for session in sessions))
    elif form == "long":
        put(_long(context, sessions, _marked(context, reply)))
    else:
        put(_table(sessions, _marked(context, reply), bold=_may_be_bold(context.environ)))
    return 0


def _marked(context: "Context", reply: "Any") -> "str | None":
    """The session to mark; none where a program reads the list, which expects what it knows."""
    here = where(context, reply) if os.isatty(_STDOUT) else None
    return None if here is None else here.name


def _may_be_bold(environ: "Mapping[str, str]") -> bool:
    """https://no-color.org: any value that is not empty says no."""
    return not environ.get("NO_COLOR") and environ.get("TERM", "dumb") != "dumb"


def _table(sessions: "list[SessionRow]", here: "str | None" = None, *, bold: bool = False) -> str:
    width = max((len(session.name) for session in sessions), default=0)
    rows = ["NAME\tSTATUS\n"]
    for session in sessions:
        row = f"{session.name:{width}}\t{session.status.lower()}"
        if session.name == here:
            row += " (this session)"
            row = f"{_BOLD}{row}{_PLAIN}" if bold else row
        rows.append(row + "\n")
    return "".join(rows)


def _long(context: "Context", sessions: "list[SessionRow]", here: "str | None") -> str:
    from shpool.client.long_list import table

    width = os.get_terminal_size(_STDOUT).columns if os.isatty(_STDOUT) else None
    bold = _may_be_bold(context.environ)
    lines = table(sessions, context.environ.get("HOME", ""), width or None, here)
    return "".join(
        f"{_BOLD}{line}{_PLAIN}\n" if mark and bold else f"{line}\n" for line, mark in lines
    )


def _json(sessions: "list[SessionRow]") -> str:
    import json

    return json.dumps(list_reply(sessions), indent=2, ensure_ascii=False) + "\n"
