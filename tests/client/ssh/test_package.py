"""The one file that is taken to hosts: what is in it, and how large it is."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import pytest

from shpool import pack
from shpool.client.ssh.package import THERE, Package

SOURCES = pack.sources()


def test_it_is_small_and_has_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    package = Package()
    data = package.data()
    assert len(data) <= 400_000
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert set(file.namelist()) == {"__main__.py", *SOURCES}
        assert file.read(THERE).decode() == package.there()
    assert "comment" not in package.there()
    path = tmp_path / f"cache/shpool/{package.name}.pyz"
    assert path.read_bytes() == data
    path.write_bytes(b"kept")
    assert package.data() == b"kept"  # it is made once
    for age, old in enumerate(("a", "b", "c")):
        (path.parent / f"shpool-1-{old}.pyz").write_bytes(b"")
        os.utime(path.parent / f"shpool-1-{old}.pyz", (age, age))
    path.unlink()
    assert package.data() == data
    assert sorted(os.listdir(path.parent)) == sorted([path.name, "shpool-1-c.pyz"])
