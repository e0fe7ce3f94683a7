import os
import pathlib
import re
import textwrap
import time
from collections.abc import Iterator

import pytest

from shpool import config, toml
from shpool.config import Config, ConfigError, ConfigSource, config_paths, load
from shpool.config_values import READERS

Path = pathlib.Path


def loaded(path: Path, text: str) -> Config:
    path.write_text(text)
    found, warnings = load([str(path)])
    assert warnings == []
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_every_key_has_a_default(file: Path) -> None:
    found = loaded(file, "")
    assert not any(
        (
            found.norc,
            found.noecho,
            found.nosymlink_ssh_auth_sock,
            found.noread_etc_environment,
            found.nodaemonize,
            found.nodaemonize_timeout,
        )
    )
    assert found.pass_terminal
    assert found.shell is None
    assert found.env == {}
    assert found.default_dir == "$HOME"
    assert found.forward_env == ()
    assert found.initial_path == "/usr/bin:/bin:/usr/sbin:/sbin"
    assert (found.session_restore_mode.name, found.session_restore_mode.lines) == ("screen", 0)
    assert found.session_restore_engine == "vt100"
    assert found.output_spool_lines == 500
    assert found.keybinding == ((("Ctrl-Space", "Ctrl-q"), "detach"),)
    assert found.prompt_prefix == "shpool:$SHPOOL_SESSION_NAME "
    assert found.shell_integration is True
    assert (found.motd.mode, found.motd.pager, found.motd.show_every) == ("never", "", None)
    assert found.motd_args is None
    assert found.var_default == {}


def test_every_key_is_read(file: Path) -> None:
    found = loaded(
        file,
        """
        norc = true
        noecho = true
        nosymlink_ssh_auth_sock = true
        noread_etc_environment = true
        nodaemonize = true
        nodaemonize_timeout = true
        pass_terminal = false
        shell = "/bin/zsh"
        default_dir = "."
        forward_env = ["EDITOR", "PAGER"]
        initial_path = "/bin"
        session_restore_mode = { lines = 2000 }
        session_restore_engine = "vterm"
        output_spool_lines = 3000
        vt100_output_spool_width = 120
        prompt_prefix = ""
        shell_integration = false
        motd = { pager = { bin = "less", show_every = "1d" } }
        motd_args = ["motd=/etc/x", "noupdate"]

        [env]
        TERM = "xterm-256color"
        EMPTY = ""

        [[keybinding]]
        binding = "Ctrl-a d"
        action = "detach"
        [[keybinding]]
        binding = "Ctrl-a q"
        action = "noop"

        [[var_default]]
        var = "ws"
        value = "main"
        [[var_default]]
        var = "n"
        value = "1"
        """,
    )
    assert found.norc
    assert found.noecho
    assert found.nosymlink_ssh_auth_sock
    assert found.noread_etc_environment
    assert found.nodaemonize
    assert found.nodaemonize_timeout
    assert not found.pass_terminal
    assert found.shell == "/bin/zsh"
    assert found.default_dir == "."
    assert found.forward_env == ("EDITOR", "PAGER")
    assert found.initial_path == "/bin"
    assert (found.session_restore_mode.name, found.session_restore_mode.lines) == ("lines", 2000)
    assert found.session_restore_engine == "vterm"
    assert found.output_spool_lines == 3000
    assert found.vt100_output_spool_width == 120
    assert found.prompt_prefix == ""
    assert not found.shell_integration
    assert (found.motd.mode, found.motd.pager, found.motd.show_every) == ("pager", "less", 86400)
    assert found.motd_args == ("motd=/etc/x", "noupdate")
    assert found.env == {"TERM": "xterm-256color", "EMPTY": ""}
    assert found.keybinding == ((("Ctrl-a", "d"), "detach"), (("Ctrl-a", "q"), "noop"))
    assert found.var_default == {"ws": "main", "n": "1"}


def test_the_history_is_as_long_as_the_restore_mode_needs_unless_told_otherwise(file: Path) -> None:
    assert loaded(file, "session_restore_mode = { lines = 7 }").output_spool_lines == 7
    both = "session_restore_mode = { lines = 7 }\noutput_spool_lines = 9"
    assert loaded(file, both).output_spool_lines == 9
    assert loaded(file, 'session_restore_mode = "simple"').output_spool_lines == 500


def test_the_short_forms_of_motd_and_restore_mode(file: Path) -> None:
    assert loaded(file, 'motd = "dump"').motd.mode == "dump"
    assert loaded(file, 'motd = { pager = { bin = "less" } }').motd.show_every is None
    assert loaded(file, 'session_restore_mode = "simple"').session_restore_mode.name == "simple"


def test_a_given_list_of_key_bindings_replaces_the_default(file: Path) -> None:
    assert loaded(file, "keybinding = []").keybinding == ()


def test_a_later_file_wins_per_top_level_key(tmp_path: Path) -> None:
    system, user = tmp_path / "system.toml", tmp_path / "user.toml"
    system.write_text('norc = true\nshell = "/bin/sh"\n[env]\nA = "1"\n')
    user.write_text('shell = "/bin/bash"\n[env]\nB = "2"\n')
    found, _ = load([str(system), str(user)])
    assert found.norc
    assert found.shell == "/bin/bash"
    assert found.env == {"B": "2"}


def test_a_file_that_is_missing_counts_as_empty(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    paths = [str(tmp_path / name) for name in ("absent", "file/below", "dangling")]
    assert load([*paths, os.devnull])[0].shell is None


def test_what_an_editor_may_put_around_text_is_no_error(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbfnorc = true\r\nnoecho = true\r\n")
    assert load([str(file)])[0].noecho


def test_unknown_keys_are_warnings_that_name_file_and_key(file: Path) -> None:
    file.write_text(
        """
        nroc = true
        "odd\\n" = 1
        motd = { pager = { bin = "less", colour = 1 } }
        keybinding = [{ binding = "a", action = "noop", note = "mine" }]
        """
    )
    found, warnings = load([str(file)])
    assert found.keybinding == ((("a",), "noop"),)
    assert warnings == [
        f"{file}: unknown key 'nroc'",
        f"{file}: unknown key 'odd\\n'",
        f"{file}: unknown key 'motd.pager.colour'",
        f"{file}: unknown key 'keybinding[0].note'",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("norc = 1", "norc: found the number 1, want true or false"),
        ('noecho = "yes"', "noecho: found the string 'yes', want true or false"),
        ("shell = true", "shell: found true, want a string"),
        ('shell = ""', "shell: found the string '', want a string that is not empty"),
        ('default_dir = ""', "default_dir: found the string ''"),
        ("default_dir = 2024-01-01", "default_dir: found a date or time, want a string"),
        ('initial_path = "\\u0000"', "initial_path: found the string '\\x00', want a string witho"),
        ("prompt_prefix = []", "prompt_prefix: found an array, want a string"),
        ("env = []", "env: found an array, want a table of strings"),
        ("[env]\nA = 1", "env.A: found the number 1, want a string"),
        ('[env]\n"A=B" = "1"', "env: found the string 'A=B', want the name of an environment var"),
        ('forward_env = "A"', "forward_env: found the string 'A', want an array of strings"),
        ('forward_env = ["A", 2]', "forward_env[1]: found the number 2, want a string"),
        ('forward_env = [""]', "forward_env[0]: found the string '', want the name of an environ"),
        ("motd_args = {}", "motd_args: found a table, want an array of strings"),
        ("output_spool_lines = -1", "output_spool_lines: found the number -1, want an integer fr"),
        ("output_spool_lines = true", "output_spool_lines: found true, want an integer from 0 to"),
        ("output_spool_lines = 1.5", "output_spool_lines: found the number 1.5, want an integer"),
        ("output_spool_lines = 1000001", "want an integer from 0 to 1000000"),
        ('session_restore_mode = "lines"', 'want "screen", "simple" or { lines = N }'),
        ("session_restore_mode = 5", "session_restore_mode: found the number 5"),
        ("session_restore_mode = {}", "session_restore_mode: found a table, want"),
        ("session_restore_mode = { lines = 1, x = 1 }", "session_restore_mode: found a table"),
        ('session_restore_mode = { lines = "1" }', "session_restore_mode.lines: found the string"),
        ('session_restore_engine = "x"', 'found the string \'x\', want "vt100" or "vterm"'),
        ('motd = "pager"', 'motd: found the string \'pager\', want "never", "dump" or { pager'),
        ("motd = { pager = {} }", "motd.pager: found no bin, want bin = ..."),
        ("motd = { pager = 'less' }", "motd.pager: found the string 'less', want a table"),
        ("motd = { pager = { bin = '' } }", "motd.pager.bin: found the string ''"),
        (
            "motd = { pager = { bin = 'less', show_every = '5' } }",
            "motd.pager.show_every: could not parse '5' as duration: no unit",
        ),
        (
            "motd = { pager = { bin = 'less', show_every = 5 } }",
            "motd.pager.show_every: found the number 5, want a string",
        ),
        ("keybinding = {}", "keybinding: found a table, want an array of tables { binding = ..."),
        ("keybinding = ['a']", "keybinding[0]: found the string 'a', want a table { binding"),
        ("[[keybinding]]\nbinding = 'a'", "keybinding[0]: found no action, want action = ..."),
        (
            "keybinding = [{ binding = 'Ctrl-1', action = 'detach' }]",
            "keybinding[0].binding: key binding 'Ctrl-1': no terminal has a control code",
        ),
        (
            "keybinding = [{ binding = 'a', action = 'quit' }]",
            'keybinding[0].action: found the string \'quit\', want "detach" or "noop"',
        ),
        (
            "var_default = [{ var = 'a-b', value = '' }]",
            "var_default[0].var: found the string 'a-b', want a letter or _",
        ),
        (
            "var_default = [{ var = 'a', value = 1 }]",
            "var_default[0].value: found the number 1, want a string",
        ),
        ("var_default = { a = 'b' }", "var_default: found a table, want an array of tables"),
        ('shell = "\\e"', "line 1, column"),
        ("norc = true\nnoecho =", "line 2"),
        ("norc = true\nnorc = true\n", "line 2"),
        ("x = " + "[" * 100_000, "nested too deeply"),
        ("x = " + "9" * 5_000, "integer"),
        ("norc = 0x" + "f" * 5_000, "norc: found a huge number, want true or false"),
        ('[env]\n"\\n" = 1', "'env.\\n': found the number 1"),
    ],
)
def test_an_error_names_file_key_what_was_found_and_what_is_wanted(
    file: Path, text: str, reason: str
) -> None:
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load([str(file)])
    message = str(caught.value)
    assert message.startswith(f"{file}: ")
    assert reason in message
    assert "\n" not in message


def test_a_value_that_a_later_file_replaces_is_checked_all_the_same(tmp_path: Path) -> None:
    system, user = tmp_path / "system.toml", tmp_path / "user.toml"
    system.write_text("norc = 1")
    user.write_text("norc = true")
    with pytest.raises(ConfigError, match=r"system\.toml: norc"):
        load([str(system), str(user)])


def test_files_that_cannot_be_a_configuration_are_named(tmp_path: Path) -> None:
    big, latin, fifo = (tmp_path / name for name in ("big", "latin", "fifo"))
    big.write_bytes(b"#" * (config.MAX_FILE_BYTES + 1))
    latin.write_bytes(b"norc = true\n# gr\xfcn\n")
    os.mkfifo(fifo)
    for path, reason in [
        (tmp_path, "Is a directory"),
        (big, "larger than 1048576 bytes"),
        (latin, "line 2 is not UTF-8"),
        (fifo, "Not a regular file"),
    ]:
        with pytest.raises(ConfigError) as caught:
            load([str(path)])
        assert str(caught.value).startswith(f"{path}: {reason}")


def test_a_file_of_the_largest_size_is_read(file: Path) -> None:
    file.write_bytes(b"norc = true\n" + b"#" * (config.MAX_FILE_BYTES - 12))
    assert load([str(file)])[0].norc


@pytest.fixture
def not_root() -> Iterator[None]:
    """Root may read everything, so for a while it is somebody else."""
    uid = os.geteuid()
    os.seteuid(uid or 65_534)
    yield
    os.seteuid(uid)


def test_a_file_that_may_not_be_read_is_named(file: Path, not_root: None) -> None:
    with pytest.raises(ConfigError, match="Permission denied"):
        load([str(file)])


def test_a_symlink_that_leads_to_itself_is_named(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(ConfigError, match="loop: Too many levels"):
        load([str(loop)])


def test_the_usual_places() -> None:
    system = "/etc/shpool/config.toml"
    home = {"HOME": "/home/u"}
    default = [system, "/home/u/.config/shpool/config.toml"]
    assert config_paths(None, home) == default
    assert config_paths(None, home | {"XDG_CONFIG_HOME": ""}) == default
    assert config_paths(None, home | {"XDG_CONFIG_HOME": "relative"}) == default
    given = config_paths(None, home | {"XDG_CONFIG_HOME": "/xdg"})
    assert given == [system, "/xdg/shpool/config.toml"]


def test_without_home_the_passwd_entry_counts() -> None:
    paths = config_paths(None, {})
    assert len(paths) == 2
    assert all(os.path.isabs(path) for path in paths)


def test_a_named_file_replaces_the_usual_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert config_paths("mine.toml", {"HOME": "/h"}) == [str(tmp_path / "mine.toml")]


def test_a_relative_name_in_a_directory_that_is_gone_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ConfigError, match=r"mine\.toml: "):
        config_paths("mine.toml", {})


class Watched:
    """A configuration file and a source that reads it, settled enough to be cached."""

    def __init__(self, file: Path, text: str) -> None:
        self.file = file
        self.warnings: list[str] = []
        file.write_text(text)
        self.settle()
        self.source = ConfigSource([str(file)], self.warnings.append)

    def settle(self) -> None:
        """Wait until the file's change time is old enough to tell it from a later one."""
        while time.time_ns() - self.file.stat().st_ctime_ns < config._SETTLED_AFTER_NS:
            time.sleep(0.001)


def test_a_configuration_that_has_not_changed_is_not_read_again(file: Path) -> None:
    watched = Watched(file, 'shell = "a"')
    first = watched.source.current()
    assert watched.source.current() is first


def test_edits_are_seen_however_they_are_made(file: Path, tmp_path: Path) -> None:
    watched = Watched(file, 'shell = "a"')

    file.write_text('shell = "b"')
    assert watched.source.current().shell == "b"

    watched.settle()
    watched.source.current()
    replacement = tmp_path / "new"
    replacement.write_text('shell = "c"')
    times = file.stat()
    os.utime(replacement, ns=(times.st_atime_ns, times.st_mtime_ns))
    replacement.rename(file)
    assert watched.source.current().shell == "c"

    file.unlink()
    assert watched.source.current().shell is None
    file.write_text('shell = "d"')
    assert watched.source.current().shell == "d"


def test_edits_within_one_tick_of_the_clock_are_seen(file: Path) -> None:
    watched = Watched(file, 'shell = "0"')
    for number in range(1, 10):
        file.write_text(f'shell = "{number}"')
        assert watched.source.current().shell == str(number)


def test_a_symlink_is_followed(file: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text('shell = "1"')
    two.write_text('shell = "2"')
    file.symlink_to(one)
    source = ConfigSource([str(file)], print)
    assert source.current().shell == "1"
    one.write_text('shell = "x"')
    assert source.current().shell == "x"
    file.unlink()
    file.symlink_to(two)
    assert source.current().shell == "2"


def test_the_last_good_configuration_stays_and_the_reason_is_told_once(file: Path) -> None:
    watched = Watched(file, 'shell = "good"')

    file.write_text("shell = 1")
    for _ in range(3):
        assert watched.source.current().shell == "good"
    assert len(watched.warnings) == 1
    assert f"{file}: shell: found the number 1" in watched.warnings[0]

    file.write_text('shell = "better"')
    assert watched.source.current().shell == "better"
    file.write_text("shell = 1")
    assert watched.source.current().shell == "better"
    assert len(watched.warnings) == 2


def test_a_defect_in_reading_leaves_the_last_good_configuration_too(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(file, 'shell = "good"')

    def fail(text: str) -> None:
        raise AttributeError("a defect")

    monkeypatch.setattr(config, "_parse", fail)
    file.write_text("norc = true")
    assert watched.source.current().shell == "good"
    assert watched.warnings == [
        "internal error: AttributeError('a defect') (the configuration stays as it was)"
    ]


def test_a_bad_configuration_at_the_start_is_an_error(file: Path) -> None:
    file.write_text("norc")
    with pytest.raises(ConfigError):
        ConfigSource([str(file)], print)


def test_who_must_do_without_a_bad_configuration_does_and_says_so(file: Path) -> None:
    file.write_text("norc")
    warnings: list[str] = []
    source = ConfigSource([str(file)], warnings.append, must=True)
    assert source.current().norc is False
    assert warnings[0].startswith(str(file))
    assert warnings[0].endswith(" (so everything is as by default)")
    file.write_text("norc = true")
    assert source.current().norc is True


def test_an_unknown_key_is_warned_of_once(file: Path) -> None:
    watched = Watched(file, "odd = 1")
    file.write_text("odd = 1\nstrange = 1")
    watched.source.current()
    file.write_text("odd = 2\nstrange = 2")
    watched.source.current()
    assert watched.warnings == [f"{file}: unknown key 'odd'", f"{file}: unknown key 'strange'"]


def test_the_examples_for_users_are_right_and_complete(file: Path) -> None:
    document = (Path(__file__).parent.parent / "CONFIG.md").read_text()
    examples = re.findall(r"(?:^    .*\n)+", document, re.MULTILINE)
    keys = set()
    for example in examples[1:]:  # the first is the name of the file
        text = textwrap.dedent(example)
        loaded(file, text)
        keys |= set(toml.loads(text))
    assert keys == set(READERS)
    assert all(f"`{key}`" in document for key in keys)
