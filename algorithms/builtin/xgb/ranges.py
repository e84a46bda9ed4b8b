"""Kinds of hyperparameters and their ranges, with the failure texts of the XGBoost container."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from algorithms.builtin.failures import ClientError

Values = Mapping[str, Any]
Check = Callable[[Any, Values], str | None]


@dataclass(frozen=True, slots=True)
class Interval:
    """Numbers between two limits, each of which belongs to it or not; None is no limit."""

    low: float | None = None
    high: float | None = None
    open_low: bool = False
    open_high: bool = False

    def __contains__(self, value: float) -> bool:
        if not math.isfinite(value):
            return False
        if self.low is not None and (value <= self.low if self.open_low else value < self.low):
            return False
        return self.high is None or not (value >= self.high if self.open_high else value > self.high)

    def __str__(self) -> str:
        left = "(-inf" if self.low is None else f"{'(' if self.open_low else '['}{self.low}"
        right = "+inf)" if self.high is None else f"{self.high}{')' if self.open_high else ']'}"
        return f"{left}, {right}"


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """One hyperparameter.

    Attributes:
        convert: Text (or what its JSON says) to value; raises ValueError.
        holds: Whether a value is in the range.
        shown: The range as the failure text shows it.
        check: What is wrong with a value beside the others, None for nothing.
    """

    name: str
    convert: Callable[[Any], Any]
    holds: Callable[[Any], bool]
    shown: str
    required: bool = False
    check: Check | None = field(default=None)


def integer(name: str, low: int | None = None, high: int | None = None, *, required: bool = False, open_: bool = False) -> Hyperparameter:  # fmt: skip
    """A whole number in [low, high], or in (low, high)."""
    interval = Interval(low, high, open_, open_)
    return Hyperparameter(name, _whole, interval.__contains__, str(interval), required)


def real(
    name: str,
    low: float | None = None,
    high: float | None = None,
    *,
    open_low: bool = False,
    open_high: bool = False,
) -> Hyperparameter:
    """A finite number in an interval."""
    interval = Interval(low, high, open_low, open_high)
    return Hyperparameter(name, _number, interval.__contains__, str(interval))


def choice(name: str, options: Sequence[str], check: Check | None = None) -> Hyperparameter:
    """One of some words."""
    return Hyperparameter(name, _word, list(options).__contains__, str(list(options)), check=check)


def words(name: str, holds: Callable[[str], bool], shown: str, check: Check | None = None) -> Hyperparameter:
    """A comma-separated list of words."""

    def convert(value: Any) -> list[str]:
        items = value if isinstance(value, list) else str(value).split(",")
        return [str(item).strip() for item in items]

    return Hyperparameter(name, convert, lambda found: all(holds(item) for item in found), shown, check=check)


def structure(name: str, depth: int, holds: Callable[[int], bool], shown: str, check: Check) -> Hyperparameter:  # fmt: skip
    """A tuple of whole numbers (``depth`` 1), or a list of lists of them (2)."""

    def convert(value: Any) -> Any:
        if isinstance(value, str):
            try:
                value = ast.literal_eval(value.strip())
            except (SyntaxError, MemoryError, RecursionError) as error:
                raise ValueError(value) from error
        # A tuple of one, written without its comma, is a plain number.
        return _nested((value,) if depth == 1 and isinstance(value, int) else value, depth)

    def inside(value: Any) -> bool:
        rows = [value] if depth == 1 else value
        return all(holds(item) for row in rows for item in row)

    return Hyperparameter(name, convert, inside, shown, check=check)


def parse(table: Mapping[str, Hyperparameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """The given hyperparameters as values, in the order of the table.

    Raises:
        ClientError: One is missing, unknown, no value of its type, out of range, or does not go with the others.
    """
    for name, known in table.items():
        if known.required and name not in given:
            raise ClientError(f"Missing required hyperparameter: {name}")
    for name in given:
        if name not in table:
            raise ClientError(f"Extraneous hyperparameter found: {name}")
    values: dict[str, Any] = {}
    for name, known in table.items():
        if name in given:
            try:
                values[name] = known.convert(_decoded(given[name]))
            except (ValueError, TypeError, OverflowError) as error:
                raise ClientError(
                    f"Hyperparameter {name}: could not parse value {str(given[name])[:200]!r}"
                ) from error
    for name, value in values.items():
        if not table[name].holds(value):
            raise ClientError(
                f"Hyperparameter {name}: value {str(value)[:200]} not in range {table[name].shown}"
            )
    for name, value in values.items():
        check = table[name].check
        problem = check(value, values) if check is not None else None
        if problem:
            raise ClientError(problem)
    return values


def _decoded(value: Any) -> Any:
    """What the SageMaker SDK's JSON quotes hide."""
    if isinstance(value, str) and value[:1] == '"' and value[-1:] == '"' and len(value) > 1:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _whole(value: Any) -> int:
    number = _number(value)
    if not math.isfinite(number) or number != int(number):
        raise ValueError(value)
    return int(str(value)) if str(value).strip().lstrip("+-").isdigit() else int(number)


def _number(value: Any) -> float:
    if isinstance(value, bool) or (isinstance(value, str) and ("_" in value or not value.isascii())):
        raise ValueError(value)
    return float(value)


def _word(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _nested(value: Any, depth: int) -> Any:
    if depth == 0:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(value)
        return value
    if not isinstance(value, list | tuple):
        raise ValueError(value)
    return [_nested(item, depth - 1) for item in value]
