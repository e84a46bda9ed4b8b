"""What the beginning of an object is said to be, and its lines."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.inspecting.contents import MOST_MEMBERS, UNPACKED, _unpacked, contents
from workflows.records import write_numpy_to_dense_tensor


def tar(mode: str, **members: bytes) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


def zipped(**members: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return made.getvalue()


def records(rows: int, columns: int) -> bytes:
    made = io.BytesIO()
    matrix = np.arange(rows * columns, dtype=np.float32).reshape(rows, columns)
    write_numpy_to_dense_tensor(made, matrix, np.arange(rows, dtype=np.float32))
    return made.getvalue()


def named(value: object) -> str:
    """A parameter in the name of a test; archives hold the time, and every process has to name its tests alike."""
    return value if isinstance(value, str) and value.isprintable() else "…"


@pytest.mark.parametrize(
    ("key", "data", "what", "first"),
    [
        ("a.json", b'{"k": [1]}', "JSON", "{"),
        ("a.json", b'{"k": ', "text", '{"k": '),
        ("x.out", b'{"k": 1}', "JSON", "{"),
        ("a.json.gz", gzip.compress(b'{"k": 1}'), "compressed JSON", "{"),
        ("a.csv", b'x,"y, z"\n1,2\n', "CSV, 2 columns", 'x,"y, z"'),
        ("a.tsv", b"x\ty\tz\n", "CSV, 3 columns", "x\ty\tz"),
        ("a.csv.gz", gzip.compress(b"1\n2\n"), "compressed CSV, 1 column", "1"),
        ("a.txt", "Größe".encode(), "text", "Größe"),
        ("a.txt", "Größe".encode("latin-1"), "text, Latin-1", "Größe"),
        ("a.txt", "Größe".encode("utf-16"), "text, UTF-16", "Größe"),
        ("a.txt", "Größe".encode("utf-8-sig"), "text", "Größe"),
        ("m.tar", tar("w", model=b"12345"), "an archive", "           5  model"),
        ("m.tar.gz", tar("w:gz", model=bytes(1_234_567)), "a compressed archive", "   1 234 567  model"),
        ("f.zip", zipped(code="x" * 1000), "a ZIP archive", "       1 000  code"),
        ("a.npy", b"\x93NUMPY\x01\x00v\x00", "binary: a NumPy array", "00000000  93 4e 55 4d 50 59 01 00 76 00"),
        ("m.bin", b"\xff\xfe\xfd"[2:] + bytes(range(128, 160)), "binary", "00000000  fd 80 81"),
        ("train.pbr", records(3, 2), "recordIO", "     1  label: 0   values: 0 1"),
        ("train.pbr", records(1, 20), "recordIO", "     1  label: 0   values: 0 1 2 3 4 5 6 7 8 9 10 11 … 8 more"),
        ("none", b"", "empty", ""),
    ],
    ids=named,
)  # fmt: skip
def test_an_object_is_shown_as_what_it_is(key: str, data: bytes, what: str, first: str) -> None:
    found = contents(key, data, True)
    assert found.what == what and found.complete
    assert (found.lines[0] if found.lines else "").startswith(first)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (("a" + "ü" * 50).encode()[:10], "text"),
        (gzip.compress(bytes(range(32, 120)) * 100)[:60], "compressed text"),
        (tar("w", model=bytes(9_000))[:2_000], "an archive"),
        (records(9, 2)[:100], "recordIO"),
        (zipped(code="x" * 1000)[:500], "binary: a ZIP archive"),
        (bytes(9_000), "binary"),
    ],
    ids=named,
)
def test_a_beginning_is_no_whole(data: bytes, what: str) -> None:
    found = contents("x", data, False)
    assert found.what == what and not found.complete and found.lines
    assert "\ufffd" not in found.lines[0]


def test_what_unpacks_to_gigabytes_is_unpacked_only_at_its_beginning() -> None:
    data = gzip.compress(b"line\n" * 2_000_000)
    for part, complete in ((data[:10_000], False), (data, True)):
        found = contents("huge.txt.gz", part, complete)
        assert not found.complete and sum(map(len, found.lines)) <= UNPACKED


def nested(layers: int, inner: bytes = b"x,y\n1,2\n") -> bytes:
    for _ in range(layers):
        inner = gzip.compress(inner, 0)
    return inner


@pytest.mark.parametrize(
    ("layers", "what"),
    [(1, "compressed CSV, 2 columns"), (2, "twice compressed CSV, 2 columns"), (3, "3 times compressed CSV, 2 columns")],
)  # fmt: skip
def test_some_layers_are_taken_off(layers: int, what: str) -> None:
    found = contents("a.csv" + ".gz" * layers, nested(layers), True)
    assert (found.what, found.lines, found.complete) == (what, ["x,y", "1,2"], True)
    packed = nested(layers - 1, tar("w:gz", model=b"12345"))
    assert contents("m", packed, True).what.endswith("compressed archive")


def test_what_unpacks_to_another_of_its_kind_is_not_followed_to_its_end() -> None:
    found = contents("r.gz", nested(4_000), True)
    assert found.what == "3 times compressed gzip, which is not unpacked further than 3 times"
    assert found.lines[0].startswith("00000000  1f 8b") and not found.complete


def far(size: int) -> bytes:
    """A tar file of one header, whose member is said to end beyond everything."""
    member = tarfile.TarInfo("far")
    member.size = size
    return member.tobuf(tarfile.GNU_FORMAT) + bytes(512)


@pytest.mark.parametrize(
    ("key", "data", "what"),
    [
        ("far.tar", far(1 << 62), "an archive"),
        ("far.tgz", gzip.compress(far(1 << 62)), "a compressed archive"),
        ("zeros.tgz", gzip.compress(tar("w", zeros=bytes(1 << 26))), "a compressed archive"),
        ("many.tar", gzip.compress(tar("w", **{f"m{n}": b"" for n in range(6_000)})), "a compressed archive"),
        ("members.gz", gzip.compress(b"") * 12_000 + gzip.compress(b"a\n" * 1_000_000), "compressed text"),
        ("deep.json", b"[" * 200_000, "text"),
        ("wide.json", b"[" * 700 + b"1," * 100_000 + b"1" + b"]" * 700, "JSON"),
        ("field.csv", b"x" * 200_000 + b",y\n", "CSV, 2 columns"),
    ],
    ids=named,
)  # fmt: skip
def test_what_would_grow_beyond_measure_is_bounded(key: str, data: bytes, what: str) -> None:
    found = contents(key, data, True)
    assert found.what == what and found.lines
    assert found.complete == (key == "field.csv" or what == "text")
    assert len(found.lines) <= max(MOST_MEMBERS + 1, UNPACKED) and sum(map(len, found.lines)) <= 5 << 20


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=9), st.integers(0, 30))
def test_members_one_after_another_are_one_text(parts: list[bytes], padding: int) -> None:
    packed = b"".join(gzip.compress(part) + bytes(padding) for part in parts)
    assert _unpacked(packed) == (b"".join(parts), True)
    assert _unpacked(packed[: -padding - 9])[1] is False


@given(st.binary(max_size=600), st.booleans(), st.sampled_from(["a", "a.csv", "a.json", "a.gz"]))
def test_any_bytes_have_lines(data: bytes, complete: bool, key: str) -> None:
    for begins in (b"", b"\x1f\x8b", b"\n#\xd7\xce", b"PK\x03\x04"):
        found = contents(key, begins + data, complete)
        assert bool(found.what) and all(isinstance(line, str) for line in found.lines)
        assert found.complete <= complete or not begins + data
        json.dumps(found.lines)
