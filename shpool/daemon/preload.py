"""What a daemon has to have loaded before it serves, beside what its modules load themselves.

It lives for months, in which its files and Python's are replaced, moved or removed under it.  A
module that was not loaded by then is another version's, or none.  So nothing below shpool.daemon
loads anything later, and here stands what the modules that clients share leave for later.
"""

import encodings.utf_8_sig  # noqa: F401  a configuration that begins with a byte order mark
import os
import pwd
import re  # noqa: F401  several key bindings
import sys

if sys.version_info >= (3, 11):  # an edited configuration
    import tomllib  # noqa: F401
else:
    import shpool.toml  # noqa: F401


def look_up_user() -> None:
    """Have the C library load what it looks users up with, which it does when first asked to."""
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        pass
