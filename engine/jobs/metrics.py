"""MetricDefinitions: numbers found in a job's log lines."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

# Definitions are written for AWS's engine, which names groups as Java does.
_JAVA_GROUP = re.compile(r"\(\?<(?=[A-Za-z])")
_MATCHED = 8192
_SPECIAL = frozenset(".[](){}*+?^$|\\")
_OPTIONAL = frozenset("*?{")
_COUNT = re.compile(r"\{\d*,?\d*\}")
# Escapes that are longer than two characters.
_NUMBERED = frozenset("xuUN0123456789")


class InvalidRegex(ValueError):
    """A definition whose regular expression cannot be compiled, or has no group that holds the value."""


class Found(NamedTuple):
    """A metric's value on one line."""

    name: str
    value: float


class Extractor:
    """Finds the values of a job's metric definitions.

    Args:
        definitions: ``{"Name": ..., "Regex": ...}``, the value in the first group.

    Raises:
        InvalidRegex: See there.
    """

    def __init__(self, definitions: Iterable[Mapping[str, Any]]) -> None:
        self._patterns: list[tuple[str, str, re.Pattern[str]]] = []
        for item in definitions:
            try:
                pattern = re.compile(_JAVA_GROUP.sub("(?P<", item["Regex"]))
            except (re.error, OverflowError) as error:
                raise InvalidRegex(
                    f"the regular expression of metric '{item['Name']}' is not valid: {error}"
                ) from error
            if pattern.groups < 1:
                raise InvalidRegex(
                    f"the regular expression of metric '{item['Name']}' has no group that captures its value"
                )
            self._patterns.append((item["Name"], literal(item["Regex"]), pattern))

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def find(self, line: str) -> list[Found]:
        """The values on a line, one per definition that matches a finite number.

        A tab is also tried as ``#011``, the form it has in CloudWatch Logs and in the definitions of built-in algorithms.
        Only the first 8,192 characters are looked at: an expression that backtracks must not hold up the engine.
        """
        line = line[:_MATCHED]
        forms = (line, line.replace("\t", "#011")) if "\t" in line else (line,)
        found = []
        for name, part, pattern in self._patterns:
            match = next((match for form in forms if part in form and (match := pattern.search(form))), None)
            if match is None:
                continue
            value = _number(match.group(1))
            if value is not None:
                found.append(Found(name, value))
        return found


def literal(regex: str) -> str:
    """The longest text that every match of an expression contains, as far as its outermost level tells; "" for none.

    XGBoost alone has 66 definitions that begin with ``.*``: looking for the text first spares nearly all of their work.
    """
    if "|" in regex or re.search(r"\(\?[aiLmsux-]", regex):
        return ""
    best, run, depth, position = "", "", 0, 0
    while position < len(regex):
        mark = regex[position]
        plain = mark not in _SPECIAL
        step = 1
        if mark == "\\":
            mark = regex[position + 1 : position + 2]
            if not mark or mark in _NUMBERED:
                return ""
            plain, step = not mark.isalnum(), 2
        elif mark == "{":
            counted = _COUNT.match(regex, position)
            step = counted.end() - position if counted else 1
        elif mark == "[":
            # A bracket that closes it at once is a member of the set.
            first = position + (2 if regex[position + 1 : position + 2] == "^" else 1)
            step = regex.find("]", first + 1) + 1 - position
            if step <= 0:
                return ""
        depth += {"(": 1, ")": -1}.get(mark, 0) if not plain else 0
        if plain and depth == 0 and regex[position + step : position + step + 1] not in _OPTIONAL:
            run += mark
            # What may be repeated is there once; what follows is not next to it.
            if regex[position + step : position + step + 1] == "+":
                best, run = max(best, run, key=len), ""
        else:
            best, run = max(best, run, key=len), ""
        position += step
    return max(best, run, key=len)


def _number(text: str | None) -> float | None:
    try:
        value = float((text or "").strip())
    except ValueError:
        return None
    return value if math.isfinite(value) else None
