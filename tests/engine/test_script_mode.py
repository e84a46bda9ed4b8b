"""Script mode of the XGBoost and scikit-learn images: a user's script trains, and serves with the containers' defaults."""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pytest
from botocore.exceptions import ClientError

from engine import frameworks
from tests.engine import jobs
from tests.engine.conftest import RunningEngine
from tests.engine.deploying import SKLEARN, Deployer, unique

XGBOOST = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.7-1"

XGB_SCRIPT = """
import argparse, os, pickle
import numpy as np
import xgboost as xgb

def model_fn(model_dir):
    with open(os.path.join(model_dir, "mine.pkl"), "rb") as file:
        return pickle.load(file)

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--num_round", type=int)
    parser.add_argument("--max_depth", type=int)
    parser.add_argument("--model-dir", default=os.environ["SM_MODEL_DIR"])
    args, _ = parser.parse_known_args()
    rows = np.loadtxt(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "a.csv"), delimiter=",")
    matrix = xgb.DMatrix(rows[:, 1:], label=rows[:, 0])
    model = xgb.train({"max_depth": args.max_depth}, matrix, args.num_round, evals=[(matrix, "train")])
    with open(os.path.join(args.model_dir, "mine.pkl"), "wb") as file:
        pickle.dump(model, file)
    print("hosts", os.environ["SM_HOSTS"], os.environ["SM_HPS"])
"""

SK_SCRIPT = """
import os, joblib
import numpy as np
from sklearn.linear_model import LinearRegression

def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))

if __name__ == "__main__":
    rows = np.loadtxt(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "a.csv"), delimiter=",")
    joblib.dump(LinearRegression().fit(rows[:, 1:], rows[:, 0]), os.path.join(os.environ["SM_MODEL_DIR"], "model.joblib"))
"""


def rows(count: int = 50) -> str:
    rng = np.random.default_rng(2)
    features = rng.normal(size=(count, 2))
    return "".join(f"{3 * a - b},{a},{b}\n" for a, b in features.tolist())


def trained(engine: RunningEngine, script: str, image: str, **hyperparameters: str) -> dict[str, object]:
    name = jobs.fresh("script")
    uri = jobs.put(engine, f"data/{name}/a.csv", rows())
    jobs.submit(
        engine,
        script,
        name=name,
        hyperparameters=hyperparameters,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        InputDataConfig=[jobs.channel(uri, "train")],
    )
    found = jobs.finish(engine, name)
    assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
    return found


def served(deploy: Deployer, engine: RunningEngine, job: dict[str, object], script: str, image: str) -> str:
    """An endpoint of a job's model with the script beside it, as the SDK's repacked models have it."""
    artefact = job["ModelArtifacts"]["S3ModelArtifacts"]  # type: ignore[index]
    files = jobs.unpack(jobs.fetch(engine, artefact))
    uri = jobs.put(
        engine,
        f"models/{unique('m')}/model.tar.gz",
        jobs.pack({**files, "code/inference.py": script.encode()}),
    )
    name = unique("script-model")
    deploy.sm.create_model(
        ModelName=name,
        ExecutionRoleArn=deploy.role,
        PrimaryContainer={
            "Image": image,
            "ModelDataUrl": uri,
            "Environment": {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"},
        },
    )  # fmt: skip
    return deploy.endpoint(name)


@pytest.mark.skipif(importlib.util.find_spec("xgboost") is None, reason="xgboost is not installed")
def test_an_xgboost_script_trains_and_serves_with_the_defaults(
    engine: RunningEngine, deploy: Deployer
) -> None:
    import pickle

    import xgboost

    job = trained(engine, XGB_SCRIPT, XGBOOST, num_round="5", max_depth="3")
    lines = jobs.lines(engine, str(job["TrainingJobName"]))
    note = frameworks.note("xgboost", "1.7")
    assert note
    assert lines[0] == note
    assert any(line.startswith("[4]\ttrain-rmse:") for line in lines)
    assert any(line.startswith('hosts ["algo-1"] {"max_depth":3,"num_round":5}') for line in lines)
    assert {item["MetricName"] for item in job["FinalMetricDataList"]} == {"train:rmse"}  # type: ignore[attr-defined]
    endpoint = served(deploy, engine, job, XGB_SCRIPT, XGBOOST)
    fresh = np.array([[0.5, 1.0], [-1.0, 0.25]])
    model = pickle.loads(
        jobs.unpack(jobs.fetch(engine, job["ModelArtifacts"]["S3ModelArtifacts"]))["mine.pkl"]  # type: ignore[index]
    )
    wanted = model.predict(xgboost.DMatrix(fresh)).tolist()

    def invoke(content: str, body: str, accept: str) -> str:
        answer = deploy.runtime.invoke_endpoint(
            EndpointName=endpoint, ContentType=content, Accept=accept, Body=body
        )
        text: str = answer["Body"].read().decode()
        return text

    assert json.loads(invoke("text/csv", "0.5,1\n-1,0.25\n", "application/json")) == wanted
    assert json.loads(invoke("text/libsvm", "0 0:0.5 1:1\n0 0:-1 1:0.25", "application/json")) == wanted
    lines_of_csv = invoke("text/csv", "0.5,1\n-1,0.25\n", "text/csv").splitlines()
    assert [np.float32(line) for line in lines_of_csv] == [np.float32(value) for value in wanted]
    with pytest.raises(ClientError) as caught:
        invoke("application/json", "[[1, 2]]", "application/json")
    assert caught.value.response["OriginalStatusCode"] == 415  # type: ignore[typeddict-item]
    with pytest.raises(ClientError) as caught:
        invoke("text/csv", "0.5,abc\n", "application/json")
    assert caught.value.response["OriginalStatusCode"] == 400  # type: ignore[typeddict-item]


def test_a_scikit_learn_script_trains_and_serves_with_the_defaults(
    engine: RunningEngine, deploy: Deployer
) -> None:
    job = trained(engine, SK_SCRIPT, SKLEARN)
    assert jobs.lines(engine, str(job["TrainingJobName"]))[0] == frameworks.note("scikit-learn", "1.2")
    endpoint = served(deploy, engine, job, SK_SCRIPT, SKLEARN)
    answer = deploy.runtime.invoke_endpoint(
        EndpointName=endpoint, ContentType="text/csv", Accept="application/json", Body="1,0\n0,1"
    )
    assert json.loads(answer["Body"].read()) == pytest.approx([3.0, -1.0], abs=1e-5)


def test_a_version_is_spoken_of_only_when_it_is_another_one() -> None:
    here = frameworks.installed("scikit-learn")
    assert here
    assert frameworks.note("scikit-learn", here) == ""
    assert frameworks.note("scikit-learn", ".".join(here.split(".")[:2])) == ""
    assert frameworks.note("scikit-learn", "") == ""
    assert frameworks.note("scikit-learn", "0.20.0") == (
        f"The image has scikit-learn 0.20.0; this machine's scikit-learn {here} runs in its place."
    )
