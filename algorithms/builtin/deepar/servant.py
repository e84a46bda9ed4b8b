"""Answers of a DeepAR model to requests."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin.deepar.artefact import Design
from algorithms.builtin.deepar.artefact import load as load_model
from algorithms.builtin.deepar.forecasting import Forecaster
from algorithms.builtin.deepar.series import Series, Unusable, parse
from algorithms.builtin.failures import ClientError
from algorithms.builtin.requests import JSON, JSONLINES, BadRequest
from algorithms.builtin.responses import guarded
from algorithms.container.serving import Reply
from algorithms.container.serving_codecs import media_type, parse_accept

ENVIRONMENT: Final = "DEEPAR_INFERENCE_CONFIG"
"""The variable with the configuration of batch transform, whose records have none."""

MAX_SAMPLES: Final = 10_000
MAX_VALUES: Final = 20_000_000
"""Drawn values (series × samples × prediction length) of one request."""

_KINDS: Final = ("mean", "quantiles", "samples")
_SAMPLES: Final = 100
_DEFAULT_KINDS: Final = ("mean", "quantiles")
_DEFAULT_QUANTILES: Final = ("0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9")
_LINES: Final = (JSONLINES, "application/x-jsonlines", "application/jsonl")


@dataclass(frozen=True, slots=True)
class Configuration:
    """What is wanted of a forecast; ``quantiles`` are kept as the request spells them."""

    samples: int = _SAMPLES
    kinds: tuple[str, ...] = _DEFAULT_KINDS
    quantiles: tuple[str, ...] = _DEFAULT_QUANTILES

    @classmethod
    def of(cls, value: Any) -> Configuration:
        """From a decoded ``configuration``; what it does not say has its default.

        Raises:
            ValueError: A key or a value is not allowed.
        """
        if value is None:
            return cls()
        if not isinstance(value, dict):
            raise ValueError("'configuration' must be an object")
        unknown = sorted(set(value) - {"num_samples", "output_types", "quantiles"})
        if unknown:
            raise ValueError(
                f"'configuration' has the unknown key {unknown[0][:40]!r}; it may have num_samples, output_types and quantiles"
            )
        samples = value.get("num_samples", _SAMPLES)
        if isinstance(samples, bool) or not isinstance(samples, int) or not 1 <= samples <= MAX_SAMPLES:
            raise ValueError(f"'num_samples' must be a whole number from 1 to {MAX_SAMPLES}")
        kinds = value.get("output_types", list(_DEFAULT_KINDS))
        if not isinstance(kinds, list) or not kinds or any(kind not in _KINDS for kind in map(str, kinds)):
            raise ValueError(f"'output_types' must be a list of {', '.join(map(repr, _KINDS))}")
        quantiles = value.get("quantiles", list(_DEFAULT_QUANTILES))
        if not isinstance(quantiles, list) or not all(_is_quantile(item) for item in quantiles):
            raise ValueError(
                '\'quantiles\' must be a list of numbers between 0 and 1, for example ["0.1", "0.5", "0.9"]'
            )
        return cls(samples, tuple(map(str, kinds)), tuple(map(str, quantiles)))


class DeepARServant:
    """Forecasts the series of requests.

    A request's random numbers come from its body: the same request to the same model has the same answer, whichever worker gives it.
    """

    def __init__(self, design: Design, forecaster: Forecaster, batch: Configuration) -> None:
        self._design = design
        self._forecaster = forecaster
        self._batch = batch

    def answer(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """One prediction for each instance or line."""
        return guarded(lambda: self._answer(body, headers))

    def execution_parameters(self, workers: int) -> Reply:
        """One series a request, as the developer guide asks of batch transform."""
        known = {"MaxConcurrentTransforms": workers, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 6}
        return Reply(200, json.dumps(known).encode(), JSON)

    def _answer(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        given = headers.get("content-type", "") or JSON
        kind = media_type(given)
        if kind != JSON and kind not in _LINES:
            raise BadRequest(
                415, f"Unsupported content type '{given}'. Supported content types are: {JSON}, {JSONLINES}."
            )
        accepted = _accepted(headers.get("accept", ""))
        if not body.strip():
            raise BadRequest(400, f"unable to evaluate payload provided: the {kind} body is empty.")
        try:
            document = _whole(body) if kind == JSON else None
            if document is None:
                places, values, configuration = *_lines(body), self._batch
            elif "instances" not in document and "target" in document:
                places, values, configuration = ["the series"], [document], self._batch
                document = None
            else:
                places, values = _instances(document)
                configuration = Configuration.of(document.get("configuration"))
            series = self._series(places, values)
            self._limit(len(series), configuration)
        except (ValueError, Unusable) as error:
            raise BadRequest(400, f"unable to evaluate payload provided: {error}.") from error
        found = self._predictions(series, configuration, zlib.crc32(body))
        if document is not None and accepted != JSONLINES:
            return Reply(200, json.dumps({"predictions": list(found)}).encode(), JSON)
        lines = "".join(f"{json.dumps(prediction)}\n" for prediction in found)
        return Reply(200, lines.encode(), accepted or JSONLINES)

    def _series(self, places: Sequence[str], values: Sequence[Any]) -> list[Series]:
        view = self._design.view
        found = []
        for place, value in zip(places, values, strict=True):
            try:
                series = self._design.shape.fit(parse(value, view.frequency, self._design.likelihood))
                wanted = len(series.target) + view.horizon
                if series.dynamic is not None and series.dynamic.shape[1] != wanted:
                    raise Unusable(
                        f"'dynamic_feat' has lists of {series.dynamic.shape[1]} values, but must have {wanted}: as many as 'target' "
                        f"({len(series.target)}) and prediction_length ({view.horizon}) together"
                    )
            except Unusable as error:
                raise Unusable(f"{place}: {error}") from error
            found.append(series)
        return found

    def _limit(self, count: int, configuration: Configuration) -> None:
        drawn = count * configuration.samples * self._design.view.horizon
        if drawn > MAX_VALUES:
            raise ValueError(
                f"{count} series with {configuration.samples} samples of {self._design.view.horizon} points are {drawn} values, "
                f"more than {MAX_VALUES}; send fewer series in a request or ask for fewer samples"
            )

    def _predictions(
        self, series: Sequence[Series], configuration: Configuration, seed: int
    ) -> Iterator[dict[str, Any]]:
        for paths in self._forecaster.paths(series, configuration.samples, seed):
            yield _prediction(paths, configuration)


def load(model_dir: Path) -> DeepARServant:
    """The model in a folder.

    Raises:
        ClientError: It holds no DeepAR model, or ``DEEPAR_INFERENCE_CONFIG`` is not a configuration.
    """
    import torch

    torch.set_num_threads(1)
    design, network = load_model(model_dir)
    return DeepARServant(
        design, design.forecaster(network), _from_environment(os.environ.get(ENVIRONMENT, ""))
    )


def _from_environment(text: str) -> Configuration:
    if not text.strip():
        return Configuration()
    try:
        return Configuration.of(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise ClientError(
            f"The environment variable {ENVIRONMENT} is not a configuration: {error}. "
            'Set it to a JSON object such as {"num_samples": 100, "output_types": ["mean"]}.'
        ) from error


def _prediction(paths: NDArray[np.float32], configuration: Configuration) -> dict[str, Any]:
    found: dict[str, Any] = {}
    exact = paths.astype(np.float64)
    for kind in configuration.kinds:
        if kind == "mean":
            found[kind] = exact.mean(axis=0).tolist()
        elif kind == "samples":
            found[kind] = paths.tolist()
        else:
            levels = np.quantile(exact, [float(text) for text in configuration.quantiles], axis=0)
            found[kind] = {
                text: row.tolist() for text, row in zip(configuration.quantiles, levels, strict=True)
            }
    return found


def _whole(body: bytes) -> dict[str, Any] | None:
    """The one object of a body; None when it has several lines of which each is an object of its own."""
    try:
        document = json.loads(body)
    except RecursionError as error:
        raise ValueError("the body is nested too deeply") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"the body is not UTF-8 text ({error.reason} at byte {error.start})") from error
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and body.lstrip().startswith(b"{"):
            return None
        raise ValueError(f"the body is not JSON ({error})") from error
    if not isinstance(document, dict):
        raise ValueError("the body must be an object with a list 'instances'")
    return document


def _lines(body: bytes) -> tuple[list[str], list[Any]]:
    places, values = [], []
    for number, line in enumerate(body.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            values.append(json.loads(line))
        except (ValueError, RecursionError) as error:
            raise ValueError(f"line {number} is not JSON ({error})") from error
        places.append(f"line {number}")
    return places, values


def _instances(document: Mapping[str, Any]) -> tuple[list[str], list[Any]]:
    instances = document.get("instances")
    if not isinstance(instances, list) or not instances:
        raise ValueError("the body must be an object with a list 'instances' of at least one time series")
    return [f"instances[{number}]" for number in range(len(instances))], instances


def _accepted(accept: str) -> str:
    """JSON or JSON Lines when one is asked for, "" for either.

    Raises:
        BadRequest: 406 when something else is.
    """
    wanted = parse_accept(accept)
    for name in wanted:
        if name == JSON:
            return JSON
        if name in _LINES:
            return JSONLINES
        if name in ("*/*", "application/*"):
            return ""
    if wanted:
        raise BadRequest(
            406, f"Unsupported accept type '{accept}'. Supported accept types are: {JSON}, {JSONLINES}."
        )
    return ""


def _is_quantile(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    try:
        return 0 < float(value) < 1
    except (ValueError, OverflowError):
        return False
