"""What executed copies of the course's tuning notebooks printed; each had a split of its own."""

from __future__ import annotations

PRINTED: dict[str, list[tuple[str, float]]] = {
    "housing": [],
    "boston": [
        ("notebook, best of 20 trials, validation", 3.72621),
        ("notebooks, not tuned, validation: best", 2.42283),
        ("notebooks, not tuned, validation: worst", 4.64748),
    ],
    "reviews": [
        ("notebook, best of 20 trials, on rows that no longer fitted their labels", 0.62504),
        ("notebook, not tuned", 0.84544),
    ],
}
"""By subject: who printed it, and RMSE or accuracy."""
