"""What a terminal sends that nobody typed, told from what is typed.

Answers to questions, and reports of mouse, focus, colour scheme and size.  Keys look much the
same: what counts is the last byte of a sequence, and what stands before it.
"""

ESC = 0x1B

# Longer than any key's sequence, in bytes.
_LONGEST = 64

_PASTE, _PASTED = b"\x1b[200~", b"\x1b[201~"

# What may follow the introducer of a string that answers: OSC, DCS, APC.  Else it is Alt and a key.
_STRINGS = {
    ord("]"): b"0123456789lL",
    ord("P"): b"01>!",
    ord("_"): b"G",
}


class Sieve:
    """Bytes in, what was typed out; `reports`: whether mouse and focus are reported.

    `answered`: an answer to DSR 5 has come.
    """

    def __init__(self, *, reports: bool) -> None:
        self._reports = reports
        self._held = b""  # what may become an answer
        self._in_string = False
        self._pasting = False
        self.answered = False

    def feed(self, data: bytes) -> bytes:
        typed = b""
        for byte in data:
            typed += self._take(byte)
        return typed

    def flush(self) -> bytes:
        """What is held and was typed, if nothing more comes."""
        held, self._held = self._held, b""
        return b"" if self._in_string else held

    def _take(self, byte: int) -> bytes:
        if self._in_string:
            self._pass_over(byte)
            return b""
        if not self._held and byte != ESC:
            return bytes((byte,))
        if self._held and byte == ESC:
            typed, self._held = self._held, b"\x1b"
            return typed
        self._held += bytes((byte,))
        return b"" if self._is_open() else self._decide()

    def _pass_over(self, byte: int) -> None:
        """The bytes of a string, of which only the last is kept."""
        ended = byte == 0x07 or (self._held == b"\x1b" and byte == ord("\\"))
        self._held = b"" if ended else bytes((byte,))
        self._in_string = not ended

    def _is_open(self) -> bool:
        """Returns whether more bytes are needed to tell what is held."""
        held = self._held
        if len(held) == 1:
            return True
        kind = held[1]
        if kind == ord("["):
            if held.startswith(b"\x1b[M") and self._reports:
                return len(held) < 6  # three characters behind it
            return len(held) == 2 or (0x20 <= held[-1] < 0x40 and len(held) < _LONGEST)
        if kind not in _STRINGS or self._pasting:
            return False
        if len(held) == 3 and held[2] in _STRINGS[kind]:
            self._in_string = True
        return len(held) == 2 or self._in_string

    def _decide(self) -> bytes:
        held, self._held = self._held, b""
        if self._pasting:
            self._pasting = held != _PASTED
            return held
        self._pasting = held == _PASTE
        if held == b"\x1b[0n":
            self.answered = True
            return b""
        return b"" if self._is_sent(held) else held

    def _is_sent(self, sequence: bytes) -> bool:
        """Returns whether no key sends it.  See xterm's ctlseqs, and kitty's for CSI ? u."""
        if not sequence.startswith(b"\x1b["):
            return False
        private, final = sequence[2:3], sequence[-1:]
        if private == b"M" or sequence in (b"\x1b[I", b"\x1b[O"):
            return self._reports
        if final in b"Mm":  # mouse, or how keys are encoded
            return private in b"<>" or self._reports
        if private == b"?":
            return final in b"cnuRSy"
        if final == b"c":
            return private in b">="
        return (
            final in b"tx"
            or sequence == b"\x1b[3n"
            or sequence.endswith(b"$y")
            or (final == b"R" and b";" in sequence)
        )
