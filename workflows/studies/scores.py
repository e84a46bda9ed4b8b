"""Scores of a binary classifier at one threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts of true and false answers; class 1 is positive."""

    tn: int
    fp: int
    fn: int
    tp: int

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return (self.tn + self.tp) / (self.tn + self.fp + self.fn + self.tp)

    @property
    def precision(self) -> float:
        """Share of right ones among the positive answers; 0 when there are none."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else 0.0

    @property
    def recall(self) -> float:
        """Share of the positives that were found; 0 when there are none."""
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else 0.0


def confusion(truth: Sequence[int], predicted: Sequence[int]) -> Confusion:
    """The counts for labels and answers in the same order.

    Raises:
        ValueError: They differ in length: rows are not aligned.
    """
    pairs = list(zip(truth, predicted, strict=True))
    return Confusion(
        tn=sum(t == 0 and p == 0 for t, p in pairs),
        fp=sum(t == 0 and p == 1 for t, p in pairs),
        fn=sum(t == 1 and p == 0 for t, p in pairs),
        tp=sum(t == 1 and p == 1 for t, p in pairs),
    )
