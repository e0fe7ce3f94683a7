"""What a session may be called. A name is also the name of a directory and a word in tables."""

from shpool.errors import Verdict

# What file systems allow for one name (NAME_MAX), in bytes.
MAX_NAME_BYTES = 255

# Unicode's Bidi_Control: what stands behind one of them, in a table of sessions say, may be shown
# in another order than it has.
_BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


class InvalidName(Verdict):
    """A name that no session may have; the text is meant for the user."""


def check_session_name(name: str, template: str = "") -> None:
    """Raise InvalidName, saying why, if no session may be called `name`, made of `template`."""
    if not name:
        raise blank(template)
    _check_length(name, "session name")
    if any(character.isspace() for character in name):
        raise InvalidName(f"session name '{shown(name)}' may not have whitespace")
    if "/" in name:
        raise InvalidName("session names may not contain slashes")
    if name in (".", ".."):
        raise InvalidName("session names may not be special directory names")
    _check_text(name, "session name")


def blank(template: str) -> InvalidName:
    """That a name is empty, and that it is for the variables in `template`, if there are any."""
    unset = f": the variables in '{shown(template)}' are not set" if "{" in template else ""
    return InvalidName(f"blank session names are not allowed{unset}")


def check_name_template(template: str) -> None:
    """Raise InvalidName, saying why, if no session's name can come of `template`.

    It stands beside the names in tables, so it is no longer than they are. Empty: not told.
    """
    _check_length(template, "session name template")
    if any(character.isspace() for character in template):
        raise InvalidName(f"session name template '{shown(template)}' may not have whitespace")
    _check_text(template, "session name template")


def _check_length(text: str, what: str) -> None:
    """Before each character of it is looked at: a request may bring a million."""
    if len(text) > MAX_NAME_BYTES or len(text.encode(errors="replace")) > MAX_NAME_BYTES:
        raise InvalidName(f"{what}s may not be longer than {MAX_NAME_BYTES} bytes")


def _check_text(text: str, what: str) -> None:
    if any(_is_control(character) for character in text):
        raise InvalidName(f"{what} '{shown(text)}' may not have control characters")
    if not _BIDI_CONTROLS.isdisjoint(text):
        raise InvalidName(
            f"{what} '{shown(text)}' may not have characters that change the direction of text"
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        # What Python makes of arguments that are not UTF-8; no such name can go over the wire.
        raise InvalidName(f"{what} '{shown(text)}' is not valid UTF-8") from None


def _is_control(character: str) -> bool:
    """Returns whether `character` is of Unicode's category Cc: C0, DEL and C1."""
    return character < " " or "\x7f" <= character <= "\x9f"


def shown(name: str) -> str:
    """`name` as it can be printed in one line of a terminal that nobody wants to surprise."""
    return "".join(
        character if character == " " or character.isprintable() else ascii(character)[1:-1]
        for character in name
    )
