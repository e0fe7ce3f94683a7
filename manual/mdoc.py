"""Text for man pages in mdoc(7): what is escaped, and the part of Markdown that CONFIG.md has."""

import re
import textwrap

# Headings, fences and items; anything else is text, or code if it is indented.
_HEADING = re.compile(r"(#+) (.*)")
_ITEM = re.compile(r"- (.*)")

_INLINE = re.compile(
    r"""
    `(?P<code>[^`]+)`
    | \[(?P<label>[^]]*)\]\((?P<target>[^)]*)\)
    | \*\*(?P<strong>[^*]+)\*\*
    """,
    re.VERBOSE,
)


def escaped(text: str) -> str:
    """`text` as it is: no escapes, no requests, ASCII hyphens and quotes."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    text = text.replace("^", "\\(ha").replace("~", "\\(ti").replace("`", "\\(ga")
    return re.sub(r"^(?=[.'])", r"\\&", text, flags=re.MULTILINE).replace("'", "\\(aq")


def prose(text: str) -> str:
    """Words to be filled, each sentence on a line of its own, as mdoc wants them."""
    out, at = [], 0
    text = " ".join(text.split())
    for match in _INLINE.finditer(text):
        out.append(_words(text[at : match.start()]))
        out.append(_marked(match))
        at = match.end()
    out.append(_words(text[at:]))
    lines: list[str] = []
    for sentence in re.split(r"(?<=[\w)}\"][.?!]) +", "".join(out)):
        lines += textwrap.wrap(sentence, 78, break_long_words=False, break_on_hyphens=False)
    return re.sub(r"^(?=[.'])", r"\\&", "\n".join(lines), flags=re.MULTILINE)


def _words(text: str) -> str:
    return text.replace("\\", "\\e").replace("^", "\\(ha").replace("~", "\\(ti")


def _marked(match: "re.Match[str]") -> str:
    if match["code"]:
        return f"\\fB{escaped(match['code'])}\\fP"
    if match["strong"]:
        return f"\\fB{_words(match['strong'])}\\fP"
    label, target = _words(match["label"].strip("`")), match["target"]
    return f"{label} ({escaped(target)})" if target.startswith("http") else label


def code(lines: "list[str]") -> str:
    return "\n".join([".Bd -literal -offset indent", *map(escaped, lines), ".Ed"])


def of_markdown(text: str) -> str:
    """The body of a page: sections of second-level headings, subsections of third-level ones."""
    out: list[str] = []
    for block in _blocks(text):
        first = block[0]
        heading = _HEADING.match(first)
        if heading:
            level = len(heading[1])
            title = heading[2].replace("`", "")
            if level > 1:
                out.append(f".Ss {escaped(title)}" if level > 2 else f".Sh {title.upper()}")
        elif first.startswith("    "):
            out.append(code([line[4:] for line in block]))
        elif first.startswith("```"):
            out.append(code(block[1:-1]))
        elif _ITEM.match(first):
            out.append(".Bl -bullet")
            out += [f".It\n{prose(item)}" for item in _items(block)]
            out.append(".El")
        else:
            if out and not out[-1].startswith((".Sh", ".Ss")):
                out.append(".Pp")
            out.append(prose(" ".join(block)))
    return "\n".join(out) + "\n"


def _blocks(text: str) -> "list[list[str]]":
    """Paragraphs, headings, lists and pieces of code, each a list of lines."""
    blocks: list[list[str]] = []
    block: list[str] = []
    for line in [*text.splitlines(), ""]:
        fenced = bool(block) and block[0].startswith("```")
        if fenced:
            block.append(line)
            if line == "```":
                blocks.append(block)
                block = []
        elif line:
            block.append(line)
        elif block:
            blocks.append(block)
            block = []
    return blocks


def _items(block: "list[str]") -> "list[str]":
    items: list[str] = []
    for line in block:
        match = _ITEM.match(line)
        if match:
            items.append(match[1])
        else:
            items[-1] += f" {line.strip()}"
    return items
