"""Numbers of segments that stay the same from run to run: K-Means numbers its clusters at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SAME = 0.5
"""Two clusters with at least this Jaccard index are the same segment; at most one old cluster can reach it with a new one."""


@dataclass(frozen=True, slots=True)
class Match:
    """A cluster's segment number (from 1), the earlier segment it carries on (0: none), and the Jaccard index of their members."""

    segment: int
    earlier: int = 0
    overlap: float = 0.0


def ordered(sizes: Sequence[int], names: Sequence[str]) -> list[Match]:
    """Segment numbers without an earlier run: the largest cluster is segment 1; equal sizes by name."""
    order = sorted(range(len(sizes)), key=lambda cluster: (-sizes[cluster], names[cluster]))
    found = [Match(0)] * len(sizes)
    for number, cluster in enumerate(order, 1):
        found[cluster] = Match(number)
    return found


def matched(clusters: Any, earlier: Any, sizes: Sequence[int], names: Sequence[str]) -> list[Match]:
    """Segment numbers that carry on those of an earlier run on the same rows.

    Clusters and earlier segments are paired so that the sum of their Jaccard indices is largest (Hungarian method, Kuhn 1955). A
    pair with an index below `SAME` is no pair: such a cluster gets a number that no earlier segment had, by size.

    Args:
        clusters: The new cluster of each row, shape (n,), from 0.
        earlier: The earlier segment number of the same rows, shape (n,), from 1.
        sizes: Members of each new cluster.
        names: Names of the new clusters.
    """
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    known = np.unique(earlier)
    jaccard = np.array(
        [[_jaccard(clusters == new, earlier == old) for old in known] for new in range(len(sizes))]
    )
    found: list[Match | None] = [None] * len(sizes)
    for new, old in zip(*linear_sum_assignment(-jaccard), strict=True):
        if jaccard[new, old] >= SAME:
            found[new] = Match(int(known[old]), int(known[old]), float(jaccard[new, old]))
    number = int(known.max())
    for cluster in sorted(range(len(sizes)), key=lambda one: (-sizes[one], names[one])):
        if found[cluster] is None:
            number += 1
            found[cluster] = Match(number)
    return [match for match in found if match is not None]


def _jaccard(one: Any, other: Any) -> float:
    either = int((one | other).sum())
    return float((one & other).sum() / either) if either else 0.0
