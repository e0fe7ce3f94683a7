"""The result: a table for people, JSON for programs, and what it was measured on."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench.measuring import Row

_OURS = "shpool"


def machine() -> str:
    """The processor, how many of it, and the versions of Python and the kernel."""
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    cores = len(os.sched_getaffinity(0))
    return (
        f"{model}, {cores} cores, Python {platform.python_version()},"
        f" {platform.system()} {platform.release()}"
    )


def load() -> str:
    """The averages over 1, 5 and 15 minutes."""
    return " ".join(f"{value:.1f}" for value in os.getloadavg())


def table(rows: Sequence[Row], names: Sequence[str]) -> str:
    """Values, then shpool's as a multiple of each other's; the sign says which way is better."""
    others = [name for name in names if name != _OURS]
    head = ["", "", *names, "", *(f"to {name}" for name in others)]
    lines = [head]
    for row in rows:
        ratios = _ratios(row)
        lines.append(
            [
                row.label,
                f"{row.unit} {'+' if row.more_is_better else '-'}",
                *(_number(row.values.get(name)) for name in names),
                "|",
                *(_ratio(ratios.get(name)) for name in others),
            ]
        )
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    text = ""
    for line in lines:
        cells = [line[0].ljust(widths[0]), line[1].ljust(widths[1])]
        cells += [cell.rjust(width) for cell, width in zip(line[2:], widths[2:])]
        text += "  ".join(cells).rstrip() + "\n"
    return text + "+ more is better, - less is better; right: shpool as a multiple of the other\n"


def as_json(rows: Sequence[Row]) -> str:
    result: dict[str, Any] = {
        "machine": machine(),
        "rows": [{**row._asdict(), "ratios": _ratios(row)} for row in rows],
    }
    return json.dumps(result, indent=2) + "\n"


def _ratios(row: Row) -> dict[str, float]:
    ours = row.values.get(_OURS)
    if ours is None:
        return {}
    return {name: ours / value for name, value in row.values.items() if value and name != _OURS}


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if value >= 100 or value == 0:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
