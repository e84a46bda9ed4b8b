"""What a run did, by content: hashes of each step's inputs and outputs, and every resource it made.

The ledger makes a resumed run reuse what is still true, and refuse what is not: a number whose inputs changed is never
shown again.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from workflows.failures import WorkflowError
from workflows.files import sha256, write_atomically


class StaleResult(WorkflowError):
    """A recorded result does not belong to the data that lies there now."""


def digest(values: Any) -> str:
    """A SHA-256 over plain values, independent of the order of keys."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


class Ledger:
    """The file ``ledger.json`` of a run's folder; every change is on disk before the method returns."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "ledger.json"
        self._work = folder / "work"
        try:
            self._data: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            self._data = {"steps": {}, "resources": []}

    def begin(self, step: str, inputs: dict[str, Any]) -> None:
        """Notes that a step starts on these inputs. What it noted before on the same inputs stays."""
        known = self._data["steps"].get(step, {})
        notes = known.get("notes", {}) if known.get("inputs_sha256") == digest(inputs) else {}
        self._data["steps"][step] = {
            "status": "begun",
            "inputs": inputs,
            "inputs_sha256": digest(inputs),
            "notes": notes,
        }
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
        self._save()

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
        """Makes sure that the files of finished steps are the ones that were recorded.

        Raises:
            StaleResult: A file changed or is gone; results computed from it must not be shown.
        """
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

    def _changed(self, entry: dict[str, Any]) -> list[str]:
        files: dict[str, str] = entry.get("files", {})
        return [
            name
            for name, known in files.items()
            if not (self._work / name).is_file() or sha256(self._work / name) != known
        ]

    def _save(self) -> None:
        write_atomically(self._path, json.dumps(self._data, indent=1, default=str))
