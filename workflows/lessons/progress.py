"""How far a person is in the lessons: from the runs that are there, and from what was remembered of those that are not."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from workflows import locations
from workflows.files import write_atomically
from workflows.runs import Run
from workflows.studies.catalog import StudyInfo, Try

INTERFACES = ("low", "high")


@dataclass(frozen=True, slots=True)
class Progress:
    """One lesson. ``done`` has the time (epoch seconds) of the first completed run by interface, ``tried`` the titles of the
    tries whose changes a completed run had, ``last`` and ``status`` are the newest run's."""

    lesson: str
    done: dict[str, float] = field(default_factory=dict)
    tried: tuple[str, ...] = ()
    last: str = ""
    status: str = ""

    @property
    def state(self) -> str:
        """not started, started, or done (a run was completed)."""
        if not self.done:
            return "started" if self.last else "not started"
        return "done"

    def next_try(self, info: StudyInfo) -> Try | None:
        """The first suggested change that was not tried yet; None when all were."""
        tries = info.lesson.tries if info.lesson else ()
        return next((one for one in tries if one.title not in self.tried), None)

    def next_interface(self, preferred: str) -> str:
        """The interface to take next: the preferred one, or the one that is missing."""
        missing = [name for name in INTERFACES if name not in self.done]
        return missing[0] if missing and preferred not in missing else preferred

    def share(self, info: StudyInfo) -> float:
        """0 to 1: interfaces and tries that are done, of those there are."""
        tries = len(info.lesson.tries) if info.lesson else 0
        return (len(self.done) + len(self.tried)) / (len(INTERFACES) + tries)


def progress(lessons: Iterable[StudyInfo], runs: Iterable[Run]) -> dict[str, Progress]:
    """The progress by lesson, and remembers it: runs may be deleted, what was learned stays.

    Args:
        lessons: The lessons.
        runs: All runs, newest first, as `workflows.runs.list_runs` gives them.
    """
    before = _remembered()
    everything = list(runs)
    found: dict[str, Progress] = {}
    for info in lessons:
        found[info.name] = _of(info, [run for run in everything if run.study == info.name], before)
    if any(found[name] != before.get(name) for name in found):
        _remember({**before, **found})
    return found


def _of(info: StudyInfo, runs: list[Run], before: Mapping[str, Progress]) -> Progress:
    known = before.get(info.name, Progress(info.name))
    done, tried = dict(known.done), list(known.tried)
    for run in runs:
        if run.status != "completed":
            continue
        done[run.interface] = min(run.ended, done.get(run.interface, run.ended))
        tried += [
            one.title
            for one in (info.lesson.tries if info.lesson else ())
            if one.title not in tried and _had(run, info, one.changes)
        ]
    order = [one.title for one in info.lesson.tries] if info.lesson else []
    newest = runs[0] if runs else None
    return replace(
        known,
        done=dict(sorted(done.items())),
        tried=tuple(title for title in order if title in tried),
        last=newest.id if newest else known.last,
        status=newest.status if newest else known.status,
    )


def _had(run: Run, info: StudyInfo, changes: Mapping[str, str]) -> bool:
    """Whether a run had these values of parameters."""
    kinds = {item.name: item for item in info.parameters}
    return all(
        name in kinds and run.parameters.get(name) == kinds[name].parse(value)
        for name, value in changes.items()
    )


def _file() -> Path:
    return locations.state_dir() / "lessons.json"


def _remembered() -> dict[str, Progress]:
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError, KeyError):
        data = json.loads(_file().read_text(encoding="utf-8"))
        return {
            name: Progress(name, dict(one["done"]), tuple(one["tried"]), str(one["last"]), str(one["status"]))
            for name, one in data.items()
        }
    return {}


def _remember(found: Mapping[str, Progress]) -> None:
    with contextlib.suppress(OSError):  # a full or read-only disk is no reason to fail
        file = _file()
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(file, json.dumps({name: asdict(one) for name, one in found.items()}, indent=1))
