"""How long a key takes from the keyboard to the program and, as its echo, to the screen."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from time import perf_counter

from tests.bench.client import Client
from tests.bench.contestants import Contestant
from tests.bench.measuring import Bench, Row, percentile, session

# Neither occurs in what multiplexers write around the echo.
_KEYS = (b"*", b"+")

_WARM_UP = 20

# A script for session() in which each key is echoed.
ECHO = "stty raw -echo; printf READY; exec cat"


def quiet(bench: Bench) -> list[Row]:
    """With nothing else to do."""
    return _rows(bench, "echo", beside_flood=False)


def beside_flood(bench: Bench) -> list[Row]:
    """While another session, attached too, writes as fast as it can."""
    return _rows(bench, "echo beside a flood", beside_flood=True)


def _rows(bench: Bench, label: str, *, beside_flood: bool) -> list[Row]:
    p99s: dict[str, list[float]] = {}
    number = 0
    with bench.contestants(relays=True) as contestants:

        def once(contestant: Contestant) -> float:
            nonlocal number
            number += 1
            if beside_flood:
                with _flooding(contestant, f"flood{number}"):
                    times = _echoes(contestant, f"echo{number}", bench.sizes.keystrokes)
            else:
                times = _echoes(contestant, f"echo{number}", bench.sizes.keystrokes)
            p99s.setdefault(contestant.name, []).append(percentile(times, 99))
            return percentile(times, 50)

        p50 = bench.in_turns(label, contestants, bench.sizes.repeats, once)
    p99 = {name: median(values) for name, values in p99s.items()}
    return [
        Row(f"{label}, p50", "us", False, p50),
        Row(f"{label}, p99", "us", False, p99),
    ]


def _echoes(contestant: Contestant, name: str, count: int) -> list[float]:
    """Microseconds for each of `count` keys."""
    with session(contestant, name, ECHO) as client:
        times = [key(client, index) * 1e6 for index in range(_WARM_UP + count)]
    return times[_WARM_UP:]


def key(client: Client, index: int) -> float:
    """Type the key of that number in a session with ECHO; seconds until it is shown."""
    typed = _KEYS[index % 2]
    started = perf_counter()
    client.write(typed)
    while typed not in client.read():
        pass
    return perf_counter() - started


@contextmanager
def _flooding(contestant: Contestant, session: str) -> Iterator[None]:
    """Have a flood in another session, shown to a client that takes all of it."""
    with Client(contestant.new(session, ["yes", "flooding"]), contestant.env) as client:
        client.read_until(b"flooding")
        with reading(client):
            try:
                yield
            finally:
                contestant.kill("yes")  # which a detached session would let go on


@contextmanager
def reading(client: Client) -> Iterator[None]:
    """Have a process of its own take all that the client's terminal is sent."""
    reader = os.fork()
    if reader == 0:
        try:
            while client.read():
                pass
        finally:
            os._exit(0)
    try:
        yield
    finally:
        os.kill(reader, signal.SIGKILL)
        os.waitpid(reader, 0)
