"""What a menu of studies tells before one is started: whether its data is there, and what it may cost on AWS.

Cheap: it looks whether files are there, and reads none of them. Call it in a thread all the same: folders may be on a network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workflows.configuration import Configuration
from workflows.problem import Problem
from workflows.studies.catalog import StudyInfo, catalog
from workflows.studies.cost import of_run

DataState = Literal["real", "sample", "imported", "synthetic", "generated", "missing", "none"]


@dataclass(frozen=True, slots=True)
class Shelf:
    """One study. ``data``: real (fetched, or in the folder of real data), sample (some rows of it), imported (a person's
    own), synthetic (made up here), generated (the original, made anew), missing, or none (it needs no data set); ``note`` says it in
    a sentence. ``dollars`` is the most that a run of the usual length costs on AWS with the machines of the defaults, None
    where a price is not known.
    """

    study: str
    data: DataState
    note: str
    dollars: float | None


def shelves(configuration: Configuration | None = None) -> dict[str, Shelf]:
    """All studies of the catalog by name."""
    return {info.name: shelf(info, configuration) for info in catalog()}


def shelf(info: StudyInfo, configuration: Configuration | None = None) -> Shelf:
    """One study."""
    data, note = _data(info.name, configuration)
    return Shelf(info.name, data, note, of_run(info, {}).dollars)


def _data(study: str, configuration: Configuration | None) -> tuple[DataState, str]:
    from workflows.data.catalog import DATASETS
    from workflows.data.place import folders, parts_in

    dataset = next((one for one in DATASETS if one.study == study), None)
    if dataset is None:
        return "none", "It needs no data set."
    if dataset.stand_in == "generated":
        return "generated", "Generated here, the same in every run: this is the original."
    try:
        places = folders(dataset, configuration)
    except Problem as problem:
        return "missing", f"{problem.sentence} {problem.remedy}"
    for source, folder in places:
        paths = parts_in(dataset, folder)
        if paths is None:
            continue
        if source == "imported":
            return "imported", f"Your own data, imported into {folder}."
        sampled = paths[dataset.main.role].name in dataset.main.samples
        return (
            ("sample", f"Some rows of the real data, from {folder}.")
            if sampled
            else ("real", f"Real data from {folder}.")
        )
    if dataset.stand_in == "synthetic":
        return (
            "synthetic",
            f"Made up, with the schema of the real data. `mlconsole data fetch {dataset.name}` gets that.",
        )
    return "missing", f"It is not on this machine. `mlconsole data show {dataset.name}` tells how to get it."
