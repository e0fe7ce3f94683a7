"""Persistent shell sessions without a terminal multiplexer."""

# This file and __main__.py come before all others, and a Python that is too old for those reads
# them: they are written in what Python 2.7 understands, too.
import sys

__version__ = "0.2.0"

if sys.version_info < (3, 9):  # noqa: UP036  the only place where it can be older
    sys.exit("shpool: needs Python 3.9 or later, this is {}.{}.{}".format(*sys.version_info[:3]))
