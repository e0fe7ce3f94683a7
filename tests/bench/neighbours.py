"""What a flood in one session does to the others: `python3 -m tests.bench.neighbours`.

In session a, which is attached, a program writes one kind of output without end.  Beside it keys
are typed in session b, b is attached to, and the sessions are listed; ^C is typed in a itself, and
answered by its shell.  Each figure stands beside the same one with nothing in a.  On a machine
with less than three processors to itself the flood's program and reader are part of the figures.
"""

import argparse
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

from tests.bench.client import PATIENCE, Client, Stuck, run
from tests.bench.contestants import Shpool
from tests.bench.echo import ECHO, key
from tests.bench.measuring import alone, percentile, say_on_stderr, session
from tests.bench.streams import DEAR, VTEBENCH, true_colour

SIZES = {"24x80": (24, 80), "50x200": (50, 200), "70x280": (70, 280)}
FLOODS = {**DEAR, **VTEBENCH, "true_colour": true_colour}

# What the program in a writes again and again, in bytes.
_LENGTH = 300_000

_ANSWER = b"ANSWERED"


class Figures(NamedTuple):
    """Milliseconds."""

    key_p90: float
    key_max: float
    interrupt_p90: float
    attach: float
    listing: float


class Flooded:
    """Session a with its client, which another process reads so that this one can type."""

    def __init__(self, client: Client, answers: int) -> None:
        self._client = client
        self._answers = answers

    def interrupt(self) -> float:
        """Milliseconds from ^C to what the shell says to it."""
        started = perf_counter()
        self._client.write(b"\x03")
        return (float(os.read(self._answers, 64)) - started) * 1e3


@contextmanager
def _flooded(shpool: Shpool, path: Path, size: tuple[int, int]) -> Iterator[Flooded]:
    loop = f"stty -opost -echo; trap 'printf {_ANSWER.decode()}' INT; while :; do cat {path}; done"
    session = f"a{perf_counter()}"
    with Client(shpool.new(session, ["sh", "-c", loop]), shpool.env, size) as client:
        client.read()
        answers, write = os.pipe()
        reader = os.fork()
        if reader == 0:
            try:
                _read(client, write)
            finally:
                os._exit(0)
        os.close(write)
        try:
            yield Flooded(client, answers)
        finally:
            os.kill(reader, signal.SIGKILL)
            os.waitpid(reader, 0)
            os.close(answers)
            run(shpool._shpool("kill", session), shpool.env)


def _read(client: Client, answers: int) -> None:
    """Read the terminal; tell when there was an answer to ^C."""
    tail = b""
    while True:
        data = client.read()
        tail = tail[-len(_ANSWER) :] + data
        if _ANSWER in tail:
            tail = b""
            os.write(answers, b"%-32f" % perf_counter())


def _measure(shpool: Shpool, flooded: "Flooded | None", size: tuple[int, int], n: int) -> Figures:
    interrupts, attaches, lists = [0.0], [], []
    with session(shpool, "b", ECHO, size) as client:
        keys = [key(client, index) * 1e3 for index in range(n)][n // 10 :]
        client.write(b"SHOWN")
        client.read_until(b"SHOWN")
        client.write(shpool.leave)
        client.wait()
    if flooded is not None:
        interrupts = [flooded.interrupt() for _ in range(n // 10)]
    for _ in range(max(n // 20, 1)):
        started = perf_counter()
        run(shpool.listing(), shpool.env)
        lists.append((perf_counter() - started) * 1e3)
        started = perf_counter()
        with Client(shpool.attach("b"), shpool.env, size) as client:
            client.read_until(b"SHOWN")
            attaches.append((perf_counter() - started) * 1e3)
            client.write(shpool.leave)
            client.wait()
    run(shpool._shpool("kill", "b"), shpool.env)
    return Figures(
        percentile(keys, 90), max(keys), percentile(interrupts, 90), median(attaches), median(lists)
    )


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests.bench.neighbours", description=__doc__)
    parser.add_argument("--size", action="append", choices=SIZES, help="may be repeated")
    parser.add_argument("--keys", type=int, default=200, help="typed for each figure")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(FLOODS))
    options = parser.parse_args(arguments)
    unknown = set(options.kinds) - set(FLOODS)
    if unknown:
        parser.error(f"no such kind: {', '.join(unknown)}")
    form = "{:<42}{:>7}" + "{:>9}" * 5
    print(form.format("milliseconds", "", "key p90", "key max", "^C p90", "attach", "list"))
    with alone() as shpool:
        for label in options.size or SIZES:
            size = SIZES[label]
            quiet = _measure(shpool, None, size, options.keys)
            print(form.format("nothing", label, *(f"{value:.2f}" for value in quiet)))
            for kind in options.kinds or FLOODS:
                say_on_stderr(f"{label} {kind}")
                path = shpool.root.parent / "flood"
                path.write_bytes(FLOODS[kind](*size, _LENGTH))
                with _flooded(shpool, path, size) as flooded:
                    figures = _measure(shpool, flooded, size, options.keys)
                say_on_stderr("")
                print(form.format(kind, label, *(f"{value:.2f}" for value in figures)))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Stuck as error:
        sys.exit(f"after {PATIENCE:.0f} s: {error}")
