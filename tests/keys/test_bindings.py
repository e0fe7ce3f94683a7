"""The notation of key bindings, as the config file has it."""

import pytest

from shpool.keys.bindings import KeyBindingError, parse_binding
from shpool.keys.decoding import legacy_bytes


@pytest.mark.parametrize(
    ("text", "sequence"),
    [
        ("Ctrl-Space Ctrl-q", b"\x00\x11"),
        ("Ctrl-a d", b"\x01d"),
        ("Ctrl-x Ctrl-y Ctrl-z", b"\x18\x19\x1a"),
        ("Ctrl-@ Ctrl-2", b"\x00\x00"),
        ("Ctrl-[ Ctrl-3", b"\x1b\x1b"),
        ("Ctrl-\\ Ctrl-4", b"\x1c\x1c"),
        ("Ctrl-] Ctrl-5", b"\x1d\x1d"),
        ("Ctrl-^ Ctrl-6", b"\x1e\x1e"),
        ("Ctrl-_ Ctrl-7", b"\x1f\x1f"),
        ("Ctrl-? Ctrl-8 Ctrl-0", b"\x7f\x7f\x7f"),
        ("a z 0 9", b"az09"),
        ("\\ [ ] @ ^ _ ? Space", b"\\[]@^_? "),
        ("  Ctrl-b \t q ", b"\x02q"),
    ],
)
def test_a_binding_is_keys_which_send_these_bytes_to_an_old_terminal(
    text: str, sequence: bytes
) -> None:
    names = parse_binding(text)
    assert names == tuple(text.split())
    assert b"".join(map(legacy_bytes, names)) == sequence


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "at least one key"),
        ("  ", "at least one key"),
        ("Ctrl-1", "no terminal has a control code for 'Ctrl-1'"),
        ("Ctrl-9", "no terminal has a control code for 'Ctrl-9'"),
        ("Ctrl-Q", "lower case"),
        ("A", "lower case"),
        ("Ctrl", "'Ctrl' is no key"),
        ("Ctrl-", "'' is no key"),
        ("-", "Ctrl is the only modifier"),
        ("Alt-x", "Ctrl is the only modifier"),
        ("ctrl-x", "Ctrl is the only modifier"),
        ("Ctrl-Ctrl-x", "'Ctrl-x' is no key"),
        ("Ctrl-ab", "'ab' is no key"),
        ("Ctrl-a!", "'a!' is no key"),
        ("ab", "'ab' is no key"),
        ("é", "'é' is no key"),
        ("%", "'%' is no key"),
    ],
)
def test_what_is_no_binding_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(KeyBindingError) as caught:
        parse_binding(text)
    assert reason in str(caught.value)
