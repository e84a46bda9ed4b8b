"""Inference requests of the first-party algorithms: CSV, JSON, JSON lines and recordIO bodies as a matrix."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.container.serving_codecs import media_type
from algorithms.formats import csvdata, recordio, records
from algorithms.formats.recordio import MAGIC_BYTES, RecordIOError

CSV = "text/csv"
JSON = "application/json"
JSONLINES = "application/jsonlines"
RECORDIO = "application/x-recordio-protobuf"
SUPPORTED = (CSV, JSON, JSONLINES, RECORDIO)

Floats = NDArray[np.float32]


class BadRequest(Exception):
    """A request that cannot be answered: its HTTP status (400, 406 or 415) and a message for the caller."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def parse(body: bytes, headers: Mapping[str, str], feature_dim: int) -> Floats:
    """The rows of a request, float32 of shape (n, feature_dim) with n >= 1; sparse rows are filled with zeros.

    Args:
        headers: Lower-case names; ``content-type`` says how to read the body.
        feature_dim: How many features the model takes.

    Raises:
        BadRequest: 415 for a content type that is not read, 400 for a body that is not what it says; the message names the row.
    """
    content_type = headers.get("content-type", "")
    kind = media_type(content_type)
    if kind not in SUPPORTED:
        raise BadRequest(
            415,
            f"Unsupported content type '{content_type}'. Supported content types are: {', '.join(SUPPORTED)}.",
        )
    if not body.strip():
        raise BadRequest(400, f"unable to evaluate payload provided: the {kind} body is empty.")
    try:
        if kind == CSV:
            rows = _csv(body, content_type, feature_dim)
        elif kind == JSON:
            rows = _json(body, feature_dim)
        elif kind == JSONLINES:
            rows = _lines(body, feature_dim)
        else:
            rows = _recordio(body, feature_dim)
    except (ValueError, RecursionError) as error:
        raise BadRequest(400, f"unable to evaluate payload provided: {error}.") from error
    if not len(rows):
        raise BadRequest(400, f"unable to evaluate payload provided: the {kind} body holds no row.")
    return rows


def _csv(body: bytes, content_type: str, feature_dim: int) -> Floats:
    rows = csvdata.parse(body.removeprefix(b"\xef\xbb\xbf"))
    labels = _label_size(content_type)
    if not len(rows):
        return rows
    if rows.shape[1] - labels != feature_dim:
        raise ValueError(_width(1, rows.shape[1] - labels, feature_dim))
    return rows[:, labels:]


def _label_size(content_type: str) -> int:
    # Rows to be scored have no label unless the request says so.
    for parameter in content_type.split(";")[1:]:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "label_size" and value.isascii() and value.strip().isdigit():
            return int(value)
    return 0


def _json(body: bytes, feature_dim: int) -> Floats:
    try:
        document = json.loads(body)
    except UnicodeDecodeError as error:
        raise ValueError(f"the body is not UTF-8 text ({error.reason} at byte {error.start})") from error
    except ValueError as error:
        raise ValueError(f"the body is not JSON ({error})") from error
    instances = document.get("instances") if isinstance(document, dict) else None
    if not isinstance(instances, list):
        raise ValueError('the body must be an object with a list "instances"')
    return _matrix([_instance(one, row, feature_dim) for row, one in enumerate(instances, 1)], feature_dim)


def _lines(body: bytes, feature_dim: int) -> Floats:
    found = []
    for row, line in enumerate(body.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            instance = json.loads(line)
        except ValueError as error:
            raise ValueError(f"row {row} is not JSON ({error})") from error
        found.append(_instance(instance, row, feature_dim))
    return _matrix(found, feature_dim)


def _matrix(rows: list[Floats], feature_dim: int) -> Floats:
    return np.stack(rows) if rows else np.empty((0, feature_dim), np.float32)


def _instance(instance: Any, row: int, feature_dim: int) -> Floats:
    """One of ``{"features": [..]}``, ``{"data": {"features": {"values": [..]}}}``, the same with ``keys`` and ``shape``."""
    if isinstance(instance, dict) and isinstance(instance.get("features"), list):
        return _dense(instance["features"], row, feature_dim)
    data = instance.get("data") if isinstance(instance, dict) else None
    features = data.get("features") if isinstance(data, dict) else None
    if not isinstance(features, dict) or not isinstance(features.get("values"), list):
        raise ValueError(
            f'row {row} is neither {{"features": [...]}} nor {{"data": {{"features": {{"values": [...]}}}}}}'
        )
    keys, shape = features.get("keys"), features.get("shape")
    if keys is None:
        return _dense(features["values"], row, feature_dim)
    values = _numbers(features["values"], row)
    if not isinstance(shape, list) or len(shape) != 1:
        raise ValueError(f'row {row} has "keys" but no "shape" of the form [number of columns]')
    if shape[0] != feature_dim:
        raise ValueError(_width(row, shape[0], feature_dim))
    if not isinstance(keys, list) or len(keys) != len(values):
        raise ValueError(f"row {row} needs as many keys as values ({len(values)})")
    for key in keys:
        if isinstance(key, bool) or not isinstance(key, int) or not 0 <= key < feature_dim:
            raise ValueError(
                f"row {row} has the key {str(key)[:40]}; keys are whole numbers from 0 to {feature_dim - 1}"
            )
    dense = np.zeros(feature_dim, np.float32)
    np.add.at(dense, keys, values)
    return dense


def _dense(values: list[Any], row: int, feature_dim: int) -> Floats:
    if len(values) != feature_dim:
        raise ValueError(_width(row, len(values), feature_dim))
    return _numbers(values, row)


def _numbers(values: list[Any], row: int) -> Floats:
    for place, value in enumerate(values, 1):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"row {row}, value {place} ({json.dumps(value)[:40]}) is not a number")
    try:
        with np.errstate(over="ignore"):
            numbers = np.array(values, np.float64).astype(np.float32)
    except OverflowError:
        numbers = np.full(1, np.inf, np.float32)
    if not csvdata.finite(numbers):
        raise ValueError(f"row {row} holds a number that is not finite in float32")
    return numbers


def _recordio(body: bytes, feature_dim: int) -> Floats:
    found: list[Floats] = []
    # Batch transform with SplitType=RecordIO and BatchStrategy=SingleRecord sends a record without its frame.
    framed = body.startswith(MAGIC_BYTES)
    try:
        for part in records.rows(io.BytesIO(body if framed else recordio.frame(body))):
            width = (
                part.features.width if isinstance(part.features, records.Sparse) else part.features.shape[1]
            )
            if width != feature_dim:
                raise ValueError(_width(part.first, width, feature_dim))
            dense = _filled(part.features) if isinstance(part.features, records.Sparse) else part.features
            if not csvdata.finite(dense):
                wrong = int(np.flatnonzero(~np.isfinite(dense).all(axis=1))[0])
                raise ValueError(f"record {part.first + wrong} holds a number that is not finite in float32")
            found.append(dense)
    except RecordIOError as error:
        raise ValueError(f"the body is not recordIO: {error}") from error
    except records.RecordError as error:
        if framed:
            raise
        raise ValueError(
            f"the body is not recordIO (it does not start with the magic number) and no single record: {error.problem}"
        ) from error
    return np.concatenate(found) if found else np.empty((0, feature_dim), np.float32)


def _filled(rows: records.Sparse) -> Floats:
    dense = np.zeros((len(rows.counts), rows.width), np.float32)
    np.add.at(dense, (np.repeat(np.arange(len(rows.counts)), rows.counts), rows.columns), rows.values)
    return dense


def _width(row: int, given: Any, expected: int) -> str:
    return f"row {row} has {str(given)[:40]} features, the model takes {expected}"
