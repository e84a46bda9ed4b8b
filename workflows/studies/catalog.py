"""The studies that can be run. Importing this is cheap: a study's own modules are imported in its run's process."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workflows.failures import WorkflowError
from workflows.problem import Problem
from workflows.studies.measures import Measure
from workflows.studies.parameters import Parameter, Value

if TYPE_CHECKING:
    from workflows.studies.study import Study


@dataclass(frozen=True, slots=True)
class Try:
    """Something to change in a lesson, and what there is to see then. ``changes`` are parameter values as texts."""

    title: str
    look: str
    changes: dict[str, str]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What makes a study a lesson.

    ``number`` is its place in the course, ``explains`` what it says when a step begins (a few sentences by step id),
    ``tries`` what to change next. ``bills`` is what would run on AWS: (what for, name of the parameter with the instance
    type, Training, Hosting or Transform as in the price list, minutes).
    """

    number: int
    explains: dict[str, str]
    tries: tuple[Try, ...] = ()
    bills: tuple[tuple[str, str, str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class StudyInfo:
    """What a menu shows of a study.

    ``teaches`` is what a person learns from it, ``minutes`` the usual duration on (the embedded SageMaker, AWS),
    ``presets`` named sets of parameter values, ``module`` where its `Study` is made by a function ``study()``, ``measures`` what is to be known of
    its metrics, the most important first, ``lesson`` what it teaches step by step (None: a case study), ``check`` refuses values of parameters
    that do not go together (ParameterError; its text begins with the name of one of them), ``algorithm`` the folder below `algorithms` with its own
    code (empty: the one of its name, where there is one).
    """

    name: str
    title: str
    summary: str
    teaches: tuple[str, ...]
    minutes: tuple[float, float]
    parameters: tuple[Parameter, ...]
    steps: tuple[tuple[str, str], ...]
    module: str
    presets: dict[str, dict[str, Value]] = field(default_factory=dict)
    lesson: Lesson | None = None
    measures: tuple[Measure, ...] = ()
    check: Callable[[Mapping[str, Value]], None] | None = None
    algorithm: str = ""

    def load(self) -> Study:
        """The study with its steps; imports what it needs."""
        made: Study = importlib.import_module(self.module).study()
        return made


def catalog() -> list[StudyInfo]:
    """All case studies, in the order of the menu; `workflows.lessons.catalog` has the lessons."""
    from workflows.studies.forecasting.info import FORECASTING
    from workflows.studies.fraud.info import FRAUD
    from workflows.studies.moons.info import MOONS
    from workflows.studies.plagiarism.info import PLAGIARISM
    from workflows.studies.population.info import POPULATION

    return [MOONS, POPULATION, FRAUD, FORECASTING, PLAGIARISM]


def find(name: str) -> StudyInfo:
    """The case study or the lesson of a name.

    Raises:
        WorkflowError: There is none; the text lists those there are.
    """
    from workflows.lessons.catalog import lessons

    studies = {info.name: info for info in (*catalog(), *lessons())}
    if name not in studies:
        raise WorkflowError(
            Problem(f"There is no study {name!r}.", f"Studies: {', '.join(studies)}.", "not-found")
        )
    return studies[name]


def known(name: str) -> StudyInfo | None:
    """The case study or the lesson of a name; None of one that another version had."""
    try:
        return find(name)
    except WorkflowError:
        return None
