"""A study is data and steps; the runner carries the steps out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workflows.runs import Run
    from workflows.studies.catalog import StudyInfo
    from workflows.studies.context import Context


class Refused(Exception):
    """A gate said no and nobody overruled it; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a step made: plain values for later steps, files below the work folder, one sentence for people."""

    outputs: dict[str, Any] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    summary: str = ""


def _always(context: Context, outputs: dict[str, Any]) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``inputs`` are the values its result depends on: equal inputs, reusable result.

    ``holds`` says whether a recorded result can still be used, for what lives at the target and not in a file.
    """

    id: str
    run: Callable[[Context], Result]
    inputs: Callable[[Context], dict[str, Any]]
    holds: Callable[[Context, dict[str, Any]], bool] = _always


@dataclass(frozen=True, slots=True)
class Study:
    """A study's steps, its metrics at the end, and the run as a script. Cleaning up is the runner's last step."""

    info: StudyInfo
    steps: tuple[Step, ...]
    metrics: Callable[[Context], dict[str, float]]
    script: Callable[[Run], str]
    conclusion: Callable[[Context], str]
