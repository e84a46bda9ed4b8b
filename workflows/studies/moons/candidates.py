"""The nets that a run compares: one training job for each width and length, several seeds within a job."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflows.studies.parameters import ParameterError

MOST = 12
"""Jobs of one comparison."""
OWN = ("hidden", "epochs")
SHARED = (
    "learning-rate", "dropout", "batch-size", "patience", "validation-share", "shuffle", "seed", "seeds", "final-activation",
    "dead-after", "boundary-every",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    """A net of so many hidden units, trained for at most so many epochs."""

    hidden: int
    epochs: int

    @property
    def title(self) -> str:
        """What people call it."""
        return f"{self.hidden} units, {self.epochs} epochs"

    @property
    def label(self) -> str:
        """The same, short: what stands before the names of its metrics."""
        return f"h{self.hidden} e{self.epochs}"

    @property
    def suffix(self) -> str:
        """The end of its job's name; none is the beginning of another."""
        return f"h{self.hidden:04}-e{self.epochs:04}"

    @property
    def weights(self) -> int:
        """Weights and biases of 2 → hidden → 1."""
        return 4 * self.hidden + 1

    def hyperparameters(self, parameters: Mapping[str, Any]) -> dict[str, str]:
        """The job's hyperparameters as SageMaker takes them: texts."""
        given = {name: parameters[name] for name in SHARED} | {"hidden": self.hidden, "epochs": self.epochs}
        return {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in given.items()
        }


@dataclass(frozen=True, slots=True)
class SeedScore:
    """What a seed gave at its best epoch: loss (on the held-out points where there are any), their accuracy, dead units."""

    seed: int
    epochs: int
    best: int
    loss: float
    accuracy: float | None
    dead_units: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A candidate's scores over its seeds. ``spread`` values are standard deviations (0 for a single seed); ``dead`` is why it was given up."""

    candidate: Candidate
    loss: float
    loss_spread: float
    accuracy: float | None
    accuracy_spread: float
    scores: tuple[SeedScore, ...]
    dead: str = ""

    @classmethod
    def of(cls, candidate: Candidate, scores: Sequence[SeedScore], dead: str = "") -> Standing:
        """The mean and the spread of some scores; an infinite loss where there are none."""
        losses = [score.loss for score in scores]
        hits = [score.accuracy for score in scores if score.accuracy is not None]
        return cls(
            candidate=candidate,
            loss=statistics.fmean(losses) if losses else float("inf"),
            loss_spread=statistics.stdev(losses) if len(losses) > 1 else 0.0,
            accuracy=statistics.fmean(hits) if hits else None,
            accuracy_spread=statistics.stdev(hits) if len(hits) > 1 else 0.0,
            scores=tuple(scores),
            dead=dead,
        )


def candidates(parameters: Mapping[str, Any]) -> list[Candidate]:
    """The nets that the parameters ask for, the narrowest and shortest first.

    Raises:
        ParameterError: A list is no list of whole numbers in range, there are too many nets, or nothing is held out to choose by.
    """
    widths = _numbers("widths", str(parameters["widths"]), 1024) or [int(parameters["hidden"])]
    lengths = _numbers("lengths", str(parameters["lengths"]), 5000) or [int(parameters["epochs"])]
    found = [Candidate(hidden, epochs) for hidden, epochs in itertools.product(widths, lengths)]
    if len(found) > MOST:
        raise ParameterError(
            f"{len(found)} nets are too many to compare: widths times lengths may be at most {MOST}."
        )
    if len(found) > 1 and float(parameters["validation-share"]) <= 0:
        raise ParameterError(
            "Nets are chosen by points that are held out from training: validation-share must be above 0 to compare widths or lengths."
        )
    return found


def best(standings: Sequence[Standing]) -> Standing:
    """The one with the lowest mean loss on held-out points among those that are alive; the first of equals, which is the smaller."""
    alive = [standing for standing in standings if not standing.dead]
    return min(alive or standings, key=lambda standing: standing.loss)


def leaderboard(standings: Sequence[Standing]) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows of the comparison, the best first."""
    chosen = best(standings)
    columns = [
        "hidden",
        "epochs",
        "weights",
        "loss held out",
        "±",
        "accuracy held out",
        "±",
        "best epoch",
        "dead units",
        "",
    ]
    rows = []
    for item in sorted(standings, key=lambda standing: (bool(standing.dead), standing.loss)):
        epochs = sorted(score.best for score in item.scores)
        rows.append(
            [
                item.candidate.hidden,
                item.candidate.epochs,
                item.candidate.weights,
                round(item.loss, 4),
                round(item.loss_spread, 4),
                round(item.accuracy, 4) if item.accuracy is not None else None,
                round(item.accuracy_spread, 4),
                epochs[len(epochs) // 2] if epochs else None,
                round(statistics.fmean(score.dead_units for score in item.scores)) if item.scores else None,
                "dead" if item.dead else "chosen" if item is chosen else "",
            ]
        )
    return columns, rows


def _numbers(name: str, text: str, most: int) -> list[int]:
    try:
        found = sorted({int(part) for part in text.split(",") if part.strip()})
        if any(not 1 <= number <= most for number in found):
            raise ValueError
    except ValueError:
        raise ParameterError(
            f"{name} cannot be {text!r}: it is whole numbers from 1 to {most} with commas between them, for example 8,32,128."
        ) from None
    return found
