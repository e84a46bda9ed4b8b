"""Hosting the classifier, asking it through its endpoint, and judging a pasted text."""

from __future__ import annotations

import io
import json
import shlex
from typing import Any

from algorithms.plagiarism import features, subsequence
from algorithms.plagiarism.corpus import Corpus
from workflows.failures import WorkflowError
from workflows.files import sha256
from workflows.interfaces import images
from workflows.studies import hosting
from workflows.studies.context import Context
from workflows.studies.plagiarism import local, sidebyside, trained
from workflows.studies.plagiarism.pinned import Pinned
from workflows.studies.scores import confusion
from workflows.studies.study import Result

NPY, CSV, JSON = "application/x-npy", "text/csv", "application/json"
AGREEMENT = 1e-9
"""Largest difference between a hosted and an offline probability: the same double precision on two machines."""
SAMPLE_WORDS = 60
"""Words that the default sample copies."""


def deploy_inputs(context: Context) -> dict[str, Any]:
    """What the endpoint depends on."""
    return {
        "model": context.of("train")["model_sha256"],
        "instance_type": context.value("hosting-instance-type"),
        "image": images.sklearn(context.platform.region),
    }


def deploy(context: Context) -> Result:
    """Model, endpoint configuration and endpoint, until it is in service."""
    return hosting.host(context, images.sklearn(context.platform.region))


def predict_inputs(context: Context) -> dict[str, Any]:
    """What the answers depend on."""
    return deploy_inputs(context) | {
        "data": context.of("prepare")["table_sha256"],
        "text": context.value("text"),
    }


def predict(context: Context) -> Result:
    """The test answers through the endpoint, compared one by one with the offline ones; then a text is judged.

    Raises:
        WorkflowError: The hosted model answers differently from the model that passed the gates, or the text has no word.
    """
    import numpy as np

    found = local.read(context)
    context.ledger.verify("train", "gate")
    hosted = _ask(context, found.test.x)
    offline = np.load(context.work / trained.ANSWERS, allow_pickle=False)
    agree(hosted, offline)
    difference = float(np.abs(hosted - offline).max())
    _formats_agree(context, found, hosted)
    context.log(
        f"All {len(hosted)} hosted answers agree with the offline ones (largest difference {difference:.1g}); "
        "so do CSV, and JSON by name in another order."
    )
    latencies = hosting.latencies(context, lambda rows: _ask(context, rows), found.test.x)
    counts = confusion(found.test.y.tolist(), [int(label) for label in hosted[:, 0]])
    context.table(
        context.titled("Answers of the endpoint"),
        ["", "says own work", "says copied"],
        [["really own work", counts.tn, counts.fp], ["really copied", counts.fn, counts.tp]],
    )
    path = context.work / "predictions.csv"
    lines = [
        f"{file},{truth},{int(label)},{float(probability)!r}"
        for file, truth, (label, probability) in zip(
            found.test.files, found.test.y.tolist(), hosted, strict=True
        )
    ]
    path.write_text("\n".join(["file,label,predicted,probability", *lines]) + "\n", encoding="utf-8")
    context.artifact("predictions", path.name, str(path), sha256(path))
    said, probability = judge(context, found)
    return Result(
        outputs={
            "scores": {"accuracy": counts.accuracy},
            "metrics": {
                "agreement": difference,
                "latency_ms_p50": 1000 * latencies[len(latencies) // 2],
                "text_probability": probability,
            },
            "predictions_sha256": sha256(path),
        },
        files=[path],
        summary=f"Accuracy {counts.accuracy:.2f} through the endpoint, the same as offline. {said}",
    )


def agree(hosted: Any, offline: Any) -> None:
    """Labels and probabilities (n, 2) of the endpoint are those of the archive that passed the gates.

    Raises:
        WorkflowError: They are not: stale or misaligned.
    """
    import numpy as np

    if hosted.shape != offline.shape:
        raise WorkflowError(
            f"The endpoint gave answers of shape {hosted.shape} where {offline.shape} are expected. Its log tells more."
        )
    difference = float(np.abs(hosted - offline).max())
    if difference > AGREEMENT:
        raise WorkflowError(
            f"The endpoint's answers differ from the offline ones by up to {difference:.2g}: they are not those of the model that "
            "passed the gates (stale or misaligned). Start a new run."
        )


def judge(context: Context, found: Pinned) -> tuple[str, float]:
    """Asks the endpoint about the run's text against every source, and shows it beside the likeliest one.

    Returns:
        A sentence, and the probability that it is copied from that source.

    Raises:
        WorkflowError: The text has no word.
    """
    given = str(context.value("text"))
    text = given or sample(found.corpus)
    try:
        table = features.against(text, found.corpus, found.names)
    except features.FeatureError as error:
        raise WorkflowError(f"The parameter text cannot be judged: {error}.") from None
    instances = [dict(zip(found.names, map(float, row), strict=True)) for row in table.to_numpy()]
    answers = by_name(context, instances)
    tasks = [str(task) for task in table.index]
    context.table(
        context.titled("Your text against each source" if given else "A sample text against each source"),
        ["source", *found.names, "probability", "says"],
        [
            [
                found.corpus.originals[task].file,
                *(round(value, 3) for value in instance.values()),
                round(answer["probability"], 4),
                "copied" if answer["label"] else "own work",
            ]
            for task, instance, answer in zip(tasks, instances, answers, strict=True)
        ],
    )
    at = max(
        range(len(tasks)), key=lambda place: (answers[place]["probability"], list(instances[place].values()))
    )
    source = found.corpus.originals[tasks[at]]
    alignment = subsequence.align(text, source.written)
    context.table(
        context.titled(
            f"The text beside {source.file}: {alignment.common} common words in order, {alignment.share:.0%} of it, in «marks»",
        ),
        ["text", "source"],
        sidebyside.rows(alignment),
    )
    probability = float(answers[at]["probability"])
    verdict = f"copied from {source.file}" if answers[at]["label"] else "own work"
    whose = "Your text" if given else "The sample text"
    if context.run.keep:
        body = json.dumps({"instances": instances[at : at + 1]})
        context.log(
            f"While it is kept, ask it again: mlconsole endpoints invoke {context.run.id} -d {shlex.quote(body)} -a {JSON}"
        )
    return f"{whose} is judged {verdict} (probability {probability:.3f}).", probability


def sample(corpus: Corpus) -> str:
    """A text that copies the beginning of the first task's source and goes on in its own words."""
    source = corpus.originals[min(corpus.originals)]
    copied = " ".join(source.written.split()[:SAMPLE_WORDS])
    return f"{copied}. That is how my teacher told us about it, and most of my friends agree."


def by_name(context: Context, instances: list[dict[str, float]]) -> list[dict[str, Any]]:
    """Label and probability of each instance, asked in JSON with the features' names."""
    body = json.dumps({"instances": instances}).encode()
    answer = json.loads(context.interface.invoke(context.run.id, body, JSON, JSON))
    predictions: list[dict[str, Any]] = answer["predictions"]
    return predictions


def _ask(context: Context, rows: Any) -> Any:
    import numpy as np

    buffer = io.BytesIO()
    np.save(buffer, rows)
    answer = context.interface.invoke(context.run.id, buffer.getvalue(), NPY, NPY)
    return np.load(io.BytesIO(answer), allow_pickle=False)


def _formats_agree(context: Context, found: Pinned, expected: Any) -> None:
    """CSV clients, and JSON clients who name the features in another order, get the same answers as those who send arrays."""
    import numpy as np

    rows = [[float(value) for value in row] for row in found.test.x]
    text = "\n".join(",".join(map(repr, row)) for row in rows)
    lines = context.interface.invoke(context.run.id, text.encode(), CSV, CSV).decode().split()
    as_csv = np.array([[float(cell) for cell in line.split(",")] for line in lines])
    backwards = [dict(reversed(list(zip(found.names, row, strict=True)))) for row in rows]
    as_json = np.array([[answer["label"], answer["probability"]] for answer in by_name(context, backwards)])
    for kind, values in (("CSV", as_csv), ("JSON", as_json)):
        if values.shape != expected.shape or float(np.abs(values - expected).max()) > AGREEMENT:
            raise WorkflowError(
                f"The endpoint answers differently when it is asked in {kind}. Its log tells more."
            )
