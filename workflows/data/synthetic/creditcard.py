"""Made-up card transactions: 60,000 rows, 104 of them frauds (0.173 %), four of which are exact copies of other frauds.

The lessons of the real data that are in it: an accuracy of 0.998 is worth nothing; most frauds stand out in V4, V10, V12, V14
and V17, some hardly do, and some valid rows look like frauds, so that recall costs precision; copies of one fraud can land
on both sides of a split. The moments of the components follow what is known of the real ones; there is no more truth in them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

ROWS, FRAUDS, COPIES, VALID_COPIES = 60_000, 104, 4, 220
SECONDS = 172_792
SPREADS = (
    1.96, 1.65, 1.52, 1.42, 1.38, 1.33, 1.24, 1.19, 1.10, 1.09, 1.02, 1.00, 1.00, 0.96, 0.92, 0.88, 0.85, 0.84, 0.81, 0.77,
    0.73, 0.73, 0.62, 0.61, 0.52, 0.48, 0.40, 0.33,
)  # fmt: skip
SHIFTS = {1: -4.5, 2: 3.4, 3: -6.7, 4: 4.5, 5: -3.0, 6: -1.4, 7: -5.2, 9: -2.5, 10: -5.5, 11: 3.7, 12: -6.1, 14: -6.8, 16: -4.0, 17: -6.5, 18: -2.2}  # fmt: skip
"""Where the mean of a component lies for frauds."""
HIDDEN, ODD = 0.15, 0.002
"""The share of frauds that hardly differ from valid rows, and of valid rows that look a little like frauds."""


def write(folder: Path) -> None:
    """``creditcard.csv`` with a header, in the order of time."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv

    random = np.random.default_rng(20130901)
    frauds = FRAUDS - COPIES
    labels = np.zeros(ROWS, dtype=np.int64)
    labels[:FRAUDS] = 1
    values = random.standard_normal((ROWS, 28))
    heavy = random.chisquare(9, (ROWS, 1)) / 9
    values = values / np.sqrt(heavy) * np.array(SPREADS) * 0.8
    strength = np.zeros(ROWS)
    strength[:frauds] = np.where(
        random.random(frauds) < HIDDEN, random.uniform(0.15, 0.4, frauds), random.gamma(5, 0.2, frauds) + 0.15
    )
    odd = FRAUDS + random.choice(ROWS - FRAUDS, round(ODD * ROWS), replace=False)
    strength[odd] = random.uniform(0.2, 0.8, len(odd))
    for component, shift in SHIFTS.items():
        values[:, component - 1] += strength * shift
    amounts = np.round(np.exp(random.normal(3.1, 1.6, ROWS)), 2).clip(0, 20_000)
    small = random.random(frauds) < 0.4
    amounts[:frauds][small] = 1.0
    hours = random.choice(48, ROWS, p=_hours())
    times = np.floor((hours + random.random(ROWS)) * 3_600).clip(0, SECONDS)
    values = values.round(4) + 0.0  # no negative zero
    _copy(values, amounts, times, frauds, FRAUDS, random)
    _copy(values, amounts, times, ROWS - VALID_COPIES, ROWS, random, FRAUDS)
    order = np.argsort(times, kind="stable")
    table = pa.table(
        {
            "Time": times[order],
            **{f"V{number + 1}": values[order, number] for number in range(28)},
            "Amount": amounts[order],
            "Class": labels[order],
        }
    )
    csv.write_csv(table, folder / "creditcard.csv", csv.WriteOptions(quoting_style="none"))


def _hours() -> Any:
    """The share of transactions in each hour of two days: few at night."""
    import numpy as np

    day = 1.2 - np.cos((np.arange(48) % 24 - 3) / 24 * 2 * np.pi)
    return day / day.sum()


def _copy(values: Any, amounts: Any, times: Any, first: int, last: int, random: Any, source: int = 0) -> None:
    """Makes the rows first … last exact copies of rows source … first."""
    chosen = source + random.choice(first - source, last - first, replace=False)
    for array in (values, amounts, times):
        array[first:last] = array[chosen]
