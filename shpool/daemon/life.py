"""What may follow what in the life of an object: one attribute, and a table of the next ones."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class IllegalTransition(Exception):
    """A defect: something happened in a state in which it cannot."""


class State:
    """Where an object is in its life: `now` is a key of `table`, whose value may follow it."""

    __slots__ = ("now", "table", "what")

    def __init__(self, what: str, table: "Mapping[str, tuple[str, ...]]", first: str) -> None:
        self.what = what
        self.table = table
        self.now = first

    def become(self, state: str) -> None:
        """Raises IllegalTransition."""
        if state not in self.table[self.now]:
            raise IllegalTransition(f"{self.what}: {state} after {self.now}")
        self.now = state
