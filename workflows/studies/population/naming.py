"""Names for clusters from what is unusual about their members, in the columns' own units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

SAME = 0.8
"""Columns that correlate at least so much are one trait; the first of them stands for all."""
NAMED = 2
"""Traits in a name, where that is enough to tell clusters apart."""
PLAIN = 0.25
"""A cluster whose members deviate less than this, in standard deviations, is average in that respect."""


def deviations(values: Any, labels: Any, count: int) -> Any:
    """How far each cluster's mean lies from the overall mean, in the standard deviations of all rows: shape (count, d).

    Args:
        values: Shape (n, d), in any unit.
        labels: Shape (n,), 0 ... count - 1; a cluster without members has zeros, as has a column that never changes.
    """
    import numpy as np

    spread = values.std(axis=0)
    spread[spread == 0] = 1.0
    mean = values.mean(axis=0)
    return np.array(
        [
            (values[labels == label].mean(axis=0) - mean) / spread
            if (labels == label).any()
            else np.zeros(values.shape[1])
            for label in range(count)
        ]
    )


def groups(values: Any, same: float) -> list[list[int]]:
    """Indices of the columns of values (n, d) in groups: each column is with the first group whose first column it correlates with by
    ``same`` or more, in size."""
    import numpy as np

    with np.errstate(invalid="ignore", divide="ignore"):
        related = np.abs(np.nan_to_num(np.corrcoef(values.T)))
    found: list[list[int]] = []
    for column in range(values.shape[1]):
        home = next((group for group in found if related[column, group[0]] >= same), None)
        if home is None:
            found.append([column])
        else:
            home.append(column)
    return found


def traits(values: Any, same: float = SAME) -> list[int]:
    """Indices of columns that say something of their own: the first one of each of the `groups`."""
    return [group[0] for group in groups(values, same)]


def names(found: Any, columns: Sequence[str], kept: Sequence[int]) -> list[str]:
    """A name for each cluster, such as "high Hispanic, low White", all different.

    A name has the largest deviations. Clusters that would have the same one get more traits until they differ; where all traits
    are the same the second one gets its number.

    Args:
        found: `deviations`, shape (k, d).
        columns: The d columns' names.
        kept: Indices of columns that may be named.
    """
    import numpy as np

    ranked = [
        list(np.array(kept)[np.argsort(-np.abs(row[list(kept)]), kind="stable")].tolist()) for row in found
    ]
    lengths = [NAMED] * len(found)
    while True:
        made = [
            _name(row, order[:length], columns)
            for row, order, length in zip(found, ranked, lengths, strict=True)
        ]
        twins = [
            index for index, name in enumerate(made) if made.count(name) > 1 and lengths[index] < len(kept)
        ]
        if not twins:
            return _numbered(made)
        for index in twins:
            lengths[index] += 1


def _name(row: Any, order: Sequence[int], columns: Sequence[str]) -> str:
    parts = [
        f"{'high' if row[index] > 0 else 'low'} {columns[index]}"
        for index in order
        if abs(row[index]) >= PLAIN
    ]
    return ", ".join(parts) or "average"


def _numbered(made: list[str]) -> list[str]:
    taken: set[str] = set()
    found = []
    for name in made:
        number, unique = 2, name
        while unique in taken:
            unique, number = f"{name} ({number})", number + 1
        taken.add(unique)
        found.append(unique)
    return found
