"""The counties: read, rows with missing values left out by name, brought to one scale whose parameters are kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflows.failures import WorkflowError
from workflows.problem import Problem

if TYPE_CHECKING:
    from workflows.configuration import Configuration
    from workflows.data.place import Located

DATASET = "census"
IDENTITY = ("CensusId", "State", "County")
"""What names a county; all other columns are its features."""
LEAST_COLUMNS = 2
ROWS_PER_COLUMN = 2
"""Fewer rows than this for each column, and components are accidents of the rows."""


@dataclass(frozen=True, slots=True)
class Counties:
    """Counties ("Los Angeles, California"), names of their columns, values (n, d) in the columns' own units."""

    names: list[str]
    columns: list[str]
    values: Any

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True)
class Scaler:
    """Brings values to one scale: (value - shift) / unit, both of shape (d,). ``kind`` is minmax or standard.

    A column that never changes has the unit 1, so that it becomes 0.
    """

    kind: str
    columns: list[str]
    shift: Any
    unit: Any

    @classmethod
    def fitted(cls, kind: str, columns: list[str], values: Any) -> Scaler:
        """From values (n, d): minmax maps each column to 0 ... 1, standard to mean 0 and standard deviation 1."""
        shift = values.min(axis=0) if kind == "minmax" else values.mean(axis=0)
        unit = values.max(axis=0) - shift if kind == "minmax" else values.std(axis=0)
        # A constant column's standard deviation may be a rounding error instead of 0.
        unit[(unit == 0) | (values.max(axis=0) == values.min(axis=0))] = 1.0
        return cls(kind, columns, shift, unit)

    def scaled(self, values: Any) -> Any:
        """Values (n, d) on the common scale, in single precision, which is what SageMaker's algorithms compute with."""
        import numpy as np

        return ((np.asarray(values, dtype=float) - self.shift) / self.unit).astype(np.float32)

    def save(self, path: Path) -> None:
        """Writes it as JSON, a column an entry."""
        entries = {
            name: {"shift": float(shift), "unit": float(unit)}
            for name, shift, unit in zip(self.columns, self.shift, self.unit, strict=True)
        }
        path.write_text(json.dumps({"kind": self.kind, "columns": entries}, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Scaler:
        """What `save` wrote."""
        import numpy as np

        found = json.loads(path.read_text(encoding="utf-8"))
        entries = found["columns"]
        return cls(
            found["kind"],
            list(entries),
            np.array([entry["shift"] for entry in entries.values()]),
            np.array([entry["unit"] for entry in entries.values()]),
        )


@dataclass(frozen=True, slots=True)
class Read:
    """What reading found: the counties, names of those left out for missing values, of exact copies left out, missing values by column."""

    counties: Counties
    incomplete: list[str]
    copies: list[str]
    missing: dict[str, int]


def located(configuration: Configuration | None, source: str = "") -> Located:
    """Where the census is: the person's own, the folder of real data, what was fetched, else the built-in sample.

    ``source`` ``synthetic`` asks for the sample.

    Raises:
        WorkflowError: It is nowhere.
    """
    from workflows.data.place import locate

    try:
        return locate(DATASET, configuration, source)
    except Problem as problem:
        raise WorkflowError(str(problem)) from problem


def read(place: Located, leave_out: tuple[str, ...] = ()) -> Read:
    """The counties without those that miss a value, and without exact copies.

    Raises:
        WorkflowError: The table cannot be used: it is damaged, a value is no finite number, one county stands there twice with
            different values, or too few rows or columns are left.
    """
    from workflows.data.loading import table

    try:
        frame = table(place)
    except Problem as problem:
        raise WorkflowError(str(problem)) from problem
    columns = [name for name in frame.columns if name not in IDENTITY]
    unknown = [name for name in leave_out if name not in columns]
    if unknown:
        raise WorkflowError(
            f"The parameter leave-out names {', '.join(unknown)}, which the census does not have. "
            f"Its columns: {', '.join(columns)}."
        )
    columns = [name for name in columns if name not in leave_out]
    counts = frame[[*IDENTITY, *columns]].isna().sum()
    incomplete = frame[[*IDENTITY, *columns]].isna().any(axis=1)
    names = frame["County"].astype(str).str.strip() + ", " + frame["State"].astype(str).str.strip()
    copies = frame.duplicated() & ~incomplete
    keep = ~incomplete & ~copies
    twice = names[keep].duplicated(keep=False)
    if twice.any():
        name = names[keep][twice].iloc[0]
        rows = ", ".join(str(row + 1) for row in names.index[keep & (names == name)][:3])
        raise WorkflowError(
            f"{place.path}: {name} stands there more than once with different values (data rows {rows}). Keep one of them."
        )
    values = frame.loc[keep, columns].to_numpy(dtype=float)
    if len(columns) < LEAST_COLUMNS:
        raise WorkflowError("One column is no space to find segments in: leave out fewer columns.")
    if len(values) < ROWS_PER_COLUMN * len(columns):
        raise WorkflowError(
            f"{place.path} has {len(values)} counties without missing values; {len(columns)} columns need at least "
            f"{ROWS_PER_COLUMN * len(columns)}. Bring more rows, or leave columns out (leave-out)."
        )
    check_finite(place.path, names[keep].tolist(), columns, values)
    return Read(
        Counties(names[keep].tolist(), columns, values),
        names[incomplete].tolist(),
        names[copies].tolist(),
        {str(name): int(count) for name, count in counts.items() if count},
    )


def check_finite(path: Path, names: list[str], columns: list[str], values: Any) -> None:
    """Refuses infinities.

    Raises:
        WorkflowError: There is one; the text names county and column.
    """
    import numpy as np

    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        row, column = wrong[0]
        raise WorkflowError(
            f"{path}: {columns[column]} of {names[row]} is no finite number. Correct it, or leave the cell empty."
        )


def save(path: Path, counties: Counties) -> None:
    """Writes counties; the same ones give the same bytes."""
    import numpy as np

    np.savez(path, names=np.array(counties.names), columns=np.array(counties.columns), values=counties.values)


def load(path: Path) -> Counties:
    """Counties that `save` wrote."""
    import numpy as np

    with np.load(path, allow_pickle=False) as file:
        return Counties(file["names"].tolist(), file["columns"].tolist(), file["values"])


def csv_lines(rows: Any) -> str:
    """One row a line: what endpoints and batch transform are asked with."""
    return "\n".join(",".join(map(repr, row)) for row in rows.astype(float).tolist()) + "\n"
