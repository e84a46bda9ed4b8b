"""Writes reports to files, and over none that is something else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workflows.files import sha256, write_atomically
from workflows.problem import Problem
from workflows.report.page import GENERATOR, render
from workflows.runs import Run

HEAD = 2048
"""Bytes at a file's beginning that are searched for the mark of a report."""


@dataclass(frozen=True, slots=True)
class Written:
    """A report that was written. ``withheld`` says why results are not in it; empty when all are."""

    run: str
    status: str
    file: Path
    bytes: int
    sha256: str
    figures: int
    tables: int
    withheld: str


def write(run: Run, path: Path | None = None, *, force: bool = False) -> Written:
    """Writes the report of a run, whole or not at all. Blocks.

    Args:
        run: The run, whatever became of it.
        path: The file, or the folder where it is to lie; None: ``<run>.html`` in the current folder.
        force: Write over a file that is no report.

    Raises:
        Problem: The file exists and is no report, or its folder does not exist.
    """
    target = path or Path(f"{run.id}.html")
    if target.is_dir():
        target = target / f"{run.id}.html"
    if not target.parent.is_dir():
        raise Problem(f"There is no folder {target.parent}.", "Make it, or name another file.", "no-folder")
    if target.exists() and not force and not is_report(target):
        raise Problem(
            f"{target} exists and is no report of mlconsole.",
            "Name another file, or say --force to write over it.",
            "file-exists",
        )
    text, page = render(run)
    write_atomically(target, text)
    target.chmod(0o644)  # made to be passed on, where a temporary file is its owner's alone
    return Written(
        run=run.id,
        status=run.status,
        file=target.absolute(),
        bytes=target.stat().st_size,
        sha256=sha256(target),
        figures=page.figures,
        tables=page.tables,
        withheld=page.withheld,
    )


def is_report(path: Path) -> bool:
    """Whether a file says that it was written here."""
    try:
        with path.open("rb") as file:
            return f'name="generator" content="{GENERATOR}"'.encode() in file.read(HEAD)
    except OSError:
        return False
