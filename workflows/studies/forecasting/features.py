"""Dynamic features: what is known of a day beforehand, from the calendar."""

from __future__ import annotations

import datetime
from typing import Any

ANNUAL = ("cosine of the year", "sine of the year")
OFF = "day off"
CHOICES = {"none": (), "annual": ANNUAL, "days-off": (OFF,), "both": (*ANNUAL, OFF)}
"""The features of each choice, in their order in ``dynamic_feat``.

DeepAR derives the day of the week, of the month and of the year itself, the last as a line that jumps at New Year: December is
as far from January as can be. The cosine and the sine of the year make them neighbours.
"""
FIXED = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
AFTER_EASTER = (1, 39, 50)
"""Easter Monday, Ascension, Whit Monday."""


def holidays(year: int) -> frozenset[datetime.date]:
    """The public holidays of France, where the house is (Code du travail, article L3133-1)."""
    from dateutil.easter import easter

    sunday = easter(year)
    moving = (sunday + datetime.timedelta(days=days) for days in AFTER_EASTER)
    return frozenset({datetime.date(year, month, day) for month, day in FIXED} | set(moving))


def is_off(day: datetime.date) -> bool:
    """Whether it is a Saturday, a Sunday or a public holiday."""
    return day.weekday() >= 5 or day in holidays(day.year)


def rows(choice: str, start: datetime.date, days: int, off: Any = None) -> list[list[float]]:
    """``dynamic_feat`` of ``days`` days from ``start`` on: a list of values for each feature of the choice.

    Args:
        off: What the day-off feature shall be, a value a day, instead of the calendar's.
    """
    import math

    dates = [start + datetime.timedelta(days=number) for number in range(days)]
    found: list[list[float]] = []
    names = CHOICES[choice]
    if ANNUAL[0] in names:
        turns = [2 * math.pi * day.timetuple().tm_yday / 365.25 for day in dates]
        found += [[round(math.cos(turn), 6) for turn in turns], [round(math.sin(turn), 6) for turn in turns]]
    if OFF in names:
        known = {year: holidays(year) for year in {day.year for day in dates}}
        calendar = [float(day.weekday() >= 5 or day in known[day.year]) for day in dates]
        found.append(calendar if off is None else [float(value) for value in off])
    return found
