"""What is observed of hyperparameter tuning: frozen rows and details. Times are epoch seconds, durations seconds.

A *trial* is one training job that a tuning job made; a *default run* is a training job with the same data and the static
hyperparameters, but the algorithm's own defaults where the tuning job searches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Direction = Literal["Minimize", "Maximize"]
Scaling = Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"]
RangeKind = Literal["integer", "continuous", "categorical", "auto"]

ACTIVE_TUNING = frozenset({"InProgress", "Stopping", "Deleting"})
ACTIVE_TRIAL = frozenset({"InProgress", "Stopping", "Deleting"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialCounts:
    """How many trials are in which state. ``retryable`` and ``failed`` are SageMaker's RetryableError and NonRetryableError;
    ``succeeded``, ``pending`` and ``missing`` count their objective values."""

    completed: int = 0
    running: int = 0
    retryable: int = 0
    failed: int = 0
    stopped: int = 0
    succeeded: int = 0
    pending: int = 0
    missing: int = 0

    @property
    def launched(self) -> int:
        """All trials so far; one that is tried again counts once, when it has ended."""
        return self.completed + self.running + self.failed + self.stopped

    @property
    def ended(self) -> int:
        """Trials that will not change any more."""
        return self.completed + self.failed + self.stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningRow:
    """One line of the list of tuning jobs.

    ``most_jobs`` is 0 where no limit is set. ``objective``, ``direction``, ``best_value`` and ``best_job`` are not in
    SageMaker's list: they are empty (None) until the job was described once.
    """

    name: str
    status: str
    strategy: str = ""
    created: float
    modified: float
    ended: float | None = None
    counts: TrialCounts = field(default_factory=TrialCounts)
    most_jobs: int = 0
    parallel: int = 0
    objective: str = ""
    direction: str = ""
    best_value: float | None = None
    best_job: str = ""

    @property
    def active(self) -> bool:
        """Whether the job can still change by itself."""
        return self.status in ACTIVE_TUNING

    @property
    def part_done(self) -> float:
        """Ended trials over the most that there can be, 0 to 1; 0 where there is no limit."""
        return min(1.0, self.counts.ended / self.most_jobs) if self.most_jobs else 0.0

    def seconds(self, now: float) -> float:
        """From creation to its end, or until ``now`` while it is active."""
        return max(0.0, (self.ended or (now if self.active else self.modified)) - self.created)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What is optimised, and which way."""

    name: str
    direction: Direction

    def better(self, left: float, right: float) -> bool:
        """Whether ``left`` is better than ``right``."""
        return left < right if self.direction == "Minimize" else left > right


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """One searched hyperparameter.

    Integer and continuous ranges have ``low``, ``high`` and ``scaling`` (as asked for: ``Auto`` may become logarithmic);
    categorical ones have ``values``; ``auto`` ones (Autotune) have only ``hint``. ``low_text`` and ``high_text`` are the
    bounds as they were sent.
    """

    name: str
    kind: RangeKind
    low: float = 0.0
    high: float = 0.0
    scaling: Scaling = "Auto"
    values: tuple[str, ...] = ()
    low_text: str = ""
    high_text: str = ""
    hint: str = ""

    @property
    def numeric(self) -> bool:
        """Whether it has an axis of numbers."""
        return self.kind in ("integer", "continuous")


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One training job definition of a tuning job; ``name`` is empty where there is only one and it has none.

    ``instances`` are (type, count) of one trial.
    """

    name: str = ""
    objective: Objective | None = None
    ranges: tuple[Range, ...] = ()
    static: Mapping[str, str] = field(default_factory=dict)
    image: str = ""
    role: str = ""
    metric_definitions: Mapping[str, str] = field(default_factory=dict)
    channels: tuple[tuple[str, str], ...] = ()
    output_path: str = ""
    instances: tuple[tuple[str, int], ...] = ()
    max_runtime: int = 0
    retries: int = 0
    spot: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow:
    """One trial.

    ``value`` is the final objective value (None: none yet, or none was found in its log), ``tuned`` its searched
    hyperparameters as they were given to the training job. ``early_stopped``: the tuning job ended it because it was not
    promising (a trial that ended because a person stopped the tuning job is not). ``cost`` is in US dollars as estimated
    by `workflows.costs`, None while it runs and where no price is known.
    """

    name: str
    status: str
    objective_status: str = ""
    value: float | None = None
    metric: str = ""
    tuned: Mapping[str, str] = field(default_factory=dict)
    created: float
    started: float | None = None
    ended: float | None = None
    definition: str = ""
    tuning_job: str = ""
    failure_reason: str = ""
    arn: str = ""
    early_stopped: bool = False
    cost: float | None = None

    @property
    def active(self) -> bool:
        """Whether the training job still runs."""
        return self.status in ACTIVE_TRIAL

    def seconds(self, now: float) -> float:
        """Training time so far: from its start (its creation while it has not started) to its end or ``now``."""
        begun = self.started or self.created
        return max(0.0, (self.ended or (now if self.active else begun)) - begun)


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningDetail:
    """One tuning job as DescribeHyperParameterTuningJob tells it; ``raw`` is the whole answer, JSON-ready.

    Args:
        early_stopping: ``Off`` or ``Auto``.
        warm_start: ``IdenticalDataAndAlgorithm`` or ``TransferLearning``, with ``parents``; empty: none.
        best: The best trial of this job; ``overall_best`` the best one of it and its parents (only for a warm start with
            identical data and algorithm).
        target_value: The objective value at which the job is complete; None: none is set.
        most_not_improving: Trials without a better objective after which the job is complete; 0: no such criterion.
        not_improving: Trials since the best one, where SageMaker tells it.
        converged_at: When SageMaker found that nothing better is to be expected.
        max_runtime: Seconds that the whole tuning job may take; 0: no such limit.
        resource: (smallest, largest) resource of Hyperband.
    """

    row: TuningRow
    arn: str = ""
    objective: Objective | None = None
    definitions: tuple[Definition, ...] = ()
    early_stopping: str = "Off"
    max_runtime: int = 0
    target_value: float | None = None
    most_not_improving: int = 0
    complete_on_convergence: bool = False
    not_improving: int | None = None
    converged_at: float | None = None
    consumed_seconds: int | None = None
    random_seed: int | None = None
    resource: tuple[int, int] | None = None
    autotune: bool = False
    warm_start: str = ""
    parents: tuple[str, ...] = ()
    best: TrialRow | None = None
    overall_best: TrialRow | None = None
    failure_reason: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The tuning job's name."""
        return self.row.name

    def definition(self, name: str) -> Definition | None:
        """The definition of that name; the only one where there is no other."""
        found = next((item for item in self.definitions if item.name == name), None)
        return found or (self.definitions[0] if len(self.definitions) == 1 else None)

    @property
    def ranges(self) -> tuple[Range, ...]:
        """The searched hyperparameters of all definitions, each name once (as its first definition has it)."""
        found: dict[str, Range] = {}
        for definition in self.definitions:
            for item in definition.ranges:
                found.setdefault(item.name, item)
        return tuple(found.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultRow:
    """One run of the default configuration, made to be compared with the tuned one; ``value`` is the same metric's."""

    name: str
    status: str
    value: float | None = None
    seed: str = ""
    created: float
    started: float | None = None
    ended: float | None = None
    failure_reason: str = ""
    cost: float | None = None

    @property
    def active(self) -> bool:
        """Whether the training job still runs."""
        return self.status in ACTIVE_TRIAL


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningView:
    """One tuning job with all its trials (oldest first) and the default runs that were made for it."""

    detail: TuningDetail
    trials: tuple[TrialRow, ...] = ()
    defaults: tuple[DefaultRow, ...] = ()

    @property
    def active(self) -> bool:
        """Whether anything of it can still change by itself."""
        running = any(trial.active for trial in self.trials) or any(run.active for run in self.defaults)
        return self.detail.row.active or running
