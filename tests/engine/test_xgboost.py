"""The built-in XGBoost through boto3: training, endpoints in every format, and answers equal to the library's own, bit for bit."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import pickle
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from tests.engine import jobs
from tests.engine.boosting import (
    HYPERPARAMETERS,
    expected,
    model_file,
    model_of,
    regression,
    said,
    table,
    trained,
)
from tests.engine.conftest import RunningEngine
from tests.engine.deploying import Deployer

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("xgboost") is None, reason="xgboost is not installed"
)


@pytest.mark.parametrize("tag", ["1", "0.90-2-cpu-py3", "1.2-1", "1.2-2", "1.7-1", "3.0-5"])
def test_an_endpoint_answers_what_the_library_predicts(
    engine: RunningEngine, deploy: Deployer, tag: str
) -> None:
    import xgboost

    from algorithms.formats import records

    data = regression()
    given = HYPERPARAMETERS | ({"silent": "1"} if tag == "1" else {})
    job = trained(engine, tag, given, train=table(data[:180]), validation=table(data[180:]))

    final = {item["MetricName"]: item["Value"] for item in job["FinalMetricDataList"]}
    assert set(final) == {"train:mae", "train:rmse", "validation:mae", "validation:rmse"}
    regexes = {item["Name"]: item["Regex"] for item in job["AlgorithmSpecification"]["MetricDefinitions"]}
    assert (
        regexes["validation:rmse"]
        == r".*\[[0-9]+\].*#011validation-rmse:([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?).*"
    )

    artefact = model_file(engine, job)
    if tag in ("1", "0.90-2-cpu-py3", "1.2-1", "1.2-2"):
        booster = pickle.loads(artefact)
    else:
        booster = xgboost.Booster()
        booster.load_model(bytearray(artefact))
    fresh = regression(7, seed=5)[:, 1:]
    wanted = expected(data[:180], given).predict(xgboost.DMatrix(fresh))
    assert booster.predict(xgboost.DMatrix(fresh)).tolist() == wanted.tolist()

    endpoint = deploy.endpoint(model_of(deploy, job, tag))

    def invoke(accept: str | None, body: str | bytes = table(fresh), content: str = "text/csv") -> Any:
        more = {"Accept": accept} if accept else {}
        return deploy.runtime.invoke_endpoint(EndpointName=endpoint, ContentType=content, Body=body, **more)

    answer = invoke(None)
    text = answer["Body"].read().decode()
    if tag in ("1", "0.90-2-cpu-py3", "1.2-1"):
        assert "\n" not in text
        assert np.fromstring(text, sep=",").tolist() == wanted.tolist()
        assert invoke("application/json")["Body"].read().decode() == text
    else:
        assert text.endswith("\n")
        assert [float(line) for line in text.splitlines()] == wanted.tolist()
        found = json.loads(invoke("application/json")["Body"].read())
        assert found == {"predictions": [{"score": value} for value in wanted.tolist()]}
        lines = invoke("application/jsonlines")["Body"].read().decode().splitlines()
        assert [json.loads(line) for line in lines] == found["predictions"]
        framed = invoke("application/x-recordio-protobuf")["Body"].read()
        assert framed == records.outputs({"score": wanted})
        with pytest.raises(ClientError) as caught:
            invoke("image/png")
        assert said(caught)[0] == 406
        assert "Please use supported accept types" in said(caught)[1]
    sparse = "\n".join(" ".join(f"{i}:{value!r}" for i, value in enumerate(map(float, row))) for row in fresh)
    assert invoke(None, sparse, "text/libsvm")["Body"].read().decode() == text
    packed = b"".join(records.dense(fresh.astype(np.float32)))
    assert invoke(None, packed, "application/x-recordio-protobuf")["Body"].read().decode() == text


def test_cross_validation_leaves_a_model_per_fold_and_the_predictions(
    engine: RunningEngine, deploy: Deployer
) -> None:
    import xgboost

    data = regression(90)
    data[:, 0] = (data[:, 0] > 0) + (data[:, 0] > 1)
    given = {"num_round": "4", "objective": "multi:softprob", "num_class": "3", "_kfold": "3", "_num_cv_round": "2", "eval_metric": "mlogloss,f1_macro"}  # fmt: skip
    job = trained(engine, "1.7-1", given, train=table(data))
    files = jobs.unpack(jobs.fetch(engine, job["ModelArtifacts"]["S3ModelArtifacts"]))
    assert sorted(files) == [f"xgboost-model-{number}" for number in range(6)]
    output = job["ModelArtifacts"]["S3ModelArtifacts"].replace("model.tar.gz", "output.tar.gz")
    rows = list(csv.reader(io.StringIO(jobs.unpack(jobs.fetch(engine, output))["predictions.csv"].decode())))
    assert len(rows) == 90
    assert [float(row[0]) for row in rows] == data[:, 0].tolist()
    assert {float(row[2]) for row in rows} <= {0.0, 1.0, 2.0}
    assert np.mean([row[0] == row[2] for row in rows]) > 0.6

    # All models together answer their mean, the first one alone its own.
    fresh = regression(3, seed=4)[:, 1:]
    each = []
    for number in range(6):
        booster = xgboost.Booster()
        booster.load_model(bytearray(files[f"xgboost-model-{number}"]))
        each.append(booster.predict(xgboost.DMatrix(fresh)))
    for environment, wanted in (({}, np.mean(each, axis=0)), ({"SAGEMAKER_INFERENCE_ENSEMBLE": "false"}, each[0])):  # fmt: skip
        endpoint = deploy.endpoint(model_of(deploy, job, "1.7-1", **environment))
        answer = deploy.runtime.invoke_endpoint(
            EndpointName=endpoint, ContentType="text/csv", Body=table(fresh)
        )
        found = [[float(item) for item in line.split(",")] for line in answer["Body"].read().decode().splitlines()]  # fmt: skip
        assert np.array(found, np.float32).tolist() == np.asarray(wanted, np.float32).tolist()


def test_selected_contents(engine: RunningEngine, deploy: Deployer) -> None:
    import xgboost

    from algorithms.formats import recordio

    data = regression(120)
    data[:, 0] = data[:, 0] > 0
    given = {"num_round": "5", "objective": "binary:logistic"}
    job = trained(engine, "1.2-1", given, train=table(data))
    output = "predicted_label, labels,probability,probabilities,raw_score,raw_scores,predicted_score"
    endpoint = deploy.endpoint(
        model_of(deploy, job, "1.2-1", SAGEMAKER_INFERENCE_OUTPUT=output, SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT="application/json")
    )  # fmt: skip
    fresh = regression(3, seed=4)[:, 1:]
    scores = expected(data, given).predict(xgboost.DMatrix(fresh)).tolist()

    def invoke(**more: str) -> bytes:
        answer = deploy.runtime.invoke_endpoint(
            EndpointName=endpoint, ContentType="text/csv", Body=table(fresh), **more
        )
        body: bytes = answer["Body"].read()
        return body

    found = json.loads(invoke())["predictions"]
    for item, score in zip(found, scores, strict=True):
        assert item["predicted_label"] == int(score > 0.5)
        assert item["labels"] == [0, 1]
        assert item["probability"] == item["raw_score"] == score
        assert item["probabilities"] == item["raw_scores"] == [1.0 - score, score]
        assert np.isnan(item["predicted_score"])
    line = invoke(Accept="text/csv").decode().splitlines()[0]
    label = found[0]["predicted_label"]
    assert line.startswith(f'{label},"[0, 1]",{scores[0]},"[{1.0 - scores[0]}, {scores[0]}]"')
    assert json.loads(invoke(Accept="application/jsonlines").splitlines()[1])["probability"] == scores[1]
    framed = list(recordio.payloads(io.BytesIO(invoke(Accept="application/x-recordio-protobuf"))))
    assert len(framed) == 3
    assert all(b"probabilities" in record and b"predicted_label" in record for record in framed)


def test_invalid_requests_are_refused_and_the_worker_survives(
    engine: RunningEngine, deploy: Deployer
) -> None:
    job = trained(engine, "1.7-1", {"num_round": "2"}, train=table(regression(60)))
    endpoint = deploy.endpoint(model_of(deploy, job, "1.7-1"))
    rng = random.Random(11)
    good = "0.1,0.2,0.3,0.4\n"

    def noise() -> bytes:
        return rng.randbytes(rng.randint(1, 200))

    makers: list[tuple[str, Callable[[], bytes | str]]] = [
        ("text/csv", lambda: good.replace("0.2", rng.choice(["abc", "0.2.1", "1e", "--1", "0x1", "é"]))),
        ("text/csv", lambda: good + "1,2" + ",3" * rng.choice([0, 3, 4, 9]) + "\n"),
        ("text/csv", lambda: ",".join("1" * 1 for _ in range(rng.choice([1, 2, 6, 50]))) + "\n"),
        ("text/libsvm", lambda: rng.choice(["a:b", "1:x", "-1:2", "9:1", "0:1 77:2", "{}", "1:2:3", "\n"])),
        ("application/x-recordio-protobuf", noise),
        ("application/x-recordio-protobuf", lambda: b"\x0a\x23\xd7\xce" + noise()),
        (rng.choice(["application/json", "image/png"]), lambda: '{"instances": [[1]]}'),
        ("text/csv; label_size=3", lambda: good),
    ]
    seen = set()
    for number in range(64):
        content, make = makers[number % len(makers)]
        with pytest.raises(ClientError) as caught:
            deploy.runtime.invoke_endpoint(EndpointName=endpoint, ContentType=content, Body=make())
        status, message = said(caught)
        seen.add(status)
        assert 400 <= status < 500, (content, message)
        assert message
    assert seen == {400, 415}
    answer = deploy.runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=good)
    assert float(answer["Body"].read()) == pytest.approx(0, abs=5)
    nothing = deploy.runtime.invoke_endpoint(EndpointName=endpoint, ContentType="text/csv", Body=b"")
    assert nothing["Body"].read() == b""
    wrong = deploy.runtime.invoke_endpoint
    with pytest.raises(ClientError) as caught:
        wrong(EndpointName=endpoint, ContentType="text/csv", Body="1,2,3,4,5,6\n")
    assert said(caught) == (
        400,
        "Unable to evaluate payload provided: Feature size of csv inference data 6 is not consistent with feature size of trained "
        "model 4.",
    )
