import os
import pathlib
import subprocess
import sys

import pytest

from shpool.files import read_bounded


def test_no_more_than_the_limit_is_read(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"0123456789")
    assert read_bounded(str(file), 4) == b"0123"
    assert read_bounded(str(file), 10) == b"0123456789"
    assert read_bounded(str(file), 11) == b"0123456789"
    assert read_bounded("/dev/zero", 3) == b"\0\0\0"
    assert read_bounded(os.devnull, 3) == b""


def test_a_path_that_cannot_be_is_an_error_like_others() -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        read_bounded("/a\0b", 1)


def test_what_could_keep_the_reader_waiting_is_an_error(tmp_path: pathlib.Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(OSError, match="Not a regular file"):
        read_bounded(str(fifo), 4)
    with pytest.raises(IsADirectoryError):
        read_bounded(str(tmp_path), 4)
    with pytest.raises(FileNotFoundError):
        read_bounded(str(tmp_path / "absent"), 4)


CLOSING = """
import os, sys
sys.path.insert(0, sys.argv[1])
from shpool import files
if sys.argv[2] == "named":
    os.closerange = None  # which may look at each number up to the limit
else:
    os.listdir = lambda path: ["0", "1", "2"]
low = os.open("/dev/null", os.O_RDONLY)
high = os.dup2(low, 200)
files.close_from(low + 1)
os.fstat(low)
try:
    os.fstat(high)
except OSError as error:
    print(error.strerror, end="")
"""


@pytest.mark.parametrize("how", ["named", "unnamed"])
def test_whatever_is_open_is_closed_from_a_number_on(how: str) -> None:
    checkout = str(pathlib.Path(__file__).parents[1])
    words = [sys.executable, "-c", CLOSING, checkout, how]
    assert subprocess.check_output(words, text=True) == "Bad file descriptor"
