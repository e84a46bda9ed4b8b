"""StateReason and StateReasonData in CloudWatch's words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from engine.alarms.rules import ALARM, COMPARISONS, OK, UNKNOWN, Point, Rule, Verdict

CREATED = "Unchecked: Initial alarm creation"
_TEXT_LIMIT, _DATA_LIMIT = 1023, 4000
_FILLED = {"breaching": "Breaching", "notBreaching": "NonBreaching"}


def text(rule: Rule, verdict: Verdict) -> str:
    """The sentence for a change to the verdict's state, at most 1,023 characters."""
    if verdict.state == UNKNOWN:
        return f"Insufficient Data: {_counted(verdict.filled, 'datapoint')} {_were(verdict.filled)} unknown."
    filled = ""
    if verdict.filled and rule.missing in _FILLED:
        filled = (
            f"{_counted(verdict.filled, 'missing datapoint')} {_were(verdict.filled)} treated as "
            f"[{_FILLED[rule.missing]}]"
        )
    wrong = verdict.state == ALARM
    shown = [point for point in verdict.points if rule.breaches(point.value) is wrong]
    if not shown:
        received = f"{len(verdict.points)} datapoint{'s' if len(verdict.points) > 1 else ''}"
        who = f"{received} {_were(len(verdict.points))}" if verdict.points else "no datapoints were"
        return f"Threshold Crossed: {who} received for {_counted(rule.periods, 'period')} and {filled}."
    return _crossed(rule, wrong, shown, filled)[:_TEXT_LIMIT]


def _crossed(rule: Rule, wrong: bool, shown: Sequence[Point], filled: str) -> str:
    number = len(shown)
    counted = (
        f"{number} out of the last {rule.periods} datapoints"
        if rule.explicit
        else _counted(number, "datapoint")
    )
    values = ", ".join(
        f"{_number(point.value)} ({datetime.fromtimestamp(point.timestamp, UTC):%d/%m/%y %H:%M:%S})"
        for point in shown
    )
    sentence = (
        f"Threshold Crossed: {counted} [{values}] {_were(number)}{'' if wrong else ' not'} "
        f"{COMPARISONS[rule.comparison][1]} the threshold ({_number(rule.threshold)})"
    )
    if filled:
        sentence += f" and {filled}"
    if rule.explicit:
        least = rule.to_alarm if wrong else rule.periods - rule.to_alarm + 1
        way = f"{OK} -> {ALARM}" if wrong else f"{ALARM} -> {OK}"
        sentence += f" (minimum {_counted(least, 'datapoint')} for {way} transition)"
    return f"{sentence}."


def data(document: Mapping[str, Any], verdict: Verdict, now: float) -> str:
    """The JSON for a change to the verdict's state, at most 4,000 characters: recent values oldest first, evaluated ones newest first."""
    found: dict[str, Any] = {"version": "1.0", "queryDate": moment(now)}
    if verdict.points:
        found["startDate"] = moment(verdict.points[-1].timestamp)
    if document.get("Unit"):
        found["unit"] = document["Unit"]
    found["statistic"] = document.get("Statistic") or document["ExtendedStatistic"]
    found["period"] = document["Period"]
    found["recentDatapoints"] = [point.value for point in reversed(verdict.points)]
    found["threshold"] = document["Threshold"]
    evaluated = [
        {"timestamp": moment(point.timestamp), "sampleCount": point.samples, "value": point.value}
        for point in verdict.points
    ]
    while True:
        written = json.dumps({**found, "evaluatedDatapoints": evaluated}, separators=(",", ":"))
        if len(written) <= _DATA_LIMIT:
            return written
        evaluated = evaluated[: len(evaluated) // 2]
        found["recentDatapoints"] = found["recentDatapoints"][-2 * max(1, len(evaluated)) :]


def moment(seconds: float) -> str:
    """A time as CloudWatch writes it into JSON: ``2026-11-28T22:50:00.000+0000``."""
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


def _number(value: float) -> str:
    """A double as Java writes it: ``12.0``, ``1.0E7``, ``5.0E-4``."""
    plain = repr(float(value))
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return plain if "e" not in plain else f"{value:f}"
    digits, _, exponent = f"{value:.16e}".partition("e")
    for precision in range(1, 17):
        short = f"{value:.{precision}e}"
        if float(short) == value:
            digits, _, exponent = short.partition("e")
            break
    return f"{digits}E{int(exponent)}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
