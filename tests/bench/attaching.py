"""How soon a user who comes back sees the session as it was."""

from time import monotonic, perf_counter, sleep

from tests.bench.client import PATIENCE, Client, Stuck, run
from tests.bench.contestants import Contestant
from tests.bench.measuring import Bench, Row

_MARK = "RESTORED"


def first_output(bench: Bench) -> list[Row]:
    """From starting the client to the first byte of old output."""
    label = "attach to first old output"
    with bench.contestants(persistent=True) as contestants:
        for contestant in contestants:
            run(contestant.new_detached("one", contestant.showing(_MARK)), contestant.env)
            _until_attachable(contestant)
        values = bench.in_turns(label, contestants, bench.sizes.attaches, _milliseconds)
    return [Row(label, "ms", False, values)]


def _until_attachable(contestant: Contestant) -> None:
    """Return when it has once gone well, with every file in memory; screen comes back early."""
    deadline = monotonic() + PATIENCE
    while True:
        try:
            _milliseconds(contestant)
            return
        except Stuck:
            if monotonic() > deadline:
                raise
            sleep(0.05)


def _milliseconds(contestant: Contestant) -> float:
    started = perf_counter()
    with Client(contestant.attach("one"), contestant.env) as client:
        client.read_until(_MARK.encode())
        elapsed = perf_counter() - started
        # Properly, else some take a while to see that the session is free again.
        client.write(contestant.leave)
        client.wait()
    return elapsed * 1e3
