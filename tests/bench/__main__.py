"""python3 -m tests.bench: shpool beside a raw pty, dtach, screen and tmux, in one run."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from tests.bench import attaching, echo, events, flood, idle, listing, report, spawning
from tests.bench.contestants import ALL
from tests.bench.measuring import TINY, Bench, Row, Sizes, say_on_stderr

MEASUREMENTS: dict[str, Callable[[Bench], list[Row]]] = {
    "flood-plain": flood.plain,
    "flood-coloured": flood.coloured,
    "echo": echo.quiet,
    "echo-beside-flood": echo.beside_flood,
    "attach": attaching.first_output,
    "list": listing.listing,
    "spawn": spawning.commands,
    "spawn-socket": spawning.over_the_socket,
    "cycles": spawning.cycles,
    "idle-few": idle.few,
    "idle-many": idle.many,
    "idle-each": idle.each,
    "events-latency": events.latency,
    "events-rate": events.rate,
}


def main() -> int:
    arguments = _arguments()
    kinds = [kind for kind in ALL if kind.available()]
    for kind in ALL:
        if kind not in kinds:
            sys.stderr.write(f"{kind.name} is not installed, so it is left out\n")
    bench = Bench(TINY if arguments.tiny else Sizes(), kinds, say_on_stderr)
    chosen = arguments.only or list(MEASUREMENTS)
    rows: list[Row] = []
    started = monotonic()
    for name in chosen:
        rows += MEASUREMENTS[name](bench)
    say_on_stderr("")
    print(report.machine())
    print(report.table(rows, [kind.name for kind in kinds]), end="")
    print(f"{monotonic() - started:.0f} s")
    if arguments.json:
        arguments.json.write_text(report.as_json(rows))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m tests.bench", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=MEASUREMENTS, metavar="NAME",
        help=f"measure this; may be repeated: {', '.join(MEASUREMENTS)}",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there too")
    parser.add_argument("--tiny", action="store_true", help="only see whether it all works")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
