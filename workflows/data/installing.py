"""Puts a data set into its place: prepared and checked beside it, moved there in one step, with a note of where it is from."""

from __future__ import annotations

import json
import time
from pathlib import Path

from workflows import locations
from workflows.data.checking import check
from workflows.data.dataset import Dataset
from workflows.data.findings import Finding, errors
from workflows.data.place import PROVENANCE, Located, locate
from workflows.data.preparing import prepare
from workflows.data.staging import staged
from workflows.files import sha256
from workflows.problem import Problem
from workflows.safety.changes import change


class Refused(Problem):
    """What was given cannot be used; ``findings`` tells why, gravest first."""

    def __init__(self, dataset: Dataset, given: Path, findings: list[Finding]) -> None:
        wrong = errors(findings)
        count = sum(finding.count for finding in wrong)
        first = wrong[0]
        where = f" ({first.where})" if first.where else ""
        super().__init__(
            f"{given} cannot be used as {dataset.name}: {count:,} error{'s' if count != 1 else ''}. "
            f"The first{where}: {first.text}",
            first.remedy or f"`mlconsole data show {dataset.name}` tells what is needed.",
            "bad-data",
        )
        self.findings = findings


def import_file(dataset: Dataset, given: Path) -> tuple[Located, list[Finding]]:
    """Takes a person's own file, archive or folder as the data set; an earlier import is replaced. The second value are
    the warnings and notes.

    Raises:
        Refused: It has errors. Nothing was changed.
        Problem: There is no such file, or it holds no such data. Nothing was changed.
    """
    if not given.exists():
        raise Problem(f"There is no file {given}.", "Look at the name.", "no-file")
    findings = install(dataset, given, locations.imported_dir() / dataset.name, str(given.absolute()))
    return locate(dataset.name, source="imported"), findings


def install(dataset: Dataset, given: Path, folder: Path, origin: str) -> list[Finding]:
    """Prepares and checks what is given, and makes it the content of a folder; the findings that are no errors.

    Raises:
        Refused, Problem: As `import_file`.
    """
    with change("InstallDataset", dataset.name, {"from": origin}), staged(folder, replace=True) as fresh:
        _refuse_unfit(dataset, given)
        prepare(dataset, given, fresh)
        findings = check(dataset, fresh)
        if errors(findings):
            raise Refused(dataset, given, findings)
        note = {"from": origin, "at": time.time(), "sha256": sha256(given) if given.is_file() else ""}
        (fresh / PROVENANCE).write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")
    return findings


def forget(dataset: Dataset, source: str) -> bool:
    """Removes the import or the fetched copy of a data set; whether there was one."""
    import shutil

    folder = {"imported": locations.imported_dir, "cache": locations.fetched_dir}[source]() / dataset.name
    if not folder.is_dir():
        return False
    with change("DeleteDataset", dataset.name, {"copy": source}):
        shutil.rmtree(folder)
    return True


def _refuse_unfit(dataset: Dataset, given: Path) -> None:
    """A web page, an empty file or a pointer is told as what it is, before anybody tries to unpack it."""
    from workflows.data import archives, signals

    if given.is_file():
        unfit = signals.unfit(given)
        if unfit is not None and (
            unfit.what in ("empty",) or not archives.is_archive(given) or "web page" in unfit.text
        ):
            raise Refused(dataset, given, [unfit])
