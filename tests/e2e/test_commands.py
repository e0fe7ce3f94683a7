"""The short commands: what they print, where, and with which exit status."""

import json
import re
import time

import pytest

import shpool as program
from shpool.commands import COMMANDS
from tests.e2e.harness import DEADLINE, Place, eventually

VERSION = f"shpool {program.__version__}\n"

# ---- version and help


@pytest.mark.parametrize("words", [["version"], ["--version"], ["-D", "version"]])
def test_version_is_printed_without_a_daemon(place: Place, words: list[str]) -> None:
    assert place.run(*words) == (0, VERSION, "")
    assert not place.runtime.exists()


@pytest.mark.parametrize("words", [["-h"], ["--help"], ["help"]])
def test_help_lists_all_commands_on_stdout(place: Place, words: list[str]) -> None:
    done = place.run(*words)
    assert (done.status, done.err) == (0, "")
    for command in COMMANDS:
        assert re.search(rf"^  {command} ", done.out, re.MULTILINE), command
    assert not place.runtime.exists()


@pytest.mark.parametrize(
    "words", [["help", "attach"], ["attach", "-h"], ["attach", "--help"], ["attach", "x", "-h"]]
)
def test_help_for_a_command_is_on_stdout(place: Place, words: list[str]) -> None:
    done = place.run(*words)
    assert (done.status, done.err) == (0, "")
    for option in ("--force", "--background", "--ttl", "--cmd", "--dir", "--start-cmd"):
        assert option in done.out


def test_a_runtime_directory_that_is_not_absolute_is_ignored_and_that_is_said_once(
    place: Place,
) -> None:
    relative = {"XDG_RUNTIME_DIR": "r"}
    said = "warning: XDG_RUNTIME_DIR is ignored, since it is not an absolute path: r\n"
    done = place.run("attach", "-b", "-c", "sleep 1000", "one", env=relative, cwd=place.root)
    assert done == (0, "", said)
    runtime = place.home / ".local" / "run" / "shpool"
    assert runtime.joinpath("shpool.socket").is_socket()
    assert list(place.xdg_runtime.iterdir()) == []
    listed = place.run("list", env=relative, cwd=place.home)
    assert listed == (0, "NAME\tSTATUS\none\tdisconnected\n", said)
    place.run("kill", "one", env=relative)
    place.end_autodaemon(runtime)


USAGE_ERRORS = [
    ([], "a command is needed"),
    (["nonsense"], "unknown command 'nonsense'"),
    (["help", "nonsense"], "unknown command 'nonsense'"),
    (["peek"], "peek needs NAME"),
    (["attach", "a", "b"], "unexpected argument 'b'"),
    (["attach", "--nonsense", "a"], "unexpected option '--nonsense'"),
    (["attach", "--forc", "a"], "unexpected option '--forc'"),
    (["attach", "-f", "-f", "a"], "the option '-f' cannot be used more than once"),
    (["attach", "-f", "a", "--force"], "the option '--force' cannot be used more than once"),
    (["attach", "-d", "-x", "a"], "the option '-d' needs a value, DIR"),
    (["attach", "a", "--ttl"], "the option '--ttl' needs a value, DUR"),
    (["attach", "--force=yes", "a"], "the option '--force' takes no value"),
    (["list", "x"], "unexpected argument 'x'"),
    (["list", "-f"], "unexpected option '-f'"),
    (["events", "x"], "unexpected argument 'x'"),
    (["list", "--short", "--json"], "--json and --short cannot be used together"),
    (["kill", "--all", "x"], "kill --all takes no NAME"),
    (["stop", "x"], "unexpected argument 'x'"),
    (["config", "x"], "unexpected argument 'x'"),
    (["completions", "csh"], "unknown shell 'csh'"),
    (["version", "x"], "unexpected argument 'x'"),
    (["daemon", "x"], "unexpected argument 'x'"),
    (["var"], "var needs list"),
    (["var", "nonsense"], "unknown command 'var nonsense'"),
    (["var", "get"], "var get takes VAR"),
    (["var", "set", "x"], "var set takes VAR VAL"),
    (["var", "unset"], "var unset takes VAR"),
    (["var", "list", "x"], "var list takes no arguments"),
    (["var", "get", "x", "--json"], "var get takes no --json"),
    (["wait", "--exit"], "wait needs NAME..."),
    (["wait", "x"], "wait needs something to wait for, for example --exit"),
    (["set-log-level"], "set-log-level needs"),
    (["set-log-level", "loud"], "unknown log level 'loud'"),
    (["-d", "-D", "list"], "--daemonize and --no-daemonize cannot be used together"),
    (["-s", "a", "-s", "b", "list"], "the option '-s' cannot be used more than once"),
]


@pytest.mark.parametrize(("words", "message"), USAGE_ERRORS, ids=lambda x: str(x)[:30])
def test_a_usage_error_exits_2_with_message_and_usage_on_stderr(
    place: Place, words: list[str], message: str
) -> None:
    done = place.run(*words)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"shpool: {message}")
    assert "Usage: shpool" in done.err
    assert "Traceback" not in done.err
    assert not place.runtime.exists()


# ---- without a daemon


@pytest.mark.parametrize(
    "words",
    [
        ["attach", "x"],
        ["list"],
        ["list", "--json"],
        ["detach"],
        ["detach", "x"],
        ["kill"],
        ["kill", "x"],
        ["events"],
        ["set-log-level", "info"],
        ["var", "list"],
        ["var", "set", "a", "b"],
    ],
    ids=" ".join,
)
def test_without_a_daemon_every_command_says_so(place: Place, words: list[str]) -> None:
    assert place.run("-D", *words) == (1, "", "could not connect to daemon\n")
    assert not place.runtime.exists()


def test_nodaemonize_in_the_configuration_is_as_good_as_the_option(place: Place) -> None:
    place.configure("nodaemonize = true")
    assert place.run("list") == (1, "", "could not connect to daemon\n")


def test_a_configuration_that_does_not_parse_fails_with_file_line_and_reason(place: Place) -> None:
    place.config_file.write_text('norc = true\nshell = "\\e"\n')
    for words in (["attach", "x"], ["list"], ["daemon"]):
        done = place.run(*words)
        assert (done.status, done.out) == (1, "")
        last = done.err.splitlines()[-1]
        assert str(place.config_file) in last
        assert "line 2" in last
        assert "Traceback" not in done.err


def test_a_configuration_with_a_wrong_type_fails_with_file_and_key(place: Place) -> None:
    place.config_file.write_text("norc = 1\n")
    done = place.run("list")
    assert done.err == (
        f"shpool: {place.config_file}: norc: found the number 1, want true or false\n"
    )
    assert done.status == 1


def test_an_unknown_key_is_a_warning_in_the_log_only(place: Place) -> None:
    place.configure("nonsense = 1")
    place.start()
    place.logged(rf"WARN .*{re.escape(str(place.config_file))}.*nonsense")
    assert place.run("attach", "-b", "one") == (0, "", "")


# ---- list


def test_list_of_nothing_is_a_header(shpool: Place) -> None:
    assert shpool.run("list") == (0, "NAME\tSTATUS\n", "")
    assert json.loads(shpool.run("list", "--json").out) == {"sessions": []}


def test_list_is_a_padded_table_in_order_of_creation(shpool: Place) -> None:
    shpool.raw_session("zebra")
    shpool.raw_attach("ape", "sleep 1000")
    shpool.raw_session("a-longer-name")
    assert shpool.run("list") == (
        0,
        "NAME\tSTATUS\n"
        "zebra        \tdisconnected\n"
        "ape          \tattached\n"
        "a-longer-name\tdisconnected\n",
        "",
    )


def test_list_as_json_has_what_the_protocol_has(shpool: Place) -> None:
    before = int(time.time() * 1000)
    shpool.run("var", "set", "x", "ü")
    client = shpool.attach("one-{x}")
    client.ask("true")
    done = shpool.run("list", "-j")
    assert (done.status, done.err) == (0, "")
    assert '\n  "sessions": [\n' in done.out
    assert '"one-ü"' in done.out
    (row,) = json.loads(done.out)["sessions"]
    started = row.pop("started_at_unix_ms")
    assert row["attachments"][0].pop("idle_ms") >= 0
    assert row.pop("foreground_pid") > 0
    assert row == {
        "name": "one-ü",
        "last_connected_at_unix_ms": row["last_connected_at_unix_ms"],
        "last_disconnected_at_unix_ms": None,
        "status": "Attached",
        "attachments": [
            {
                "session_name_template": "one-{x}",
                "pid": client.pid,
                "role": "driver",
                "rows": 24,
                "cols": 80,
            }
        ],
        "watchers": [],
        "prompt": None,
    }
    assert before <= started <= row["last_connected_at_unix_ms"] <= time.time() * 1000


def test_times_of_coming_and_going(shpool: Place) -> None:
    first = shpool.raw_attach("one", "sleep 1000")
    attached = shpool.sessions()["one"]
    assert shpool.raw_attach("one").status == "Busy"
    busy = shpool.sessions()["one"]
    for found in (attached, busy):
        del found["attachments"][0]["idle_ms"]
    assert busy == attached, "a busy refusal changes nothing"
    first.close()
    free = eventually(lambda: (row := shpool.sessions()["one"])["status"] == "Disconnected" and row)
    assert free["attachments"] == []
    assert free["last_disconnected_at_unix_ms"] >= attached["last_connected_at_unix_ms"]
    shpool.raw_attach("one")
    again = shpool.sessions()["one"]
    assert again["last_disconnected_at_unix_ms"] == free["last_disconnected_at_unix_ms"]
    assert again["last_connected_at_unix_ms"] >= free["last_disconnected_at_unix_ms"]
    assert again["started_at_unix_ms"] == attached["started_at_unix_ms"]


def test_list_can_be_names_alone(shpool: Place) -> None:
    assert shpool.run("list", "--short") == (0, "", "")
    shpool.raw_session("zebra")
    shpool.raw_session("a-longer-name")
    assert shpool.run("list", "--short") == (0, "zebra\na-longer-name\n", "")


def test_on_a_terminal_list_marks_the_session_it_runs_in(shpool: Place) -> None:
    shpool.raw_session("one")
    client = shpool.attach("two")
    words = f"PYTHONPATH={shpool.env['PYTHONPATH']} XDG_RUNTIME_DIR={shpool.xdg_runtime}"
    command = f"{words} SHPOOL_SESSION_NAME=one {' '.join(shpool.command('list'))}"
    for env, row in (
        ("TERM=xterm", "\x1b[1mtwo\tattached (this session)\x1b[m"),
        ("TERM=xterm NO_COLOR=1", "two\tattached (this session)"),
        ("NO_COLOR= TERM=dumb", "two\tattached (this session)"),
    ):
        shown = client.ask(f"{env} {command}")
        assert shown == f"NAME\tSTATUS\none\tdisconnected\n{row}\n"
    plain = "NAME\tSTATUS\none\tdisconnected\ntwo\tattached\n"
    assert client.ask(f"{command} | cat") == plain
    # A variable may have been inherited.
    outside = shpool.terminal("list", env={"SHPOOL_SESSION_NAME": "two"})
    assert outside.wait() == 0
    assert outside.output.decode().replace("\r", "") == plain


# ---- detach


def test_detach_lets_the_clients_of_the_named_sessions_go(shpool: Place) -> None:
    one, two = shpool.attach("one"), shpool.attach("two")
    one.ask("true")
    two.ask("true")
    assert shpool.run("detach", "one", "two") == (0, "", "")
    assert (one.wait(), two.wait()) == (0, 0)
    assert shpool.statuses() == {"one": "Disconnected", "two": "Disconnected"}


def test_detach_does_what_it_can_and_names_the_rest(shpool: Place) -> None:
    shpool.raw_session("free")
    shpool.raw_session("idle")
    client = shpool.attach("one")
    client.ask("true")
    assert shpool.run("detach", "no", "free", "one", "nope", "idle") == (
        1,
        "",
        "not found: no nope\nnot attached: free idle\n",
    )
    assert client.wait() == 0


def test_detach_and_kill_without_a_name_mean_the_session_they_run_in(shpool: Place) -> None:
    for name in ("one", "two"):
        client = shpool.attach(name)
        client.ask(f"export PYTHONPATH={shpool.env['PYTHONPATH']} SHPOOL_SESSION_NAME=three")
        verb = "detach" if name == "one" else "kill"
        client.send(" ".join(shpool.command(verb)) + "\n")
        assert client.wait() == (0 if name == "one" else 129)
    assert shpool.statuses() == {"one": "Disconnected"}


@pytest.mark.parametrize("verb", ["detach", "kill"])
def test_no_name_at_all_is_an_error(shpool: Place, verb: str) -> None:
    assert shpool.run(verb) == (1, "", f"no session to {verb}\n")


def test_a_name_in_the_environment_is_only_a_default(shpool: Place) -> None:
    shpool.raw_session("one")
    shpool.raw_session("two")
    assert shpool.run("kill", "two", env={"SHPOOL_SESSION_NAME": "one"}) == (0, "", "")
    assert shpool.statuses() == {"one": "Disconnected"}
    assert shpool.run("kill", env={"SHPOOL_SESSION_NAME": "one"}) == (0, "", "")
    assert shpool.statuses() == {}


# ---- kill


def test_kill_ends_attached_and_detached_sessions(shpool: Place) -> None:
    shpool.raw_session("free")
    client = shpool.attach("one")
    client.ask("true")
    assert shpool.run("kill", "one", "free") == (0, "", "")
    assert shpool.statuses() == {}
    assert client.wait() == 129


def test_kill_does_what_it_can_and_names_the_rest(shpool: Place) -> None:
    shpool.raw_session("one")
    assert shpool.run("kill", "no", "one", "nope") == (1, "", "not found: no nope\n")
    assert shpool.statuses() == {}


def test_kill_of_all_sessions(shpool: Place) -> None:
    assert shpool.run("kill", "--all") == (0, "", "")
    shpool.raw_session("free")
    client = shpool.attach("one")
    client.ask("true")
    assert shpool.run("kill", "--all", "one").status == 2
    assert shpool.run("kill", "--all") == (0, "", "")
    assert shpool.statuses() == {}
    assert client.wait() == 129


def test_kill_of_one_session_twice_over_is_no_error(shpool: Place) -> None:
    shpool.raw_session("one")
    assert shpool.run("kill", "one", "one") == (0, "", "")


def test_after_kill_the_name_is_free_at_once(shpool: Place) -> None:
    client = shpool.attach("one")
    client.ask("x=old")
    assert shpool.run("kill", "one").status == 0
    assert shpool.attach("one").ask("echo new$x") == "new\n"


# ---- events


def test_events_prints_a_line_for_each(shpool: Place) -> None:
    process = shpool.popen("events")
    assert process.stdout is not None
    shpool.until_subscribed(1)
    shpool.raw_session("one")
    for kind in (b"created", b"attached", b"detached"):
        assert process.stdout.readline() == b'{"type":"session.%s"}\n' % kind
    shpool.stop()
    assert process.stdout.read() == b""
    assert process.wait() == 0


def test_events_ends_quietly_when_its_pipe_is_closed(shpool: Place) -> None:
    """At once, not with the next event: a status bar that is started anew leaves none behind."""
    process = shpool.popen("events")
    assert process.stdout is not None
    assert process.stderr is not None
    shpool.until_subscribed(1)
    process.stdout.close()
    assert process.wait(DEADLINE) in (0, 1)
    assert process.stderr.read() == b""


# ---- var


def test_variables_can_be_set_read_listed_and_unset(shpool: Place) -> None:
    assert shpool.run("var", "list") == (0, "", "")
    assert shpool.run("var", "get", "x") == (0, "", "")
    assert shpool.run("var", "set", "x", "1 2") == (0, "", "")
    assert shpool.run("var", "set", "ab", "ü") == (0, "", "")
    assert shpool.run("var", "get", "x") == (0, "1 2\n", "")
    assert shpool.run("var", "list") == (0, "x\t1 2\nab\tü\n", "")
    assert shpool.run("var", "list", "--json").out == '{\n  "ab": "ü",\n  "x": "1 2"\n}\n'
    assert shpool.run("var", "unset", "x") == (0, "", "")
    assert shpool.run("var", "unset", "x") == (0, "", "")
    assert shpool.run("var", "list", "-j").out == '{\n  "ab": "ü"\n}\n'


def test_no_variables_are_an_empty_json_object(shpool: Place) -> None:
    assert shpool.run("var", "list", "-j") == (0, "{}\n", "")


def test_variables_of_the_configuration_are_set_when_the_daemon_starts(place: Place) -> None:
    place.configure('[[var_default]]\nvar = "w"\nvalue = "main"')
    place.start()
    assert place.run("var", "get", "w").out == "main\n"


def test_a_variable_that_no_template_can_name_is_refused(shpool: Place) -> None:
    assert shpool.run("var", "set", "a-b", "x") == (1, "", "shpool: invalid var name: 'a-b'\n")


def test_variables_that_no_client_could_be_sent_are_refused(shpool: Place) -> None:
    assert shpool.run("var", "set", "x", "small").status == 0
    done = shpool.run("var", "set", "x", "x" * 20_000)
    assert (done.status, done.out) == (1, "")
    assert "16384 bytes" in done.err
    assert shpool.run("var", "get", "x").out == "small\n"


def test_names_commands_and_directories_can_have_variables(shpool: Place) -> None:
    shpool.run("var", "set", "w", "work")
    client = shpool.attach("a-{w}", "-c", "echo {w}{nothing} '}'")
    assert client.wait() == 0
    assert client.text() == "work }\n"


def test_a_client_whose_name_changes_switches_in_the_same_process(shpool: Place) -> None:
    shpool.run("var", "set", "w", "a")
    client = shpool.attach("s-{w}")
    bystander = shpool.attach("other")
    assert client.ask("echo $SHPOOL_SESSION_NAME") == "s-a\n"
    assert bystander.ask("echo $SHPOOL_SESSION_NAME") == "other\n"
    shpool.run("var", "set", "w", "b")
    eventually(lambda: shpool.statuses().get("s-b") == "Attached")
    assert client.ask("echo $SHPOOL_SESSION_NAME") == "s-b\n"
    assert shpool.statuses() == {"s-a": "Disconnected", "s-b": "Attached", "other": "Attached"}
    shpool.run("var", "set", "unrelated", "x")
    shpool.run("var", "set", "w", "a")
    eventually(lambda: shpool.statuses().get("s-a") == "Attached")
    assert client.ask("echo $SHPOOL_SESSION_NAME") == "s-a\n"
    assert bystander.ask("echo $SHPOOL_SESSION_NAME") == "other\n"
    (attached,) = shpool.sessions()["s-a"]["attachments"]
    assert (attached["session_name_template"], attached["pid"]) == ("s-{w}", client.pid)


def test_a_switch_to_an_occupied_session_ends_the_client_unless_forced(shpool: Place) -> None:
    shpool.run("var", "set", "w", "a")
    holder = shpool.raw_attach("s-b", "sleep 1000")
    client = shpool.attach("s-{w}")
    client.ask("true")
    shpool.run("var", "set", "w", "b")
    assert client.wait() == 1
    assert "session 's-b' already has a terminal attached" in client.text()
    shpool.run("var", "set", "w", "a")
    client = shpool.attach("-f", "s-{w}")
    client.ask("true")
    shpool.run("var", "set", "w", "b")
    assert holder.to_exit_status() == (b"", 0)
    assert eventually(lambda: shpool.sessions()["s-b"]["attachments"])[0]["pid"] == client.pid


# ---- set-log-level


def test_the_log_level_can_be_changed(shpool: Place) -> None:
    assert shpool.run("set-log-level", "trace") == (0, "", "")
    peer = shpool.raw_attach("one", "echo visible-when-traced")
    assert peer.to_exit_status() == (b"visible-when-traced\r\n", 0)
    shpool.logged(r"TRACE session 'one': output 'visible-when-traced|TRACE .*visible-when-traced")
    assert shpool.run("set-log-level", "off") == (0, "", "")
    before = shpool.log_text()
    shpool.fence()
    assert shpool.log_text() == before


def test_what_is_typed_and_printed_is_not_logged_by_default(place: Place) -> None:
    place.start("-v")
    client = place.attach("one")
    assert client.ask("echo secret$((6*7))") == "secret42\n"
    assert "secret" not in place.log_text()
