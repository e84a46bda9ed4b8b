"""Which titles of a screen's parts find room."""

from __future__ import annotations

from collections.abc import Sequence


def in_sight(widths: Sequence[int], here: int, room: int) -> tuple[int, int]:
    """Which of some titles are shown in ``room`` cells, as (first, end): as many as fit, three cells apart, ``here`` among them.

    On either side where titles are left out, three cells are kept for a sign of it.
    """
    first, end = here, here + 1

    def fits(first: int, end: int) -> bool:
        signs = 3 * ((first > 0) + (end < len(widths)))
        return sum(widths[first:end]) + 3 * (end - first - 1) + signs <= room

    while first > 0 and fits(first - 1, end):
        first -= 1
    while end < len(widths) and fits(first, end + 1):
        end += 1
    while first > 0 and fits(first - 1, end):
        first -= 1
    return first, end
