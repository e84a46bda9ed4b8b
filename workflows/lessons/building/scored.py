"""The table of scores: what was trained, what is free, and what the notebooks printed."""

from __future__ import annotations

import math
from typing import Any

from workflows.lessons.boosted import Score
from workflows.lessons.building.notebook import PRINTED
from workflows.lessons.subject import Subject
from workflows.studies.context import Context


def table(context: Context, found: Subject, scores: dict[str, Score]) -> None:
    """One row for each answer to the test rows: its score, one standard error, and how many rows it learned from.

    The notebooks' rows are labelled with theirs: another split, so they are no peers.
    """
    train, validation = (len(found.sets[name]) for name in ("train", "validation"))
    lines: list[list[Any]] = [
        [
            f"{title} by batch transform",
            *_rounded(one.value, one.error),
            f"{train:,}, stopped by {validation:,}",
        ]
        for title, one in scores.items()
    ]
    lines += [
        [name, *_rounded(one["value"], one["error"]), f"{train + validation:,}"]
        for name, one in context.of("baseline")["test"].items()
    ]
    lines += [
        [
            f"{row.who} (another split)",
            *_rounded(row.value, math.sqrt(row.value * (1 - row.value) / row.tested) if row.tested else None),
            row.learned,
        ]
        for row in PRINTED[found.name]
    ]
    context.table(
        context.titled(f"Test rows: {found.kind.score}"),
        ["answers", found.kind.score, "±", "learned from"],
        lines,
    )


def _rounded(value: float, error: float | None) -> list[float | None]:
    return [round(value, 4), None if error is None else round(error, 4)]
