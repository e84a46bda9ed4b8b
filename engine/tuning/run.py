"""One tuning job's life: launch, observe, judge, until it has seen enough. All it knows is in the store, so it can begin anywhere."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from statistics import median
from typing import TYPE_CHECKING, Any

from engine.jobs import record as jobs
from engine.store import Missing
from engine.tuning import (
    children,
    completion,
    early_stopping,
    hyperband,
    naming,
    record,
    sampling,
    suggestions,
    warm_start,
)
from engine.tuning.planning import Plan, Planner
from engine.tuning.record import Trial
from engine.tuning.suggestions import Advisor, AdvisorError
from engine.tuning.warm_start import Prior

if TYPE_CHECKING:
    from engine.context import Engine

_log = logging.getLogger("engine.tuning")

HOPELESS_AFTER = 5
ALL_FAILED = "All training jobs failed. Please take a look at the training jobs failures to get more details."
NONE_SUCCEEDED = "No training job succeeded after %d attempts. Please take a look at the training job failures to get more details."
NO_OBJECTIVE = (
    "No objective metrics found after running %d training jobs. Please ensure that the custom algorithm is emitting the "
    "objective metric as defined by the regular expression provided."
)
INTERNAL = "InternalServerError: We encountered an internal error. Please try again. (%s)"

# From which share of a training's duration on a suggestion is asked for before there is a place for it.
_AHEAD = 0.1
_ASKED_SECONDS = 0.5


class Run:
    """A tuning job that is not ended.

    Args:
        adopt: Told each training job's name before it is launched, so that news of it wake this run.
        notify: Called with the tuning job's name after each change of its document.
    """

    def __init__(
        self,
        engine: Engine,
        advisor: Advisor,
        name: str,
        adopt: Callable[[str], None],
        notify: Callable[[str], None],
    ) -> None:
        self.engine = engine
        self.advisor = advisor
        self.name = name
        self.adopt = adopt
        self.notify = notify
        self.wake = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        self.document: dict[str, Any] = engine.store.get(record.KIND, name).document
        self.trials = record.trials(engine.store, name)
        found = engine.store.find(record.PRIOR, name)
        prior = [Prior(**item) for item in found.document["trials"]] if found else []
        self.planner = Planner(self.document, prior)
        config = self.document["HyperParameterTuningJobConfig"]
        self.parallel = int(config["ResourceLimits"]["MaxParallelTrainingJobs"])
        self.median_rule = config.get("TrainingJobEarlyStoppingType") == "Auto"
        self.ready: Plan | None = None
        self.asking: asyncio.Task[None] | None = None
        self.warming: asyncio.Task[None] | None = None
        self.asked_seconds = _ASKED_SECONDS
        for trial in self.trials:
            if trial.open:
                adopt(trial.name)

    @property
    def curves(self) -> bool:
        """Whether decisions are made on what trainings log while they run."""
        return self.median_rule or self.planner.strategy == "Hyperband"

    def start(self) -> None:
        """Begin, or go on after a restart."""
        self.task = asyncio.create_task(self._guarded(), name=f"tuning {self.name}")

    async def end(self) -> None:
        """Let go of the job: the store has all that the next run needs."""
        for task in (self.asking, self.warming, self.task):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task

    async def _guarded(self) -> None:
        try:
            await self._live()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            _log.exception("tuning job %s", self.name)
            with contextlib.suppress(Exception):
                self._halt_all()
                self._finish("Failed", INTERNAL % error)

    async def _live(self) -> None:
        self._warm_up()
        while True:
            self.wake.clear()
            self.document = self.engine.store.get(record.KIND, self.name).document
            self._observe()
            self._judge()
            closing = self._closing()
            if closing is None:
                self._fill()
            elif not self._halt_all():
                self._finish(*closing)
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), self._seconds_left())

    # What became of the trainings

    def _observe(self) -> None:
        changed = False
        for trial in self.trials:
            if trial.open:
                if not trial.launched:
                    self._launch(trial)
                if children.observe(self.engine, self.document, trial):
                    record.save(self.engine.store, trial, self.engine.clock.time())
                    changed = True
        if changed:
            self._publish()

    def _publish(self) -> None:
        """Bring the tuning job's counters, its best training and its progress up to date."""
        found: dict[str, Any] = record.counters(self.trials)
        minimize = self.planner.minimize
        best = record.best(self.trials, minimize=minimize)
        if best is not None:
            found["BestTrainingJob"] = record.summary(
                self.document, best, children.arn(self.engine, best.name)
            )
        if warm_start.identical(self.document):
            overall = warm_start.overall_best(self.engine.store, self.document, found.get("BestTrainingJob"))
            if overall is not None:
                found["OverallBestTrainingJob"] = overall
        progress = self._progress()
        details = dict(self.document.get("TuningJobCompletionDetails") or {})
        details["NumberOfTrainingJobsObjectiveNotImproving"] = progress.not_improving
        if progress.converged:
            details.setdefault("ConvergenceDetectedTime", self.engine.clock.time())
        found["TuningJobCompletionDetails"] = details
        self._change(found)

    def _progress(self) -> completion.Progress:
        ended = sorted(
            (trial for trial in self.trials if trial.succeeded),
            key=lambda trial: (trial.ended or 0.0, trial.number),
        )
        return completion.progress(
            [trial.value or 0.0 for trial in ended],
            minimize=self.planner.minimize,
            parameters=max(len(space) for space in self.planner.spaces),
        )

    # Who is stopped early

    def _judge(self) -> None:
        if not self.curves:
            return
        for trial in self.trials:
            if trial.open and not trial.halted and len(trial.curve) > trial.judged:
                # A later decision must not look at these values again, also not after a restart.
                start, trial.judged = trial.judged, len(trial.curve)
                trial.halted = self._loses(trial, start) and self._halt(trial.name)
                record.save(self.engine.store, trial, self.engine.clock.time())

    def _loses(self, trial: Trial, start: int) -> bool:
        curve, minimize = trial.curve[: trial.judged], self.planner.minimize
        others = [
            other for other in self.trials if other.definition == trial.definition and other is not trial
        ]
        if self.median_rule:
            previous = [other.curve for other in others if other.status == "Completed"]
            return early_stopping.first_hopeless(curve, start, previous, minimize=minimize) is not None
        levels = self.planner.levels[trial.bracket :]
        beside = [other.curve for other in others if other.bracket == trial.bracket]
        return hyperband.loses(curve, start, levels, beside, largest=self.planner.largest, minimize=minimize)

    def _halt(self, name: str) -> bool:
        """Stop a training job; False when it is past that."""
        try:
            job = self.engine.store.get(jobs.KIND, name).document
            if job["TrainingJobStatus"] != "InProgress" or job["SecondaryStatus"] == "Uploading":
                return False
            self.engine.jobs.halt(name)
        except Missing:
            return False
        return True

    def _halt_all(self) -> int:
        """Stop whatever still runs; how many trainings are not at their end."""
        running = [trial for trial in self.trials if trial.open]
        for trial in running:
            self._halt(trial.name)
        return len(running)

    # When it is over

    def _closing(self) -> tuple[str, str] | None:
        """How the tuning job is to end (status and reason), None while it goes on."""
        if self.document["HyperParameterTuningJobStatus"] == "Stopping":
            return "Stopped", ""
        kept = self.document.get("_closing")
        if kept is None:
            kept = self._enough()
            if kept is not None:
                # So that it closes, and does not go on, whenever the engine ends now.
                self._change({"_closing": list(kept)})
        return (kept[0], kept[1]) if kept is not None else None

    def _enough(self) -> tuple[str, str] | None:
        config = self.document["HyperParameterTuningJobConfig"]
        ended = [trial for trial in self.trials if not trial.open]
        best = record.best(ended, minimize=self.planner.minimize)
        if best is None and len(ended) >= HOPELESS_AFTER:
            return "Failed", self._why_failed(len(ended), NONE_SUCCEEDED % len(ended))
        left = self._seconds_left()
        if left is not None and left <= 0:
            return ("Completed", "") if best else ("Failed", self._why_failed(len(ended), ALL_FAILED))
        criteria = config.get("TuningJobCompletionCriteria") or {}
        if criteria and completion.reached(
            criteria,
            best.value if best else None,
            self._progress(),
            minimize=self.planner.minimize,
        ):
            return "Completed", ""
        if len(ended) == len(self.trials) and self.planner.next(self.trials) is None:
            return ("Completed", "") if best else ("Failed", self._why_failed(len(ended), ALL_FAILED))
        return None

    def _why_failed(self, count: int, otherwise: str) -> str:
        silent = any(trial.status == "Completed" for trial in self.trials)
        return NO_OBJECTIVE % count if silent else otherwise

    def _seconds_left(self) -> float | None:
        limits = self.document["HyperParameterTuningJobConfig"]["ResourceLimits"]
        seconds = limits.get("MaxRuntimeInSeconds")
        if (
            seconds is None
            or self.document.get("_closing")
            or self.document["HyperParameterTuningJobStatus"] != "InProgress"
        ):
            return None
        deadline = float(self.document["CreationTime"]) + float(seconds)
        return max(0.0, deadline - self.engine.clock.time())

    def _finish(self, status: str, reason: str = "") -> None:
        now = self.engine.clock.time()
        found = {
            "HyperParameterTuningJobStatus": status,
            "HyperParameterTuningEndTime": now,
            "ConsumedResources": {"RuntimeInSeconds": round(now - self.document["CreationTime"])},
        }
        if reason:
            found["FailureReason"] = reason[: jobs.FAILURE_LIMIT]
        self._change(found, status)

    # What is launched next

    def _fill(self) -> None:
        """Launch trainings while there is room; where the model is needed, ask for its advice."""
        while sum(1 for trial in self.trials if trial.open) < self.parallel:
            plan = self.ready or self.planner.next(self.trials)
            if plan is None:
                return
            if plan.parameters is None:
                self._ask(plan)
                return
            self.ready = None
            self._commit(plan)
        if self.ready is None and self.asking is None and self._pays_ahead():
            plan = self.planner.next(self.trials)
            if plan is not None and plan.request is not None:
                self._ask(plan)

    def _commit(self, plan: Plan) -> None:
        number = len(self.trials) + 1
        trial = Trial(
            name=naming.child(self.name, number),
            number=number,
            definition=plan.definition,
            parameters=plan.parameters or {},
            created=self.engine.clock.time(),
            again=plan.again,
            bracket=plan.bracket,
        )
        record.add(self.engine.store, self.name, trial)
        self.trials.append(trial)
        self.adopt(trial.name)
        self._launch(trial)
        self._publish()

    def _launch(self, trial: Trial) -> None:
        children.launch(self.engine, self.document, trial, curve=self.curves)
        trial.launched = True
        record.save(self.engine.store, trial, self.engine.clock.time())

    def _ask(self, plan: Plan) -> None:
        if self.asking is None:
            self.asking = asyncio.create_task(self._asked(plan), name=f"advice for {self.name}")

    async def _asked(self, plan: Plan) -> None:
        assert plan.request is not None
        began = time.monotonic()
        parameters = None
        try:
            parameters = await self.advisor.ask(plan.request)
            self.asked_seconds = time.monotonic() - began
        except AdvisorError as error:
            _log.warning("tuning job %s tries a random configuration: %s", self.name, error)
        finally:
            self.asking = None
        self.ready = self.planner.answered(plan, parameters, self.trials)
        self.wake.set()

    def _pays_ahead(self) -> bool:
        """Whether to ask before there is room, without the results of what runs.

        It costs the model a little of what it could know, so it is done only where waiting for the answer would take more than a
        tenth of a training's time.
        """
        durations = [trial.ended - trial.created for trial in self.trials if trial.ended is not None]
        return bool(durations) and self.asked_seconds > _AHEAD * median(durations)

    def _warm_up(self) -> None:
        """Have the advisor load its libraries while the first trainings, which need no advice, run."""
        planner = self.planner
        if planner.strategy != "Bayesian" or planner.limit <= planner.startup(0):
            return
        space = planner.spaces[0]
        request = suggestions.request(
            space,
            [(sampling.spread(space, 0, number, 2), float(number)) for number in range(2)],
            minimize=True,
            seed=0,
            sampler="gp",
        )

        async def ask() -> None:
            with contextlib.suppress(AdvisorError):
                await self.advisor.ask(request)

        self.warming = asyncio.create_task(ask(), name=f"warming up for {self.name}")

    # The record

    def _change(self, changes: dict[str, Any], status: str | None = None) -> None:
        now = self.engine.clock.time()

        def apply(document: dict[str, Any]) -> None:
            document.update(changes)
            document["LastModifiedTime"] = now

        self.document = self.engine.store.update(
            record.KIND, self.name, apply, now=now, status=status
        ).document
        self.notify(self.name)
