"""The words of `shpool ssh`: options of ours, which are long, and ssh's own, passed on."""

from shpool import options as common
from shpool.errors import UsageError
from shpool.options import Parsed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from shpool.options import Option

# ssh(1), OpenSSH 9.2; -P is a flag or has a value, by its version.
_VALUED = frozenset("bceilmopwBDEFIJLOQRSW")

_NO_SESSION = "a session needs a terminal and a command there"
_NO_SSH = "it logs in nowhere"

_REFUSED = {
    **dict.fromkeys("fNnsTW", _NO_SESSION),
    **dict.fromkeys("GQV", _NO_SSH),
    "O": "it only speaks to a master that is there",
    "M": "the connection would be shared; see --share-connection",
    **dict.fromkeys("Ey", "what ssh says tells whether the connection was lost"),
}


def parse(words: "Sequence[str]", options: "Sequence[Option]") -> Parsed:
    """HOST and NAME are the arguments, ssh's own options in `rest`.  Raises UsageError."""
    passed = _Passed(words)
    parsed = common.parse(words, options, passed=passed.take)
    parsed.rest = passed.words
    return parsed


def unquiet(words: "Sequence[str]") -> "list[str]":
    """ssh's options without -q, under which it does not say why it has ended."""
    found: list[str] = []
    pending = list(reversed(words))
    while pending:
        word = pending.pop()
        flags = len(word)
        for at, letter in enumerate(word):
            if letter in _VALUED or letter == "P":
                flags = at
                break
        kept = word[:flags].replace("q", "") + word[flags:]
        if kept != "-":
            found.append(kept)
        if flags == len(word) - 1 and pending:
            found.append(pending.pop())  # a value of its own
    return found


class _Passed:
    """Takes ssh's options; `words` are those, as they were given."""

    def __init__(self, given: "Sequence[str]") -> None:
        self.words: list[str] = []
        self._given = given

    def take(self, word: str, pending: "list[str]") -> bool:
        """Returns whether `word` is ssh's; a value of it is taken from the end of `pending`."""
        if word == "-h":
            return False
        for at, letter in enumerate(word[1:], 2):
            if letter in _REFUSED:
                raise UsageError(f"ssh's option '-{letter}' cannot be used: {_REFUSED[letter]}")
            if letter in _VALUED or (letter == "P" and self._tag_has_value()):
                self.words.append(word)
                if at == len(word):
                    if not pending:
                        raise UsageError(f"ssh's option '-{letter}' needs a value")
                    self.words.append(pending.pop())
                return True
            if not (letter.isascii() and letter.isalnum()):
                raise UsageError(f"unexpected option '-{letter}'")
        self.words.append(word)
        return True

    def _tag_has_value(self) -> bool:
        from shpool.client.ssh.probing import tag_has_value

        return tag_has_value(_which_ssh(self._given))


def _which_ssh(words: "Sequence[str]") -> str:
    """The value of --ssh, wherever it stands."""
    for word, following in zip(words, [*words[1:], ""]):
        if word == "--ssh":
            return following
        if word.startswith("--ssh="):
            return word.partition("=")[2]
    return "ssh"
