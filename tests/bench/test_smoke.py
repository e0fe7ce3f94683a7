"""Each measurement, with hardly anything to measure: that it works, and leaves nothing behind."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import (
    company,
    comparison,
    neighbours,
    proc,
    report,
    streams,
    terminal_cost,
    upgrading,
)
from tests.bench.__main__ import MEASUREMENTS
from tests.bench.contestants import ALL, CHECKOUT
from tests.bench.measuring import TINY, Bench, Row

KINDS = [kind for kind in ALL if kind.available()]


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_it_has_a_figure_for_everybody_it_measures(name: str) -> None:
    said: list[str] = []
    rows = MEASUREMENTS[name](Bench(TINY, KINDS, said.append))
    assert rows
    assert said
    for row in rows:
        assert "shpool" in row.values
        if row.unit == "KiB":
            continue  # a difference, which of three sessions may be anything
        assert all(value >= 0 for value in row.values.values())
        if row.unit not in ("/s", "ms/s"):  # which may be none at all
            assert all(value > 0 for value in row.values.values())


def test_neighbours_of_a_flood_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert neighbours.main(["--size", "24x80", "--keys", "10", "RIS", "scrolling"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert [row.split("24x80")[0].strip() for row in rows[1:]] == ["nothing", "RIS", "scrolling"]
    for row in rows[2:]:
        assert all(float(value) > 0 for value in row.split()[-5:])


def test_the_pause_of_an_upgrade_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert upgrading.main(["--sessions", "1", "--lines", "10", "--upgrades", "2"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("1 sessions of 10 lines, 2 upgrades, load ")
    pauses = re.findall(r"median +([\d.]+) +p99 +([\d.]+)", said)
    assert len(pauses) == 2
    assert all(float(value) > 0 for pair in pauses for value in pair)


def test_what_company_costs_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert company.main(["--megabytes", "1", "--keys", "10", "--repeats", "1"]) == 0
    *rows, last = capsys.readouterr().out.splitlines()
    assert last.startswith("medians of 1 turns, load ")
    values = [re.search(r" ([\d.]+) +([\d.]+) of alone$", row) for row in rows]
    assert len(values) == 3 * len(company.COMPANY)
    assert all(found and float(found[1]) > 0 for found in values)


def test_every_kind_of_output_has_a_cost() -> None:
    figures = terminal_cost.kinds(1000, 1)
    assert len(figures) == 2 * len({**streams.VTEBENCH, **streams.DEAR}) + 4
    assert all(figure.value > 0 for figure in figures)


@pytest.fixture
def short() -> Iterator[Path]:
    """A directory whose name leaves room for a socket's; tmp_path's may not."""
    with tempfile.TemporaryDirectory(prefix="b-", dir="/tmp") as name:
        yield Path(name)


def test_nothing_is_left_behind(short: Path) -> None:
    result = short / "result.json"
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--tiny", "--only", "echo", "--json", str(result)],
        env={**os.environ, "TMPDIR": str(short)},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "echo, p99" in done.stdout
    rows = json.loads(result.read_text())["rows"]
    assert [row["label"] for row in rows] == ["echo, p50", "echo, p99"]
    assert set(rows[0]["values"]) == {kind.name for kind in KINDS}
    assert set(rows[0]["ratios"]) == {kind.name for kind in KINDS} - {"shpool"}
    assert proc.with_in_environment(str(short)) == []
    assert [path.name for path in short.iterdir()] == ["result.json"]


def test_the_table_shows_values_and_what_shpool_is_to_each() -> None:
    rows = [
        Row("flood", "MB/s", True, {"tmux": 20.0, "shpool": 50.0}),
        Row("wake-ups", "/s", False, {"tmux": 0.0, "shpool": 0.0}),
        Row("events", "/s", True, {"shpool": 1234.5}),
    ]
    assert report.table(rows, ["tmux", "shpool"]).splitlines()[:4] == [
        "                  tmux  shpool     to tmux",
        "flood     MB/s +  20.0    50.0  |     2.50",
        "wake-ups  /s -       0       0  |",
        "events    /s +            1234  |",
    ]


def test_readme_compares_what_shpool_really_does() -> None:
    text = (CHECKOUT / "README.md").read_text()
    table = [row.split(" | ") for row in text.splitlines() if row.startswith("| ")]
    claimed = {cells[0][2:]: cells[1] for cells in table}
    for label, script, again, judge in comparison.TRIALS:
        found = comparison.result(comparison.AllLines, script, judge, again=again)
        assert claimed[label] == found, label
