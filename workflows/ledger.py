"""What a run did, by content: hashes of each step's inputs and outputs, and every resource it made.

The ledger makes a resumed run reuse what is still true, and refuse what is not: a number whose inputs changed is never
shown again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workflows.failures import WorkflowError
from workflows.files import sha256, signature, write_atomically


class StaleResult(WorkflowError):
    """A recorded result does not belong to the data that lies there now."""


def digest(values: Any) -> str:
    """A SHA-256 over plain values, independent of the order of keys."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


_HASH = re.compile(r"[0-9a-f]{64}")


def hashes(values: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """The SHA-256 digests in nested plain values, each with the names that lead to it."""
    if isinstance(values, dict):
        for name, value in values.items():
            yield from hashes(value, (*path, str(name)))
    elif isinstance(values, list | tuple):
        for place, value in enumerate(values):
            yield from hashes(value, (*path, str(place)))
    elif isinstance(values, str) and _HASH.fullmatch(values):
        yield path, values


class Ledger:
    """The file ``ledger.json`` of a run's folder; every change is on disk before the method returns."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "ledger.json"
        self._work = folder / "work"
        try:
            self._data: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            self._data = {"run": folder.name, "steps": {}, "resources": []}
        self._begun = ""

    @property
    def run(self) -> str:
        """The run that it is the ledger of; empty where an older version wrote it."""
        return str(self._data.get("run", ""))

    def begin(self, step: str, inputs: dict[str, Any]) -> None:
        """Notes that a step starts on these inputs. What it noted before on the same inputs stays."""
        known = self._data["steps"].get(step, {})
        notes = known.get("notes", {}) if known.get("inputs_sha256") == digest(inputs) else {}
        self._data["steps"][step] = {
            "status": "begun",
            "inputs": inputs,
            "inputs_sha256": digest(inputs),
            "links": self._links(step, inputs),
            "relies": [],
            "notes": notes,
        }
        self._begun = step
        self._save()

    def note(self, step: str, **notes: Any) -> None:
        """Keeps something of a step that has not finished, such as the name of the job it started."""
        self._data["steps"][step]["notes"].update(notes)
        self._save()

    def notes(self, step: str) -> dict[str, Any]:
        """What `note` kept of a step."""
        return dict(self._data["steps"].get(step, {}).get("notes", {}))

    def finish(
        self, step: str, outputs: dict[str, Any], files: list[Path], summary: str, seconds: float
    ) -> None:
        """Records a step's results; ``files`` lie below the run's work folder."""
        entry = self._data["steps"][step]
        entry.update(status="done", outputs=outputs, summary=summary, seconds=seconds)
        entry["files"] = {path.relative_to(self._work).as_posix(): sha256(path) for path in files}
        entry["seen"] = {path.relative_to(self._work).as_posix(): signature(path) for path in files}
        self._begun = ""
        self._save()

    def measured(self, metrics: dict[str, float]) -> None:
        """Keeps the run's metrics, each with the step that measured it (empty: worked out from several)."""
        self._data["metrics"] = {
            name: {"value": value, "step": self._origin(name, value)} for name, value in metrics.items()
        }
        self._save()

    def metrics(self) -> dict[str, dict[str, Any]]:
        """What `measured` kept: ``value`` and ``step`` by name."""
        return dict(self._data.get("metrics", {}))

    def steps(self) -> dict[str, dict[str, Any]]:
        """The records of all steps that began, in their order."""
        return dict(self._data["steps"])

    def outputs(self, step: str) -> dict[str, Any]:
        """The outputs of a finished step; empty for others."""
        return dict(self._data["steps"].get(step, {}).get("outputs", {}))

    def finished(self, step: str) -> dict[str, Any] | None:
        """The record of a step that is done (inputs, outputs, files, summary, seconds), else None."""
        entry = self._data["steps"].get(step)
        return dict(entry) if entry and entry.get("status") == "done" else None

    def reusable(self, step: str, inputs: dict[str, Any]) -> tuple[bool, str]:
        """Whether a step's results still hold for these inputs; if it was done and they do not, why."""
        entry = self.finished(step)
        if entry is None:
            return False, ""
        if entry["inputs_sha256"] != digest(inputs):
            changed = [name for name in inputs if digest(inputs[name]) != digest(entry["inputs"].get(name))]
            return False, f"its inputs changed: {', '.join(changed) or 'one is gone'}"
        changed = self._changed(entry)
        return (False, f"{', '.join(changed)} changed since") if changed else (True, "")

    def verify(self, *steps: str) -> None:
        """Makes sure that the files of finished steps are the ones that were recorded; a step that asks relies on them.

        Raises:
            StaleResult: A file changed or is gone; results computed from it must not be shown.
        """
        self._relies(steps)
        for step in steps:
            entry = self.finished(step)
            changed = self._changed(entry) if entry else [f"the results of step {step}"]
            if changed:
                raise StaleResult(
                    f"{', '.join(changed)} (step {step}) is not what the run recorded; results that come from it are refused. "
                    "Resume the run: the step is done again."
                )

    def forget(self, step: str) -> None:
        """Drops a step's record, so that it is done again."""
        self._data["steps"].pop(step, None)
        self._save()

    def made(self, what: str, name: str) -> None:
        """Records a resource before it is asked for, so that no crash can hide it from the clean-up."""
        for item in self._data["resources"]:
            if item["what"] == what and item["name"] == name:
                item["state"] = "made"
                break
        else:
            self._data["resources"].append({"what": what, "name": name, "state": "made"})
        self._save()

    def deleted(self, what: str, name: str) -> None:
        """Records that a resource is gone."""
        for item in self._data["resources"]:
            if item["what"] == what and item["name"] == name:
                item["state"] = "deleted"
        self._save()

    def resources(self, what: str = "") -> list[dict[str, str]]:
        """Resources that were made and not deleted: ``what``, ``name``, ``state``."""
        return [
            dict(item)
            for item in self._data["resources"]
            if item["state"] == "made" and (not what or item["what"] == what)
        ]

    def _relies(self, steps: tuple[str, ...]) -> None:
        if entry := self._data["steps"].get(self._begun):
            known = entry.setdefault("relies", [])
            if more := [step for step in steps if step not in known]:
                known += more
                self._save()

    def _links(self, step: str, inputs: dict[str, Any]) -> dict[str, str]:
        """The digests among a step's inputs that an earlier step recorded, each with that step."""
        made: dict[str, str] = {}
        for name, entry in self._data["steps"].items():
            if name != step and entry.get("status") == "done":
                for _, value in hashes([entry.get("outputs"), entry.get("files")]):
                    made.setdefault(value, name)
        return {value: made[value] for _, value in hashes(inputs) if value in made}

    def _origin(self, name: str, value: float) -> str:
        """The last step whose outputs or notes hold a number of this name that is this one, up to rounding."""
        found = ""
        for step, entry in self._data["steps"].items():
            for known in _numbers(name, [entry.get("notes"), entry.get("outputs")]):
                if abs(known - value) <= 1e-5 * max(abs(known), abs(value)):
                    found = step
        return found

    def _changed(self, entry: dict[str, Any]) -> list[str]:
        files: dict[str, str] = entry.get("files", {})
        return [
            name
            for name, known in files.items()
            if not (self._work / name).is_file() or sha256(self._work / name) != known
        ]

    def _save(self) -> None:
        write_atomically(self._path, json.dumps(self._data, indent=1, default=str))


def _numbers(name: str, values: Any) -> Iterator[float]:
    """The numbers of a name in nested plain values."""
    if isinstance(values, dict):
        for key, value in values.items():
            if key == name and isinstance(value, int | float):
                yield float(value)
            else:
                yield from _numbers(name, value)
    elif isinstance(values, list):
        for value in values:
            if isinstance(value, dict | list):
                yield from _numbers(name, value)
