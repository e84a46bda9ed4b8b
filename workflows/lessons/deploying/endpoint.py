"""The endpoint part: deploy, ask in chunks, compare with batch transform, and calls that fail."""

from __future__ import annotations

import re
from typing import Any

from workflows.failures import WorkflowError
from workflows.interfaces.base import EndpointRequest
from workflows.lessons import boosted, learners, rows, subject
from workflows.lessons.building import steps as building
from workflows.lessons.channels import Files
from workflows.lessons.introduction import exchange
from workflows.lessons.learners import Learner
from workflows.studies import batch, gates, hosting
from workflows.studies.context import Context
from workflows.studies.study import Result
from workflows.transforms.request import TransformRequest
from workflows.webapp import serving

LIMIT = 6_291_456
"""Bytes of one InvokeEndpoint request."""
AGREE = 1e-6
"""How far two answers to one row may be apart: both are the same sums, written with at least seven digits."""
NONSENSE = "application/x-nonsense"
SHOWN = 300
"""Characters of a body that an exchange shows."""


def deploy_inputs(context: Context) -> dict[str, Any]:
    """What the endpoint depends on."""
    return building.make_inputs(context) | {"instance_type": context.value("hosting-instance-type")}


def learner(context: Context) -> Learner:
    """The lesson's one model."""
    (found,) = learners.chosen(context)
    return found


def files(context: Context) -> Files:
    """What was written for it.

    Raises:
        StaleResult: A file changed since.
    """
    return rows.files(context, learner(context).NAME)


def deploy(context: Context) -> Result:
    """CreateModel, CreateEndpointConfig, CreateEndpoint; the model's tags say its vocabulary, where it has one."""
    vocabulary = files(context).vocabulary
    name = context.run.id
    image, environment = learner(context).serving(context)
    told: dict[str, str] = {}
    if vocabulary is not None:
        uri = context.interface.upload(context.work / subject.VOCABULARY, f"{context.prefix}/model")
        told = serving.tags(vocabulary, uri)
    request = EndpointRequest(
        name=name,
        image=image,
        model_uri=building.trained(context, learner(context))["model_uri"],
        environment=environment,
        instance_type=str(context.value("hosting-instance-type")),
        tags=context.tags | told,
    )
    hosting.deploy(context, request)
    if told:
        context.table("The model's tags", ["tag", "value"], [[key, value] for key, value in told.items()])
    return Result(outputs={"endpoint": name}, summary=f"Endpoint {name} is in service.")


def predict_inputs(context: Context) -> dict[str, Any]:
    """What the answers depend on."""
    return building.model_inputs(context) | {"chunk": context.value("chunk")}


def predict(context: Context) -> Result:
    """The test rows through the endpoint, so many a request; their score, and one exchange in the raw.

    Raises:
        WorkflowError: A chunk is over the limit, or has more or fewer answers than rows.
    """
    written = files(context)
    lines = written.paths["test"].read_text(encoding="utf-8").splitlines()
    size = int(context.value("chunk"))
    found: list[str] = []
    largest = 0
    for at in range(0, len(lines), size):
        context.check()
        part = lines[at : at + size]
        body = "\n".join(part).encode()
        largest = max(largest, len(body))
        if len(body) > LIMIT:
            raise WorkflowError(
                f"A chunk of {len(part)} rows has {len(body):,} bytes; an endpoint takes {LIMIT:,}. Take a smaller --set chunk=."
            )
        answer = context.interface.invoke(context.run.id, body, written.content_type, "text/csv")
        values = [one for one in re.split(r"[,\n]", answer.decode().strip()) if one.strip()]
        if len(values) != len(part):
            raise WorkflowError(
                f"The endpoint gave {len(values)} answers to {len(part)} rows. Start a new run."
            )
        found += values
        context.progress(len(found), len(lines), "rows")
    data = subject.read(context)
    answers = boosted.parsed(found)
    ours = boosted.score(data.kind, data.sets["test"].labels, answers)
    path = context.work / "answers.csv"
    path.write_text("\n".join(repr(float(one)) for one in answers) + "\n", encoding="utf-8")
    free = context.of("baseline")["test"]
    context.table(
        context.titled(f"Test rows: {data.kind.score}"),
        ["answers", data.kind.score, "±"],
        [
            [f"{learner(context).TITLE} by the endpoint", round(ours.value, 4), round(ours.error, 4)],
            *([name, round(one["value"], 4), round(one["error"], 4)] for name, one in free.items()),
        ],
    )
    requests = -(-len(lines) // size)
    whole = written.paths["test"].stat().st_size
    _raw(context, lines[0].encode(), written.content_type)
    return Result(
        outputs={"score": {"value": ours.value, "error": ours.error}, "requests": requests, "bytes": whole},
        files=[path],
        summary=f"{ours} on {len(lines)} rows in {requests} requests, the largest {largest:,} bytes.",
    )


def _raw(context: Context, body: bytes, content_type: str) -> None:
    """One row, as it goes over the line."""
    raw = exchange.invoke(context.platform, context.run.id, body, content_type, "text/csv")
    context.note(
        "One row in the raw",
        "The body is a line of the training channel without its label; whoever signs may ask.",
        ("asked", "http", _cut(raw.request)),
        ("answered", "http", _cut(raw.response)),
    )


def transform(context: Context) -> Result:
    """The same rows by batch transform, and how far the two answers of each row are apart.

    Raises:
        WorkflowError: The job failed, or answers are missing.
    """
    import numpy as np

    context.ledger.verify("predict")
    written = files(context)
    path = written.paths["test"]
    request = TransformRequest(
        name=context.run.id,
        model=context.run.id,
        input=context.interface.upload(path, f"{context.prefix}/test"),
        output=f"{context.prefix}/answers",
        content_type=written.content_type,
        accept="text/csv",
        strategy="MultiRecord",
        max_payload_mb=6,
        max_concurrent=1,
        instance_type=str(context.value("instance-type")),
        tags=context.tags,
    )
    batch.transform_all(context, [request], 1)
    asked = boosted.parsed((context.work / "answers.csv").read_text(encoding="utf-8").splitlines())
    batched = boosted.parsed(batch.answers(context, request.output, path.name, len(asked)))
    apart = np.abs(asked - batched)
    # Prices are some hundred thousand: the digits that are written, not the unit, say how close is equal.
    allowed = AGREE * max(1.0, float(np.abs(batched).max()))
    worst, differing = float(apart.max()), int((apart > allowed).sum())
    held = differing == 0
    reason = (
        f"All {len(asked)} rows got the same answer twice; the largest difference is {worst:.3g}."
        if held
        else f"{differing} of {len(asked)} rows got different answers, up to {worst:.3g} apart: another model, or other rows."
    )
    context.send(
        gates.judgement(
            context.step, "endpoint and batch agree", "pass" if held else "fail", reason, worst, allowed
        )
    )
    if not held:
        raise WorkflowError(f"{reason} Start a new run.")
    return Result(outputs={"apart": worst}, summary=reason)


def mistakes(context: Context) -> Result:
    """A body that is no bytes, and a content type that the container does not know."""
    from botocore.exceptions import ParamValidationError

    written = files(context)
    client = context.platform.client("sagemaker-runtime")
    try:
        client.invoke_endpoint(EndpointName=context.run.id, ContentType=written.content_type, Body=[1.0, 2.0])
        refused = ""
    except ParamValidationError as error:
        refused = str(error)
    line = written.paths["test"].read_text(encoding="utf-8").partition("\n")[0].encode()
    raw = exchange.invoke(context.platform, context.run.id, line, NONSENSE, "text/csv")
    context.note(
        "Two wrong calls",
        "The first never left this machine; the second reached the container, and its refusal comes back as ModelError.",
        ("invoke_endpoint(Body=[1.0, 2.0])", "text", refused),
        ("asked", "http", _cut(raw.request)),
        ("answered", "http", _cut(raw.response)),
    )
    clear = bool(refused) and raw.status >= 400
    context.send(
        gates.judgement(
            context.step, "wrong calls are refused", "pass" if clear else "warn",
            f"boto3 refuses a list; the container answers HTTP {raw.status} to {NONSENSE}." if clear
            else f"A wrong call was taken: boto3 said {refused or 'nothing'}, the container HTTP {raw.status}.",
            float(raw.status),
        )
    )  # fmt: skip
    return Result(
        outputs={"status": raw.status},
        summary=f"A list is refused by boto3, {NONSENSE} with HTTP {raw.status}.",
    )


def _cut(text: str) -> str:
    head, _, body = text.partition("\n\n")
    return text if len(body) <= SHOWN else f"{head}\n\n{body[:SHOWN]}… ({len(body):,} characters)"
