"""The search: default runs, the tuning job, and the gate between them."""

from __future__ import annotations

from typing import Any

from workflows.failures import WorkflowError
from workflows.interfaces.tuning.base import ENDED
from workflows.lessons import boosted, rows, subject
from workflows.lessons.channels import upload
from workflows.lessons.subject import Kind
from workflows.observe.tuning_rows import Objective, Range, TrialRow
from workflows.studies import gates, training
from workflows.studies.context import Context
from workflows.studies.study import Result
from workflows.tuning import comparison
from workflows.tuning.request import Input, Template, TuningRequest, continuous, integer

RANGES: tuple[Range, ...] = (
    integer("max_depth", 3, 12),
    continuous("eta", 0.05, 0.5),
    integer("min_child_weight", 2, 8),
    continuous("subsample", 0.5, 0.9),
    continuous("gamma", 0.0, 10.0),
)
"""The lesson notebooks' five ranges."""
LONGEST = 24 * 3600.0
SHOWN = 8
"""Trials in the table, the best ones."""


def kind_of(context: Context) -> Kind:
    """What is learned."""
    return subject.KINDS[str(context.value("subject"))]


def objective(kind: Kind) -> Objective:
    """What the search makes small: the metric that is watched in every other lesson too."""
    return Objective(name=f"validation:{kind.watched}", direction="Minimize")


def default_inputs(context: Context) -> dict[str, Any]:
    """What the default runs depend on."""
    return {
        **rows.data_inputs(context),
        "hyperparameters": boosted.hyperparameters(context, kind_of(context)),
        "runs": context.value("runs"),
        "instance_type": context.value("instance-type"),
        "image": boosted.image(context),
    }


def archives_exist(context: Context, outputs: dict[str, Any]) -> bool:
    """Whether the models' archives are still in S3."""
    return all(context.interface.object_exists(one["model_uri"]) for one in outputs["models"])


def default(context: Context) -> Result:
    """The default settings, trained with several seeds."""
    return train(context, "default", boosted.hyperparameters(context, kind_of(context)))


def train(context: Context, group: str, settings: dict[str, str]) -> Result:
    """One configuration trained ``runs`` times with seeds of its own; its models and their validation scores."""
    kind, files = kind_of(context), rows.files(context)
    first = int(settings.pop("seed", "1"))
    inputs = upload(context, files.paths, files.content_type)
    jobs = [
        boosted.job(
            context,
            f"{context.run.id}-{group}-{number + 1}",
            inputs,
            {**settings, "seed": str(first + number)},
            kind,
            f"{group} {number + 1}",
        )
        for number in range(int(context.value("runs")))
    ]
    models: list[dict[str, Any]] = []
    for state, series in training.train_all(context, jobs, int(context.value("parallel"))):
        try:
            best, value = boosted.best_round(series, kind)
        except ValueError as error:
            raise WorkflowError(f"{error} Look at the log of {state.name}.") from error
        watched = series[f"validation:{kind.watched}"][best]
        context.artifact("model", "model.tar.gz", state.model_uri)
        models.append(
            {
                "job": state.name,
                "model_uri": state.model_uri,
                "value": value,
                "watched": watched,
                "billable_seconds": state.billable_seconds or state.train_seconds,
            }
        )
    values = [float(one["watched"]) for one in models]
    spread = f"{min(values):.4f} to {max(values):.4f}"
    return Result(
        outputs={"models": models, "settings": settings},
        summary=f"Validation {kind.watched} {spread} over {len(values)} seeds.",
    )


def tune_inputs(context: Context) -> dict[str, Any]:
    """What the search depends on."""
    return default_inputs(context) | {name: context.value(name) for name in ("strategy", "jobs", "parallel")}


def tuned(context: Context, outputs: dict[str, Any]) -> bool:
    """Whether the tuning job is still there."""
    return context.interface.tuning.describe(outputs["tuning_job"]) is not None


def request(context: Context, name: str) -> TuningRequest:
    """The tuning job: the notebooks' ranges over the default settings."""
    kind, files = kind_of(context), rows.files(context)
    channels = upload(context, files.paths, files.content_type)
    searched = {one.name for one in RANGES}
    static = {
        key: value
        for key, value in boosted.hyperparameters(context, kind).items()
        if key not in searched | {"eval_metric"}
    }
    template = Template(
        image=boosted.image(context),
        role=context.platform.role_arn,
        inputs=tuple(Input(name=one.name, uri=one.uri, content_type=one.content_type) for one in channels),
        output=f"{context.prefix}/trials",
        objective=objective(kind),
        ranges=RANGES,
        static=static,
        instance_type=str(context.value("instance-type")),
        max_seconds=int(context.value("max-minutes")) * 60,
    )
    return TuningRequest(
        name=name,
        templates=(template,),
        strategy=context.value("strategy"),
        most_jobs=int(context.value("jobs")),
        parallel=min(int(context.value("parallel")), int(context.value("jobs"))),
        resource=(10, int(context.value("num-round"))) if context.value("strategy") == "Hyperband" else None,
        random_seed=int(context.value("seed")),
        tags=context.tags,
    )


def tune(context: Context) -> Result:
    """The tuning job from its creation to its end, with every trial's score as it comes.

    Raises:
        WorkflowError: It failed, or no trial has a score.
        Cancelled: The run was asked to stop; the tuning job is left to the clean-up.
    """
    tuning = context.interface.tuning
    name = context.run.id
    if tuning.describe(name) is None:
        context.ledger.made("tuning job", name)
        context.ledger.made("objects", context.prefix)
        tuning.create(request(context, name))
    else:
        context.log(f"Found tuning job {name} of before the interruption.")
    context.artifact("tuning job", name)
    told: set[str] = set()

    def poll() -> tuple[bool, object]:
        found = tuning.describe(name)
        if found is None:
            raise WorkflowError(f"Tuning job {name} is not there any more. Start a new run.")
        counts = found.row.counts
        if counts.ended != len(told):
            for number, trial in enumerate(tuning.trials(name), start=1):
                if not trial.active and trial.name not in told:
                    told.add(trial.name)
                    if trial.value is not None:
                        context.metric(f"trials {trial.metric}", trial.value, number, "trial")
                    context.log(_told(trial), source="trial")
        context.progress(len(told), float(str(context.value("jobs"))), "trials")
        return found.row.status in ENDED, (found.row.status, counts, len(told))

    context.waiter.until(poll, f"Tuning job {name}", LONGEST)
    detail = tuning.describe(name)
    if detail is None or detail.row.status != "Completed":
        status = detail.row.status if detail else "gone"
        reason = detail.failure_reason if detail else ""
        raise WorkflowError(
            f"Tuning job {name} is {status}: {reason or 'it was stopped from outside'}. Start a new run."
        )
    trials = sorted(
        (one for one in tuning.trials(name) if one.value is not None),
        key=lambda one: (one.value or 0.0, one.created),
    )
    if not trials:
        raise WorkflowError(f"No trial of {name} has a score. Their logs tell why.")
    names = [one.name for one in RANGES]
    context.table(
        context.titled(f"Trials by {trials[0].metric}"),
        ["trial", trials[0].metric, *names],
        [[one.name.removeprefix(f"{name}-"), one.value, *(_short(one.tuned.get(key, "")) for key in names)] for one in trials[:SHOWN]],
    )  # fmt: skip
    best = trials[0]
    return Result(
        outputs={
            "tuning_job": name,
            "best": best.name,
            "value": best.value,
            "settings": dict(best.tuned),
            "trials": len(trials),
        },
        summary=f"Best of {len(trials)} trials: {best.metric} {best.value:.4f} with "
        + ", ".join(f"{key} {_short(value)}" for key, value in best.tuned.items())
        + ".",
    )


def gate_inputs(context: Context) -> dict[str, Any]:
    """What the verdict depends on."""
    return {"default": context.of("default")["models"], "tune": context.of("tune")}


def gate(context: Context) -> Result:
    """Whether the best trial is beyond what the best of as many default runs would reach; nothing is refused for it."""
    kind, found = kind_of(context), context.of("tune")
    values = sorted(one["watched"] for one in context.of("default")["models"])
    verdict = comparison.compare(objective(kind), found["value"], found["best"], found["trials"], values)
    name = {"better": "pass", "maybe": "warn", "inside": "warn", "too-few": "warn"}.get(
        verdict.verdict, "fail"
    )
    said: gates.Verdict = "pass" if name == "pass" else "warn" if name == "warn" else "fail"
    context.send(
        gates.judgement(
            context.step, "more than luck", said, verdict.sentence, found["value"], verdict.limit_best
        )
    )
    return Result(
        outputs={"verdict": verdict.verdict, "sentence": verdict.sentence}, summary=verdict.sentence
    )


def again_inputs(context: Context) -> dict[str, Any]:
    """What the winner's runs depend on."""
    return default_inputs(context) | {"settings": context.of("tune")["settings"]}


def again(context: Context) -> Result:
    """The winner's settings, trained with fresh seeds."""
    settings = boosted.hyperparameters(context, kind_of(context)) | context.of("tune")["settings"]
    settings["seed"] = str(int(settings["seed"]) + 1000)
    return train(context, "tuned", settings)


def _told(trial: TrialRow) -> str:
    if trial.value is None:
        return f"{trial.name}: {trial.status}, no score. {trial.failure_reason}".rstrip()
    return f"{trial.name}: {trial.metric} {trial.value:.5g}"


def _short(value: str) -> str:
    try:
        return f"{float(value):.4g}"
    except ValueError:
        return value
