"""From an endpoint's answer and the true label to a reward."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

from workflows.problem import Problem

Score = Callable[[bytes, str], float]
"""Reward of an answer's body, given the true label."""
PREDICTED = ("predicted_label", "closest_cluster", "score", "prediction", "projection")


def accuracy(body: bytes, label: str) -> float:
    """1 when the answer predicts the label, else 0.

    Several numbers are taken as one per class; one number strictly between 0 and 1 as the probability of class 1; else the answer is the class.
    """
    found = predicted(body)
    if isinstance(found, list):
        found = max(range(len(found)), key=lambda at: found[at])
    truth = _number(label)
    if isinstance(found, float | int) and truth is not None:
        if 0 < found < 1 and truth in (0, 1):
            return float((found >= 0.5) == (truth == 1))
        return float(found == truth)
    return float(str(found).strip() == label.strip())


def absolute_error(body: bytes, label: str) -> float:
    """How far the predicted number is from the true one."""
    return abs(_numeric(predicted(body), body) - _numeric(_number(label), label.encode()))


def squared_error(body: bytes, label: str) -> float:
    """The square of that."""
    return absolute_error(body, label) ** 2


SCORES: dict[str, tuple[Score, str, str]] = {
    "accuracy": (accuracy, "rate", "higher"),
    "absolute-error": (absolute_error, "mean", "lower"),
    "squared-error": (squared_error, "mean", "lower"),
}
"""By name: the function, the kind of the metric and the better direction."""


def score_of(name: str) -> Score:
    """The scoring function of a name.

    Raises:
        Problem: There is none.
    """
    if name not in SCORES:
        raise Problem(f"There is no score {name!r}.", f"Scores: {', '.join(SCORES)}.", "score")
    return SCORES[name][0]


def predicted(body: bytes) -> Any:
    """What an answer predicts: a number, a list of numbers (one per class), or a text.

    Answers of the built-in algorithms (CSV, JSON with ``predictions``), bare JSON and plain text are understood.

    Raises:
        Problem: The answer is empty.
    """
    text = body.decode("utf-8", errors="replace").strip()
    if not text:
        raise Problem(
            "The endpoint's answer is empty: nothing can be scored.", "Look at the model's log.", "score"
        )
    try:
        return _of_json(json.loads(text))
    except ValueError:
        pass
    parts = [part.strip() for part in text.splitlines()[0].split(",")]
    numbers = [_number(part) for part in parts]
    if any(number is None for number in numbers):
        return text
    return numbers[0] if len(numbers) == 1 else numbers


def _of_json(found: Any) -> Any:
    while isinstance(found, list) and len(found) == 1:
        found = found[0]
    if isinstance(found, dict):
        for member in ("predictions", "outputs", "instances"):
            if isinstance(found.get(member), list) and found[member]:
                return _of_json(found[member][:1])
        for member in PREDICTED:
            if member in found:
                return _of_json(found[member])
    if isinstance(found, bool):
        return int(found)
    return found


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def _numeric(found: Any, source: bytes) -> float:
    if isinstance(found, float | int):
        return float(found)
    raise Problem(
        f"{source[:60].decode('utf-8', 'replace')!r} is no number: its error cannot be measured.",
        "Score classes with accuracy.",
        "score",
    )
