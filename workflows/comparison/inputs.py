"""What went into a run, and where two runs differ in that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workflows.comparison.rows import Difference, Kind
from workflows.ledger import Ledger, hashes
from workflows.runs import Run
from workflows.studies.machines import PLACES

Key = tuple[Kind, str]
MADE: frozenset[Kind] = frozenset(("split", "model", "predictions", "result"))
"""What a run makes itself: it differs because something else does."""
_DATA: Key = ("data", "data")
REACHED: frozenset[Kind] = MADE | {"image"}
"""What a run has when it got that far: that one did not is no difference of inputs."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Values by kind and name; ``unknown`` are kinds that the run did not record."""

    values: Mapping[Key, Any]
    unknown: tuple[str, ...]


def of(run: Run) -> Inputs:
    """What a run's manifest and ledger tell of its inputs and of what it made."""
    steps = Ledger(run.folder).steps()
    values: dict[Key, Any] = dict(_asked(run))
    values.update(_recorded(run, steps))
    unknown = tuple(
        name
        for name, kept in (("versions of the libraries", run.versions), ("the code", run.sources))
        if not kept
    )
    return Inputs(values, unknown)


def differences(a: Inputs, b: Inputs) -> tuple[Difference, ...]:
    """What is not the same, causes first."""
    found = []
    other_data = a.values.get(_DATA) != b.values.get(_DATA)
    for key in dict.fromkeys((*a.values, *b.values)):
        kind, name = key
        before, after = a.values.get(key), b.values.get(key)
        if before == after or (kind in REACHED and None in (before, after)):
            continue
        if kind in ("library", "code") and not (_has(a, kind) and _has(b, kind)):
            continue  # one run is of a version that did not record it
        # Where data came from, and what was asked for, is no cause beside the data themselves.
        about_data = kind == "source" or (kind == "parameter" and name == "data" and other_data)
        cause = kind not in MADE and kind != "machine" and not about_data
        found.append(Difference(kind, name, before, after, cause))
    # What is prepared follows from data, parameters and code; where none of them differs, it is itself the cause.
    if not any(item.cause for item in found):
        found = [
            Difference(item.kind, item.name, item.a, item.b, True) if item.kind == "split" else item
            for item in found
        ]
    return tuple(sorted(found, key=lambda item: not item.cause))


def _has(inputs: Inputs, kind: Kind) -> bool:
    return any(known == kind for known, _ in inputs.values)


def _asked(run: Run) -> Iterator[tuple[Key, Any]]:
    """What the manifest has."""
    yield ("interface", "interface"), run.interface
    yield ("target", "target"), run.target
    if run.target == "aws":
        for name in ("account", "region"):
            yield ("target", name), run.platform.get(name, "")
    for name, value in run.parameters.items():
        yield (("machine" if name in PLACES else "parameter"), name), value
    for name, version in run.versions.items():
        yield ("library", name), version
    for name, digest in run.sources.items():
        yield ("code", name), digest


def _recorded(run: Run, steps: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[Key, Any]]:
    """What the ledger has: data and images that came from outside, and what the steps made."""
    for number, (step, entry) in enumerate(steps.items()):
        inputs = entry.get("inputs", {})
        if number == 0:
            source = entry.get("outputs", {}).get("source")
            if isinstance(source, dict):
                yield ("data", "data"), source.get("sha256")
                yield ("source", "source"), source.get("source")
            else:
                # Where no source is told, what the first step depends on is the data: parameters aside.
                for name, value in inputs.items():
                    if name not in run.parameters and name not in ("code", "path"):
                        yield ("data", name), value
        if image := inputs.get("image"):
            yield ("image", str(image).rpartition("/")[2].partition(":")[0]), image
        for path, digest in hashes(entry.get("outputs")):
            name = " ".join(path)
            if path[0] == "source" or "corpus" in path[0]:
                continue
            yield (_made(number, step, name), f"{step} {name}".replace("_sha256", "")), digest


def _made(number: int, step: str, name: str) -> Kind:
    if number == 0:
        return "split"
    if step == "train":
        return "model"
    return "predictions" if "predictions" in name else "result"
