"""Where a data set is: what a person imported, the folder of MLCONSOLE_DATA_DIR, what was fetched, else the built-in sample."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from workflows import locations
from workflows.configuration import Configuration
from workflows.data.catalog import find
from workflows.data.dataset import Dataset
from workflows.files import sha256
from workflows.problem import Problem

Source = Literal["imported", "folder", "cache", "synthetic", "generated"]
SOURCES: tuple[Source, ...] = ("imported", "folder", "cache", "synthetic", "generated")
PROVENANCE = "source.json"
"""Beside the files of an import or a fetch: where they came from, and when."""


@dataclass(frozen=True, slots=True)
class Located:
    """A data set that is there.

    ``paths`` by the roles of its parts, ``folder`` holds them. ``synthetic`` data only imitates the original, ``sample``
    data holds some of its rows; ``note`` says so in a sentence for people. ``sha256`` is over all files of the set.
    """

    dataset: Dataset
    source: Source
    folder: Path
    paths: dict[str, Path] = field(hash=False)
    sha256: str
    note: str
    synthetic: bool = False
    sample: bool = False

    @property
    def path(self) -> Path:
        """The file that holds the table."""
        return self.paths[self.dataset.main.role]

    @property
    def kind(self) -> str:
        """What its rows are, in two words that begin a sentence: ``Real data``."""
        if self.source in ("folder", "cache"):
            return "Real data, a sample" if self.sample else "Real data"
        return f"{self.source.capitalize()} data"

    def as_dict(self) -> dict[str, object]:
        """Plain values, for a step's outputs and for ``--json``."""
        return {
            "dataset": self.dataset.name,
            "source": self.source,
            "synthetic": self.synthetic,
            "sample": self.sample,
            "sha256": self.sha256,
            "note": self.note,
            "paths": {role: str(path) for role, path in self.paths.items()},
        }


def locate(name: str, configuration: Configuration | None = None, source: str = "") -> Located:
    """The data set of a name, from the first place that has it; ``source`` asks for one place only.

    The built-in sample is made when it is needed (a second or two) and kept in the cache.

    Raises:
        Problem: There is no such data set, no such source, or it is not there.
    """
    dataset = find(name)
    if source and source not in SOURCES:
        raise Problem(f"There is no source {source!r}.", f"Sources: {', '.join(SOURCES)}.", "no-such-source")
    for place, folder in folders(dataset, configuration):
        if source in ("", place):
            paths = parts_in(dataset, folder)
            if paths is not None:
                return _located(dataset, place, folder, paths)
    if dataset.stand_in != "none" and source in ("", dataset.stand_in):
        from workflows.data.synthetic import sample_folder

        folder = sample_folder(dataset)
        paths = parts_in(dataset, folder)
        if paths is None:
            raise Problem(f"{folder} is incomplete.", "Delete it: it is made anew.", "data")
        return _located(dataset, dataset.stand_in, folder, paths)
    if source:
        raise Problem(
            f"The data set {name} is not there from the source {source}.",
            f"`mlconsole data show {name}` tells where it is looked for.",
            "no-data",
        )
    raise Problem(
        f"The data set {name} is not on this machine, and there is no built-in sample: {dataset.why_none}",
        f"{' '.join(dataset.origin.manual)} Then: mlconsole data import {name} FILE.",
        "no-data",
    )


def folders(dataset: Dataset, configuration: Configuration | None = None) -> list[tuple[Source, Path]]:
    """Where a data set is looked for, in order; the folders of data sets need not exist.

    Raises:
        Problem: The folder for real data that is configured does not exist: a synthetic sample in its place would deceive.
    """
    named = configuration.data_dir if configuration is not None else ""
    real = Path(named).expanduser().absolute() if named else locations.datasets_dir()
    if real is not None and not real.is_dir():
        raise Problem(
            f"MLCONSOLE_DATA_DIR (data_dir) names {real}, which is no folder.",
            "Correct or unset it.",
            "no-data",
        )
    found: list[tuple[Source, Path]] = [("imported", locations.imported_dir() / dataset.name)]
    if real is not None:
        found.append(("folder", real / dataset.name))
    found.append(("cache", locations.fetched_dir() / dataset.name))
    return found


def parts_in(dataset: Dataset, folder: Path) -> dict[str, Path] | None:
    """The files of a data set in a folder by role, or None when one that is needed is not there."""
    paths = {}
    for part in dataset.parts:
        found = next((folder / name for name in part.names if (folder / name).is_file()), None)
        if found is not None:
            paths[part.role] = found
        elif not part.optional:
            return None
    return paths


def provenance(folder: Path) -> dict[str, object]:
    """What is noted about an import or a fetch; empty when nothing is."""
    try:
        noted = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def files_of(dataset: Dataset, folder: Path, paths: dict[str, Path]) -> list[Path]:
    """All files that the content hash covers: the parts, and for a corpus its texts."""
    texts = sorted(folder.glob("*.txt")) if dataset.name == "plagiarism" else []
    return [*paths.values(), *texts]


def _located(dataset: Dataset, source: Source, folder: Path, paths: dict[str, Path]) -> Located:
    main = paths[dataset.main.role]
    sample = main.name in dataset.main.samples
    return Located(
        dataset=dataset,
        source=source,
        folder=folder,
        paths=paths,
        sha256=_digest(files_of(dataset, folder, paths)),
        note=_note(dataset, source, folder, main, sample),
        synthetic=source == "synthetic",
        sample=sample,
    )


def _digest(paths: list[Path]) -> str:
    if len(paths) == 1:
        return sha256(paths[0])
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.name}\0{sha256(path)}\n".encode())
    return digest.hexdigest()


def _note(dataset: Dataset, source: Source, folder: Path, main: Path, sample: bool) -> str:
    rows = " (a sample of its rows)" if sample else ""
    if source == "synthetic":
        return (
            f"SYNTHETIC: made up, with the schema of the real {dataset.name} data. Scores on it say nothing about that; "
            f"`mlconsole data fetch {dataset.name}` gets it."
        )
    if source == "generated":
        return "Generated here, the same in every run: this is the original."
    if source == "folder":
        return f"Real data{rows} from {main}."
    noted = provenance(folder)
    if source == "cache":
        return f"Real data{rows}, fetched from {noted.get('from', dataset.origin.url)}."
    return f"Imported by you from {noted.get('from', 'a file')}."
