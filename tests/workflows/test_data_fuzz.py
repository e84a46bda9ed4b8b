"""Damage of any kind ends in findings or a `Problem`, never in a traceback, and leaves nothing behind."""

from __future__ import annotations

import gzip
import io
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workflows.data import loading
from workflows.data.catalog import find
from workflows.data.checking import check
from workflows.data.findings import errors
from workflows.data.installing import import_file
from workflows.problem import Problem

POINTS = "".join(f"{i % 2},{i % 2 + i / 99},{1 - i / 50}\n" for i in range(60)).encode()
SERIES = b"".join(
    f'{{"start": "{year}-01-01", "target": {[1.5] * 40}}}\n'.encode() for year in (2007, 2008, 2009)
)
cuts = st.integers(0, 4_000)
edits = st.lists(st.tuples(cuts, st.binary(min_size=0, max_size=6)), max_size=4)


def damaged(raw: bytes, changes: list[tuple[int, bytes]], end: int) -> bytes:
    """The bytes with pieces written over, cut at ``end`` when that lies within."""
    for at, piece in changes:
        at %= len(raw) + 1
        raw = raw[:at] + piece + raw[at + len(piece) :]
    return raw[:end] if end < len(raw) // 2 else raw


@settings(max_examples=120, deadline=None)
@given(changes=edits, end=cuts, packed=st.booleans())
@example(changes=[(122, b"_")], end=222, packed=False)
def test_a_damaged_table(changes: list[tuple[int, bytes]], end: int, packed: bool) -> None:
    raw = gzip.compress(POINTS, mtime=0) if packed else POINTS
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("train.csv.gz" if packed else "train.csv")
        path.write_bytes(damaged(raw, changes, end))
        findings = check(find("moons"), path)
        if not errors(findings):
            assert len(loading.read(find("moons"), path))


@settings(max_examples=80, deadline=None)
@given(changes=edits, end=cuts)
def test_damaged_series(changes: list[tuple[int, bytes]], end: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.json"
        path.write_bytes(damaged(SERIES, changes, end))
        assert isinstance(check(find("energy"), path), list)


def _zip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data/train.csv", POINTS)
    return packed.getvalue()


def _tar() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("data/train.csv")
        entry.size = len(POINTS)
        archive.addfile(entry, io.BytesIO(POINTS))
    return packed.getvalue()


@settings(max_examples=80, deadline=None)
@given(changes=edits, end=cuts, kind=st.sampled_from([("a.zip", _zip()), ("a.tar.gz", _tar())]))
def test_a_damaged_archive(changes: list[tuple[int, bytes]], end: int, kind: tuple[str, bytes]) -> None:
    name, raw = kind
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLCONSOLE_IMPORTED_DIR", f"{folder}/imported")
        path = Path(folder) / name
        path.write_bytes(damaged(raw, changes, end))
        try:
            located, _ = import_file(find("moons"), path)
        except Problem:
            imported = Path(folder) / "imported"
            assert not imported.exists() or not list(imported.iterdir())
        else:
            assert len(loading.table(located))
