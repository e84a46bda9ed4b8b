"""The time series of a channel: JSON Lines or Parquet, checked, and held compactly."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from algorithms.builtin.deepar.frequency import Frequency
from algorithms.builtin.deepar.series import Series, Unusable, parse
from algorithms.builtin.failures import ClientError
from algorithms.builtin.job import Channel

MAX_LINE: Final = 128 * 1024 * 1024
"""Bytes of one line; about ten million observations."""

_GZIP: Final = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Dataset:
    """The series of a channel that can be used.

    Attributes:
        series: In the order of files and lines.
        places: Where each series stands, for messages.
        ignored: How many were shorter than the prediction length.
        first_file: As the container names it in its log.
    """

    series: list[Series]
    places: list[str]
    ignored: int
    first_file: str


def read(channel: Channel, frequency: Frequency, likelihood: str, prediction_length: int) -> Dataset:
    """Read a channel.

    Raises:
        ClientError: A file cannot be read, or a series cannot be used; the message names file, line, key and remedy.
    """
    series: list[Series] = []
    places: list[str] = []
    ignored = 0
    files = channel.files()
    for file in files:
        for place, value in _records(file, channel):
            try:
                found = parse(value, frequency, likelihood)
                _check_training(found)
            except Unusable as error:
                raise ClientError(
                    f"Unable to read data channel '{channel.name}', {place}: {error}."
                ) from error
            if len(found.target) < prediction_length:
                ignored += 1
                continue
            series.append(found)
            places.append(place)
    first = f"/opt/ml/input/data/{channel.name}/{files[0].relative_to(channel.folder)}"
    return Dataset(series, places, ignored, first)


def statistics(series: list[Series]) -> list[str]:
    """What the container says of a data set, line by line."""
    whole, missing, observed, total, absolute = True, False, 0, 0.0, 0.0
    low, high = np.inf, -np.inf
    for item in series:
        values = item.target[~np.isnan(item.target)].astype(np.float64)
        missing = missing or len(values) < len(item.target)
        if not len(values):
            continue
        whole = whole and bool((values == np.floor(values)).all())
        observed += len(values)
        total += float(values.sum())
        absolute += float(np.abs(values).sum())
        low, high = min(low, float(values.min())), max(high, float(values.max()))
    mean_length = sum(len(item.target) for item in series) / max(len(series), 1)
    count = max(observed, 1)
    return [
        "Integer time series" if whole else "Real time series",
        f"number of time series: {len(series)}",
        f"number of observations: {observed}",
        f"mean target length: {mean_length}",
        f"min/mean/max target: {low}/{total / count}/{high}",
        f"mean abs(target): {absolute / count}",
        f"contains missing values: {'yes' if missing else 'no'}",
    ]


def _check_training(series: Series) -> None:
    if series.dynamic is not None and series.dynamic.shape[1] != len(series.target):
        raise Unusable(
            f"'dynamic_feat' has lists of {series.dynamic.shape[1]} values and 'target' has {len(series.target)}; "
            "in training both must be of the same length"
        )


def _records(file: Path, channel: Channel) -> Iterator[tuple[str, Any]]:
    name = file.relative_to(channel.folder)
    match _format(file, channel):
        case "parquet":
            yield from _rows(file, str(name))
        case _:
            yield from _lines(file, str(name), channel.name)


def _format(file: Path, channel: Channel) -> str:
    name = file.name.lower().removesuffix(".gz")
    if name.endswith(".parquet"):
        return "parquet"
    if name.endswith((".json", ".jsonl", ".jsonlines")):
        return "json"
    kind = channel.content_type.lower()
    if "parquet" in kind:
        return "parquet"
    if "json" in kind:
        return "json"
    raise ClientError(
        f"Unable to determine the format of {file.name} in data channel '{channel.name}': its name does not end in .json, "
        f".json.gz, .jsonl or .parquet. Rename the file or set the channel's ContentType to json or parquet."
    )


def _lines(file: Path, name: str, channel: str) -> Iterator[tuple[str, Any]]:
    with file.open("rb") as raw:
        zipped = raw.read(2) == _GZIP
    number = 0
    with gzip.open(file) if zipped else file.open("rb") as stream:
        while True:
            number += 1
            place = f"file {name}, line {number}"
            try:
                line = stream.readline(MAX_LINE + 1)
            except (OSError, EOFError, zlib.error) as error:
                raise ClientError(
                    f"Unable to read data channel '{channel}', {place}: the gzip file is damaged or truncated ({error}). "
                    "Upload it again."
                ) from error
            if not line:
                return
            if len(line) > MAX_LINE:
                raise ClientError(
                    f"Unable to read data channel '{channel}', {place}: the line is longer than {MAX_LINE >> 20} MB. "
                    "Write one JSON object a line, one time series each."
                )
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise ClientError(
                    f"Unable to read data channel '{channel}', {place}: not valid JSON ({_reason(error)}). "
                    "Write one complete JSON object a line, one time series each."
                ) from error
            yield place, value


def _rows(file: Path, name: str) -> Iterator[tuple[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file)
        columns = [
            name for name in ("start", "target", "cat", "dynamic_feat") if name in table.schema_arrow.names
        ]
        number = 0
        for batch in table.iter_batches(batch_size=64, columns=columns):
            for row in batch.to_pylist():
                number += 1
                yield f"file {name}, row {number}", row
    except (pa.ArrowException, OSError, ValueError) as error:
        # ValueError: texts and column names of a damaged file that are no UTF-8.
        raise ClientError(
            f"Unable to read file {name}: it is not a Parquet file that can be read ({error})."
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos + 1}"
    return "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else "nested too deeply"
