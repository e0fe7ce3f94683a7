from __future__ import annotations

import os
import pathlib

import pytest

from shpool.daemon.clients import motd
from shpool.daemon.clients.motd import dump_form, message, pager_form


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path


def put(root: pathlib.Path, path: str, text: str | bytes) -> None:
    file = root / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode() if isinstance(text, str) else text)


def shown(root: pathlib.Path, *arguments: str) -> str:
    return message(arguments, str(root)).decode()


def shown_by_pam(root: pathlib.Path) -> str:
    return message(None, str(root)).decode()


def test_nothing_is_shown_where_there_is_nothing(root: pathlib.Path) -> None:
    assert shown_by_pam(root) == ""
    assert shown(root) == ""
    assert shown(root, "motd=/absent", "motd_dir=/absent.d") == ""


def test_without_arguments_the_default_places_count(root: pathlib.Path) -> None:
    for path in ("/usr/lib/motd", "/usr/lib/motd.d/b", "/run/motd.d/a", "/etc/motd.d/c"):
        put(root, path, path)
    assert shown(root) == "/usr/lib/motd\n/run/motd.d/a\n/usr/lib/motd.d/b\n/etc/motd.d/c\n"
    put(root, "/run/motd", "run\n")
    assert shown(root).startswith("run\n/run/motd.d/a\n")
    put(root, "/etc/motd", "etc\n")
    assert shown(root).startswith("etc\n/run/motd.d/a\n")
    assert shown(root, "noupdate", "unknown=1", "motd=") == shown(root)


def test_of_several_files_the_first_that_exists_is_shown(root: pathlib.Path) -> None:
    put(root, "/b", "b")
    put(root, "/c", "c")
    (root / "a").mkdir()
    os.mkfifo(root / "f")
    assert shown(root, "motd=/absent:/a:/f::/b:/c") == "b\n"


def test_an_empty_file_exists(root: pathlib.Path) -> None:
    put(root, "/a", "")
    put(root, "/b", "b")
    assert shown(root, "motd=/a:/b") == ""


def test_with_a_file_alone_the_default_directories_still_count(root: pathlib.Path) -> None:
    put(root, "/etc/motd", "default")
    put(root, "/etc/motd.d/x", "x")
    put(root, "/mine", "mine")
    assert shown(root, "motd=/mine") == "mine\nx\n"


def test_with_a_directory_alone_it_is_all_that_counts(root: pathlib.Path) -> None:
    put(root, "/etc/motd", "default")
    put(root, "/etc/motd.d/x", "x")
    put(root, "/mine.d/y", "y")
    assert shown(root, "motd_dir=/mine.d") == "y\n"


def test_the_last_option_of_a_kind_counts(root: pathlib.Path) -> None:
    put(root, "/a", "a")
    put(root, "/b", "b")
    assert shown(root, "motd=/a", "motd=/b") == "b\n"


def test_an_earlier_directory_overrides_files_of_the_same_name(root: pathlib.Path) -> None:
    put(root, "/one/20", "one")
    put(root, "/two/20", "two")
    put(root, "/two/10", "first")
    put(root, "/two/30", "hidden")
    put(root, "/two/sub/x", "not looked into")
    (root / "one/30").symlink_to(os.devnull)
    (root / "one/40").symlink_to("nowhere")
    (root / "one/50").symlink_to("20")
    assert shown(root, "motd_dir=/one:/absent:/two") == "first\none\none\n"


def test_every_file_ends_its_last_line(root: pathlib.Path) -> None:
    put(root, "/etc/motd", "no end")
    put(root, "/etc/motd.d/a", "end\n\n")
    put(root, "/etc/motd.d/b", "no end")
    assert shown(root) == "no end\nend\n\nno end\n"


def test_bytes_that_are_not_utf8_are_kept(root: pathlib.Path) -> None:
    put(root, "/etc/motd", b"\xff\xfe\n")
    assert message((), str(root)) == b"\xff\xfe\n"


def test_arguments_are_found_in_pam(root: pathlib.Path) -> None:
    put(root, "/from-pam", "pam")
    put(root, "/etc/motd", "default")
    for service in ("sshd", "ssh", "login"):
        put(root, f"/etc/pam.d/{service}", "session optional pam_motd.so motd=/from-pam\n")
        assert shown_by_pam(root) == "pam\n"
        (root / "etc/pam.d" / service).unlink()
    assert shown_by_pam(root) == "default\n"


def test_arguments_of_all_services_are_merged(root: pathlib.Path) -> None:
    for name in "abc":
        put(root, f"/{name}", name)
    put(root, "/a.d/x", "x")
    put(root, "/etc/motd.d/y", "y")
    put(root, "/etc/pam.d/sshd", "session optional pam_motd.so motd=/a motd_dir=/a.d\n")
    put(root, "/etc/pam.d/ssh", "session optional pam_motd.so motd=/b\n")
    put(root, "/etc/pam.d/login", "session optional pam_motd.so motd=/a:/c\n")
    assert shown_by_pam(root) == "a\nb\nx\ny\n"


def test_what_debian_has_shows_the_dynamic_part_and_the_static_one(root: pathlib.Path) -> None:
    lines = (
        "session    optional     pam_motd.so  motd=/run/motd.dynamic\n"
        "session    optional     pam_motd.so noupdate\n"
    )
    put(root, "/etc/pam.d/sshd", lines)
    put(root, "/etc/pam.d/login", lines)
    put(root, "/run/motd.dynamic", "dynamic")
    put(root, "/etc/motd", "static")
    put(root, "/etc/motd.d/x", "x")
    assert shown_by_pam(root) == "dynamic\nstatic\nx\n"


@pytest.mark.parametrize(
    "line",
    [
        "session optional pam_motd.so motd=/m",
        "\tsession\toptional\tpam_motd.so\tmotd=/m\t# comment",
        "-session optional pam_motd.so motd=/m",
        "SESSION optional pam_motd.so motd=/m",
        "session optional /lib/x86_64-linux-gnu/security/pam_motd.so motd=/m",
        "session [success=ok default=ignore] pam_motd.so motd=/m",
        "session optional pam_motd.so [motd=/absent file:/m]",
        "session optional \\\n  pam_motd.so \\\n  motd=/m",
        "@include other",
        "session include other",
        "session substack other",
        "@include /etc/pam.d/other",
    ],
)
def test_lines_of_pam_are_understood(root: pathlib.Path, line: str) -> None:
    put(root, "/m", "m")
    put(root, "/etc/motd", "default")
    put(root, "/etc/pam.d/other", "session optional pam_motd.so motd=/m\n")
    put(root, "/etc/pam.d/sshd", f"# a comment\n\n{line}\n")
    assert shown_by_pam(root) == "m\n"


@pytest.mark.parametrize(
    "line",
    [
        "# session optional pam_motd.so motd=/m",
        "auth optional pam_motd.so motd=/m",
        "session optional pam_other.so motd=/m",
        "session optional",
        "session",
        "@include",
        "@include absent",
        "auth include other",
        "[",
    ],
)
def test_other_lines_of_pam_say_nothing(root: pathlib.Path, line: str) -> None:
    put(root, "/m", "m")
    put(root, "/etc/motd", "default")
    put(root, "/etc/pam.d/other", "session optional pam_motd.so motd=/m\n")
    put(root, "/etc/pam.d/sshd", line + "\n")
    assert shown_by_pam(root) == "default\n"


def test_files_that_include_each_other_end(root: pathlib.Path) -> None:
    put(root, "/m", "m")
    put(root, "/etc/pam.d/sshd", "@include login\n@include sshd\n")
    put(root, "/etc/pam.d/login", "@include sshd\nsession optional pam_motd.so motd=/m\n")
    assert shown_by_pam(root) == "m\n"


def test_a_chain_of_includes_is_followed_only_so_far(root: pathlib.Path) -> None:
    put(root, "/m", "m")
    put(root, "/etc/pam.d/sshd", "@include 0\n")
    for number in range(motd.MAX_PAM_FILES):
        put(root, f"/etc/pam.d/{number}", f"@include {number + 1}\n")
    put(root, f"/etc/pam.d/{motd.MAX_PAM_FILES}", "session optional pam_motd.so motd=/m\n")
    assert shown_by_pam(root) == ""


def test_a_path_that_cannot_be_is_as_good_as_absent(root: pathlib.Path) -> None:
    put(root, "/etc/motd.d/a", "shown")
    assert shown(root, "motd=/a\0b", "motd_dir=/a\0b:/etc/motd.d") == "shown\n"
    put(root, "/etc/pam.d/sshd", "@include a\0b\nsession optional pam_motd.so motd=/a\0b\n")
    assert shown_by_pam(root) == "shown\n"


def test_sizes_are_bounded_at_the_end_of_a_line(root: pathlib.Path) -> None:
    line = "x" * 99 + "\n"
    put(root, "/etc/motd", line * 1000)
    assert shown(root) == line * (motd.MAX_FILE_BYTES // 100)
    for number in range(10):
        put(root, f"/etc/motd.d/{number}", line * 600)
    whole = shown(root)
    assert whole == line * (motd.MAX_MESSAGE_BYTES // 100)


def test_a_dump_ends_every_line_with_cr_lf() -> None:
    assert dump_form(b"") == b""
    assert dump_form(b"\n") == b"\r\n"
    assert dump_form(b"a\n\nb\n") == b"a\r\n\r\nb\r\n"
    assert dump_form(b"a\nb") == b"a\r\nb\r\n"
    assert dump_form(b"a\r\nb\r\n") == b"a\r\nb\r\n"
    assert dump_form(b"\x1b[1mbold\x1b[m\n") == b"\x1b[1mbold\x1b[m\r\n"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (b"plain \xc3\xbc\ttext\n", b"plain \xc3\xbc\ttext\n"),
        (b"\x1b[1;31mred\x1b[0m\n", b"red\n"),
        (b"\x1b[38:2::1:2:3mx\x1b[?25l\x1b[2 q\n", b"x\n"),
        (b"\x1b]0;title\x07a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n", b"alink\n"),
        (b"\x1b]0;no end\nnext\n", b"\nnext\n"),
        (b"\x1bP1$r0m\x1b\\a\x1b_apc\x1b\\b\x1b^pm\x1b\\c\x1bXsos\x1b\\\n", b"abc\n"),
        (b"\x1b(Bx\x1b)0\x1b7\x1b8\x1b=\x1bc\x1b#8\n", b"x\n"),
        (b"a\x1b\n", b"a\n"),
        (b"\x1b", b""),
    ],
)
def test_a_pager_gets_no_escape_sequences(text: bytes, plain: bytes) -> None:
    assert pager_form(text) == plain
