"""Lines of text out of a program's raw output, as they come about.

Not a terminal: what is written in one row from the left to its line feed, with the means that
shells and progress bars use to write it anew.  What is put elsewhere on the screen is told apart,
and what is on the alternate screen is left out.  Columns are counted in characters.
"""

import re
from codecs import getincrementaldecoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    class Version(NamedTuple):
        """`complete`: a line feed followed; `placed`: the cursor was put there from elsewhere;
        `cut`: the line goes on, in spite of `complete`, and is too long to be kept whole."""

        text: str
        complete: bool
        placed: bool
        cut: bool = False
else:
    from collections import namedtuple

    Version = namedtuple("Version", ("text", "complete", "placed", "cut"), defaults=(False,))

# A longer line is cut, in characters.
_LONGEST = 1_000_000

# A longer sequence is none, in characters.
_LONGEST_SEQUENCE = 256

# What a sequence may count up to here.
_MOST = 10_000

_PENS = re.compile(r"\x1b\[[0-9;:]*m").sub

# What is more than text in lines.
_ODD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]").search

_TOKEN = re.compile(
    r"""
      (?P<text> [^\x00-\x08\x0a-\x1f\x7f-\x9f]+ )
    | (?P<end> \r*[\n\v\f] | \x85 | \x1b[DE] )              # LF, NEL, IND
    | (?: \x1b\[ | \x9b ) (?P<parameters> [0-?]* ) [\ -/]* (?P<final> [@-~] )
    | (?P<string> \x1b[]PX^_] | [\x90\x98\x9d-\x9f] )
    | \x1b [\ -/]* (?P<escape> [0-~] )
    | (?P<control> [\x00-\x1f\x7f-\x9f] )
    """,
    re.VERBOSE,
).match

# What may yet become a sequence or a line end.
_OPEN = re.compile(
    r"(?: \x1b (?: [\ -/]* | \[ [0-?]* [\ -/]* ) | \x9b [0-?]* [\ -/]* | \r+ ) \Z", re.VERBOSE
).match

_STRING_END = re.compile(r"\x07|\x9c|\x1b\\|[\x18\x1a]").search

# CSI with these finals, and ESC with these, put the cursor elsewhere or move what is there.
_PLACING = frozenset("ABEFHLMSTadefkru")
_PLACING_ESCAPES = frozenset("M8")

_ALTERNATE = frozenset(("47", "1047", "1049"))


class Lines:
    """Bytes in, however they are cut; versions of lines out.

    A carriage return or an erase begins a new version of the line.  `text` is the version that
    is being written.
    """

    def __init__(self, text: str = "", *, alternate: bool = False, placed: bool = False) -> None:
        self.text = text
        self.placed = placed
        self._column = len(text)
        self._alternate = alternate
        self._in_string = False
        self._held = ""
        self._last = " "  # the character that was written last
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._found: list[Version] = []

    def feed(self, data: bytes) -> "list[Version]":
        """The versions that are over with `data`."""
        new = self._held + self._decoder.decode(data)
        self._held = ""
        if self._in_string:
            new = self._pass_string(new, 0)
        if "\x1b" in new:
            new = _PENS("", new)
        plain = new.replace("\r\n", "\n")
        if _ODD(plain) or self._alternate or self._column != len(self.text):
            self._take(new)
        else:
            self._take_plain(plain)
        found, self._found = self._found, []
        return found

    def _take_plain(self, plain: str) -> None:
        """Nothing but text and line feeds."""
        first, *more = plain.split("\n")
        self._put(first)
        if more:
            self._end()
            last = more.pop()
            self._found += [Version(line, True, False) for line in more]
            self._put(last)

    def _take(self, new: str) -> None:
        position = 0
        while (token := _TOKEN(new, position)) is not None:
            if len(new) - position < _LONGEST_SEQUENCE and _OPEN(new, position):
                self._held = new[position:]
                return
            position = token.end()
            if token.lastgroup == "string":
                new = self._pass_string(new, position)
                position = 0
            elif self._alternate:
                self._look_for_main(token)
            else:
                self._do(token)

    def _pass_string(self, new: str, start: int) -> str:
        """What follows the string that `new` is in the midst of."""
        end = _STRING_END(new, start)
        self._in_string = end is None
        if end is None:
            self._held = "\x1b" if new.endswith("\x1b") else ""
            return ""
        return new[end.end() :]

    def _look_for_main(self, token: "re.Match[str]") -> None:
        final = token["final"]
        if (final == "l" and _names_alternate(token["parameters"])) or token["escape"] == "c":
            self._alternate = False
            self._place()

    def _do(self, token: "re.Match[str]") -> None:
        kind = token.lastgroup
        if kind == "text":
            self._put(token["text"])
        elif kind == "end":
            self._end()
        elif kind == "final":
            self._sequence(token["parameters"], token["final"])
        elif kind == "escape":
            if token["escape"] in _PLACING_ESCAPES or token["escape"] == "c":
                self._place()
        elif token["control"] == "\r":
            self._begin_anew("")
            self._column = 0
            self.placed = False
        elif token["control"] == "\b":
            self._column = max(self._column - 1, 0)

    def _sequence(self, parameters: str, final: str) -> None:
        if parameters[:1] in ("?", ">", "<", "="):
            if final == "h" and _names_alternate(parameters):
                self._place()
                self._alternate = True
            return
        column, text = self._column, self.text
        first = parameters.split(";")[0]
        number = min(int(first), _MOST) if first.isdigit() else 0
        count = max(number, 1)
        if final in "KJ":
            kept = {0: text[:column], 1: " " * column + text[column:]}.get(number, " " * column)
            self._begin_anew(kept)
            if final == "J" and number == 2:
                self.placed = False  # nothing else stands there now
        elif final == "P":
            self._begin_anew(text[:column] + text[column + count :])
        elif final == "X":
            self._begin_anew(text[:column] + " " * count + text[column + count :])
        elif final == "@":
            self.text = text[:column] + " " * count + text[column:]
        elif final == "C":
            self._column = min(column + count, _MOST)
        elif final == "D":
            self._column = max(column - count, 0)
        elif final in "G`":
            self._column = count - 1
        elif final == "b":
            self._put(self._last * count)
        elif final in _PLACING:
            self._place()

    def _put(self, text: str) -> None:
        if not text:
            return
        before, column = self.text, self._column
        if column == len(before):
            self.text = before + text
        else:
            self.text = before[:column].ljust(column) + text + before[column + len(text) :]
        self._column = column + len(text)
        self._last = text[-1]
        if len(self.text) > _LONGEST:
            self._end(cut=True)

    def _begin_anew(self, text: str) -> None:
        """Tell of the version that is over now, and go on with `text`."""
        if self.text.strip() and self.text != text:
            self._found.append(Version(self.text, False, self.placed))
        self.text = text

    def _place(self) -> None:
        self._begin_anew("")
        self._column = 0
        self.placed = True

    def _end(self, *, cut: bool = False) -> None:
        self._found.append(Version(self.text, True, self.placed, cut))
        self.text = ""
        self._column = 0
        self.placed = False


def _names_alternate(parameters: str) -> bool:
    return not _ALTERNATE.isdisjoint(parameters[1:].split(";"))
