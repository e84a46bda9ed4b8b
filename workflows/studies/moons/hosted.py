"""Hosting the net, and asking it through its endpoint."""

from __future__ import annotations

import io
import json
from typing import Any

from workflows.failures import WorkflowError
from workflows.files import sha256
from workflows.interfaces import images
from workflows.studies import hosting
from workflows.studies.context import Context
from workflows.studies.moons import data
from workflows.studies.moons.local import scatter
from workflows.studies.moons.trained import ANSWERS, scored
from workflows.studies.scores import confusion
from workflows.studies.study import Result

NPY = "application/x-npy"
AGREEMENT = 1e-5
"""Largest difference between a hosted and an offline probability: single precision on two CPUs."""
GRID = (61, 41)


def deploy_inputs(context: Context) -> dict[str, Any]:
    """What the endpoint depends on."""
    return {
        "model": context.of("train")["model_sha256"],
        "instance_type": context.value("hosting-instance-type"),
        "image": images.pytorch("inference", context.platform.region),
    }


def deploy(context: Context) -> Result:
    """Model, endpoint configuration and endpoint, until it is in service."""
    return hosting.host(context, images.pytorch("inference", context.platform.region))


def predict_inputs(context: Context) -> dict[str, Any]:
    """What the answers depend on."""
    return deploy_inputs(context) | {"data": context.of("prepare")["test_sha256"]}


def predict(context: Context) -> Result:
    """The test points through the endpoint, compared one by one with the offline answers; the decision boundary.

    Raises:
        WorkflowError: The hosted model answers differently from the model that passed the gates.
    """
    import numpy as np

    context.ledger.verify("prepare", "train", "gate")
    points, labels = data.read_csv(context.work / "test.csv")
    truth = [int(label) for label in labels]
    hosted = _ask(context, points)
    offline = np.load(context.work / ANSWERS, allow_pickle=False)
    if hosted.shape != offline.shape:
        raise WorkflowError(
            f"The endpoint gave {hosted.size} answers for {len(truth)} points. Its log tells more."
        )
    difference = float(np.abs(hosted - offline).max())
    if difference > AGREEMENT:
        raise WorkflowError(
            f"The endpoint's answers differ from the offline ones by up to {difference:.2g}: it does not serve the model "
            "that passed the gates. Start a new run."
        )
    _formats_agree(context, points[:5], hosted[:5])
    context.log(
        f"All {len(truth)} hosted answers agree with the offline ones (largest difference {difference:.1g})."
    )
    latencies = hosting.latencies(context, lambda rows: _ask(context, rows), points)
    counts = confusion(truth, [int(p > 0.5) for p in hosted])
    rows = [
        [f"really {name}", *row]
        for name, row in zip(
            ("upper", "lower"), ((counts.tn, counts.fp), (counts.fn, counts.tp)), strict=True
        )
    ]
    context.table("Answers of the endpoint", ["", "says upper", "says lower"], rows)
    path = context.work / "predictions.csv"
    lines = [f"{label},{float(p)!r}" for label, p in zip(truth, hosted, strict=True)]
    path.write_text("\n".join(["label,probability", *lines]) + "\n", encoding="utf-8")
    context.artifact("predictions", path.name, str(path), sha256(path))
    _boundary(context, points, labels)
    return Result(
        outputs={
            "scores": scored(counts),
            "metrics": {"agreement": difference, "latency_ms_p50": 1000 * latencies[len(latencies) // 2]},
            "predictions_sha256": sha256(path),
        },
        files=[path],
        summary=f"Accuracy {counts.accuracy:.3f} through the endpoint, the same as offline.",
    )


def _ask(context: Context, points: Any) -> Any:
    import numpy as np

    buffer = io.BytesIO()
    np.save(buffer, np.asarray(points, dtype=np.float32))
    answer = context.interface.invoke(context.run.id, buffer.getvalue(), NPY, NPY)
    return np.load(io.BytesIO(answer), allow_pickle=False)


def _formats_agree(context: Context, points: Any, expected: Any) -> None:
    """CSV and JSON clients get the same answers as those who send arrays."""
    import numpy as np

    rows = [[float(np.float32(value)) for value in row] for row in points]
    text = "\n".join(f"{x!r},{y!r}" for x, y in rows)
    as_csv = context.interface.invoke(context.run.id, text.encode(), "text/csv", "text/csv").decode().split()
    body = json.dumps({"instances": rows}).encode()
    answer = json.loads(
        context.interface.invoke(context.run.id, body, "application/json", "application/json")
    )
    for kind, values in (("CSV", as_csv), ("JSON", answer["predictions"])):
        if float(np.abs(np.array([float(value) for value in values]) - expected).max()) > AGREEMENT:
            raise WorkflowError(
                f"The endpoint answers differently when it is asked in {kind}. Its log tells more."
            )


def _boundary(context: Context, points: Any, labels: Any) -> None:
    import numpy as np

    low, high = points.min(axis=0) - 0.25, points.max(axis=0) + 0.25
    xs, ys = np.linspace(low[0], high[0], GRID[0]), np.linspace(low[1], high[1], GRID[1])
    grid = np.array([(x, y) for y in ys for x in xs])
    field = _ask(context, grid).reshape(len(ys), len(xs))
    surface = {
        "name": "probability of the lower moon",
        "x": [round(float(x), 4) for x in xs],
        "y": [round(float(y), 4) for y in ys],
        "z": [[round(float(z), 4) for z in row] for row in field],
    }
    context.figure("What the endpoint answers", "field", [surface, *scatter(points, labels)], "x", "y")
