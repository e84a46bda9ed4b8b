"""What the lessons learn from: houses with a price, or reviews with a verdict; split once, written once, the same in every lesson."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflows import detached
from workflows.data import place
from workflows.data.loading import table
from workflows.data.place import Located
from workflows.failures import WorkflowError
from workflows.problem import Problem
from workflows.studies.context import Context
from workflows.studies.parameters import Parameter

SETS = ("train", "validation", "test")
SHARES = {"train": 0.45, "validation": 0.22, "test": 0.33}
"""The lessons' two splits of a third each: 227, 112 and 167 of 506 rows."""
REVIEWS_VALIDATION = 0.4
"""Of the publisher's training reviews: the notebooks took 10,000 of 25,000."""
VOCABULARY = "vocabulary.json"


@dataclass(frozen=True, slots=True)
class Kind:
    """What is learned from a subject: ``objective`` of XGBoost, the ``metric`` that is told, the one that is ``watched`` to end in
    time (a count of errors jumps too much for that), how the score is called and its unit."""

    task: str
    objective: str
    metric: str
    watched: str
    score: str
    unit: str
    smaller_is_better: bool


KINDS = {
    "housing": Kind(
        "regression", "reg:squarederror", "rmse", "rmse", "RMSE", "hundred thousand dollars", True
    ),
    "boston": Kind("regression", "reg:squarederror", "rmse", "rmse", "RMSE", "thousand dollars", True),
    "reviews": Kind("classification", "binary:logistic", "error", "logloss", "accuracy", "", False),
}

PARAMETERS = (
    Parameter(
        "subject", "choice", "housing", "What is learned.",
        choices=(
            ("housing", "the price of houses in California (free data)"),
            ("boston", "the price of houses in Boston, as the course has it: only from your own file"),
            ("reviews", "whether a film review is positive"),
        ),
    ),
    Parameter(
        "data", "choice", "auto", "Where the data come from.",
        choices=(
            ("auto", "an import of your own, real data, else the built-in sample"),
            ("synthetic", "the built-in sample, even where real data are there"),
        ),
    ),
    Parameter("rows", "int", 0, "At most so many rows, chosen by their content; 0 takes all.", 0, 10_000_000, unit="rows"),
    Parameter("vocabulary", "int", 5000, "Words of a review that a model tells apart.", 10, 100_000, unit="words"),
    Parameter("split-seed", "int", 1, "Another seed is another split into training, validation and test rows.", 0, 2**31 - 1),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows: ``labels`` (n,), and ``features`` (n, d) of houses or ``texts`` (n,) of reviews."""

    labels: Any
    features: Any = None
    texts: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject that was read and split. ``names`` are the features' names (houses)."""

    name: str
    kind: Kind
    where: Located
    names: tuple[str, ...]
    sets: dict[str, Rows]
    twice: int
    """Rows that occur more than once; all copies of a row are in one set."""


def located(context: Context, name: str = "") -> Located:
    """The data that the run was asked to take; ``name`` is the subject (empty: the parameter's).

    Raises:
        WorkflowError: They are nowhere.
    """
    names = {"reviews": "imdb"}
    subject = name or str(context.value("subject"))
    source = "" if context.value("data") == "auto" else str(context.value("data"))
    try:
        return place.locate(
            names.get(subject, subject), detached.own_configuration(context.run.configuration), source
        )
    except Problem as problem:
        raise WorkflowError(str(problem)) from problem


def inputs(context: Context) -> dict[str, Any]:
    """What the split data depend on."""
    names = ("subject", "rows", "split-seed")
    return {"data": located(context).sha256, **{name: context.value(name) for name in names}}


def read(context: Context, name: str = "", validation: float = REVIEWS_VALIDATION) -> Subject:
    """The subject of a run (``name``; empty: the parameter's; ``validation``: share of the training reviews that is held out), split by content: a row is in the same set whatever the order of the file, and so are its copies.

    The publisher's test reviews stay test reviews, except copies of training reviews, which are left out.

    Raises:
        WorkflowError: The data cannot be used, or too few rows are left.
    """
    name = name or str(context.value("subject"))
    where = located(context, name)
    try:
        frame = table(where)
    except Problem as problem:
        raise WorkflowError(str(problem)) from problem
    if frame.isna().to_numpy().any():
        row = int(frame.isna().any(axis=1).to_numpy().argmax()) + 1
        raise WorkflowError(
            f"{where.path}: a value is missing in data row {row}. Complete or remove the row."
        )
    seed, most = int(context.value("split-seed")), int(context.value("rows"))
    reviews = name == "reviews"
    label = where.dataset.label
    keys = list(frame["review"]) if reviews else csv_lines(frame.to_numpy(dtype=float))
    at = [_place(str(key), seed) for key in keys]
    twice = len(keys) - len(set(keys))
    chosen: dict[str, list[int]] = {part: [] for part in SETS}
    if reviews:
        seen = {key for key, split in zip(keys, frame["split"], strict=True) if split == "train"}
        for number, (key, split) in enumerate(zip(keys, frame["split"], strict=True)):
            if split == "test":
                if key not in seen:
                    chosen["test"].append(number)
            else:
                chosen["validation" if at[number] < validation else "train"].append(number)
    else:
        for number, where_at in enumerate(at):
            bound = SHARES["train"], SHARES["train"] + SHARES["validation"]
            part = "train" if where_at < bound[0] else "validation" if where_at < bound[1] else "test"
            chosen[part].append(number)
    if most:
        total = sum(len(found) for found in chosen.values())
        share = min(1.0, most / total)
        thin = {number for number, key in enumerate(keys) if _place(str(key), seed + 1_000_003) < share}
        chosen = {part: [number for number in found if number in thin] for part, found in chosen.items()}
    few = {part: len(found) for part, found in chosen.items() if len(found) < 20}
    if few:
        part, count = next(iter(few.items()))
        raise WorkflowError(
            f"The {part} set has {count} rows: too few to learn or to judge. Take more --set rows=."
        )
    sets = {}
    for part, found in chosen.items():
        rows = frame.iloc[sorted(found, key=lambda number: at[number])]
        if reviews:
            sets[part] = Rows((rows[label] == "pos").to_numpy().astype(int), texts=tuple(rows["review"]))
        else:
            sets[part] = Rows(
                rows[label].to_numpy(dtype=float), rows.drop(columns=label).to_numpy(dtype=float)
            )
    names = () if reviews else tuple(str(one) for one in frame.columns if one != label)
    return Subject(name, KINDS[name], where, names, sets, twice)


def _place(key: str, seed: int) -> float:
    """A number in [0, 1) from a row's content."""
    found = hashlib.sha256(f"lesson:{seed}:{key}".encode()).digest()
    return float(int.from_bytes(found[:8], "big") / 2.0**64)


def write_labelled(path: Path, rows: Rows, lines: Sequence[str] = ()) -> None:
    """A channel's file: CSV with the label first, or LIBSVM ``lines`` as they are."""
    if lines:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return
    text = (
        f"{label!r},{values}"
        for label, values in zip(rows.labels.tolist(), csv_lines(rows.features), strict=True)
    )
    path.write_text("\n".join(text) + "\n", encoding="utf-8")


def csv_lines(features: Any) -> list[str]:
    """Rows of numbers as CSV, without a header, each number so that it is read back as itself."""
    return [",".join(repr(float(value)) for value in row) for row in features]
