"""How fast sessions come and clients go."""

from time import perf_counter

from tests.bench import wire
from tests.bench.client import run
from tests.bench.contestants import Contestant
from tests.bench.measuring import Bench, Row, alone

_COMMAND = ["sleep", "1000"]


def commands(bench: Bench) -> list[Row]:
    """Sessions made by one command after the other."""
    label = "sessions made by command"
    count = bench.sizes.spawns
    round_ = 0
    with bench.contestants(persistent=True) as contestants:

        def once(contestant: Contestant) -> float:
            nonlocal round_
            round_ += 1
            started = perf_counter()
            for number in range(count):
                run(contestant.new_detached(f"s{round_}-{number}", _COMMAND), contestant.env)
            return count / (perf_counter() - started)

        values = bench.in_turns(label, contestants, bench.sizes.repeats, once)
    return [Row(label, "/s", True, values)]


def over_the_socket(bench: Bench) -> list[Row]:
    """Sessions made by one request after the other."""
    label = "sessions made over the socket"
    count = 10 * bench.sizes.spawns
    with alone() as shpool:
        bench.progress(label)
        started = perf_counter()
        shpool.make({f"s{number}": _COMMAND for number in range(count)})
        rate = count / (perf_counter() - started)
    return [Row(label, "/s", True, {shpool.name: rate})]


def cycles(bench: Bench) -> list[Row]:
    """Attaching to one session and leaving it, again and again."""
    label = "attach-and-leave cycles"
    count = bench.sizes.cycles
    with alone() as shpool:
        bench.progress(label)
        shpool.make({"one": _COMMAND})
        request = wire.attach_request("one")
        started = perf_counter()
        for _ in range(count):
            wire.attached(shpool.socket, request).close()
        rate = count / (perf_counter() - started)
    return [Row(label, "/s", True, {shpool.name: rate})]
