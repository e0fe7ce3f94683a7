"""What may go wrong in a way that a user is told about, in one line and without a traceback."""


class ShpoolError(Exception):
    """The root of every error with a message fit for the user; caught once, in cli.py."""


class UsageError(ShpoolError):
    """What was typed cannot be understood; the message names the word.  The usage is shown too."""


class Verdict(ShpoolError):
    """A message that scripts match, so it is printed as it is, without our name before it."""


# What a daemon says when one answers already: to a client that started it, this is no failure.
ALREADY_RUNNING = "another daemon is already running"


def described(error: BaseException) -> str:
    """What nobody foresaw, in one line: what it is, and what it says, if anything."""
    name = type(error).__name__
    return f"{name}: {error}" if str(error) else name
