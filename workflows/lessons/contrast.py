"""Whether one configuration is better than another on the same test rows, when each was trained several times.

Two things make such a difference uncertain: which rows the test set happens to hold, and which seeds the models happen to have. With
l_a(i) the mean loss of row i over the models of a, and d(i) = l_b(i) - l_a(i), the rows give the error sd(d)/sqrt(n); the models' mean losses
give sqrt(s_a²/k_a + s_b²/k_b). Their squares are added, as the two are drawn independently; the difference is called real when it is beyond the
two-sided 95 % limit of Student's t with the seeds' degrees of freedom by Welch and Satterthwaite (Welch 1947), since few seeds say little about their
own spread.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from workflows.lessons.subject import Kind
from workflows.tuning.comparison import t_quantile

LEVEL = 0.05
MOST_DEGREES = 1000.0


@dataclass(frozen=True, slots=True)
class Contrast:
    """``b`` against ``a`` in the score's unit: ``gain`` is positive where b is better, with its standard error and the ``limit`` that a
    difference by chance stays within; ``rows_error`` and ``seeds_error`` are its two parts (of the loss)."""

    first: float
    second: float
    gain: float
    error: float
    limit: float
    rows_error: float
    seeds_error: float

    @property
    def real(self) -> bool:
        """Whether the difference is more than chance gives in 95 of 100 cases."""
        return abs(self.gain) > self.limit

    def sentence(self, a: str, b: str, score: str) -> str:
        """The verdict in plain words."""
        numbers = (
            f"{score} {self.second:.4f} of {b} against {self.first:.4f} of {a}, {abs(self.gain):.4f} ± {self.error:.4f} "
            f"{'better' if self.gain >= 0 else 'worse'}"
        )
        if not self.real:
            return f"{numbers}. That may be chance: differences up to {self.limit:.4f} are."
        better, worse = (b, a) if self.gain > 0 else (a, b)
        return f"{numbers}. That is real: {better} beat {worse}, chance gives up to {self.limit:.4f}."


def contrast(kind: Kind, truth: Any, a: list[Any], b: list[Any]) -> Contrast:
    """``b`` against ``a``: each a list of answers (n,), one per seed, for the labels ``truth`` (n,).

    Raises:
        ValueError: A group has fewer than two models: their spread is not known.
    """
    import numpy as np

    if min(len(a), len(b)) < 2:
        raise ValueError("at least two models of each configuration are needed: one has no spread")
    labels = np.asarray(truth, dtype=float)
    losses_a, losses_b = (np.stack([_loss(kind, labels, one) for one in group]) for group in (a, b))
    rows = losses_b.mean(axis=0) - losses_a.mean(axis=0)
    rows_error = float(rows.std(ddof=1)) / math.sqrt(len(rows))
    parts = [float(one.mean(axis=1).var(ddof=1)) / len(one) for one in (losses_a, losses_b)]
    seeds_error = math.sqrt(sum(parts))
    error = math.hypot(rows_error, seeds_error)
    # The rows' variance is known well (many rows), the seeds' from few: only these have few degrees of freedom.
    bottom = sum(part**2 / (len(one) - 1) for part, one in zip(parts, (losses_a, losses_b), strict=True))
    degrees = min(error**4 / bottom, MOST_DEGREES) if bottom > 0 else MOST_DEGREES
    limit = error * t_quantile(1 - LEVEL / 2, max(1, int(degrees)))
    first, second = float(losses_a.mean()), float(losses_b.mean())
    if not kind.smaller_is_better:
        return Contrast(1 - first, 1 - second, first - second, error, limit, rows_error, seeds_error)
    roots = math.sqrt(first), math.sqrt(second)
    # The difference of two roots by the delta method: d(sqrt m) = d m / (sqrt m_a + sqrt m_b).
    scale = 1 / (roots[0] + roots[1]) if sum(roots) else 0.0
    return Contrast(*roots, roots[0] - roots[1], error * scale, limit * scale, rows_error, seeds_error)


def _loss(kind: Kind, labels: Any, answers: Any) -> Any:
    import numpy as np

    found = np.asarray(answers, dtype=float)
    if kind.smaller_is_better:
        return (labels - found) ** 2
    return ((found >= 0.5) != (labels == 1)).astype(float)
