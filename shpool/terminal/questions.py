"""Questions in a program's output, that terminals answer by typing, and what each is answered by.

For whoever passes output on to several terminals of which one is to answer. The answers are named
as keys/sorting.py names them. What asks whether there is a question at all is in leave.py.
"""

import re

from .leave import csi_asks

# What most output is full of is soon passed over. `m` and `q` need a private marker.
_QUESTION = re.compile(
    rb"""\x1b (?! \[ [0-9;]* [A-MPXdhlmr@] ) (?:
      \[ ( [<-?]? [0-9:;]* ) ( [cnutxS] | [$]p | [*]y | (?<=[>0-9])q | (?<=[?0-9])m )
    | ( Z
      | \] [0-9]{1,4} [^\x07\x1b]{0,200}? ;\?
      | P [$+] q
      | _G [^\x1b;]{0,200}
      )
    )""",
    re.VERBOSE,
)

# Of output that begins with a sequence in every so many bytes it is told faster, up to five times,
# that there is no question in it, where parameters are left out, and what makes a question of a
# CSI, or of another sequence, is one byte each.
_LOOK = 1024
_DENSE = 8
_PARAMETERS = b"0123456789:;<?"
_KINDS = bytes.maketrans(b"cnutxS$*>=Z]P_", b"!" * 10 + b'"' * 4)
_KEYS_QUESTION = re.compile(rb"\x1b\[\?[0-9;:]*m").search

# What may yet become a question.
_CUT = re.compile(
    rb"""\x1b(?:
      \[ [<-?]? [0-9:;]{0,100} [$*]?
    | \] [^\x07\x1b]{0,200}
    | P [$+]?
    | _ (?: G [^\x1b;]{0,200} )?
    )?""",
    re.VERBOSE,
).fullmatch
_LONGEST_CUT = 256

# The answers to DSR and to window operations that are not answered by their own kind.
_DSR = {b"5": "n", b"6": "R", b"?6": "?R"}
_TITLES = (b"20", b"21")


class Questions:
    """Finds the questions in a stream of output; `cut`: what it ended in the middle of."""

    __slots__ = ("cut",)

    CARRIED = {"cut": bytes}

    def __init__(self) -> None:
        self.cut = b""

    def find(self, data: bytes) -> "list[str]":
        """What will answer the questions that `data` completes, in order."""
        if not self.cut and b"\x1b" not in data:
            return []
        data = self.cut + data
        found = []
        end = 0
        for match in _QUESTION.finditer(data) if _may_ask(data) else ():
            answer = _answer(match)
            if answer and (match.end() < len(data) or not _open(match)):
                found.append(answer)
                end = match.end()
        last = data.rfind(b"\x1b", max(end, len(data) - _LONGEST_CUT))
        self.cut = data[last:] if last >= 0 and _CUT(data, last) else b""
        return found


def _may_ask(data: bytes) -> bool:
    """False where _QUESTION would match nothing that is a question."""
    if data.count(b"\x1b", 0, _LOOK) * _DENSE < min(len(data), _LOOK):
        return True
    kinds = data.translate(_KINDS, _PARAMETERS)
    if b"\x1b[!" in kinds or b'\x1b"' in kinds:
        return True
    return b"\x1b[?" in data and _KEYS_QUESTION(data) is not None


def _open(match: "re.Match[bytes]") -> bool:
    """The graphics command may go on, and say that no answer is wanted."""
    return match[0].startswith(b"\x1b_")


def _answer(match: "re.Match[bytes]") -> str:
    parameters, behind, other = match.groups()
    if other is not None:
        if other == b"Z":
            return "?c"
        if other.startswith(b"_G"):
            return "" if b"q=2" in other else "apc"
        return "osc" if other.startswith(b"]") else "dcs"
    private = parameters[:1]
    if behind == b"m":
        return ">m" if private == b"?" else ""
    if not csi_asks(parameters, behind):
        return ""
    if behind == b"c":
        return "dcs" if private == b"=" else ">c" if private == b">" else "?c"
    if behind == b"n":
        return _DSR.get(parameters, "?n")
    if behind == b"t":
        return "osc" if parameters.partition(b";")[0] in _TITLES else "t"
    if behind == b"$p":
        return "?$y" if private == b"?" else "$y"
    return {b"u": "?u", b"S": "?S", b"x": "x"}.get(behind, "dcs")
