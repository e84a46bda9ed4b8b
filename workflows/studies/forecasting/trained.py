"""Training DeepAR several times with the same settings, and what the logs say before anything is scored or hosted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from workflows.builtin import images
from workflows.builtin.request import ChannelInput
from workflows.events import Gate
from workflows.files import sha256
from workflows.interfaces.base import MetricDefinition
from workflows.studies import gates, training
from workflows.studies.context import Context
from workflows.studies.forecasting import local
from workflows.studies.forecasting.lines import LINES
from workflows.studies.forecasting.windows import DECEMBERS
from workflows.studies.study import Result

_QUALITY = r"#quality_metric: host=\S+, "
LOSS, RMSE, WQL = "train:loss", "test:RMSE", "test:mean_wQuantileLoss"
METRICS = (
    MetricDefinition(LOSS, rf"{_QUALITY}epoch=\S+, train loss <loss>=(\S+)"),
    MetricDefinition(RMSE, rf"{_QUALITY}test RMSE <loss>=(\S+)"),
    MetricDefinition(WQL, rf"{_QUALITY}test mean_wQuantileLoss <loss>=(\S+)"),
)
"""What DeepAR's log tells, with the expressions that SageMaker itself uses."""
HYPERPARAMETERS = (
    "prediction-length", "context-length", "epochs", "num-cells", "num-layers", "dropout-rate", "likelihood", "learning-rate",
    "mini-batch-size",
)  # fmt: skip
LEAST_FALL = 0.01
"""A loss (nats a day) that fell by less has learned nothing."""


def uri(region: str) -> str:
    """DeepAR's image in a region."""
    return images.uri("forecasting-deepar", region)


def image(context: Context) -> str:
    """DeepAR's image in the run's region."""
    return uri(context.platform.region)


def hyperparameters(parameters: Mapping[str, Any]) -> dict[str, str]:
    """What every job is told; the seed apart."""
    found = {name.replace("-", "_"): f"{parameters[name]}" for name in HYPERPARAMETERS}
    patience = int(parameters["early-stopping-patience"])
    return {
        "time_freq": "D",
        **found,
        **({"early_stopping_patience": str(patience)} if patience else {}),
    }


def seeded(parameters: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The hyperparameters of each job by its name, job-1 and so on."""
    common, seed = hyperparameters(parameters), int(parameters["seed"])
    return {
        f"job-{number + 1}": common | ({"random_seed": str(seed + number)} if seed >= 0 else {})
        for number in range(int(parameters["jobs"]))
    }


def job_name(context: Context, job: str) -> str:
    """What a training job (or its beginning), its model and its transform job are called."""
    return f"{context.run.id}-{job}"


def train_inputs(context: Context) -> dict[str, Any]:
    """What the models depend on."""
    found = context.of("prepare")
    return {
        "train": found[f"{local.TRAIN}_sha256"],
        "test": found[f"{local.TEST}_sha256"],
        "jobs": seeded(context.run.parameters),
        "instance_type": context.value("instance-type"),
        "image": image(context),
    }


def train(context: Context) -> Result:
    """Uploads the series, trains the jobs side by side, fetches their archives."""
    context.ledger.verify("prepare")
    context.ledger.made("objects", context.prefix)
    channels = []
    for name, file in (("train", local.TRAIN), ("test", local.TEST)):
        path = context.work / file
        place = context.interface.upload(path, f"{context.prefix}/data/{name}")
        context.artifact("object", path.name, place, sha256(path))
        channels.append(ChannelInput(name=name, uri=place.rpartition("/")[0], content_type=LINES))
    instance = str(context.value("instance-type"))
    jobs = seeded(context.run.parameters)
    requests = [
        training.Job(
            training.built_in(context, job_name(context, job), image(context), channels, told),
            int(context.value("epochs")),
            METRICS,
            job if len(jobs) > 1 else "",
        )
        for job, told in jobs.items()
    ]
    ended = training.train_all(context, requests, int(context.value("parallel")))
    models, files = training.fetch_models(context, dict(zip(jobs, ended, strict=True)), instance)
    context.figure(
        context.titled("Training loss"),
        "line",
        [
            {"name": job, "x": list(range(1, len(item["log"][LOSS]) + 1)), "y": item["log"][LOSS]}
            for job, item in models.items()
        ],
        "epoch",
        "negative log-likelihood a day",
    )
    billable = sum(item["billable_seconds"] for item in models.values())
    return Result(
        outputs={"models": models},
        files=files,
        summary=f"{len(models)} jobs in {billable:.0f} billable seconds.",
    )


def model_inputs(context: Context) -> dict[str, Any]:
    """What a score depends on: the models' and the data's content."""
    models = {name: item["sha256"] for name, item in context.of("train")["models"].items()}
    return local.data_inputs(context) | {"models": models}


def gate(context: Context) -> Result:
    """Reads the training logs: a loss that is not finite or did not fall, a test score no better than the naive forecast's.

    Raises:
        Refused: No job passes, and nobody overruled that.
    """
    free = context.of("baseline")
    naive, best = float(free["naive_wql"]), float(free["metrics"]["baseline_wql"])
    verdicts: dict[str, list[Gate]] = {}
    rows = []
    for job, item in context.of("train")["models"].items():
        series = item["log"]
        verdicts[job] = judged(context.step, job, series, naive, best, free["best"][DECEMBERS])
        failed = [one for one in verdicts[job] if one.verdict == "fail"]
        rows.append(
            [job, *(series[name][-1] if series[name] else None for name in (LOSS, RMSE, WQL)),
             "; ".join(one.name.partition(": ")[2] for one in failed) or "passes"]
        )  # fmt: skip
    title = context.titled("What the training logs say of the notebook's windows")
    context.table(title, ["job", "last loss", "RMSE", "mean wQL", "verdict"], rows)
    passed, overruled = gates.admitted(context, verdicts)
    return Result(
        outputs={"passed": passed, "overruled": overruled},
        summary=f"{len(passed)} of {len(verdicts)} jobs go on."
        + (" Overruled: a gate failed for all of them." if overruled else ""),
    )


def judged(
    step: str, job: str, series: Mapping[str, list[float]], naive: float, best: float, method: str
) -> list[Gate]:
    """The verdicts on one job from its log alone.

    Args:
        series: Its metrics in order; the last value is the final one.
        naive: The mean wQL of last week repeated on the same days; ``best``: of the best free forecast, called ``method``.
    """
    losses = list(series.get(LOSS) or [])
    name = f"{job}: loss moves"
    if not losses or not all(math.isfinite(value) for value in losses):
        reason = f"{job}: " + (
            f"a loss of {next(value for value in losses if not math.isfinite(value))} is not finite. Use a smaller learning-rate."
            if losses
            else "the log tells no loss, so nothing tells that it learned."
        )
        return [gates.judgement(step, name, "fail", reason)]
    fall = losses[0] - min(losses)
    reason = f"{job}: the loss fell from {losses[0]:.4f} to {min(losses):.4f}"
    if fall >= LEAST_FALL:
        found = [gates.judgement(step, name, "pass", f"{reason}.", fall, LEAST_FALL)]
    elif len(losses) == 1:
        reason = (
            f"{job}: there was one epoch only, so nothing tells whether the loss of {losses[0]:.4f} falls."
        )
        found = [gates.judgement(step, name, "warn", reason, fall, LEAST_FALL)]
    else:
        found = [gates.judgement(step, name, "fail", f"{reason}: it learned nothing.", fall, LEAST_FALL)]
    name = f"{job}: test score"
    scores = series.get(WQL) or []
    if not scores or not math.isfinite(scores[-1]):
        reason = f"{job}: the log tells no test score, so nothing tells whether it forecasts."
        return [*found, gates.judgement(step, name, "fail", reason)]
    value = scores[-1]
    if value > naive:
        verdict: gates.Verdict = "fail"
        reason = (
            f"{job}: the log's mean wQL of {value:.4f} is worse than the {naive:.4f} of last week repeated."
        )
    elif value > best:
        verdict = "warn"
        reason = f"{job}: the log's mean wQL of {value:.4f} is worse than the {best:.4f} of the best free forecast, {method}."
    else:
        verdict = "pass"
        reason = f"{job}: the log's mean wQL of {value:.4f} is no worse than the {best:.4f} of the best free forecast, {method}."
    return [*found, gates.judgement(step, name, verdict, reason, value, best)]
