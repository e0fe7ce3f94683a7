"""shpool send: type into a session without attaching to it."""

import sys

from shpool.client.connect import ClientError
from shpool.client.outside import session_meant
from shpool.client.reach import ask_once
from shpool.durations import parse_span
from shpool.errors import Verdict
from shpool.keys.encoding import parse_key
from shpool.output import put
from shpool.protocol.outside import SendRequest
from shpool.protocol.replies import SendReply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from shpool.client.context import Context
    from shpool.options import Parsed

# A request takes 1 MiB with all that is around the text.
_MOST = 1_000_000


def run(context: "Context", parsed: "Parsed") -> int:
    items = _items(parsed)
    if sum(len(value.encode()) for _, value in items) > _MOST:
        raise ClientError(f"a message has at most {_MOST:,} bytes")
    timeout = parse_span(parsed.text("timeout") or "5s")
    name = session_meant(context, parsed.arguments[0])
    as_json = bool(parsed.count("json"))
    request = SendRequest(
        name, items, paste=bool(parsed.count("paste")), timeout_ms=timeout, mark=as_json
    )
    answer = ask_once(context, request)
    if answer == "NotFound":
        raise Verdict(f"not found: {name}")
    reply = SendReply.from_wire(answer)
    if reply.error is not None:
        raise ClientError(reply.error + _how_much(reply.typed))
    if as_json:
        import json

        put(json.dumps({"typed": reply.typed, "mark": reply.mark}) + "\n")
    return 0


def _how_much(typed: int) -> str:
    return f"; {typed} bytes were typed" if typed else ""


def _items(parsed: "Parsed") -> "list[tuple[str, str]]":
    """Texts and keys as they stand on the command line, texts side by side joined by a space.

    Raises UnknownKey.
    """
    items: list[tuple[str, str]] = []
    texts = [each for each in parsed.given if each[0] in ("", "key")]
    texts.remove(("", parsed.arguments[0]))
    for option, value in texts:
        if option == "key":
            parse_key(value)  # refused here, before anything is typed
            items.append(("key", value))
        elif items and items[-1][0] == "text":
            items[-1] = ("text", f"{items[-1][1]} {value}")
        else:
            items.append(("text", value))
    if parsed.count("stdin"):
        items.append(("text", _stdin()))
    if parsed.count("enter"):
        items.append(("key", "Enter"))
    if not _is_utf8(value for _, value in items):
        raise ClientError("what is to be typed is not UTF-8")
    return items


def _stdin() -> str:
    """What stdin holds, but no more than is too much anyway."""
    return sys.stdin.buffer.read(_MOST + 1).decode("utf-8", "surrogateescape")


def _is_utf8(texts: "Iterable[str]") -> bool:
    try:
        for text in texts:
            text.encode()
    except UnicodeEncodeError:
        return False
    return True
