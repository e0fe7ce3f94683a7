"""Notes in the user's cache: which host has which file already, and what it knows of terminals.

A note that is missing, or wrong, costs a connection and nothing else.
"""

import hashlib
import os

from shpool.client.ssh.there import cache, private_directory, write
from shpool.files import read_bounded

# A note is a file's name and a few terminals'.
_LONGEST = 4096

# Terminals that a note has room for.
_TERMS = 16


class Note:
    """`file`: the name of the file that HOST has; empty: it has none.

    `terms`: terminals, each with whether it is known there.  `none`: it has no Python to run the
    file with.
    """

    def __init__(self, host: str) -> None:
        self._path = ""
        self.file = ""
        self.terms: dict[str, bool] = {}
        self.none = False
        above = private_directory(cache())
        directory = private_directory(os.path.join(above, "hosts")) if above else None
        if directory:
            name = hashlib.sha256(host.encode(errors="surrogateescape")).hexdigest()[:32]
            self._path = os.path.join(directory, name)
            self._read()

    def _read(self) -> None:
        try:
            lines = read_bounded(self._path, _LONGEST).decode(errors="replace").split("\n")
        except OSError:
            return
        self.file = lines[0]
        for line in lines[1:-1]:
            known, _, term = line.partition(" ")
            if known == "none":
                self.none = True
            elif term:
                self.terms[term] = known == "1"

    def says(self, file: str, term: str) -> bool:
        """Returns whether nothing has to be asked there before `file` is run."""
        return self.file == file and (self.none or not term or term in self.terms)

    def keep(self, file: str, term: str, *, known: bool = True, none: bool = False) -> None:
        if file != self.file:
            self.terms = {}
        self.file = file
        self.none = none
        if term:
            self.terms.pop(term, None)
            self.terms[term] = known
        terms = list(self.terms.items())[-_TERMS:]
        lines = [file, *(["none"] if none else [])]
        lines += [f"{known:d} {term}" for term, known in terms]
        if self._path:
            try:
                write(os.path.dirname(self._path), self._path, ("\n".join(lines) + "\n").encode())
            except OSError:
                pass
