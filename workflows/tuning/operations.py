"""What can be done with tuning jobs, through either interface: wait, deploy the best trial."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workflows.failures import WorkflowError
from workflows.interfaces.base import EndpointRequest
from workflows.interfaces.tuning.base import ENDED, Tuning
from workflows.interfaces.waiting import Waiter
from workflows.observe.rows import JobDetail
from workflows.observe.tuning_rows import TrialRow, TuningDetail
from workflows.problem import Problem
from workflows.serving import container

TAG = "mlconsole:tuning-job"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A change of a tuning job that is waited for: its detail, and what is new since the last one, as a sentence."""

    detail: TuningDetail
    sentence: str


def wait(
    tuning: Tuning,
    name: str,
    waiter: Waiter,
    told: Callable[[Progress], None] | None = None,
    timeout: float = 30 * 86_400,
) -> TuningDetail:
    """Wait until a tuning job has ended; ``told`` hears of each change.

    Raises:
        Cancelled: Waiting was called off; the tuning job goes on.
        WorkflowError: There is no such job, or the time is over.
    """
    last: list[TuningDetail] = []

    def poll() -> tuple[bool, object]:
        found = tuning.describe(name)
        if found is None:
            raise WorkflowError(
                Problem(f"There is no tuning job {name}.", "`mlconsole tuning ls` lists them.", "not-found")
            )
        news = _news(last[-1] if last else None, found)
        last[:] = [found]
        if news and told is not None:
            told(Progress(detail=found, sentence=news))
        return found.row.status in ENDED, (found.row.status, found.row.counts)

    waiter.until(poll, f"Tuning job {name}", timeout)
    return last[0]


def best_of(detail: TuningDetail) -> TrialRow:
    """The best trial, over the parents too where SageMaker compares with them.

    Raises:
        Problem: No trial has an objective value yet.
    """
    best = detail.overall_best or detail.best
    if best is None:
        raise Problem(
            f"{detail.name} has no best trial yet.", "Wait for a trial that ends with a value.", "best"
        )
    return best


def deployment(
    detail: TuningDetail, best: JobDetail, *, endpoint: str = "", instance_type: str = ""
) -> EndpointRequest:
    """The endpoint that serves the best trial's model: model, endpoint configuration and endpoint, all with one name.

    Args:
        best: The best trial as a described training job.
        endpoint: Empty: named as the trial.
        instance_type: Empty: that of the trial.

    Raises:
        Problem: The trial has no model artefact.
    """
    if not best.model_artifact:
        raise Problem(
            f"The best trial {best.name} has no model artefact.",
            "Was it stopped before it could save one?",
            "model",
        )
    image, environment = container(best)
    return EndpointRequest(
        name=endpoint or best.name,
        image=image,
        model_uri=best.model_artifact,
        environment=environment,
        instance_type=instance_type or best.row.instance_type or "ml.m5.large",
        tags={TAG: detail.name, "mlconsole:training-job": best.name},
        role=best.role,
    )


def _news(before: TuningDetail | None, now: TuningDetail) -> str:
    counts, row = now.row.counts, now.row
    if before is not None and (before.row.status, before.row.counts, before.best) == (
        row.status,
        counts,
        now.best,
    ):
        return ""
    done = f"{counts.ended} of {row.most_jobs}" if row.most_jobs else f"{counts.ended}"
    parts = [f"{row.status}: {done} trials ended, {counts.running} running"]
    if counts.failed:
        parts.append(f"{counts.failed} failed")
    if now.best is not None and now.best.value is not None:
        newest = before is None or before.best is None or before.best.name != now.best.name
        parts.append(f"{'new ' if newest else ''}best {now.best.value:g} ({now.best.name})")
    return ", ".join(parts) + "."
