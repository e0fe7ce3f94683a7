"""What to say where a part of Python, or of shpool, is not installed."""

import os
import sys

# Where Debian and what derives from it say so.
_DEBIAN = "/etc/debian_version"


def explained(module: str) -> str:
    """What to do about a module that could not be found, in one line."""
    top = module.partition(".")[0]
    if top == "shpool":
        return f"the module {module} is missing: shpool is not completely installed"
    said = f"Python's module {top} is missing"
    if os.path.exists(_DEBIAN) and sys.base_prefix == "/usr":
        # python3-minimal comes without most of the standard library.
        version = "{}.{}".format(*sys.version_info[:2])
        return f"{said}: it is in the package libpython{version}-stdlib (apt install python3)"
    return f"{said}: {sys.executable} is installed without a part of the standard library"
