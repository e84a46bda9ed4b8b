"""The steps that need no SageMaker: getting the data, splitting them, auditing them."""

from __future__ import annotations

import time
from typing import Any, Literal

from workflows import detached
from workflows.events import Gate
from workflows.failures import WorkflowError
from workflows.files import sha256
from workflows.studies.context import Context
from workflows.studies.fraud import data, requirement, variants
from workflows.studies.fraud.told import titled
from workflows.studies.study import Result

SETTINGS = ("valid-rows", "duplicates", "split", "split-seed")


def prepare_inputs(context: Context) -> dict[str, Any]:
    """What the data depends on."""
    place = data.located(detached.own_configuration(context.run.configuration))
    return {"data": place.sha256, "path": str(place.path), **{name: context.value(name) for name in SETTINGS}}


def prepare(context: Context) -> Result:
    """The requirement is compiled; train.npz, validation.npz and test.npz are written.

    Raises:
        ParameterError: The requirement is not understood, or a variant is unknown.
        WorkflowError: The data cannot be used.
    """
    import numpy as np

    needed = requirement.of(context.run.parameters)
    variants.chosen(str(context.value("variants")))
    place = data.located(detached.own_configuration(context.run.configuration))
    context.log(place.note, level="warning" if place.synthetic else "info")
    features, labels, population = data.read(place)
    stands_for = population / float((labels == 0).sum())
    seed = int(context.value("split-seed"))
    copies, fraud_copies = data.duplicates(features, labels)
    found = {
        "rows": len(labels),
        "frauds": int(labels.sum()),
        "copies": int(copies.sum()),
        "fraud_copies": fraud_copies,
    }
    keep = data.thin(features, labels, int(context.value("valid-rows")), seed)
    if context.value("duplicates") == "drop":
        population *= 1 - float(copies[labels == 0].mean())
        keep &= ~copies
    features, labels = features[keep], labels[keep]
    weights = data.weights(labels, population)
    rows = data.Rows(features.astype(np.float32), labels, weights)
    assigned = data.assign(features, seed, context.value("split"))
    files, hashes, table = [], {}, []
    for number, name in enumerate(data.SETS):
        part = rows.of(assigned == number)
        if min((part.labels == 0).sum(), (part.labels == 1).sum()) < 2:
            raise WorkflowError(
                f"The {name} set has {int(part.labels.sum())} frauds of {len(part)} rows: too few to learn or to judge."
            )
        path = context.work / f"{name}.npz"
        data.save(path, part)
        files.append(path)
        hashes[f"{name}_sha256"] = sha256(path)
        frauds = int(part.labels.sum())
        table.append([name, len(part), frauds, len(part) - frauds, f"{part.fraud_share:.4%}"])
        context.artifact("data", path.name, str(path), hashes[f"{name}_sha256"])
    columns = ["set", "rows", "frauds", "valid rows", "frauds in the population"]
    synthetic = " [SYNTHETIC data]" if place.synthetic else ""
    context.table(f"The transactions{synthetic}", columns, table)
    context.log(f"Required: {needed}. The metric of that is {needed.metric.replace('-', ' ')}.")
    told = "Synthetic data" if place.synthetic else "Real data, a sample" if place.sample else "Real data"
    return Result(
        outputs={
            **hashes,
            **found,
            "source": place.as_dict(),
            "synthetic": place.synthetic,
            "population_weight": stands_for,
            "weight": float(weights[labels == 0][0]),
            "fraud_share": rows.fraud_share,
        },
        files=files,
        summary=f"{told}: {len(labels)} rows, {int(labels.sum())} frauds; each valid row stands for "
        f"{float(weights[labels == 0][0]):.2f} transactions.",
    )


def data_inputs(context: Context) -> dict[str, Any]:
    """The content of the data, and the requirement."""
    found = context.of("prepare")
    return {
        **{name: found[f"{name}_sha256"] for name in data.SETS},
        "requirement": str(requirement.of(context.run.parameters)),
        "stated": context.value("stated-metric"),
        "margin": context.value("margin"),
    }


def audit(context: Context) -> Result:
    """Copies across the split, imbalance, values that are no numbers, columns that say nothing; the stated metric.

    Raises:
        WorkflowError: Copies of a row are on both sides of the split, or a value is not finite.
    """
    import numpy as np

    context.ledger.verify("prepare")
    found = context.of("prepare")
    sets = {name: data.load(context.work / f"{name}.npz") for name in data.SETS}
    for name, part in sets.items():
        if not np.isfinite(part.features).all():
            raise WorkflowError(
                f"The {name} set holds values that are no finite numbers. Check the data and start a new run."
            )
    keys = {
        name: [
            row.tobytes() + bytes([label])
            for row, label in zip(part.features, part.labels.tolist(), strict=True)
        ]
        for name, part in sets.items()
    }
    learned = {*keys["train"], *keys["validation"]}
    leaked = [
        label for key, label in zip(keys["test"], sets["test"].labels.tolist(), strict=True) if key in learned
    ]
    leaked += [1 for key in keys["validation"] if key in set(keys["train"]) and key[-1] == 1]
    across, frauds = len(leaked), sum(leaked)
    features = {key[:-1] for name in data.SETS for key in keys[name]}
    conflicts = len({key for name in data.SETS for key in keys[name]}) - len(features)
    constant = [number for number, spread in enumerate(sets["train"].features.std(axis=0)) if spread == 0]
    context.table(
        titled(context, "Audit"),
        ["what", "count"],
        [
            ["exact copies of another row, in the whole data", found["copies"]],
            ["… of frauds", found["fraud_copies"]],
            ["rows with a copy in another set", across],
            ["rows that are labelled both valid and fraud", conflicts],
            ["columns that never change", len(constant)],
            ["missing values", 0],
        ],
    )
    reason = f"{across} rows have a copy in another set ({frauds} of them frauds)."
    _tell(context, "duplicates", "fail" if across else "pass", reason, float(across))
    share = found["fraud_share"]
    reason = (
        f"{share:.3%} of the transactions are frauds: answering 'valid' every time has an accuracy of {1 - share:.5f} and "
        "catches none, so accuracy decides nothing here."
    )
    _tell(context, "class balance", "warn" if share < 0.05 else "pass", reason, share)
    if conflicts:
        _tell(context, "labels agree", "warn", f"{conflicts} rows appear with both labels.", float(conflicts))
    needed = requirement.of(context.run.parameters)
    wrong = requirement.mismatch(needed, str(context.value("stated-metric")), share)
    fits = f"The requirement, {needed}, is measured by {needed.metric.replace('-', ' ')}."
    _tell(context, "metric is the requirement", "warn" if wrong else "pass", wrong or fits, needed.share)
    if across:
        raise WorkflowError(
            f"{across} rows, {frauds} of them frauds, have an exact copy in another set: scores would be too good. Split by "
            "content (split=content) or drop copies (duplicates=drop)."
        )
    return Result(
        outputs={"across": across, "conflicts": conflicts, "mismatch": wrong},
        summary=f"No row is in two sets, {found['copies']} copies ({found['fraud_copies']} frauds), {share:.3%} frauds.",
    )


def _tell(
    context: Context, name: str, verdict: Literal["pass", "warn", "fail"], reason: str, value: float
) -> None:
    context.send(
        Gate(time=time.time(), step=context.step, name=name, verdict=verdict, reason=reason, value=value)
    )
