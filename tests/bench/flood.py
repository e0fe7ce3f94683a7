"""How fast a program can write through to the user's terminal."""

from pathlib import Path
from time import perf_counter

from tests.bench.client import Client
from tests.bench.contestants import Contestant
from tests.bench.measuring import Bench, Row, session

_MB = 1_000_000

_WORDS = (
    *("the", "quick", "compiler", "src/main.c:42:", "warning:", "unused", "variable", "checking"),
    *("for", "stdlib.h...", "yes", "-O2", "linking", "0x7f3e", "done", "[ 42%]", "Building"),
)


def _line(number: int, coloured: bool) -> str:
    words = [_WORDS[(number * 7 + index * 5) % len(_WORDS)] for index in range(6 + number % 5)]
    if coloured:
        words = [
            f"\x1b[{index % 2};{31 + (number + index) % 6}m{word}\x1b[0m"
            for index, word in enumerate(words)
        ]
    return " ".join(words) + "\n"


def text(megabytes: int, *, coloured: bool) -> bytes:
    """Lines as a build prints them, most of them shorter than a terminal is wide."""
    block = "".join(_line(number, coloured) for number in range(1000)).encode()
    return block * (megabytes * _MB // len(block))


def plain(bench: Bench) -> list[Row]:
    return [_flood(bench, "flood, plain text", coloured=False)]


def coloured(bench: Bench) -> list[Row]:
    return [_flood(bench, "flood, coloured", coloured=True)]


def _flood(bench: Bench, label: str, *, coloured: bool) -> Row:
    with bench.contestants(relays=True) as contestants:
        path = contestants[0].root.parent / "text"
        path.write_bytes(text(bench.sizes.flood_mb, coloured=coloured))
        number = 0

        def once(contestant: Contestant) -> float:
            nonlocal number
            number += 1
            return _megabytes_a_second(contestant, f"flood{number}", path)

        values = bench.in_turns(label, contestants, bench.sizes.repeats, once)
    return Row(label, "MB/s", True, values)


def _megabytes_a_second(contestant: Contestant, name: str, path: Path) -> float:
    with session(contestant, name, script(path)) as client:
        return shown(client, path)


def script(path: Path) -> str:
    """For session(): what is in the file is written once."""
    return f"stty -echo; printf READY; read go; cat {path}; printf 'D%s' ONE; read end"


def shown(client: Client, path: Path) -> float:
    """Have a session with that script() write; the megabytes a second that the terminal gets."""
    started = perf_counter()
    client.write(b"\n")
    client.read_until(b"DONE")
    elapsed = perf_counter() - started
    client.write(b"\n")
    return path.stat().st_size / elapsed / _MB
