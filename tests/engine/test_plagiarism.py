"""The plagiarism source folder on the engine: a training job in the scikit-learn image, its model hosted as it comes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from algorithms.plagiarism import arrays, features, split
from tests.algorithms import answers
from tests.engine import jobs
from tests.engine.conftest import RunningEngine
from tests.engine.deploying import SKLEARN, Deployer, unique

SOURCE = Path(__file__).parents[2] / "algorithms" / "plagiarism" / "source"


def test_a_classifier_trains_reports_and_serves(
    engine: RunningEngine, deploy: Deployer, tmp_path: Path
) -> None:
    made = answers.synthetic("abcd")
    frame, table = split.datatypes(made.frame()), features.table(made)
    train, test = arrays.train_test(frame, table, features.DEFAULT)
    arrays.write_csv(tmp_path / "train.csv", train.x, train.y)
    name = jobs.fresh("plagiarism")
    uri = jobs.put(engine, f"data/{name}/train.csv", (tmp_path / "train.csv").read_bytes())
    jobs.submit(
        engine,
        {path.name: path.read_bytes() for path in SOURCE.glob("*.py")},
        name=name,
        hyperparameters={"classifier": "gaussian-nb", "features": ",".join(features.DEFAULT)},
        AlgorithmSpecification={
            "TrainingImage": SKLEARN,
            "TrainingInputMode": "File",
            "MetricDefinitions": [
                {"Name": "train:accuracy", "Regex": r"train:accuracy=([0-9.]+);"},
                {"Name": "cv:accuracy", "Regex": r"cv:accuracy=([0-9.]+);"},
            ],
        },
        InputDataConfig=[jobs.channel(uri, "train")],
    )
    job = jobs.finish(engine, name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    metrics = {item["MetricName"]: item["Value"] for item in job["FinalMetricDataList"]}
    assert metrics["train:accuracy"] >= 0.9
    assert 0.5 < metrics["cv:accuracy"] <= 1.0
    model = unique("plagiarism")
    deploy.sm.create_model(
        ModelName=model,
        ExecutionRoleArn=deploy.role,
        PrimaryContainer={
            "Image": SKLEARN,
            "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
            "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"},
        },
    )  # fmt: skip
    endpoint = deploy.endpoint(model)
    body = json.dumps({"instances": table.loc[frame["Datatype"] == "test"].to_dict("records")})
    answer = deploy.runtime.invoke_endpoint(
        EndpointName=endpoint, ContentType="application/json", Accept="application/json", Body=body
    )
    assert answer["ContentType"] == "application/json"
    told = json.loads(answer["Body"].read())["predictions"]
    assert (np.array([row["label"] for row in told]) == test.y).mean() >= 0.9
