"""Edits of the configuration take effect in a running daemon, when something next needs it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.harness import DETACH, Place, Terminal, eventually
from tests.e2e.window import attached


def in_place(path: Path, text: str) -> None:
    path.write_text(text)


def by_rename(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.rename(path)


def behind_a_symlink(path: Path, text: str) -> None:
    target = path.with_name("kept-elsewhere.toml")
    target.write_text(text)
    if not path.is_symlink():
        path.unlink(missing_ok=True)
        path.symlink_to(target)


def symlink_replaced(path: Path, text: str) -> None:
    target = path.with_name(f"version{len(list(path.parent.iterdir()))}.toml")
    target.write_text(text)
    fresh = path.with_suffix(".link")
    fresh.symlink_to(target)
    fresh.rename(path)


WAYS = [in_place, by_rename, behind_a_symlink, symlink_replaced]

Edit = Callable[[Path, str], None]


def configuration(place: Place, text: str) -> str:
    """`text` with what every test here needs, as the file is to be."""
    place.configure(text)
    return place.config_file.read_text()


def edit(place: Place, text: str, how: Edit = in_place) -> None:
    """Change the configuration as an editor would."""
    before = place.config_file.read_text()
    wanted = configuration(place, text)
    in_place(place.config_file, before)
    how(place.config_file, wanted)


def path_in(place: Place, name: str, *options: str) -> str:
    """PATH in a new session."""
    client = place.terminal(*options, "attach", "-c", "sh -c 'echo $PATH'", name)
    assert client.wait() == 0
    return client.text()


def detached(client: Terminal) -> None:
    client.send(DETACH)
    assert client.wait() == 0


@pytest.mark.parametrize("how", WAYS)
def test_new_sessions_have_the_edited_configuration(place: Place, how: Edit) -> None:
    how(place.config_file, configuration(place, 'initial_path = "/bin"'))
    place.start()
    assert path_in(place, "old") == "/bin\n"
    for wanted in ("/usr/bin:/bin", "/bin:/usr/bin"):
        edit(place, f'initial_path = "{wanted}"', how)
        assert path_in(place, "new") == f"{wanted}\n"


def test_a_configuration_that_appears_after_the_start_counts(place: Place) -> None:
    wanted = configuration(place, 'initial_path = "/bin"')
    place.config_file.unlink()
    place.start()
    place.raw_session("before")
    place.config_file.write_text(wanted)
    assert path_in(place, "new") == "/bin\n"


def test_a_config_file_that_was_named_may_appear_later(place: Place) -> None:
    named = place.scratch / "named.toml"
    place.start("--config-file", str(named))
    place.raw_session("before")
    named.write_text(configuration(place, 'initial_path = "/bin"'))
    place.config_file.write_text('initial_path = "/usr/bin"')
    assert path_in(place, "new", "--config-file", str(named)) == "/bin\n"


def test_a_broken_edit_changes_nothing_and_is_logged_once(place: Place) -> None:
    place.configure('initial_path = "/bin"')
    place.start()
    place.request("List")  # it is configured, not only there
    place.config_file.write_text('initial_path = "/usr/bin"\nenv = [\n')
    for number in range(3):
        peer = place.raw_attach(f"s{number}", "sh -c 'echo $PATH'")
        assert peer.to_exit_status()[0].startswith(b"/bin\r\n")
    warning = rf"^.* WARN +{re.escape(str(place.config_file))}: .*line 3.*stays as it was"
    assert len(re.findall(warning, place.log_text(), re.MULTILINE)) == 1
    edit(place, 'initial_path = "/usr/bin:/bin"')
    peer = place.raw_attach("mended", "sh -c 'echo $PATH'")
    assert peer.to_exit_status()[0].startswith(b"/usr/bin:/bin\r\n")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("norc = false\nenv = [\n", "line 3"),
        ("norc = 7\n", "norc: found the number 7, want true or false"),
        ('[[keybinding]]\nbinding = "Ctrl-1"\naction = "detach"\n', "no terminal has a control"),
        ('prompt_prefix = "\\e"\n', "line 1"),
    ],
)
@pytest.mark.parametrize("words", [["attach", "one"], ["daemon"]], ids=lambda words: words[0])
def test_attach_and_daemon_refuse_a_configuration_that_cannot_be_used(
    place: Place, words: list[str], text: str, reason: str
) -> None:
    place.config_file.write_text(text)
    done = place.run(*words)
    assert (done.status, done.out) == (1, "")
    said = done.err.splitlines()[-1]
    assert said.startswith(f"shpool: {place.config_file}: ")
    assert reason in said
    assert not place.socket.exists()


def test_attach_to_a_running_daemon_refuses_it_too(shpool: Place) -> None:
    shpool.request("List")  # it is configured, not only there
    shpool.config_file.write_text("norc = 7")
    done = shpool.run("attach", "-b", "one")
    assert done.status == 1
    assert "norc: found the number 7" in done.err
    assert shpool.run("list").status == 0


def test_key_bindings_are_those_at_the_time_of_the_attach(place: Place) -> None:
    place.start()
    first = place.attach("-c", "sh -c 'stty raw -echo; echo ready; exec cat -v'", "one")
    first.expect("ready")
    edit(place, '[[keybinding]]\nbinding = "Ctrl-a d"\naction = "detach"')
    first.send(b"\x01d")
    first.expect(r"\^Ad")
    detached(first)
    second = place.attach("one")
    second.expect(r"\^Ad")
    second.send(DETACH)  # now nothing but keys
    second.expect(r"\^@\^Q")
    second.send(b"\x01d")
    assert second.wait() == 0


def test_variables_to_forward_are_those_at_the_time_of_the_attach(place: Place) -> None:
    place.start()
    place.raw_session("one")
    edit(place, 'forward_env = ["COLOURED"]')
    assert place.run("attach", "-b", "one", env={"COLOURED": "yes"}).status == 0
    assert "COLOURED=yes\n" in (place.runtime / "sessions/one/forward.env").read_text()
    client = place.attach("two", env={"COLOURED": "yes"})
    assert client.ask("echo $COLOURED") == "yes\n"


def test_the_message_of_the_day_is_the_edited_one(place: Place) -> None:
    (place.scratch / "motd").write_text("good day\n")
    place.start()
    place.attach("one").ask("true")
    edit(place, f'motd = "dump"\nmotd_args = ["motd={place.scratch}/motd", "motd_dir=/nowhere"]')
    client = place.attach("two")
    client.expect("good day\r\n")


def test_a_session_keeps_the_restore_mode_it_was_made_with(place: Place) -> None:
    place.configure('session_restore_mode = "simple"')
    place.start()
    simple = place.attach("-c", "sh -c 'trap : WINCH; echo words; while :; do sleep 9; done'", "s")
    simple.expect("words")
    detached(simple)
    edit(place, 'session_restore_mode = "screen"')
    screen = place.attach("-c", "sh -c 'echo words; sleep 1000'", "screen")
    screen.expect("words")
    detached(screen)
    again = place.attach("screen")
    again.expect("words")
    again = place.attach("s")
    eventually(lambda: place.statuses()["s"] == "Attached")
    eventually(again.is_raw)
    detached(again)
    assert b"words" not in again.output


def test_a_session_keeps_the_number_of_lines_it_was_made_with(place: Place) -> None:
    place.configure("session_restore_mode = { lines = 30 }")
    place.start()
    many_lines(place, "old")
    edit(place, "session_restore_mode = { lines = 5 }", by_rename)
    many_lines(place, "new")
    assert lines_that_come_back(place, "old") == 30
    assert lines_that_come_back(place, "new") == 5


def test_no_more_lines_come_back_than_are_kept(place: Place) -> None:
    place.configure("session_restore_mode = { lines = 30 }\noutput_spool_lines = 7")
    place.start()
    many_lines(place, "one")
    assert lines_that_come_back(place, "one") == 7


def many_lines(place: Place, name: str) -> None:
    """A session, detached, that has printed more lines than a screen and its history have."""
    client = place.attach(name)
    client.send("seq -f '%g of many' 300; echo do''ne\n")
    client.expect(r"done\r\n\$ ")
    detached(client)


def lines_that_come_back(place: Place, name: str) -> int:
    """How many lines an attach puts into the terminal's scrollback."""
    with attached(place, name) as window:
        window.until(lambda: window.screen()[-2:] == ["done", "$"])
        count = len(window.history())
        window.send(DETACH)
        assert window.wait() == 0
    return count


def test_keys_without_an_effect_are_accepted_without_a_word(place: Place) -> None:
    place.configure('session_restore_engine = "vterm"\nvt100_output_spool_width = 100')
    place.start()
    client = place.attach("-c", "echo fine", "one")
    assert (client.wait(), client.text()) == (0, "fine\n")
    assert "WARN" not in place.log_text()


def test_an_unknown_key_is_warned_of_in_the_log_and_nowhere_else(place: Place) -> None:
    place.configure("colour = true")
    place.start()
    assert place.run("attach", "-b", "one") == (0, "", "")
    place.logged(rf"WARN +{re.escape(str(place.config_file))}: unknown key 'colour'")


def test_nobody_looks_at_the_configuration_while_nothing_happens(place: Place) -> None:
    place.start()
    place.raw_session("one")
    place.request("List")

    def switches() -> list[str]:
        status = Path(f"/proc/{place.daemon_pid}/status").read_text()
        return re.findall(r"^voluntary_ctxt_switches:\s*(\d+)", status, re.MULTILINE)

    def steady() -> bool:
        # Bounded by what is looked at, and not by time: an edit that nobody needs wakes nobody.
        before = switches()
        edit(place, "norc = true")
        edit(place, "norc = false", by_rename)
        return switches() == before

    eventually(steady, "an edit wakes nobody")
