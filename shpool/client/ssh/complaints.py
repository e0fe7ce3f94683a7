"""What ssh says on stderr: what of it is shown at once, or when it has ended, and what it means.

It is run with LogLevel=INFO, so that it says why it ends, and shown as the user has configured it.
Pure: bytes in, bytes out.
"""

import re

# How it says that it ends, which is shown when the terminal has been cleaned.
_LAST_WORDS = re.compile(
    rb"""
      (?:Shared\ )?[Cc]onnection\ to\ \S+\ closed | Connection\ (?:closed|reset)\ (?:by|from)\ |
      Connection\ to\ \S+\ (?:port\ \d+:|timed)   | Timeout,\ server\ | client_loop:\  |
      Read\ from\ remote\ host\ | Write\ failed:\ | packet_write_\w+:\ | Killed\ by\ signal\ |
      Disconnected\ from\ | Received\ disconnect\ from\ | Connection\ timed\ out\ |
      .*:\ Broken\ pipe
    """,
    re.VERBOSE,
)

_FIRST_LETTERS = b"CSTcRWpKD"

_CLOSED = re.compile(rb"(?:Shared )?[Cc]onnection to \S+ closed\.")

# At level INFO, which who has configured ERROR does not want to see.
_INFO = re.compile(
    rb"(?:Shared )?[Cc]onnection to |Timeout, server |Warning: Permanently added |"
    rb"Disconnected from |Killed by signal "
)

# As sshd refuses somebody.  Of a wrong password, a key that cannot be read or a port that cannot be
# bound ssh says the same with other words behind it, or none.
_DENIED = re.compile(rb"^\S*: Permission denied \(([^)]*)\)", re.MULTILINE)

_FINAL = (b"Host key verification failed", b"REMOTE HOST IDENTIFICATION HAS CHANGED")

# Of what it says so much is kept, in bytes, and so much of what is to be shown at the end.
_KEPT = 8192

# A line that has not ended is not held for longer than this, in bytes.
_LINE = 256


class Complaints:
    """`level`: the LogLevel that the user wants, in lower case.  `held`: nothing is shown before
    the end."""

    def __init__(self, level: str, *, held: bool = False) -> None:
        self._level = level
        self.held = held
        self._line = b""  # of one that has begun, what was not shown yet
        self._begun = False  # a part of the line was shown
        self._last = b""
        self.said = b""

    def feed(self, data: bytes) -> bytes:
        """What is to be shown now."""
        self.said = (self.said + data)[-_KEPT:]
        shown = b""
        *whole, rest = (self._line + data).split(b"\n")
        self._line = b""
        for line in whole:
            shown += self._sort(line + b"\n")
        if rest and not self._begun and (self.held or self._may_be_held(rest)):
            self._line = rest[-_KEPT:]
        elif rest:
            self._begun = True
            shown += rest if self._level not in ("quiet", "fatal") else b""
        return shown

    def last_words(self) -> bytes:
        """What is to be shown when it has ended."""
        rest, self._line = self._line, b""
        shown = self._sort(rest + b"\n") if rest else b""
        words, self._last = self._last, b""
        return shown + words

    @property
    def denied(self) -> bool:
        """It was refused for having shown nothing that is accepted there."""
        return _DENIED.search(self.said) is not None

    def forget(self) -> None:
        """What was held is of no interest any more: it went well."""
        self.held = False
        self._last = b""

    @property
    def any(self) -> bool:
        """It has said something else than that the connection was closed."""
        return not all(_CLOSED.fullmatch(line) for line in self._lines())

    @property
    def closed(self) -> bool:
        """It has said that the connection was closed, and nothing of why: the user did it."""
        ends = [line for line in self._lines() if _LAST_WORDS.match(line)]
        return bool(ends) and all(_CLOSED.fullmatch(line) for line in ends)

    @property
    def shared(self) -> bool:
        """The connection was another ssh's: it says that this was closed, however it was lost."""
        return b"hared connection to " in self.said

    def _lines(self) -> "list[bytes]":
        return [line.strip() for line in self.said.splitlines() if line.strip()]

    @property
    def final(self) -> bool:
        """It makes no sense to try again."""
        return self.denied or any(words in self.said for words in _FINAL)

    @property
    def wants_password(self) -> bool:
        """It was refused for having asked nobody, as far as can be known: see ssh's BatchMode."""
        denied = _DENIED.search(self.said)
        if denied is None:
            return False
        by_hand = {b"password", b"keyboard-interactive"}
        return not by_hand.isdisjoint(denied[1].split(b",")) or b"agent refused" in self.said

    def _sort(self, line: bytes) -> bytes:
        """`line`, if it is to be shown now; what is for the end is kept."""
        begun, self._begun = self._begun, False
        if self._level in ("quiet", "fatal"):
            return b""
        if begun:
            return line
        bare = line.rstrip(b"\r\n")
        if self._level == "error" and _INFO.match(bare):
            return b""
        if _CLOSED.fullmatch(bare):
            if not self._level.startswith(("verbose", "debug")):
                return b""
        elif not _LAST_WORDS.match(bare) and not self.held:
            return line
        self._last = (self._last + line)[-_KEPT:]
        return b""

    def _may_be_held(self, rest: bytes) -> bool:
        letters = _FIRST_LETTERS + (b"W" if self._level == "error" else b"")
        return len(rest) < _LINE and rest[:1] in letters
