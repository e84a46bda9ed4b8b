"""Lloyd's algorithm on weighted points in memory, with k-means++ or random starts (Arthur and Vassilvitskii 2007)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

_PAIRS = 1 << 21


class Fit(NamedTuple):
    """Centres of shape (k, d) and the weighted mean squared distance of the points to them."""

    centers: Floats
    msd: float


def nearest(points: Floats, centers: Floats) -> NDArray[np.int64]:
    """The index of each point's nearest centre."""
    halves = np.einsum("ij,ij->i", centers, centers) / np.float32(2)
    found = np.empty(len(points), np.int64)
    step = max(1, _PAIRS // len(centers))
    for start in range(0, len(points), step):
        scores = points[start : start + step] @ centers.T
        scores -= halves
        scores.argmax(axis=1, out=found[start : start + step])
    return found


def sums(points: Floats, labels: NDArray[np.int64], count: int, weights: Doubles | None = None) -> Doubles:
    """The (weighted) sum of the points of each label, shape (count, d)."""
    total = np.empty((count, points.shape[1]))
    for column in range(points.shape[1]):
        values = points[:, column] if weights is None else points[:, column] * weights
        total[:, column] = np.bincount(labels, values, count)
    return total


def distances(points: Floats, centers: Floats, labels: NDArray[np.int64]) -> Doubles:
    """Each point's squared distance to the centre of its label."""
    difference = points - centers[labels]
    return np.asarray(np.einsum("ij,ij->i", difference, difference), np.float64)


def fit(
    points: Floats,
    weights: Doubles,
    centers: Floats,
    *,
    iterations: int,
    tolerance: float,
) -> Fit:
    """Move the centres until the loss changes by less than ``tolerance`` of itself, or ``iterations`` times.

    A centre without points moves to the point that is farthest from its own centre.
    """
    total = float(weights.sum())
    unweighted = bool((weights == weights[0]).all())
    last = np.inf
    labels = nearest(points, centers)
    squares = distances(points, centers, labels)
    for _ in range(iterations):
        mass = np.bincount(labels, weights, len(centers))
        moved = sums(points, labels, len(centers), None if unweighted else weights)
        if unweighted:
            moved *= weights[0]
        filled = mass > 0
        fresh = centers.copy()
        fresh[filled] = (moved[filled] / mass[filled, None]).astype(np.float32)
        empty = np.flatnonzero(~filled)
        if len(empty):
            farthest = np.argsort(weights * squares)[::-1][: len(empty)]
            farthest = farthest[squares[farthest] > 0]
            fresh[empty[: len(farthest)]] = points[farthest]
        centers = fresh
        labels = nearest(points, centers)
        squares = distances(points, centers, labels)
        loss = float(weights @ squares) / total
        if last - loss <= tolerance * loss:
            break
        last = loss
    return Fit(centers, float(weights @ squares) / total)


def plus_plus(points: Floats, weights: Doubles, count: int, random: np.random.Generator) -> Floats:
    """Starting centres far from each other: each is drawn with probability weight x squared distance, the best of some draws kept."""
    tries = 2 + int(np.log(count))
    chosen = np.empty(count, np.int64)
    chosen[0] = random.choice(len(points), p=weights / weights.sum())
    norms = np.einsum("ij,ij->i", points, points)
    closest = _squares(points, norms, points[chosen[:1]])[0]
    for number in range(1, count):
        mass = np.cumsum(weights * closest)
        if mass[-1] <= 0:  # fewer distinct points than centres
            chosen[number:] = random.integers(0, len(points), count - number)
            break
        drawn = np.minimum(np.searchsorted(mass, random.random(tries) * mass[-1]), len(points) - 1)
        candidates = np.minimum(closest, _squares(points, norms, points[drawn]))
        best = int((candidates @ weights).argmin())
        chosen[number] = drawn[best]
        closest = candidates[best]
    return points[chosen].copy()


def scattered(points: Floats, count: int, random: np.random.Generator) -> Floats:
    """Starting centres drawn uniformly, without repetition where there are enough points."""
    return points[random.choice(len(points), count, replace=len(points) < count)].copy()


def _squares(points: Floats, norms: Floats, centers: Floats) -> Doubles:
    """Squared distances of shape (number of centres, number of points); what float32 cannot tell from 0 is 0."""
    own = np.einsum("ij,ij->i", centers, centers)[:, None]
    wide = centers @ points.T
    wide *= -2
    wide += norms
    wide += own
    wide[wide < 4e-6 * (norms + own)] = 0
    return wide.astype(np.float64)
