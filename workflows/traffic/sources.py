"""Where payloads come from: files, folders, S3 objects, captured requests."""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflows.observe import captures, objects
from workflows.problem import Problem
from workflows.traffic.payload import Payload

if TYPE_CHECKING:
    from workflows.observe.gateway import Gateway

CONTENT_TYPES = {
    ".csv": "text/csv", ".json": "application/json", ".jsonl": "application/json", ".npy": "application/x-npy",
    ".txt": "text/plain", ".libsvm": "text/libsvm", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg",
    ".parquet": "application/x-parquet",
}  # fmt: skip
"""By a file's ending. A line of a ``.jsonl`` file is one JSON document."""
MOST_BYTES = 256 << 20
"""Payloads are kept in memory, to be sent again and again."""
MOST_PAYLOAD = 6_291_456
"""Bytes that SageMaker takes in one request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a source is read.

    Args:
        label: The column (a CSV file's name or its number from 0, negative from the end; a JSON member) that holds the
            true answer. It is kept apart and not sent.
        key: The column that tells whose request it is; it is not sent either.
        header: Whether a CSV file's first line names its columns; None: when a column is called by a name, or when
            the first line holds no number and the second does.
        content_type: Of all payloads; empty: by the file's ending.
        most: Payloads at most; 0: all.
        seed: Shuffles them; None: in their order.
    """

    label: str = ""
    key: str = ""
    header: bool | None = None
    content_type: str = ""
    most: int = 0
    seed: int | None = None


AS_IT_IS = Reading()

CAPTURED = "captured"
"""As a place: what the endpoint itself has captured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a replay sends: a place as `read` takes it, `CAPTURED`, or a ``text`` with a payload on each line."""

    place: str = ""
    text: str = ""
    reading: Reading = AS_IT_IS

    def load(self, gateway: Gateway, endpoint: str) -> list[Payload]:
        """The payloads.

        Raises:
            Problem: There are none, or they cannot be read.
        """
        if self.text:
            return of_text(self.text, self.reading)
        if self.place == CAPTURED:
            return captured(gateway, endpoint, self.reading)
        return read(self.place, self.reading, gateway)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; `from_dict` reads it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Source:
        """The source that `as_dict` wrote."""
        return cls(place=found["place"], text=found["text"], reading=Reading(**found["reading"]))

    def __str__(self) -> str:
        if self.text:
            lines = sum(1 for line in self.text.splitlines() if line.strip())
            return "one payload" if lines == 1 else f"{lines} payloads"
        return "what it has captured" if self.place == CAPTURED else self.place


def read(source: str, reading: Reading | None = None, gateway: Gateway | None = None) -> list[Payload]:
    """The payloads of a file, a folder (one payload per file) or an ``s3://`` object.

    CSV: one row each. JSON lines: one line each. Text: one line each. Everything else: the whole file.

    Args:
        gateway: Where S3 is; needed for ``s3://`` only.

    Raises:
        Problem: It is not there, cannot be read, has no such column, holds nothing, or is too large.
    """
    how = reading or AS_IT_IS
    if source.startswith("s3://"):
        if gateway is None:
            raise Problem(f"{source} needs a connection to S3.", "", "source")
        found = _records(source, objects.lines(gateway, source), how)
        if found is None:
            found = iter([_whole(source, objects.read_bytes(gateway, source, MOST_PAYLOAD), how)])
        return _kept(_cut(found, how), source, how)
    path = Path(source).expanduser()
    if path.is_dir():
        files = (file for file in sorted(path.rglob("*")) if file.is_file() and not _hidden(file, path))
        return _kept(_cut((_of_file(file, path, how) for file in files), how), source, how)
    if not path.is_file():
        raise Problem(f"There is no file {source}.", "Name a file, a folder or an s3:// object.", "source")
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as lines:
        found = _records(source, lines, how)
        if found is not None:
            return _kept(_cut(found, how), source, how)
    return _kept([_of_file(path, path.parent, how)], source, how)


def captured(gateway: Gateway, endpoint: str, reading: Reading | None = None) -> list[Payload]:
    """The requests that an endpoint has captured, the newest ``most`` of them, oldest first. Keys are their event ids.

    Raises:
        Problem: The endpoint captures nothing, or nothing was captured yet.
    """
    how = reading or AS_IT_IS
    place = captures.place(gateway, endpoint)
    newest: list[Payload] = []
    for capture in captures.newest_first(gateway, place):
        if capture.request is None:
            continue
        newest.append(
            Payload(
                body=capture.request.body,
                content_type=how.content_type or capture.request.content_type or "text/csv",
                key=capture.inference_id or capture.event_id,
            )
        )
        if how.most and len(newest) >= how.most:
            break
    return _kept(reversed(newest), f"what {endpoint} has captured below {place.uri}", how)


def of_text(text: str, reading: Reading | None = None) -> list[Payload]:
    """One payload per line of a text that is not empty; text/csv unless told otherwise."""
    how = reading or AS_IT_IS
    kind = how.content_type or "text/csv"
    lines = (line.strip() for line in text.splitlines())
    return _kept((Payload(line.encode(), kind) for line in lines if line), "the text", how)


def _records(source: str, lines: Iterable[str], how: Reading) -> Iterator[Payload] | None:
    """A payload per record where the source has records; None for one that is sent as a whole."""
    ending = Path(source).suffix.lower()
    if ending == ".csv":
        return _rows(source, lines, how)
    if ending in (".jsonl", ".ndjson"):
        return _documents(source, lines, how)
    if ending in (".txt", ".libsvm"):
        kind = how.content_type or CONTENT_TYPES[ending]
        texts = (line.rstrip("\r\n") for line in lines)
        return (Payload(_bytes(text), kind) for text in texts if text)
    return None


def _rows(source: str, lines: Iterable[str], how: Reading) -> Iterator[Payload]:
    reader = csv.reader(line if line.endswith("\n") else f"{line}\n" for line in lines)
    rows = (row for row in reader if row)
    first = next(rows, None)
    if first is None:
        return
    second = next(rows, None)
    named = any(text and not _is_number(text) for text in (how.label, how.key))
    header = how.header
    if header is None:
        header = named or bool(second and not any(map(_is_number, first)) and any(map(_is_number, second)))
    names = first if header else []
    label, key = (_column(source, text, names, len(first)) for text in (how.label, how.key))
    dropped = {place for place in (label, key) if place is not None}
    begin = ([] if header else [first]) + ([second] if second else [])
    kind = how.content_type or "text/csv"
    for number, row in enumerate(chain(begin, rows), 2 if header else 1):
        if len(row) != len(first):
            raise Problem(
                f"Row {number} of {source} has {len(row)} columns, the first has {len(first)}.",
                "Correct the file.",
                "source",
            )
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(
            [cell for place, cell in enumerate(row) if place not in dropped]
        )
        yield Payload(
            _bytes(text.getvalue()),
            kind,
            None if label is None else row[label].strip(),
            "" if key is None else row[key],
        )


def _documents(source: str, lines: Iterable[str], how: Reading) -> Iterator[Payload]:
    kind = how.content_type or "application/json"
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            document = json.loads(line)
        except ValueError:
            raise Problem(f"Line {number} of {source} is not JSON.", "Correct the file.", "source") from None
        if not (how.label or how.key):
            yield Payload(_bytes(line.strip()), kind)
            continue
        taken: list[str | None] = []
        for member in (how.label, how.key):
            if member and (not isinstance(document, dict) or member not in document):
                raise Problem(
                    f"Line {number} of {source} has no member {member!r}.", "Name another one.", "source"
                )
            value = document.pop(member) if member else None
            taken.append(None if not member else value if isinstance(value, str) else json.dumps(value))
        yield Payload(json.dumps(document).encode(), kind, taken[0], taken[1] or "")


def _of_file(path: Path, folder: Path, how: Reading) -> Payload:
    if path.stat().st_size > MOST_PAYLOAD:
        raise _too_large(str(path))
    return _payload(path.name, path.read_bytes(), how, str(path.relative_to(folder)))


def _whole(source: str, body: bytes, how: Reading) -> Payload:
    return _payload(source.rpartition("/")[2], body, how, source)


def _payload(name: str, body: bytes, how: Reading, key: str) -> Payload:
    kind = CONTENT_TYPES.get(Path(name).suffix.lower(), "application/octet-stream")
    return Payload(body, how.content_type or kind, None, key)


def _cut(payloads: Iterable[Payload], how: Reading) -> Iterator[Payload]:
    for number, payload in enumerate(payloads):
        if how.most and how.seed is None and number >= how.most:
            return
        yield payload


def _kept(payloads: Iterable[Payload], source: str, how: Reading) -> list[Payload]:
    """All payloads in memory, shuffled where that is asked for."""
    kept: list[Payload] = []
    size = 0
    try:
        for payload in payloads:
            if len(payload.body) > MOST_PAYLOAD:
                raise _too_large(source)
            size += len(payload.body)
            if size > MOST_BYTES:
                raise Problem(
                    f"{source} holds more than {MOST_BYTES >> 20} MB of requests.",
                    "Take fewer of them: --limit.",
                    "size",
                )
            kept.append(payload)
    except csv.Error as error:
        raise Problem(f"{source} is not CSV: {error}.", "Correct the file.", "source") from None
    if not kept:
        raise Problem(f"There is nothing to send in {source}.", "Name another one.", "empty")
    if how.seed is not None:
        random.Random(how.seed).shuffle(kept)
        kept = kept[: how.most or None]
    return kept


def _column(source: str, text: str, names: Sequence[str], width: int) -> int | None:
    """The place of a column that is called by name or number; None where none is wanted."""
    if not text:
        return None
    if text in names:
        return list(names).index(text)
    try:
        place = int(text)
    except ValueError:
        known = f"Its columns: {', '.join(names[:12])}." if names else "Its columns have no names."
        raise Problem(f"{source} has no column {text!r}.", known, "source") from None
    if not -width <= place < width:
        raise Problem(f"{source} has no column {place}.", f"It has {width}, counted from 0.", "source")
    return place % width


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _bytes(text: str) -> bytes:
    """UTF-8; bytes that were none come out as they went in."""
    return text.encode("utf-8", "surrogateescape")


def _hidden(path: Path, below: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(below).parts)


def _too_large(source: str) -> Problem:
    return Problem(
        f"A request of {source} has more than {MOST_PAYLOAD:,} bytes, which SageMaker does not take.",
        "Take smaller ones.",
        "size",
    )
