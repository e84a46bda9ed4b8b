"""What is kept of a tuning job: its own document, and one row per training job that it launched.

The tuning job's document is what Describe answers; keys that begin with an underscore are the engine's own and are never
sent. A trial's row is committed before its training job is created, so that no restart launches one twice or forgets it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from engine.statuses import ENDED
from engine.store import Filter, Store

KIND = "hyper-parameter-tuning-job"
TRIAL = "tuning-trial"
PRIOR = "tuning-prior"

INTERNAL = "InternalServerError"


@dataclass(slots=True)
class Trial:
    """One training job of a tuning job.

    Args:
        name: The training job's.
        number: Counts from 1 within the tuning job.
        definition: Index of the training job definition.
        parameters: The tuned hyperparameters, as texts.
        again: The name of the trial whose retryable error this one makes good for, "" for a new configuration.
        bracket: Hyperband's bracket.
        launched: Whether the training job was created; until then it may still have to be.
        status: The training job's status.
        value: The objective's last value, None when there is none (yet).
        curve: The objective's values in order; kept where later decisions need them.
        judged: How many values of the curve decisions have been made on.
        halted: Whether the tuning job stopped it early.
    """

    name: str
    number: int
    definition: int
    parameters: dict[str, str]
    created: float
    again: str = ""
    bracket: int = 0
    launched: bool = False
    status: str = "InProgress"
    value: float | None = None
    curve: list[float] = field(default_factory=list)
    judged: int = 0
    halted: bool = False
    started: float | None = None
    ended: float | None = None
    reason: str = ""

    @property
    def open(self) -> bool:
        """Whether the training job is not at its end."""
        return self.status not in ENDED

    @property
    def objective_status(self) -> str:
        """Succeeded with a value that counts, Pending, or Failed."""
        if self.open:
            return "Pending"
        return "Failed" if self.status == "Failed" or self.value is None else "Succeeded"

    @property
    def succeeded(self) -> bool:
        return self.objective_status == "Succeeded"

    @property
    def retryable(self) -> bool:
        """Whether it failed for a reason that is not the training job's own."""
        return self.status == "Failed" and self.reason.startswith(INTERNAL)


_FIELDS = frozenset(item.name for item in fields(Trial))


def trials(store: Store, tuning: str) -> list[Trial]:
    """A tuning job's trials in the order in which they were planned; some 50 µs each."""
    rows = store.select(TRIAL, [Filter("parent", "=", tuning)], sort_by="name")
    found = [Trial(**{key: value for key, value in row.document.items() if key in _FIELDS}) for row in rows]
    return sorted(found, key=lambda trial: trial.number)


def add(store: Store, tuning: str, trial: Trial) -> None:
    """Commit a trial that is about to be launched."""
    store.create(TRIAL, trial.name, asdict(trial), now=trial.created, status=trial.status, parent=tuning)


def save(store: Store, trial: Trial, now: float) -> None:
    """Commit what became of a trial. While it runs its curve is not kept: the log has it."""
    document = asdict(replace(trial, curve=[]) if trial.open else trial)
    store.update(TRIAL, trial.name, lambda _: document, now=now, status=trial.status)


def drop(store: Store, tuning: str) -> None:
    """Forget a tuning job and its trials; the training jobs stay."""
    for row in store.select(TRIAL, [Filter("parent", "=", tuning)], shared=True):
        store.delete(TRIAL, row.name)
    store.delete(PRIOR, tuning)
    store.delete(KIND, tuning)


def definitions(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The training job definitions of a tuning job or of its request, one or several."""
    if document.get("TrainingJobDefinitions"):
        return list(document["TrainingJobDefinitions"])
    return [document["TrainingJobDefinition"]] if document.get("TrainingJobDefinition") else []


def objective(document: Mapping[str, Any], definition: int = 0) -> dict[str, str]:
    """The objective (``Type``, ``MetricName``) of one of a tuning job's definitions."""
    own = definitions(document)[definition].get("TuningObjective")
    found: dict[str, str] = (
        own or document["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
    )
    return found


def minimize(document: Mapping[str, Any]) -> bool:
    """Whether small values are good ones; all definitions of a tuning job agree on that."""
    return objective(document)["Type"] == "Minimize"


def ranges(document: Mapping[str, Any], definition: int = 0) -> Mapping[str, Any]:
    """The ParameterRanges of one of the definitions."""
    own = definitions(document)[definition].get("HyperParameterRanges")
    return own or document["HyperParameterTuningJobConfig"].get("ParameterRanges") or {}


def best(found: Iterable[Trial], *, minimize: bool) -> Trial | None:
    """The trial with the best value, the earlier one of equals; None when none has a value."""
    sign = 1 if minimize else -1
    return min(
        (trial for trial in found if trial.succeeded),
        key=lambda trial: (sign * (trial.value or 0.0), trial.number),
        default=None,
    )


def counters(found: Sequence[Trial]) -> dict[str, dict[str, int]]:
    """The two counter structures of Describe and List."""
    status = dict.fromkeys(("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped"), 0)
    objective = dict.fromkeys(("Succeeded", "Pending", "Failed"), 0)
    for trial in found:
        if trial.status == "Failed":
            status["RetryableError" if trial.retryable else "NonRetryableError"] += 1
        else:
            status["InProgress" if trial.open else trial.status] += 1
        objective[trial.objective_status] += 1
    return {"TrainingJobStatusCounters": status, "ObjectiveStatusCounters": objective}


def summary(document: Mapping[str, Any], trial: Trial, arn: str) -> dict[str, Any]:
    """A HyperParameterTrainingJobSummary.

    Args:
        arn: The training job's.
    """
    found: dict[str, Any] = {
        "TrainingJobName": trial.name,
        "TrainingJobArn": arn,
        "CreationTime": trial.created,
        "TrainingStartTime": trial.started,
        "TrainingEndTime": trial.ended,
        "TrainingJobStatus": trial.status,
        "TunedHyperParameters": trial.parameters,
        "ObjectiveStatus": trial.objective_status,
        "FailureReason": trial.reason or None,
        "TrainingJobDefinitionName": definitions(document)[trial.definition].get("DefinitionName"),
    }
    if trial.succeeded:
        wanted = objective(document, trial.definition)
        found["FinalHyperParameterTuningJobObjectiveMetric"] = {
            "Type": wanted["Type"], "MetricName": wanted["MetricName"], "Value": trial.value,
        }  # fmt: skip
    return {key: value for key, value in found.items() if value is not None}
