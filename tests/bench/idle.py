"""What sessions cost that nobody is attached to."""

from time import monotonic, perf_counter, sleep

from tests.bench import proc
from tests.bench.client import PATIENCE, Stuck
from tests.bench.contestants import Contestant
from tests.bench.measuring import Bench, Row

# Seconds for which a server must have done nothing to count as settled, and the longest wait.
_SETTLED = 0.3
_SETTLES_IN = 10.0


def few(bench: Bench) -> list[Row]:
    """Sessions with history."""
    return _idle(bench, bench.sizes.few_sessions, bench.sizes.lines)


def many(bench: Bench) -> list[Row]:
    """Sessions without any."""
    return _idle(bench, bench.sizes.many_sessions, 0)


def _idle(bench: Bench, sessions: int, lines: int) -> list[Row]:
    label = f"{sessions} idle sessions"
    rows = [
        Row(f"{label}, memory (PSS)", "MiB", False, {}),
        Row(f"{label}, of that anonymous", "MiB", False, {}),
        Row(f"{label}, wake-ups", "/s", False, {}),
        Row(f"{label}, processor", "ms/s", False, {}),
    ]
    with bench.contestants(persistent=True) as contestants:
        for contestant in contestants:
            bench.progress(f"{label}: {contestant.name}")
            _make(contestant, sessions, lines)
            servers = contestant.servers()
            _settle(servers)
            wakeups, cpu = proc.wakeups(servers), proc.cpu_ns(servers)
            started = perf_counter()
            sleep(bench.sizes.idle_seconds)
            elapsed = perf_counter() - started
            memory, anonymous = proc.memory_kib(servers)
            results = (
                memory / 1024,
                anonymous / 1024,
                (proc.wakeups(servers) - wakeups) / elapsed,
                (proc.cpu_ns(servers) - cpu) / 1e6 / elapsed,
            )
            for row, value in zip(rows, results, strict=True):
                row.values[contestant.name] = value
            contestant.close()
    return rows


def _make(contestant: Contestant, sessions: int, lines: int) -> None:
    """Return when every program has written its lines."""
    done = contestant.root / "done"
    done.mkdir()
    text = contestant.root / "text"
    text.write_text("".join(f"{number:6} {'.' * (number % 70)}\n" for number in range(lines)))
    contestant.make(
        {
            f"s{number}": ["sh", "-c", f"cat {text}; : >{done}/{number}; exec sleep 1000"]
            for number in range(sessions)
        }
    )
    deadline = monotonic() + PATIENCE
    while sum(1 for _ in done.iterdir()) < sessions:
        if monotonic() > deadline:
            raise Stuck(f"{contestant.name}: not all sessions have come up")
        sleep(0.01)


def _settle(servers: list[int]) -> None:
    deadline = monotonic() + _SETTLES_IN
    before = -1
    while (now := proc.wakeups(servers)) != before and monotonic() < deadline:
        before = now
        sleep(_SETTLED)
