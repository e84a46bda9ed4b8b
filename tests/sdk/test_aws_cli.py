"""AWS CLI v1 from PyPI, with nothing but ``eval "$(mlconsole engine env)"``."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

IMAGE = "246618743249.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
TRAIN = "import os\nprint('score=0.75;', flush=True)\nopen(os.environ['SM_MODEL_DIR'] + '/weights', 'w').write('3')\n"
SERVE = """
def model_fn(model_dir):
    return float(open(model_dir + "/weights").read())


def predict_fn(data, model):
    return data * model
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def aws(shell: dict[str, str], environment_with: Callable[..., Path], tmp_path: Path) -> Callable[..., Any]:
    """Runs ``aws …``; returns parsed JSON where the command prints it, else its text."""
    program = environment_with("awscli>=1.46,<2") / "aws"

    def run(*arguments: str, fails: bool = False) -> Any:
        done = subprocess.run(
            [str(program), *arguments],
            env=shell,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if fails:
            assert done.returncode != 0
            return done.stderr
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.lstrip().startswith("{") else done.stdout

    return run


def _pack(path: Path, files: dict[str, str]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            file = path.parent / name.replace("/", "_")
            file.write_text(text)
            archive.add(file, name)


def test_s3_copies_lists_and_removes_a_hundred_megabytes(aws: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "up" / "deep"
    folder.mkdir(parents=True)
    block = bytes(range(256)) * 4096
    (folder / "large.bin").write_bytes(block * 100)
    (folder / "with space ü+&.txt").write_text("small")
    aws("s3", "mb", "s3://cli-bucket")
    aws("s3", "cp", "--recursive", str(tmp_path / "up"), "s3://cli-bucket/tree")
    listing = aws("s3", "ls", "--recursive", "s3://cli-bucket/tree/")
    assert "104857600 tree/deep/large.bin" in listing
    assert "tree/deep/with space ü+&.txt" in listing
    aws("s3", "cp", "--recursive", "s3://cli-bucket/tree", str(tmp_path / "down"))
    sums = [
        hashlib.sha256((tmp_path / side / "deep" / "large.bin").read_bytes()).hexdigest()
        for side in ("up", "down")
    ]
    assert sums[0] == sums[1]
    assert (tmp_path / "down" / "deep" / "with space ü+&.txt").read_text() == "small"
    aws("s3", "rm", "--recursive", "s3://cli-bucket/tree")
    assert aws("s3", "ls", "s3://cli-bucket") == ""
    aws("s3", "rb", "s3://cli-bucket")
    assert "NoSuchBucket" in aws("s3", "ls", "s3://cli-bucket", fails=True)


def test_a_training_job_an_endpoint_logs_and_metrics(
    aws: Callable[..., Any], shell: dict[str, str], tmp_path: Path
) -> None:
    role = shell["MLCONSOLE_ROLE_ARN"]
    bucket = aws("s3", "ls").split()[-1]
    _pack(tmp_path / "source.tar.gz", {"train.py": TRAIN})
    aws("s3", "cp", "source.tar.gz", f"s3://{bucket}/cli/source.tar.gz")
    request = {
        "TrainingJobName": "cli-job",
        "RoleArn": role,
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE, "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "score", "Regex": "score=([0-9.]+);"}],
        },
        "HyperParameters": {"sagemaker_program": "train.py", "sagemaker_submit_directory": f"s3://{bucket}/cli/source.tar.gz"},
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/cli/out"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 300},
    }  # fmt: skip
    aws("sagemaker", "create-training-job", "--cli-input-json", json.dumps(request))
    again = aws("sagemaker", "create-training-job", "--cli-input-json", json.dumps(request), fails=True)
    assert "ResourceInUse" in again
    deadline = time.monotonic() + 60
    while (job := aws("sagemaker", "describe-training-job", "--training-job-name", "cli-job"))[
        "TrainingJobStatus"
    ] == "InProgress":
        assert time.monotonic() < deadline
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert [m["Value"] for m in job["FinalMetricDataList"]] == [0.75]
    listed = aws("sagemaker", "list-training-jobs", "--status-equals", "Completed", "--name-contains", "cli")
    assert [row["TrainingJobName"] for row in listed["TrainingJobSummaries"]] == ["cli-job"]

    streams = aws(
        "logs",
        "describe-log-streams",
        "--log-group-name",
        "/aws/sagemaker/TrainingJobs",
        "--log-stream-name-prefix",
        "cli-job/",
    )
    stream = streams["logStreams"][0]["logStreamName"]
    events = aws(
        "logs", "get-log-events", "--log-group-name", "/aws/sagemaker/TrainingJobs", "--log-stream-name", stream, "--start-from-head"
    )  # fmt: skip
    assert "score=0.75;" in [event["message"] for event in events["events"]]
    query = [{
        "Id": "m", "MetricStat": {
            "Metric": {
                "Namespace": "/aws/sagemaker/TrainingJobs", "MetricName": "score",
                "Dimensions": [{"Name": "TrainingJobName", "Value": "cli-job"}],
            },
            "Period": 60, "Stat": "Average",
        },
    }]  # fmt: skip
    now = int(time.time())
    data = aws(
        "cloudwatch", "get-metric-data", "--metric-data-queries", json.dumps(query),
        "--start-time", str(now - 600), "--end-time", str(now + 60),
    )  # fmt: skip
    assert data["MetricDataResults"][0]["Values"] == [0.75]

    artifact = job["ModelArtifacts"]["S3ModelArtifacts"]
    aws("s3", "cp", artifact, "trained.tar.gz")
    with tarfile.open(tmp_path / "trained.tar.gz") as archive:
        archive.extractall(tmp_path / "model", filter="data")
    _pack(
        tmp_path / "model.tar.gz",
        {"weights": (tmp_path / "model" / "weights").read_text(), "code/inference.py": SERVE},
    )
    aws("s3", "cp", "model.tar.gz", f"s3://{bucket}/cli/model.tar.gz")
    container = {
        "Image": IMAGE,
        "ModelDataUrl": f"s3://{bucket}/cli/model.tar.gz",
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
    }
    aws(
        "sagemaker",
        "create-model",
        "--model-name",
        "cli",
        "--execution-role-arn",
        role,
        "--primary-container",
        json.dumps(container),
    )
    variant = [
        {"VariantName": "A", "ModelName": "cli", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    ]
    aws(
        "sagemaker",
        "create-endpoint-config",
        "--endpoint-config-name",
        "cli",
        "--production-variants",
        json.dumps(variant),
    )
    aws("sagemaker", "create-endpoint", "--endpoint-name", "cli", "--endpoint-config-name", "cli")
    aws("sagemaker", "wait", "endpoint-in-service", "--endpoint-name", "cli")
    (tmp_path / "row.csv").write_text("1,2.5")
    invoked = aws(
        "sagemaker-runtime", "invoke-endpoint", "--endpoint-name", "cli", "--content-type", "text/csv", "--accept", "text/csv",
        "--body", "fileb://row.csv", "answer.csv",
    )  # fmt: skip
    assert invoked["InvokedProductionVariant"] == "A"
    assert [float(x) for x in (tmp_path / "answer.csv").read_text().split(",")] == [3.0, 7.5]
    aws("sagemaker", "delete-endpoint", "--endpoint-name", "cli")
    assert "Could not find" in aws("sagemaker", "describe-endpoint", "--endpoint-name", "nothing", fails=True)


def test_alarms_and_scalable_targets(aws: Callable[..., Any]) -> None:
    watched = ["--namespace", "Cli", "--metric-name", "errors", "--dimensions", "Name=EndpointName,Value=cli"]
    aws(
        "cloudwatch", "put-metric-alarm", "--alarm-name", "cli", *watched, "--statistic", "Average", "--period", "60",
        "--evaluation-periods", "3", "--datapoints-to-alarm", "1", "--threshold", "1", "--tags", "Key=team,Value=a",
        "--comparison-operator", "GreaterThanThreshold", "--alarm-actions", "arn:aws:sns:us-east-1:123456789012:topic",
    )  # fmt: skip
    aws("cloudwatch", "put-metric-data", *watched[:4], "--value", "5", "--dimensions", "EndpointName=cli")
    for _ in range(60):
        alarm = aws("cloudwatch", "describe-alarms", "--alarm-name-prefix", "cl")["MetricAlarms"][0]
        if alarm["StateValue"] == "ALARM":
            break
    assert alarm["StateReason"].startswith("Threshold Crossed: 1 out of the last 3 datapoints [5.0 (")
    history = aws("cloudwatch", "describe-alarm-history", "--alarm-name", "cli")["AlarmHistoryItems"]
    assert [item["HistoryItemType"] for item in history] == ["Action", "StateUpdate", "ConfigurationUpdate"]
    assert len(aws("cloudwatch", "describe-alarms-for-metric", *watched)["MetricAlarms"]) == 1
    tags = aws("cloudwatch", "list-tags-for-resource", "--resource-arn", alarm["AlarmArn"])
    assert tags["Tags"] == [{"Key": "team", "Value": "a"}]
    aws("cloudwatch", "set-alarm-state", "--alarm-name", "cli", "--state-value", "OK", "--state-reason", "x")
    aws("cloudwatch", "disable-alarm-actions", "--alarm-names", "cli")
    aws("cloudwatch", "delete-alarms", "--alarm-names", "cli", "none")
    assert aws("cloudwatch", "describe-alarms")["MetricAlarms"] == []

    sagemaker = ["--service-namespace", "sagemaker"]
    assert aws("application-autoscaling", "describe-scalable-targets", *sagemaker) == {"ScalableTargets": []}
    told = aws(
        "application-autoscaling", "register-scalable-target", *sagemaker, "--resource-id", "endpoint/cli/variant/A",
        "--scalable-dimension", "sagemaker:variant:DesiredInstanceCount", "--min-capacity", "1", "--max-capacity", "2",
        fails=True,
    )  # fmt: skip
    assert "SageMaker endpoint variant doesn't exist: endpoint/cli/variant/A" in told


def test_a_function_behind_an_api(aws: Callable[..., Any], tmp_path: Path, shell: dict[str, str]) -> None:
    (tmp_path / "lambda_function.py").write_text(
        'def lambda_handler(event, context):\n    return {"statusCode": 200, "body": (event["body"] or "").upper()}\n'
    )
    with zipfile.ZipFile(tmp_path / "function.zip", "w") as archive:
        archive.write(tmp_path / "lambda_function.py", "lambda_function.py")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    role = aws(
        "iam", "create-role", "--role-name", "cli-lambda", "--assume-role-policy-document", json.dumps(trust)
    )
    made = aws(
        "lambda", "create-function", "--function-name", "cli", "--runtime", "python3.12", "--handler", "lambda_function.lambda_handler",
        "--role", role["Role"]["Arn"], "--zip-file", "fileb://function.zip",
    )  # fmt: skip
    aws("lambda", "wait", "function-active-v2", "--function-name", "cli")
    done = aws("lambda", "invoke", "--function-name", "cli", "--payload", '{"body": "good"}', "out.json")
    assert done["ExecutedVersion"] == "$LATEST"
    assert json.loads((tmp_path / "out.json").read_text()) == {"statusCode": 200, "body": "GOOD"}
    api = aws("apigateway", "create-rest-api", "--name", "cli")
    where = ["--rest-api-id", api["id"], "--resource-id", api["rootResourceId"], "--http-method", "POST"]
    aws("apigateway", "put-method", *where, "--authorization-type", "NONE")
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{made['FunctionArn']}/invocations"
    aws(
        "apigateway", "put-integration", *where, "--type", "AWS_PROXY", "--integration-http-method", "POST", "--uri", uri,
    )  # fmt: skip
    account = made["FunctionArn"].split(":")[4]
    aws(
        "lambda", "add-permission", "--function-name", "cli", "--statement-id", "gateway", "--action", "lambda:InvokeFunction",
        "--principal", "apigateway.amazonaws.com", "--source-arn", f"arn:aws:execute-api:us-east-1:{account}:{api['id']}/*/POST/",
    )  # fmt: skip
    aws("apigateway", "create-deployment", "--rest-api-id", api["id"], "--stage-name", "prod")
    url = f"{shell['AWS_ENDPOINT_URL']}/restapis/{api['id']}/prod/_user_request_/"
    with urlopen(Request(url, b"fine film", method="POST"), timeout=60) as reply:
        assert (reply.status, reply.read()) == (200, b"FINE FILM")
    aws("lambda", "delete-function", "--function-name", "cli")
    aws("apigateway", "delete-rest-api", "--rest-api-id", api["id"])
    assert "ResourceNotFoundException" in aws("lambda", "get-function", "--function-name", "cli", fails=True)
