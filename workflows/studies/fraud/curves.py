"""Every operating point of a scorer at once: weighted counts by threshold, and the point that a requirement asks for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from workflows.studies.fraud.data import Rows
from workflows.studies.fraud.requirement import Requirement

DRAWN = 200
"""Points of a curve that are drawn at most."""


@dataclass(frozen=True, slots=True)
class Point:
    """Weighted counts at a threshold: a transaction is flagged when its score is at or above it."""

    threshold: float
    tn: float
    fp: float
    fn: float
    tp: float

    @property
    def recall(self) -> float:
        """Share of the frauds that is flagged; 0 when there are none."""
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else 0.0

    @property
    def precision(self) -> float:
        """Share of frauds among what is flagged; 0 when nothing is."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else 0.0

    @property
    def rate(self) -> float:
        """The false-positive rate: the share of the valid transactions that is flagged."""
        return self.fp / (self.fp + self.tn) if self.fp + self.tn else 0.0

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return (self.tp + self.tn) / (self.tp + self.tn + self.fp + self.fn)

    @property
    def flagged(self) -> float:
        """Share of all transactions that is flagged."""
        return (self.tp + self.fp) / (self.tp + self.tn + self.fp + self.fn)

    def cost(self, requirement: Requirement) -> float:
        """What misses and false alarms cost together."""
        return self.fn * requirement.cost_miss + self.fp * requirement.cost_alarm

    def merit(self, requirement: Requirement) -> float:
        """What is maximised once the requirement is met: precision, recall, recall, or less cost."""
        if requirement.kind == "cost":
            return -self.cost(requirement)
        return self.precision if requirement.kind == "catch" else self.recall

    def required(self, requirement: Requirement) -> float:
        """The value of the required metric."""
        return {
            "catch": self.recall,
            "flag": self.rate,
            "precise": self.precision,
            "cost": self.cost(requirement),
        }[requirement.kind]

    def meets(self, requirement: Requirement) -> bool:
        """Whether the requirement is met."""
        value = self.required(requirement)
        if requirement.kind == "cost":
            return True
        return (
            value <= requirement.share + 1e-12
            if requirement.kind == "flag"
            else value >= requirement.share - 1e-12
        )


@dataclass(frozen=True, slots=True)
class Curve:
    """All operating points, from flagging nothing to flagging everything: arrays of one length.

    ``scores`` is the lowest score that is flagged (infinite: nothing is), ``tp`` and ``fp`` are weighted counts.
    """

    scores: Any
    tp: Any
    fp: Any
    frauds: float
    valid: float

    def point(self, index: int) -> Point:
        """The operating point of an index. Its threshold lies midway to the next score, so that rounding moves nothing."""
        index = range(len(self.scores))[index]
        here = float(self.scores[index])
        below = float(self.scores[index + 1]) if index + 1 < len(self.scores) else -math.inf
        middle = (here + below) / 2 if math.isfinite(here) and math.isfinite(below) else here
        tp, fp = float(self.tp[index]), float(self.fp[index])
        return Point(middle, self.valid - fp, fp, self.frauds - tp, tp)

    @property
    def recall(self) -> Any:
        """Recall by point."""
        return self.tp / max(self.frauds, 1e-300)

    @property
    def precision(self) -> Any:
        """Precision by point; 1 where nothing is flagged."""
        import numpy as np

        flagged = self.tp + self.fp
        return np.where(flagged > 0, self.tp / np.maximum(flagged, 1e-300), 1.0)

    @property
    def average_precision(self) -> float:
        """The area under the precision-recall curve as a sum of steps (scikit-learn's ``average_precision_score``)."""
        import numpy as np

        return float((np.diff(self.recall) * self.precision[1:]).sum())

    def cost(self, requirement: Requirement) -> Any:
        """Cost by point."""
        return (self.frauds - self.tp) * requirement.cost_miss + self.fp * requirement.cost_alarm


def curve(labels: Any, scores: Any, weights: Any) -> Curve:
    """The curve of scores for labels 0 and 1; equal scores are flagged together.

    Raises:
        ValueError: Lengths differ, or a score is not finite.
    """
    import numpy as np

    labels, scores, weights = (np.asarray(values, dtype=float) for values in (labels, scores, weights))
    if not len(labels) == len(scores) == len(weights):
        raise ValueError(
            f"{len(labels)} labels, {len(scores)} scores and {len(weights)} weights: rows are not aligned."
        )
    if not np.isfinite(scores).all():
        raise ValueError("A score is no finite number.")
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last: Any = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)) if len(ranked) else []
    tp = np.cumsum((weights * labels)[order])[last]
    fp = np.cumsum((weights * (1 - labels))[order])[last]
    return Curve(
        scores=np.append(np.inf, ranked[last]),
        tp=np.append(0.0, tp),
        fp=np.append(0.0, fp),
        frauds=float((weights * labels).sum()),
        valid=float((weights * (1 - labels)).sum()),
    )


def choose(found: Curve, requirement: Requirement) -> Point:
    """The operating point that a requirement asks for; where no point meets it, the one that comes closest."""
    import numpy as np

    if requirement.kind == "cost":
        return found.point(int(np.argmin(found.cost(requirement))))
    recall, precision = found.recall, found.precision
    if requirement.kind == "catch":
        return _best(found, recall >= requirement.share - 1e-12, precision, recall)
    if requirement.kind == "flag":
        return _best(
            found, found.fp / max(found.valid, 1e-300) <= requirement.share + 1e-12, recall, -found.fp
        )
    # A precision without a flagged transaction is none.
    flags = found.tp + found.fp > 0
    return _best(
        found, flags & (precision >= requirement.share - 1e-12), recall, np.where(flags, precision, -1.0)
    )


def calibrated(rows: Rows, scores: Any, requirement: Requirement, margin: float) -> Point:
    """The operating point on validation rows, on the safe side by ``margin`` standard errors."""
    frauds = int(rows.labels.sum())
    strict = requirement.strict(margin, frauds, len(rows) - frauds)
    return choose(curve(rows.labels, scores, rows.weights), strict)


def _best(found: Curve, allowed: Any, value: Any, then: Any) -> Point:
    import numpy as np

    if not allowed.any():
        return found.point(int(np.argmax(then)))
    top = np.where(allowed, value, -np.inf)
    tied = np.flatnonzero(top == top.max())
    return found.point(int(tied[np.argmax(then[tied])]))


def at(labels: Any, flagged: Any, weights: Any, threshold: float = math.nan) -> Point:
    """The counts of flags that are given (booleans)."""
    import numpy as np

    truth, flagged, weights = (
        np.asarray(labels) > 0,
        np.asarray(flagged, dtype=bool),
        np.asarray(weights, dtype=float),
    )
    if not len(truth) == len(flagged) == len(weights):
        raise ValueError(f"{len(truth)} labels and {len(flagged)} answers: rows are not aligned.")
    return Point(
        threshold,
        tn=float(weights[~truth & ~flagged].sum()),
        fp=float(weights[~truth & flagged].sum()),
        fn=float(weights[truth & ~flagged].sum()),
        tp=float(weights[truth & flagged].sum()),
    )


def thinned(x: Any, y: Any) -> dict[str, list[float]]:
    """A curve's points for a figure, evenly along it, at most `DRAWN`."""
    import numpy as np

    picked = np.unique(np.linspace(0, len(x) - 1, min(len(x), DRAWN)).round().astype(int))
    return {"x": [round(float(v), 6) for v in x[picked]], "y": [round(float(v), 6) for v in y[picked]]}
