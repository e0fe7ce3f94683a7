"""Who has gone from a session, in case they come back, or something of theirs was under way."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Names of those who left last; a client may have two.
_MOST = 32


class Gone:
    """Clients are known as their pid, and as their token, if they have one.

    When they typed last is remembered as long as others stay, for who comes back among those is
    what it was.
    """

    CARRIED = {"_typed": {str: float}}
    DERIVED = ()

    def __init__(self) -> None:
        self._typed: dict[str, float] = {}  # when they did so last, by name; or 0.0

    def __contains__(self, name: str) -> bool:
        return name in self._typed

    def add(self, names: "Iterable[str]", typed_at: float) -> None:
        """`typed_at`: 0.0 for who typed nothing."""
        self._typed.update((name, typed_at) for name in names if name)
        while len(self._typed) > _MOST:
            del self._typed[min(self._typed, key=self._typed.__getitem__)]

    def nobody_stayed(self) -> None:
        """Whoever comes is a newcomer."""
        self._typed = dict.fromkeys(self._typed, 0.0)

    def outstayed(self, name: str) -> bool:
        """Returns whether that one typed, and others have stayed."""
        return self._typed.get(name, 0.0) > 0

    def take(self, names: "Iterable[str]") -> float:
        """When somebody typed last who comes back and was known as one of `names`; else 0.0."""
        return max((self._typed.pop(name, 0.0) for name in names), default=0.0)
