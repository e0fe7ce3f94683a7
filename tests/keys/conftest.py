"""The judges of tests/terminal, who are terminals, as what keys come from."""

from tests.terminal.conftest import kitty as kitty
