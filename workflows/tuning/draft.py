"""The first draft of a tuning job: from a training job that went well, with ranges that are recommended for its algorithm."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from workflows.interfaces.base import MetricDefinition
from workflows.observe import jobs
from workflows.observe.gateway import Gateway
from workflows.observe.rows import JobDetail
from workflows.observe.tuning_rows import Objective, Range
from workflows.problem import Problem
from workflows.tuning import documents, known, launcher
from workflows.tuning.request import NAME_LENGTH, Template, TuningRequest, continuous, integer

PARALLEL = 2
FACTOR = 10
"""How far a proposed range reaches from the value of a training job, up and down, where nothing is recommended."""
MOST = 100
"""Trials that a draft proposes at most; SageMaker allows more."""

_KEPT = (
    "VpcConfig",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningDraft:
    """A tuning job that could be created as it is, and what could be chosen instead.

    Args:
        request: With the recommended ranges of the algorithm (none where the algorithm is not known: a person chooses).
        objectives: What could be optimised, the likeliest first.
        ranges: Every hyperparameter that could be searched, with a range; those in the request first.
        notes: What a person should know, as sentences.
        hyperparameters: All of the training job: what is not searched after all gets its value back from here.
    """

    request: TuningRequest
    objectives: tuple[Objective, ...]
    ranges: tuple[Range, ...]
    notes: tuple[str, ...] = ()
    hyperparameters: Mapping[str, str] = field(default_factory=dict)


def draft_of(gateway: Gateway, training_job: str, *, name: str = "") -> TuningDraft:
    """The draft from a training job's name. The code of a job that the SageMaker SDK v3 has launched is packed for script mode,
    and the archive put beside it in S3: nothing else is changed.

    Raises:
        Problem: There is no such job, or it cannot be tuned.
    """
    job = jobs.describe(gateway, training_job)
    if not launcher.launched(job):
        return draft(job, name=name)
    found = draft(launcher.script_mode(gateway, job), name=name)
    note = "The SDK's launcher cannot be tuned: the trials run the same script in script mode."
    return replace(found, notes=(*found.notes, note))


def draft(job: JobDetail, *, name: str = "", now: float | None = None) -> TuningDraft:
    """The draft from a described training job: its image, channels, role, resources and hyperparameters.

    Raises:
        Problem: The job cannot be tuned: it has no metric that could be optimised, or no S3 input.
    """
    raw = job.raw
    if launcher.launched(job):
        raise Problem(
            f"Training job {job.name} was started by the SageMaker SDK's own launcher, which a tuning job cannot start.",
            "`draft_of` packs its code for script mode first.",
            "launcher",
        )
    found = known.algorithm(job.image, job.hyperparameters)
    hyperparameters = {
        key: value for key, value in job.hyperparameters.items() if key != documents.OBJECTIVE_KEY
    }
    ranges = _recommended(found, hyperparameters) if found else _around(hyperparameters)
    chosen = tuple(item for item in ranges if found and item.name in found.chosen)
    objectives = _objectives(job, found)
    if not objectives:
        raise Problem(
            f"Training job {job.name} has no metric that could be optimised.",
            "Give it metric definitions, or a validation channel, and train it once.",
            "metrics",
        )
    notes: list[str] = []
    if not chosen:
        notes.append(
            "No ranges are recommended for this container: choose what to search, and within which bounds."
        )
    resources = raw.get("ResourceConfig") or {}
    more = {key: raw[key] for key in _KEPT if raw.get(key)}
    if stopping := raw.get("StoppingCondition"):
        more["StoppingCondition"] = {"MaxRuntimeInSeconds": job.max_runtime or 86_400, **stopping}
    if checkpoints := raw.get("CheckpointConfig"):
        more["CheckpointConfig"] = checkpoints
        notes.append("All trials share the checkpoint location of the training job.")
    if resources.get("InstanceGroups"):
        more["ResourceConfig"] = resources
    template = Template(
        image=job.image,
        role=job.role,
        inputs=documents.inputs_of(raw.get("InputDataConfig")),
        output=job.output_path,
        objective=objectives[0],
        ranges=chosen,
        static={
            key: value for key, value in hyperparameters.items() if key not in {item.name for item in chosen}
        },
        metrics=()
        if found
        else tuple(MetricDefinition(name, regex) for name, regex in job.metric_definitions.items()),
        instance_type=job.row.instance_type or "ml.m5.large",
        instance_count=job.row.instance_count or 1,
        volume_gb=job.volume_gb or 5,
        max_seconds=job.max_runtime or 86_400,
        input_mode=job.input_mode,
        environment=dict(job.environment),
        more=more,
    )
    request = TuningRequest(
        name=name or named(job.name, now),
        templates=(template,),
        most_jobs=min(MOST, 10 * max(1, len(chosen) or 1)),
        parallel=PARALLEL,
        tags={"mlconsole:tuned-from": job.name},
    )
    others = tuple(item for item in ranges if item not in chosen)
    return TuningDraft(
        request=request,
        objectives=objectives,
        ranges=(*chosen, *others),
        notes=tuple(notes),
        hyperparameters=hyperparameters,
    )


def searched(draft: TuningDraft, ranges: tuple[Range, ...]) -> TuningRequest:
    """The draft's request with these ranges instead of its own: what is searched is not static, what is no longer searched
    has the training job's value again (the algorithm's default where the job gave none).

    Raises:
        Problem: The request has several templates, each with ranges of its own.
    """
    if len(draft.request.templates) != 1:
        raise Problem(
            "A tuning job with several definitions has ranges in each of them.",
            "Change them there.",
            "ranges",
        )
    template = draft.request.templates[0]
    names = {item.name for item in ranges}
    static = {**draft.hyperparameters, **template.static}
    kept = {key: value for key, value in static.items() if key not in names}
    return replace(draft.request, templates=(replace(template, ranges=ranges, static=kept),))


def named(base: str, now: float | None = None) -> str:
    """A name for a tuning job: the base cut where needed, then the time to the second; 32 characters at most."""
    stamp = time.strftime("%m%d-%H%M%S", time.localtime(now))
    clean = re.sub(r"-+", "-", re.sub(r"[^A-Za-z0-9-]", "-", base)).strip("-") or "tuning"
    return f"{clean[: NAME_LENGTH - len(stamp) - 1].rstrip('-')}-{stamp}"


def _recommended(found: known.Algorithm, hyperparameters: dict[str, str]) -> tuple[Range, ...]:
    order = {name: place for place, name in enumerate(found.chosen)}
    return tuple(sorted(found.ranges, key=lambda item: order.get(item.name, len(order))))


def _around(hyperparameters: dict[str, str]) -> tuple[Range, ...]:
    """Ranges around the numbers of a script's hyperparameters: a factor up and down, on a logarithmic scale."""
    found: list[Range] = []
    for name, text in hyperparameters.items():
        if name.startswith(("sagemaker_", "_")) or "seed" in name:
            continue
        try:
            value = float(text.strip('"'))
        except ValueError:
            continue
        if not math.isfinite(value) or value <= 0:
            continue
        if value == int(value) and "." not in text and "e" not in text.lower():
            low, high = max(1, int(value) // 4), int(value) * 4
            found.append(integer(name, low, high, "Logarithmic" if high / low >= FACTOR else "Linear"))
        else:
            bounds = float(f"{value / FACTOR:.3g}"), float(f"{value * FACTOR:.3g}")
            if value < 1 < bounds[1]:
                bounds = bounds[0], 1.0
            found.append(continuous(name, *bounds, "Logarithmic"))
    return tuple(found)


def _objectives(job: JobDetail, found: known.Algorithm | None) -> tuple[Objective, ...]:
    """What the job has measured and the algorithm can be optimised by, the algorithm's order first."""
    measured = [metric.name for metric in job.final_metrics]
    if found is None:
        names = [*job.metric_definitions, *(name for name in measured if name not in job.metric_definitions)]
        scores = sorted(names, key=lambda name: not name.lower().startswith(("val", "test", "eval")))
        return tuple(Objective(name=name, direction=known.direction_of(name)) for name in scores)
    seen = [item for item in found.objectives if item.name in measured]
    others = [
        Objective(name=name, direction=known.direction_of(name))
        for name in measured
        if name.partition(":")[0] in ("validation", "test") and all(name != item.name for item in seen)
    ]
    if seen or others:
        return (*seen, *others)
    wanted = {"validation": "validation", "test": "test", "train": "train"}
    channels = {channel.name for channel in job.channels}
    return tuple(item for item in found.objectives if wanted.get(item.name.partition(":")[0]) in channels)
