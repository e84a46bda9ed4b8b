"""The moons training points. This is no imitation: the original is generated in the same way."""

from __future__ import annotations

from pathlib import Path


def write(folder: Path) -> None:
    """``train.csv``: the 450 training points, the label first, no header."""
    from workflows.studies.moons import data

    train_x, _, train_y, _ = data.make()
    data.write_csv(folder / "train.csv", train_x, train_y)
