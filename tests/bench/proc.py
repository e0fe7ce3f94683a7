"""What /proc tells of processes."""

import os
from pathlib import Path


def with_in_environment(text: str) -> list[int]:
    """The processes, this one not counted, whose environment contains `text`."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                if text.encode() in Path("/proc", name, "environ").read_bytes():
                    found.append(int(name))
            except OSError:
                pass  # it has ended, or is another user's
    return found


def name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def wakeups(pids: list[int]) -> int:
    """How often they have been put on a processor."""
    return sum(
        int(line.split()[1])
        for pid in pids
        for task in os.listdir(f"/proc/{pid}/task")
        for line in Path(f"/proc/{pid}/task/{task}/status").read_text().splitlines()
        if "voluntary_ctxt_switches" in line
    )


def cpu_ns(pids: list[int]) -> int:
    """The time they have spent on a processor."""
    return sum(
        int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
        for pid in pids
        for task in os.listdir(f"/proc/{pid}/task")
    )


def memory_kib(pids: list[int]) -> tuple[int, int]:
    """PSS (shared pages in equal parts), and the part of it that is no file's."""
    whole = anonymous = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                whole += int(line.split()[1])
            elif line.startswith("Pss_Anon:"):
                anonymous += int(line.split()[1])
    return whole, anonymous
