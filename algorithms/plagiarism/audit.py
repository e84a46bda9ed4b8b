"""What deserves a second look: answers that were judged wrong, labels that look wrong, and texts that come twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from algorithms.plagiarism import subsequence
from algorithms.plagiarism.categories import Category
from algorithms.plagiarism.features import SENTINEL

if TYPE_CHECKING:
    import pandas as pd

    from algorithms.plagiarism.corpus import Corpus


@dataclass(frozen=True)
class Mistake:
    """An answer that was judged wrong: the truth, what was said and how surely, and its features by name."""

    file: str
    task: str
    category: Category
    label: int
    predicted: int
    probability: float
    features: dict[str, float]

    @property
    def kind(self) -> str:
        """``false positive`` or ``false negative``."""
        return "false positive" if self.predicted else "false negative"

    def align(self, corpus: Corpus) -> subsequence.Alignment:
        """The answer beside its original, as written, the common subsequence marked."""
        document = corpus.find(self.file)
        return subsequence.align(document.written, corpus.source(document).written)


@dataclass(frozen=True)
class Candidate:
    """An answer whose category looks wrong.

    ``probability`` is that of the class it does not have; ``typical`` the mean of that probability among answers of that class;
    ``nearest`` the category whose mean features are nearest, in standard deviations of the features.
    """

    file: str
    category: Category
    probability: float
    typical: float
    nearest: Category
    features: dict[str, float]

    def __str__(self) -> str:
        shown = ", ".join(f"{name} = {value:.3f}" for name, value in self.features.items())
        return f"{self.file} is labelled {self.category} but looks like {self.nearest}: {shown}"


def mistakes(corpus: Corpus, features: pd.DataFrame, judged: pd.DataFrame) -> tuple[Mistake, ...]:
    """The answers of which class and prediction differ, the surest first.

    Args:
        corpus: The documents.
        features: Their feature table.
        judged: File, Class, Probability (of class 1) and Predicted, indexed as the table (`evaluation.leave_one_out`).
    """
    found = [
        Mistake(
            document.file,
            document.task,
            document.category,
            int(row.Class),
            int(row.Predicted),
            float(row.Probability),
            _values(features, row.Index),
        )
        for row in judged.itertuples()
        if row.Class != row.Predicted
        for document in [corpus.documents[row.Index]]
    ]
    return tuple(sorted(found, key=lambda mistake: -abs(mistake.probability - mistake.label)))


def candidates(corpus: Corpus, features: pd.DataFrame, judged: pd.DataFrame) -> tuple[Candidate, ...]:
    """Answers whose label should be checked, the surest first.

    Confident learning (Northcutt, Jiang and Chuang 2021): the out-of-sample probability of the other class is at least what answers
    of that class have on average. Arguments as `mistakes`.
    """
    truth, positive = judged["Class"].to_numpy(), judged["Probability"].to_numpy()
    if set(truth.tolist()) != {0, 1}:
        return ()
    typical = {1: float(positive[truth == 1].mean()), 0: float((1 - positive)[truth == 0].mean())}
    found = []
    for index, label, probability in zip(judged.index, truth.tolist(), positive.tolist(), strict=True):
        other = 1 - label
        believed = probability if other else 1 - probability
        if believed >= max(typical[other], 0.5):
            document = corpus.documents[index]
            nearest = _nearest(corpus, features, index, other)
            found.append(
                Candidate(
                    document.file,
                    document.category,
                    believed,
                    typical[other],
                    nearest,
                    _values(features, index),
                )
            )
    return tuple(sorted(found, key=lambda candidate: -candidate.probability))


def duplicates(corpus: Corpus) -> tuple[tuple[str, ...], ...]:
    """Files of the same words, in groups; across a split they leak the test set into training."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for document in corpus.documents:
        groups.setdefault(tuple(document.text.split()), []).append(document.file)
    return tuple(tuple(files) for files in groups.values() if len(files) > 1)


def leaks(corpus: Corpus, training: Sequence[str], testing: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Pairs of a training and a test file with the same words."""
    return tuple(
        (trained, tested)
        for group in duplicates(corpus)
        for trained in group
        if trained in training
        for tested in group
        if tested in testing
    )


def sentinels(features: pd.DataFrame, corpus: Corpus) -> tuple[str, ...]:
    """Answers that carry an original's -1, and originals that do not: the table belongs to another corpus or order."""
    marked = (features == SENTINEL).any(axis=1)
    return tuple(
        document.file
        for document, sentinel in zip(corpus.documents, marked.tolist(), strict=True)
        if sentinel != document.original
    )


def _values(features: pd.DataFrame, index: int) -> dict[str, float]:
    return {str(name): float(value) for name, value in features.loc[index].items()}


def _nearest(corpus: Corpus, features: pd.DataFrame, index: int, label: int) -> Category:
    """The category of a class whose mean features, without this answer, are nearest."""
    answers = [row for row, document in enumerate(corpus.documents) if not document.original and row != index]
    values = features.to_numpy(np.float64)
    spread = values[answers].std(axis=0)
    spread[spread == 0] = 1.0
    distances = {}
    for category in Category:
        rows = [row for row in answers if corpus.documents[row].category is category]
        if category.label == label and rows:
            apart = (values[index] - values[rows].mean(axis=0)) / spread
            distances[category] = float(np.linalg.norm(apart))
    return min(distances, key=distances.__getitem__)
