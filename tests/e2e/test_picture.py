"""README's picture shows what shpool does today."""

from manual import picture
from tests.programs import need


def test_it_is_what_the_script_draws() -> None:
    need("bash")
    text = picture.PICTURE.read_text(encoding="utf-8")
    assert picture.draw() == text, "draw it again: python3 -m manual.picture"
    assert "manual/shpool.svg" in (picture.ROOT / "README.md").read_text()
