"""Built-in algorithms transform what they were trained for: CSV, RecordIO and JSON Lines, joined with their rows."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.engine import jobs
from tests.engine.conftest import RunningEngine
from tests.engine.deploying import unique
from tests.engine.test_transform_splitting import recordio
from tests.engine.transforming import Transformer

IMAGES = {
    "kmeans": "382416733822.dkr.ecr.us-east-1.amazonaws.com/kmeans:1",
    "pca": "382416733822.dkr.ecr.us-east-1.amazonaws.com/pca:1",
    "linear-learner": "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1",
    "xgboost": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
}
# Two groups of points: what a record belongs to can be seen from its first number.
POINTS = [(10.0 * (number % 2) + number / 100, 1.0, float(number % 3)) for number in range(60)]
PLAIN = "".join(f"{a},{b},{c}\n" for a, b, c in POINTS)
LABELLED = "".join(f"{number % 2},{a},{b},{c}\n" for number, (a, b, c) in enumerate(POINTS))
ROWS = "".join(f"id{number},{a},{b},{c}\n" for number, (a, b, c) in enumerate(POINTS))

# name -> hyperparameters, training content type, training data
TRAININGS: dict[str, tuple[dict[str, str], str, str]] = {
    "kmeans": (
        {"k": "2", "feature_dim": "3", "mini_batch_size": "20"},
        "text/csv;label_size=0",
        PLAIN,
    ),
    "pca": (
        {"feature_dim": "3", "mini_batch_size": "20", "num_components": "2"},
        "text/csv;label_size=0",
        PLAIN,
    ),
    "linear-learner": (
        {"predictor_type": "binary_classifier", "feature_dim": "3", "mini_batch_size": "20", "epochs": "3"},
        "text/csv",
        LABELLED,
    ),
    "xgboost": (
        {"num_round": "5", "objective": "binary:logistic", "max_depth": "2", "min_child_weight": "0"},
        "text/csv",
        LABELLED,
    ),
}


class Trained(Transformer):
    """A transformer that has a model of every algorithm, trained when it is first asked for."""

    def __init__(self, engine: RunningEngine) -> None:
        super().__init__(engine)
        self._models: dict[str, str] = {}

    def of(self, algorithm: str) -> str:
        """The algorithm's model."""
        if algorithm not in self._models:
            self._models[algorithm] = self._train(algorithm)
        return self._models[algorithm]

    def _train(self, algorithm: str) -> str:
        hyperparameters, content, data = TRAININGS[algorithm]
        name = unique(algorithm)
        channel = jobs.channel(self.put({"train.csv": data}), "train", ContentType=content)
        self.sm.create_training_job(
            **jobs.request(
                self.engine,
                name,
                AlgorithmSpecification={"TrainingImage": IMAGES[algorithm], "TrainingInputMode": "File"},
                HyperParameters=hyperparameters,
                InputDataConfig=[channel],
            )
        )
        found = jobs.finish(self.engine, name, seconds=120)
        assert found["TrainingJobStatus"] == "Completed", found.get("FailureReason")
        container = {
            "Image": IMAGES[algorithm],
            "ModelDataUrl": found["ModelArtifacts"]["S3ModelArtifacts"],
        }
        self.sm.create_model(ModelName=name, ExecutionRoleArn=self.role, PrimaryContainer=container)
        return name


@pytest.fixture(scope="module")
def job(engine: RunningEngine) -> Iterator[Trained]:
    yield Trained(engine)


def protobuf(values: tuple[float, ...]) -> bytes:
    """A dense record of `aialgs.data.Record`: features -> values -> float32_tensor.values."""
    packed = struct.pack(f"<{len(values)}f", *values)

    def field(number: int, data: bytes) -> bytes:
        return bytes([number << 3 | 2, len(data)]) + data

    tensor = field(2, field(1, packed))
    return field(1, field(1, b"values") + field(2, tensor))


@pytest.mark.parametrize("algorithm", sorted(IMAGES))
def test_every_row_is_answered_and_joined(job: Trained, algorithm: str) -> None:
    accept = "text/csv" if algorithm in ("xgboost", "kmeans") else "application/jsonlines"
    source = job.put({"rows.csv": PLAIN})
    plain = job.run(job.of(algorithm), source, output={"Accept": accept})["rows.csv.out"]
    assert len(plain.splitlines()) == len(POINTS)
    one_by_one = job.run(
        job.of(algorithm),
        source,
        BatchStrategy="SingleRecord",
        MaxConcurrentTransforms=4,
        output={"Accept": accept},
    )["rows.csv.out"]
    assert one_by_one.splitlines() == plain.splitlines()


@pytest.mark.parametrize("algorithm", ["kmeans", "xgboost"])
def test_identifiers_stay_with_their_answers(job: Trained, algorithm: str) -> None:
    source = job.put({"rows.csv": ROWS})
    processing = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,4]"}
    found = job.run(job.of(algorithm), source, DataProcessing=processing, output={"Accept": "text/csv"})
    rows = [line.split(",") for line in found["rows.csv.out"].decode().splitlines()]
    assert [row[0] for row in rows] == [f"id{number}" for number in range(len(POINTS))]
    groups = {round(float(row[1])) for row in rows[::2]}, {round(float(row[1])) for row in rows[1::2]}
    assert all(len(group) == 1 for group in groups)
    assert groups[0] != groups[1]


def test_record_io_in_json_lines_out(job: Trained) -> None:
    data = b"".join(recordio(protobuf(point)) for point in POINTS)
    source = job.put({"points.pbr": data})
    changes: Mapping[str, Any] = {
        "input": {"ContentType": "application/x-recordio-protobuf", "SplitType": "RecordIO"},
        "output": {"Accept": "application/jsonlines"},
    }
    found = job.run(job.of("kmeans"), source, **{key: dict(value) for key, value in changes.items()})
    answers = [json.loads(line) for line in found["points.pbr.out"].splitlines()]
    assert len(answers) == len(POINTS)
    assert {answer["closest_cluster"] for answer in answers[::2]} != {
        answer["closest_cluster"] for answer in answers[1::2]
    }
