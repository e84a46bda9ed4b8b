"""How the fraud study shows models beside each other: rows of tables, curves with their operating points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflows.studies.context import Context
from workflows.studies.fraud.curves import Curve, Point, thinned
from workflows.studies.fraud.requirement import Requirement

COLUMNS = ["model", "threshold", "recall", "precision", "FPR", "accuracy", "TN", "FP", "FN", "TP"]


def row(name: str, point: Point) -> list[Any]:
    """A line below `COLUMNS`; counts speak of the population."""
    counts = [round(value) for value in (point.tn, point.fp, point.fn, point.tp)]
    threshold = "-" if point.threshold != point.threshold else f"{point.threshold:.6g}"
    shares = [
        round(point.recall, 3),
        round(point.precision, 3),
        round(point.rate, 5),
        round(point.accuracy, 5),
    ]
    return [name, threshold, *shares, *counts]


def titled(context: Context, title: str) -> str:
    """A title that says so when the data are made up."""
    return context.titled(title)


def curves(
    context: Context,
    requirement: Requirement,
    found: Mapping[str, Curve],
    points: Mapping[str, Point],
) -> None:
    """Precision over recall and cost over the share that is flagged, for every model, with the operating points."""
    lines = [{"name": name, **thinned(item.recall[1:], item.precision[1:])} for name, item in found.items()]
    lines += [
        {"name": f"{name}: chosen", "x": [round(point.recall, 6)], "y": [round(point.precision, 6)]}
        for name, point in points.items()
    ]
    context.figure(titled(context, "Precision by recall, test"), "line", lines, "recall", "precision")
    costs = []
    for name, item in found.items():
        flagged = (item.tp + item.fp) / (item.frauds + item.valid)
        near = flagged <= 0.05
        costs.append({"name": name, **thinned(100 * flagged[near], item.cost(requirement)[near])})
    costs += [
        {
            "name": f"{name}: chosen",
            "x": [round(100 * point.flagged, 6)],
            "y": [round(point.cost(requirement), 2)],
        }
        for name, point in points.items()
        if point.flagged <= 0.05
    ]
    title = (
        f"Cost, at {requirement.cost_miss:g} per miss and {requirement.cost_alarm:g} per false alarm, test"
    )
    context.figure(titled(context, title), "line", costs, "per cent flagged", "cost")
