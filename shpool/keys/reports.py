"""What a terminal sends by itself, or because a program has asked it: nobody has typed that."""

import re

_REPORTS = re.compile(
    rb"""
    (?: \x1b \[ (?: [?>=] [0-9;:]* [ $]* [a-zA-Z]        # answers: attributes, modes, keyboard
                 | [0-9;]* [cnRt] | [IO]               # and positions, sizes; the focus
                 | < [0-9;]+ [Mm] | M [ -\xff]{3} )     # the mouse
      | \x1b [\]P_] [^\x1b\x07]* (?: \x07 | \x1b\\ )     # colours, settings, versions
    )+
    """,
    re.VERBOSE | re.DOTALL,
).fullmatch


def only_reports(data: bytes) -> bool:
    """Returns whether nothing in `data` is a key.  A report that is cut in two is taken for one."""
    return data[:1] == b"\x1b" and _REPORTS(data) is not None
