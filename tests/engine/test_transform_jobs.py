"""Batch transform over real HTTP: what is sent, what is stored, and what the API says about it."""

from __future__ import annotations

import gzip
import json
import os
import struct
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.engine.conftest import RunningEngine
from tests.engine.deploying import PYTORCH, unique, wait_for
from tests.engine.test_transform_splitting import recordio, tfrecord
from tests.engine.transforming import DOUBLE, ECHO, GROUP, TELL, Transformer

ROWS = "".join(f"{number},x\n" for number in range(100))
DOUBLED = "".join(f"{2 * number}\n" for number in range(100)).encode()

# Says what it wishes to be sent.
WISHES = """
def model_fn(folder):
    return None

def execution_parameters_fn():
    return {"MaxConcurrentTransforms": 3, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 2}

def transform_fn(model, data, content_type, accept):
    return data
"""


@pytest.fixture(scope="module")
def job(engine: RunningEngine) -> Iterator[Transformer]:
    yield Transformer(engine)


@pytest.fixture(scope="module")
def double(job: Transformer) -> str:
    return job.model(DOUBLE)


@pytest.fixture(scope="module")
def echo(job: Transformer) -> str:
    return job.model(ECHO)


@pytest.fixture(scope="module")
def tell(job: Transformer) -> str:
    return job.model(TELL, WORD="model", SAGEMAKER_OTHER="kept")


def told(output: bytes) -> list[dict[str, Any]]:
    """What the telling model answered, a line for each request."""
    return [json.loads(line) for line in output.splitlines()]


def test_a_job_from_creation_to_its_end(job: Transformer, double: str) -> None:
    source = job.put({"test.csv": ROWS})
    name = unique("life")
    arn = job.sm.create_transform_job(**job.request(double, source + "test.csv", name=name))[
        "TransformJobArn"
    ]
    assert arn.endswith(f":transform-job/{name}")
    found = job.ended(name)
    assert found["TransformJobStatus"] == "Completed", found.get("FailureReason")
    assert found["CreationTime"] <= found["TransformStartTime"] <= found["TransformEndTime"]
    assert found["ModelName"] == double
    assert found["DataProcessing"] == {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
    assert found["TransformInput"]["CompressionType"] == "None"
    assert "MaxPayloadInMB" not in found  # as it was asked for, not as it ran
    # A single object's result lies directly below the output path.
    assert job.outputs(name) == {"test.csv.out": DOUBLED}
    [container, data_log] = sorted(job.streams(name))
    assert container.startswith(f"{name}/i-")
    assert len(container.rpartition("/i-")[2]) == 17
    assert data_log == f"{container}/data-log"
    assert job.data_log(name) == ["MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD"]
    assert any("Model loaded" in line for line in job.log(name))


def test_results_lie_where_their_objects_lay(job: Transformer, double: str) -> None:
    source = job.put({"a.csv": "1\n", "data/b.csv": "2\n3\n", "data/deep/c.csv": "4", "empty.csv": ""})
    assert job.run(double, source) == {
        "a.csv.out": b"2\n",
        "data/b.csv.out": b"4\n6\n",
        "data/deep/c.csv.out": b"8\n",
        "empty.csv.out": b"",
    }
    # A prefix that is not a whole folder: the part after its last slash belongs to the names.
    assert job.run(double, source + "da") == {"data/b.csv.out": b"4\n6\n", "data/deep/c.csv.out": b"8\n"}
    assert job.run(double, source.rstrip("/"))["data/b.csv.out"] == b"4\n6\n"


def test_a_manifest_names_the_objects(job: Transformer, double: str) -> None:
    source = job.put({"a.csv": "1\n", "x/b.csv": "2\n", "c.csv": "3\n"})
    manifest = job.put({"list.manifest": json.dumps([{"prefix": source}, "x/b.csv", "a.csv"])})
    found = job.run(double, manifest + "list.manifest", kind="ManifestFile")
    assert found == {"a.csv.out": b"2\n", "x/b.csv.out": b"4\n"}


def test_many_records_at_once_keep_their_order(job: Transformer, echo: str) -> None:
    data = "".join(f"{number:06d}," + "x" * 200 + "\n" for number in range(20_000))
    source = job.put({"large.csv": data})
    for changes in (
        {"MaxPayloadInMB": 1, "MaxConcurrentTransforms": 8},
        {"MaxPayloadInMB": 2},
        {"BatchStrategy": "MultiRecord", "MaxConcurrentTransforms": 2},
    ):
        assert job.run(echo, source, **changes) == {"large.csv.out": data.encode()}


def test_one_record_a_request(job: Transformer, tell: str) -> None:
    source = job.put({"rows.csv": "a,1\nb,2\r\nc,3"})
    found = job.run(tell, source, BatchStrategy="SingleRecord", MaxConcurrentTransforms=4)
    assert [item["lines"] for item in told(found["rows.csv.out"])] == [["a,1"], ["b,2"], ["c,3"]]
    together = job.run(tell, source, BatchStrategy="MultiRecord")
    assert [item["lines"] for item in told(together["rows.csv.out"])] == [["a,1", "b,2", "c,3"]]


def test_what_the_container_is_told(job: Transformer, tell: str) -> None:
    source = job.put({"rows.csv": "a\n"})
    [plain] = told(job.run(tell, source, output={"Accept": "application/x-text"})["rows.csv.out"])
    assert (plain["type"], plain["accept"]) == ("text/csv", "application/x-text")
    assert plain["env"]["SAGEMAKER_BATCH"] == "true"
    assert plain["env"]["WORD"] == "model"
    assert not {"SAGEMAKER_BATCH_STRATEGY", "SAGEMAKER_MAX_PAYLOAD_IN_MB"} & set(plain["env"])
    changes = {
        "BatchStrategy": "SingleRecord",
        "MaxPayloadInMB": 3,
        "MaxConcurrentTransforms": 2,
        "Environment": {"WORD": "job"},
    }
    [given] = told(job.run(tell, source, **changes)["rows.csv.out"])
    assert given["env"]["WORD"] == "job"
    assert given["env"]["SAGEMAKER_OTHER"] == "kept"
    assert given["env"]["SAGEMAKER_BATCH_STRATEGY"] == "SINGLE_RECORD"
    assert given["env"]["SAGEMAKER_MAX_PAYLOAD_IN_MB"] == "3"
    assert given["env"]["SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"] == "2"


def test_the_container_may_wish_how_it_is_fed(job: Transformer) -> None:
    model = job.model(WISHES)
    source = job.put({"rows.csv": "a\nb\n"})
    name = job.begin(model, source, output={"AssembleWith": "None"})
    found = job.ended(name)
    assert job.outputs(name) == {"rows.csv.out": b"ab"}
    assert job.data_log(name) == ["MaxConcurrentTransforms=3, MaxPayloadInMB=2, BatchStrategy=SINGLE_RECORD"]
    assert not {"MaxConcurrentTransforms", "MaxPayloadInMB", "BatchStrategy"} & set(found)
    # What the request says goes first.
    name = job.begin(model, source, BatchStrategy="MultiRecord", MaxConcurrentTransforms=5)
    job.ended(name)
    assert job.data_log(name) == ["MaxConcurrentTransforms=5, MaxPayloadInMB=2, BatchStrategy=MULTI_RECORD"]


def test_unsplit_objects_are_one_request_each(job: Transformer, tell: str) -> None:
    source = job.put({f"{number}.txt": f"one\ntwo {number}\n" for number in range(20)})
    found = job.run(
        tell, source, input={"SplitType": "None"}, output={"AssembleWith": "None"}, MaxConcurrentTransforms=4
    )
    assert {key: json.loads(body)["lines"] for key, body in found.items()} == {
        f"{number}.txt.out": ["one", f"two {number}"] for number in range(20)
    }


def test_answers_are_put_together_as_asked(job: Transformer, double: str) -> None:
    source = job.put({"rows.csv": "1\n2\n3\n"})
    joined = job.run(double, source, BatchStrategy="SingleRecord", output={"AssembleWith": "None"})
    assert joined == {"rows.csv.out": b"246"}
    lines = job.run(double, source, BatchStrategy="SingleRecord")
    assert lines == {"rows.csv.out": b"2\n4\n6\n"}


def test_compressed_objects_are_unpacked(job: Transformer, double: str) -> None:
    source = job.put({"rows.csv.gz": gzip.compress(ROWS.encode())})
    found = job.run(double, source, input={"CompressionType": "Gzip"})
    assert found == {"rows.csv.gz.out": DOUBLED}


@pytest.mark.parametrize("split", ["RecordIO", "TFRecord"])
def test_binary_records(job: Transformer, echo: str, split: str) -> None:
    payloads = [struct.pack("<I", number) * (1 + number % 3) for number in range(50)]
    data = b"".join((recordio if split == "RecordIO" else tfrecord)(payload) for payload in payloads)
    source = job.put({"data.rec": data})
    kind = {"SplitType": split, "ContentType": "application/x-recordio-protobuf"}
    plain = {"AssembleWith": "None"}
    assert job.run(echo, source, input=kind, output=plain) == {"data.rec.out": data}
    single = job.run(echo, source, input=kind, output=plain, BatchStrategy="SingleRecord")
    assert single == {"data.rec.out": b"".join(payloads)}


def test_a_payload_without_limit_is_streamed(job: Transformer, echo: str) -> None:
    data = "".join(
        f"{number:07d}\n" for number in range(2_000_000)
    )  # 16 MB: more than MaxPayloadInMB's default
    source = job.put({"large.csv": data})
    for kind in ("None", "Line"):
        found = job.run(
            echo, source, input={"SplitType": kind}, output={"AssembleWith": "None"}, MaxPayloadInMB=0
        )
        assert found == {"large.csv.out": data.encode()}


def test_answers_join_their_records(job: Transformer, echo: str, double: str) -> None:
    source = job.put({"rows.csv": "id1,10,a\nid2,20,b\n"})
    processing = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}
    found = job.run(double, source, DataProcessing=processing, output={"Accept": "text/csv"})
    assert found == {"rows.csv.out": b"id1,20\nid2,40\n"}
    lines = job.put({"rows.jsonl": '{"id":1,"features":[1,2]}\n{"id":2,"features":[3]}\n'})
    processing = {
        "InputFilter": "$.features",
        "JoinSource": "Input",
        "OutputFilter": "$['id','SageMakerOutput']",
    }
    kind = "application/jsonlines"
    for strategy in ("MultiRecord", "SingleRecord"):
        found = job.run(
            echo,
            lines,
            DataProcessing=processing,
            BatchStrategy=strategy,
            input={"ContentType": kind},
            output={"Accept": kind},
        )
        assert found == {
            "rows.jsonl.out": b'{"id":1,"SageMakerOutput":[1,2]}\n{"id":2,"SageMakerOutput":[3]}\n'
        }


def test_capture_lists_what_went_in_and_out(job: Transformer, double: str) -> None:
    source = job.put({"a.csv": "1\n2\n", "x/b.csv": "3\n"})
    place = unique("captured")
    config = {"DestinationS3Uri": f"s3://{job.bucket}/{place}", "GenerateInferenceId": True}
    name = job.begin(double, source, DataCaptureConfig=config, output={"Accept": "text/csv"})
    found = job.ended(name)
    assert found["TransformJobStatus"] == "Completed", (found.get("FailureReason"), job.data_log(name))
    rows = [line.split(",") for line in job.outputs(name)["a.csv.out"].decode().splitlines()]
    start = found["TransformStartTime"].astimezone(UTC)
    assert [row[0] for row in rows] == ["2", "4"]
    assert {row[2] for row in rows} == {start.strftime("%Y-%m-%dT%H:%M:%SZ")}
    assert len({uuid.UUID(row[1]) for row in rows}) == 2
    manifests = {}
    for kind in ("input", "output"):
        prefix = f"{place}/{kind}/{start.strftime('%Y/%m/%d/%H')}/"
        [item] = job.s3.list_objects_v2(Bucket=job.bucket, Prefix=prefix)["Contents"]
        manifests[kind] = json.loads(job.s3.get_object(Bucket=job.bucket, Key=item["Key"])["Body"].read())
    assert manifests["input"] == [{"prefix": source}, "a.csv", "x/b.csv"]
    output = f"s3://{job.bucket}/out/{name}/"
    assert manifests["output"] == [{"prefix": output}, "a.csv.out", "x/b.csv.out"]


def test_every_framework_transforms(job: Transformer) -> None:
    source = job.put({"rows.csv": ROWS})
    assert job.run(job.model(DOUBLE, image=PYTORCH), source) == {"rows.csv.out": DOUBLED}


def test_objects_are_shared_among_instances(own_engine: RunningEngine) -> None:
    job = Transformer(own_engine)
    source = job.put({f"{number}.csv": f"{number}\n" for number in range(12)})
    name = job.begin(
        job.model(DOUBLE), source, resources={"InstanceCount": 5, "InstanceType": "ml.m5.24xlarge"}
    )
    assert job.ended(name)["TransformJobStatus"] == "Completed"
    assert job.outputs(name) == {f"{number}.csv.out": f"{2 * number}\n".encode() for number in range(12)}
    logs = [stream for stream in job.streams(name) if stream.endswith("/data-log")]
    count = min(2, os.cpu_count() or 1)  # half of the machine is one instance
    assert len(logs) == count
    told = f"InstanceCount=5: objects are distributed over {count} on this machine"
    assert job.data_log(name).count(told) == count


def test_metrics_tell_how_far_a_job_is(job: Transformer, double: str) -> None:
    files = {"a.csv": ROWS, "b.csv": ROWS}
    name = job.begin(double, job.put(files))
    job.ended(name)
    size = sum(len(data) for data in files.values())

    def highest(metric: str) -> float | None:
        now = datetime.now(UTC)
        points = job.cloudwatch.get_metric_statistics(
            Namespace=GROUP,
            MetricName=metric,
            Dimensions=[{"Name": "TransformJobName", "Value": name}],
            StartTime=now - timedelta(minutes=10),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=["Maximum"],
        )["Datapoints"]
        return max((point["Maximum"] for point in points), default=None)

    assert wait_for(lambda: highest("RecordsProcessed") == 200)
    assert highest("BytesProcessed") == highest("BytesTotal") == size


def test_lists_and_tags(job: Transformer, double: str) -> None:
    source = job.put({"a.csv": "1\n"})
    mark = unique("listed")
    names = [f"{mark}-{number}" for number in range(3)]
    for name in names:
        job.begin(double, source, name=name, Tags=[{"Key": "team", "Value": "blue"}])
        job.ended(name)

    def listed(**filters: Any) -> list[str]:
        found: list[str] = []
        for page in job.sm.get_paginator("list_transform_jobs").paginate(NameContains=mark, **filters):
            found += [item["TransformJobName"] for item in page["TransformJobSummaries"]]
        return found

    assert listed() == names[::-1]
    assert listed(SortBy="Name", SortOrder="Ascending") == names
    assert listed(SortBy="Status", SortOrder="Descending", PaginationConfig={"PageSize": 1}) == names[::-1]
    assert listed(StatusEquals="Completed", PaginationConfig={"PageSize": 2}) == names[::-1]
    assert listed(StatusEquals="Failed") == []
    second = job.describe(names[1])["CreationTime"]
    assert listed(CreationTimeAfter=second) == names[2:]
    assert listed(CreationTimeBefore=second) == names[:1]
    [first] = job.sm.list_transform_jobs(NameContains=names[0])["TransformJobSummaries"]
    assert first["TransformEndTime"] <= first["LastModifiedTime"]
    assert first["TransformJobStatus"] == "Completed"
    arn = first["TransformJobArn"]
    job.sm.add_tags(ResourceArn=arn, Tags=[{"Key": "cost", "Value": "7"}])
    tags = {tag["Key"]: tag["Value"] for tag in job.sm.list_tags(ResourceArn=arn)["Tags"]}
    assert tags == {"team": "blue", "cost": "7"}


def test_the_waiter_hears_of_the_end_at_once(job: Transformer, double: str) -> None:
    name = job.begin(double, job.put({"a.csv": "1\n"}))
    # Its second question would come after a minute.
    job.sm.get_waiter("transform_job_completed_or_stopped").wait(
        TransformJobName=name, WaiterConfig={"MaxAttempts": 1}
    )
    assert job.describe(name)["TransformJobStatus"] == "Completed"


def test_a_deleted_model_does_not_end_its_jobs(job: Transformer) -> None:
    model = job.model(DOUBLE)
    name = job.begin(model, job.put({"a.csv": "1\n"}))
    job.sm.delete_model(ModelName=model)
    assert job.ended(name)["TransformJobStatus"] == "Completed"
    assert job.outputs(name) == {"a.csv.out": b"2\n"}
