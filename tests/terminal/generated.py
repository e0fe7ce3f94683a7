"""Streams made up by hypothesis: plausible sequences from a grammar, and raw bytes.

For judged streams the grammar keeps clear, in the open, of what is known to differ between
xterm.js and the model on purpose:

- margins, tab stops: one set for each screen there, one for the terminal here. Margins are reset
  around every change of screen; a stream either changes screens or changes tab stops.
- Origin mode: DECRC brings it back here, as in xterm; there relative moves and DECALN add the region's
  top. It comes as a block without these.
- DECSC there forgets underline style and colour, the hyperlink, and what G0 to G3 hold. A stream has
  either those or saved cursors (1049 is one).
- RIS there leaves line feed mode on and the cursor hidden; both are reset before it.
- DECALN there drops the style of an underline. Streams with one have no DECALN.
- A wide character that does not fit without autowrap breaks the one before it there. Autowrap is off
  for narrow text only.
- The alternate screen is cleared there whenever it is switched to. 47 and 1047 come with a plain pen,
  and the former leaves it cleared.
- SU there takes nothing into the scrollback; scrollback is not looked at here.
- REP repeats only what was just printed, and a mark joins only that.
- Characters: of Unicode 3.2 and chosen newer ones, since the judge's tables end with 11.
"""

# ruff: noqa: E501  (tables of sequences)

from __future__ import annotations

from unicodedata import ucd_3_2_0

from hypothesis import strategies as st

Bytes = st.SearchStrategy[bytes]

# Wide, combining, emoji, what is easily mistaken.
SAMPLES = (
    "abc xyz", "text that goes on for a while and then some more ", "漢字", "かな交じり", "한국어",
    "e\u0301", "a\u0308\u0323", "👍", "👩\u200d💻", "ไทย", "שלום", "─│┌┐", "é", "ß", "\u00a0", "…",
    "~`lqxjk#", "x" * 25, "漢" * 12,
)  # fmt: skip
SGR = (
    "", "0", "1", "2", "3", "4", "5", "7", "8", "9", "22", "23", "24", "25", "27", "28", "29", "53", "55",
    "31", "39", "44", "49", "97", "102", "38;5;200", "48;5;17", "38;2;1;2;3", "48;2;250;0;9", "1;31;47",
    "38:5:99", "38:2::4:5:6", "0;7", "39;49", "38;5", "38;2;1",
)  # fmt: skip
FANCY = ("4:3", "4:0", "4:5", "21", "58;5;9", "58:2::1:2:3", "4;58;5;100")
PRIVATE = (1, 25, 66, 9, 1000, 1002, 1003, 1004, 1006, 1016, 2004, 2026, 1007, 2031, 2048, 45)
STRINGS = (
    "]0;title", "]1;icon", "]2;window title", "]2;漢字", "]4;1;#123456", "]4;1;#ff0000;250;#010203",
    "]104;1", "]104", "]10;#aabbcc", "]11;#112233", "]12;#445566", "]110", "]111", "]112",
    "]7;file://box/home/user", "]52;c;aGk=", "]133;A", "]133;B", "]133;C", "]133;D;0", "]9;4;1;50", "P1$r0m", "_Gf=1;AAAA", "^privacy",
    "Xstart of string", "]1337;x=y", "]4;1;?", "]11;?", "P+q544e",
)  # fmt: skip
LINKS = ("]8;;https://example.org/", "]8;id=a;https://example.org/a", "]8;;")


def _joined(parts: list[bytes]) -> bytes:
    return b"".join(parts)


def number(top: int) -> Bytes:
    """A parameter: sometimes left out, mostly sensible, seldom absurd."""
    sensible = st.integers(0, top).map(lambda n: b"%d" % n)
    small = st.integers(0, 3).map(lambda n: b"%d" % n)
    return st.one_of(st.just(b""), sensible, small, sensible, st.sampled_from([b"999", b"65536"]))


def _known(text: str) -> bool:
    """All characters are as old as the judge's tables; nothing of no width begins the text."""
    first = text[:1] or " "
    if ucd_3_2_0.category(first).startswith("M") or "\u1160" <= first <= "\u11ff":
        return False
    return all(ucd_3_2_0.category(c) not in ("Cc", "Cn", "Cf", "Co", "Zl", "Zp") for c in text)


TEXT = st.one_of(
    st.sampled_from(SAMPLES),
    st.text(
        st.characters(min_codepoint=0x20, max_codepoint=0xD7FF),
        max_size=6,
    ).filter(_known),
    st.text("abcdefgh  ", min_size=1, max_size=50),
).map(str.encode)

CONTROL = st.sampled_from(
    [
        b"\r",
        b"\n",
        b"\r\n",
        b"\b",
        b"\t",
        b"\x0b",
        b"\x0c",
        b"\x07",
        b"\x7f",
        b"\xc2\x84",
        b"\xc2\x85",
    ]
)
SHIFT = st.sampled_from(
    [b"\x0e", b"\x0f", b"\x1b(0", b"\x1b(B", b"\x1b)0", b"\x1b(A", b"\x1bn", b"\x1b*0"]
)
MOVE = st.one_of(
    st.builds(lambda n, f: b"\x1b[" + n + f, number(30), st.sampled_from(
        [b"A", b"B", b"C", b"D", b"E", b"F", b"G", b"I", b"Z", b"`", b"a", b"d", b"e"])),
    st.builds(lambda y, x, f: b"\x1b[" + y + b";" + x + f, number(12), number(30),
              st.sampled_from([b"H", b"f"])),
    st.sampled_from([b"\x1bD", b"\x1bE", b"\x1bM", b"\x1b[H"]),
)  # fmt: skip
EDIT = st.one_of(
    st.builds(lambda n, f: b"\x1b[" + n + f, number(9), st.sampled_from([b"@", b"P", b"X", b"L", b"M", b"S", b"T"])),
    st.sampled_from([b"\x1b[K", b"\x1b[1K", b"\x1b[2K", b"\x1b[J", b"\x1b[1J", b"\x1b[2J", b"\x1b[?K",
                     b"\x1b[?1J", b'\x1b[1"q', b'\x1b[0"q', b"\x1b[3J"]),
)  # fmt: skip
PEN = st.sampled_from(SGR).map(lambda p: f"\x1b[{p}m".encode())
FANCY_PEN = st.sampled_from(FANCY).map(lambda p: f"\x1b[{p}m".encode())
MODE = st.one_of(
    st.builds(lambda n, f: b"\x1b[?%d%c" % (n, f), st.sampled_from(PRIVATE), st.sampled_from(b"hl")),
    st.sampled_from([b"\x1b[4h", b"\x1b[4l", b"\x1b[20h", b"\x1b[20l", b"\x1b=", b"\x1b>", b"\x1b[!p",
                     b"\x1b[1 q", b"\x1b[4 q", b"\x1b[0 q", b"\x1b[?1000;1006h", b"\x1b[>4;2m", b"\x1b[>4m"]),
)  # fmt: skip
REGION = st.builds(lambda a, b: b"\x1b[%d;%dr" % (a, b), st.integers(0, 8), st.integers(0, 12))
STRING = st.builds(
    lambda s, end: f"\x1b{s}".encode() + end,
    st.sampled_from(STRINGS),
    st.sampled_from([b"\x07", b"\x1b\\"]),
).filter(lambda s: s[1:2] == b"]" or not s.endswith(b"\x07"))
LINK = st.sampled_from(LINKS).map(lambda s: f"\x1b{s}\x1b\\".encode())
TITLES = st.sampled_from(
    [b"\x1b[22;0t", b"\x1b[23;0t", b"\x1b[22;2t", b"\x1b[23;2t", b"\x1b[22;1t"]
)
REPEAT = st.builds(
    lambda c, n: c + b"\x1b[%db" % n,
    st.sampled_from([b"x", "─".encode(), b"="]),
    st.integers(1, 30),
)
NO_WRAP = st.text("abcdef ", max_size=50).map(lambda t: b"\x1b[?7l" + t.encode() + b"\x1b[?7h")
RESET = st.just(b"\x1b[20l\x1b[?25h\x1bc")
TABS = st.sampled_from([b"\x1bH", b"\x1b[g", b"\x1b[3g", b"\t", b"\x1b[5G\x1bH", b"\xc2\x88"])
SAVE = st.sampled_from([b"\x1b7", b"\x1b8", b"\x1b[s", b"\x1b[u", b"\x1b[?1048h", b"\x1b[?1048l"])
QUERY = st.sampled_from(
    [b"\x1b[c", b"\x1b[6n", b"\x1b[?2026$p", b"\x1b[>q", b"\x1b[18t", b"\x1b[5n"]
)

ANYWHERE = st.one_of(
    TEXT, TEXT, TEXT, CONTROL, CONTROL, MOVE, MOVE, EDIT, PEN, PEN, STRING, TITLES, REPEAT, QUERY, NO_WRAP
)  # fmt: skip
ALIGN = st.just(b"\x1b#8")
SIMPLE = st.one_of(ANYWHERE, ANYWHERE, ANYWHERE, MODE, REGION)
ABSOLUTE = st.builds(
    lambda y, x, f: b"\x1b[%d" % y + x + f,
    st.integers(1, 12),
    st.sampled_from([b"", b";5", b";29"]),
    st.sampled_from([b"H", b"f", b"d"]),
)
# Not within: DECSTR, which would end the block; relative moves, to which xterm.js adds the region's
# top; DECALN, which it begins at the region's top.
ORIGIN = st.lists(
    st.one_of(TEXT, TEXT, CONTROL, ABSOLUTE, ABSOLUTE, EDIT, PEN, STRING, REPEAT), max_size=8
).map(lambda p: b"\x1b[3;6r\x1b[?6h" + _joined(p) + b"\x1b[?6l")


def _elsewhere(number_: int, parts: list[bytes]) -> bytes:
    """On the alternate screen, with whole margins on the way in and out."""
    mode = b"\x1b[?%d" % number_
    pen = b"" if number_ == 1049 else b"\x1b[m"
    last = b"\x1b[r" + pen + (b"\x1b[2J" if number_ == 47 else b"")
    return b"\x1b[r" + pen + mode + b"h" + _joined(parts) + last + mode + b"l"


def stream(*extra: Bytes, screens: tuple[int, ...] = (), least: int = 1, most: int = 40) -> Bytes:
    """A stream of simple elements and these; with blocks on the alternate screen if any."""
    element = st.one_of(SIMPLE, SIMPLE, SIMPLE, ORIGIN, RESET, *extra)
    if screens:
        inner = st.lists(st.one_of(SIMPLE, SIMPLE, ORIGIN, *extra), max_size=15)
        element = st.one_of(
            element, element, st.builds(_elsewhere, st.sampled_from(screens), inner)
        )
    return st.lists(element, min_size=least, max_size=most).map(_joined)


# What a judge can follow: see above.
JUDGED = st.one_of(
    stream(SAVE, SAVE, ALIGN, screens=(1049, 1049, 47)),
    stream(FANCY_PEN, LINK, SHIFT, screens=(47, 1047)),
    stream(TABS, SHIFT, ALIGN),
)
# What the model alone must survive: everything at once, cut and mixed with raw bytes.
WILD = st.lists(
    st.one_of(
        SIMPLE, SIMPLE, SHIFT, ALIGN, FANCY_PEN, LINK, TABS, SAVE, ORIGIN,
        st.binary(max_size=12),
        st.builds(lambda b, n: b[:n], SIMPLE, st.integers(0, 6)),
        st.builds(lambda n, f: b"\x1b[?%d%c" % (n, f), st.sampled_from([6, 7, 69, 1049, 47, 1047, 3, 2, 2027]),
                  st.sampled_from(b"hlsr")),
        st.builds(lambda a, b, f: b"\x1b[%d;%d%c" % (a, b, f), st.integers(0, 40), st.integers(0, 40),
                  st.sampled_from(b"srmtHghl")),
        st.sampled_from([b"\x1b[>1u", b"\x1b[<u", b"\x1b[=5;2u", b"\x1b[<99u", b"\x1b[1;1;4;9$z", b"\x1b[33;1;1;4;9$x",
                         b"\x1b[1'}", b"\x1b[2'~", b"\x1b[2 @", b"\x1b[2 A", b"\xc2\x9b5A", b"\x1b%G", b"\x1b[?5h"]),
        st.text(max_size=8).map(lambda t: t.encode("utf-8", "surrogatepass")),
    ),
    max_size=40,
).map(_joined)  # fmt: skip

# Characters that join others, cut anywhere, among what moves them about.
JOINING = st.lists(
    st.one_of(
        st.sampled_from("👩\u200d💻👍🏽🇩🇪❤\ufe0f1\u20e3e\u0301漢a\U0001fa77\U00100001").map(str.encode),
        st.sampled_from(
            [b"  ", b"\r\n", b"\n", b"\b", b"\t", b"\x1b[31m", b"\x1b[H", b"\x1b[2;3H", b"\x1b[K", b"\x1b[3b", b"\x1b[200b",
             b"\x1b[L", b"\x1b[P", b"\x1b[@", b"\x1b[4h", b"\x1b[4l", b"\x1b[?7l", b"\x1b[?7h", b"\x1b[?69h\x1b[2;3s", b"\x1b[?69l",
             b"\x1b[?2027h", b"\x1b[?2027l", b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[S", b"\x1b7", b"\x1b8", b"xxxxxxx"]
        ),
    ),
    max_size=40,
).map(_joined)  # fmt: skip
