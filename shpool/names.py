"""What a session may be called. A name is also the name of a directory and a word in tables."""

from shpool.errors import Verdict

# What file systems allow for one name (NAME_MAX), in bytes.
MAX_NAME_BYTES = 255


class InvalidName(Verdict):
    """A name that no session may have; the text is meant for the user."""


def check_session_name(name: str) -> None:
    """Raise InvalidName, saying why, if no session may be called `name`."""
    if not name:
        raise InvalidName("blank session names are not allowed")
    if any(character.isspace() for character in name):
        raise InvalidName(f"session name '{_shown(name)}' may not have whitespace")
    if "/" in name:
        raise InvalidName("session names may not contain slashes")
    if name in (".", ".."):
        raise InvalidName("session names may not be special directory names")
    if any(_is_control(character) for character in name):
        raise InvalidName(f"session name '{_shown(name)}' may not have control characters")
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        # What Python makes of arguments that are not UTF-8; no such name can go over the wire.
        raise InvalidName(f"session name '{_shown(name)}' is not valid UTF-8") from None
    if size > MAX_NAME_BYTES:
        raise InvalidName(f"session names may not be longer than {MAX_NAME_BYTES} bytes")


def _is_control(character: str) -> bool:
    """Whether `character` is of Unicode's category Cc: C0, DEL and C1."""
    return character < " " or "\x7f" <= character <= "\x9f"


def _shown(name: str) -> str:
    """`name` as it can be printed in one line of a terminal that nobody wants to surprise."""
    return "".join(
        character if character == " " or character.isprintable() else ascii(character)[1:-1]
        for character in name
    )
