"""Variables in session names: setting one takes everybody who is named by it somewhere else."""

import os
import signal
import time

import pytest

from tests.e2e.conftest import BOTH_WAYS
from tests.e2e.harness import DETACH, Place, eventually
from tests.e2e.processes import is_stopped
from tests.e2e.window import attached, outside

pytestmark = BOTH_WAYS


def at(place: Place, **pids: int) -> bool:
    """Whether each of these processes is attached to the session it is said to be."""
    rows = place.sessions()
    return all(
        name in rows and [who["pid"] for who in rows[name]["attachments"]] == [pid]
        for name, pid in pids.items()
    )


def test_defaults_come_from_the_configuration_at_the_daemons_start(place: Place) -> None:
    place.configure('[[var_default]]\nvar = "w"\nvalue = "a"\n[[var_default]]\nvar="v"\nvalue="1"')
    place.start()
    assert place.run("var", "list").out == "w\ta\nv\t1\n"
    client = place.attach("s-{w}{v}")
    assert client.ask("echo $SHPOOL_SESSION_NAME") == "s-a1\n"
    place.configure('[[var_default]]\nvar = "w"\nvalue = "b"')
    assert place.run("var", "get", "w").out == "a\n"


def test_every_client_whose_name_changes_switches_and_nobody_else(shpool: Place) -> None:
    shpool.run("var", "set", "w", "a")
    one, two, other, fixed = (shpool.attach(name) for name in ("x-{w}", "y-{w}", "z-{v}", "a"))
    for client in (one, two, other, fixed):
        client.ask("true")
    assert shpool.run("var", "set", "w", "b").status == 0
    eventually(lambda: at(shpool, **{"x-b": one.pid, "y-b": two.pid, "z-": other.pid}))
    assert at(shpool, a=fixed.pid)
    assert one.ask("echo $SHPOOL_SESSION_NAME") == "x-b\n"
    assert other.ask("echo $SHPOOL_SESSION_NAME") == "z-\n"
    assert shpool.run("var", "unset", "w").status == 0
    eventually(lambda: at(shpool, **{"x-": one.pid, "y-": two.pid, "z-": other.pid}))


@pytest.mark.parametrize("last", ["c", "a"])
def test_of_several_changes_that_a_stopped_client_finds_the_last_counts(
    shpool: Place, last: str
) -> None:
    shpool.run("var", "set", "w", "a")
    client = shpool.attach("x-{w}")
    client.ask("true")
    os.kill(client.pid, signal.SIGSTOP)
    eventually(lambda: is_stopped(client.pid))
    for value in ("b", last):
        shpool.run("var", "set", "w", value)
    os.kill(client.pid, signal.SIGCONT)
    eventually(lambda: at(shpool, **{f"x-{last}": client.pid}))
    assert client.ask("echo $SHPOOL_SESSION_NAME") == f"x-{last}\n"
    assert set(shpool.statuses()) == {"x-a", f"x-{last}"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_counts_wherever_in_a_switch_it_comes(shpool: Place, number: int) -> None:
    for turn in range(6):
        shpool.run("var", "set", "w", "a")
        client = shpool.attach("x-{w}")
        before = client.first_modes
        client.ask("true")
        shpool.request({"ModifyVar": {"var": "w", "val": "b"}})
        time.sleep(turn / 1000)  # the moment
        os.kill(client.pid, number)
        assert client.wait() == 128 + number
        assert client.modes() == before


def test_a_variable_that_is_not_in_the_name_causes_no_switch(shpool: Place) -> None:
    client = shpool.attach("x-{w}")
    client.ask("true")
    events = shpool.subscribe()
    shpool.run("var", "set", "v", "something")
    shpool.run("var", "set", "w", "")
    shpool.expect_events(events)
    assert client.ask("echo here") == "here\n"


def test_a_switch_detaches_here_and_creates_there(shpool: Place) -> None:
    shpool.run("var", "set", "w", "a")
    client = shpool.attach("x-{w}")
    client.ask("true")
    events = shpool.subscribe()
    shpool.run("var", "set", "w", "b")
    eventually(lambda: at(shpool, **{"x-b": client.pid}))
    shpool.run("var", "set", "w", "a")
    eventually(lambda: at(shpool, **{"x-a": client.pid}))
    shpool.expect_events(events, "detached", "created", "attached", "detached", "attached")


def test_what_makes_a_session_is_worked_out_anew_at_a_switch(shpool: Place) -> None:
    for name in "ab":
        (shpool.scratch / name).mkdir()
    shpool.run("var", "set", "w", "a")
    words = ["-d", f"{shpool.scratch}/{{w}}", "-c", "sh -c 'pwd; echo {w}; cat'"]
    with attached(shpool, *words, "x-{w}") as window:
        window.until(lambda: window.screen()[:2] == [f"{shpool.scratch}/a", "a"])
        shpool.run("var", "set", "w", "b")
        window.until(lambda: window.everything()[-2:] == [f"{shpool.scratch}/b", "b"])


def test_a_switch_shows_the_screen_of_the_session_it_goes_to(shpool: Place) -> None:
    shpool.run("var", "set", "w", "a")
    with attached(shpool, "x-{w}") as window:
        before = window.first_modes
        window.until(lambda: window.cursor_line() == "$")
        window.send("echo i''n a; echo half\x1b[D")
        window.until_shown("echo half")
        shpool.run("var", "set", "w", "b")
        eventually(lambda: at(shpool, **{"x-b": window.pid}))
        window.until(lambda: window.cursor_line() == "$")
        window.send("echo i''n b\n")
        window.until_shown("in b")
        shpool.run("var", "set", "w", "a")
        window.until(lambda: window.screen()[0] == "$ echo i''n a; echo half")
        where = (0, len("$ echo i''n a; echo hal"))
        window.until(lambda: window.cursor() == where)
        assert window.modes() != before
        window.send(DETACH)
        assert window.wait() == 0
        assert window.modes() == before


def test_from_inside_a_session_the_switch_works_too(shpool: Place) -> None:
    shpool.run("var", "set", "w", "a")
    with attached(shpool, "x-{w}") as window:
        window.until(lambda: window.cursor_line() == "$")
        window.send(f"PYTHONPATH={shpool.env['PYTHONPATH']} XDG_RUNTIME_DIR={shpool.xdg_runtime} ")
        window.send(f"{' '.join(shpool.command('var', 'set', 'w', 'b'))}\n")
        eventually(lambda: at(shpool, **{"x-b": window.pid}))
        window.until(lambda: window.cursor_line() == "$")


def test_a_switch_to_a_session_that_is_occupied_says_so_and_exits_1(shpool: Place) -> None:
    shpool.run("var", "set", "w", "a")
    holder = shpool.attach("x-b")
    holder.ask("true")
    with outside(shpool) as window:
        before = window.modes()
        window.send("shpool attach 'x-{w}'\n")
        window.until(lambda: window.cursor_line() == "$")
        shpool.run("var", "set", "w", "b")
        window.until_shown("session 'x-b' already has a terminal attached")
        window.until(lambda: window.cursor_line() == "outside$")
        window.send("echo status $?\n")
        window.until_shown("status 1")
        window.until(lambda: window.cursor_line() == "outside$")
        assert window.modes() == before
    assert holder.ask("echo undisturbed") == "undisturbed\n"
    assert shpool.statuses() == {"x-b": "Attached", "x-a": "Disconnected"}


def test_a_switch_to_a_name_that_no_session_may_have_says_so_and_exits_1(shpool: Place) -> None:
    shpool.run("var", "set", "w", "a")
    client = shpool.attach("{w}")
    before = client.first_modes
    client.ask("true")
    shpool.run("var", "set", "w", "a/b")
    assert client.wait() == 1
    assert "session names may not contain slashes" in client.text()
    assert client.modes() == before
    assert shpool.statuses() == {"a": "Disconnected"}


def test_two_clients_that_change_places_may_both_be_refused_but_end_well(shpool: Place) -> None:
    shpool.run("var", "set", "w", "a")
    shpool.run("var", "set", "v", "b")
    one, two = shpool.attach("{w}"), shpool.attach("{v}")
    one.ask("true")
    two.ask("true")
    shpool.run("var", "set", "w", "c")
    eventually(lambda: at(shpool, c=one.pid, b=two.pid))
    shpool.run("var", "set", "v", "a")
    eventually(lambda: at(shpool, c=one.pid, a=two.pid))
    shpool.run("var", "set", "w", "b")
    eventually(lambda: at(shpool, b=one.pid, a=two.pid))
    assert one.ask("echo $SHPOOL_SESSION_NAME") == "b\n"
    assert two.ask("echo $SHPOOL_SESSION_NAME") == "a\n"


def test_variables_that_are_too_large_together_are_refused_and_nothing_changes(
    shpool: Place,
) -> None:
    client = shpool.attach("x-{w}")
    client.ask("true")
    assert shpool.run("var", "set", "big", "x" * 16_000).status == 0
    done = shpool.run("var", "set", "w", "y" * 1000)
    assert (done.status, done.out) == (1, "")
    assert "16384 bytes" in done.err
    assert done.err.count("\n") == 1
    assert shpool.run("var", "get", "w") == (0, "", "")
    assert client.ask("echo here") == "here\n"


def test_a_client_in_the_pager_switches_too(place: Place) -> None:
    (place.scratch / "motd").write_text("text of the day\n")
    place.configure(
        f'motd_args = ["motd={place.scratch}/motd", "motd_dir=/nowhere"]\n'
        '[motd.pager]\nbin = "less"\nshow_every = "1d"\n'
    )
    place.start()
    place.run("var", "set", "w", "a")
    with attached(place, "x-{w}") as window:
        window.until_shown("text of the day")
        place.run("var", "set", "w", "b")
        window.until(lambda: window.cursor_line() == "$")
        assert at(place, **{"x-b": window.pid})
        assert window.disorder() == ""


def test_a_client_that_is_told_to_end_during_a_switch_gives_the_terminal_back(
    shpool: Place,
) -> None:
    shpool.run("var", "set", "w", "a")
    client = shpool.attach("x-{w}")
    before = client.first_modes
    client.ask("true")
    for name in "bcdefgh":
        shpool.run("var", "set", "w", name)
    client.process.send_signal(signal.SIGTERM)
    assert client.wait() == 128 + signal.SIGTERM
    assert client.modes() == before
