"""What a Peek request is answered: a head, then chunks of kind Data with parts of the picture.

Parts are MessagePack values one after another, wherever the chunks are cut.  They hold rows as
the terminal model keeps them, which costs the daemon next to nothing; what they look like is made
of them by who asked.
"""

from shpool.protocol.msgpack import Decoder, WireError, pack
from shpool.protocol.shapes import (
    U16_MAX,
    U64_MAX,
    as_map,
    as_number,
    as_text,
    number,
    optional_number,
    optional_text,
    read_prompt,
    text,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    # foreground, background, attributes, underline kind, underline colour, hyperlink
    Pen = tuple[str, str, int, int, str, str]


class PeekHead:
    """A session's screen, but for its rows.

    `error`: why there is nothing to see; else the rest is meant.  `mark`: the number of the first
    line that is not wholly in the history; `begun`: how many begin above the screen.  `directory`:
    as the program gave it (OSC 7); `cwd`: the foreground process's.  `palette` and `dynamic`:
    colours by number, as the program named them.  `prompt`: as in SessionRow.  `shape`:
    DECSCUSR's number.
    """

    __slots__ = (
        "alternate",
        "begun",
        "cols",
        "cwd",
        "directory",
        "dynamic",
        "error",
        "mark",
        "name",
        "palette",
        "prompt",
        "quiet_ms",
        "reverse",
        "rows",
        "shape",
        "title",
        "visible",
        "x",
        "y",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.error: str | None = None
        self.rows = self.cols = self.x = self.y = 0
        self.visible = True
        self.alternate = self.reverse = False
        self.mark = self.begun = self.quiet_ms = 0
        self.title: str | None = None
        self.directory: str | None = None
        self.cwd: str | None = None
        self.palette: dict[int, str] = {}
        self.dynamic: dict[int, str] = {}
        self.shape: int | None = None
        self.prompt: dict[str, Any] | None = None

    def to_wire(self) -> "Any":
        fields: dict[str, Any] = {slot: getattr(self, slot) for slot in self.__slots__}
        for table in ("palette", "dynamic"):
            fields[table] = [[index, colour] for index, colour in fields[table].items()]
        return {"Peek": fields}

    @classmethod
    def from_wire(cls, value: "Any") -> "PeekHead":
        fields = as_map(as_map(value, "the reply").get("Peek"), "Peek")
        head = cls(text(fields, "name"))
        head.error = optional_text(fields, "error")
        for key in ("rows", "cols", "x", "y"):
            setattr(head, key, number(fields, key, 0, U16_MAX))
        for key in ("mark", "begun", "quiet_ms"):
            setattr(head, key, number(fields, key, 0, U64_MAX))
        for key in ("title", "directory", "cwd"):
            setattr(head, key, optional_text(fields, key))
        head.visible = fields.get("visible") is not False
        head.alternate = fields.get("alternate") is True
        head.reverse = fields.get("reverse") is True
        head.shape = optional_number(fields, "shape", 0, U16_MAX)
        head.prompt = read_prompt(fields)
        head.palette = _colours(fields.get("palette"))
        head.dynamic = _colours(fields.get("dynamic"))
        return head


def _colours(value: "Any") -> "dict[int, str]":
    if value is None:
        return {}
    try:
        return {as_number(key, "a colour", 0, 255): as_text(name, "it") for key, name in value}
    except (TypeError, ValueError):
        raise WireError("a table of colours is none") from None


def pack_part(
    texts: "list[str]",
    styles: "list[tuple[int, str]]",
    wrapped: "list[int]",
    pens: "list[tuple[str, Pen]]",
    clusters: "list[tuple[str, str]]",
) -> bytes:
    """A part of a picture, as terminal/snapshot.py has it.  No text has a control character in it
    but those that stand for a cell."""
    looks = ["\t".join((pen[0], pen[1], str(pen[2]), str(pen[3]), *pen[4:])) for _, pen in pens]
    return pack(
        [
            _bytes("\n".join(texts)),
            [item for row, style in styles for item in (row, _bytes(style))],
            wrapped,
            _bytes("".join([cell for cell, _ in pens])),
            _bytes("\n".join(looks)),
            _bytes("".join([cell for cell, _ in clusters])),
            _bytes("\n".join([cluster for _, cluster in clusters])),
        ]
    )


def _bytes(content: str) -> bytes:
    """The number of a pen may be that of a surrogate."""
    return content.encode("utf-8", "surrogatepass")


class Rows:
    """The rows that have come: `texts`, `styles`, and `wrapped`, whether each continues the one
    before; what the characters in styles and texts stand for is in `pens` and `clusters`."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.styles: list[str] = []
        self.wrapped: list[bool] = []
        self.pens: dict[str, Pen] = {}
        self.clusters: dict[str, str] = {}
        self._decoder = Decoder()

    def feed(self, data: bytes) -> None:
        """Take what a chunk holds.  Raises WireError."""
        while data and self._decoder.feed(data):
            try:
                self._take(self._decoder.value)
            except (TypeError, ValueError, IndexError, AttributeError):
                raise WireError("a part of a picture is none") from None
            data = self._decoder.rest
            self._decoder = Decoder()

    def _take(self, part: "list[Any]") -> None:
        content, styles, wrapped, numbers, looks, cells, clusters = part
        before = len(self.texts)
        texts = _str(content).split("\n")
        self.texts += texts
        self.styles += [""] * len(texts)
        self.wrapped += [False] * len(texts)
        for row, style in zip(styles[::2], styles[1::2]):
            self.styles[before + row] = _str(style)
        for row in wrapped:
            self.wrapped[before + row] = True
        if numbers:
            self.pens.update(zip(_str(numbers), map(_pen, _str(looks).split("\n"))))
        if cells:
            self.clusters.update(zip(_str(cells), _str(clusters).split("\n")))


def _str(content: bytes) -> str:
    return content.decode("utf-8", "surrogatepass")


def _pen(look: str) -> "Pen":
    foreground, background, attributes, kind, line, link = look.split("\t", 5)
    return foreground, background, int(attributes), int(kind), line, link
