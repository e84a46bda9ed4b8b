"""Whether what a run shows is still what it computed: the files of its folder against the hashes that it recorded.

A result whose inputs changed is withheld with the reason: a replaced file of predictions, an edited table of features, another
model's archive, a step that was done again without those that rest on it. `check` reads and hashes: call it in a thread. A file
that has the size and the time of change it had at the last look is not read again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from workflows import events
from workflows.events import Event
from workflows.files import sha256, signature
from workflows.ledger import Ledger, hashes
from workflows.runs import Run, list_runs

State = Literal["as recorded", "changed", "gone"]


@dataclass(frozen=True, slots=True)
class Item:
    """Something that was hashed: ``what`` is data, features, code, model, predictions or file; ``name`` how the run calls it.

    ``state`` is of files only; empty for what is recorded and lies nowhere here (code, a source outside of the run).
    """

    step: str
    what: str
    name: str
    sha256: str
    state: State | Literal[""] = ""


@dataclass(frozen=True, slots=True)
class Stale:
    """Why the results of a step are withheld, and what to do. ``cause`` is the step where it began."""

    step: str
    reason: str
    remedy: str
    cause: str

    def __str__(self) -> str:
        return f"{self.reason} {self.remedy}"


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a run recorded and what became of it. ``stale`` by step; ``origins`` are the steps of metrics (empty: of several)."""

    run: str
    items: tuple[Item, ...] = ()
    stale: Mapping[str, Stale] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] | None = None
    """What the ledger says was measured; None for runs that did not keep it."""

    @property
    def reasons(self) -> tuple[Stale, ...]:
        """One per step where something changed, without the steps that only rest on it."""
        return tuple(item for item in self.stale.values() if item.cause == item.step)

    @property
    def sentence(self) -> str:
        """Why results are withheld, and the remedy; empty when none is."""
        if not self.stale:
            return ""
        reasons = " ".join(item.reason for item in self.reasons)
        return f"Results are withheld. {reasons} {self.reasons[0].remedy}"

    def withheld(self, metric: str, value: float | None = None) -> Stale | None:
        """Why a metric (with the value that would be shown) must not be shown, or None."""
        known = self.metrics
        if known is not None and value is not None and known.get(metric) != value:
            return Stale(
                "",
                f"{metric} is not what the run measured: it recorded {known.get(metric, 'no such metric')}.",
                _REMEDY.format(run=self.run),
                "",
            )
        if not self.stale:
            return None
        origin = self.origins.get(metric, "")
        return self.stale.get(origin) if origin else self.reasons[0]

    def reason_for(self, metrics: Mapping[str, float]) -> str:
        """Why some of these metrics are withheld, and the remedy; empty when none is."""
        if self.stale:
            return self.sentence
        found = [why for name, value in metrics.items() if (why := self.withheld(name, value))]
        if not found:
            return ""
        return f"Results are withheld. {' '.join(item.reason for item in found[:3])} {found[0].remedy}"

    def shown(self, event: Event) -> Event | None:
        """The event as it may be shown: without what came from something that changed; None when nothing is left of it."""
        if isinstance(event, events.RunFinished):
            kept = {name: value for name, value in event.metrics.items() if not self.withheld(name, value)}
            if not self.stale and len(kept) == len(event.metrics):
                return event
            return replace(event, metrics=kept, message=self.reason_for(event.metrics) or event.message)
        why = self.stale.get(event.step)
        if why is None:
            return event
        if isinstance(event, events.StepFinished) and event.status in ("done", "reused"):
            return replace(event, summary=f"Withheld: {why.reason}")
        if isinstance(event, events.Table | events.Figure | events.Gate | events.Metric):
            return None
        return event


_REMEDY = "Restore the files, or start a new run (`mlconsole runs show {run}` has its parameters); nothing else of it is lost."


def check(run: Run, *, quick: bool = False) -> Lineage:
    """Compares the folder of a run with its ledger.

    Args:
        run: The run; of one that works still, only finished steps are looked at.
        quick: Look at sizes and times of change first, and hash only files whose differ from those that were recorded.
    """
    try:
        ledger = Ledger(run.folder)
        recorded = ledger.steps()
        metrics = ledger.metrics()
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        return _unknown(
            run,
            f"The ledger of run {run.id} cannot be read ({error}): nothing tells whether its results are its own.",
        )
    if ledger.run not in ("", run.id):
        return _unknown(run, f"The ledger in the folder of run {run.id} is that of run {ledger.run}.")
    order = _order(run, recorded)
    items: list[Item] = []
    stale: dict[str, Stale] = {}
    for place, step in enumerate(order):
        entry = recorded[step]
        if entry.get("status") != "done":
            continue
        found, wrong = _files(run, step, entry, quick)
        items += _sources(step, entry) + found
        cause = step
        if not wrong and (link := _broken(entry, recorded)):
            wrong = f"{link} was done again since, with another result than step {step} rests on."
        if not wrong:
            relied = {*entry.get("links", {}).values(), *entry.get("relies", [])}
            # Runs that kept no links rest, as far as anybody knows, on everything before.
            before = [name for name in order[:place] if name in relied or "links" not in entry]
            broken = next((stale[name] for name in before if name in stale), None)
            if broken is not None:
                wrong, cause = broken.reason, broken.cause
        if wrong:
            stale[step] = Stale(step, wrong, _REMEDY.format(run=run.id), cause)
    return Lineage(
        run=run.id,
        items=tuple(items),
        stale=stale,
        origins={name: str(item["step"]) for name, item in metrics.items()},
        metrics={name: float(item["value"]) for name, item in metrics.items()} if metrics else None,
    )


def as_shown(run: Run, *, quick: bool = True) -> Run:
    """The run without metrics and conclusions that do not hold any more; itself where all do. Cheap enough for lists: a run that
    has ended is looked at again after `AGAIN` seconds, or when its ledger changes."""
    if run.active or not run.metrics:
        return run
    checked = _lately(run) if quick else check(run)
    kept = {name: value for name, value in run.metrics.items() if not checked.withheld(name, value)}
    if len(kept) == len(run.metrics):
        return run
    return replace(run, metrics=kept, message=checked.reason_for(run.metrics))


def _lately(run: Run) -> Lineage:
    try:
        mark = tuple(signature(run.folder / "ledger.json"))
    except OSError:
        mark = ()
    now = time.monotonic()
    with _LOCK:
        known = _CHECKED.get(run.folder)
    if known is not None and known[1] == mark and now - known[0] < AGAIN:
        return known[2]
    found = check(run, quick=True)
    with _LOCK:
        _CHECKED[run.folder] = (now, mark, found)
    return found


def _order(run: Run, recorded: Mapping[str, object]) -> list[str]:
    """The recorded steps as the study orders them; a step that was done again stands last in a ledger."""
    known = [name for name, _ in _declared(run)]
    return [name for name in known if name in recorded] + [name for name in recorded if name not in known]


def _declared(run: Run) -> tuple[tuple[str, str], ...]:
    """The study's steps; none when it is one of another version."""
    from workflows.failures import WorkflowError
    from workflows.studies.catalog import find

    try:
        return find(run.study).steps
    except WorkflowError:
        return ()


def _files(run: Run, step: str, entry: Mapping[str, object], quick: bool) -> tuple[list[Item], str]:
    """The files of a step, and what is wrong with them."""
    items, wrong = [], ""
    files = entry.get("files")
    seen = entry.get("seen")
    for name, digest in files.items() if isinstance(files, dict) else ():
        path = run.work / name
        known = seen.get(name) if quick and isinstance(seen, dict) else None
        state: State = "as recorded"
        try:
            if known != signature(path) and cached_sha256(path) != digest:
                state = "changed"
        except OSError:
            state = "gone"
        items.append(Item(step, _what(step, name), name, digest, state))
        if state != "as recorded" and not wrong:
            wrong = _told(run, step, name, state)
    return items, wrong


def _told(run: Run, step: str, name: str, state: State) -> str:
    if state == "gone":
        return f"{name} (step {step}) is gone from the run's folder."
    owner = _owner(run, cached_sha256(run.work / name))
    whose = f": it is the {owner[1]} of run {owner[0]}" if owner else ""
    return f"{name} (step {step}) is not the file that the run recorded{whose}."


def _owner(run: Run, digest: str) -> tuple[str, str] | None:
    """The other run that recorded a file of this content, and the file's name there."""
    for other in list_runs():
        if other.id == run.id:
            continue
        try:
            steps = Ledger(other.folder).steps()
        except (OSError, ValueError, KeyError):
            continue
        for entry in steps.values():
            for name, known in entry.get("files", {}).items():
                if known == digest:
                    return other.id, name
    return None


def _broken(entry: Mapping[str, object], recorded: Mapping[str, Mapping[str, object]]) -> str:
    """The step whose results are not those any more that this one was computed from; empty when all are."""
    links = entry.get("links")
    for digest, step in links.items() if isinstance(links, dict) else ():
        source = recorded.get(step, {})
        if digest not in {value for _, value in hashes([source.get("outputs"), source.get("files")])}:
            return f"Step {step}"
    return ""


def _sources(step: str, entry: Mapping[str, object]) -> list[Item]:
    """What a step took from outside of the run: data and code, by the digests among its inputs that no step made."""
    links = entry.get("links")
    files = entry.get("files")
    made = {*(links if isinstance(links, dict) else ()), *(files.values() if isinstance(files, dict) else ())}
    found = []
    for path, digest in hashes(entry.get("inputs")):
        if digest not in made and (isinstance(links, dict) or path[-1] in ("code", "data", "corpus")):
            what = "code" if path[-1] == "code" else "data"
            found.append(Item(step, what, " ".join(path), digest))
    return found


def _what(step: str, name: str) -> str:
    """What a file is, by where it comes from."""
    if step == "prepare":
        return "features" if "features" in name else "data"
    if name.endswith(".tar.gz"):
        return "model"
    if step == "predict" or "predictions" in name or "offline" in name or "scores" in name:
        return "predictions"
    return "file"


def _unknown(run: Run, reason: str) -> Lineage:
    """Nothing of a run can be trusted: each of its steps is stale."""
    remedy = _REMEDY.format(run=run.id)
    steps = [name for name, _ in _declared(run)] or [""]
    return Lineage(run.id, stale={step: Stale(step, reason, remedy, steps[0]) for step in steps})


AGAIN = 30.0
"""Seconds after which a list looks at a run's files again."""
_CHECKED: dict[Path, tuple[float, tuple[int, ...], Lineage]] = {}
_KNOWN: dict[str, tuple[tuple[int, ...], str]] = {}
_LOCK = threading.Lock()


def cached_sha256(path: Path) -> str:
    """A file's SHA-256; one that was hashed before is read again only when its size, time or inode changed.

    Raises:
        OSError: It cannot be read.
    """
    found = path.stat()
    mark = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
    with _LOCK:
        known = _KNOWN.get(str(path))
    if known is not None and known[0] == mark:
        return known[1]
    digest = sha256(path)
    with _LOCK:
        _KNOWN[str(path)] = (mark, digest)
    return digest


def as_dict(lineage: Lineage) -> dict[str, object]:
    """As ``--json`` prints it."""
    from dataclasses import asdict

    return {
        "stale": [asdict(item) for item in lineage.stale.values()],
        "items": [asdict(item) for item in lineage.items],
    }
