"""The studies that can be run. Importing this is cheap: a study's own modules are imported in its run's process."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workflows.failures import WorkflowError
from workflows.studies.measures import Measure
from workflows.studies.parameters import Parameter, Value

if TYPE_CHECKING:
    from workflows.studies.study import Study


@dataclass(frozen=True, slots=True)
class StudyInfo:
    """What a menu shows of a study.

    ``teaches`` is what a person learns from it, ``minutes`` the usual duration on (the embedded SageMaker, AWS),
    ``presets`` named sets of parameter values, ``module`` where its `Study` is made by a function ``study()``, ``measures`` what is to be known of
    its metrics, the most important first.
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
    measures: tuple[Measure, ...] = ()

    def load(self) -> Study:
        """The study with its steps; imports what it needs."""
        made: Study = importlib.import_module(self.module).study()
        return made


def catalog() -> list[StudyInfo]:
    """All studies, in the order of the menu."""
    from workflows.studies.fraud.info import FRAUD
    from workflows.studies.moons.info import MOONS
    from workflows.studies.plagiarism.info import PLAGIARISM
    from workflows.studies.population.info import POPULATION

    return [MOONS, POPULATION, FRAUD, PLAGIARISM]


def find(name: str) -> StudyInfo:
    """The study of a name.

    Raises:
        WorkflowError: There is none; the text lists those there are.
    """
    studies = {info.name: info for info in catalog()}
    if name not in studies:
        raise WorkflowError(f"There is no study {name!r}. Studies: {', '.join(studies)}.")
    return studies[name]
