"""What several at one session cost the one who drives: `python3 -m tests.bench.company`.

A flood, and the echo of keys, in a session alone and with company, in turns: a watcher whose
terminal is of another size and so drawn for, and terminals that were stopped and read nothing.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from tests.bench import flood, report
from tests.bench.client import PATIENCE, Client, Stuck
from tests.bench.contestants import Shpool
from tests.bench.echo import ECHO, key, reading
from tests.bench.measuring import alone, percentile, say_on_stderr, session

# Of who comes besides, whose terminal is smaller than the driver's and drawn for.
_SIZE = (18, 70)

_WARM_UP = 20


# The option by which somebody else comes, and whether that client is stopped then.
COMPANY = {
    "alone": None,
    "a watcher of another size": ("-r", False),
    "a frozen watcher": ("-r", True),
    "a frozen sharer": ("-x", True),
}


@contextmanager
def _beside(shpool: Shpool, name: str, company: str) -> Iterator[None]:
    """Have that company at the session; who is not frozen reads all there is."""
    wanted = COMPANY[company]
    if wanted is None:
        yield
        return
    option, frozen = wanted
    with Client(shpool._shpool("attach", option, name), shpool.env, _SIZE) as client:
        client.read()
        client.read_until_quiet(0.3)
        if frozen:
            os.kill(client.pid, signal.SIGSTOP)
            yield
        else:
            with reading(client):
                yield


def _flood(shpool: Shpool, name: str, company: str, path: Path) -> float:
    """Megabytes a second that the driver's terminal gets."""
    script = flood.script(path)
    with session(shpool, name, script) as client, _beside(shpool, name, company):
        client.read_until_quiet(0.3)
        return flood.shown(client, path)


def _echo(shpool: Shpool, name: str, company: str, keys: int) -> float:
    """The driver's p99, microseconds."""
    with session(shpool, name, ECHO) as client, _beside(shpool, name, company):
        for index in range(_WARM_UP):
            key(client, index)
        times = [key(client, index) * 1e6 for index in range(keys)]
        client.write(b"\x03")
    return percentile(times, 99)


def _in_turns(label: str, repeats: int, once: Callable[[str], float]) -> None:
    results: dict[str, list[float]] = {company: [] for company in COMPANY}
    for repeat in range(repeats):
        for company in COMPANY:
            say_on_stderr(f"{label}: {company} {repeat + 1}/{repeats}")
            results[company].append(once(company))
    say_on_stderr("")
    alone = median(results["alone"])
    for company, values in results.items():
        value = median(values)
        print(f"{label:24}{company:28}{value:8.1f}  {value / alone:5.2f} of alone")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests.bench.company", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=48, help="in each flood")
    parser.add_argument("--keys", type=int, default=2000, help="typed for each figure")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args(arguments)
    numbers = iter(range(1_000_000))
    with alone() as shpool:
        path = shpool.root.parent / "text"
        for label, coloured in (("plain flood, MB/s", False), ("coloured flood, MB/s", True)):
            path.write_bytes(flood.text(options.megabytes, coloured=coloured))
            _in_turns(
                label,
                options.repeats,
                lambda company: _flood(shpool, f"s{next(numbers)}", company, path),
            )
        _in_turns(
            "echo, p99, us",
            options.repeats,
            lambda company: _echo(shpool, f"s{next(numbers)}", company, options.keys),
        )
    print(f"medians of {options.repeats} turns, load {report.load()}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Stuck as error:
        sys.exit(f"after {PATIENCE:.0f} s: {error}")
