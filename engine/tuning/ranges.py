"""The hyperparameters that a tuning job searches: their ranges, scales, and values as AWS writes them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["Integer", "Continuous", "Categorical"]
Scale = Literal["linear", "log", "reverse"]

_LOG_FROM = 100.0
_SCALES: dict[str, Scale] = {"Linear": "linear", "Logarithmic": "log", "ReverseLogarithmic": "reverse"}
_LIMIT = 2**53


class RangeError(ValueError):
    """A range that cannot be searched; the message names the hyperparameter and the remedy."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One searched hyperparameter.

    ``low`` and ``high`` are both included; ``values`` are the categories, as given, of a categorical one.
    """

    name: str
    kind: Kind
    low: float = 0.0
    high: float = 0.0
    scale: Scale = "linear"
    values: tuple[str, ...] = ()

    @property
    def count(self) -> float:
        """How many different values there are; infinite for a continuous range."""
        if self.kind == "Categorical":
            return len(self.values)
        return self.high - self.low + 1 if self.kind == "Integer" else math.inf

    def at(self, share: float) -> str:
        """The value that lies at a share of 0 to 1 of the range on its scale, as a text."""
        if self.kind == "Categorical":
            return self.values[min(int(share * len(self.values)), len(self.values) - 1)]
        # Half a step beyond either end, so that the first and the last integer are as likely as the others.
        edge = 0.5 if self.kind == "Integer" else 0.0
        low, high = self.low - edge, self.high + edge
        if self.scale == "log":
            found = math.exp(_between(math.log(low), math.log(high), share))
        elif self.scale == "reverse":
            found = 1 - math.exp(_between(math.log(1 - low), math.log(1 - high), share))
        else:
            found = _between(low, high, share)
        return self.text(found)

    def share(self, text: str) -> float:
        """Where on its scale a value lies, from 0 to 1; of categories each has a place of its own."""
        if self.kind == "Categorical":
            return self.values.index(text) / max(1, len(self.values) - 1)
        value, low, high = float(text), self.low, self.high
        if self.scale == "log":
            return math.log(value / low) / math.log(high / low)
        # So close to 0 that 1 - x is 1, the scale is as good as linear.
        if self.scale == "reverse" and 1 - high != 1 - low:
            return math.log((1 - value) / (1 - low)) / math.log((1 - high) / (1 - low))
        return (value - low) / (high - low)

    def text(self, value: float) -> str:
        """A number of this range as AWS's string; what lies outside becomes the nearer end."""
        value = min(max(value, self.low), self.high)
        return str(round(value)) if self.kind == "Integer" else repr(float(value))

    def number(self, text: str) -> float | None:
        """The number that a text stands for, None when it is not a value of this range."""
        try:
            value = float(text)
        except ValueError:
            return None
        if not self.low <= value <= self.high or (self.kind == "Integer" and value != int(value)):
            return None
        return value

    def contains(self, text: str) -> bool:
        """Whether a text is one of this range's values."""
        return text in self.values if self.kind == "Categorical" else self.number(text) is not None

    def specification(self) -> dict[str, Any]:
        """What the advisor is told."""
        return {
            "name": self.name, "kind": self.kind, "low": self.low, "high": self.high,
            "scale": self.scale, "values": list(self.values),
        }  # fmt: skip


def _between(low: float, high: float, share: float) -> float:
    return low + share * (high - low)


def combinations(parameters: Iterable[Parameter]) -> float:
    """How many different configurations a space has."""
    return math.prod(parameter.count for parameter in parameters)


def read(ranges: Mapping[str, Any]) -> list[Parameter]:
    """The parameters of a ParameterRanges structure, in its order.

    Raises:
        RangeError: See there.
    """
    found = [_integer(item) for item in ranges.get("IntegerParameterRanges") or []]
    found += [_continuous(item) for item in ranges.get("ContinuousParameterRanges") or []]
    found += [_categorical(item) for item in ranges.get("CategoricalParameterRanges") or []]
    twice = sorted({one.name for one in found if [other.name for other in found].count(one.name) > 1})
    if twice:
        raise RangeError(
            f"The hyperparameter ranges contain duplicate hyperparameters: [{', '.join(twice)}]. "
            "Specify one range for each hyperparameter."
        )
    return found


def _integer(item: Mapping[str, Any]) -> Parameter:
    low, high = (_whole(item, key) for key in ("MinValue", "MaxValue"))
    return _numeric(item, "Integer", low, high)


def _continuous(item: Mapping[str, Any]) -> Parameter:
    low, high = (_real(item, key) for key in ("MinValue", "MaxValue"))
    return _numeric(item, "Continuous", low, high)


def _numeric(item: Mapping[str, Any], kind: Kind, low: float, high: float) -> Parameter:
    name, scaling = item["Name"], item.get("ScalingType") or "Auto"
    _named(name)
    if low >= high:
        raise RangeError(
            f"The minimum value [{item['MinValue']}] of the range of hyperparameter [{name}] must be less than its maximum "
            f"value [{item['MaxValue']}]."
        )
    if scaling == "Logarithmic" and low <= 0:
        raise RangeError(
            f"Logarithmic scaling of hyperparameter [{name}] works only for ranges that have only values greater than 0, and "
            f"its minimum value is [{item['MinValue']}]. Choose another ScalingType or range."
        )
    if scaling == "ReverseLogarithmic":
        if kind == "Integer":
            raise RangeError(
                f"ReverseLogarithmic scaling is not available for the integer hyperparameter [{name}]. Choose Auto, Linear or "
                "Logarithmic."
            )
        if low < 0 or high >= 1:
            raise RangeError(
                f"ReverseLogarithmic scaling of hyperparameter [{name}] works only for ranges that are entirely within the range "
                f"0<=x<1.0, and its range is [{item['MinValue']}, {item['MaxValue']}]."
            )
    if scaling == "Auto":
        scaling = "Logarithmic" if low > 0 and high / low >= _LOG_FROM else "Linear"
    return Parameter(name, kind, low, high, _SCALES[scaling])


def _categorical(item: Mapping[str, Any]) -> Parameter:
    name, values = item["Name"], tuple(item["Values"])
    _named(name)
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise RangeError(
            f"The categorical hyperparameter [{name}] contains duplicate values: [{', '.join(twice)}]. Remove them."
        )
    return Parameter(name, "Categorical", values=values)


def _named(name: str) -> None:
    if not name:
        raise RangeError("A hyperparameter range has an empty Name.")


def _whole(item: Mapping[str, Any], key: str) -> int:
    try:
        value = int(item[key])
    except ValueError as error:
        raise RangeError(
            f"The {key} [{item[key]}] of the integer hyperparameter [{item['Name']}] must be an integer, written as a string."
        ) from error
    if abs(value) > _LIMIT:
        raise RangeError(f"The {key} [{value}] of the integer hyperparameter [{item['Name']}] is too large.")
    return value


def _real(item: Mapping[str, Any], key: str) -> float:
    try:
        value = float(item[key])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise RangeError(
            f"The {key} [{item[key]}] of the continuous hyperparameter [{item['Name']}] must be a number, written as a string."
        )
    return value


def key_of(values: Mapping[str, str], parameters: Sequence[Parameter]) -> tuple[str, ...]:
    """A configuration in a form that can be compared with others."""
    return tuple(values.get(parameter.name, "") for parameter in parameters)
