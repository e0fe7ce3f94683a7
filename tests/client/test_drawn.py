"""HTML and SVG of a screen: what it shows, and that what a program prints does no harm."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shpool.client.as_html import as_html
from shpool.client.as_svg import as_svg
from shpool.client.as_text import plain
from shpool.client.colours import Colours, read_colour
from shpool.terminal.model import Terminal
from tests.client.test_screen import peeked, screen_of
from tests.terminal import generated

ELEMENTS = {"html", "head", "meta", "title", "style", "body", "main", "p", "i", "a"}
ATTRIBUTES = {"charset", "http-equiv", "content", "href", "rel", "style"}
STYLE = re.compile(
    r"width:\d+ch(;(font-weight:bold|font-style:italic|(color|background):#[0-9a-f]{6}"
    r"|text-decoration:[a-z -]+( #[0-9a-f]{6})?|box-shadow:inset [-0-9px ]+ #[0-9a-f]{6}))*"
)
SVG = "{http://www.w3.org/2000/svg}"


class Page(HTMLParser):
    """The lines of text on a page, and everything about its elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.links: list[str] = []
        self.styles: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ELEMENTS
        given = dict(attrs)
        assert set(given) <= ATTRIBUTES
        if tag == "p":
            self.lines.append("")
        if "style" in given:
            style = given["style"] or ""
            assert STYLE.fullmatch(style), style
            self.styles.append(style)
        if tag == "a":
            assert given["rel"] == "noopener"
            self.links.append(given["href"] or "")

    def handle_data(self, data: str) -> None:
        if self.lines and self.lasttag in ("i", "a"):
            self.lines[-1] += data.removesuffix("\n")


def svg_lines(text: str) -> dict[int, str]:
    """Texts by the height at which they stand."""
    found: dict[int, str] = {}
    for each in ElementTree.fromstring(text).iter():
        assert each.tag.removeprefix(SVG) in {"svg", "title", "rect", "g", "text", "a"}
        if each.tag == f"{SVG}text":
            row = int(each.attrib["y"])
            found[row] = found.get(row, "") + (each.text or "")
    return found


def test_a_page_shows_what_stands_on_the_screen() -> None:
    screen = peeked("one <b> & \"two\" 'three'\r\n 漢字e\u0301 \u05d0\u05d1", rows=3, cols=40)
    page = Page(as_html(screen))
    assert [line.rstrip() for line in page.lines] == [
        "one <b> & \"two\" 'three'",
        " 漢字e\u0301 \u05d0\u05d1",
        "",
    ]
    assert next(iter(svg_lines(as_svg(screen)).values())) == "one <b> & \"two\" 'three'"


def test_nothing_is_fetched_and_nothing_runs() -> None:
    text = as_html(peeked("\x1b]2;</title><script>alert(1)</script>\x07<script>alert(2)</script>"))
    assert "<script" not in text
    assert (
        '<meta http-equiv="Content-Security-Policy"'
        " content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    ) in text
    assert "&#60;/title&#62;" in text
    assert "<script" not in as_svg(peeked("\x1b]2;<script>\x07<script>alert(2)</script>"))


def test_colours_are_those_of_the_session() -> None:
    screen = peeked("\x1b[31mred\x1b[48;5;17m on blue\x1b[38;2;1;2;3mown\x1b[m\x1b[?25l")
    screen.head.palette = {1: "rgb:12/34/56"}
    styles = Page(as_html(screen)).styles
    assert styles == [
        "width:3ch;color:#123456",
        "width:8ch;color:#123456;background:#00005f",
        "width:3ch;color:#010203;background:#00005f",
    ]
    screen.head.dynamic = {10: "#abc", 11: "#010101"}
    assert "body{margin:0;background:#010101;color:#a0b0c0}" in as_html(screen)
    assert 'fill="#123456"' in as_svg(screen)


@pytest.mark.parametrize(
    ("sgr", "style"),
    [
        ("1", ";font-weight:bold"),
        ("3", ";font-style:italic"),
        ("2", ";color:#727272"),
        ("7", ";color:#000000;background:#e5e5e5"),
        ("8", ";color:#000000"),
        ("4", ";text-decoration:underline solid"),
        ("4:3", ";text-decoration:underline wavy"),
        ("9", ";text-decoration:line-through"),
        ("4:2;58:5:9", ";text-decoration:underline double #ff0000"),
        ("53;9", ";text-decoration:line-through overline"),
        ("91", ";color:#ff0000"),
        ("102", ";background:#00ff00"),
    ],
)
def test_what_a_pen_looks_like(sgr: str, style: str) -> None:
    assert Page(as_html(peeked(f"\x1b[?25l\x1b[{sgr}mx"))).styles == [f"width:1ch{style}"]


@pytest.mark.parametrize(
    ("shape", "style"),
    [
        ("", ";color:#000000;background:#e5e5e5"),
        ("\x1b[4 q", ";box-shadow:inset 0 -2px #e5e5e5"),
        ("\x1b[6 q", ";box-shadow:inset 2px 0 #e5e5e5"),
    ],
)
def test_the_cursor_is_drawn_in_its_shape(shape: str, style: str) -> None:
    assert Page(as_html(peeked(f"abc\x1b[2D{shape}"))).styles == [
        "width:1ch",
        f"width:1ch{style}",
        "width:1ch",
    ]
    assert Page(as_html(peeked(f"a\x1b[1;4H{shape}"))).styles[-1] == f"width:1ch{style}"
    assert Page(as_html(peeked("abc\x1b[?25l"))).styles == ["width:3ch"]


def test_wide_characters_have_the_width_of_their_cells() -> None:
    assert Page(as_html(peeked("\x1b[?25la漢e\u0301─b"))).styles == [
        *("width:1ch", "width:2ch", "width:1ch", "width:1ch", "width:1ch")
    ]
    drawn = ElementTree.fromstring(as_svg(peeked("\x1b[?25la漢b")))
    texts = [each for each in drawn.iter() if each.tag == f"{SVG}text"]
    assert [each.attrib["textLength"] for each in texts] == ["8.4", "16.8", "8.4"]
    assert [each.attrib["x"] for each in texts] == ["8", "16.4", "33.2"]


@pytest.mark.parametrize(
    ("uri", "followed"),
    [
        ("https://example.org/?a=1&b=2", True),
        ("HTTP://x/", True),
        ("ftp://x/y", True),
        ("mailto:a@b", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("file:///etc/passwd", False),
        ("https://x/ javascript:", False),
        ("//x/", False),
        ("x", False),
    ],
)
def test_only_links_that_are_safe_are_links(uri: str, followed: bool) -> None:
    screen = peeked(f"\x1b]8;;{uri}\x1b\\link\x1b]8;;\x1b\\")
    assert Page(as_html(screen)).links == ([uri] if followed else [])
    assert (' rel="noopener"' in as_svg(screen)) == followed


@settings(max_examples=150, deadline=None)
@given(st.one_of(generated.stream(), st.binary(max_size=200), st.text(max_size=200)), st.booleans())
def test_whatever_is_printed_the_markup_is_whole(data: bytes | str, joined: bool) -> None:
    terminal = Terminal(6, 30, 50)
    terminal.feed(data if isinstance(data, bytes) else data.encode(errors="surrogatepass"))
    screen = screen_of(terminal)
    if joined:
        screen.show_lines(None, None)
    else:
        screen.show_rows()
    text = as_html(screen)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]", text)
    lines = [line.rstrip(" ") for line in Page(text).lines]
    while lines and not lines[-1]:
        lines.pop()
    shown = [
        line.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
        for line in _lines(plain(screen))
    ]
    assert lines == shown
    svg_lines(as_svg(screen))


def _lines(text: str) -> list[str]:
    return text.split("\n")[:-1]


@pytest.mark.parametrize(
    ("name", "colour"),
    [
        ("#123456", "#123456"),
        ("#abc", "#a0b0c0"),
        ("#123456789abc", "#12569a"),
        ("rgb:f/80/0000", "#ff8000"),
        ("rgb:ffff/0/8000", "#ff007f"),
        ("red", ""),
        ("url(x)", ""),
        ("#12", ""),
        ("", ""),
    ],
)
def test_colours_are_made_by_us_or_not_at_all(name: str, colour: str) -> None:
    assert read_colour(name) == colour
    screen = peeked("")
    screen.head.dynamic = {10: name}
    assert Colours(screen.head).foreground == (colour or "#e5e5e5")
