"""One time series as people give it: a JSON object, a Parquet row, an instance of a request."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin.deepar.frequency import Frequency, timestamp

FIELDS: Final = frozenset({"start", "target", "cat", "dynamic_feat"})
_FINITE: Final = float(np.finfo(np.float32).max)


class Unusable(Exception):
    """A series cannot be used; the message names the key and the remedy, not the place."""


@dataclass(frozen=True, slots=True)
class Series:
    """A time series.

    Attributes:
        origin: Its first point, see `Frequency.origin`.
        target: Its values; NaN where missing.
        cat: Its categories, or None when it has none.
        dynamic: Its features, one row each, or None when it has none.
    """

    origin: int
    target: NDArray[np.float32]
    cat: tuple[int, ...] | None
    dynamic: NDArray[np.float32] | None


def parse(value: Any, frequency: Frequency, likelihood: str) -> Series:
    """A series from a decoded object.

    Raises:
        Unusable: A key is missing or its value is not allowed.
    """
    if not isinstance(value, Mapping):
        raise Unusable('must be an object such as {"start": "2009-11-01 00:00:00", "target": [4.0, 10.0]}')
    for name in ("start", "target"):
        if value.get(name) is None:
            raise Unusable(f"the key '{name}' is missing; every time series needs 'start' and 'target'")
    try:
        origin = frequency.origin(timestamp(value["start"]))
    except ValueError as error:
        raise Unusable(f"'start' {error}") from error
    target = _numbers(value["target"], "target", missing=True)
    _check(target, likelihood)
    return Series(origin, target, _categories(value.get("cat")), _features(value.get("dynamic_feat")))


def _check(target: NDArray[np.float32], likelihood: str) -> None:
    if likelihood == "negative-binomial":
        _forbid(target, (target < 0) | (target != np.floor(target)), likelihood, "must be counts: 0, 1, 2, …")
    elif likelihood == "beta":
        _forbid(target, (target <= 0) | (target >= 1), likelihood, "must lie between 0 and 1, both excluded")


def _forbid(target: NDArray[np.float32], bad: NDArray[np.bool_], likelihood: str, rule: str) -> None:
    bad = bad & ~np.isnan(target)
    if bad.any():
        place = int(bad.argmax())
        raise Unusable(
            f"'target' has the value {target[place]:g} at position {place}; with likelihood '{likelihood}' values {rule}. "
            f"Choose another likelihood or transform the data"
        )


def _numbers(value: Any, name: str, *, missing: bool) -> NDArray[np.float32]:
    """An array of numbers; None and "NaN" are NaN where missing values are allowed."""
    if not isinstance(value, list):
        raise Unusable(f"'{name}' must be a list of numbers")
    if set(map(type, value)) <= {int, float}:
        try:
            array = np.array(value, dtype=np.float64)
        except OverflowError:
            array = np.full(len(value), np.inf)
    else:
        array = np.array(
            [_number(item, name, place, missing) for place, item in enumerate(value)], dtype=np.float64
        )
    bad = np.abs(array) > _FINITE if missing else ~(np.abs(array) <= _FINITE)
    if bad.any():
        place = int(bad.argmax())
        remedy = (
            ' Mark a missing value as null or "NaN"' if missing else " Missing values are not allowed here"
        )
        raise Unusable(f"'{name}' has a value at position {place} that is not a finite number.{remedy}")
    return array.astype(np.float32)


def _number(item: Any, name: str, place: int, missing: bool) -> float:
    if missing and (item is None or (isinstance(item, str) and item.strip().lower() == "nan")):
        return math.nan
    if isinstance(item, bool) or not isinstance(item, int | float):
        allowed = 'numbers, null or "NaN"' if missing else "numbers"
        raise Unusable(f"'{name}' has {_shown(item)} at position {place}; it must hold {allowed}")
    try:
        return float(item)
    except OverflowError:
        return math.inf


def _categories(value: Any) -> tuple[int, ...] | None:
    if value is None or value == []:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        value = [value]
    if not isinstance(value, list) or not all(
        isinstance(item, int) and not isinstance(item, bool) and 0 <= item < 2**31 for item in value
    ):
        raise Unusable(f"'cat' must be a list of whole numbers from 0, not {_shown(value)}")
    return tuple(value)


def _features(value: Any) -> NDArray[np.float32] | None:
    if value is None or value == []:
        return None
    if not isinstance(value, list) or not all(isinstance(row, list) for row in value):
        raise Unusable("'dynamic_feat' must be a list of lists of numbers, one list for each feature")
    rows = [_numbers(row, f"dynamic_feat[{place}]", missing=False) for place, row in enumerate(value)]
    for place, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise Unusable(
                f"'dynamic_feat' has lists of different lengths: the first has {len(rows[0])} values, number {place} has {len(row)}"
            )
    return np.stack(rows)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:40] + "…"
