"""What the XGBoost tests on an engine share: images, data, jobs, models, and the library's own predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError
from numpy.typing import NDArray

from tests.engine import jobs
from tests.engine.conftest import RunningEngine
from tests.engine.deploying import Deployer, unique

ACCOUNT = "246618743249.dkr.ecr.us-west-2.amazonaws.com"
OLD = "433757028032.dkr.ecr.us-west-2.amazonaws.com/xgboost"
HYPERPARAMETERS = {
    "num_round": "12",
    "max_depth": "3",
    "eta": "0.3",
    "subsample": "0.8",
    "seed": "3",
    "eval_metric": "mae,rmse",
}


def image(tag: str) -> str:
    """The XGBoost image of a tag."""
    return f"{OLD}:{tag}" if tag in ("1", "latest") else f"{ACCOUNT}/sagemaker-xgboost:{tag}"


def table(rows: NDArray[Any]) -> str:
    """Rows as CSV without a header."""
    return "".join(",".join(repr(float(item)) for item in row) + "\n" for row in rows)


def regression(rows: int = 240, seed: int = 0) -> NDArray[np.float64]:
    """A label that follows from four features, in the first column."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, 4))
    label = 2 * features[:, 0] - features[:, 1] ** 2 + 0.1 * rng.normal(size=rows)
    return np.column_stack([label, features])


def submit(
    engine: RunningEngine, tag: str, hyperparameters: dict[str, str], *, content: str | None = "text/csv", name: str = "", **files: str | bytes
) -> str:  # fmt: skip
    """Start a training job with a file per channel; its name."""
    name = name or jobs.fresh("xgb")
    channels = []
    for channel, text in files.items():
        uri = jobs.put(engine, f"data/{name}/{channel}/part-0", text)
        more = {"ContentType": content} if content else {}
        channels.append(jobs.channel(uri.rpartition("/")[0], channel, **more))
    engine.client("sagemaker").create_training_job(
        **jobs.request(
            engine,
            name,
            AlgorithmSpecification={"TrainingImage": image(tag), "TrainingInputMode": "File"},
            HyperParameters=hyperparameters,
            InputDataConfig=channels,
        )
    )
    return name


def trained(engine: RunningEngine, *given: Any, **more: Any) -> dict[str, Any]:
    """A job that completed."""
    found = jobs.finish(engine, submit(engine, *given, **more))
    assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
    return found


def model_file(engine: RunningEngine, job: dict[str, Any], name: str = "xgboost-model") -> bytes:
    """A file of a job's artefact."""
    return jobs.unpack(jobs.fetch(engine, job["ModelArtifacts"]["S3ModelArtifacts"]))[name]


def model_of(deploy: Deployer, job: dict[str, Any], tag: str, **environment: str) -> str:
    """A model of a job's artefact."""
    name = unique("xgb-model")
    deploy.sm.create_model(
        ModelName=name,
        ExecutionRoleArn=deploy.role,
        PrimaryContainer={
            "Image": image(tag),
            "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
            "Environment": environment,
        },
    )
    return name


def expected(data: NDArray[Any], hyperparameters: dict[str, Any]) -> Any:
    """The library's own model of the same data and parameters."""
    import xgboost

    given = {key: value for key, value in hyperparameters.items() if key not in ("num_round", "silent")}
    if "eval_metric" in given:
        given["eval_metric"] = given["eval_metric"].split(",")
    matrix = xgboost.DMatrix(data[:, 1:], label=data[:, 0])
    return xgboost.train(given, matrix, int(hyperparameters["num_round"]))


def said(caught: pytest.ExceptionInfo[ClientError]) -> tuple[int, str]:
    """The container's status and message."""
    response: Any = caught.value.response
    return response["OriginalStatusCode"], response["OriginalMessage"]
