"""What a tuning job is made of: the trials' template, the ranges, the limits. Nothing here calls anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from workflows.interfaces.base import MetricDefinition
from workflows.observe.tuning_rows import Objective, Range, Scaling

Strategy = Literal["Bayesian", "Random", "Hyperband", "Grid"]
WarmStartKind = Literal["IdenticalDataAndAlgorithm", "TransferLearning"]

STRATEGIES: tuple[Strategy, ...] = ("Bayesian", "Random", "Hyperband", "Grid")
NAME_LENGTH = 32
"""Characters of a tuning job's name at most: its trials append ``-001-1a2b3c4d`` to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input channel of every trial. ``more`` are further members of the API's Channel, as they are."""

    name: str
    uri: str
    content_type: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """What every trial is: a training job without its name and without the searched hyperparameters.

    ``metrics`` are empty for the built-in algorithms, which bring their own. ``more`` are further members of the API's
    training job definition (VpcConfig, CheckpointConfig, EnableManagedSpotTraining …), as they are. Where a tuning job has
    several templates, each has a ``name`` and its own ``objective`` and ``ranges``.
    """

    image: str
    role: str
    inputs: tuple[Input, ...]
    output: str
    objective: Objective
    ranges: tuple[Range, ...]
    static: Mapping[str, str] = field(default_factory=dict)
    metrics: tuple[MetricDefinition, ...] = ()
    instance_type: str = "ml.m5.large"
    instance_count: int = 1
    volume_gb: int = 5
    max_seconds: int = 86_400
    input_mode: str = "File"
    environment: Mapping[str, str] = field(default_factory=dict)
    retries: int = 0
    name: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningRequest:
    """A tuning job to be created.

    Args:
        name: 32 characters at most.
        templates: One or more.
        most_jobs: Trials at most; None: as many as a grid has, or as a time limit allows.
        parallel: Trials at the same time.
        max_seconds: Seconds that the whole job may take; 0: no limit.
        early_stopping: Whether trials that are not promising are ended early.
        target: The objective value at which the job is complete.
        most_not_improving: Trials without a better objective after which it is complete; 0: no such criterion.
        complete_on_convergence: Whether it is complete when nothing better is to be expected.
        warm_start: How earlier tuning jobs (``parents``) are learned from; empty: not.
        resource: (smallest, largest) resource of Hyperband; None: found from an epochs-like static hyperparameter.
        autotune: Whether SageMaker fills in ranges, limits and strategy that are not given.
        tags: Beside mlconsole's own.
    """

    name: str
    templates: tuple[Template, ...]
    strategy: Strategy = "Bayesian"
    most_jobs: int | None = 10
    parallel: int = 1
    max_seconds: int = 0
    early_stopping: bool = False
    target: float | None = None
    most_not_improving: int = 0
    complete_on_convergence: bool = False
    warm_start: WarmStartKind | Literal[""] = ""
    parents: tuple[str, ...] = ()
    random_seed: int | None = None
    resource: tuple[int, int] | None = None
    autotune: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)


def integer(name: str, low: int, high: int, scaling: Scaling = "Auto") -> Range:
    """A range of whole numbers, both ends included."""
    return Range(
        name=name, kind="integer", low=low, high=high, scaling=scaling, low_text=str(low), high_text=str(high)
    )


def continuous(name: str, low: float, high: float, scaling: Scaling = "Auto") -> Range:
    """A range of real numbers, both ends included."""
    return Range(
        name=name,
        kind="continuous",
        low=low,
        high=high,
        scaling=scaling,
        low_text=repr(low),
        high_text=repr(high),
    )


def categorical(name: str, values: tuple[str, ...]) -> Range:
    """A choice."""
    return Range(name=name, kind="categorical", values=values)


def automatic(name: str, hint: str) -> Range:
    """A hyperparameter whose range Autotune finds around a hint."""
    return Range(name=name, kind="auto", hint=hint)
