"""Built-in samples: made up, deterministic, with the schema of the real data and the lessons that are in it.

They let a study run without a network. They are no data: nothing learned from them says anything about counties, cards,
houses, students or films.
"""

from __future__ import annotations

import importlib
from pathlib import Path

from workflows import locations
from workflows.data.dataset import Dataset

VERSION = 1
"""Part of the folder's name: another version is another sample."""


def sample_folder(dataset: Dataset) -> Path:
    """The folder with the built-in sample of a data set, made when it is not there yet."""
    folder = locations.fetched_dir() / f"{dataset.name}-{dataset.stand_in}-{VERSION}"
    if folder.is_dir():
        return folder
    from workflows.data.staging import staged

    with staged(folder) as fresh:
        importlib.import_module(f"workflows.data.synthetic.{dataset.name}").write(fresh)
    return folder
