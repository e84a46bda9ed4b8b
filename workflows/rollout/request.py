"""What a rollout is made of. Nothing here calls anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from workflows.problem import Problem

Strategy = Literal["all-at-once", "canary", "linear", "rolling"]
Unit = Literal["percent", "instances"]
SourceKind = Literal["", "model", "training-job", "artifact", "config"]

STRATEGIES: dict[Strategy, str] = {
    "all-at-once": "all traffic moves in one step",
    "canary": "a small share first, then the rest",
    "linear": "share by share",
    "rolling": "batch by batch, each takes old instances away",
}
SOURCES: tuple[SourceKind, ...] = ("model", "training-job", "artifact", "config")


@dataclass(frozen=True, slots=True)
class Step:
    """How much moves at a time: a percentage of the capacity, or a number of instances."""

    value: int
    unit: Unit = "percent"

    def __str__(self) -> str:
        if self.unit == "percent":
            return f"{self.value}%"
        return f"{self.value} instance" + ("" if self.value == 1 else "s")

    def share(self, instances: int) -> float:
        """The part of a fleet of so many instances, at most 1."""
        part = self.value / 100 if self.unit == "percent" else self.value / max(1, instances)
        return min(1.0, part)


@dataclass(frozen=True, slots=True)
class Gauge:
    """A metric of a variant that a guardrail watches. ``factor``: what the metric counts per unit that a person reads."""

    key: str
    metric: str
    statistic: str
    title: str
    unit: Literal["share", "ms"]

    @property
    def factor(self) -> float:
        return 1000.0 if self.unit == "ms" else 1.0


GAUGES: dict[str, Gauge] = {
    gauge.key: gauge
    for gauge in (
        Gauge("5xx", "Invocation5XXErrors", "Average", "5xx errors", "share"),
        Gauge("4xx", "Invocation4XXErrors", "Average", "4xx errors", "share"),
        Gauge("model-errors", "InvocationModelErrors", "Average", "model errors", "share"),
        Gauge("p99", "ModelLatency", "p99", "latency p99", "ms"),
        Gauge("mean", "ModelLatency", "Average", "mean latency", "ms"),
    )
}


@dataclass(frozen=True, slots=True)
class Limit:
    """What a gauge may reach at most: a share, milliseconds, or (``relative``) a multiple of what blue had."""

    value: float
    relative: bool = False

    def text(self, gauge: Gauge) -> str:
        """As `limit` reads it."""
        if self.relative:
            return f"{self.value:g}x"
        return f"{self.value * 100:g}%" if gauge.unit == "share" else f"{self.value:g} ms"


DEFAULT_LIMITS: Mapping[str, Limit] = {
    "5xx": Limit(0.01),
    "4xx": Limit(0.05),
    "model-errors": Limit(0.01),
    "p99": Limit(2.0, relative=True),
}
"""1% of server errors and 5% of client errors (which callers cause, too); twice the slowest hundredth of blue's answers."""

_LIMIT = re.compile(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*(x|×|%|ms|s|us|µs)?\s*", re.IGNORECASE)


def limit(text: str, gauge: Gauge) -> Limit | None:
    """A limit as a person writes it: ``1%``, ``250 ms``, ``2x`` (twice what blue had); empty or ``off``: None.

    Raises:
        Problem: It is no such text.
    """
    if text.strip().lower() in ("", "off", "none", "-"):
        return None
    found = _LIMIT.fullmatch(text)
    example = "1%, 2x or off" if gauge.unit == "share" else "250 ms, 2x or off"
    if found is None:
        raise Problem(
            f"The limit of {gauge.title} is not understood: {text!r}.", f"Write {example}.", "limit"
        )
    value, unit = float(found[1]), (found[2] or "").lower().replace("×", "x")
    if unit == "x":
        made = Limit(value, relative=True)
    elif gauge.unit == "share" and unit in ("%", ""):
        made = Limit(value / 100)
    elif gauge.unit == "ms" and unit in ("", "ms", "s", "us", "µs"):
        made = Limit(value * {"s": 1000.0, "us": 0.001, "µs": 0.001}.get(unit, 1.0))
    else:
        raise Problem(f"The limit of {gauge.title} is not in {found[2]}.", f"Write {example}.", "limit")
    if made.value <= 0 or (gauge.unit == "share" and not made.relative and made.value >= 1):
        raise Problem(
            f"The limit of {gauge.title} can never be passed, or always is: {text!r}.",
            f"Write {example}.",
            "limit",
        )
    return made


_STEP = re.compile(r"\s*(\d+)\s*(%|percent|instances?|i)?\s*", re.IGNORECASE)


def step(text: str) -> Step:
    """A step as a person writes it: ``10%``, ``10``, ``2 instances``.

    Raises:
        Problem: It is no such text.
    """
    found = _STEP.fullmatch(text)
    if found is None or int(found[1]) < 1:
        raise Problem(
            f"The step is not understood: {text!r}.", "Write a share as 10%, or 2 instances.", "step"
        )
    return Step(int(found[1]), "instances" if (found[2] or "").lower().startswith("i") else "percent")


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutRequest:
    """A rollout as a person asks for it.

    ``source`` is a model, a training job, an artefact (``s3://…/model.tar.gz``) or an endpoint configuration; ``kind`` says
    which (empty: found out). Times are seconds as declared to SageMaker: ``wait`` between two steps, ``bake`` with all
    traffic on the new fleet before the old one goes, ``timeout`` for the whole update. ``limits`` are the guardrails by the
    key of their gauge, ``period`` and ``periods`` those of their alarms, ``own_alarms`` alarms that exist already.
    ``variant`` is the one that gets the model (empty: the only one). ``retain`` keeps the running counts and weights, ``capture``
    the data capture; ``instance_type`` and ``instance_count`` change the fleet (empty, None: as it is).
    """

    endpoint: str
    source: str
    kind: SourceKind = ""
    strategy: Strategy = "canary"
    step: Step = Step(10)
    wait: int = 600
    bake: int = 600
    timeout: int = 3600
    rollback_batch: Step | None = None
    limits: Mapping[str, Limit] = field(default_factory=lambda: dict(DEFAULT_LIMITS))
    period: int = 60
    periods: int = 1
    own_alarms: tuple[str, ...] = ()
    variant: str = ""
    instance_type: str = ""
    instance_count: int | None = None
    retain: bool = True
    capture: bool = True
