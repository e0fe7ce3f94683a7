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


def each(bench: Bench) -> list[Row]:
    """What the second session costs, and every one up to the last of many."""
    last = bench.sizes.many_sessions
    label = f"each session from 2 to {last}"
    memory = Row(f"{label}, memory (PSS)", "KiB", False, {})
    cpu = Row(f"{label}, processor to make it", "ms", False, {})
    with bench.contestants(persistent=True) as contestants:
        for contestant in contestants:
            bench.progress(f"{label}: {contestant.name}")
            _make(contestant, range(1), 0)
            _settle(contestant.servers())
            one = _memory_and_cpu(contestant)
            _make(contestant, range(1, last), 0)
            _settle(contestant.servers())
            all_ = _memory_and_cpu(contestant)
            memory.values[contestant.name] = (all_[0] - one[0]) / (last - 1)
            cpu.values[contestant.name] = (all_[1] - one[1]) / (last - 1)
            contestant.close()
    return [memory, cpu]


def _memory_and_cpu(contestant: Contestant) -> tuple[float, float]:
    """Of all servers: KiB, and the milliseconds they have been on a processor."""
    servers = contestant.servers()
    return proc.memory_kib(servers)[0], proc.cpu_ns(servers) / 1e6


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
            _make(contestant, range(sessions), lines)
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
            for row, value in zip(rows, results):
                row.values[contestant.name] = value
            contestant.close()
    return rows


def _make(contestant: Contestant, numbers: range, lines: int) -> None:
    """Make these sessions; return when every program has written its lines."""
    done = contestant.root / "done"
    done.mkdir(exist_ok=True)
    text = contestant.root / "text"
    text.write_text("".join(f"{number:6} {'.' * (number % 70)}\n" for number in range(lines)))
    contestant.make(
        {
            f"s{number}": ["sh", "-c", f"cat {text}; : >{done}/{number}; exec sleep 1000"]
            for number in numbers
        }
    )
    deadline = monotonic() + PATIENCE
    while sum(1 for _ in done.iterdir()) < numbers.stop:
        if monotonic() > deadline:
            raise Stuck(f"{contestant.name}: not all sessions have come up")
        sleep(0.01)


def _settle(servers: list[int]) -> None:
    deadline = monotonic() + _SETTLES_IN
    before = -1
    while (now := proc.wakeups(servers)) != before and monotonic() < deadline:
        before = now
        sleep(_SETTLED)
