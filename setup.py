"""What pyproject.toml cannot say: man pages and completions are made before they are installed."""

import os
import sys

from setuptools import setup

# Where a build is isolated, the current directory is not looked in.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from manual.files import write

setup(data_files=write("build/manual"))
