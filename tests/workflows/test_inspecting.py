"""Resources as they are described, what belongs together, code that runs, and S3: on the real engine."""

from __future__ import annotations

import gzip
import io
import shlex
import subprocess
import sys
import tarfile
import time
from typing import Any

import pytest

from workflows.inspecting import bucket, code, documents, relations
from workflows.inspecting.kinds import KINDS, find
from workflows.inspecting.relations import Related
from workflows.platform import Platform
from workflows.problem import Problem

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"


@pytest.fixture
def chain(platform: Platform) -> dict[str, Any]:
    """An artefact in S3, a model of it and a configuration that serves it; nothing runs."""
    name = f"inspected-{time.time_ns()}"
    artefact = f"s3://{platform.bucket}/{name}/trained-{name}/output/model.tar.gz"
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        member = tarfile.TarInfo("model.joblib")
        member.size = 5
        archive.addfile(member, io.BytesIO(b"12345"))
    key = artefact.removeprefix(f"s3://{platform.bucket}/")
    platform.client("s3").put_object(Bucket=platform.bucket, Key=key, Body=data.getvalue())
    client = platform.client("sagemaker")
    environment = {"SAGEMAKER_PROGRAM": "inference.py"}
    client.create_model(
        ModelName=name,
        ExecutionRoleArn=platform.role_arn,
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": artefact, "Environment": environment},
    )
    client.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {
                "VariantName": "only",
                "ModelName": name,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
            }
        ],
    )
    return {"name": name, "artefact": artefact}


def test_a_model_leads_back_to_its_job_and_on_to_what_serves_it(
    platform: Platform, chain: dict[str, Any]
) -> None:
    name = chain["name"]
    document = documents.describe(platform, "model", name)
    assert document["ModelName"] == name and isinstance(document["CreationTime"], str)
    assert relations.named("model", document) == (
        Related("job", f"trained-{name}", "trained it, by the path of its artefact"),
        Related("s3", chain["artefact"], "its artefact"),
    )
    assert relations.using(platform, "model", name, document) == (
        (Related("endpoint-config", name, "serves it"),),
        True,
    )
    config = documents.describe(platform, "endpoint-config", name)
    assert relations.named("endpoint-config", config) == (Related("model", name, "variant only"),)
    serving = relations.using(platform, "endpoint", "any", {"EndpointConfigName": name})
    assert serving == ((Related("model", name, "variant only"),), True)
    job = {"ModelArtifacts": {"S3ModelArtifacts": chain["artefact"]}}
    assert relations.using(platform, "job", "any", job) == (
        (Related("model", name, "made of its artefact"),),
        True,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_there_is_said_with_its_name(platform: Platform, kind: str) -> None:
    with pytest.raises(Problem, match=r"There is no .* never-made"):
        documents.describe(platform, kind, "never-made")


def test_a_kind_that_is_none_is_said() -> None:
    with pytest.raises(Problem, match="There is no kind 'cluster'"):
        find("cluster")


def test_an_alarm_leads_to_its_endpoint_and_back(platform: Platform) -> None:
    alarm = f"errors-{time.time_ns()}"
    platform.client("cloudwatch").put_metric_alarm(
        AlarmName=alarm, MetricName="Invocation5XXErrors", Namespace="AWS/SageMaker", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
        Dimensions=[{"Name": "EndpointName", "Value": "watched"}, {"Name": "VariantName", "Value": "AllTraffic"}],
    )  # fmt: skip
    document = documents.describe(platform, "alarm", alarm)
    assert Related("endpoint", "watched", "is watched") in relations.named("alarm", document)
    found, complete = relations.using(platform, "endpoint", "watched", {})
    assert complete and alarm in {one.name for one in found}


def test_the_code_runs_and_what_it_makes_is_alike(platform: Platform, chain: dict[str, Any]) -> None:
    name = chain["name"]
    where = code.Where(platform.region, "", platform.endpoint_url)
    document = documents.describe(platform, "model", name)
    parts = {snippet.title: snippet.text for snippet in code.snippets("model", name, document, where)}
    environment = platform.environment()
    described = subprocess.run([sys.executable, "-c", parts["boto3: describe"]], capture_output=True, text=True, env=environment, timeout=120, check=True)  # fmt: skip
    assert chain["artefact"] in described.stdout
    again = parts["boto3: make one like it (give it another name)"].replace(
        f"ModelName='{name}'", f"ModelName='{name}-2'"
    )
    subprocess.run(
        [sys.executable, "-c", again], capture_output=True, env=environment, timeout=120, check=True
    )
    copy = documents.describe(platform, "model", f"{name}-2")
    assert copy["PrimaryContainer"] == document["PrimaryContainer"]
    words = shlex.split(parts["AWS CLI: describe"].replace("\\\n", ""))
    assert words[:6] == ["aws", "sagemaker", "describe-model", "--model-name", name, "--region"]
    compile(parts["SageMaker SDK v3: describe"], "snippet", "exec")


def test_a_request_has_what_create_takes_and_nothing_else() -> None:
    described = {
        "TrainingJobName": "x", "TrainingJobArn": "arn", "TrainingJobStatus": "Completed", "RoleArn": "r", "CreationTime": "t",
        "AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "File", "MetricDefinitions": []},
        "OutputDataConfig": {"S3OutputPath": "s3://b/", "KmsKeyId": ""}, "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5}, "SecondaryStatusTransitions": [],
        "CheckpointConfig": {},
    }  # fmt: skip
    request = code.request_of(KINDS["job"], described)
    assert set(request) == {
        "TrainingJobName",
        "RoleArn",
        "AlgorithmSpecification",
        "OutputDataConfig",
        "StoppingCondition",
        "ResourceConfig",
    }
    assert request["AlgorithmSpecification"] == {"TrainingImage": "i", "TrainingInputMode": "File"}
    assert request["OutputDataConfig"] == {"S3OutputPath": "s3://b/"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_names_operations_that_there_are(kind: str) -> None:
    from botocore import xform_name

    found = KINDS[kind]
    model = code._service_model(found.service)
    methods = {xform_name(name): name for name in model.operation_names}
    assert found.member in model.operation_model(methods[found.describe]).input_shape.members
    assert found.create in methods


def test_s3_is_gone_through_and_objects_are_shown_by_what_they_are(platform: Platform) -> None:
    prefix = f"seen-{time.time_ns()}"
    put = platform.client("s3").put_object
    bodies = {
        "a.csv": b"x,y\n1,2\n", "b.json": b'{"k": [1]}', "c.bin": bytes(range(256)) * 20, "d.txt.gz": gzip.compress(b"hello\nworld\n"),
        "empty": b"", "long.txt": b"line\n" * 100_000, "deep/e.txt": b"e",
    }  # fmt: skip
    for name, body in bodies.items():
        put(Bucket=platform.bucket, Key=f"{prefix}/{name}", Body=body)
    root = f"s3://{platform.bucket}/{prefix}/"
    assert f"s3://{platform.bucket}/" in bucket.folder(platform, "s3://").folders
    found = bucket.folder(platform, root)
    assert found.folders == (f"{root}deep/",) and found.complete
    assert [entry.uri.removeprefix(root) for entry in found.objects] == sorted(
        name for name in bodies if "/" not in name
    )
    assert bucket.folder(platform, root.rstrip("/")) == found

    def shown(name: str) -> bucket.Preview:
        return bucket.preview(platform, root + name)

    assert shown("a.csv").lines == ("x,y", "1,2") and shown("a.csv").complete and shown("a.csv").columns == 2
    assert shown("b.json").what == "JSON" and shown("b.json").lines[1] == '  "k": ['
    assert shown("c.bin").what == "binary" and shown("c.bin").lines[0].startswith("00000000  00 01 02")
    assert shown("d.txt.gz").lines == ("hello", "world") and shown("d.txt.gz").what == "compressed text"
    assert shown("empty").what == "empty" and shown("empty").complete
    assert not shown("long.txt").complete and len(shown("long.txt").lines) == bucket.MOST_LINES
    with pytest.raises(Problem, match=f"There is no object {root}never. `mlconsole s3 ls {root}`"):
        shown("never")
    with pytest.raises(Problem, match="There is no bucket never-made"):
        bucket.folder(platform, "s3://never-made/x/")
    with pytest.raises(Problem, match="There is no object s3://never-made/x"):
        bucket.preview(platform, "s3://never-made/x")  # S3 does not tell which of the two is missing


def test_an_archive_is_shown_as_what_is_in_it(platform: Platform, chain: dict[str, Any]) -> None:
    found = bucket.preview(platform, chain["artefact"])
    assert found.what == "a compressed archive" and found.lines[0].split() == ["5", "model.joblib"]
