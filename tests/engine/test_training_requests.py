"""What CreateTrainingJob refuses and in which words; lists; how long Describe waits for an SDK."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.engine import jobs
from tests.engine.conftest import RunningEngine, engine_process
from tests.engine.jobs import channel, finish, fresh, put, request, submit, until, until_line

BUCKET = "no-such-bucket-here"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEngine]:
    with engine_process(tmp_path_factory.mktemp("requests") / "data") as running:
        yield running


def specification(**changes: Any) -> dict[str, Any]:
    return {"TrainingImage": jobs.IMAGE, "TrainingInputMode": "File", **changes}


REFUSALS: list[tuple[dict[str, Any], str]] = [
    (
        {"AlgorithmSpecification": specification(TrainingImage="1.dkr.ecr.us-east-1.amazonaws.com/my-own:1")},
        "repository 'my-own'",
    ),
    (
        {"AlgorithmSpecification": specification(TrainingImage="a/pytorch-inference:2.3")},
        "is for inference and cannot train",
    ),
    (
        {"AlgorithmSpecification": specification(MetricDefinitions=[{"Name": "a", "Regex": "("}])},
        "metric 'a' is not valid",
    ),
    ({"AlgorithmSpecification": specification(MetricDefinitions=[{"Name": "a", "Regex": "x"}])}, "no group"),
    ({"AlgorithmSpecification": None}, "AlgorithmSpecification is required"),
    (
        {"RoleArn": "arn:aws:iam::000000000001:role/MLConsoleExecutionRole"},
        "Cross-account pass role is not allowed",
    ),
    (
        {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}},
        "InstanceCount 2 is not supported",
    ),
    (
        {"ResourceConfig": {"InstanceType": "ml.huge.large", "InstanceCount": 1, "VolumeSizeInGB": 1}},
        "1 validation error detected",
    ),
    ({"ResourceConfig": {"InstanceCount": 1, "VolumeSizeInGB": 1}}, "InstanceType is required"),
    (
        {"OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out"}},
        f'bucket "{BUCKET}" given in OutputDataConfig',
    ),
    (
        {"InputDataConfig": [channel(f"s3://{BUCKET}/data")]},
        f'No S3 objects found under S3 URL "s3://{BUCKET}/data"',
    ),
    ({"EnableManagedSpotTraining": True}, "Invalid MaxWaitTimeInSeconds"),
    ({"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/c"}}, f'bucket "{BUCKET}" given in CheckpointConfig'),
    ({"Tags": [{"Key": "aws:x", "Value": "y"}]}, "reserved"),
]


@pytest.mark.parametrize(("changes", "message"), REFUSALS, ids=[message[:40] for _, message in REFUSALS])
def test_what_cannot_run_is_refused_at_once(
    engine: RunningEngine, changes: dict[str, Any], message: str
) -> None:
    name = jobs.fresh("refused")
    client = engine.client("sagemaker", config=Config(parameter_validation=False))
    with pytest.raises(ClientError) as caught:
        client.create_training_job(**request(engine, name, **changes))
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert message in caught.value.response["Error"]["Message"]
    with pytest.raises(ClientError, match="Requested resource not found"):
        client.describe_training_job(TrainingJobName=name)


def test_a_role_that_is_not_there_cannot_be_assumed(engine: RunningEngine) -> None:
    arn = f"arn:aws:iam::{engine.connection.account_id}:role/nobody"
    with pytest.raises(ClientError, match=f"Could not assume role {arn}. Please ensure that the role exists"):
        engine.client("sagemaker").create_training_job(**request(engine, jobs.fresh(), RoleArn=arn))


def test_channels_that_cannot_be_read_are_named(engine: RunningEngine) -> None:
    bucket = engine.connection.default_bucket
    bad = put(engine, f"{jobs.fresh()}/bad.manifest", "not json")
    lacking = put(
        engine, f"{jobs.fresh()}/lacking.manifest", f'[{{"prefix": "s3://{bucket}/nowhere/"}}, "a.csv"]'
    )
    good = put(engine, f"{jobs.fresh()}/a.csv", "1")
    cases: list[tuple[list[dict[str, Any]], str]] = [
        ([channel(bad, kind="ManifestFile")], "is not valid JSON"),
        ([channel(lacking, kind="ManifestFile")], f's3://{bucket}/nowhere/a.csv", which does not exist'),
        ([channel(good, kind="AugmentedManifestFile")], "AugmentedManifestFile is not supported"),
        ([channel(good), channel(good)], "Duplicate channel name 'training'"),
        (
            [channel(good, RecordWrapperType="RecordIO")],
            "RecordWrapperType RecordIO goes with InputMode Pipe only",
        ),
        (
            [channel(f"s3://{bucket}/{jobs.fresh()}/")],
            "Please ensure that the bucket exists in the selected region (us-east-1)",
        ),
    ]
    for channels, message in cases:
        with pytest.raises(ClientError) as caught:
            engine.client("sagemaker").create_training_job(
                **request(engine, jobs.fresh(), InputDataConfig=channels)
            )
        assert message in caught.value.response["Error"]["Message"]


def test_every_kind_of_source_arrives_where_sagemaker_puts_it(engine: RunningEngine) -> None:
    import gzip

    bucket, folder = engine.connection.default_bucket, jobs.fresh("data")
    for key, data in {
        "set/a.csv": b"a",
        "set/deep/b.csv": b"b",
        "set-2/c.csv": b"c",
        "packed/d.csv.gz": gzip.compress(b"d"),
    }.items():
        put(engine, f"{folder}/{key}", data)
    manifest = put(
        engine,
        f"{folder}/list.manifest",
        f'[{{"prefix": "s3://{bucket}/{folder}/"}}, "set/a.csv", "set-2/c.csv"]',
    )
    sharded = channel(f"s3://{bucket}/{folder}/set/", "sharded")
    sharded["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    script = """
        import os
        for name in ("prefix", "partial", "file", "listed", "sharded", "unpacked"):
            top = os.environ["SM_CHANNEL_" + name.upper()]
            found = sorted(os.path.relpath(os.path.join(d, f), top) for d, _, fs in os.walk(top) for f in fs)
            print(name, *found, sep=" ")
        print("content", open(os.environ["SM_CHANNEL_UNPACKED"] + "/d.csv").read())
    """
    name = submit(
        engine,
        script,
        InputDataConfig=[
            channel(f"s3://{bucket}/{folder}/set/", "prefix"),
            channel(f"s3://{bucket}/{folder}/set", "partial"),
            channel(f"s3://{bucket}/{folder}/set/a.csv", "file"),
            channel(manifest, "listed", kind="ManifestFile"),
            sharded,
            channel(f"s3://{bucket}/{folder}/packed", "unpacked", CompressionType="Gzip"),
        ],
    )
    job = finish(engine, name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert [
        line
        for line in jobs.lines(engine, name)
        if line.split(" ")[0] in ["prefix", "partial", "file", "listed", "sharded", "unpacked", "content"]
    ] == [
        "prefix a.csv deep/b.csv",
        "partial a.csv deep/b.csv set-2/c.csv",
        "file a.csv",
        "listed set-2/c.csv set/a.csv",
        "sharded a.csv deep/b.csv",
        "unpacked d.csv",
        "content d",
    ]


def test_missing_source_code_fails_the_job_by_name(engine: RunningEngine) -> None:
    uri = f"s3://{engine.connection.default_bucket}/nowhere/sourcedir.tar.gz"
    name = submit(engine, "print(1)", hyperparameters={"sagemaker_submit_directory": uri})
    job = finish(engine, name)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(f"ClientError: The source code '{uri}'")


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningEngine, list[str]]]:
    """An engine of its own with jobs alpha-0 to alpha-3, which fail, and beta-4 to beta-6, which complete."""
    with engine_process(tmp_path_factory.mktemp("listed") / "data") as running:
        names = []
        for number in range(7):
            name = f"{'alpha' if number < 4 else 'beta'}-{number}"
            names.append(submit(running, f"import sys; sys.exit({int(number < 4)})", name=name))
            finish(running, name)
        yield running, names


def test_lists_are_newest_first_and_page_without_gaps(listed: tuple[RunningEngine, list[str]]) -> None:
    engine, names = listed
    client = engine.client("sagemaker")
    pages = client.get_paginator("list_training_jobs").paginate(PaginationConfig={"PageSize": 3})
    sizes, found = [], []
    for page in pages:
        sizes.append(len(page["TrainingJobSummaries"]))
        found += [job["TrainingJobName"] for job in page["TrainingJobSummaries"]]
    assert sizes == [3, 3, 1]
    assert found == names[::-1]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"NameContains": "alpha"}, [3, 2, 1, 0]),
        ({"SortBy": "Name", "SortOrder": "Ascending", "MaxResults": 2}, [0, 1]),
        ({"SortBy": "Name", "SortOrder": "Descending", "MaxResults": 2}, [6, 5]),
        ({"SortBy": "CreationTime", "SortOrder": "Ascending", "MaxResults": 2}, [0, 1]),
        ({"SortBy": "Status", "SortOrder": "Ascending", "MaxResults": 4}, [4, 5, 6, 0]),
        ({"StatusEquals": "Failed"}, [3, 2, 1, 0]),
        ({"StatusEquals": "Failed", "MaxResults": 4}, [3]),
        ({"StatusEquals": "Stopping"}, []),
        ({"WarmPoolStatusEquals": "Available"}, []),
    ],
)
def test_every_filter_and_order(
    listed: tuple[RunningEngine, list[str]], parameters: dict[str, Any], expected: list[int]
) -> None:
    """With MaxResults, StatusEquals is applied to the page that the other parameters select, as AWS documents."""
    engine, names = listed
    found = engine.client("sagemaker").list_training_jobs(**parameters)["TrainingJobSummaries"]
    assert [job["TrainingJobName"] for job in found] == [names[number] for number in expected]


def test_a_status_is_found_behind_a_page_of_others(own_engine: RunningEngine) -> None:
    """Without MaxResults nobody asked for a page to be filtered: eleven newer failures do not hide what completed."""
    wanted = submit(own_engine, "")
    finish(own_engine, wanted)
    for _ in range(11):
        name = fresh()
        own_engine.client("sagemaker").create_training_job(**request(own_engine, name))
        finish(own_engine, name)
    client = own_engine.client("sagemaker")
    found = client.list_training_jobs(StatusEquals="Completed")["TrainingJobSummaries"]
    assert [job["TrainingJobName"] for job in found] == [wanted]
    assert client.list_training_jobs(StatusEquals="Completed", MaxResults=11)["TrainingJobSummaries"] == []


def test_times_bound_a_list(listed: tuple[RunningEngine, list[str]]) -> None:
    engine, names = listed
    client = engine.client("sagemaker")
    times = [client.describe_training_job(TrainingJobName=name)["CreationTime"] for name in names]
    found = client.list_training_jobs(CreationTimeAfter=times[1], CreationTimeBefore=times[4])[
        "TrainingJobSummaries"
    ]
    assert [job["TrainingJobName"] for job in found] == ["alpha-3", "alpha-2"]
    last = client.describe_training_job(TrainingJobName=names[-1])["LastModifiedTime"]
    found = client.list_training_jobs(LastModifiedTimeAfter=times[6], LastModifiedTimeBefore=last)[
        "TrainingJobSummaries"
    ]
    assert {job["TrainingJobName"] for job in found} <= {"beta-6"}


def test_a_token_is_only_good_for_its_own_list(listed: tuple[RunningEngine, list[str]]) -> None:
    client = listed[0].client("sagemaker")
    token = client.list_training_jobs(MaxResults=2)["NextToken"]
    with pytest.raises(ClientError) as caught:
        client.list_training_jobs(MaxResults=2, NameContains="beta", NextToken=token)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert len(client.list_training_jobs(MaxResults=5, NextToken=token)["TrainingJobSummaries"]) == 5


def test_an_sdk_that_polls_is_answered_when_the_status_changes(engine: RunningEngine, tmp_path: Any) -> None:
    go = tmp_path / "go"
    script = (
        "import os, time\nprint('ready')\nwhile not os.path.exists(os.environ['GO']):\n    time.sleep(0.01)\n"
    )
    name = submit(engine, script, Environment={"GO": str(go)})
    until_line(engine, name, "ready")
    sdk = engine.client("sagemaker", config=Config(user_agent_extra="lib/AWS-SageMaker-Python-SDK#2.257.7"))
    assert sdk.describe_training_job(TrainingJobName=name)["SecondaryStatus"] == "Training"
    answers: list[str] = []
    thread = threading.Thread(
        target=lambda: answers.append(sdk.describe_training_job(TrainingJobName=name)["SecondaryStatus"]),
        daemon=True,
    )
    thread.start()
    # Meanwhile every other client is answered at once.
    for _ in range(3):
        assert (
            engine.client("sagemaker").describe_training_job(TrainingJobName=name)["SecondaryStatus"]
            == "Training"
        )
    thread.join(0.3)
    assert answers == []
    go.touch()
    thread.join(60)
    assert answers == ["Completed"]
    assert finish(engine, name)["TrainingJobStatus"] == "Completed"


def test_who_waits_with_botocore_or_created_with_sdk_v2_is_told_of_the_end_at_once(
    engine: RunningEngine,
) -> None:
    began = time.monotonic()
    name = submit(engine, "import time; time.sleep(0.5)")
    engine.client("sagemaker").get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=name)
    sdk = engine.client("sagemaker", config=Config(user_agent_extra="lib/AWS-SageMaker-Python-SDK#2.257.7"))
    second = jobs.fresh()
    source = put(
        engine, f"code/{second}/sourcedir.tar.gz", jobs.pack({"train.py": "import time; time.sleep(0.5)"})
    )
    given = {"sagemaker_program": "train.py", "sagemaker_submit_directory": source}
    sdk.create_training_job(**request(engine, second, HyperParameters=given))
    assert sdk.describe_training_job(TrainingJobName=second)["TrainingJobStatus"] == "Completed"
    # The waiter alone would have slept 120 s between its first two questions.
    assert time.monotonic() - began < 110


def test_an_update_changes_what_may_change(engine: RunningEngine) -> None:
    client = engine.client("sagemaker")
    name = submit(engine, "import time; print('ready'); time.sleep(600)")
    until(engine, name, lambda job: job["SecondaryStatus"] == "Training")
    client.update_training_job(TrainingJobName=name, RemoteDebugConfig={"EnableRemoteDebug": True})
    assert client.describe_training_job(TrainingJobName=name)["RemoteDebugConfig"] == {
        "EnableRemoteDebug": True
    }
    client.stop_training_job(TrainingJobName=name)
    finish(engine, name)
    with pytest.raises(ClientError, match="is in status Stopped"):
        client.update_training_job(TrainingJobName=name, RemoteDebugConfig={"EnableRemoteDebug": False})


def test_unknown_jobs_are_told_in_awss_words(engine: RunningEngine) -> None:
    client = engine.client("sagemaker")
    for call in (client.describe_training_job, client.stop_training_job, client.delete_training_job):
        with pytest.raises(ClientError) as caught:
            call(TrainingJobName="nowhere")
        assert caught.value.response["Error"] == {
            "Code": "ValidationException",
            "Message": "Requested resource not found.",
        }


def test_utilisation_is_measured(engine: RunningEngine) -> None:
    from datetime import UTC, datetime, timedelta

    name = submit(engine, "import time\nend = time.time() + 600\nwhile time.time() < end:\n    pass\n")
    cloudwatch, deadline = engine.client("cloudwatch"), time.monotonic() + 120
    points: list[dict[str, Any]] = []
    while not points and time.monotonic() < deadline:
        time.sleep(0.2)
        points = cloudwatch.get_metric_statistics(
            Namespace="/aws/sagemaker/TrainingJobs",
            MetricName="CPUUtilization",
            Dimensions=[{"Name": "Host", "Value": f"{name}/algo-1"}],
            StartTime=datetime.now(UTC) - timedelta(minutes=5),
            EndTime=datetime.now(UTC) + timedelta(minutes=1),
            Period=60,
            Statistics=["Maximum"],
        )["Datapoints"]
    engine.client("sagemaker").stop_training_job(TrainingJobName=name)
    assert points and points[0]["Maximum"] > 5
