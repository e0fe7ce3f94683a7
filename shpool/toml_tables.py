"""The tables of a TOML document: which there are, and which may still be added to, by what."""

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# A key, or a part of one, that needs no quotes.
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


class Clash(Exception):
    """What is defined does not go with what was defined before."""


class Document:
    """The tables read so far, and which of them may still be added to, by what.

    A header opens a table once: one that is new, or that only stands there because a header went
    through it to a table below. Dotted keys make tables on their way and may add to these, but
    only until the next header; to a table that a header opened they may not add. An inline
    table, or an array that is a value, is complete as it stands. An inline table is
    a document of its own, for keys within it follow the same rules.
    """

    def __init__(self) -> None:
        self.root: dict[str, Any] = {}
        self._table = self.root  # which keys are added to
        # By id(): no table goes as long as the document is read.
        self._opened: set[int] = set()  # by a header, or by dotted keys before the last header
        self._dotted: set[int] = set()  # by dotted keys since the last header
        self._complete: set[int] = set()

    def open_table(self, key: "tuple[str, ...]") -> None:
        """`[key]`.  Raises Clash."""
        self._end_dotted()
        parent = self._above(key)
        table = parent.setdefault(key[-1], {})
        if not isinstance(table, dict) or id(table) in self._complete:
            raise Clash(f"{_shown(key)} is not a table to be opened")
        if id(table) in self._opened:
            raise Clash(f"The table {_shown(key)} is there already")
        self._opened.add(id(table))
        self._table = table

    def open_item(self, key: "tuple[str, ...]") -> None:
        """`[[key]]`.  Raises Clash."""
        self._end_dotted()
        items = self._above(key).setdefault(key[-1], [])
        if not isinstance(items, list) or id(items) in self._complete:
            raise Clash(f"{_shown(key)} is not an array of tables to be added to")
        self._table = {}
        self._opened.add(id(self._table))
        items.append(self._table)

    def assign(self, key: "tuple[str, ...]", value: "Any") -> None:
        """`key = value`.  Raises Clash."""
        table = self._table
        for end, part in enumerate(key[:-1], 1):
            below = table.get(part)
            if below is None:
                below = table[part] = {}
            elif not isinstance(below, dict) or id(below) in self._complete:
                raise Clash(f"{_shown(key[:end])} is not a table to be added to")
            elif id(below) in self._opened:
                raise Clash(f"The table {_shown(key[:end])} is there already")
            self._dotted.add(id(below))
            table = below
        if key[-1] in table:
            raise Clash(f"{_shown(key)} has a value already")
        table[key[-1]] = value
        if isinstance(value, (dict, list)):
            self._complete.add(id(value))

    def _end_dotted(self) -> None:
        self._opened |= self._dotted
        self._dotted.clear()

    def _above(self, key: "tuple[str, ...]") -> "dict[str, Any]":
        """The table that `key` stands in, through the last item of arrays of tables."""
        table = self.root
        for end, part in enumerate(key[:-1], 1):
            below = table.setdefault(part, {})
            if id(below) not in self._complete:
                if isinstance(below, list):
                    below = below[-1]
                if isinstance(below, dict):
                    table = below
                    continue
            raise Clash(f"{_shown(key[:end])} is not a table to be added to")
        return table


def _shown(key: "tuple[str, ...]") -> str:
    return ".".join(part if BARE_KEY.fullmatch(part) else ascii(part) for part in key)
