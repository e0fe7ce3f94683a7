"""How many columns a character takes, and which characters need to be asked about at all.

Widths are those of xterm and wcwidth tables: from unicodedata, without locale, and with the
corrections below. Joining of emoji (ZWJ, regional indicators) widens nothing here.
"""

import re
from unicodedata import category, east_asian_width

# Finds a character that is not surely one column wide. What it lets pass is one column in every
# version of Unicode: Latin, Greek, Cyrillic, punctuation, arrows, box drawing, blocks, Braille
# and the private areas that icon fonts use. Plane 16 is not let pass: the model keeps its
# clusters there (see clusters.py).
UNSURE = re.compile(
    "[^ -~\u00a0-\u02ff\u0370-\u0482\u048a-\u0590\u2010-\u2027\u2030-\u205f\u2070-\u20cf"
    "\u2100-\u2319\u231c-\u2328\u232b-\u23e8\u2400-\u25fc\u25ff-\u2613\u2800-\u28ff"
    "\ue000-\uf8ff\ufffd\U000f0000-\U000ffffd]"
)


def char_width(char: str) -> int:
    """Columns that one printable character takes: 0, 1 or 2.

    Unassigned characters take 1, as in xterm and unlike in east_asian_width's CJK ranges.
    U+00AD takes 1 though it is a format character; medial vowels and final consonants of Hangul
    (U+1160 to U+11FF) take 0, they are drawn into the syllable that they follow.
    """
    if char < "\u0300":
        return 1
    if "\u1160" <= char <= "\u11ff":
        return 0
    kind = category(char)
    if kind in ("Mn", "Me", "Cf"):
        return 0
    if kind != "Cn" and east_asian_width(char) in "WF":
        return 2
    return 1
