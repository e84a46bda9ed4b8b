"""Which earlier values the network sees beside the last one: those one cycle of the calendar ago, and their neighbours."""

from __future__ import annotations

from typing import Final

from algorithms.builtin.deepar.frequency import Frequency

RECENT: Final = 7
"""This many last values are always seen."""

_DAY: Final = 24 * 60
_CYCLES: Final[dict[str, tuple[tuple[int, int], ...]]] = {
    # length of the cycle in minutes (months for M), how many of them are looked back
    "min": ((60, 3), (_DAY, 7)),
    "H": ((_DAY, 7), (7 * _DAY, 4), (30 * _DAY, 1)),
    "D": ((7 * _DAY, 4), (30 * _DAY, 1), (28 * _DAY, 3), (364 * _DAY, 2)),
    "W": ((4 * 7 * _DAY, 3), (364 * _DAY, 3)),
    "M": ((12, 3),),
}


def lags(frequency: Frequency, longest: int) -> tuple[int, ...]:
    """The lags in points, ascending; always at least 1.

    Args:
        longest: The length of the longest training series. What is never seen in training is left out.
    """
    found = set(range(1, RECENT + 1))
    for cycle, times in _CYCLES[frequency.unit]:
        for turn in range(1, times + 1):
            lag = round(cycle * turn / frequency.step)
            if lag > 1:
                found |= {lag - 1, lag, lag + 1}
    return tuple(sorted(lag for lag in found if lag == 1 or lag < longest))
