"""Variables in session names and commands: ``{name}`` is replaced by the variable's value.

Where variables come from, and what a change of one leads to, is left to the caller.
"""

from shpool.errors import Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class TemplateError(Verdict):
    """A template that is not written as it should be; the text is meant for the user."""


def is_variable_name(name: str) -> bool:
    """Returns whether `name` is a letter or ``_``, and then letters, digits and ``_``."""
    return (
        bool(name)
        and (name[0] == "_" or name[0].isalpha())
        and all(character == "_" or character.isalnum() for character in name)
    )


def render(template: str, values: "Mapping[str, str]") -> str:
    """`template` with every ``{name}`` replaced; a variable that is not set is empty.

    A ``}`` that closes nothing stands for itself, and values are not looked at again. Raises
    TemplateError.
    """
    if "{" not in template:
        return template
    return "".join(
        values.get(text, "") if is_variable else text for text, is_variable in _pieces(template)
    )


def variables(template: str) -> frozenset[str]:
    """The names of the variables that `template` depends on. Raises TemplateError."""
    return frozenset(text for text, is_variable in _pieces(template) if is_variable)


def _pieces(template: str) -> "Iterator[tuple[str, bool]]":
    """Plain text (False) and names of variables (True), in order."""
    position = 0
    while True:
        start = template.find("{", position)
        if start < 0:
            yield template[position:], False
            return
        end = template.find("}", start)
        if end < 0:
            raise TemplateError("unclosed var substitution")
        name = template[start + 1 : end]
        if not is_variable_name(name):
            raise TemplateError(f"invalid var name: {name!r}")
        yield template[position:start], False
        yield name, True
        position = end + 1
