"""The first half: two models of house prices on one endpoint, a verdict, and the winner's take-over."""

from __future__ import annotations

import json
import threading
from typing import Any

from workflows.abtest import drafting, operations, promotion, replaying
from workflows.abtest.following import Follower
from workflows.abtest.report import Report
from workflows.builtin import images
from workflows.builtin.request import ChannelInput
from workflows.failures import WorkflowError
from workflows.files import sha256
from workflows.interfaces.base import MetricDefinition
from workflows.lessons import boosted, subject
from workflows.lessons.updating import fleet
from workflows.studies import batch, cleanup, gates, training
from workflows.studies.context import Context
from workflows.studies.study import Result

CONTROL, CHALLENGER = "XGBoost", "LinearLearner"
VARIANTS = {CONTROL: "xgboost", CHALLENGER: "linear-learner"}
LINEAR = {"predictor_type": "regressor", "epochs": "15", "loss": "absolute_loss"}
LINEAR_METRICS = (
    MetricDefinition(
        "validation:objective_loss",
        r"#quality_metric: host=\S+, epoch=\S+, validation absolute_loss_objective <loss>=(\S+)",
    ),
)
MARGINS = {"housing": 0.02, "boston": 0.2}
"""Differences of the mean absolute error that do not matter: two thousand dollars, two hundred dollars."""
TELL = 100
"""Answers between two points of the curve."""


def titled(context: Context, title: str) -> str:
    """A title that says so when the houses are made up, whatever the reviews are."""
    return context.titled(title, bool(context.of("prepare")["houses"]["synthetic"]))


def image(context: Context, variant: str) -> str:
    """The image of a variant's algorithm."""
    return images.uri(VARIANTS[variant], context.platform.region)


def train_inputs(context: Context) -> dict[str, Any]:
    """What the two models depend on."""
    found = context.of("prepare")
    return {
        **{name: found["houses"][f"{name}_sha256"] for name in ("train", "validation")},
        "xgboost": settings(context),
        "linear": LINEAR,
        "instance_type": context.value("instance-type"),
    }


def settings(context: Context) -> dict[str, str]:
    """XGBoost's hyperparameters for the houses."""
    return boosted.hyperparameters(context, subject.KINDS[str(context.value("houses"))])


def train(context: Context) -> Result:
    """Both jobs side by side, and their models."""
    context.ledger.verify("prepare")
    found = context.of("prepare")["houses"]
    channels = []
    context.ledger.made("objects", context.prefix)
    for name in ("train", "validation"):
        path = context.work / found["files"][name]
        uri = context.interface.upload(path, f"{context.prefix}/houses/{name}")
        context.artifact("object", path.name, uri, found[f"{name}_sha256"])
        channels.append(ChannelInput(name=name, uri=uri, content_type="text/csv"))
    kind = subject.KINDS[str(context.value("houses"))]
    rows = int(context.of("prepare")["houses"]["rows"]["train"])
    parameters = {
        CONTROL: settings(context),
        CHALLENGER: {**LINEAR, "mini_batch_size": str(min(200, max(10, rows // 10)))},
    }
    jobs = [
        training.Job(
            training.built_in(
                context, f"{context.run.id}-{VARIANTS[variant]}", image(context, variant), channels, given
            ),
            0,
            boosted.metrics(kind) if variant == CONTROL else LINEAR_METRICS,
            variant,
            unit="round" if variant == CONTROL else "epoch",
        )
        for variant, given in parameters.items()
    ]
    models: dict[str, dict[str, Any]] = {}
    for variant, (state, _) in zip(parameters, training.train_all(context, jobs, 2), strict=True):
        context.artifact("model", "model.tar.gz", state.model_uri)
        models[variant] = {
            "job": state.name,
            "model_uri": state.model_uri,
            "billable_seconds": state.billable_seconds or state.train_seconds,
        }
    seconds = sum(one["billable_seconds"] for one in models.values())
    return Result(
        outputs={"models": models}, summary=f"{' and '.join(models)} in {seconds:.0f} billable seconds."
    )


def contest_inputs(context: Context) -> dict[str, Any]:
    """What the verdict depends on."""
    return {
        "models": context.of("train")["models"],
        "rows": context.of("prepare")["houses"]["contest_sha256"],
        "requests": context.value("requests"),
    }


def endpoint(context: Context) -> str:
    """The endpoint of the A/B test."""
    return f"{context.run.id}-ab"


def contest(context: Context) -> Result:
    """Both variants on one endpoint at weights 1:1, labelled rows as traffic, until there is a verdict.

    Raises:
        WorkflowError: The endpoint failed, or the rows cannot be scored.
    """
    name = endpoint(context)
    variants = []
    for variant in VARIANTS:
        model = f"{context.run.id}-{VARIANTS[variant]}"
        batch.need_model(
            context, model, image(context, variant), context.of("train")["models"][variant]["model_uri"]
        )
        variants.append(fleet.variant(variant, model, str(context.value("hosting-instance-type"))))
    fleet.host(context, name, variants)
    context.note(
        "One endpoint, two variants",
        "InitialVariantWeight 1 and 1: each request goes to one of them with probability one half.",
        ("EndpointConfig.ProductionVariants", "json", json.dumps(variants, indent=2)),
    )
    report = _judged(context, name)
    (compared,) = report.comparisons
    context.figure(
        titled(context, "The difference of the errors, LinearLearner less XGBoost, with its interval"),
        "fan",
        [
            {
                "name": "95 %, at all times at once",
                "x": [point.n for point in compared.history],
                "low": [point.low for point in compared.history],
                "high": [point.high for point in compared.history],
            },
            {
                "name": "difference",
                "x": [point.n for point in compared.history],
                "y": [point.value for point in compared.history],
            },
        ],
        "answers scored",
        "mean absolute error",
    )
    rows = [[arm.variant, arm.rewarded, arm.value] for arm in report.arms]
    context.table(
        titled(context, "A/B test: mean absolute error"), ["variant", "answers scored", "error"], rows
    )
    said: gates.Verdict = "pass" if report.verdict in ("better", "worse", "same") else "warn"
    words = promotion.WORDS[report.verdict]
    context.send(
        gates.judgement(context.step, "a verdict", said, f"After {report.rewarded} answers: {words}.")
    )
    winner = report.winner or CONTROL
    return Result(
        outputs={
            "test": report.name,
            "verdict": report.verdict,
            "winner": winner,
            "answers": report.rewarded,
            "requests": report.requests,
            "difference": compared.value,
            "low": compared.low,
            "high": compared.high,
        },
        summary=f"{words[:1].upper()}{words[1:]} after {report.rewarded} answers; {winner} gets the traffic.",
    )


def _judged(context: Context, name: str) -> Report:
    from workflows.abtest import journal

    test = f"{context.run.id}-ab"[:63]
    if any(one.folder.name == test for one in journal.everything()):
        cleanup.end_test(context, test)
        operations.remove(test)
    houses = str(context.value("houses"))
    experiment = drafting.draft(
        context.platform,
        name,
        name=test,
        control=CONTROL,
        metric="absolute-error",
        kind="mean",
        direction="lower",
        margin=MARGINS[houses],
        planned=int(context.value("requests")) // 2,
    )
    context.ledger.made("A/B test", test)
    operations.start(context.platform, context.interface.rollouts, experiment)
    asked = replaying.ReplayRequest(
        source=str(context.work / context.of("prepare")["houses"]["files"]["contest"]),
        label="0",
        header=False,
        content_type="text/csv",
        score="absolute-error",
        requests=int(context.value("requests")),
    )
    rows = replaying.payloads(asked)
    how = replaying.plan(asked)
    confirmed = ""
    if context.platform.target == "aws":
        cost = replaying.bill(context.platform, name, asked, rows)
        context.log(f"The A/B test sends up to {asked.requests} requests: {' '.join(cost.sentences)}")
        confirmed = cost.confirmation
    told = 0

    over = threading.Event()  # a verdict sets it, too: the run's own would read as a request to stop

    def tell(known: Follower) -> None:
        nonlocal told
        if context.cancelled.is_set():
            over.set()
        report = known.report()
        context.progress(report.rewarded, asked.requests, "answers", promotion.WORDS[report.verdict])
        for compared in report.comparisons:
            if report.rewarded >= told:
                told = report.rewarded + TELL
                context.metric("difference of the errors", compared.value, report.rewarded, "reward")

    replaying.replay(
        context.platform,
        context.interface.rollouts,
        test,
        rows,
        how,
        score="absolute-error",
        stop=over,
        confirmed=confirmed,
        told=tell,
    )
    context.check()
    return operations.running_at(context.platform, test).report()


def promote_inputs(context: Context) -> dict[str, Any]:
    """What the take-over depends on."""
    return {"contest": context.of("contest")}


def promote(context: Context) -> Result:
    """The winner's configuration by UpdateEndpoint with a canary, to its end.

    Raises:
        WorkflowError: The update failed.
    """
    found = context.of("contest")
    name = endpoint(context)
    planned = promotion.plan(found["test"], found["winner"], "canary", wait=300)
    for sentence in planned.sentences:
        context.log(sentence)
    report = promotion.promote(context.platform, context.interface.rollouts, planned, wait=300)
    config = str(report.outcome.get("config", ""))
    context.ledger.made("endpoint configuration", config)
    fleet.settled(context, name)
    described = context.interface.rollouts.describe(name) or {}
    now = [item["VariantName"] for item in described.get("ProductionVariants", [])]
    if described.get("EndpointConfigName") != config or now != [found["winner"]]:
        raise WorkflowError(f"Endpoint {name} did not take {found['winner']} over: it has {', '.join(now)}.")
    return Result(
        outputs={"config": config},
        summary=f"{found['winner']} serves alone, from configuration {config}.",
    )


def write(context: Context) -> dict[str, Any]:
    """train, validation (label first) and the contest's rows (test rows, label first) as CSV: names and hashes.

    Raises:
        WorkflowError: The data cannot be used.
    """
    found = subject.read(context, str(context.value("houses")))
    context.log(found.where.note, level="warning" if found.where.synthetic else "info")
    files = {}
    for part, name in (("train", "train"), ("validation", "validation"), ("test", "contest")):
        path = context.work / f"houses-{name}.csv"
        subject.write_labelled(path, found.sets[part])
        context.artifact("data", path.name, str(path), sha256(path))
        files[name] = path
    return {
        "files": {name: path.name for name, path in files.items()},
        "rows": {part: len(rows) for part, rows in found.sets.items()},
        **{f"{name}_sha256": sha256(path) for name, path in files.items()},
        "source": found.where.as_dict(),
        "synthetic": found.where.synthetic,
    }
