"""The reader of TOML for Pythons without tomllib: tables of cases, and tomllib as a judge."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shpool import toml
from tests import judges
from tests.programs import lacking

VALID: list[tuple[str, dict[str, Any]]] = [
    ("", {}),
    ("\n \t\n# nothing", {}),
    ("a = 1 # one\r\nb = 2\r\n", {"a": 1, "b": 2}),
    ("a=1", {"a": 1}),
    ('1-_b = 1\n\'c d\' = 2\n"\\u00e9" = 3\n"" = 4', {"1-_b": 1, "c d": 2, "é": 3, "": 4}),
    ("a . 'b.c'.d = 1", {"a": {"b.c": {"d": 1}}}),
    ("3.14 = 1", {"3": {"14": 1}}),
    # numbers
    (
        "a = [0, +0, -0, +12_3, 0xDead_beef, 0o755, 0b1_0]",
        {"a": [0, 0, 0, 123, 0xDEADBEEF, 493, 2]},
    ),
    ("a = [1.5, -0.0, 1e3, 1_0.2_5E-0_2, 3e+2]", {"a": [1.5, -0.0, 1e3, 0.1025, 300.0]}),
    ("a = [inf, +inf, -inf]", {"a": [float("inf"), float("inf"), float("-inf")]}),
    ("a = " + "9" * toml.MAX_DIGITS, {"a": 10**toml.MAX_DIGITS - 1}),
    ("a = [true, false]", {"a": [True, False]}),
    # dates and times
    ("a = 1979-05-27", {"a": date(1979, 5, 27)}),
    ("a = 1979-05-27 # no time", {"a": date(1979, 5, 27)}),
    ("a = 07:32:00", {"a": time(7, 32)}),
    ("a = 07:32:00.1234567", {"a": time(7, 32, 0, 123456)}),
    ("a = 1979-05-27T07:32:00.5", {"a": datetime(1979, 5, 27, 7, 32, 0, 500_000)}),
    ("a = 1979-05-27 07:32:00z", {"a": datetime(1979, 5, 27, 7, 32, tzinfo=timezone.utc)}),
    (
        "a = 1979-05-27t00:32:00-07:30",
        {"a": datetime(1979, 5, 27, 0, 32, tzinfo=timezone(-timedelta(hours=7, minutes=30)))},
    ),
    # strings
    (r'a = "\b\t\n\f\r\"\\\u00E9\U0001F600"', {"a": '\b\t\n\f\r"\\é😀'}),
    ("a = 'C:\\x\\'", {"a": "C:\\x\\"}),
    ('a = """\none\r\ntwo"""', {"a": "one\ntwo"}),
    ('a = """one \\  \n\n  two \\\n"""', {"a": "one two "}),
    ('a = """""two"" and three: """""', {"a": '""two"" and three: ""'}),
    ("a = '''\n\\n''''", {"a": "\\n'"}),
    ("a = ''''''''", {"a": "''"}),
    ("a = ''\nb = \"\"", {"a": "", "b": ""}),
    # arrays and inline tables
    ("a = [ # one\n1, # two\n[],\n]", {"a": [1, []]}),
    (
        "a = {}\nb = { c.d = 1, c.e = 2, 'f' = [{}] }",
        {"a": {}, "b": {"c": {"d": 1, "e": 2}, "f": [{}]}},
    ),
    # tables
    ("[a]\n[a.b]\nc = 1\n[d . e]", {"a": {"b": {"c": 1}}, "d": {"e": {}}}),
    ("[a.b]\nc = 1\n[a]\nd = 2", {"a": {"b": {"c": 1}, "d": 2}}),
    ("[a.b.c]\n[a]\nb.d = 1", {"a": {"b": {"c": {}, "d": 1}}}),
    ("a.b = 1\na.c = 2\n[a.d]\ne = 3", {"a": {"b": 1, "c": 2, "d": {"e": 3}}}),
    (
        "[[a]]\nb = 1\n[[a]]\n[a.c]\nd = 2\n[[a.e]]\n[[a.e]]\nf = 3",
        {"a": [{"b": 1}, {"c": {"d": 2}, "e": [{}, {"f": 3}]}]},
    ),
    ("[[a]]\nb.c = 1\n[[a]]\nb.c = 2", {"a": [{"b": {"c": 1}}, {"b": {"c": 2}}]}),
    ("[[a.b]]\n[a.c]", {"a": {"b": [{}], "c": {}}}),
]

INVALID = [
    ("a", "Expected '=' after a key (at line 1, the end of the document)"),
    ("a = 1\nb =\nc = 2", "Expected a value (at line 2, column 4)"),
    ("= 1", "Expected a key (at line 1, column 1)"),
    ("a. = 1", "Expected a key (at line 1, column 4)"),
    ("é = 1", "Expected a key (at line 1, column 1)"),
    ("a = 1 b = 2", "Expected the end of the line (at line 1, column 7)"),
    ("# a\n# b\x00", "The character '\\x00' is not allowed in a comment (at line 2, column 4)"),
    ("a = 1 # b\rc = 1", "The character '\\r' is not allowed in a comment (at line 1, column 10)"),
    ("a = [ # \x7f\n]", "The character '\\x7f' is not allowed in a comment (at line 1, column 9)"),
    # numbers
    ("a = 01", "Expected the end of the line (at line 1, column 6)"),
    ("a = 1__0", "Expected the end of the line (at line 1, column 6)"),
    ("a = +0x1", "Expected the end of the line (at line 1, column 7)"),
    ("a = 0xg", "Expected the end of the line (at line 1, column 6)"),
    ("a = .5", "Expected a value (at line 1, column 5)"),
    ("a = 5.", "Expected the end of the line (at line 1, column 6)"),
    ("a = 1" + "0" * toml.MAX_DIGITS, "An integer of more than 4300 digits (at line 1, column 5)"),
    ("a = True", "Expected a value (at line 1, column 5)"),
    ("a = truest", "Expected the end of the line (at line 1, column 9)"),
    # dates and times
    ("a = 1979-02-30", "There is no such date (at line 1, column 5)"),
    ("a = 0000-01-01", "There is no such date (at line 1, column 5)"),
    ("a = 1979-05-27T24:00:00", "Expected the end of the line (at line 1, column 15)"),
    ("a = 1979-05-27T07:32", "Expected the end of the line (at line 1, column 15)"),
    ("a = 07:32:61", "Expected the end of the line (at line 1, column 6)"),
    # strings
    ('a = "', "The end of a string of one line is missing (at line 1, the end of the document)"),
    ("a='b\n'", "The character '\\n' is not allowed in a string of one line (at line 1, column 5)"),
    ('a = """\nb""', "The end of a string is missing (at line 2, the end of the document)"),
    ('a = """\n\x01"""', "The character '\\x01' is not allowed in a string (at line 2, column 1)"),
    ('a = "\\e"', "An escape sequence that TOML does not have (at line 1, column 6)"),
    ('a = """\\ b"""', "An escape sequence that TOML does not have (at line 1, column 8)"),
    ('a = "\\u12"', "An escape sequence that TOML does not have (at line 1, column 6)"),
    ('a = "\\ud800"', "An escape sequence for what is no character (at line 1, column 6)"),
    ('a = "\\U00110000"', "An escape sequence for what is no character (at line 1, column 6)"),
    ('"""a""" = 1', "Expected '=' after a key (at line 1, column 3)"),
    # arrays and inline tables
    ("a = [1 2]", "Expected ',' or ']' after an item of an array (at line 1, column 8)"),
    ("a = [,]", "Expected a value (at line 1, column 6)"),
    ("a = [1,\n", "Expected a value (at line 2, the end of the document)"),
    ("a = {b = 1,}", "Expected a key (at line 1, column 12)"),
    ("a = {b = 1\n}", "Expected ',' or '}' in an inline table (at line 1, column 11)"),
    ("a = {b = 1, b = 2}", "b has a value already (at line 1, column 13)"),
    ("a = {b = 1, b.c = 2}", "b is not a table to be added to (at line 1, column 13)"),
    ("a = {b = {}, b.c = 2}", "b is not a table to be added to (at line 1, column 14)"),
    # tables
    ("[a", "Expected ']' after the name of a table (at line 1, the end of the document)"),
    ("[[a] ]", "Expected ']]' after the name of a table (at line 1, column 4)"),
    ("[]", "Expected a key (at line 1, column 2)"),
    ("a = 1\na = 2", "a has a value already (at line 2, column 1)"),
    ("[a.'b c']\n[a.'b c']", "The table a.'b c' is there already (at line 2, column 2)"),
    ("a.b = 1\n[a]", "The table a is there already (at line 2, column 2)"),
    ("[a.b.c]\n[a]\nb.c.d = 1", "The table b.c is there already (at line 3, column 1)"),
    ("[a]\nb.c = 1\n[d]\n[a.b]", "The table a.b is there already (at line 4, column 2)"),
    ("a = 1\n[a]", "a is not a table to be opened (at line 2, column 2)"),
    ("a = {}\n[a]", "a is not a table to be opened (at line 2, column 2)"),
    ("a = {}\n[a.b]", "a is not a table to be added to (at line 2, column 2)"),
    ("a = 1\n[a.b]", "a is not a table to be added to (at line 2, column 2)"),
    ("a = [{}]\n[a.b]", "a is not a table to be added to (at line 2, column 2)"),
    ("a = 1\na.b = 2", "a is not a table to be added to (at line 2, column 1)"),
    ("a = []\n[[a]]", "a is not an array of tables to be added to (at line 2, column 3)"),
    ("[a]\n[[a]]", "a is not an array of tables to be added to (at line 2, column 3)"),
    ("[[a]]\n[a]", "a is not a table to be opened (at line 2, column 2)"),
    ("[[a.b]]\n[a]\nb.c = 1", "b is not a table to be added to (at line 3, column 1)"),
]  # fmt: skip


def exact(value: Any) -> Any:
    """What two values have in common only if no type, sign, order or offset differs."""
    if isinstance(value, dict):
        return [(key, exact(item)) for key, item in value.items()]
    if isinstance(value, list):
        return ["list", *map(exact, value)]
    return repr(value)


@pytest.mark.parametrize(("text", "table"), VALID)
def test_what_is_valid_means_what_the_specification_says(text: str, table: dict[str, Any]) -> None:
    assert exact(toml.loads(text)) == exact(table)


@pytest.mark.parametrize(("text", "reason"), INVALID)
def test_an_error_says_what_is_wrong_and_where(text: str, reason: str) -> None:
    with pytest.raises(toml.TOMLError) as caught:
        toml.loads(text)
    assert str(caught.value) == reason


def test_what_is_nested_too_deeply_is_a_recursion_error() -> None:
    with pytest.raises(RecursionError):
        toml.loads("a = " + "[" * 100_000)


# ---- judged


def agree(text: str) -> None:
    """The judge and the reader make the same of `text`, or both refuse it."""
    wanted = "tomllib is the judge: run the tests on Python 3.11 or later"
    tomllib = pytest.importorskip("tomllib", reason=wanted)
    try:
        expected = exact(tomllib.loads(text))
    except ValueError:
        with pytest.raises(ValueError):  # noqa: PT011  its wording is tested above
            toml.loads(text)
    else:
        assert exact(toml.loads(text)) == expected


KEYS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(".".join)
VALUES = st.recursive(
    st.sampled_from(["1", "''", "[]", "{}"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(st.tuples(KEYS, inner).map(" = ".join), max_size=3).map(
            lambda pairs: f"{{{', '.join(pairs)}}}"
        ),
    ),
    max_leaves=4,
)
PAIRS = st.tuples(KEYS, VALUES).map(" = ".join)
STATEMENTS = st.one_of(KEYS.map("[{}]".format), KEYS.map("[[{}]]".format), PAIRS)
PIECES = st.sampled_from([
    *("[", "]", "{", "}", "=", ".", ",", '"', "'", '"""', "'''", "\\", "\n", "\r\n", "#", " "),
    *("\t", "a", "b", "1", "0x", "0", "_", "-", "+", "e", "T", "Z", ":", "true", "inf", "nan"),
    *("\\u0041", "\\ \n", "\x00", "\x7f", "é", "1979-05-27", "07:32:00", ".5", "\r", "+01:00"),
    *("\\n", "a = "),
])  # fmt: skip


@given(st.lists(STATEMENTS, max_size=7))
def test_the_judge_agrees_on_which_tables_may_be_added_to(statements: list[str]) -> None:
    agree("\n".join(statements))


@given(st.lists(PIECES, max_size=12))
def test_the_judge_agrees_on_values(pieces: list[str]) -> None:
    agree("a = " + "".join(pieces))


@given(st.lists(PIECES, max_size=12))
def test_the_judge_agrees_on_statements(pieces: list[str]) -> None:
    agree("".join(pieces))


@pytest.mark.parametrize("text", [text for text, _ in VALID + INVALID])
def test_the_judge_agrees_on_the_cases_above(text: str) -> None:
    agree(text)


@pytest.mark.parametrize("kind", ["valid", "invalid"])
def test_the_judge_agrees_on_the_public_test_suite(kind: str) -> None:
    if judges.missing_toml_suite():
        lacking(judges.missing_toml_suite())
    files = list((judges.TOML_SUITE / kind).rglob("*.toml"))
    assert len(files) > 200
    for file in files:
        try:
            text = file.read_bytes().decode()
        except UnicodeDecodeError:
            continue  # refused before either of them sees it
        agree(text)
