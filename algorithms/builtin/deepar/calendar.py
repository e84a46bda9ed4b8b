"""What the calendar says of a point in time, as numbers between -0.5 and 0.5 for the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from algorithms.builtin.deepar.frequency import Frequency

Moments: TypeAlias = NDArray[np.int64]
"""Minutes since 1970, or months when the frequency is monthly."""

Floats: TypeAlias = NDArray[np.float32]


def _minute_of_hour(minutes: Moments) -> Floats:
    return _share(minutes % 60, 59)


def _hour_of_day(minutes: Moments) -> Floats:
    return _share(minutes // 60 % 24, 23)


def _day_of_week(minutes: Moments) -> Floats:
    return _share((minutes // 1440 + 3) % 7, 6)  # 1970 began on a Thursday


def _day_of_month(minutes: Moments) -> Floats:
    days = (minutes // 1440).astype("M8[D]")
    return _share((days - days.astype("M8[M]")).astype(np.int64), 30)


def _day_of_year(minutes: Moments) -> Floats:
    days = (minutes // 1440).astype("M8[D]")
    return _share((days - days.astype("M8[Y]")).astype(np.int64), 365)


def _week_of_year(minutes: Moments) -> Floats:
    days = minutes // 1440
    thursdays = (days - (days + 3) % 7 + 3).astype("M8[D]")  # an ISO week belongs to its Thursday's year
    return _share((thursdays - thursdays.astype("M8[Y]")).astype(np.int64) // 7, 52)


def _month_of_year(months: Moments) -> Floats:
    return _share(months % 12, 11)


def _share(values: Moments, largest: int) -> Floats:
    return np.asarray(values / largest - 0.5, dtype=np.float32)


_FEATURES: Final[dict[str, tuple[Callable[[Moments], Floats], ...]]] = {
    "min": (_minute_of_hour, _hour_of_day, _day_of_week, _day_of_month, _day_of_year),
    "H": (_hour_of_day, _day_of_week, _day_of_month, _day_of_year),
    "D": (_day_of_week, _day_of_month, _day_of_year),
    "W": (_day_of_month, _week_of_year),
    "M": (_month_of_year,),
}


def count(frequency: Frequency) -> int:
    """How many features a frequency has."""
    return len(_FEATURES[frequency.unit])


def features(frequency: Frequency, moments: Moments) -> Floats:
    """The features of moments: an array of shape ``moments.shape + (count,)``."""
    return np.stack([feature(moments) for feature in _FEATURES[frequency.unit]], axis=-1)
