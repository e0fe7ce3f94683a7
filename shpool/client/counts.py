"""Numbers of lines on the command line."""

from shpool.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from shpool.options import Parsed

# More than any session has had lines, and no more than a message can say.
_MOST = 1 << 62


def count(parsed: "Parsed", option: str, called: str) -> "int | None":
    """The value of `option`, None if it was not given.  Raises UsageError."""
    value = parsed.text(option)
    if value is None:
        return None
    if not (value.isascii() and value.isdigit()) or len(value) > 18:
        raise UsageError(f"the option '{called}' takes a number, not '{value}'")
    return min(int(value), _MOST)
