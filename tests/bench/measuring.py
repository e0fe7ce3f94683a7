"""What a measurement is given, and what it gives back."""

import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench.client import Client
from tests.bench.contestants import Contestant, Shpool

# Seconds without output after which nothing more is expected at a session's start.
_QUIET = 0.4


class Row(NamedTuple):
    """One line of the result: a value for each contestant that was measured."""

    label: str
    unit: str
    more_is_better: bool
    values: dict[str, float]


@dataclass(frozen=True)
class Sizes:
    """How much of everything; the defaults take some minutes in all."""

    repeats: int = 3
    flood_mb: int = 24
    keystrokes: int = 2000
    attaches: int = 15
    lists: int = 21
    spawns: int = 30
    few_sessions: int = 10
    many_sessions: int = 500
    lines: int = 2000
    idle_seconds: float = 2.0
    subscribers: tuple[int, ...] = (1, 200, 900)
    latencies: int = 200
    events: int = 1000
    cycles: int = 1500


TINY = Sizes(
    repeats=1,
    flood_mb=1,
    keystrokes=20,
    attaches=1,
    lists=1,
    spawns=2,
    few_sessions=2,
    many_sessions=3,
    lines=50,
    idle_seconds=0.05,
    subscribers=(1, 3),
    latencies=3,
    events=10,
    cycles=3,
)


def _silence(text: str) -> None:
    pass


@dataclass
class Bench:
    """Sizes, who takes part, and whom to tell how far it is."""

    sizes: Sizes
    kinds: Sequence[type[Contestant]]
    progress: Callable[[str], None] = field(default=_silence)

    @contextmanager
    def contestants(
        self, *, persistent: bool = False, relays: bool = False
    ) -> Iterator[list[Contestant]]:
        """Those that can be compared, started, in fresh directories.

        `persistent`: only those that keep sessions; `relays`: it is about how bytes travel.
        """
        with tempfile.TemporaryDirectory(prefix="shpool-bench-") as root:
            started: list[Contestant] = []
            try:
                for kind in self.kinds:
                    if (kind.persistent or not persistent) and (relays or not kind.relays_only):
                        started.append(
                            kind(Path(root, kind.name.replace(" ", "").replace(",", "-")))
                        )
                yield started
            finally:
                for contestant in started:
                    contestant.close()

    def in_turns(
        self,
        what: str,
        contestants: Sequence[Contestant],
        repeats: int,
        once: Callable[[Contestant], float],
    ) -> dict[str, float]:
        """The median of each one's results; they take turns, so that all get the same weather."""
        results: dict[str, list[float]] = {}
        for repeat in range(repeats):
            for contestant in contestants:
                self.progress(f"{what}: {contestant.name} {repeat + 1}/{repeats}")
                results.setdefault(contestant.name, []).append(once(contestant))
        return {name: median(values) for name, values in results.items()}


@contextmanager
def alone() -> Iterator[Shpool]:
    """A daemon alone; beside its directory there may be files of the measurement's."""
    with tempfile.TemporaryDirectory(prefix="b-", dir="/tmp") as root:
        shpool = Shpool(Path(root, "shpool"))
        try:
            yield shpool
        finally:
            shpool.close()


@contextmanager
def session(
    contestant: Contestant, name: str, script: str, size: tuple[int, int] = (24, 80)
) -> Iterator[Client]:
    """A new session, shown in a terminal, whose script prints READY once it can be typed to."""
    file = contestant.root / f"{name}.sh"
    file.write_text(script)
    with Client(contestant.new(name, ["sh", str(file)]), contestant.env, size) as client:
        if contestant.shows_early:
            client.read_until(b"READY")
        else:
            client.read_until_quiet(_QUIET)
        yield client


def percentile(values: Sequence[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def say_on_stderr(text: str) -> None:
    """The progress line: each takes the place of the one before."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()
    else:
        sys.stderr.write(f"{text}\n")
