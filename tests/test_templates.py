import pytest

from shpool.templates import TemplateError, is_variable_name, render, variables


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("{ws}", "main"),
        ("{ws}-edit", "main-edit"),
        ("edit-{ws}", "edit-main"),
        ("{ws}{n}.{_x1}", "main7.under"),
        ("{unknown}", ""),
        ("a{unknown}b", "ab"),
        ("a}b", "a}b"),
        ("}{ws}}", "}main}"),
        ("{größe}", "XL"),
        ("{nested}", "{ws}"),
    ],
)
def test_variables_are_replaced_by_their_values(template: str, text: str) -> None:
    values = {"ws": "main", "n": "7", "_x1": "under", "größe": "XL", "nested": "{ws}"}
    assert render(template, values) == text


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{", "unclosed var substitution"),
        ("a{b", "unclosed var substitution"),
        ("{a} {b", "unclosed var substitution"),
        ("{}", "invalid var name: ''"),
        ("{1st}", "invalid var name: '1st'"),
        ("{a b}", "invalid var name: 'a b'"),
        ("{a\n}", r"invalid var name: 'a\\n'"),
        ("{a-b}", "invalid var name: 'a-b'"),
        ("{{a}}", "invalid var name: '{a'"),
        ("awk '{print $1}'", "invalid var name: 'print $1'"),
    ],
)
def test_a_template_that_is_not_one_is_refused(template: str, reason: str) -> None:
    with pytest.raises(TemplateError, match="^" + reason.replace("$", r"\$")):
        render(template, {"a": "", "b": ""})
    with pytest.raises(TemplateError):
        variables(template)


def test_the_names_that_a_template_depends_on() -> None:
    assert variables("{a}-{b}-{a}}") == {"a", "b"}
    assert variables("plain") == frozenset()


def test_a_name_is_a_letter_or_underscore_and_then_letters_digits_underscores() -> None:
    assert all(map(is_variable_name, ["a", "_", "A9", "_9", "snake_case", "é"]))
    assert not any(map(is_variable_name, ["", "9", "9a", "a-b", "a b", "a.b", "a\n", "{a"]))
