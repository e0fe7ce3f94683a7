"""A command as it is given to a shell at its prompt: quoted for that shell, and pasted.

It is never typed: a tab would complete, and other keys do what the user has bound them to.
"""

import re

from shpool.keys.pasting import CannotPaste, pasted

# What no shell gives a meaning to.  "=" is among it in an option alone: zsh expands it at the
# beginning of a word, and it makes the first word an assignment.
_PLAIN = re.compile(r"(?:-[a-zA-Z0-9_-]+=)?[a-zA-Z0-9_@%+:,./-]+").fullmatch

# What fish drops from a paste, or takes for keys, though it stands between quotes.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\x9b]+").sub
_NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\x9b": "\\u009b"}

# What the terminal may keep of a paste for others, as ^C and ^S, and what is pasted as a line end
# or is no part of what is pasted.
_NOT_PASTED = re.compile("[\x00-\x08\x0b-\x1f\x7f\x9b]+").sub

# In a line for fish: that, but for line ends, and what decides whether it stands between quotes.
_IN_FISH = re.compile(
    r"""
    (?P<escaped> \\ . )
    | (?P<quote> ['"] )
    | (?P<comment> (?: (?<= [\s;]) | ^ ) \# [^\n]* )
    | (?P<control> [\x00-\x09\x0b-\x1f\x7f\x9b]+ )
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)

# A command of so many characters may have been cut by who tells of it.
_CUT = 1000

# Without bracketed paste a shell may expand it where it stands.
_ONE_LINE = "the shell takes nothing else while it has bracketed paste off"


def command_line(words: "list[str]", line: "str | None", shell: str) -> str:
    """What `shell` is to be given: `line`, or else `words` quoted for it."""
    if line is None:
        return " ".join(
            [_quoted_for_fish(each) if shell == "fish" else _quoted(each) for each in words]
        )
    return _without_controls(line) if shell == "fish" else line


def _quoted(word: str) -> str:
    if _PLAIN(word):
        return word
    quoted = "'" + word.replace("'", "'\\''") + "'"
    return _NOT_PASTED(lambda found: f"'$'{_bytes(found[0])}''", quoted)


def _bytes(text: str) -> str:
    """As escapes, which mean the same in every locale."""
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def _quoted_for_fish(word: str) -> str:
    if _PLAIN(word):
        return word
    quoted = "'" + word.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return _escaped(quoted, "'")


def _escaped(text: str, quote: str) -> str:
    """With escapes for control characters, which stand outside of quotes."""
    return _CONTROLS(lambda found: quote + "".join(map(_escape, found[0])) + quote, text)


def _escape(control: str) -> str:
    return _NAMED.get(control) or f"\\x{ord(control):02x}"


def _without_controls(line: str) -> str:
    """The same to fish, with blanks for tabs that are not quoted."""
    quote = ""

    def replaced(found: "re.Match[str]") -> str:
        nonlocal quote
        text = found[0]
        if found["quote"] and quote in ("", text):
            quote = "" if quote else text
        elif (found["control"] or found["comment"]) and quote:
            return _escaped(text, quote)
        elif found["comment"]:
            return _CONTROLS(" ", text)
        elif found["control"]:
            return _escaped(text.replace("\t", " "), "")
        return text

    return _IN_FISH.sub(replaced, line)


def pasted_command(text: str, *, bracketed: bool) -> bytes:
    """The bytes that have the shell run `text`.  Raises CannotPaste."""
    if not bracketed:
        if "\n" in text:
            raise CannotPaste(f"the command has several lines: {_ONE_LINE}")
        if "!" in text:
            raise CannotPaste(f"the command has ! in it: {_ONE_LINE}")
        if any(character < " " or character == "\x7f" for character in text):
            raise CannotPaste(f"the command has a control character in it: {_ONE_LINE}")
    return pasted(text, bracketed=bracketed) + b"\r"


def same_command(told: str, ours: str) -> bool:
    """Returns whether a shell tells of our command.  It may have cut it, joined its lines, or tell
    of the first ones alone."""
    bare_told, bare_ours = _bare(told), _bare(ours)
    if bare_told == bare_ours:
        return True
    cut = "\n" in ours or len(told) >= _CUT
    return cut and bare_ours.startswith(bare_told)


def _bare(command: str) -> str:
    return re.sub(r"[\s;]+", "", command)
