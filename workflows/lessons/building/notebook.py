"""What executed copies of the course's notebooks printed; each had a split of its own, so the numbers are no peers."""

from __future__ import annotations

from dataclasses import dataclass

_ALL = "15,000 of 25,000, stopped by 10,000"


@dataclass(frozen=True, slots=True)
class Printed:
    """RMSE or accuracy as a notebook printed it. ``tested`` rows give accuracies their binomial error (0: none is told)."""

    who: str
    value: float
    tested: int = 0
    learned: str = ""


PRINTED: dict[str, list[Printed]] = {
    "housing": [],
    "boston": [
        Printed("notebook, low level, validation", 2.83455),
        Printed("notebook, high level, validation", 4.64748),
    ],
    "reviews": [
        Printed("notebook, XGBoost, 25,000 test reviews", 0.84544, 25_000, _ALL),
        Printed("notebook, XGBoost trained for a regression, 25,000 test reviews", 0.82708, 25_000, _ALL),
        Printed("notebook, LSTM, best of five students, 25,000 test reviews", 0.85716, 25_000, "25,000"),
        Printed("notebook, LSTM, worst of five students, 25,000 test reviews", 0.84836, 25_000, "25,000"),
        Printed("notebook, rows that no longer fitted their labels", 0.49868, 25_000, _ALL),
    ],
}
"""By subject."""
