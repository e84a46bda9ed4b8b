"""Whether labels have anything to do with the rows beside them: shuffled or shifted labels have not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workflows.data.dataset import Dataset
from workflows.data.findings import Finding

LEVEL = 1e-3
"""Chance of calling sound labels shuffled where nothing relates to them."""
PRAISE = (
    "great",
    "excellent",
    "wonderful",
    "best",
    "loved",
    "perfect",
    "superb",
    "brilliant",
    "beautiful",
    "enjoyed",
)
BLAME = ("bad", "worst", "awful", "boring", "waste", "terrible", "poor", "stupid", "horrible", "dull")


def check_relation(dataset: Dataset, path: Path) -> list[Finding]:
    """The finding that labels are shuffled, for a table that can be read; none where there is no label to look at."""
    if dataset.name not in ("creditcard", "moons", "imdb", "boston", "housing"):
        return []
    from workflows.data.loading import read

    frame = read(dataset, path).dropna()
    labels = frame[dataset.label]
    if dataset.name == "imdb":
        features: Mapping[str, Any] = {"praise and blame": [tone(text) for text in frame["review"]]}
        labels = labels == "pos"
    else:
        features = {name: frame[name] for name in frame.columns if name != dataset.label}
    if dataset.name in ("boston", "housing"):
        labels = labels > labels.median()
    return unrelated([int(value) for value in labels], features)


def unrelated(labels: Sequence[int], features: Mapping[str, Any]) -> list[Finding]:
    """A finding when no feature ranks the two classes better than chance, or when there is one class only.

    Mann and Whitney's rank test (1947) with the normal approximation and the correction for ties; Bonferroni's over features.
    """
    import numpy as np
    from scipy.stats import rankdata

    truth = np.asarray(labels, dtype=bool)
    ones, zeros = int(truth.sum()), int((~truth).sum())
    if not ones or not zeros:
        text = f"All {ones + zeros:,} labels are the same: there is nothing to learn."
        return [Finding("error", "one-class", "labels", text, "Look at how the rows were chosen.")]
    best, name = 0.0, ""
    total = ones + zeros
    for feature, values in features.items():
        ranks = rankdata(np.asarray(values, dtype=float))
        _, ties = np.unique(ranks, return_counts=True)
        spread = (
            1.0 - float((ties.astype(float) ** 3 - ties).sum()) / (float(total) ** 3 - total)
            if total > 1
            else 0.0
        )
        if spread <= 0:
            continue
        statistic = float(ranks[truth].sum()) - ones * (ones + 1) / 2 - ones * zeros / 2
        z = abs(statistic) / math.sqrt(ones * zeros * (total + 1) / 12 * spread)
        if z > best:
            best, name = z, feature
    chance = min(1.0, len(features) * math.erfc(best / math.sqrt(2)))
    if chance <= LEVEL:
        return []
    text = (
        f"No feature has anything to do with the labels (the nearest is {name or 'none'}; by chance alone one is as near in "
        f"{chance:.0%} of cases): labels look shuffled, or shifted against the rows."
    )
    return [
        Finding("error", "misaligned", "labels", text, "Join labels and rows by a key, not by their order.")
    ]


def tone(text: str) -> int:
    """Words of praise less words of blame in a text."""
    words = text.lower().replace(".", " ").replace(",", " ").split()
    return sum(word in PRAISE for word in words) - sum(word in BLAME for word in words)
