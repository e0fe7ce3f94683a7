from __future__ import annotations

import pytest

from shpool.errors import UsageError
from shpool.options import HELP, Option, Parsed, describe, parse

OPTIONS = (
    Option("f", "force", None, "a switch"),
    Option("b", "background", None, "another switch"),
    Option("v", "verbose", None, "a switch that counts", many=True),
    Option("d", "dir", "DIR", "an option with a value"),
    Option("", "ttl", "DUR", "one without a letter"),
    HELP,
)


def test_of_options_that_exclude_each_other_one_may_be_given() -> None:
    assert parse(["-f", "x"], OPTIONS).one_of("background", "force") == "force"
    assert parse(["x"], OPTIONS).one_of("background", "force") == ""
    with pytest.raises(UsageError, match=r"^--dir and --force cannot be used together$"):
        parse(["-f", "-d", "x"], OPTIONS).one_of("dir", "force")


def understood(parsed: Parsed) -> tuple[dict[str, str | int], list[str], list[str]]:
    return parsed.values, parsed.arguments, parsed.rest


@pytest.mark.parametrize(
    ("line", "values", "arguments"),
    [
        ("", {}, []),
        ("name", {}, ["name"]),
        ("-f name", {"force": 1}, ["name"]),
        ("name -f", {"force": 1}, ["name"]),
        ("-bf name", {"background": 1, "force": 1}, ["name"]),
        ("--force --background", {"force": 1, "background": 1}, []),
        ("-v -v --verbose -vv", {"verbose": 5}, []),
        ("-d /tmp", {"dir": "/tmp"}, []),
        ("-d/tmp", {"dir": "/tmp"}, []),
        ("-d=/tmp", {"dir": "/tmp"}, []),
        ("-d==x", {"dir": "=x"}, []),
        ("--dir /tmp", {"dir": "/tmp"}, []),
        ("--dir=/tmp", {"dir": "/tmp"}, []),
        ("--dir=", {"dir": ""}, []),
        ("--dir=a=b", {"dir": "a=b"}, []),
        ("--dir=-x", {"dir": "-x"}, []),
        ("-d-x", {"dir": "-x"}, []),
        ("-fd/tmp", {"force": 1, "dir": "/tmp"}, []),
        ("-fd /tmp", {"force": 1, "dir": "/tmp"}, []),
        ("-dfb", {"dir": "fb"}, []),
        ("--ttl 5s x", {"ttl": "5s"}, ["x"]),
        ("-d -", {"dir": "-"}, []),
        ("-", {}, ["-"]),
        ("-- -f --dir --", {}, ["-f", "--dir", "--"]),
        ("a -- b", {}, ["a", "b"]),
        ("-h", {"help": 1}, []),
        ("a b c", {}, ["a", "b", "c"]),
    ],
)
def test_words_are_sorted_into_options_and_arguments(
    line: str, values: dict[str, str | int], arguments: list[str]
) -> None:
    assert understood(parse(line.split(), OPTIONS)) == (values, arguments, [])


def test_a_value_may_be_empty_or_have_blanks_in_it() -> None:
    assert parse(["-d", ""], OPTIONS).text("dir") == ""
    assert parse(["--dir", "a b"], OPTIONS).text("dir") == "a b"
    assert parse(["", " "], OPTIONS).arguments == ["", " "]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("--nonsense", "unexpected option '--nonsense'"),
        ("--nonsense=1", "unexpected option '--nonsense'"),
        ("-x", "unexpected option '-x'"),
        ("-fx", "unexpected option '-x'"),
        ("--forc", "unexpected option '--forc'"),
        ("--FORCE", "unexpected option '--FORCE'"),
        ("--f", "unexpected option '--f'"),
        ("-force", "unexpected option '-o'"),
        ("--=x", "unexpected option '--'"),
        ("-f -f", "the option '-f' cannot be used more than once"),
        ("-ff", "the option '-f' cannot be used more than once"),
        ("-f --force", "the option '--force' cannot be used more than once"),
        ("-d a --dir=b", "the option '--dir' cannot be used more than once"),
        ("-d", "the option '-d' needs a value, DIR"),
        ("--dir", "the option '--dir' needs a value, DIR"),
        ("--dir -f", "the option '--dir' needs a value, DIR"),
        ("-d --", "the option '-d' needs a value, DIR"),
        ("--force=yes", "the option '--force' takes no value"),
        ("--force=", "the option '--force' takes no value"),
    ],
)
def test_what_is_no_use_of_an_option_is_refused_with_the_reason(line: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(line.split(), OPTIONS)
    assert str(caught.value) == reason


@pytest.mark.parametrize(
    ("line", "values", "rest"),
    [
        ("", {}, ""),
        ("-f", {"force": 1}, ""),
        ("-v list -f", {"verbose": 1}, "list -f"),
        ("-d x y --nonsense", {"dir": "x"}, "y --nonsense"),
        ("-f -- -v", {"force": 1}, "-v"),
        ("list -- -v", {}, "list -- -v"),
        ("- -v", {}, "- -v"),
    ],
)
def test_options_before_a_command_end_where_it_begins(
    line: str, values: dict[str, str | int], rest: str
) -> None:
    assert understood(parse(line.split(), OPTIONS, stop=True)) == (values, [], rest.split())


def test_what_was_not_given_has_no_value() -> None:
    parsed = parse(["-f", "--dir=3"], OPTIONS)
    assert (parsed.text("ttl"), parsed.count("background")) == (None, 0)
    assert (parsed.text("dir"), parsed.count("force")) == ("3", 1)
    assert (parsed.text("force"), parsed.count("dir")) == (None, 0)


def test_the_help_shows_letters_names_and_values_in_columns() -> None:
    assert describe(OPTIONS[2:5]) == (
        "  -v, --verbose  a switch that counts\n"
        "  -d, --dir DIR  an option with a value\n"
        "      --ttl DUR  one without a letter\n"
    )


def test_arguments_and_values_are_known_in_their_order_too() -> None:
    options = (Option("k", "key", "KEY", "", many=True), Option("e", "enter", None, ""))
    parsed = parse(["a", "-k", "Up", "b", "-e", "--key=x", "--", "-c"], options)
    assert parsed.given == [("", "a"), ("key", "Up"), ("", "b"), ("key", "x"), ("", "-c")]
