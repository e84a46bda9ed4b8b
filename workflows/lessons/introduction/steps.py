"""The tour: data, a job that looks around, the parts of a model, an endpoint that looks around, one call in the raw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from workflows.failures import WorkflowError
from workflows.files import folder_sha256, sha256
from workflows.interfaces import images
from workflows.interfaces.archives import unpack
from workflows.interfaces.base import MetricDefinition, TrainingRequest
from workflows.lessons.introduction import exchange
from workflows.studies import gates, hosting, training
from workflows.studies.context import Context
from workflows.studies.moons import data
from workflows.studies.study import Result

ENTRY_POINT = "train.py"
METRICS = (MetricDefinition("train:accuracy", r"train:accuracy=([0-9.]+);"),)
LOOK, CSV, JSON = "application/x-look", "text/csv", "application/json"
SHOWN = 45
"""Lines of a file that are shown."""


def source() -> Path:
    """The folder that is uploaded: training code, inference code, and what looks around."""
    import algorithms.tour

    return Path(algorithms.tour.__file__).parent / "source"


def prepare_inputs(context: Context) -> dict[str, Any]:
    """What the data depend on."""
    return {"points": data.POINTS, "noise": data.NOISE}


def prepare(context: Context) -> Result:
    """train.csv in the work folder."""
    points, _, labels, _ = data.make()
    path = context.work / "train.csv"
    data.write_csv(path, points, labels)
    context.artifact("data", path.name, str(path), sha256(path))
    with path.open(encoding="utf-8") as file:
        head = "".join(line for _, line in zip(range(3), file, strict=False))
    context.note(
        "The rows", "The class first, then two coordinates; no header.", ("train.csv", "text", f"{head}…")
    )
    return Result(outputs={"train_sha256": sha256(path)}, files=[path], summary=f"{len(labels)} points.")


def train_inputs(context: Context) -> dict[str, Any]:
    """What the model depends on."""
    return {
        "data": context.of("prepare")["train_sha256"],
        "code": folder_sha256(source()),
        "c": context.value("c"),
        "instance_type": context.value("instance-type"),
        "image": images.sklearn(context.platform.region),
    }


def train(context: Context) -> Result:
    """The training job, and what it printed about its surroundings."""
    context.ledger.verify("prepare")
    instance = str(context.value("instance-type"))
    context.ledger.made("objects", context.prefix)
    path = context.work / "train.csv"
    uri = context.interface.upload(path, f"{context.prefix}/data/train")
    context.artifact("object", path.name, uri, sha256(path))
    request = TrainingRequest(
        name=context.run.id,
        image=images.sklearn(context.platform.region),
        source=source(),
        entry_point=ENTRY_POINT,
        inputs={"train": uri},
        hyperparameters={"c": str(context.value("c"))},
        metrics=METRICS,
        instance_type=instance,
        max_seconds=int(context.value("max-minutes")) * 60,
        prefix=context.prefix,
        tags=context.tags,
    )
    state, series = training.train(context, request, 0)
    seen = _printed(context, state.name)
    if not seen["tree"]:
        raise WorkflowError(
            f"The log of training job {state.name} does not tell what it saw. Start a new run."
        )
    context.note(
        "What the job saw",
        "Channels below input/data, hyperparameters and resources as JSON below input/config; what is written to model becomes model.tar.gz, "
        "and what is written to output/data becomes output.tar.gz.",
        ("/opt/ml on the training machine", "text", "\n".join(seen["tree"])),
        ("the process and its parents", "text", "\n".join(seen["process"])),
        ("variables", "sh", "\n".join(seen["variable"][:20])),
    )
    archive, made = training.fetch_model(context, state, instance)
    accuracy = series["train:accuracy"][-1] if series["train:accuracy"] else None
    return Result(
        outputs={**made, "accuracy": accuracy},
        files=[archive],
        summary=f"In {state.train_seconds:.0f} s; {len(seen['tree'])} lines of /opt/ml."
        + (f" {accuracy:.1%} of the training points are right." if accuracy is not None else ""),
    )


def _printed(context: Context, job: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"tree": [], "process": [], "variable": []}
    for line in context.interface.training_log(job).read():
        for kind, lines in found.items():
            if line.text.startswith(f"{kind}: "):
                lines.append(line.text.removeprefix(f"{kind}: "))
    return found


def model_inputs(context: Context) -> dict[str, Any]:
    """What the parts depend on."""
    return {"model": context.of("train")["model_sha256"], "code": folder_sha256(source())}


def parts(context: Context) -> Result:
    """The artefact, the training code and the inference code, as files with their hashes."""
    context.ledger.verify("train")
    folder = unpack(context.work / "model.tar.gz", context.work / "model")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    listing = "\n".join(f"{path.stat().st_size:>8}  {path.relative_to(folder)}" for path in files)
    context.table(
        "The three parts",
        ["part", "what it is", "where", "SHA-256"],
        [
            [
                "artefact",
                "what was learned",
                context.of("train")["model_uri"],
                context.of("train")["model_sha256"][:16],
            ],
            *(
                [part, what, name, sha256(source() / name)[:16]]
                for part, what, name in (
                    ("training code", "made the artefact", "train.py"),
                    ("inference code", "answers requests with it", "inference.py"),
                )
            ),
        ],
    )
    context.note(
        "As files",
        "The archive holds the artefact; the inference code travels with it below code/ when the training script packs it, or beside it under "
        "SAGEMAKER_SUBMIT_DIRECTORY.",
        ("model.tar.gz", "text", listing),
        *((name, "python", _first(source() / name)) for name in ("train.py", "inference.py")),
    )
    return Result(
        outputs={"files": len(files)}, summary=f"{len(files)} files in the archive, and two programs."
    )


def deploy_inputs(context: Context) -> dict[str, Any]:
    """What the endpoint depends on."""
    return model_inputs(context) | {
        "instance_type": context.value("hosting-instance-type"),
        "image": images.sklearn(context.platform.region),
    }


def deploy(context: Context) -> Result:
    """CreateModel, CreateEndpointConfig, CreateEndpoint."""
    return hosting.host(context, images.sklearn(context.platform.region))


def inside(context: Context) -> Result:
    """What the serving container tells about itself, and a ping in the raw."""
    answer = context.interface.invoke(context.run.id, b"look", LOOK, JSON)
    try:
        seen = json.loads(answer)
        told, ping = seen["processes"], seen["ping"]
    except (ValueError, KeyError, TypeError) as error:
        raise WorkflowError("The container does not tell what it sees. Start a new run.") from error
    here = context.platform.target != "aws"
    context.note(
        "The processes behind the endpoint",
        f"The server listens on {seen['listening']}. "
        + (
            "On this machine a container is a process: the router of the embedded SageMaker checks the signature, chooses the variant by weight "
            "and passes the body on through that unix socket. On AWS the same server listens on port 8080 inside a container on the instance."
            if here
            else "It is reached from SageMaker's side only: nothing else can connect to it."
        ),
        ("the process and its parents", "text", "\n".join(told)),
        ("/opt/ml/model in the serving container", "text", "\n".join(seen["tree"])),
        (
            "variables",
            "sh",
            "\n".join(f"{name}={value}" for name, value in list(seen["variables"].items())[:20]),
        ),
    )
    well = " 200 " in ping["answered"].split("\n", 1)[0]
    context.note(
        "The ping",
        "SageMaker asks until the answer is 200, and only then says InService; later failures replace the container.",
        ("asked", "http", ping["asked"].strip()),
        ("answered", "http", ping["answered"].strip()),
    )
    context.send(
        gates.judgement(
            context.step, "the container is well", "pass" if well else "warn",
            "GET /ping was answered with 200." if well else f"GET /ping from inside the container: {ping['answered'][:120]}",
        )
    )  # fmt: skip
    return Result(
        outputs={"processes": len(told), "ping": well},
        summary=f"{len(told)} processes above the model, listening on {seen['listening']}.",
    )


def predict_inputs(context: Context) -> dict[str, Any]:
    """What the call depends on."""
    return deploy_inputs(context) | {"point": context.value("point")}


def predict(context: Context) -> Result:
    """One call over a bare connection, the same one through the interface, and as other programs make it."""
    body = str(context.value("point")).encode()
    name = context.run.id
    context.log(f"POST /endpoints/{name}/invocations over a bare HTTP connection, signed here.")
    raw = exchange.invoke(context.platform, name, body, CSV, JSON)
    context.note(
        "The same call five times",
        "Raw, with curl, with the AWS CLI and with boto3; the signature proves who asks, and that nobody changed a byte on the way.",
        ("asked", "http", raw.request),
        ("answered", "http", raw.response),
        ("curl", "sh", exchange.curl(raw.url, context.platform.region, body, CSV, JSON)),
        ("AWS CLI", "sh", exchange.cli(name, body, CSV, JSON)),
        ("boto3", "python", exchange.boto3(name, body, CSV, JSON)),
    )
    if raw.status != 200:
        context.send(
            gates.judgement(
                context.step,
                "an answer",
                "warn",
                f"HTTP {raw.status}: {raw.body.decode('utf-8', 'replace')[:300]}",
                float(raw.status),
            )
        )
        return Result(
            outputs={"status": raw.status}, summary=f"HTTP {raw.status}: the inference code refused the body."
        )
    again = json.loads(context.interface.invoke(name, body, CSV, JSON))
    answer = json.loads(raw.body)
    if again != answer:
        raise WorkflowError(f"The same point was answered with {answer} and {again}. Start a new run.")
    context.send(
        gates.judgement(
            context.step,
            "an answer",
            "pass",
            f"{answer[0]:.4f} for the point {context.value('point')}, twice the same.",
            200.0,
        )
    )
    return Result(
        outputs={"status": raw.status, "probability": float(answer[0])},
        summary=f"Probability of the lower moon at ({context.value('point')}): {answer[0]:.4f}.",
    )


def _first(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(lines if len(lines) <= SHOWN else [*lines[:SHOWN], f"… {len(lines) - SHOWN} more lines"])
