"""What the beginning of an object is, and its lines as they can be read: text, JSON, CSV, records, archives, else bytes."""

from __future__ import annotations

import codecs
import csv
import io
import json
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

UNPACKED = 1 << 20
"""Bytes that are shown of what is compressed."""
SCANNED = 16 << 20
"""Bytes that are unpacked to find an archive's members: 256 kB of zeros, packed, would be 256 MB."""
DEEPEST = 3
"""Layers of gzip that are taken off; there are files that unpack to themselves."""
CHUNK = 16 << 10
MOST_MEMBERS = 5_000
"""Members of an archive that are listed."""
MOST_INDENTED = 4 << 20
"""Characters of JSON that are written with indentation: deep in brackets a byte becomes a thousand."""
DUMPED = 4096
"""Bytes of a hex dump."""
MOST_VALUES = 12
"""Values of a record that are shown."""
GZIP = b"\x1f\x8b"
RECORD = struct.pack("<I", 0xCED7230A)
"""What each record of a recordIO file begins with."""
KINDS = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x89PNG\r\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"%PDF-", "a PDF"),
    (b"PAR1", "Parquet"),
    (b"\x89HDF\r\n", "HDF5"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"BZh", "compressed by bzip2"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd"),
    (b"\x80\x04\x95", "a Python pickle"),
    (b"\x80\x05\x95", "a Python pickle"),
    (b"Obj\x01", "Avro"),
)
"""What is known by its first bytes."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)


@dataclass(frozen=True, slots=True)
class Contents:
    """What it is, its lines; whether these are all of it; of CSV how many columns it has, else 0."""

    what: str
    lines: list[str]
    complete: bool = True
    columns: int = 0


def contents(key: str, data: bytes, complete: bool) -> Contents:
    """``data`` is the object or, where not ``complete``, its beginning; ``key`` its name, which tells CSV and JSON apart."""
    if not data:
        return Contents("empty", [])
    if data[:2] == GZIP:
        return _compressed(key, data, complete)
    return _plain(key, data, complete)


def _plain(key: str, data: bytes, complete: bool) -> Contents:
    """What is not compressed, or not taken out of it any more."""
    if data[257:262] == b"ustar":
        names, whole = _archive(data)
        return Contents("an archive", names, complete and whole)
    if data[:4] == RECORD:
        records, whole = _records(data)
        if records:
            return Contents("recordIO", records, complete and whole)
    if data[:4] == b"PK\x03\x04" and complete and (members := _zipped(data)) is not None:
        return Contents("a ZIP archive", members)
    return _text(key, data, complete) or _bytes(data, complete)


def _compressed(key: str, data: bytes, complete: bool) -> Contents:
    layers = 0
    while data[:2] == GZIP and layers < DEEPEST:
        plain, whole = _unpacked(data)
        if not plain and not whole:
            break
        layers += 1
        names, listed = _archive(plain)
        if names:
            return Contents(f"{_packed(layers, 'a ')} archive", names, complete and whole and listed)
        whole = whole and len(plain) <= UNPACKED
        key, data, complete = key.removesuffix(".gz"), plain[:UNPACKED], complete and whole
    if data[:2] == GZIP:
        inner = _bytes(data, complete)
        if not layers:
            return inner
        deep = (
            f"gzip, which is not unpacked further than {DEEPEST} times" if layers == DEEPEST else inner.what
        )
        return Contents(f"{_packed(layers)} {deep}", inner.lines, False)
    inner = _plain(key, data, complete) if data else Contents("nothing", [], complete)
    return Contents(f"{_packed(layers)} {inner.what}", inner.lines, inner.complete, inner.columns)


def _packed(layers: int, article: str = "") -> str:
    return f"{article}{'' if layers == 1 else 'twice ' if layers == 2 else f'{layers} times '}compressed"


def _unpacked(data: bytes) -> tuple[bytes, bool]:
    """At most ``SCANNED`` bytes of gzip's members, and whether that is all."""
    plain = bytearray()
    for block in _blocks(data):
        if block is None or len(plain) > SCANNED:
            return bytes(plain), False
        plain += block
    return bytes(plain), True


def _blocks(data: bytes) -> Iterator[bytes | None]:
    """What gzip's members hold, in blocks of `CHUNK` at most; None at the end: they are cut off or damaged.

    It is given to zlib in pieces: what a member leaves over is copied, and there may be a member every twenty bytes.
    """
    at, rest, member, begun = 0, b"", zlib.decompressobj(31), False
    while True:
        if not rest:
            rest = data[at : at + CHUNK]
            at += len(rest)
        if not begun and not (rest := rest.lstrip(b"\0")):  # between members is padding
            if at >= len(data):
                return
            continue
        ended = not rest
        try:
            block = member.decompress(rest, CHUNK)
        except zlib.error:
            yield None
            return
        begun = True
        if block:
            yield block
        if member.eof:
            rest, member, begun = member.unused_data, zlib.decompressobj(31), False
            continue
        if ended and not block:
            yield None
            return
        rest = member.unconsumed_tail


def _text(key: str, data: bytes, complete: bool) -> Contents | None:
    """None where it is no text."""
    read = _decoded(data, complete)
    if read is None:
        return None
    text, encoding = read
    lines = text.splitlines()
    if (complete and key.endswith((".json", ".manifest", ".ipynb"))) or (
        complete and text[:1] in "{[" and len(lines) == 1
    ):
        try:
            indented, whole = _indented(json.loads(text))
            return Contents("JSON", indented.splitlines(), whole)
        except (ValueError, RecursionError):
            pass
    if key.endswith((".csv", ".tsv")) and lines:
        delimiter = "\t" if key.endswith(".tsv") else ","
        try:
            columns = len(next(csv.reader(lines[:1], delimiter=delimiter), []))
        except csv.Error:  # a field of more than 128 kB
            columns = lines[0].count(delimiter) + 1
        return Contents(f"CSV, {columns} column{'s' * (columns != 1)}{encoding}", lines, complete, columns)
    return Contents(f"text{encoding}", lines, complete)


def _indented(value: Any) -> tuple[str, bool]:
    """JSON with indentation, at most `MOST_INDENTED` characters, and whether that is all."""
    text = io.StringIO()
    for piece in json.JSONEncoder(indent=2, ensure_ascii=False).iterencode(value):
        if text.tell() > MOST_INDENTED:
            return text.getvalue(), False
        text.write(piece)
    return text.getvalue(), True


def _decoded(data: bytes, complete: bool) -> tuple[str, str] | None:
    """The text, and its encoding where that is not UTF-8. A character that the end of the part cuts is left out."""
    for mark, codec, name in _MARKS:
        if data.startswith(mark):
            decoder = codecs.getincrementaldecoder(codec)("replace")
            return decoder.decode(data[len(mark) :], complete), "" if codec == "utf-8" else f", {name}"
    if b"\0" in data:
        return None
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(data, complete), ""
    except UnicodeDecodeError:
        pass
    odd = sum((byte < 32 and byte not in b"\t\n\r\f\x1b") or 127 <= byte < 160 for byte in data[:DUMPED])
    return (data.decode("latin-1"), ", Latin-1") if not odd else None


def _archive(data: bytes) -> tuple[list[str], bool]:
    """The members of a tar file as far as its beginning tells of them, none where it is no such file; whether these are all."""
    found: list[str] = []
    try:
        # Not as a stream: that reads up to a member's end, and a header may say that it is 8 EB away.
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for member in archive:
                if len(found) == MOST_MEMBERS:
                    found.append(f"… more than {MOST_MEMBERS:,} members")
                    return found, False
                found.append(_member(member.size, member.name + "/" * member.isdir()))
    except (
        tarfile.TarError,
        EOFError,
        zlib.error,
        OSError,
        TypeError,
        ValueError,
    ):  # a header that is cut off
        if found:
            found.append("… what follows is not in the part that was read")
        return found, False
    return found, True


def _zipped(data: bytes) -> list[str] | None:
    """The members of a ZIP file; None where it cannot be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [_member(one.file_size, one.filename) for one in archive.infolist()]
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, struct.error):
        return None


def _member(size: int, name: str) -> str:
    return f"{size:>12,}  {name}".replace(",", " ", f"{size:,}".count(","))


def _records(data: bytes) -> tuple[list[str], bool]:
    """A line per whole record of a recordIO file; whether they go on to the end of the data."""
    from algorithms.formats import message

    made = message.record_class()
    found: list[str] = []
    at = 0
    while at + 8 <= len(data):
        magic, length = struct.unpack_from("<II", data, at)
        flag, length = length >> 29, length & 0x1FFFFFFF
        if magic != 0xCED7230A or at + 8 + length > len(data):
            break
        payload = data[at + 8 : at + 8 + length]
        at += 8 + -(-length // 4) * 4
        shown = None if flag else _record(made, payload)
        found.append(f"{len(found) + 1:>6}  {shown if shown is not None else f'{length} bytes'}")
    return found, at >= len(data)


def _record(made: type, payload: bytes) -> str | None:
    """Label and features of a protobuf record; None where it is none."""
    from google.protobuf.message import DecodeError

    try:
        record = made.FromString(payload)  # type: ignore[attr-defined]
    except DecodeError:
        return None
    parts = []
    for names in (record.label, record.features):
        for name in sorted(names):
            kind = names[name].WhichOneof("value")
            label = "label" if names is record.label else name
            if kind is None or kind == "bytes":
                parts.append(f"{label}: {sum(map(len, names[name].bytes.value))} bytes")
                continue
            tensor = getattr(names[name], kind)
            values = [f"{value:.6g}" for value in tensor.values[:MOST_VALUES]]
            keys = list(tensor.keys[:MOST_VALUES])
            pairs = [f"{key}:{value}" for key, value in zip(keys, values, strict=True)] if keys else values
            more = len(tensor.values) - MOST_VALUES
            parts.append(f"{label}: {' '.join(pairs)}" + (f" … {more} more" if more > 0 else ""))
    return "   ".join(parts) if parts else None


def _bytes(data: bytes, complete: bool) -> Contents:
    what = next((name for first, name in KINDS if data.startswith(first)), "")
    lines = []
    for at in range(0, min(len(data), DUMPED), 16):
        row = data[at : min(at + 16, DUMPED)]
        text = "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in row)
        lines.append(f"{at:08x}  {row.hex(' '):<47}  {text}")
    return Contents(f"binary: {what}" if what else "binary", lines, complete and len(data) <= DUMPED)
