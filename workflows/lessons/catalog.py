"""The five lessons, in the order of the course. A lesson is a study that explains itself: it runs, resumes and cleans up as one."""

from __future__ import annotations

from workflows.costs.estimates import estimate
from workflows.failures import WorkflowError
from workflows.problem import Problem
from workflows.studies.catalog import StudyInfo


def lessons() -> list[StudyInfo]:
    """All lessons, by number."""
    from workflows.lessons.building.info import BUILDING
    from workflows.lessons.deploying.info import DEPLOYING
    from workflows.lessons.introduction.info import INTRODUCTION
    from workflows.lessons.tuning.info import TUNING
    from workflows.lessons.updating.info import UPDATING

    return sorted([INTRODUCTION, BUILDING, DEPLOYING, TUNING, UPDATING], key=number)


def number(info: StudyInfo) -> int:
    """A lesson's place in the course; 0 of a case study."""
    return info.lesson.number if info.lesson else 0


def find(name: str) -> StudyInfo:
    """The lesson of a number or a name.

    Raises:
        WorkflowError: There is none; the text lists those there are.
    """
    found = lessons()
    for info in found:
        if name in (info.name, str(number(info))):
            return info
    known = ", ".join(f"{number(info)} ({info.name})" for info in found)
    raise WorkflowError(Problem(f"There is no lesson {name!r}.", f"Lessons: {known}.", "not-found"))


def bill(info: StudyInfo) -> tuple[list[tuple[str, str, float, float | None]], float | None]:
    """What the lesson costs on AWS with its default instance types.

    Returns:
        Rows of (what for, instance type, minutes, US dollars or None where no price is known), and their sum (None
        when a price is not known).
    """
    defaults = {item.name: str(item.default) for item in info.parameters}
    rows: list[tuple[str, str, float, float | None]] = []
    for what, parameter, component, minutes in info.lesson.bills if info.lesson else ():
        instance = defaults.get(parameter, parameter)
        rows.append((what, instance, minutes, estimate(instance, minutes * 60, 1, component).dollars))
    known = [dollars for *_, dollars in rows if dollars is not None]
    return rows, sum(known) if len(known) == len(rows) else None
