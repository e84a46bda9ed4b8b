"""What a comparison of two runs is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "parameter", "machine", "interface", "target", "data", "source", "split", "code", "image", "library", "input", "model",
    "predictions", "result",
]  # fmt: skip
Verdict = Literal["same", "better", "worse", "higher", "lower", "within", "unknown", "missing"]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs. ``seconds`` from its start to its end (None: it has not ended), ``dollars`` what its jobs and its
    endpoint would cost (on AWS: cost) by the prices in force, ``withheld`` why results of it are not shown."""

    run: str
    status: str
    interface: str
    target: str
    created: float
    seconds: float | None
    dollars: float | None
    message: str
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not the same. ``a`` and ``b`` are its values, None where a run has none.

    ``cause``: an input that may have changed the scores; otherwise it only followed from one (a model's hash), or changes
    nothing but time and cost (a machine). ``source`` is where the data came from.
    """

    kind: Kind
    name: str
    a: Any
    b: Any
    cause: bool = True


@dataclass(frozen=True, slots=True)
class Score:
    """A metric of both runs.

    ``difference`` is b minus a; ``error`` its standard error by what ``basis`` names, None where nothing tells. ``verdict``: same;
    better or worse (b than a, by more than chance; higher or lower where neither is better); within (what chance makes of it); unknown
    (nothing tells how large chance is); missing (a run lacks it, or it is withheld).
    """

    name: str
    title: str
    unit: str
    a: float | None
    b: float | None
    difference: float | None
    error: float | None
    basis: str
    verdict: Verdict
    important: bool = False


@dataclass(frozen=True, slots=True)
class GateChange:
    """A gate whose verdict is not the same: pass, warn or fail, empty where a run did not get to it."""

    name: str
    a: str
    b: str
    reason_a: str
    reason_b: str


@dataclass(frozen=True, slots=True)
class StepTimes:
    """Seconds of a step in both runs, None where it was not done."""

    step: str
    title: str
    a: float | None
    b: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs of one study. ``notes`` are what could not be compared, as sentences."""

    study: str
    a: Side
    b: Side
    sentence: str
    differences: tuple[Difference, ...]
    scores: tuple[Score, ...]
    gates: tuple[GateChange, ...]
    steps: tuple[StepTimes, ...]
    notes: tuple[str, ...] = ()

    @property
    def causes(self) -> tuple[Difference, ...]:
        """What may have changed the scores."""
        return tuple(item for item in self.differences if item.cause)
