"""README's section for scripts: each recipe does what it says, as it stands there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.e2e.harness import CHECKOUT, Place
from tests.programs import need


def recipe(words: str) -> str:
    """The one block of the section with these words in it."""
    text = Path(CHECKOUT, "README.md").read_text()
    section = re.search(r"^## From scripts\n(.*?)^## ", text, re.M | re.S)
    assert section is not None
    (found,) = [each for each in re.findall(r"(?:^    .*\n)+", section[1], re.M) if words in each]
    return re.sub(r"^    ", "", found, flags=re.M)


def command(place: Place, words: str) -> list[str]:
    """What runs it in bash, where shpool is this one and python3 any."""
    return ["bash", "-c", f'shpool() {{ {" ".join(place.command())} "$@"; }}\n{recipe(words)}']


def done(place: Place, words: str) -> str:
    """What it prints; it has succeeded."""
    ended = subprocess.run(
        command(place, words),
        env=place.env,
        cwd=place.scratch,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    return ended.stdout.decode()


def test_a_job_is_told_of_when_it_is_over(shpool: Place) -> None:
    assert done(shpool, "wait job --exit") == "job\texit\nit is done\n"


def test_a_build_is_waited_for_and_looked_at(shpool: Place) -> None:
    need("jq")
    assert done(shpool, "wait build --text") == "build\ttext\n"
    seen = done(shpool, "peek build --html")
    assert seen.count("tests: 12 ok\n") == 3  # peek, with colours, and the last lines
    assert "tests: 12 ok" in (shpool.scratch / "it.html").read_text()


def test_a_program_that_asks_is_answered(shpool: Place) -> None:
    assert done(shpool, "calc") == "calc\ttext\n" * 2 + ">>> 6 * 7\n42\n>>>\n"


def test_a_loop_prints_every_line_once(shpool: Place) -> None:
    need("jq")
    shpool.raw_session("build", "sh -c 'seq 1 300; read x; seq 301 600; read x'")
    shpool.run("wait", "build", "--text", "^300$")
    with subprocess.Popen(
        command(shpool, "while answer"), env=shpool.env, stdout=-1, stderr=subprocess.DEVNULL
    ) as loop:
        assert loop.stdout is not None
        printed = [loop.stdout.readline() for _ in range(250)]
        peer = shpool.raw_attach("build", rows=60)  # the mark goes back
        shpool.run("send", "build", "--enter", "")
        printed += [loop.stdout.readline() for _ in range(250)]
        shpool.kill("build")
        peer.close()
        printed += loop.stdout.readlines()
    lines = [line for line in printed if line.strip().isdigit()]
    assert lines == [b"%d\n" % number for number in range(1, len(lines) + 1)]
    assert len(lines) >= 500
