"""The corpus of a run as it was pinned: texts, features and split below the work folder, and the checks that they belong together."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from algorithms.plagiarism import arrays, corpus, features, split
from algorithms.plagiarism.corpus import Corpus
from workflows.data.place import Located
from workflows.failures import WorkflowError

CUSTOMARY = ("c_1", "c_2", "c_3", "c_4", "c_5", "c_6", features.LCS)
"""What is measured of every answer, whichever of it is trained on."""
CHOSEN = features.CHOSEN
SELECT = "select"
TEXTS, TABLE, TRAIN = "corpus", "features.csv", "train.csv"
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Pinned:
    """Documents, their frame (File, Task, Category, Class, Text, Datatype), their features, and the names that are trained on."""

    corpus: Corpus
    frame: Any
    features: Any
    names: tuple[str, ...]

    @cached_property
    def train(self) -> arrays.Rows:
        """The rows that train."""
        return self._parts[0]

    @cached_property
    def test(self) -> arrays.Rows:
        """The rows that test."""
        return self._parts[1]

    @cached_property
    def answers(self) -> arrays.Rows:
        """All answers in the corpus's order."""
        import numpy as np

        chosen = (self.frame["Class"] >= 0).to_numpy()
        return arrays.Rows(
            self.features.loc[chosen, list(self.names)].to_numpy(np.float64),
            self.frame.loc[chosen, "Class"].to_numpy(np.int64),
            tuple(self.frame.loc[chosen, "File"]),
        )

    @cached_property
    def _parts(self) -> tuple[arrays.Rows, arrays.Rows]:
        return arrays.train_test(self.frame, self.features, self.names)


def read_corpus(folder: Path) -> Corpus:
    """The corpus in a folder.

    Raises:
        WorkflowError: It cannot be used; the text has up to five reasons, each with what to do.
    """
    try:
        return corpus.read(folder)
    except corpus.CorpusError as error:
        reasons = ". ".join(str(defect) for defect in error.defects[:5])
        more = len(error.defects) - 5
        rest = f". And {more} more" if more > 0 else ""
        raise WorkflowError(f"The corpus in {folder} cannot be used: {reasons}{rest}.") from None


def pin(located: Located, work: Path, names: str, cutoff: float, seed: int) -> tuple[Pinned, list[Path]]:
    """Copies the corpus below the work folder, measures and splits it; also the files that hold all of it.

    ``names`` are comma-separated features, or ``select``.

    Raises:
        WorkflowError: The corpus cannot be used, or a feature does not exist.
    """
    folder = work / TEXTS
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    source = read_corpus(located.folder)
    files = [corpus.INFORMATION, *(document.file for document in source.documents)]
    for name in files:
        shutil.copyfile(located.folder / name, folder / name)
    found = read_corpus(folder)
    frame = split.datatypes(found.frame(), seed)
    asked = () if names.strip() == SELECT else _named(names)
    table = features.table(found, tuple(dict.fromkeys((*CUSTOMARY, *asked))))
    pinned = Pinned(found, frame, table, asked or _selected(frame, table, cutoff))
    if not len(pinned.test.y) or len(set(pinned.train.y.tolist())) < 2:
        raise WorkflowError(
            "The corpus has too few answers: both classes must be there to train on, and some answers to test on."
        )
    described = frame[["File", "Task", "Category", "Class", "Datatype"]].join(table)
    described.to_csv(work / TABLE, index=False)
    arrays.write_csv(work / TRAIN, pinned.train.x, pinned.train.y)
    return pinned, [work / TABLE, work / TRAIN, *(folder / name for name in files)]


def read(work: Path, names: tuple[str, ...]) -> Pinned:
    """What `pin` wrote, its rows checked against the texts.

    Raises:
        WorkflowError: A table whose rows are not the corpus's documents.
    """
    import pandas as pd

    found = read_corpus(work / TEXTS)
    stored = pd.read_csv(work / TABLE)
    frame = found.frame()
    if list(stored["File"]) != list(frame["File"]):
        raise WorkflowError(
            f"{TABLE} does not list the documents of the corpus in their order. Start a new run."
        )
    columns = [
        name for name in stored.columns if name not in ("File", "Task", "Category", "Class", "Datatype")
    ]
    frame = frame.assign(Class=stored["Class"], Category=stored["Category"], Datatype=stored["Datatype"])
    return Pinned(found, frame, stored[columns], names)


def misaligned(pinned: Pinned) -> tuple[str, ...]:
    """Files whose stored features are not those of their text, each with the file whose features they are where there is one."""
    import numpy as np

    fresh = features.table(pinned.corpus, tuple(pinned.features.columns)).to_numpy()
    stored = pinned.features.to_numpy()
    found = []
    for row in np.flatnonzero(np.abs(fresh - stored).max(axis=1) > _ROUNDING):
        file = pinned.corpus.documents[row].file
        same = np.flatnonzero(np.abs(fresh - stored[row]).max(axis=1) <= _ROUNDING)
        owner = (
            f" has those of {pinned.corpus.documents[same[0]].file}"
            if len(same)
            else " has those of no text here"
        )
        found.append(f"{file}{owner}")
    return tuple(found)


def _named(names: str) -> tuple[str, ...]:
    try:
        return features.check([name.strip() for name in names.split(",") if name.strip()])
    except features.FeatureError as error:
        raise WorkflowError(f"The parameter features cannot be {names!r}: {error}.") from None


def _selected(frame: Any, table: Any, cutoff: float) -> tuple[str, ...]:
    """By correlation on the training answers alone: neither test answers nor originals take part."""
    rows = (frame["Datatype"] == split.TRAIN).to_numpy()
    return features.select(table[rows], frame.loc[rows, "Class"].tolist(), cutoff).kept
