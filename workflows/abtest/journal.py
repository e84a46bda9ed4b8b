"""A test's folder: what it is (``experiment.json``) and what happened (``events.jsonl``, append-only).

Several processes append and read at the same time. A line is written with one call and whole or torn: what has no newline at the end is
not read, and the next writer ends it, so that it is passed over. ``kill -9`` loses at most the line that was being written.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from workflows import locations
from workflows.abtest.definition import Experiment
from workflows.files import write_atomically
from workflows.problem import Problem

Line = Mapping[str, Any]


class Journal:
    """One test's folder. Safe for threads and processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def file(self) -> Path:
        """What happened, one JSON object a line."""
        return self.folder / "events.jsonl"

    def experiment(self) -> Experiment:
        """What the test is.

        Raises:
            Problem: There is no such test, or its file is damaged.
        """
        path = self.folder / "experiment.json"
        try:
            return Experiment.from_dict(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise missing(self.folder.name) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Problem(
                f"{path} cannot be read: {error}.",
                f"Remove the test with `mlconsole ab rm {self.folder.name}`, or mend the file.",
                "damaged",
            ) from error

    def begin(self, experiment: Experiment) -> None:
        """Make the folder.

        Raises:
            Problem: There is a test of that name.
        """
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o700)  # hosts are shared: who was asked what is this person's
        except FileExistsError as error:
            raise Problem(
                f"There is an A/B test {experiment.name} already.",
                "Choose another name, or remove it with `mlconsole ab rm`.",
                "exists",
            ) from error
        write_atomically(self.folder / "experiment.json", json.dumps(experiment.as_dict(), indent=1) + "\n")

    def append(self, lines: Iterable[Line]) -> None:
        """Add lines; they are in the file when this returns."""
        text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()
        if not text:
            return
        handle = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            size = os.lseek(handle, 0, os.SEEK_END)
            if size and os.pread(handle, 1, size - 1) != b"\n":
                text = b"\n" + text
            while text:
                text = text[os.write(handle, text) :]
        finally:
            os.close(handle)

    def read(self, offset: int = 0) -> tuple[list[Line], int, int]:
        """Whole lines from a byte on: (lines, the byte after the last one, how many could not be understood)."""
        try:
            with self.file.open("rb") as file:
                file.seek(offset)
                text = file.read()
        except FileNotFoundError:
            return [], offset, 0
        whole = text[: text.rfind(b"\n") + 1]
        lines: list[Line] = []
        damaged = 0
        for line in whole.splitlines():
            try:
                found = json.loads(line) if line.strip() else None
            except ValueError:
                found = ()
            if isinstance(found, dict):
                lines.append(found)
            elif found is not None:
                damaged += 1
        return lines, offset + len(whole), damaged

    def remove(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def find(name: str) -> Journal:
    """The journal of a test.

    Raises:
        Problem: There is no such test.
    """
    folder = locations.experiments_dir() / name
    if not name or "/" in name or name.startswith(".") or not (folder / "experiment.json").is_file():
        raise missing(name)
    return Journal(folder)


def make(experiment: Experiment) -> Journal:
    """The folder of a new test.

    Raises:
        Problem: There is a test of that name.
    """
    found = Journal(locations.experiments_dir() / experiment.name)
    found.begin(experiment)
    return found


def everything() -> Iterator[Journal]:
    """The journals of all tests, by name."""
    root = locations.experiments_dir()
    for path in sorted(root.glob("*/experiment.json")):
        yield Journal(path.parent)


def missing(name: str) -> Problem:
    """There is no such test."""
    return Problem(f"There is no A/B test {name}.", "`mlconsole ab ls` lists them.", "not-found")
