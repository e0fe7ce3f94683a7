"""The recipes of README and SCRIPTS: each does what it says, as it stands there."""

from __future__ import annotations

import subprocess

from tests.e2e.harness import Place, eventually
from tests.e2e.recipes import recipe, with_shpool
from tests.programs import need


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


def test_commands_are_run_at_a_prompt(place: Place) -> None:
    place.configure("shell_integration = true")
    place.start()
    assert done(place, "run --create work") == "/tmp\nhello\nstatus: 3\n"


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


def test_a_login_is_in_a_session_and_a_second_one_takes_it_over(shpool: Place) -> None:
    need("bash")
    env = with_shpool(shpool)
    # After /etc/profile, which may set PATH anew.
    (shpool.home / ".bash_profile").write_text(
        f"PATH={env['PATH']}\n" + recipe("exec shpool attach -f main")
    )
    first = shpool.program(["bash", "-l"], env=env)
    assert first.ask("echo $SHPOOL_SESSION_NAME") == "main\n"
    # Inside, a login shell is a login shell.
    assert first.ask(f"HOME={shpool.home} bash -lc 'echo $SHPOOL_SESSION_NAME'") == "main\n"
    second = shpool.program(["bash", "-l"], env=env)
    assert second.ask("echo again") == "again\n"
    assert first.wait() == 0
    # Without a terminal nothing is attached: scp, and commands of ssh.
    ended = subprocess.run(
        ["bash", "-lc", "echo here"], env=shpool.env | env, stdin=subprocess.DEVNULL, stdout=-1
    )
    assert ended.stdout == b"here\n"


def test_a_session_is_picked_or_made_with_fzf(shpool: Place) -> None:
    need("fzf")
    for name in ("build", "mail"):
        shpool.raw_session(name)
    env = with_shpool(shpool)
    picker = ["bash", "-c", recipe("fzf --print-query")]
    picking = shpool.program(picker, env=env)
    picking.expect("2/2")
    picking.send("mai")
    picking.expect("1/2")
    picking.send("\r")
    eventually(lambda: shpool.statuses()["mail"] == "Attached", "what was picked is attached")
    making = shpool.program(picker, env=env)
    making.expect("2/2")
    making.send("new")
    making.expect("0/2")
    making.send("\r")
    eventually(lambda: shpool.statuses().get("new") == "Attached", "what was typed is made")
    leaving = shpool.program(picker, env=env)
    leaving.expect("3/3")
    leaving.send("\x1b")
    leaving.wait()
    assert set(shpool.statuses()) == {"build", "mail", "new"}


def test_a_status_bar_shows_what_there_is_and_what_changes(shpool: Place) -> None:
    shpool.raw_session("one")
    with subprocess.Popen(
        command(shpool, "events --begin"), env=shpool.env, stdout=subprocess.PIPE
    ) as bar:
        assert bar.stdout is not None
        assert bar.stdout.readline() == b"sessions: one \n"
        shpool.raw_session("two")
        while bar.stdout.readline() != b"sessions: one two \n":
            pass
        shpool.kill("one")
        while bar.stdout.readline() != b"sessions: two \n":
            pass
        shpool.stop()
