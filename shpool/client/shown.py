"""In which form peek and history print a screen; a module that makes one is loaded only then."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from shpool.client.screen import Screen
    from shpool.options import Parsed


def chosen(parsed: "Parsed") -> str:
    """The form that was asked for.  Raises UsageError."""
    return parsed.one_of("ansi", "html", "svg", "json") or "text"


def shown(screen: "Screen", form: str, **more: "Any") -> str:
    """`more`: what JSON says besides."""
    if form == "json":
        from shpool.client.as_json import as_json

        return as_json(screen, **more)
    if form == "html":
        from shpool.client.as_html import as_html

        return as_html(screen)
    if form == "svg":
        from shpool.client.as_svg import as_svg

        return as_svg(screen)
    from shpool.client.as_text import coloured, plain

    return coloured(screen) if form == "ansi" else plain(screen)
