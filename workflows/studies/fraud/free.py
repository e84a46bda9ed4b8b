"""Baselines that cost nothing: never flagging, logistic regression and XGBoost, on this machine, on the same split."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workflows.studies import gates
from workflows.studies.context import Context
from workflows.studies.fraud import curves, data, told
from workflows.studies.fraud.curves import Curve, Point
from workflows.studies.fraud.requirement import Requirement, of
from workflows.studies.study import Result

if TYPE_CHECKING:
    from workflows.events import Gate

NEVER = "never flags"
LOGISTIC = "logistic regression"
XGBOOST = "XGBoost"
TREES = {
    "n_estimators": 150,
    "max_depth": 6,
    "learning_rate": 0.1,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "min_child_weight": 5,
    "reg_lambda": 10,
    "tree_method": "hist",
    "n_jobs": 1,
    "random_state": 0,
}
"""Chosen by cross-validation, with shrinkage for few frauds; one thread, so that the same data give the same trees."""
SIGNIFICANT = 3.0
"""Standard errors by which frauds must rank above valid rows (Mann-Whitney) for the labels to mean anything."""


def logistic(train: data.Rows) -> Callable[[Any], Any]:
    """Weighted logistic regression on standardised features; a function from features to probabilities."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    model.fit(train.features.astype(float), train.labels, logisticregression__sample_weight=train.weights)
    return lambda features: model.predict_proba(features.astype(float))[:, 1]


def trees(train: data.Rows) -> Callable[[Any], Any]:
    """Gradient-boosted trees; a function from features to probabilities."""
    from xgboost import XGBClassifier

    # Unweighted rows: weights of 20 on valid rows would drown 300 frauds, and a ranking does not need the base rate.
    model = XGBClassifier(**TREES).fit(train.features, train.labels)
    return lambda features: model.predict_proba(features)[:, 1]


MODELS = {LOGISTIC: logistic, XGBOOST: trees}


def baseline(context: Context) -> Result:
    """Fits the baselines, chooses their thresholds on the validation rows, scores them on the test rows; other splits.

    Raises:
        Refused: Nothing ranks frauds above valid rows, as when labels are shuffled, and nobody overruled that.
    """
    import numpy as np

    context.ledger.verify("prepare")
    needed = of(context.run.parameters)
    margin = float(context.value("margin"))
    train, validation, test = (data.load(context.work / f"{name}.npz") for name in data.SETS)
    scores: dict[str, Any] = {}
    chosen: dict[str, Point] = {}
    rows = [told.row(NEVER, curves.at(test.labels, np.zeros(len(test)), test.weights))]
    precisions: dict[str, float] = {}
    merits: dict[str, float] = {}
    for name, fit in MODELS.items():
        context.check()
        model = fit(train)
        held, asked = model(validation.features), model(test.features)
        scores[f"{name} validation"], scores[f"{name} test"] = held, asked
        picked = curves.calibrated(validation, held, needed, margin)
        merits[name] = picked.merit(needed) if picked.meets(needed) else -1e18
        chosen[name] = curves.at(test.labels, asked >= picked.threshold, test.weights, picked.threshold)
        precisions[name] = curves.curve(test.labels, asked, test.weights).average_precision
        rows.append([*told.row(name, chosen[name])])
    title = told.titled(context, f"Baselines that cost nothing: {needed}, test")
    context.table(title, told.COLUMNS, rows)
    # The one to beat is chosen on validation rows: the test rows choose nothing.
    best = max(merits, key=lambda name: merits[name])
    path = context.work / "baselines.npz"
    np.savez(path, **scores)
    gates.decide(
        context,
        [_signal(context, validation, scores[f"{LOGISTIC} validation"], scores[f"{XGBOOST} validation"])],
    )
    spread = _spread(context, needed)
    return Result(
        outputs={
            "best": best,
            "spread": spread,
            "thresholds": {name: point.threshold for name, point in chosen.items()},
            "metrics": {
                "logistic_average_precision": precisions[LOGISTIC],
                "xgboost_average_precision": precisions[XGBOOST],
                "baseline_recall": chosen[best].recall,
                "baseline_precision": chosen[best].precision,
            },
        },
        files=[path],
        summary="; ".join(
            f"{name}: recall {point.recall:.3f}, precision {point.precision:.3f}"
            for name, point in chosen.items()
        )
        + " on the test rows.",
    )


def stored(context: Context, which: str) -> dict[str, Any]:
    """The baselines' scores of a set (``validation`` or ``test``) by name."""
    import numpy as np

    with np.load(context.work / "baselines.npz", allow_pickle=False) as file:
        return {name: file[f"{name} {which}"] for name in MODELS}


def _signal(context: Context, validation: data.Rows, *scored: Any) -> Gate:
    """Whether any baseline ranks frauds above valid rows by more than chance does."""
    import math

    from scipy.stats import rankdata

    frauds = int(validation.labels.sum())
    valid = len(validation) - frauds
    found = []
    for scores in scored:
        area = (rankdata(scores)[validation.labels == 1].sum() - frauds * (frauds + 1) / 2) / (frauds * valid)
        error = math.sqrt((frauds + valid + 1) / (12 * frauds * valid))
        found.append((float(area), float((area - 0.5) / error)))
    area, distance = max(found, key=lambda item: item[1])
    passed = distance >= SIGNIFICANT
    reason = f"A fraud ranks above a valid row with probability {area:.3f}, {distance:.1f} standard errors above one half"
    reason += (
        "."
        if passed
        else ": no baseline finds anything. The labels look shuffled, or do not belong to these rows."
    )
    verdict: gates.Verdict = "pass" if passed else "fail"
    return gates.judgement(context.step, "labels mean something", verdict, reason, area, 0.5)


def on_split(
    rows: data.Rows, assigned: Any, needed: Requirement, margin: float, name: str
) -> tuple[Curve, Point]:
    """A baseline fitted on one split: its curve on the test rows, and its point at the threshold of the validation rows."""
    train, validation, test = (rows.of(assigned == number) for number in range(3))
    model = MODELS[name](train)
    picked = curves.calibrated(validation, model(validation.features), needed, margin)
    asked = model(test.features)
    point = curves.at(test.labels, asked >= picked.threshold, test.weights, picked.threshold)
    return curves.curve(test.labels, asked, test.weights), point


def _spread(context: Context, needed: Requirement) -> dict[str, dict[str, float]]:
    """Mean and standard deviation over other splits, and a table of them."""
    import numpy as np

    count = int(context.value("spread-seeds"))
    if not count:
        return {}
    parts = [data.load(context.work / f"{name}.npz") for name in data.SETS]
    rows = data.Rows(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("features", "labels", "weights")
        )
    )
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in MODELS}
    first = int(context.value("split-seed")) + 1
    for seed in range(first, first + count):
        assigned = data.assign(rows.features, seed)
        for name in MODELS:
            context.check()
            line, point = on_split(rows, assigned, needed, float(context.value("margin")), name)
            found[name].append((line.average_precision, point.recall, point.precision))
        context.progress(seed - first + 1, count, "splits")
    table, spread = [], {}
    for name, values in found.items():
        columns = list(zip(*values, strict=True))
        means = [statistics.fmean(column) for column in columns]
        around = [statistics.stdev(column) if count > 1 else 0.0 for column in columns]
        table.append(
            [
                name,
                *(
                    f"{mean:.3f} ± {by:.3f} ({min(c):.3f}-{max(c):.3f})"
                    for mean, by, c in zip(means, around, columns, strict=True)
                ),
            ]
        )
        spread[name] = {
            key: value
            for part, mean, by in zip(
                ("average_precision", "recall", "precision"), means, around, strict=True
            )
            for key, value in ((part, mean), (f"{part}_spread", by))
        }
    title = told.titled(context, f"The same baselines on {count} other splits")
    context.table(title, ["baseline", "average precision", "recall", "precision"], table)
    return spread


def baseline_inputs(context: Context) -> dict[str, Any]:
    """What the baselines depend on."""
    from workflows.studies.fraud.local import data_inputs

    return data_inputs(context) | {"spread": context.value("spread-seeds")}
