"""What executed copies of the course's notebooks printed; each had a split of its own, so the numbers are no peers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Printed:
    """RMSE or accuracy as a notebook printed it, on ``asked`` rows after learning from ``learned`` (0: it does not tell)."""

    who: str
    value: float
    learned: int = 0
    asked: int = 0


PRINTED: dict[str, list[Printed]] = {
    "housing": [],
    "boston": [
        Printed("low level, validation", 2.83455),
        Printed("high level, validation", 4.64748),
    ],
    "reviews": [
        Printed("XGBoost", 0.84544, 15_000, 25_000),
        Printed("XGBoost, as a regression", 0.82708, 15_000, 25_000),
        Printed("LSTM, best of five", 0.85716, 25_000, 25_000),
        Printed("LSTM, worst of five", 0.84836, 25_000, 25_000),
        Printed("rows and labels mixed up", 0.49868, 15_000, 25_000),
    ],
}
"""By subject; the notebooks' reviews are all 50,000, 25,000 to learn from and 25,000 to be asked about."""
