"""Serving: the answers of the container's algorithm mode, version by version."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from algorithms.builtin.xgb import library, models, payloads, selection, versions
from algorithms.builtin.xgb.versions import Version
from algorithms.container.serving import Reply
from algorithms.container.serving_codecs import parse_accept

log = logging.getLogger("serving")

CSV, JSON, JSONLINES, RECORDIO = (
    "text/csv", "application/json", "application/jsonlines", "application/x-recordio-protobuf",
)  # fmt: skip
ACCEPTS = (JSON, JSONLINES, RECORDIO, CSV)
DEFAULT_ACCEPT = "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT"
BATCH = "SAGEMAKER_BATCH"
MAX_CONTENT = "MAX_CONTENT_LENGTH"
_MIB = 1 << 20
_LARGEST = 20 * _MIB


class NotAcceptable(ValueError):
    """No answer in the format that the request accepts."""


def load(model_dir: Path, tag: str) -> XGBoost:
    """Load the model of a folder.

    Raises:
        ClientError: See `models.load`.
    """
    threads = os.environ.get("OMP_NUM_THREADS", "")
    model = models.load(model_dir, int(threads) if threads.isdigit() and int(threads) else 1)
    version = versions.of(tag)
    log.info(
        "xgboost %s serves for the container's %s: %d model file(s), objective %s, %d features",
        library.load().__version__,
        version,
        len(model.boosters),
        model.objective,
        model.features,
    )
    return XGBoost(model, version)


class XGBoost:
    """A loaded model that answers requests."""

    def __init__(self, model: models.Loaded, version: Version) -> None:
        self._model = model
        self._version = version
        self._xgboost = library.load()
        # The library's predictions are safe between threads for trees without dropout only.
        self._lock = threading.Lock()
        self._wanted = selection.keys(os.environ.get(selection.OUTPUT, ""))
        self._default = os.environ.get(DEFAULT_ACCEPT, CSV).lower()
        self._batch = bool(os.environ.get(BATCH))

    def execution_parameters(self, workers: int) -> Reply:
        """What batch transform asks before it begins."""
        given = os.environ.get(MAX_CONTENT, "")
        largest = min(int(given), _LARGEST) if given.isdigit() else 6 * _MIB
        known = {
            "MaxConcurrentTransforms": workers,
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": max(1, largest // _MIB),
        }
        return Reply(200, json.dumps(known).encode(), JSON)

    def answer(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """One invocation: 204 for nothing, 415 for what cannot be read, 400 for what does not fit the model, 406 for Accept."""
        if not body:
            return Reply(204, b"", CSV)
        try:
            kind = payloads.kind_of(headers.get("content-type", ""))
            rows = payloads.features(body, kind)
        except payloads.Unreadable as error:
            return _refusal(415, str(error))
        try:
            accept = self._accept(headers.get("accept", ""))
        except NotAcceptable as error:
            return _refusal(406, str(error))
        try:
            rows = payloads.fitted(rows, kind, self._model.features)
            with self._lock:
                predictions = models.combined(self._model, self._xgboost.DMatrix(rows))
        except (payloads.Misfit, self._xgboost.core.XGBoostError, ValueError) as error:
            return _refusal(400, f"Unable to evaluate payload provided: {library.first_line(error)}")
        try:
            return self._reply(predictions, accept)
        except Exception as error:
            return _refusal(500, str(error))

    def _accept(self, header: str) -> str:
        """The format to answer in. The older containers look at the header for selected contents only.

        Raises:
            NotAcceptable: None of the header's can be written.
        """
        if self._version.joins_with_commas and not self._wanted:
            return CSV
        wanted = parse_accept(header)
        for name in wanted or ["*/*"]:
            if name == "*/*":
                return self._default
            if name in ACCEPTS:
                return name
        raise NotAcceptable(
            f"Accept type {header} is not supported. Please use supported accept types: {list(ACCEPTS)}."
        )

    def _reply(self, predictions: NDArray[Any], accept: str) -> Reply:
        if self._wanted:
            return self._selected(predictions, accept)
        values = predictions.tolist()
        if accept == CSV:
            return Reply(200, self._text(values).encode(), "text/csv; charset=utf-8")
        if accept == JSON:
            scores = [{"score": value} for value in values]
            return Reply(200, json.dumps({"predictions": scores}).encode(), JSON)
        if accept == JSONLINES:
            text = "".join(json.dumps({"score": value}) + "\n" for value in values)
            return Reply(200, text.encode(), JSONLINES)
        if accept == RECORDIO:
            from algorithms.formats import records

            return Reply(200, records.outputs({"score": predictions}), RECORDIO)
        raise ValueError(f"Cannot encode predictions into accept type '{accept}'.")

    def _text(self, values: list[Any]) -> str:
        if self._batch:
            return "\n".join(map(str, values)) + "\n"
        if self._version.joins_with_commas:
            return ",".join(map(str, values))
        lines = (",".join(map(str, item)) if isinstance(item, list) else str(item) for item in values)
        return "\n".join(lines) + "\n"

    def _selected(self, predictions: NDArray[Any], accept: str) -> Reply:
        found = selection.select(predictions, self._wanted, self._model.objective, self._model.num_class)
        if accept == JSON:
            return Reply(200, json.dumps({"predictions": found}).encode(), JSON)
        if accept == JSONLINES:
            return Reply(200, selection.jsonlines(found).encode(), JSONLINES)
        if accept == RECORDIO:
            from algorithms.formats import records

            return Reply(200, records.outputs(selection.columns(found)), RECORDIO)
        if accept == CSV:
            end = "\n" if self._batch else ""
            return Reply(200, (selection.csv(found) + end).encode(), "text/csv; charset=utf-8")
        raise ValueError(f"Cannot encode selected predictions into accept type '{accept}'.")


def _refusal(status: int, message: str) -> Reply:
    log.error("%s", message)
    return Reply(status, message.encode(), "text/plain")
