"""The steps that need no SageMaker: making the data, auditing it, and the baselines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workflows import detached
from workflows.failures import WorkflowError
from workflows.files import sha256
from workflows.studies import gates
from workflows.studies.context import Context
from workflows.studies.moons import data
from workflows.studies.moons.candidates import candidates
from workflows.studies.study import Result

if TYPE_CHECKING:
    from workflows.data.place import Located

NAMES = ("upper moon", "lower moon")


def prepare_inputs(context: Context) -> dict[str, Any]:
    """What the data depends on."""
    if context.value("data") == "imported":
        return {"imported": _imported(context).sha256, "test_share": data.TEST_SHARE}
    return {"points": data.POINTS, "noise": data.NOISE, "test_share": data.TEST_SHARE}


def prepare(context: Context) -> Result:
    """train.csv and test.csv in the work folder.

    Raises:
        ParameterError: The nets to be compared are not understood.
        WorkflowError: There are no points of one's own, or they cannot be used.
    """
    candidates(context.run.parameters)
    own: dict[str, str] = {}
    kind = "Generated data"
    if context.value("data") == "imported":
        place = _imported(context)
        own = {"path": str(place.path)}
        kind = place.kind
        context.log(place.note)
        train_x, test_x, train_y, test_y = data.parted(place)
    else:
        train_x, test_x, train_y, test_y = data.make()
    files = {"train": (train_x, train_y), "test": (test_x, test_y)}
    hashes: dict[str, str] = {}
    for name, (points, labels) in files.items():
        path = context.work / f"{name}.csv"
        data.write_csv(path, points, labels)
        hashes[name] = sha256(path)
        context.artifact("data", path.name, str(path), hashes[name])
    context.figure("The training points", "scatter", scatter(train_x, train_y), "x", "y")
    return Result(
        outputs={"train_sha256": hashes["train"], "test_sha256": hashes["test"], **own},
        files=[context.work / "train.csv", context.work / "test.csv"],
        summary=f"{kind}: {len(train_y)} training points, {len(test_y)} test points.",
    )


def _imported(context: Context) -> Located:
    return data.imported(detached.own_configuration(context.run.configuration))


def data_inputs(context: Context) -> dict[str, Any]:
    """The content of the data."""
    return context.of("prepare")


def audit(context: Context) -> Result:
    """Duplicates inside and across the split, values that are no numbers, labels without relation, the balance of the classes.

    Raises:
        WorkflowError: A value is not finite, a point is in both sets, or the labels look shuffled.
    """
    import numpy as np
    import pandas as pd

    from workflows.data import audit as checks
    from workflows.data.checking import CODES

    train_x, train_y = data.read_csv(context.work / "train.csv")
    test_x, test_y = data.read_csv(context.work / "test.csv")
    if not (np.isfinite(train_x).all() and np.isfinite(test_x).all()):
        raise WorkflowError(
            "The data holds values that are no finite numbers. Delete the run and start a new one."
        )
    train, test = (pd.DataFrame(points, columns=["x", "y"]) for points in (train_x, test_x))
    inside = sum(found.count for table in (train, test) for found in checks.duplicates(table))
    across = sum(found.count for found in checks.across_split(train, test))
    unrelated = checks.shuffled({"x": train["x"], "y": train["y"]}, [int(label) for label in train_y])
    shares = {"training": float(train_y.mean()), "test": float(test_y.mean())}
    context.table(
        "The data",
        ["set", "points", *NAMES, f"share of {NAMES[1]}"],
        [
            [
                "training",
                len(train_y),
                int((train_y == 0).sum()),
                int(train_y.sum()),
                round(shares["training"], 4),
            ],
            ["test", len(test_y), int((test_y == 0).sum()), int(test_y.sum()), round(shares["test"], 4)],
        ],
    )
    leak: gates.Verdict = "fail" if across else ("warn" if inside else "pass")
    _tell(
        context,
        "duplicates",
        leak,
        f"{across} points are in both sets, {inside} twice in one.",
        float(across),
    )
    _tell(
        context,
        "labels fit the points",
        "fail" if unrelated else "pass",
        unrelated[0].text if unrelated else "The labels follow from where the points lie.",
        float(len(unrelated)),
    )
    coded = checks.sentinels(train, CODES)
    _tell(
        context,
        "sentinel rows",
        "warn" if coded else "pass",
        f"{coded[0].text} {coded[0].remedy}" if coded else "No point holds codes instead of coordinates.",
        float(sum(found.count for found in coded)),
    )
    balance = abs(shares["training"] - 0.5)
    _tell(
        context,
        "class balance",
        "pass" if balance < 0.2 else "warn",
        f"{shares['training']:.1%} of the training points are of the {NAMES[1]}.",
        shares["training"],
    )
    if across:
        raise WorkflowError(
            f"{across} test points are among the training points: every score would be too good."
        )
    if unrelated:
        raise WorkflowError(unrelated[0].text)
    return Result(
        outputs={"across": across, "inside": inside, "shares": shares},
        summary=f"No point is in both sets, {inside} duplicates, {shares['training']:.0%} {NAMES[1]}.",
    )


def baseline(context: Context) -> Result:
    """Logistic regression and an RBF support vector machine, cross-validated and scored on the test points."""
    from workflows.studies.baselines import classifiers

    train_x, train_y = data.read_csv(context.work / "train.csv")
    test_x, test_y = data.read_csv(context.work / "test.csv")
    found = classifiers(train_x, train_y, test_x, test_y)
    # The one to beat is chosen by cross-validation: the test points choose nothing.
    best = max(found, key=lambda item: item.cross_validated)
    context.table(
        "Baselines that cost nothing",
        ["baseline", "cross-validated", "±", "test accuracy"],
        [
            [item.name, round(item.cross_validated, 4), round(item.spread, 4), round(item.accuracy, 4)]
            for item in found
        ],
    )
    return Result(
        outputs={
            "best": best.name,
            "predictions": {item.name: item.predictions for item in found},
            "metrics": {
                "baseline_accuracy": best.accuracy,
                "logistic_regression_accuracy": found[0].accuracy,
                "svm_accuracy": found[1].accuracy,
            },
        },
        summary=", ".join(f"{item.name} {item.accuracy:.3f}" for item in found) + " on the test points.",
    )


def _tell(context: Context, name: str, verdict: gates.Verdict, reason: str, value: float) -> None:
    context.send(gates.judgement(context.step, name, verdict, reason, value))


def scatter(points: Any, labels: Any) -> list[dict[str, Any]]:
    """One series of points per class."""
    return [
        {
            "name": NAMES[label],
            "x": [round(float(x), 4) for x in points[labels == label][:, 0]],
            "y": [round(float(y), 4) for y in points[labels == label][:, 1]],
        }
        for label in (0, 1)
    ]
