"""Polling of tuning and transform jobs against scripted answers: what is asked, how often, and what comes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.workflows.scripted import AwsError, Scripted, moment
from tests.workflows.test_hub import Bench
from workflows import topics
from workflows.observe import objects, transforms
from workflows.observe.transform_rows import TransformProgress
from workflows.problem import Problem
from workflows.remembered import Remembered
from workflows.topics import Snapshot

BEGAN = 1_699_990_000.0


class Tunings:
    """One tuning job with trials, and a list of tuning jobs."""

    def __init__(self, trials: int = 0, jobs: int = 1) -> None:
        self.jobs = [f"tune-{number}" for number in range(jobs)]
        self.status = "InProgress"
        self.trials = [self.trial(number) for number in range(trials)]
        self.defaults: list[str] = []
        self.completed = trials

    def trial(self, number: int, status: str = "Completed") -> dict[str, Any]:
        return {
            "TrainingJobName": f"tune-0-{number:03}",
            "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/tune-0-{number:03}",
            "CreationTime": moment(BEGAN + number),
            "TrainingStartTime": moment(BEGAN + number),
            **({"TrainingEndTime": moment(BEGAN + number + 60)} if status == "Completed" else {}),
            "TrainingJobStatus": status,
            "TunedHyperParameters": {"eta": "0.2"},
            "FinalHyperParameterTuningJobObjectiveMetric": {"MetricName": "rmse", "Value": 1.0 + number},
            "ObjectiveStatus": "Succeeded",
        }

    def counters(self) -> dict[str, Any]:
        return {
            "TrainingJobStatusCounters": {"Completed": self.completed, "InProgress": 0},
            "ObjectiveStatusCounters": {"Succeeded": self.completed},
        }

    def list(self, **asked: Any) -> dict[str, Any]:
        return {
            "HyperParameterTuningJobSummaries": [
                {
                    "HyperParameterTuningJobName": name,
                    "HyperParameterTuningJobStatus": self.status,
                    "Strategy": "Random",
                    "CreationTime": moment(BEGAN + number),
                    "ResourceLimits": {"MaxNumberOfTrainingJobs": 500, "MaxParallelTrainingJobs": 2},
                    **self.counters(),
                }
                for number, name in enumerate(self.jobs)
            ]
        }

    def describe(self, HyperParameterTuningJobName: str) -> dict[str, Any]:
        if HyperParameterTuningJobName not in self.jobs:
            raise AwsError(
                "ResourceNotFound", "Amazon SageMaker can't find a tuning job called x. Type another name."
            )
        return {
            "HyperParameterTuningJobName": HyperParameterTuningJobName,
            "HyperParameterTuningJobStatus": self.status,
            "HyperParameterTuningJobConfig": {
                "Strategy": "Random",
                "HyperParameterTuningJobObjective": {"MetricName": "rmse", "Type": "Minimize"},
                "ResourceLimits": {"MaxNumberOfTrainingJobs": 500, "MaxParallelTrainingJobs": 2},
                "ParameterRanges": {
                    "ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.1", "MaxValue": "0.5"}]
                },
            },
            "CreationTime": moment(BEGAN + self.jobs.index(HyperParameterTuningJobName)),
            "BestTrainingJob": self.trials[0] if self.trials else {},
            **self.counters(),
        }

    def list_trials(self, **asked: Any) -> dict[str, Any]:
        rows = sorted(self.trials, key=lambda row: row["CreationTime"], reverse=True)
        first = int(asked.get("NextToken", 0))
        page: dict[str, Any] = {"TrainingJobSummaries": rows[first : first + 100]}
        return page | ({"NextToken": str(first + 100)} if first + 100 < len(rows) else {})

    def list_training(self, **asked: Any) -> dict[str, Any]:
        assert asked["NameContains"] == "tune-0-default-"
        return {"TrainingJobSummaries": [self.training(name) for name in self.defaults]}

    def training(self, TrainingJobName: str) -> dict[str, Any]:
        return {
            "TrainingJobName": TrainingJobName,
            "TrainingJobStatus": "Completed",
            "CreationTime": moment(BEGAN),
            "HyperParameters": {"seed": "3"},
            "FinalMetricDataList": [{"MetricName": "rmse", "Value": 1.5, "Timestamp": moment(BEGAN)}],
        }

    def bench(self, **options: Any) -> Bench:
        gateway = Scripted(
            list_hyper_parameter_tuning_jobs=self.list,
            describe_hyper_parameter_tuning_job=self.describe,
            list_training_jobs_for_hyper_parameter_tuning_job=self.list_trials,
            list_training_jobs=self.list_training,
            describe_training_job=self.training,
        )
        return Bench(gateway, **options)


TRIALS = "list_training_jobs_for_hyper_parameter_tuning_job"
DESCRIBE = "describe_hyper_parameter_tuning_job"


def test_each_tuning_job_of_the_list_is_described_once_per_change() -> None:
    tunings = Tunings(trials=3, jobs=5)
    bench = tunings.bench()
    seen: list[Snapshot[Any]] = []
    bench.hub.subscribe(topics.TUNING_JOBS, seen.append)
    bench.settle()
    assert bench.gateway.count(DESCRIBE) == 2
    for _ in range(6):
        bench.advance(10)
    assert bench.gateway.count(DESCRIBE) == 5
    assert {(row.objective, row.best_value) for row in seen[-1].value} == {("rmse", 1.0)}
    before = seen[-1].value
    bench.advance(10)
    assert seen[-1].value is before
    tunings.completed = 4
    bench.advance(10)
    assert bench.gateway.count(DESCRIBE) == 7
    assert {row.counts.completed for row in seen[-1].value} == {4}


def test_trials_are_paged_in_once_and_then_only_where_something_changes() -> None:
    tunings = Tunings(trials=250)
    bench = tunings.bench()
    seen: list[Snapshot[Any]] = []
    bench.hub.subscribe(topics.tuning("tune-0"), seen.append)
    bench.settle()
    assert bench.gateway.count(TRIALS) == 3
    assert (seen[0].complete, len(seen[0].value.trials)) == (False, 0)
    assert [len(seen[-1].value.trials), seen[-1].value.trials[0].name] == [250, "tune-0-000"]
    before = seen[-1].value
    bench.advance(2)
    assert bench.gateway.count(TRIALS) == 4
    assert seen[-1].value is before

    tunings.trials += [tunings.trial(250, "InProgress")]
    bench.advance(2)
    assert len(seen[-1].value.trials) == 251 and seen[-1].value.trials[-1].active
    # A page with a change asks for the next one; while the newest trial runs, that page is enough.
    count = bench.gateway.count(TRIALS)
    bench.advance(2)
    assert bench.gateway.count(TRIALS) == count + 1
    del tunings.trials[0]
    bench.advance(40)
    assert len(seen[-1].value.trials) == 250


def test_default_runs_are_found_by_their_names_when_somebody_asks() -> None:
    tunings = Tunings(trials=2)
    tunings.status = "Completed"
    bench = tunings.bench()
    seen: list[Snapshot[Any]] = []
    subscription = bench.hub.subscribe(topics.tuning("tune-0"), seen.append)
    bench.settle()
    assert bench.gateway.count("list_training_jobs") == 1 and seen[-1].value.defaults == ()
    bench.advance(3)
    assert bench.gateway.count(DESCRIBE) == 1  # what has ended is asked for rarely
    tunings.defaults = ["tune-0-default-01", "tune-0-default-02"]
    subscription.refresh()
    bench.settle()
    (first, second) = seen[-1].value.defaults
    assert (first.name, first.value, first.seed) == ("tune-0-default-01", 1.5, "3")
    assert second.name == "tune-0-default-02"
    subscription.refresh()
    bench.settle()
    assert bench.gateway.count("describe_training_job") == 2


def test_what_nobody_looks_at_is_not_polled() -> None:
    bench = Tunings(trials=2).bench()
    for topic in (topics.TUNING_JOBS, topics.tuning("tune-0")):
        bench.hub.subscribe(topic, lambda shot: None).close()
    bench.advance(100)
    assert bench.gateway.calls == []


def test_a_tuning_job_that_is_not_there_is_told() -> None:
    bench = Tunings().bench()
    seen: list[Snapshot[Any]] = []
    bench.hub.subscribe(topics.tuning("lost"), seen.append)
    bench.settle()
    assert seen[-1].error is not None and seen[-1].error.sentence == "There is no tuning job lost."


def test_last_known_lists_come_back_from_disk(tmp_path: Path) -> None:
    tunings = Tunings(trials=3)
    bench = tunings.bench(remembered=Remembered(tmp_path, "embedded", "x"))
    seen: list[Snapshot[Any]] = []
    bench.hub.subscribe(topics.TUNING_JOBS, seen.append)
    bench.settle()
    bench.hub.close()
    later = tunings.bench(remembered=Remembered(tmp_path, "embedded", "x"))
    known = later.hub.snapshot(topics.TUNING_JOBS)
    assert known.stale and known.value == seen[-1].value
    assert known.value is not None and known.value[0].counts.completed == 3


class Batch:
    """One transform job of the embedded SageMaker."""

    def __init__(self) -> None:
        self.status = "InProgress"
        self.records = 100.0

    def describe(self, TransformJobName: str) -> dict[str, Any]:
        return {
            "TransformJobName": TransformJobName,
            "TransformJobStatus": self.status,
            "ModelName": "m",
            "CreationTime": moment(BEGAN),
            "TransformStartTime": moment(BEGAN + 10),
            **({"TransformEndTime": moment(BEGAN + 110)} if self.status == "Completed" else {}),
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/rows"}}
            },
            "TransformOutput": {"S3OutputPath": "s3://b/out"},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        }

    def list(self, **asked: Any) -> dict[str, Any]:
        row = {"TransformJobName": "batch", "TransformJobStatus": self.status, "CreationTime": moment(BEGAN)}
        return {"TransformJobSummaries": [row]}

    def data(self, **asked: Any) -> dict[str, Any]:
        totals = {"RecordsProcessed": self.records, "BytesProcessed": self.records * 8, "BytesTotal": 8000.0}
        results = []
        for query in asked["MetricDataQueries"]:
            metric = query["MetricStat"]["Metric"]
            if metric["MetricName"] == "CPUUtilization":
                assert metric["Dimensions"] == [{"Name": "Host", "Value": "batch/i-0abc"}]
            value = totals.get(metric["MetricName"], 50.0)
            half = value if metric["MetricName"] == "BytesTotal" else value / 2
            results.append(
                {
                    "Id": query["Id"],
                    "Timestamps": [moment(BEGAN + 15), moment(BEGAN + 20)],
                    "Values": [half, value],
                }
            )
        return {"MetricDataResults": results}

    def streams(self, **asked: Any) -> dict[str, Any]:
        assert asked == {"logGroupName": "/aws/sagemaker/TransformJobs", "logStreamNamePrefix": "batch/"}
        names = ["batch/i-0abc-1700000000", "batch/i-0abc-1700000000/data-log"]
        return {"logStreams": [{"logStreamName": name} for name in names]}

    def bench(self) -> Bench:
        return Bench(
            Scripted(
                list_transform_jobs=self.list,
                describe_transform_job=self.describe,
                get_metric_data=self.data,
                describe_log_streams=self.streams,
            )
        )


def test_a_transform_job_tells_how_far_it_is() -> None:
    batch = Batch()
    bench = batch.bench()
    rows: list[Snapshot[Any]] = []
    seen: list[Snapshot[TransformProgress]] = []
    bench.hub.subscribe(topics.TRANSFORMS, rows.append)
    bench.hub.subscribe(topics.transform_progress("batch"), seen.append)
    bench.settle()
    assert (rows[-1].value[0].instance_type, rows[-1].value[0].kind) == ("ml.m5.large", "transform")
    found = seen[-1].value
    assert found is not None
    assert (found.records, found.bytes, found.bytes_total, found.part_done) == (100, 800, 8000, 0.1)
    assert (found.records_per_second, found.bytes_per_second) == (10, 80)
    assert found.seconds_left == 90
    assert [(item.name, item.variant) for item in found.series] == [
        ("records", ""), ("bytes", ""), ("CPUUtilization", "i-0abc"), ("MemoryUtilization", "i-0abc"),
    ]  # fmt: skip
    batch.status, batch.records = "Completed", 1000.0
    for _ in range(5):
        bench.advance(5)
    found = seen[-1].value
    assert found is not None and found.part_done == 1.0 and found.records_per_second == 10
    count = bench.gateway.count("get_metric_data")
    bench.advance(100)
    assert bench.gateway.count("get_metric_data") == count


def test_on_aws_only_the_utilisation_is_known() -> None:
    batch = Batch()
    gateway = Scripted(
        describe_transform_job=batch.describe,
        get_metric_data=lambda **_: {"MetricDataResults": []},
        describe_log_streams=batch.streams,
    )
    job = transforms.describe(gateway, "batch")
    found = transforms.progress(gateway, job, period=60, now=BEGAN + 100)
    assert found == TransformProgress() and found.part_done is None and found.seconds_left is None


class Body:
    """A stream that gives few bytes at a time."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        size = len(self.content) if size < 0 else min(size, 3)
        part, self.content = self.content[:size], self.content[size:]
        return part

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("content", "found"),
    [(b"", []), (b"a\n", ["a"]), (b"ab\r\ncd", ["ab", "cd"]), (b"\n\nx", ["", "", "x"]), ("é\n1 2\n".encode(), ["é", "1 2"])],
)  # fmt: skip
def test_lines_come_however_the_bytes_fall(content: bytes, found: list[str]) -> None:
    body = Body(content)
    gateway = Scripted(get_object=lambda **_: {"Body": body})
    assert list(objects.lines(gateway, "s3://b/k")) == found
    assert body.closed


def test_an_object_that_is_not_there_is_named() -> None:
    def missing(**_: Any) -> Any:
        raise AwsError("NoSuchKey", "The specified key does not exist.", 404)

    with pytest.raises(Problem, match="There is no object s3://b/k"):
        list(objects.lines(Scripted(get_object=missing), "s3://b/k"))
    big = Scripted(get_object=lambda **_: {"Body": Body(b""), "ContentLength": 1 << 30})
    with pytest.raises(Problem, match="more than 16 MB"):
        objects.read_text(big, "s3://b/k")


def test_a_manifest_names_the_objects() -> None:
    manifest = b'[{"prefix": "s3://b/rows/"}, "b.csv", "a.csv", "gone.csv"]'
    listing = [
        {"Key": "rows/a.csv", "Size": 3},
        {"Key": "rows/b.csv", "Size": 5},
        {"Key": "rows/other.csv", "Size": 7},
    ]
    gateway = Scripted(
        describe_transform_job=Batch().describe,
        get_object=lambda **_: {"Body": Body(manifest), "ContentLength": len(manifest)},
        list_objects_v2=lambda **_: {"Contents": listing},
    )
    from dataclasses import replace

    job = replace(transforms.describe(gateway, "batch"), data_type="ManifestFile", input="s3://b/m.json")
    found = transforms.input_objects(gateway, job)
    assert found is not None
    assert [(item.uri, item.size) for item in found] == [("s3://b/rows/b.csv", 5), ("s3://b/rows/a.csv", 3)]
