"""`shpool upgrade` as tests ask for it, and the children of a daemon, by which it is seen."""

from __future__ import annotations

import select
from collections.abc import Callable
from pathlib import Path

from shpool import __version__
from tests.e2e.harness import Place

# How what is printed begins where the version stays the same.
SAME = f"{__version__} -> {__version__}"


def upgrade(
    place: Place, meanwhile: Callable[[], object] = lambda: None, env: dict[str, str] | None = None
) -> str:
    """What `shpool upgrade` prints; `meanwhile` is called again and again."""
    process = place.popen("upgrade", env=env)
    assert process.stdout is not None
    while not select.select([process.stdout], [], [], 0.01)[0]:
        meanwhile()
    out, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
    return out.decode()


def have_pager(place: Place, script: str) -> None:
    """Have clients shown a message of the day, in a pager that is this script."""
    (place.scratch / "pager").write_text(script)
    (place.scratch / "pager").chmod(0o755)
    (place.scratch / "motd").write_text("of the day\n")
    place.configure(
        f"motd_args = ['motd={place.scratch}/motd', 'motd_dir=/nowhere']\n"
        f"[motd.pager]\nbin = '{place.scratch}/pager'"
    )


def children(pid: int) -> list[int]:
    """What a process has started, and not waited for."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in path.read_text().split()]
