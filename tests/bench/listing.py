"""How long a short command takes."""

from time import perf_counter

from tests.bench.client import run
from tests.bench.contestants import PYTHON, Contestant
from tests.bench.measuring import Bench, Row


def listing(bench: Bench) -> list[Row]:
    """Listing one session; a raw pty stands for the bare interpreter."""
    label = "list (raw pty: python3 -c pass)"
    with bench.contestants() as contestants:
        for contestant in contestants:
            if contestant.persistent:
                run(contestant.new_detached("one", ["sleep", "1000"]), contestant.env)

        def once(contestant: Contestant) -> float:
            command = contestant.listing() if contestant.persistent else [*PYTHON, "-c", "pass"]
            assert command is not None
            started = perf_counter()
            run(command, contestant.env)
            return (perf_counter() - started) * 1e3

        able = [one for one in contestants if one.listing() or not one.persistent]
        values = bench.in_turns(label, able, bench.sizes.lists, once)
    return [Row(label, "ms", False, values)]
