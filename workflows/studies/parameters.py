"""Parameters of a study: declared once, rendered as a command-line option, a form and a page of documentation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["int", "float", "bool", "choice", "text"]
Value = int | float | bool | str

_TRUE = {"true", "yes", "on", "1"}
_FALSE = {"false", "no", "off", "0"}


class ParameterError(ValueError):
    """A value that cannot be used; the text names the parameter, the value and what is allowed."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. ``minimum`` and ``maximum`` are inclusive; ``choices`` are (value, what it means)."""

    name: str
    type: Kind
    default: Value
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[tuple[str, str], ...] = ()
    unit: str = ""

    @property
    def range(self) -> str:
        """What is allowed, as a person reads it."""
        if self.type == "choice":
            return ", ".join(value for value, _ in self.choices)
        if self.type == "bool":
            return "yes or no"
        if self.type == "text":
            return "a text"
        noun = "a whole number" if self.type == "int" else "a number"
        if self.minimum is not None and self.maximum is not None:
            return f"{noun} from {_plain(self.minimum)} to {_plain(self.maximum)}"
        if self.minimum is not None:
            return f"{noun} of at least {_plain(self.minimum)}"
        return f"{noun} of at most {_plain(self.maximum)}" if self.maximum is not None else noun

    def parse(self, given: Value) -> Value:
        """The typed value of a text from a flag or a form (values that are typed already are checked the same way).

        Raises:
            ParameterError: It is not of this type or outside the range.
        """
        text = str(given).strip()
        try:
            return self._parsed(text)
        except (ValueError, OverflowError):
            raise ParameterError(f"{self.name} cannot be {str(given)!r}: it is {self.range}.") from None

    def _parsed(self, text: str) -> Value:
        if self.type == "text":
            return text
        if self.type == "choice":
            if text not in dict(self.choices):
                raise ValueError
            return text
        if self.type == "bool":
            if text.lower() not in _TRUE | _FALSE:
                raise ValueError
            return text.lower() in _TRUE
        value: int | float = int(text) if self.type == "int" else float(text)
        below = self.minimum is not None and value < self.minimum
        above = self.maximum is not None and value > self.maximum
        if not math.isfinite(value) or below or above:
            raise ValueError
        return value


def parse_all(parameters: Iterable[Parameter], given: Mapping[str, Value]) -> dict[str, Value]:
    """Every parameter's value: the given ones checked, the others at their defaults.

    Raises:
        ParameterError: A value is not allowed, or there is no parameter of that name.
    """
    known = {parameter.name: parameter for parameter in parameters}
    for name in given:
        if name not in known:
            raise ParameterError(f"There is no parameter {name!r}. Parameters: {', '.join(known) or 'none'}.")
    return {name: item.parse(given[name]) if name in given else item.default for name, item in known.items()}


def filled(parameters: Iterable[Parameter], recorded: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a run that an older version recorded; parameters that it did not know yet are at their defaults."""
    return {item.name: item.default for item in parameters} | dict(recorded)


def parse_assignments(parameters: Iterable[Parameter], assignments: Iterable[str]) -> dict[str, Value]:
    """The values of ``name=value`` texts (``--set``), without the defaults.

    Raises:
        ParameterError: A text has no ``=``, names no parameter, or its value is not allowed.
    """
    declared = list(parameters)
    given: dict[str, Any] = {}
    for text in assignments:
        name, separator, value = text.partition("=")
        if not separator:
            raise ParameterError(
                f"{text!r} is not an assignment. Write name=value, for example {_example(declared)}."
            )
        given[name.strip()] = value
    checked = parse_all(declared, given)
    return {name: checked[name] for name in given}


def _plain(bound: float) -> str:
    """A bound with all of its digits: 2147483647 can be typed, 2.14748e+09 is another number."""
    return str(int(bound)) if bound == int(bound) else f"{bound:g}"


def _example(declared: list[Parameter]) -> str:
    return f"{declared[0].name}={declared[0].default}" if declared else "epochs=100"
