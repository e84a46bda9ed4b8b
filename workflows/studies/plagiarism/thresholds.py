"""Baselines that cost nothing: the commoner class, and one feature with one threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workflows.studies.plagiarism.pinned import Pinned

SINGLE = ("c_1", "c_3")
MAJORITY = "the commoner class"


@dataclass(frozen=True, slots=True)
class Baseline:
    """A baseline: its answers to every answer left out once, and to the test answers after the training answers.

    ``rule`` is what it says, fitted to the training answers.
    """

    name: str
    rule: str
    left_out: list[int]
    test: list[int]


def all_of(pinned: Pinned) -> list[Baseline]:
    """The commoner class, c_1 alone, c_3 alone."""
    import numpy as np

    frame, table = pinned.frame, pinned.features
    kinds = frame["Datatype"].to_numpy()
    truth = frame["Class"].to_numpy()
    every, train, test = truth >= 0, kinds == "train", kinds == "test"
    commoner = int(truth[train].mean() >= 0.5)
    labels = truth[every]
    others = (labels.sum() - labels) / (len(labels) - 1)
    found = [
        Baseline(
            MAJORITY,
            f"always class {commoner}",
            [int(share >= 0.5) for share in others],
            [commoner] * int(test.sum()),
        )
    ]
    for name in SINGLE:
        values = table[name].to_numpy()
        x = values[every]
        left_out = []
        for row in range(len(x)):
            keep = np.arange(len(x)) != row
            left_out.append(int(x[row] >= threshold(x[keep], labels[keep])))
        cut = threshold(values[train], truth[train])
        found.append(
            Baseline(
                f"{name} alone",
                f"class 1 from {name} = {cut:.3f} on",
                left_out,
                [int(value >= cut) for value in values[test]],
            )
        )
    return found


def threshold(x: Any, y: Any) -> float:
    """The value (n,) from which class 1 (n,) is said with the fewest mistakes; of equally good ones that in the widest gap."""
    import numpy as np

    values = np.unique(x)
    cuts = np.concatenate([[values[0]], (values[1:] + values[:-1]) / 2, [values[-1] + 1.0]])
    gaps = np.concatenate([[0.0], values[1:] - values[:-1], [0.0]])
    right = ((x[None, :] >= cuts[:, None]) == (y[None, :] == 1)).sum(axis=1)
    best = np.flatnonzero(right == right.max())
    return float(cuts[best[np.argmax(gaps[best])]])
