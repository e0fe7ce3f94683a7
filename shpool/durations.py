"""Lengths of time as a user writes them, for ``--ttl`` and ``show_every``."""

from shpool.errors import UsageError

# What a signed 64-bit count of nanoseconds holds, 292 years. Clocks count in those (time_t with
# nanoseconds, timerfd, Python's own), and a deadline beyond it would overflow somewhere below.
MAX_SECONDS = (2**63 - 1) // 10**9

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_COLON_UNITS = (1, 60, 3600, 86400)

# Longer than any number within MAX_SECONDS, short enough that int() is cheap and never refuses.
_MAX_DIGITS = 20


class DurationError(UsageError):
    """A length of time that cannot be understood; the text is meant for the user."""


def parse_duration(text: str) -> int:
    """The seconds in `text`: ``dd:hh:mm:ss`` with leading parts left off, or ``20d``.

    The units are ``s``, ``m``, ``h`` and ``d``. A number alone is refused, since it says no
    unit. A part may pass its usual range: ``90:00`` is an hour and a half. Raises DurationError.
    """
    if ":" in text:
        parts = text.split(":")
        if len(parts) > len(_COLON_UNITS):
            raise DurationError(f"could not parse {text!r} as duration: more than dd:hh:mm:ss")
        seconds = sum(
            _number(part, text) * unit for part, unit in zip(reversed(parts), _COLON_UNITS)
        )
    else:
        unit = text[-1:]
        if unit.isascii() and unit.isdigit():
            raise DurationError(
                f"could not parse {text!r} as duration: no unit, write for example {text}s"
            )
        if unit not in _UNITS:
            raise DurationError(
                f"could not parse {text!r} as duration:"
                " want dd:hh:mm:ss or a number with s, m, h or d"
            )
        seconds = _number(text[:-1], text) * _UNITS[unit]
    if seconds > MAX_SECONDS:
        raise DurationError(f"could not parse {text!r} as duration: longer than 292 years")
    return seconds


def parse_span(text: str) -> int:
    """The milliseconds in `text`, as parse_duration has it, or a number with ``ms``."""
    if text.endswith("ms"):
        return _number(text[:-2], text)
    return 1000 * parse_duration(text)


def _number(digits: str, text: str) -> int:
    if not (digits.isascii() and digits.isdigit()):
        raise DurationError(f"could not parse {text!r} as duration: {digits!r} is no number")
    if len(digits) > _MAX_DIGITS:
        raise DurationError(f"could not parse {text!r} as duration: longer than 292 years")
    return int(digits)
