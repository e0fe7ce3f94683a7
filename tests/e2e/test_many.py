"""Five hundred sessions at once, and what they cost."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.harness import Peer, Place, attach_header

SESSIONS = 500


@pytest.mark.many
def test_five_hundred_sessions_are_served_and_cost_next_to_nothing(
    shpool: Place, record_property: Callable[[str, object], None]
) -> None:
    empty = shpool.memory()
    names = [f"s{number}" for number in range(SESSIONS)]
    started = time.monotonic()
    peers: list[Peer] = []
    for name in names:
        peer = shpool.peer()
        peer.request(attach_header(name, "sleep 1000"))
        peers.append(peer)
    for peer in peers:
        assert "Created" in peer.message()["status"]
    took = time.monotonic() - started
    assert shpool.statuses() == dict.fromkeys(names, "Attached")
    figures = {
        "seconds to make them": round(took, 2),
        "RSS in KiB, empty": empty,
        "RSS in KiB, all attached": shpool.memory(),
        "PSS in KiB, all attached": _proportional(shpool.daemon_pid),
        "wake-ups a second, all attached": shpool.wake_ups_in_a_second(),
    }
    for peer in peers:
        peer.close()
    figures["wake-ups a second, all detached"] = shpool.wake_ups_in_a_second()
    assert set(shpool.statuses().values()) == {"Disconnected"}
    assert shpool.raw_attach("s250").status == {"Attached": {"warnings": []}}
    started = time.monotonic()
    shpool.kill(*names)
    figures["seconds to kill them"] = round(time.monotonic() - started, 2)
    figures["RSS in KiB, all gone"] = shpool.memory()
    assert shpool.statuses() == {}
    for name, value in figures.items():
        record_property(name, value)
        print(f"{SESSIONS} sessions: {name}: {value}")
    assert figures["wake-ups a second, all attached"] == 0
    assert figures["wake-ups a second, all detached"] == 0


def _proportional(pid: int) -> int:
    """The memory of a process in KiB, what it shares divided among the sharers."""
    match = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert match
    return int(match[1])
