"""Splitting a command line into words as a POSIX shell does, without anything that it expands.

shlex is close but not it: between double quotes it keeps the backslash of ``\\$`` and ``\\```, and
it keeps the newline of a line that goes on on the next one.
"""

from shpool.errors import ShpoolError

_BLANKS = " \t\n"

# XCU 2.2.3: between double quotes a backslash quotes only these, and joins lines.
_QUOTABLE = '$`"\\'


class WordError(ShpoolError):
    """Quotes that are not closed; the text is meant for the user."""


def split_words(text: str) -> list[str]:
    """The words of `text`, by the rules of XCU 2.2 (quoting) and 2.3 (token recognition).

    Blanks and newlines separate words, a ``#`` at the start of a word begins a comment that ends
    with the line. Operators, globs and ``$`` stand for themselves. Raises WordError.
    """
    words: list[str] = []
    position = 0
    while True:
        position = _skip_blanks(text, position)
        if position == len(text):
            return words
        word, position = _word(text, position)
        words.append(word)


def _skip_blanks(text: str, position: int) -> int:
    """Where the next word begins, or the end of `text`."""
    while position < len(text):
        if text[position] in _BLANKS:
            position += 1
        elif text.startswith("\\\n", position):
            position += 2
        elif text[position] == "#":
            end = text.find("\n", position)
            position = end if end >= 0 else len(text)
        else:
            break
    return position


def _word(text: str, position: int) -> tuple[str, int]:
    """The word that begins at `position`, and where it ends."""
    pieces: list[str] = []
    while position < len(text) and text[position] not in _BLANKS:
        if text[position] == "'":
            end = text.find("'", position + 1)
            if end < 0:
                raise WordError("missing closing ' in the command")
            pieces.append(text[position + 1 : end])
            position = end + 1
        elif text[position] == '"':
            piece, position = _double_quoted(text, position + 1)
            pieces.append(piece)
        elif text[position] == "\\" and position + 1 < len(text):
            pieces.append(text[position + 1].replace("\n", ""))
            position += 2
        else:  # a backslash at the very end has nothing to quote and stands for itself
            pieces.append(text[position])
            position += 1
    return "".join(pieces), position


def _double_quoted(text: str, position: int) -> tuple[str, int]:
    """What stands between double quotes, and where the text goes on behind the closing one."""
    pieces: list[str] = []
    while position < len(text):
        character = text[position]
        position += 1
        if character == '"':
            return "".join(pieces), position
        following = text[position : position + 1]
        if character == "\\" and following:
            if following in _QUOTABLE:
                character = following
                position += 1
            elif following == "\n":
                character = ""
                position += 1
        pieces.append(character)
    raise WordError('missing closing " in the command')
