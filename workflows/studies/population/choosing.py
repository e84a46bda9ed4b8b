"""How many clusters: distance, silhouette and stability for each k, a null of shuffled columns, and a rule that decides by them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from workflows.failures import WorkflowError

MOST_ROWS = 5_000
"""Silhouettes of more rows are taken from so many of them: their time grows with the square."""
LEAST_MEMBERS = 5
"""There are no more clusters than leave so many rows for each."""
CHANCE = 3.0
"""Standard deviations by which a silhouette must exceed that of shuffled columns."""
BOOTSTRAP_STARTS = 5
NULL_STARTS = 5


@dataclass(frozen=True, slots=True)
class Point:
    """What is known of one k.

    ``msd`` is the mean squared distance to the nearest centre, ``stability`` the mean adjusted Rand index over bootstrap draws and
    ``spread`` its standard deviation, ``weakest`` the mean Jaccard index of the cluster that the draws find again worst, ``null`` and
    ``null_spread`` mean and standard deviation of the silhouette where there are no segments.
    """

    k: int
    msd: float
    silhouette: float
    stability: float
    spread: float
    weakest: float
    null: float
    null_spread: float

    @property
    def excess(self) -> float:
        """Silhouette above that of the null, which falls with k by itself."""
        return self.silhouette - self.null

    @property
    def clear(self) -> bool:
        """Whether the silhouette is more than chance gives."""
        return self.silhouette > self.null + CHANCE * self.null_spread


@dataclass(frozen=True, slots=True)
class Choice:
    """A number of clusters and why. ``sound`` is false where no k was stable and the most stable one was taken."""

    k: int
    reason: str
    sound: bool = True


def tried(k: int, least: int, most: int, rows: int) -> list[int]:
    """The numbers of clusters that are tried: ``least`` to ``most`` as far as the rows go, and ``k`` where it is given (not 0).

    Raises:
        WorkflowError: There are too few rows for ``k``, or for ``least``.
    """
    limit = rows // LEAST_MEMBERS
    asked = k or least
    if asked > limit:
        name = "k" if k else "k-least"
        raise WorkflowError(
            f"{name} cannot be {asked}: {rows} counties are enough for at most {limit} segments ({LEAST_MEMBERS} counties each)."
        )
    return sorted({*range(least, min(most, limit) + 1), *([k] if k else [])})


def fit(rows: Any, k: int, starts: int, seed: int) -> Any:
    """scikit-learn's k-means on rows (n, m) with k-means++ from ``starts`` beginnings: the best of them."""
    from sklearn.cluster import KMeans

    with _threads().limit(limits=1):  # in many small fits threads only wait for each other
        return KMeans(k, n_init=starts, random_state=seed).fit(rows)


@cache
def _threads() -> Any:
    """The thread pools of the libraries; made once, when they are there."""
    import sklearn.cluster  # noqa: F401  what is not loaded yet cannot be limited
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def silhouette(rows: Any, labels: Any, seed: int = 0) -> float:
    """The mean silhouette (Rousseeuw 1987), of at most `MOST_ROWS` rows; 0 where there are fewer than two clusters."""
    import numpy as np
    from sklearn.metrics import silhouette_score

    if len(rows) > MOST_ROWS:
        chosen = np.random.default_rng(seed).choice(len(rows), MOST_ROWS, replace=False)
        rows, labels = rows[chosen], labels[chosen]
    if not 2 <= len(np.unique(labels)) < len(rows):
        return 0.0
    with _threads().limit(limits=1):
        return float(silhouette_score(rows, labels))


@dataclass(frozen=True, slots=True)
class Stability:
    """How far bootstrap draws find the same clusters again: the adjusted Rand index of each draw, and for each cluster the mean of its
    Jaccard index with the likest cluster of a draw, shape (k,)."""

    indices: list[float]
    found_again: Any


def stability(
    rows: Any, k: int, labels: Any, draws: int, seed: int, check: Callable[[], None] = lambda: None
) -> Stability:
    """``labels`` compared with the clusters found in bootstrap draws of the rows, each carried to all rows by nearest centre.

    The adjusted Rand index (Hubert and Arabie 1985) speaks of all clusters together (Fang and Wang 2012), the Jaccard index of each
    (Hennig 2007): 0.75 and more is a stable cluster, below 0.6 one that should not be relied on.
    """
    import numpy as np
    from sklearn.metrics import adjusted_rand_score

    random = np.random.default_rng(seed)
    indices, jaccards = [], []
    for number in range(draws):
        check()
        drawn = rows[random.integers(0, len(rows), len(rows))]
        again = fit(drawn, k, BOOTSTRAP_STARTS, seed + number + 1).predict(rows)
        indices.append(float(adjusted_rand_score(labels, again)))
        jaccards.append(overlaps(labels, again, k).max(axis=1))
    return Stability(indices, np.mean(jaccards, axis=0))


def overlaps(labels: Any, again: Any, k: int) -> Any:
    """Jaccard indices of each cluster of ``labels`` (rows of the answer) with each of ``again``, both numbered 0 ... k - 1."""
    import numpy as np

    common = np.zeros((k, k))
    np.add.at(common, (labels, again), 1)
    either = common.sum(axis=1)[:, None] + common.sum(axis=0)[None, :] - common
    return np.divide(common, either, out=np.zeros_like(common), where=either > 0)


def shuffled(rows: Any, seed: int) -> Any:
    """The rows with each column shuffled by itself: the columns keep their values and lose what binds them.

    On principal components this is the reference of the gap statistic (Tibshirani, Walther and Hastie 2001, section 3b) with the
    columns' own distribution in place of a uniform one.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    return np.column_stack([random.permutation(column) for column in rows.T])


def null(rows: Any, k: int, draws: int, seed: int) -> list[float]:
    """Silhouettes of k-means on `shuffled` rows."""
    found = []
    for number in range(draws):
        mixed = shuffled(rows, seed + number)
        found.append(silhouette(mixed, fit(mixed, k, NULL_STARTS, seed).labels_))
    return found


def elbow(ks: Sequence[int], msds: Sequence[float]) -> int:
    """The k whose point lies furthest below the chord from the first to the last point of the curve, both axes scaled to 0 ... 1
    (Satopää et al. 2011, without smoothing). The first k where the curve is a line, or has fewer than three points.

    Raises:
        ValueError: There is no point.
    """
    if not ks:
        raise ValueError("There is no curve.")
    width, height = ks[-1] - ks[0], msds[0] - msds[-1]
    if len(ks) < 3 or height <= 0:
        return ks[0]
    below = [(msds[0] - msd) / height - (k - ks[0]) / width for k, msd in zip(ks, msds, strict=True)]
    best = max(range(len(ks)), key=lambda index: (below[index], -index))
    return ks[best] if below[best] > 1e-9 else ks[0]


def choose(points: Sequence[Point], bar: float) -> Choice:
    """The most segments of which every one is found again (a Jaccard index of at least ``bar``) and that are clear of chance.

    The distance falls with every k, and the silhouette mostly asks for two clusters, so neither finds a useful number; what other
    draws of the same rows find again can be relied on, and more segments tell more. Where no k qualifies it is the one whose weakest
    segment is found again best, and ``sound`` is false.

    Raises:
        ValueError: There is no point.
    """
    if not points:
        raise ValueError("There is no k to choose from.")
    good = [point for point in points if point.weakest >= bar and point.clear]
    if not good:
        best = max(points, key=lambda point: (point.weakest, -point.k))
        reason = f"no k is both stable ({bar:g} or more) and clear of chance; this one comes closest: {facts(best)}"
        return Choice(best.k, reason, sound=False)
    best = max(good, key=lambda point: point.k)
    more = [point for point in points if point.k > best.k and point.clear]
    rival = max(more, key=lambda point: point.weakest, default=None)
    beyond = (
        f"; beyond it some segment is an accident, with k = {rival.k} one of {rival.weakest:.2f}"
        if rival
        else ""
    )
    return Choice(
        best.k,
        f"the most segments that are all found again ({bar:g} or more) and clear of chance: {facts(best)}{beyond}",
    )


def facts(point: Point) -> str:
    """What is known of one k, in words."""
    return (
        f"bootstrap draws find the weakest segment again to a Jaccard index of {point.weakest:.2f}, all together to an adjusted Rand "
        f"index of {point.stability:.3f} ± {point.spread:.3f}; silhouette {point.silhouette:.3f} against {point.null:.3f} by chance"
    )
