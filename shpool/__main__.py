"""python3 -m shpool, or the path of this file: what a daemon is started by, in any directory."""

import sys

if not __package__:
    # Run by its path: the package's own directory is what Python put first, not its parent.
    here = __file__.rpartition("/")[0]
    sys.path[0] = here.rpartition("/")[0] or "/"

from shpool.cli import main

sys.exit(main())
