"""In which form peek and history print a screen; a module that makes one is loaded only then."""

from shpool.options import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from shpool.client.screen import Screen
    from shpool.options import Parsed

_FORMS = ("ansi", "html", "svg", "json")


def chosen(parsed: "Parsed") -> str:
    """The form that was asked for.  Raises UsageError."""
    given = [form for form in _FORMS if parsed.count(form)]
    if len(given) > 1:
        raise UsageError(f"--{given[0]} and --{given[1]} exclude each other")
    return given[0] if given else "text"


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
