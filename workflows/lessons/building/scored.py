"""The table of scores: what was trained, what is free, and what the notebooks printed."""

from __future__ import annotations

import math
from typing import Any

from workflows.lessons.boosted import Score
from workflows.lessons.building.notebook import PRINTED
from workflows.lessons.subject import Subject
from workflows.studies.context import Context


def table(context: Context, found: Subject, scores: dict[str, Score]) -> None:
    """One row for each answer to the test rows: its score, one standard error, how many rows it learned from and how many it was asked.

    The validation rows tell the models when to stop, and are learned from by what is free. The notebooks' rows are labelled: they had
    all 50,000 reviews in another split, so they are no peers; their binomial errors are computed here.
    """
    train, validation, test = (len(found.sets[name]) for name in ("train", "validation", "test"))
    lines: list[list[Any]] = [
        [f"{title} by batch transform", *_rounded(one.value, one.error), train, test]
        for title, one in scores.items()
    ]
    lines += [
        [name, *_rounded(one["value"], one["error"]), train + validation, test]
        for name, one in context.of("baseline")["test"].items()
    ]
    lines += [
        [
            f"notebook: {row.who} (another split)",
            *_rounded(row.value, math.sqrt(row.value * (1 - row.value) / row.asked) if row.asked else None),
            row.learned or None,
            row.asked or None,
        ]
        for row in PRINTED[found.name]
    ]
    columns = ["answers", found.kind.score, "±", "learned from", "asked"]
    context.table(context.titled(f"Test rows: {found.kind.score}"), columns, lines)


def _rounded(value: float, error: float | None) -> list[float | None]:
    return [round(value, 4), None if error is None else round(error, 4)]
