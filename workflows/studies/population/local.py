"""The steps that need no SageMaker: getting and scaling the counties, auditing them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workflows import detached
from workflows.failures import WorkflowError
from workflows.files import sha256
from workflows.studies import gates
from workflows.studies.context import Context
from workflows.studies.population import county, data, told
from workflows.studies.study import Result

if TYPE_CHECKING:
    from workflows.data.place import Located

COUNTIES, SCALER, SCALED = "counties.npz", "scaler.json", "scaled.csv"
MANY = 0.1
"""From this share of rows left out on, what is left may be another population."""
CODES = (-1.0, -9.0, -99.0, -999.0, -9999.0, -222222222.0, -333333333.0, -555555555.0, -666666666.0)
"""What stands for "no value": habits, and the codes of the Census Bureau's own tables."""


def prepare_inputs(context: Context) -> dict[str, Any]:
    """What the data depends on."""
    place = _located(context)
    chosen = {name: context.value(name) for name in ("scaling", "leave-out", "county")}
    return {"data": place.sha256, "path": str(place.path), **chosen}


def prepare(context: Context) -> Result:
    """counties.npz, scaler.json and scaled.csv (what SageMaker gets) are written; the county to look up is found.

    Raises:
        WorkflowError: The data cannot be used, or there is no such county.
    """
    place = _located(context)
    if int(context.value("k")) == 1 or int(context.value("k-most")) < int(context.value("k-least")):
        raise WorkflowError(
            "k must be 0 (chosen by the curves) or at least 2, and k-most no smaller than k-least: one segment is no segmentation."
        )
    context.log(place.note, level="warning" if place.synthetic else "info")
    found = data.read(
        place, tuple(filter(None, (name.strip() for name in str(context.value("leave-out")).split(","))))
    )
    counties = found.counties
    asked = looked_up(counties, str(context.value("county")))
    scaler = data.Scaler.fitted(str(context.value("scaling")), counties.columns, counties.values)
    data.save(context.work / COUNTIES, counties)
    scaler.save(context.work / SCALER)
    (context.work / SCALED).write_text(data.csv_lines(scaler.scaled(counties.values)), encoding="utf-8")
    files = [context.work / name for name in (COUNTIES, SCALER, SCALED)]
    hashes = {path.name: sha256(path) for path in files}
    for path in files:
        context.artifact("data", path.name, str(path), hashes[path.name])
    synthetic = " [SYNTHETIC data]" if place.synthetic else ""
    if found.incomplete:
        shown = "; ".join(found.incomplete[:10]) + (" …" if len(found.incomplete) > 10 else "")
        context.log(f"Left out, because values are missing: {shown}.")
    if found.copies:
        context.log(
            f"Left out, because they are exact copies: {'; '.join(found.copies[:10])}.", level="warning"
        )
    values = counties.values
    context.table(
        f"The columns of {len(counties)} counties, before scaling{synthetic}",
        ["column", "least", "median", "mean", "most", "missing"],
        [
            [name, *(told.rounded(float(one)) for one in (column.min(), _median(column), column.mean(), column.max())),
             found.missing.get(name, 0)]
            for name, column in zip(counties.columns, values.T, strict=True)
        ],
    )  # fmt: skip
    left = len(found.incomplete) + len(found.copies)
    names = f" ({'; '.join(found.incomplete)})" if 0 < len(found.incomplete) <= 3 else ""
    return Result(
        outputs={
            "counties_sha256": hashes[COUNTIES],
            "scaler_sha256": hashes[SCALER],
            "scaled_sha256": hashes[SCALED],
            "rows": len(counties),
            "incomplete": found.incomplete,
            "copies": found.copies,
            "missing": found.missing,
            "columns": counties.columns,
            "county": counties.names[asked],
            "source": place.as_dict(),
            "synthetic": place.synthetic,
        },
        files=files,
        summary=f"{place.kind}: {len(counties) + left} rows, {len(counties)} counties kept; {len(found.incomplete)} have missing values"
        f"{names}. {len(counties.columns)} columns, {context.value('scaling')} scaling.",
    )


def looked_up(counties: data.Counties, asked: str) -> int:
    """The index of the county to look up; the most populous one where none is asked for.

    Raises:
        WorkflowError: There is no such county.
    """
    if asked.strip():
        return county.find(counties.names, asked)
    if "TotalPop" in counties.columns:
        return int(counties.values[:, counties.columns.index("TotalPop")].argmax())
    return 0


def data_inputs(context: Context) -> dict[str, Any]:
    """The content of the data, and its scale."""
    found = context.of("prepare")
    return {name: found[f"{name}_sha256"] for name in ("counties", "scaled")}


def audit(context: Context) -> Result:
    """What would make segments lie: missing values, copies, codes, columns that say nothing, say the same, or are squeezed.

    Raises:
        Refused: Codes stand for missing values, and nobody overruled that.
    """
    import pandas as pd

    from workflows.data import audit as audits

    context.ledger.verify("prepare")
    found = context.of("prepare")
    counties = data.load(context.work / COUNTIES)
    frame = pd.DataFrame(counties.values, columns=counties.columns)
    constant, copies = audits.constant(frame), audits.duplicates(frame)
    codes = audits.sentinels(frame, CODES)
    together, squeezed = audits.collinear(frame), audits.squeezed(frame)
    lost = len(found["incomplete"])
    share = lost / (len(counties) + lost)
    context.table(
        context.titled("Audit"),
        ["what", "count", "which"],
        [
            ["counties left out: missing values", lost, "; ".join(found["incomplete"][:3])],
            ["rows left out: exact copies", len(found["copies"]), "; ".join(found["copies"][:3])],
            ["counties with the very values of another", sum(one.count for one in copies), ""],
            ["columns that never change, or repeat another", len(constant), _where(constant)],
            ["groups of columns that say the same", len(together), _where(together)],
            ["columns squeezed by a few extremes", len(squeezed), _where(squeezed)],
            ["columns with codes for missing values", len(codes), _where(codes)],
        ],
    )
    reason = f"{lost} of {len(counties) + lost} counties miss a value and are left out" + (
        f": {'; '.join(found['incomplete'][:3])}." if 0 < lost <= 3 else "."
    )
    _tell(context, "missing values", "warn" if share >= MANY else "pass", reason, share)
    for name, findings, fine, wrong in (
        (
            "copies",
            copies,
            "No two counties have the same values.",
            "Some counties have the very values of another.",
        ),
        ("columns say something", constant, "Every column changes.", "They say nothing of their own:"),
        ("columns say it once", together, "No column repeats another.", "One fact counts several times:"),
        (
            "one scale",
            squeezed,
            "No column is squeezed by a few extremes.",
            "Nearly all counties look the same in them:",
        ),
    ):
        reason = f"{wrong} {_where(findings)}. {findings[0].remedy}" if findings else fine
        _tell(context, name, "warn" if findings else "pass", reason, float(len(findings)))
    context.table(
        context.titled("Columns that say the same or are squeezed"),
        ["where", "what"],
        [[one.where, one.text] for one in (*together, *squeezed)] or [["nothing", "all columns are fine"]],
    )
    gates.decide(
        context,
        [gates.judgement(context.step, "no codes", "fail", f"{one.where}: {one.text} {one.remedy}", float(one.count)) for one in codes],
    )  # fmt: skip
    return Result(
        outputs={"collinear": len(together), "squeezed": len(squeezed), "constant": len(constant)},
        summary=f"Counties left out: {lost}; groups of columns that say the same: {len(together)}; columns that extremes squeeze: "
        f"{len(squeezed)}; columns that say nothing: {len(constant)}.",
    )


def _located(context: Context) -> Located:
    source = "synthetic" if context.value("data") == "synthetic" else ""
    return data.located(detached.own_configuration(context.run.configuration), source)


def _median(column: Any) -> float:
    import numpy as np

    return float(np.median(column))


def _where(findings: list[Any]) -> str:
    shown = "; ".join(one.where.removeprefix("columns ").removeprefix("column ") for one in findings[:4])
    return shown + (" …" if len(findings) > 4 else "")


def _tell(context: Context, name: str, verdict: gates.Verdict, reason: str, value: float) -> None:
    context.send(gates.judgement(context.step, name, verdict, reason, value))
