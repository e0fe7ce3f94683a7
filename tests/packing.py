"""The one file, for tests of what runs it: to make it takes longer than most of them."""

from __future__ import annotations

import functools
from unittest import mock

from shpool import pack
from shpool.bare import bare

_bare = functools.cache(bare)


def packed(sources: dict[str, bytes] | None = None, *, compiled: bool = False) -> bytes:
    """As pack.packed makes it, of the package's sources or of these, but quicker the next time."""
    with mock.patch.object(pack, "bare", _bare):
        return pack.packed(sources or pack.sources(), compiled=compiled)
