"""The metrics of a training job as its log tells them: every value with its epoch, finer than CloudWatch keeps them.

CloudWatch averages what falls into one period and knows no epochs. The log has each value where the container printed it; the job's
own metric definitions find them.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from workflows.courtesy import in_turns
from workflows.observe.gateway import Gateway
from workflows.observe.logs import LogReader
from workflows.observe.rows import JobDetail, LogLine, SeriesData

MOST_POINTS = 20_000
"""Points kept per metric for a chart, which has some hundreds of columns; the oldest leave first."""
LONGEST_LINE = 2_000
"""Characters of a line that are searched: metrics stand in short lines, and a regular expression may be slow."""

_EPOCH = re.compile(r"(?:\bepochs?|\bround|\biteration|\bstep)\b\s*[=:#\[]?\s*(\d+)|(?:^|[\s\]])\[(\d+)\](?:#011|\t|\s)", re.I)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Curve:
    """One metric: ``points`` are (epoch seconds, value) in the order of the log.

    ``steps`` has the place of each point on the axis of epochs (or rounds, or steps, whatever the line names): several values
    of one epoch stand evenly between it and the next. It is empty where lines name none; then only their order is known.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    steps: tuple[float, ...] = ()


class CurveReader:
    """Reads log lines as they come.

    Args:
        definitions: Name of a metric -> regular expression whose first group is the value. One that cannot be compiled is
            left out: SageMaker refuses such a job, a copied description may still hold it.
        most: Points kept per metric, the newest; None: all of them.
    """

    def __init__(self, definitions: Mapping[str, str], most: int | None = MOST_POINTS) -> None:
        self._most = most
        self._expressions: list[tuple[str, str, re.Pattern[str]]] = []
        for name, expression in definitions.items():
            try:
                compiled = re.compile(expression)
            except re.error:
                continue
            if compiled.groups:
                self._expressions.append((name, literal(expression), compiled))
        self._points: dict[str, list[tuple[float, float]]] = {}
        self._epochs: dict[str, list[int | None]] = {}

    def read(self, lines: Iterable[LogLine]) -> None:
        """Take further lines. A tab is written #011 in CloudWatch Logs and in the definitions of built-in algorithms."""
        for line in in_turns(lines):
            text = line.text[:LONGEST_LINE]
            marked = text.replace("\t", "#011")
            epoch: int | None = None
            looked = False
            for name, part, expression in self._expressions:
                if part not in marked and part not in text:
                    continue  # a built-in algorithm has sixty definitions, and a line matches a few
                found = expression.search(marked) or (expression.search(text) if marked != text else None)
                if found is None:
                    continue
                try:
                    value = float(found.group(1))
                except (TypeError, ValueError):
                    continue
                if not math.isfinite(value):
                    value = math.nan
                if not looked:
                    epoch, looked = _epoch(text), True
                points = self._points.setdefault(name, [])
                epochs = self._epochs.setdefault(name, [])
                points.append((line.time, value))
                epochs.append(epoch)
                if self._most is not None and len(points) > self._most:
                    del points[: self._most // 10], epochs[: self._most // 10]

    def curves(self) -> tuple[Curve, ...]:
        """What was found so far, in the order of the definitions."""
        return tuple(
            Curve(name, tuple(self._points[name]), _steps(self._epochs[name]))
            for name, _, _ in self._expressions
            if name in self._points
        )


def of_job(gateway: Gateway, job: JobDetail) -> tuple[SeriesData, ...]:
    """All that a job's metric definitions find in its log; NaN where it says NaN or infinity.

    Raises:
        Problem: The log cannot be had.
    """
    log, reader = LogReader.of_job(job.name), CurveReader(job.metric_definitions, most=None)
    complete = False
    while not complete:
        page = log.read(gateway)
        reader.read(page.lines)
        complete = page.complete
    return tuple(SeriesData(curve.name, curve.points) for curve in reader.curves())


def literal(expression: str) -> str:
    """The longest text that every match of an expression contains; empty where that cannot be told easily."""
    if "|" in expression or "(?" in expression.replace("(?:", ""):
        return ""
    runs, run, depth, at = [], "", 0, 0
    while at < len(expression):
        char = expression[at]
        step = 1
        if char == "\\":
            follower, step = expression[at + 1 : at + 2], 2
            char = "" if follower.isalnum() else follower
        elif char == "[":
            end = expression.find("]", at + 2)
            char, step = "", (end + 1 if end > 0 else len(expression)) - at
        elif char == "{":
            end = expression.find("}", at)
            char, step = "", (end + 1 if end > 0 else len(expression)) - at
        elif char in "()":
            depth += 1 if char == "(" else -1
            char = ""
        elif char in ".^$*+?}":
            char = ""
        quantified = expression[at + step : at + step + 1] in ("*", "?", "{")
        if char and depth == 0 and not quantified:
            run += char
        else:
            runs.append(run)
            run = ""
        at += step
    return max([*runs, run], key=len)


def _epoch(text: str) -> int | None:
    found = _EPOCH.search(text)
    return int(found.group(1) or found.group(2)) if found is not None else None


def _steps(epochs: list[int | None]) -> tuple[float, ...]:
    """Places on the axis; nothing where a point has no epoch, or epochs run backwards (several models in one log)."""
    known = [epoch for epoch in epochs if epoch is not None]
    if len(known) != len(epochs) or any(b < a for a, b in itertools.pairwise(known)):
        return ()
    steps: list[float] = []
    begin = 0
    while begin < len(known):
        end = begin
        while end < len(known) and known[end] == known[begin]:
            end += 1
        steps += [known[begin] + place / (end - begin) for place in range(end - begin)]
        begin = end
    return tuple(steps)
