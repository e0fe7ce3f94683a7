"""What somebody who types notices of an upgrade: `python3 -m tests.bench.upgrading`.

The daemon holds sessions with many lines each, and in one of them a key is typed as soon as the one
before has been shown, while the daemon is replaced in place again and again.  The longest wait of
an upgrade is its pause; beside it stand what the command took, and the longest wait without one.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

from tests.bench import report
from tests.bench.client import PATIENCE, Client, Stuck, run
from tests.bench.contestants import Shpool
from tests.bench.echo import ECHO, key
from tests.bench.measuring import alone, percentile, say_on_stderr, session


def _pause(client: Client, argv: list[str], env: dict[str, str]) -> tuple[float, float]:
    """The longest wait while `argv` runs, and what that took; milliseconds."""
    started = perf_counter()
    process = subprocess.Popen(argv, env=env, stdout=subprocess.DEVNULL)
    waits: list[float] = []
    while process.poll() is None:
        waits.append(key(client, len(waits)) * 1e3)
    if process.returncode:
        raise Stuck("it was not replaced")
    took = (perf_counter() - started) * 1e3
    return max(waits), took


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests.bench.upgrading", description=__doc__)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--lines", type=int, default=10_000, help="in each of them")
    parser.add_argument("--upgrades", type=int, default=20)
    options = parser.parse_args(arguments)
    with alone() as shpool:
        _run(shpool, options.sessions, options.lines, options.upgrades)
    return 0


def _run(shpool: Shpool, sessions: int, lines: int, upgrades: int) -> None:
    folder = Path(shpool.env["XDG_CONFIG_HOME"]) / "shpool"
    folder.mkdir(exist_ok=True)
    (folder / "config.toml").write_text(f"output_spool_lines = {lines}\n")
    text = "a line of some length, as programs print them, with \033[32mcolours\033[m: $i"
    fill = f'i=0; while [ $i -lt {lines} ]; do echo "{text}"; i=$((i+1)); done; exec sleep 1000'
    say_on_stderr("sessions")
    for number in range(sessions):
        run(shpool.new_detached(f"s{number}", ["sh", "-c", fill]), shpool.env)
    for number in range(sessions):
        run(shpool._shpool("wait", f"s{number}", "--quiet", "1s"), shpool.env)
    with session(shpool, "typing", ECHO) as client:
        without = [key(client, index) * 1e3 for index in range(500)]
        pauses: list[float] = []
        took: list[float] = []
        for number in range(upgrades):
            say_on_stderr(f"upgrade {number}")
            pause, whole = _pause(client, shpool._shpool("upgrade"), shpool.env)
            pauses.append(pause)
            took.append(whole)
        say_on_stderr("")
    print(f"{sessions} sessions of {lines} lines, {upgrades} upgrades, load {report.load()}, ms:")
    print(f"pause     median {median(pauses):7.1f}   p99 {percentile(pauses, 99):7.1f}")
    print(f"command   median {median(took):7.1f}   p99 {percentile(took, 99):7.1f}")
    print(f"a key without one: median {median(without):.2f}, longest {max(without):.1f}")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Stuck as error:
        sys.exit(f"after {PATIENCE:.0f} s: {error}")
