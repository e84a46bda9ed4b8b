"""Hosting the chosen variant, and asking it with the chosen threshold."""

from __future__ import annotations

import time
from typing import Any

from workflows.failures import WorkflowError
from workflows.files import sha256
from workflows.studies import hosting
from workflows.studies.context import Context
from workflows.studies.fraud import curves, data, told
from workflows.studies.fraud.judged import LINES, parsed
from workflows.studies.fraud.trained import image
from workflows.studies.study import Result

AGREEMENT = 1e-5
"""Largest difference between a hosted and an offline score: single precision."""
CHUNK = 500
"""Rows per request."""
MOST_VALID = 2_000
"""Valid test rows that are asked live; all frauds are."""
SHOWN = 4
SINGLE_CALLS = 20


def deploy_inputs(context: Context) -> dict[str, Any]:
    """What the endpoint depends on."""
    chosen = context.of("evaluate")["chosen"]
    return {
        "model": context.of("train")["models"][chosen]["sha256"],
        "variant": chosen,
        "instance_type": context.value("hosting-instance-type"),
        "image": image(context),
    }


def deploy(context: Context) -> Result:
    """Model, endpoint configuration and endpoint of the chosen variant, until it is in service."""
    chosen = context.of("evaluate")["chosen"]
    model_uri = context.of("train")["models"][chosen]["model_uri"]
    return hosting.host_built_in(context, image(context), model_uri, f"the variant {chosen}")


def predict_inputs(context: Context) -> dict[str, Any]:
    """What the answers depend on."""
    found = context.of("evaluate")
    return deploy_inputs(context) | {
        "data": context.of("prepare")["test_sha256"],
        "threshold": found["threshold"],
    }


def predict(context: Context) -> Result:
    """Test rows through the endpoint, compared one by one with the batch answers; decisions at the chosen threshold.

    Raises:
        WorkflowError: The hosted model answers differently from the one that was judged.
    """
    import numpy as np

    context.ledger.verify("prepare", "train", "evaluate")
    chosen, threshold = context.of("evaluate")["chosen"], float(context.of("evaluate")["threshold"])
    validation = data.load(context.work / "validation.npz")
    test = data.load(context.work / "test.npz")
    with np.load(context.work / f"scores-{chosen}.npz", allow_pickle=False) as file:
        offline = file["scores"][len(validation) :]
    frauds, valid = np.flatnonzero(test.labels == 1), np.flatnonzero(test.labels == 0)[:MOST_VALID]
    asked = np.concatenate([frauds, valid])
    rows = test.of(asked)
    answers = []
    for begin in range(0, len(rows), CHUNK):
        context.check()
        answers.append(_ask(context, rows.features[begin : begin + CHUNK]))
        context.progress(min(begin + CHUNK, len(rows)), len(rows), "rows")
    hosted = np.concatenate(answers)
    difference = float(np.abs(hosted - offline[asked]).max())
    if difference > AGREEMENT:
        raise WorkflowError(
            f"The endpoint's answers differ from the batch answers by up to {difference:.2g}: it does not serve the model that "
            "was judged. Start a new run."
        )
    context.log(
        f"All {len(rows)} hosted answers agree with the batch answers (largest difference {difference:.1g})."
    )
    flags = hosted >= threshold
    counts = curves.at(rows.labels, flags, np.ones(len(rows)), threshold)
    table = [
        ["really valid", round(counts.tn), round(counts.fp)],
        ["really fraud", round(counts.fn), round(counts.tp)],
    ]
    title = told.titled(
        context, f"Answers of the endpoint at threshold {threshold:.6g}, {len(rows)} test rows"
    )
    context.table(title, ["", "lets pass", "flags"], table)
    shown = [*range(SHOWN), *range(len(frauds), min(len(frauds) + SHOWN, len(rows)))]
    live = [
        [int(asked[number]), round(float(rows.features[number, -1]), 2), round(float(hosted[number]), 6),
         "flag" if flags[number] else "let pass", "fraud" if rows.labels[number] else "valid"]
        for number in shown
    ]  # fmt: skip
    context.table(
        told.titled(context, "Some live queries"), ["test row", "amount", "score", "decision", "really"], live
    )
    latencies = []
    for number in range(min(SINGLE_CALLS, len(rows))):
        context.check()
        began = time.perf_counter()
        _ask(context, rows.features[number : number + 1])
        latencies.append(time.perf_counter() - began)
        context.metric("latency", 1000 * latencies[-1], number + 1, "call")
    path = context.work / "predictions.csv"
    lines = [
        f"{row},{label},{score!r},{int(flag)}"
        for row, label, score, flag in zip(
            asked.tolist(), rows.labels.tolist(), hosted.tolist(), flags.tolist(), strict=True
        )
    ]
    path.write_text("\n".join(["test_row,label,score,flagged", *lines]) + "\n", encoding="utf-8")
    context.artifact("predictions", path.name, str(path), sha256(path))
    return Result(
        outputs={
            "metrics": {
                "agreement": difference,
                "latency_ms_p50": 1000 * sorted(latencies)[len(latencies) // 2],
            },
            "predictions_sha256": sha256(path),
        },
        files=[path],
        summary=f"{counts.tp:.0f} of {len(frauds)} frauds and {counts.fp:.0f} of {len(valid)} valid rows are flagged live, as offline.",
    )


def _ask(context: Context, features: Any) -> Any:
    body = data.csv_lines(features).encode()
    answer = context.interface.invoke(context.run.id, body, "text/csv", LINES).decode()
    scores, _ = parsed([line for line in answer.splitlines() if line.strip()])
    if len(scores) != len(features):
        raise WorkflowError(
            f"The endpoint gave {len(scores)} answers for {len(features)} rows. Its log tells more."
        )
    return scores
