"""Several studies one after another: which runs there are to be, and what each has shown in the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from workflows.configuration import Configuration
from workflows.failures import WorkflowError
from workflows.studies.catalog import StudyInfo, catalog, find
from workflows.studies.measures import Better, Measure
from workflows.studies.parameters import Value

INTERFACES = ("low", "high")
Data = Literal["real", "synthetic"]
DATA: tuple[Data, ...] = ("real", "synthetic")


@dataclass(frozen=True, slots=True)
class Planned:
    """A run that is to be. ``data`` is what it will use: real, synthetic, or generated where the original is made anew in each run."""

    study: str
    interface: str
    data: str
    parameters: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Figure:
    """A score of a run beside what it is compared with; None where there is nothing."""

    name: str
    ours: float | None
    baseline: float | None
    notebook: float | None
    better: Better = "higher"

    def beats(self, other: float | None) -> bool:
        """Whether ours is at least as good as another figure; true where one of them is missing."""
        if self.ours is None or other is None:
            return True
        short = self.ours - other if self.better == "lower" else other - self.ours
        return short <= 1e-9


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run that has ended: its status, how long it took (seconds), its figures, and its last sentence."""

    planned: Planned
    run: str
    status: str
    seconds: float
    figures: tuple[Figure, ...]
    message: str
    left_behind: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether it did all that it was to do, and left nothing behind."""
        return self.status == "completed" and not self.left_behind

    @property
    def verdict(self) -> str:
        """A few words on it."""
        if self.status != "completed":
            return self.status
        if self.left_behind:
            return f"left {len(self.left_behind)} behind"
        behind = [
            what
            for what, short in (
                ("the baseline", any(not one.beats(one.baseline) for one in self.figures)),
                ("the notebook", any(not one.beats(one.notebook) for one in self.figures)),
            )
            if short
        ]
        return f"behind {' and '.join(behind)}" if behind else "ok"


def plan(
    configuration: Configuration,
    studies: Sequence[str] = (),
    interfaces: Sequence[str] = INTERFACES,
    data: Sequence[str] = DATA,
) -> list[Planned]:
    """The runs of some studies (none named: of all in the catalog), through the interfaces, on the kinds of data.

    Real data are left out where this machine has none. A study whose original is generated has one kind, which counts as real.

    Raises:
        WorkflowError: There is no such study, or nothing is left to run.
    """
    chosen = [find(name) for name in studies] if studies else catalog()
    runs = [
        Planned(info.name, interface, kind, parameters)
        for info in chosen
        for interface in interfaces
        for kind, parameters in _kinds(info, configuration, data)
    ]
    if not runs:
        raise WorkflowError(
            f"There are no {' or '.join(data)} data for {', '.join(info.name for info in chosen)}. "
            "`mlconsole data ls` tells what there is."
        )
    return runs


def figures(study: str, metrics: Mapping[str, float], data: str) -> tuple[Figure, ...]:
    """What sums a run up; the notebook's figures stand only beside those on its own data."""
    return tuple(_figure(measure, metrics, data) for measure in find(study).measures if measure.sums_up)


def _figure(measure: Measure, metrics: Mapping[str, float], data: str) -> Figure:
    notebook = None if data == "synthetic" else measure.notebook
    return Figure(
        measure.title, metrics.get(measure.metric), metrics.get(measure.baseline), notebook, measure.better
    )


def _kinds(
    info: StudyInfo, configuration: Configuration, wanted: Sequence[str]
) -> list[tuple[str, dict[str, Value]]]:
    choices = {name for item in info.parameters if item.name == "data" for name, _ in item.choices}
    if "synthetic" not in choices:
        return [("generated", {})] if "real" in wanted else []
    found: list[tuple[str, dict[str, Value]]] = []
    if "real" in wanted and _is_real(info, configuration):
        found.append(("real", {}))
    if "synthetic" in wanted:
        found.append(("synthetic", {"data": "synthetic"}))
    return found


def _is_real(info: StudyInfo, configuration: Configuration) -> bool:
    from workflows.data.catalog import DATASETS
    from workflows.data.place import locate

    names = [item.name for item in DATASETS if item.study == info.name]
    return bool(names) and all(not locate(name, configuration).synthetic for name in names)
