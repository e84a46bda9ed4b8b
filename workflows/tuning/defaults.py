"""Runs of the default configuration: the same data and static hyperparameters, the algorithm's own defaults where the tuning
job searches, and another seed each time. `comparison` sets the tuned score beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workflows.interfaces.tuning.base import Tuning
from workflows.observe.tuning import DEFAULT_MARK, SEEDS
from workflows.observe.tuning_rows import TuningDetail
from workflows.problem import Problem
from workflows.tuning import known
from workflows.tuning.documents import templates_of
from workflows.tuning.request import Template

RUNS = 5
"""Runs where no number is asked for."""
MOST_RUNS = 50
TAG = "mlconsole:default-of"
"""The tag that names the tuning job a default run was made for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultPlan:
    """The default runs that would be started.

    Args:
        names: ``<tuning job>-default-NN``, numbered on from those that exist.
        hyperparameters: Of each run, in the order of the names.
        seed: The hyperparameter that differs between the runs; empty: there is none, the runs are repeated as they are.
        filled: Searched hyperparameters that have no default, and what they are set to.
        notes: What a person should know, as sentences.
    """

    names: tuple[str, ...]
    template: Template
    hyperparameters: tuple[dict[str, str], ...]
    seed: str
    filled: dict[str, str]
    notes: tuple[str, ...]


def plan(
    detail: TuningDetail, existing: Sequence[str] = (), *, runs: int = RUNS, definition: str = ""
) -> DefaultPlan:
    """What would be started; nothing is called.

    Args:
        existing: Names of default runs that there are already.
        definition: The training job definition, where the tuning job has several.

    Raises:
        Problem: The tuning job has no such definition, or the number of runs is out of bounds.
    """
    if not 1 <= runs <= MOST_RUNS:
        raise Problem(f"{runs} default runs cannot be made.", f"Ask for 1 to {MOST_RUNS}.", "runs")
    templates = templates_of(detail)
    template = next((item for item in templates if not definition or item.name == definition), None)
    if template is None:
        known_names = ", ".join(item.name for item in templates)
        raise Problem(
            f"{detail.name} has no definition {definition}.", f"There are: {known_names}.", "definition"
        )
    algorithm = known.algorithm(template.image, template.static)
    searched = {item.name: item for item in template.ranges}
    static = {name: value for name, value in template.static.items() if name not in searched}
    filled = {
        name: static.get(algorithm.like.get(name, "")) or algorithm.required[name] or known.middle(item)
        for name, item in searched.items()
        if algorithm is not None and name in algorithm.required
    }
    seed = (
        algorithm.seed
        if algorithm
        else next((name for name in SEEDS if name in static or name in searched), "")
    )
    first = 1 + max((_number(name) for name in existing), default=0)
    numbers = range(first, first + runs)
    notes = []
    if filled:
        given = ", ".join(f"{name}={value}" for name, value in filled.items())
        notes.append(f"The algorithm has no default for what the search varies there: {given}.")
    if not seed:
        notes.append(
            "The algorithm takes no seed: the runs are repeated and differ as much as it leaves to chance."
        )
    return DefaultPlan(
        names=tuple(f"{detail.name}{DEFAULT_MARK}{number:02d}" for number in numbers),
        template=template,
        hyperparameters=tuple(
            {**static, **filled, **({seed: str(number)} if seed else {})} for number in numbers
        ),
        seed=seed,
        filled=filled,
        notes=tuple(notes),
    )


def start(tuning: Tuning, detail: TuningDetail, found: DefaultPlan) -> tuple[str, ...]:
    """Start the planned runs, one after the other; returns their names."""
    tags = {TAG: detail.name}
    return tuple(
        tuning.run(name, found.template, hyperparameters, tags)
        for name, hyperparameters in zip(found.names, found.hyperparameters, strict=True)
    )


def _number(name: str) -> int:
    digits = name.rpartition(DEFAULT_MARK)[2]
    return int(digits) if digits.isdigit() else 0
