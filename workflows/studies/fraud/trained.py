"""Training the variants as jobs of the built-in algorithm, and what their logs say before anything is scored or hosted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from workflows.builtin import images
from workflows.builtin.request import ChannelInput
from workflows.events import Gate
from workflows.files import sha256
from workflows.studies import gates, training
from workflows.studies.context import Context
from workflows.studies.fraud import data
from workflows.studies.fraud.requirement import of
from workflows.studies.fraud.variants import METRICS, Variant, variants
from workflows.studies.study import Result

RECORDS = "application/x-recordio-protobuf"
HELD_OUT = "held-out.csv"
"""Validation rows, then test rows, without labels: what the transform jobs score."""
MOST_FLAGGED = 0.5
"""A detector that flags more of all transactions than this has collapsed."""


def image(context: Context) -> str:
    """LinearLearner's image in the run's region."""
    return images.uri("linear-learner", context.platform.region)


def wanted(context: Context) -> list[Variant]:
    """The run's variants."""
    rows = data.load(context.work / "train.npz")
    needed = of(context.run.parameters)
    return variants(context.run.parameters, needed, float(context.of("prepare")["weight"]), len(rows))


def job_name(context: Context, variant: str) -> str:
    """What a variant's training job (or its beginning), its model and its transform job are called."""
    return f"{context.run.id}-{variant}"


def train_inputs(context: Context) -> dict[str, Any]:
    """What the models depend on."""
    found = context.of("prepare")
    return {
        "train": found["train_sha256"],
        "validation": found["validation_sha256"],
        "test": found["test_sha256"],
        "variants": {item.name: item.hyperparameters for item in wanted(context)},
        "instance_type": context.value("instance-type"),
        "image": image(context),
    }


def train(context: Context) -> Result:
    """Uploads the rows, trains the variants side by side, fetches their archives."""
    context.ledger.verify("prepare")
    channels = _upload(context)
    instance = str(context.value("instance-type"))
    found = wanted(context)
    jobs = [
        training.Job(
            training.built_in(
                context, job_name(context, item.name), image(context), channels, item.hyperparameters
            ),
            int(context.value("epochs")),
            METRICS,
            item.name,
        )
        for item in found
    ]
    ended = training.train_all(context, jobs, int(context.value("parallel")))
    models, files = training.fetch_models(
        context, {item.name: one for item, one in zip(found, ended, strict=True)}, instance
    )
    curves = []
    for item in found:
        losses = models[item.name]["log"]["validation:objective_loss"]
        curves.append({"name": item.title, "x": list(range(1, len(losses) + 1)), "y": losses})
    context.figure(context.titled("Validation loss"), "line", curves, "epoch", "cross entropy")
    billable = sum(item["billable_seconds"] for item in models.values())
    return Result(
        outputs={"models": models},
        files=files,
        summary=f"{len(models)} variants in {billable:.0f} billable seconds.",
    )


def model_inputs(context: Context) -> dict[str, Any]:
    """What a score depends on: the models' and the data's content, and the requirement."""
    from workflows.studies.fraud.free import baseline_inputs

    models = {name: item["sha256"] for name, item in context.of("train")["models"].items()}
    return baseline_inputs(context) | {"models": models}


def gate(context: Context) -> Result:
    """Reads the training logs: missed targets, collapse, a loss at ln 2. What fails is not hosted; all failing is refused.

    Raises:
        Refused: No variant passes, and nobody overruled that.
    """
    share = float(context.of("prepare")["fraud_share"])
    verdicts: dict[str, list[Gate]] = {}
    rows = []
    for item in wanted(context):
        series = context.of("train")["models"][item.name]["log"]
        verdicts[item.name] = judged(context.step, item, series, share)
        final = [
            series[name][-1] if series[name] else None
            for name in ("validation:recall", "validation:precision")
        ]
        worst = [one for one in verdicts[item.name] if one.verdict == "fail"]
        target = f"{item.metric} {item.target:g}" if item.metric else "none"
        rows.append(
            [item.title, target, *final, "; ".join(one.name.partition(": ")[2] for one in worst) or "passes"]
        )
    context.table(
        context.titled("What the training logs say"),
        ["variant", "target", "recall", "precision", "verdict"],
        rows,
    )
    passed, overruled = gates.admitted(context, verdicts)
    return Result(
        outputs={"passed": passed, "overruled": overruled},
        summary=f"{len(passed)} of {len(verdicts)} variants go on: {', '.join(passed)}."
        + (" Overruled: a gate failed for all of them." if overruled else ""),
    )


def judged(step: str, item: Variant, series: dict[str, list[float]], fraud_share: float) -> list[Gate]:
    """The verdicts on one variant from its log alone. ``series`` are its metrics, the last value is the final one."""
    finals = {name: series.get(f"validation:{name}") or [] for name in ("recall", "precision")}
    loss = gates.flat_loss(step, series.get("validation:objective_loss") or [])
    found = [replace(loss, name=f"{item.name}: loss moves", reason=f"{item.title}: {loss.reason}")]
    if not all(finals.values()):
        reason = (
            f"{item.title}: the log tells no final recall and precision, so nothing tells whether it works."
        )
        return [*found, gates.judgement(step, f"{item.name}: target", "fail", reason)]
    recall, precision = finals["recall"][-1], finals["precision"][-1]
    if item.metric:
        value = recall if item.metric == "recall" else precision
        met = value >= item.target - 1e-6
        reason = f"{item.title}: the log's {item.metric} is {value:.4f} against the target of {item.target:g}"
        reason += "." if met else ": the target is missed, the job took what came closest."
        found.append(
            gates.judgement(
                step, f"{item.name}: target", "pass" if met else "fail", reason, value, item.target
            )
        )
    # With π the share of frauds, recall·π / precision is the share of all transactions that is flagged.
    flagged = recall * fraud_share / precision if precision > 0 else 0.0
    name = f"{item.name}: both classes"
    if recall <= 0:
        found.append(
            gates.judgement(
                step, name, "fail", f"{item.title}: it catches no fraud at all: it separates nothing.", 0.0
            )
        )
    elif flagged > MOST_FLAGGED:
        reason = (
            f"{item.title}: collapsed. Recall {recall:.3f} at precision {precision:.4f} means that it flags {flagged:.0%} of "
            "all transactions."
        )
        found.append(gates.judgement(step, name, "fail", reason, flagged, MOST_FLAGGED))
    else:
        found.append(
            gates.judgement(
                step,
                name,
                "pass",
                f"{item.title}: it flags {flagged:.3%} of all transactions.",
                flagged,
                MOST_FLAGGED,
            )
        )
    return found


def _upload(context: Context) -> tuple[ChannelInput, ...]:
    """The channels as recordIO-protobuf, and the rows to be scored as CSV."""
    import numpy as np

    from workflows import records

    context.ledger.made("objects", context.prefix)
    sets = {name: data.load(context.work / f"{name}.npz") for name in data.SETS}
    path = context.work / HELD_OUT
    asked = np.concatenate([sets["validation"].features, sets["test"].features])
    path.write_text(data.csv_lines(asked), encoding="utf-8")
    uri = context.interface.upload(path, f"{context.prefix}/held-out")
    context.artifact("object", path.name, uri, sha256(path))
    channels = []
    for name in ("train", "validation"):
        rows = sets[name]
        if name == "validation":
            # Thresholds are calibrated on these rows: each is repeated as often as the population has its like.
            rows = rows.of(data.repeated(rows))
        else:
            rows = rows.of(np.random.default_rng(0).permutation(len(rows)))
        folder = f"{context.prefix}/data/{name}"
        made = records.upload(
            context.platform.client("s3"), folder, rows.features, rows.labels.astype(np.float32)
        )
        context.artifact("object", f"{name} ({made.records} records)", made.uri)
        channels.append(ChannelInput(name=name, uri=made.uri, content_type=RECORDS, data_type="ManifestFile"))
    return tuple(channels)
