"""python3 -m manual [FOLDER]: write man pages and completions, into build/manual if not told."""

import sys

from manual.files import write

write(sys.argv[1] if len(sys.argv) > 1 else "build/manual")
