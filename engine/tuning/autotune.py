"""Autotune: ranges, limits and criteria chosen for the person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine import builtin
from engine.builtin import Tunable
from engine.images import resolve
from engine.tuning.ranges import Parameter, combinations

RETRIES = 3
_FACTOR = 4.0
_MIN_JOBS, _JOBS_PER_PARAMETER = 20, 10


def enabled(request: Mapping[str, Any]) -> bool:
    """Whether a request or document asks for it."""
    return (request.get("Autotune") or {}).get("Mode") == "Enabled"


def ranges(given: Mapping[str, Any], image: str) -> tuple[dict[str, Any], dict[str, str]]:
    """A ParameterRanges structure with a range for each of its AutoParameters, and the hints that stay static.

    A hyperparameter of a built-in algorithm gets AWS's recommended range, widened to its hint; another number a range of a
    quarter to four times its hint; a text that is not a flag cannot be searched and keeps its hint. Without AutoParameters and
    ranges everything that the algorithm lets tune is searched.
    """
    known = builtin.tunable(resolve(image).repository)
    found: dict[str, Any] = {
        "IntegerParameterRanges": list(given.get("IntegerParameterRanges") or []),
        "ContinuousParameterRanges": list(given.get("ContinuousParameterRanges") or []),
        "CategoricalParameterRanges": list(given.get("CategoricalParameterRanges") or []),
    }
    auto = list(given.get("AutoParameters") or [])
    hints = {item["Name"]: item["ValueHint"] for item in auto}
    if not hints and not any(found.values()):
        hints = dict.fromkeys(known, "")
    taken = {item["Name"] for items in found.values() for item in items}
    static = {}
    for name, hint in hints.items():
        if name in taken:
            continue
        chosen = _of_table(name, hint, known[name]) if name in known else _of_hint(name, hint)
        if chosen is None:
            static[name] = hint
        else:
            found[f"{chosen[0]}ParameterRanges"].append(chosen[1])
    if auto:
        found["AutoParameters"] = auto
    return found, static


def _of_table(name: str, hint: str, known: Tunable) -> tuple[str, dict[str, Any]]:
    if known.kind == "Categorical":
        values = list(known.values)
        return "Categorical", {"Name": name, "Values": values if hint in ("", *values) else [*values, hint]}
    low, high = known.low, known.high
    value = _number(hint)
    if value is not None:
        low, high = min(low, value), max(high, value)
    scaling = "Auto" if known.scaling == "Logarithmic" and low <= 0 else known.scaling
    return known.kind, _range(name, low, high, known.kind == "Integer", scaling)


def _of_hint(name: str, hint: str) -> tuple[str, dict[str, Any]] | None:
    if hint.lower() in ("true", "false"):
        other = {"true": "false", "false": "true", "True": "False", "False": "True"}.get(hint)
        return ("Categorical", {"Name": name, "Values": [hint, other]}) if other else None
    value = _number(hint)
    if value is None or value == 0:
        return None
    low, high = sorted((value / _FACTOR, value * _FACTOR))
    whole = hint.lstrip("+-").isdigit()
    if whole and value > 0:
        low = max(1.0, round(low))
    scaling = "Logarithmic" if low > 0 else "Linear"
    return ("Integer" if whole else "Continuous"), _range(name, low, high, whole, scaling)


def _range(name: str, low: float, high: float, whole: bool, scaling: str) -> dict[str, Any]:
    ends = (str(round(low)), str(round(high))) if whole else (repr(low), repr(high))
    return {"Name": name, "MinValue": ends[0], "MaxValue": ends[1], "ScalingType": scaling}


def _number(hint: str) -> float | None:
    try:
        return float(hint)
    except ValueError:
        return None


def fill(config: dict[str, Any], spaces: Sequence[Sequence[Parameter]]) -> None:
    """Give a HyperParameterTuningJobConfig the limits and criteria that it does not have.

    Args:
        spaces: The searched hyperparameters of each definition.
    """
    limits = config["ResourceLimits"]
    if "MaxNumberOfTrainingJobs" not in limits and config["Strategy"] != "Grid":
        jobs = max(_MIN_JOBS, _JOBS_PER_PARAMETER * max(len(space) for space in spaces))
        limits["MaxNumberOfTrainingJobs"] = max(
            limits["MaxParallelTrainingJobs"], int(min(jobs, sum(combinations(space) for space in spaces)))
        )
    if config["Strategy"] != "Hyperband":
        config.setdefault("TrainingJobEarlyStoppingType", "Auto")
    criteria = config.setdefault("TuningJobCompletionCriteria", {})
    criteria.setdefault("ConvergenceDetected", {"CompleteOnConvergence": "Enabled"})
