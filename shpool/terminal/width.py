"""How many columns a character takes, and which characters need to be asked about at all.

Widths are those of xterm and wcwidth tables: from unicodedata, without locale, and with the
corrections below. Terminals differ in what they make of emoji that are joined (ZWJ, skin tones,
regional indicators) or told to be emoji (variation selector 16): most take them one by one, some
as clusters, at least when mode 2027 asks for it.
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

ZWJ = "\u200d"
VS16 = "\ufe0f"
KEYCAP = "\u20e3"

# Of the blocks that are made for emoji, the parts that are not full yet: transport, and Symbols
# and Pictographs Extended-A.
_EMOJI_TO_COME = re.compile("[\U0001f6d0-\U0001f6ff\U0001fa70-\U0001faff]").match
_SKIN_TONE = re.compile("[\U0001f3fb-\U0001f3ff]").match
_FLAG_LETTERS = re.compile("[\U0001f1e6-\U0001f1ff]").match  # regional indicators
# What ZWJ joins: more or less Extended_Pictographic.
_PICTURE = re.compile(
    "[\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u25fe\u2600-\u27bf\u2934\u2935"
    "\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001faff]"
).match


def char_width(char: str) -> int:
    """Columns that one printable character takes: 0, 1 or 2.

    Unassigned characters take 1, as in xterm and unlike in east_asian_width's CJK ranges; but 2
    where emoji are added with each version of Unicode, which may be newer than this Python's.
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
    if kind == "Cn":
        return 2 if _EMOJI_TO_COME(char) else 1
    return 2 if east_asian_width(char) in "WF" else 1


def joins(cluster: str, char: str) -> bool:
    """Returns whether a character belongs to the cluster before it (UAX 29, extended grapheme
    clusters, without what depends on a script)."""
    if char_width(char) == 0 or _SKIN_TONE(char):
        return True
    if _FLAG_LETTERS(cluster):
        return len(cluster) == 1 and _FLAG_LETTERS(char) is not None
    return cluster.endswith(ZWJ) and _PICTURE(char) is not None


def cluster_width(cluster: str) -> int:
    """Columns that a cluster takes where it is taken as one: mode 2027."""
    if VS16 in cluster or (len(cluster) > 1 and _FLAG_LETTERS(cluster)):
        return 2
    return max(map(char_width, cluster))


def is_doubtful(cluster: str) -> bool:
    """Returns whether what is one column wide here may be two elsewhere."""
    flag_letter = _FLAG_LETTERS(cluster) is not None
    return VS16 in cluster or KEYCAP in cluster or flag_letter or category(cluster[0]) == "Cn"
