"""The steps that need no SageMaker: getting the data, splitting them, auditing them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workflows import detached
from workflows.failures import WorkflowError
from workflows.files import sha256
from workflows.studies import gates
from workflows.studies.context import Context
from workflows.studies.fraud import data, requirement, variants
from workflows.studies.fraud.told import titled
from workflows.studies.study import Result

if TYPE_CHECKING:
    from workflows.data.findings import Finding
    from workflows.data.place import Located

SETTINGS = ("valid-rows", "duplicates", "split", "split-seed")


def _located(context: Context) -> Located:
    source = "" if context.value("data") == "auto" else str(context.value("data"))
    return data.located(detached.own_configuration(context.run.configuration), source)


def prepare_inputs(context: Context) -> dict[str, Any]:
    """What the data depends on."""
    place = _located(context)
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
    place = _located(context)
    context.log(place.note, level="warning" if place.synthetic else "info")
    names, features, labels, population = data.read(place)
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
    return Result(
        outputs={
            **hashes,
            **found,
            "columns": names,
            "source": place.as_dict(),
            "synthetic": place.synthetic,
            "population_weight": stands_for,
            "weight": float(weights[labels == 0][0]),
            "fraud_share": rows.fraud_share,
        },
        files=files,
        summary=f"{place.kind}: {len(labels)} rows, {int(labels.sum())} frauds; each valid row stands for "
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
    """Copies across the split, imbalance, codes instead of values, columns that say nothing or everything; the stated metric.

    Raises:
        WorkflowError: Copies of a row are on both sides of the split, or a value is not finite.
        Refused: A column alone gives the label away, and nobody overruled that.
    """
    import numpy as np
    import pandas as pd

    from workflows.data import audit as audits
    from workflows.data.checking import CODES

    context.ledger.verify("prepare")
    found = context.of("prepare")
    share = found["fraud_share"]
    frames = {}
    for name in data.SETS:
        part = data.load(context.work / f"{name}.npz")
        if not np.isfinite(part.features).all():
            raise WorkflowError(
                f"The {name} set holds values that are no finite numbers. Check the data and start a new run."
            )
        frames[name] = pd.DataFrame(part.features, columns=found["columns"]).assign(
            **{data.LABEL: part.labels}
        )
    learned = pd.concat([frames["train"], frames["validation"]])
    across = audits.across_split(learned, frames["test"], None, data.LABEL, 1)
    across += audits.across_split(frames["train"], frames["validation"], None, data.LABEL, 1)
    says_nothing, says_all = audits.constant(learned), audits.leakage(learned, data.LABEL)
    coded = audits.sentinels(learned[found["columns"]], CODES)
    everything = pd.concat(frames.values())
    conflicts = len(everything.drop_duplicates()) - len(everything.drop_duplicates(found["columns"]))
    context.table(
        titled(context, "Audit"),
        ["what", "count"],
        [
            ["exact copies of another row, in the whole data", found["copies"]],
            ["… of frauds", found["fraud_copies"]],
            ["rows with a copy in another set", sum(one.count for one in across)],
            ["rows that are labelled both valid and fraud", conflicts],
            ["columns that never change, or repeat another", len(says_nothing)],
            ["columns that alone give the label away", len(says_all)],
            ["rows with a code instead of values", sum(one.count for one in coded)],
            ["missing values", 0],
        ],
    )
    reason = reason_of(across) or "No row is in two sets: copies stay on one side."
    _tell(
        context, "duplicates", "fail" if across else "pass", reason, float(sum(one.count for one in across))
    )
    reason = (
        f"{share:.3%} of the transactions are frauds: answering 'valid' every time has an accuracy of {1 - share:.5f} and "
        "catches none, so accuracy decides nothing here."
    )
    _tell(context, "class balance", "warn" if share < 0.05 else "pass", reason, share)
    if conflicts:
        _tell(context, "labels agree", "warn", f"{conflicts} rows appear with both labels.", float(conflicts))
    codes = f"{reason_of(coded)} {coded[0].remedy}" if coded else "No row holds codes instead of values."
    _tell(
        context, "sentinel rows", "warn" if coded else "pass", codes, float(sum(one.count for one in coded))
    )
    for one in says_nothing:
        _tell(context, "columns say something", "warn", f"{one.where}: {one.text}", 0.0)
    needed = requirement.of(context.run.parameters)
    wrong = requirement.mismatch(needed, str(context.value("stated-metric")), share)
    fits = f"The requirement, {needed}, is measured by {needed.metric.replace('-', ' ')}."
    _tell(context, "metric is the requirement", "warn" if wrong else "pass", wrong or fits, needed.share)
    if across:
        raise WorkflowError(
            f"{reason_of(across)} Split by content (split=content) or drop copies (duplicates=drop)."
        )
    gates.decide(
        context,
        [
            gates.judgement(context.step, "no leakage", "fail", f"{one.text} {one.remedy}", 1.0)
            for one in says_all
        ],
    )
    return Result(
        outputs={"conflicts": conflicts, "mismatch": wrong},
        summary=f"No row is in two sets, {found['copies']} copies ({found['fraud_copies']} frauds), {share:.3%} frauds.",
    )


def reason_of(findings: list[Finding]) -> str:
    """The findings' texts, as one."""
    return " ".join(one.text for one in findings)


def _tell(context: Context, name: str, verdict: gates.Verdict, reason: str, value: float) -> None:
    context.send(gates.judgement(context.step, name, verdict, reason, value))
