"""How good a classifier is beyond one lucky split: leave-one-out, and the spread over split seeds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from algorithms.plagiarism import arrays, split
from algorithms.plagiarism.source import classifiers

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Confusion:
    """Counts of answers; positive is plagiarised."""

    true_positive: int
    true_negative: int
    false_positive: int
    false_negative: int

    @property
    def rows(self) -> int:
        """All answers."""
        return self.true_positive + self.true_negative + self.false_positive + self.false_negative

    @property
    def accuracy(self) -> float:
        """Share that is right, 0 of none."""
        return (self.true_positive + self.true_negative) / max(1, self.rows)

    @property
    def precision(self) -> float:
        """Share of the flagged that are plagiarised, 0 when none is flagged."""
        return self.true_positive / max(1, self.true_positive + self.false_positive)

    @property
    def recall(self) -> float:
        """Share of the plagiarised that are flagged, 0 when there are none."""
        return self.true_positive / max(1, self.true_positive + self.false_negative)


def confusion(labels: Sequence[int] | NDArray[Any], predicted: Sequence[int] | NDArray[Any]) -> Confusion:
    """Counts of classes (n,) against predictions (n,), 0 or 1 both."""
    truth, told = np.asarray(labels) == 1, np.asarray(predicted) == 1
    return Confusion(
        int((truth & told).sum()),
        int((~truth & ~told).sum()),
        int((~truth & told).sum()),
        int((truth & ~told).sum()),
    )


def leave_one_out(
    frame: pd.DataFrame,
    features: pd.DataFrame,
    names: Sequence[str],
    classifier: str = classifiers.NAMES[0],
    **options: Any,
) -> pd.DataFrame:
    """Each answer judged by a model of all others: File, Class, Probability and Predicted, with the frame's index.

    Args:
        frame: Columns File and Class (originals are passed over).
        features: The feature table of the same documents.
        names: Its columns to use.
        classifier: One of the training script's, with its hyperparameters as options.
    """
    answers = frame["Class"] >= 0
    x = features.loc[answers, list(names)].to_numpy(np.float64)
    y = frame.loc[answers, "Class"].to_numpy(np.int64)
    found = classifiers.out_of_sample(classifier, x, y, **options)
    return frame.loc[answers, ["File", "Class"]].assign(
        Probability=found, Predicted=(found >= 0.5).astype(np.int64)
    )


def over_seeds(
    frame: pd.DataFrame,
    features: pd.DataFrame,
    names: Sequence[str],
    seeds: Iterable[int],
    classifier: str = classifiers.NAMES[0],
    **options: Any,
) -> dict[int, Confusion]:
    """What the split's seed does to the score: the test set's counts for each seed, the model trained on that seed's training set."""
    from threadpoolctl import threadpool_limits

    found = {}
    with threadpool_limits(1):  # in many tiny fits threads only wait for each other
        for seed in seeds:
            train, test = arrays.train_test(split.datatypes(frame, seed), features, names)
            model = classifiers.fitted(classifier, train.x, train.y, **options)
            predicted = classifiers.probability(model, test.x) >= 0.5
            found[seed] = confusion(test.y, predicted.astype(np.int64))
    return found
