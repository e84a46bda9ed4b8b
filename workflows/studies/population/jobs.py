"""What the study's training and transform jobs have in common: names, images, channels, scores of all counties."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from workflows.builtin import images
from workflows.builtin.request import ChannelInput
from workflows.failures import WorkflowError
from workflows.files import sha256
from workflows.interfaces.archives import unpack
from workflows.interfaces.base import MetricDefinition
from workflows.studies import batch, training
from workflows.studies.context import Context
from workflows.transforms.request import TransformRequest

RECORDS = "application/x-recordio-protobuf"
LINES = "application/jsonlines"
PCA, KMEANS = "pca", "kmeans"
MSD = MetricDefinition("test:msd", r"#quality_metric: host=\S+, test msd <loss>=(\S+)")
"""What K-Means' log tells, with the expression that SageMaker itself uses."""


def image(context: Context, algorithm: str) -> str:
    """The image of pca or kmeans in the run's region."""
    return images.uri(algorithm, context.platform.region)


def archive(algorithm: str) -> str:
    """The file of a model's archive."""
    return f"model-{algorithm}.tar.gz"


def run(
    context: Context,
    algorithm: str,
    rows: Any,
    hyperparameters: dict[str, str],
    metrics: tuple[MetricDefinition, ...] = (),
) -> tuple[dict[str, Any], list[Path], dict[str, list[float]]]:
    """Uploads rows (n, d) as recordIO-protobuf and trains on them; K-Means is tested on them too, so that its log has a score.

    Returns:
        What a step's outputs say of the job, the files to record (archive and artefact), and the series of its metrics.

    Raises:
        WorkflowError, Cancelled: As `training.train_all`.
    """
    import numpy as np

    from workflows import records

    context.ledger.made("objects", context.prefix)
    uploaded = records.upload(
        context.platform.client("s3"),
        f"{context.prefix}/data/{algorithm}",
        np.asarray(rows, dtype=np.float32),
    )
    context.artifact("object", f"{algorithm} ({uploaded.records} records)", uploaded.uri)
    instance = str(context.value("instance-type"))
    request = training.built_in(
        context,
        f"{context.run.id}-{algorithm}",
        image(context, algorithm),
        tuple(
            ChannelInput(name=name, uri=uploaded.uri, content_type=RECORDS, data_type="ManifestFile")
            for name in (("train", "test") if metrics else ("train",))
        ),
        hyperparameters,
    )
    state, series = training.train_all(context, [training.Job(request, 0, metrics)], 1)[0]
    path, made = training.fetch_model(context, state, instance, archive(algorithm))
    artefact = unpack(path, context.work / f"model-{algorithm}") / "model_algo-1"
    if not artefact.is_file():
        raise WorkflowError(f"The archive of job {state.name} has no file {artefact.name}. Start a new run.")
    return made, [path, artefact], series


def scored(
    context: Context, algorithm: str, model_uri: str, file: Path, rows: int, read: Callable[[list[str]], Any]
) -> Any:
    """The answers of a model to all rows of a CSV file by batch transform, as ``read`` makes them of one JSON document a row.

    Raises:
        WorkflowError, Cancelled: As `batch.transform_all` and `batch.answers`; or an answer is no such document.
    """
    name = f"{context.run.id}-{algorithm}-batch"
    uri = context.interface.upload(file, f"{context.prefix}/asked/{algorithm}")
    context.artifact("object", file.name, uri, sha256(file))
    batch.need_model(context, name, image(context, algorithm), model_uri)
    request = TransformRequest(
        name=name,
        model=name,
        input=uri,
        output=f"{context.prefix}/scores/{algorithm}",
        accept=LINES,
        instance_type=str(context.value("instance-type")),
        tags=context.tags,
    )
    batch.transform_all(context, [request], 1)
    return read(batch.answers(context, request.output, file.name, rows))


def projections(lines: list[str]) -> Any:
    """PCA's answers (n, m), the largest component first (PCA answers in ascending order).

    Raises:
        WorkflowError: A line is something else.
    """
    import json

    import numpy as np

    try:
        found = np.array([json.loads(line)["projection"] for line in lines], dtype=np.float32)
    except (ValueError, KeyError, TypeError) as error:
        raise WorkflowError(f"An answer is not what PCA gives: {error!r}.") from None
    return found[:, ::-1].copy()


def clusters(lines: list[str]) -> tuple[Any, Any]:
    """K-Means' answers: the nearest centre (n,) and the distance to it (n,).

    Raises:
        WorkflowError: A line is something else.
    """
    import json

    import numpy as np

    try:
        answers = [json.loads(line) for line in lines]
        nearest = np.array([int(answer["closest_cluster"]) for answer in answers])
        distances = np.array([float(answer["distance_to_cluster"]) for answer in answers])
    except (ValueError, KeyError, TypeError) as error:
        raise WorkflowError(f"An answer is not what K-Means gives: {error!r}.") from None
    return nearest, distances
