"""Puts the tests together: inputs and predictions, each family with its share of alpha."""

from __future__ import annotations

import math
from collections.abc import Sequence

from workflows.drift import columns as by_column
from workflows.drift import words as by_word
from workflows.drift.baseline import aligned
from workflows.drift.report import FEWEST, DriftReport, Family, Side
from workflows.drift.samples import Samples, Value, words


def compare(
    endpoint: str,
    before: Samples,
    now: Samples,
    *,
    baseline: Side,
    window: Side,
    predicted_before: Samples | None = None,
    predicted_now: Samples | None = None,
    alpha: float = 0.05,
    looks: int = 1,
    form: str = "",
) -> DriftReport:
    """Compare two sides.

    Args:
        predicted_before: The baseline's predictions; None: it has none.
        predicted_now: Those of the window; None: they were not captured.
        alpha: The chance of any false alarm, over all tests of all looks.
        looks: How often such a comparison is made and acted on; each look gets alpha / looks.
        form: ``text`` or ``table``; empty: what most of the window is.
    """
    chosen = "text" if (form or now.form) == "text" else "table"
    notes: list[str] = []
    old, new = before.of(chosen), now.of(chosen)  # type: ignore[arg-type]
    for side, samples in (("baseline", old), ("window", new)):
        if samples.unread:
            notes.append(f"{samples.unread} records of the {side} are of another form and not compared.")
    predictions = _predictions(predicted_before, predicted_now, notes)
    numbers = 1 if chosen == "table" else 2
    share = alpha / looks / (numbers + (1 if predictions else 0))
    families: list[Family] = []
    enough = min(len(old), len(new)) >= FEWEST
    if enough and chosen == "text":
        family = by_word.compare(old.texts, new.texts, share)
        families.append(family)
        families.append(
            by_column.compare(_measures(old.texts), _measures(new.texts), share, name="texts as a whole")
        )
        needed = by_word.fewest_of_a_new_word(len(old), len(new), family.tested, share)
        notes.append(f"A word that the baseline does not have shows from {needed} of {len(new)} texts on.")
        notes += _repeated(new.texts)
    elif enough:
        note = aligned(old, new)
        notes += [note] if note else []
        families.append(by_column.compare(old.rows, new.rows, share))
        by_chance = by_column.noise(by_column.BINS, len(old), len(new))
        notes.append(f"Chance alone makes a PSI of up to {by_chance:.3f} with so many records.")
        notes += _repeated([str(row) for row in new.rows])
    if enough and predictions:
        families.append(by_column.compare(*predictions, share, name="predictions"))
    return DriftReport(
        endpoint=endpoint,
        form=chosen,
        baseline=Side(source=baseline.source, records=len(old), since=baseline.since, until=baseline.until),
        window=Side(source=window.source, records=len(new), since=window.since, until=window.until),
        alpha=alpha,
        looks=looks,
        families=tuple(families),
        notes=tuple(notes),
    )


def _predictions(
    before: Samples | None, now: Samples | None, notes: list[str]
) -> tuple[list[dict[str, Value]], list[dict[str, Value]]] | None:
    """Predictions of both sides as rows; texts (labels) are a category."""
    if before is None or now is None:
        missing = "window" if now is None else "baseline"
        notes.append(f"Predictions are not compared: the {missing} has none.")
        return None
    sides: list[list[dict[str, Value]]] = [
        [*samples.rows, *(dict[str, Value](prediction=text.strip()) for text in samples.texts)]
        for samples in (before, now)
    ]
    if min(len(side) for side in sides) < FEWEST:
        notes.append(f"Predictions are not compared: one side has fewer than {FEWEST}.")
        return None
    names = {"column 1": "prediction"}  # one score or label is what most models answer
    old, new = (
        [{names.get(name, name): item for name, item in row.items()} for row in side] for side in sides
    )
    return old, new


def _measures(texts: Sequence[str]) -> list[dict[str, Value]]:
    """What a text is like as a whole."""
    return [
        {"words in a text": float(len(words(text))), "characters in a text": float(len(text))}
        for text in texts
    ]


def _repeated(records: Sequence[str]) -> list[str]:
    """A warning where requests repeat each other: the tests take records for independent."""
    copies = len(records) - len(set(records))
    if copies < max(3, math.ceil(0.02 * len(records))):
        return []
    return [
        f"{copies} of the window's {len(records)} records repeat another one: the tests take records for independent, so repeated "
        "ones make chance look like drift."
    ]
