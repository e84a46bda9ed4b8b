"""Endpoints over HTTP: created, described, listed, updated, deleted, and what is said when they fail."""

from __future__ import annotations

import io
import tarfile
import threading
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config

from tests.engine.deploying import DOUBLE, PYTORCH, SKLEARN, WHO, Deployer, archive, refused, unique, wait_for


def folder(deploy: Deployer, name: str) -> Path:
    return deploy.engine.data_dir / "endpoints" / name


def test_an_endpoint_from_creation_to_deletion(deploy: Deployer) -> None:
    name = unique("Endpoint")
    config = deploy.config(deploy.model())
    arn = deploy.sm.create_endpoint(EndpointName=name, EndpointConfigName=config)["EndpointArn"]
    deploy.made.append(name)
    assert arn == f"arn:aws:sagemaker:us-east-1:{deploy.account}:endpoint/{name.lower()}"
    found = deploy.in_service(name)
    assert (found["EndpointName"], found["EndpointArn"], found["EndpointConfigName"]) == (name, arn, config)
    assert found["LastModifiedTime"] >= found["CreationTime"]
    assert not {
        "FailureReason",
        "DataCaptureConfig",
        "PendingDeploymentSummary",
        "AsyncInferenceConfig",
    } & set(found)
    (variant,) = found["ProductionVariants"]
    assert variant["VariantName"] == "A"
    assert (variant["CurrentWeight"], variant["DesiredWeight"]) == (1.0, 1.0)
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (1, 1)
    (image,) = variant["DeployedImages"]
    assert image["SpecifiedImage"] == SKLEARN
    assert image["ResolvedImage"].startswith(SKLEARN.partition(":")[0] + "@sha256:")
    assert deploy.invoke(name, 21) == 42
    assert folder(deploy, name).is_dir()
    deploy.delete(name)
    assert refused("ValidationException", deploy.status, name=name) == f'Could not find endpoint "{arn}".'
    assert not folder(deploy, name).exists()
    message = refused("ValidationException", deploy.sm.delete_endpoint, EndpointName=name)
    assert message == f'Could not find endpoint "{arn}".'


def test_taken_names_and_missing_parts(deploy: Deployer) -> None:
    config = deploy.config(deploy.model())
    name = deploy.create(config)
    arn = f"arn:aws:sagemaker:us-east-1:{deploy.account}:endpoint/{name}"
    call = deploy.sm.create_endpoint
    message = refused("ValidationException", call, EndpointName=name, EndpointConfigName=config)
    assert message == f'Cannot create already existing endpoint "{arn}".'
    message = refused(
        "ValidationException", call, EndpointName=unique("e"), EndpointConfigName="no-such-config"
    )
    expected = f"arn:aws:sagemaker:us-east-1:{deploy.account}:endpoint-config/no-such-config"
    assert message == f'Could not find endpoint configuration "{expected}".'


def test_a_deleted_model_cannot_be_deployed_but_goes_on_serving(deploy: Deployer) -> None:
    model = deploy.model()
    config = deploy.config(model)
    name = deploy.create(config)
    deploy.in_service(name)
    deploy.sm.delete_model(ModelName=model)
    message = refused(
        "ValidationException", deploy.sm.create_endpoint, EndpointName=unique("e"), EndpointConfigName=config
    )
    assert message == f'Could not find model "arn:aws:sagemaker:us-east-1:{deploy.account}:model/{model}".'
    deploy.sm.delete_endpoint_config(EndpointConfigName=config)
    assert deploy.invoke(name, 3) == 6


SLOW = """
import os, time
def model_fn(model_dir):
    deadline = time.time() + 60
    while not os.path.exists(os.environ["GO"]) and time.time() < deadline: time.sleep(0.02)
    return 1
def transform_fn(model, data, content_type, accept): return "1"
"""


@pytest.fixture
def go(tmp_path: Path) -> Path:
    return tmp_path / "go"


def test_nothing_may_change_while_something_changes(deploy: Deployer, go: Path) -> None:
    config = deploy.config(deploy.model(SLOW, GO=str(go)))
    name = deploy.create(config)
    found = deploy.status(name)
    assert found["EndpointStatus"] == "Creating"
    assert "ProductionVariants" not in found
    message = f'Cannot update in-progress endpoint "{found["EndpointArn"]}".'
    assert refused("ValidationException", deploy.sm.delete_endpoint, EndpointName=name) == message
    update = {"EndpointName": name, "EndpointConfigName": config}
    assert refused("ValidationException", deploy.sm.update_endpoint, **update) == message
    refused("ValidationError", deploy.runtime.invoke_endpoint, EndpointName=name, Body=b"1")
    go.touch()
    deploy.in_service(name)


def test_the_sdks_are_answered_when_the_status_changes(deploy: Deployer, go: Path) -> None:
    name = deploy.create(deploy.config(deploy.model(SLOW, GO=str(go))))
    sdk = deploy.engine.client(
        "sagemaker", config=Config(user_agent_extra="lib/AWS-SageMaker-Python-SDK#3.27")
    )
    answers: list[str] = []
    thread = threading.Thread(
        target=lambda: answers.append(sdk.describe_endpoint(EndpointName=name)["EndpointStatus"])
    )
    thread.start()
    assert deploy.status(name)["EndpointStatus"] == "Creating"
    assert answers == []
    go.touch()
    thread.join(30)
    assert answers == ["InService"]


def test_botocores_waiters_are_answered_when_the_status_changes(deploy: Deployer, go: Path) -> None:
    """A waiter sleeps 30 s between its questions: one that is told in time asks once."""
    name = deploy.create(deploy.config(deploy.model(SLOW, GO=str(go))))
    asked: list[str] = []
    client = deploy.engine.client("sagemaker")
    client.meta.events.register("before-send.sagemaker.DescribeEndpoint", lambda **_: asked.append("asked"))
    thread = threading.Thread(target=lambda: client.get_waiter("endpoint_in_service").wait(EndpointName=name))
    thread.start()
    wait_for(lambda: asked)
    go.touch()
    thread.join(30)
    assert not thread.is_alive()
    assert asked == ["asked"]
    asked.clear()
    client.delete_endpoint(EndpointName=name)
    client.get_waiter("endpoint_deleted").wait(EndpointName=name)
    assert len(asked) == 1


class TestFailures:
    def failed(self, deploy: Deployer, model: str) -> dict[str, Any]:
        name = deploy.create(deploy.config(model))
        found = deploy.settled(name)
        assert found["EndpointStatus"] == "Failed"
        assert len(found["FailureReason"]) <= 1024
        assert not folder(deploy, name).exists()
        refused("ValidationError", deploy.runtime.invoke_endpoint, EndpointName=name, Body=b"1")
        return found

    SENTENCE = (
        "The primary container for production variant A did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )

    def test_a_model_that_does_not_load(self, deploy: Deployer) -> None:
        found = self.failed(deploy, deploy.model("def model_fn(d): raise RuntimeError('my own words')\n"))
        assert found["FailureReason"].startswith(self.SENTENCE)
        assert found["FailureReason"].endswith("RuntimeError: my own words")

    def test_a_process_that_ends_at_once(self, deploy: Deployer) -> None:
        found = self.failed(deploy, deploy.model("import os\nos._exit(3)\n"))
        assert found["FailureReason"].startswith(self.SENTENCE)
        assert "exit status 3" in found["FailureReason"]

    def test_no_torchscript_file(self, deploy: Deployer) -> None:
        found = self.failed(deploy, deploy.model("", image=PYTORCH, files={"readme": "x"}))
        assert "Exactly one .pth or .pt file is required" in found["FailureReason"]

    def test_one_of_two_variants_fails(self, deploy: Deployer) -> None:
        bad = deploy.model("raise SystemExit('B is bad')\n")
        name = deploy.create(deploy.config(deploy.model(), bad))
        found = deploy.settled(name)
        assert found["EndpointStatus"] == "Failed"
        assert "production variant B" in found["FailureReason"]

    def test_model_data_that_is_no_archive(self, deploy: Deployer) -> None:
        uri = deploy.upload(b"this is no tar file")
        found = self.failed(deploy, self.with_data(deploy, uri))
        assert f'Failed to extract model data archive from URL "{uri}"' in found["FailureReason"]

    def test_an_archive_that_would_leave_its_directory(self, deploy: Deployer) -> None:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w:gz") as out:
            info = tarfile.TarInfo("../../escaped")
            info.size = 1
            out.addfile(info, io.BytesIO(b"x"))
        found = self.failed(deploy, self.with_data(deploy, deploy.upload(stream.getvalue())))
        assert "cannot be unpacked" in found["FailureReason"]
        assert not list(deploy.engine.data_dir.rglob("escaped"))

    def test_an_archive_that_says_it_is_huge(self, deploy: Deployer) -> None:
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w:gz") as out:
            info = tarfile.TarInfo("huge")
            info.size = 2**60
            out.addfile(info)
        found = self.failed(deploy, self.with_data(deploy, deploy.upload(stream.getvalue())))
        assert "too large to unpack" in found["FailureReason"]

    def test_model_data_that_went_away(self, deploy: Deployer) -> None:
        uri = deploy.upload(archive({"code/inference.py": DOUBLE}))
        model = self.with_data(deploy, uri)
        deploy.s3.delete_object(Bucket=deploy.bucket, Key=uri.partition(f"{deploy.bucket}/")[2])
        found = self.failed(deploy, model)
        assert (
            f'Failed to download model data for container "container_1" from URL: "{uri}".'
            in found["FailureReason"]
        )

    def test_only_deleting_is_left(self, deploy: Deployer) -> None:
        model = deploy.model("raise SystemExit(1)\n")
        name = deploy.create(deploy.config(model))
        deploy.settled(name)
        message = refused(
            "ValidationException",
            deploy.sm.update_endpoint,
            EndpointName=name,
            EndpointConfigName=deploy.config(model),
        )
        assert "Failed" in message
        deploy.delete(name)

    def with_data(self, deploy: Deployer, uri: str) -> str:
        name = unique("model")
        deploy.sm.create_model(
            ModelName=name,
            ExecutionRoleArn=deploy.role,
            PrimaryContainer={"Image": SKLEARN, "ModelDataUrl": uri},
        )
        return name


def test_a_script_archive_in_s3(deploy: Deployer) -> None:
    """The v2 SDK's contract without repacking: code beside the model in S3."""
    code = archive(
        {"entry.py": "def model_fn(d): return 1\ndef transform_fn(m, d, c, a): return 'from s3'\n"}
    )
    uri = deploy.upload(code, f"code/{unique('c')}/sourcedir.tar.gz")
    model = deploy.model(
        "", files={"weights": "w"}, SAGEMAKER_PROGRAM="entry.py", SAGEMAKER_SUBMIT_DIRECTORY=uri
    )
    name = deploy.endpoint(model)
    answer = deploy.runtime.invoke_endpoint(EndpointName=name, Body=b"1")
    assert answer["Body"].read() == b"from s3"


def test_list_filters_sorts_and_pages(deploy: Deployer) -> None:
    word = unique("list")
    good, bad = deploy.config(deploy.model()), deploy.config(deploy.model("raise SystemExit(1)\n"))
    names = [f"{word}-{letter}" for letter in "bca"]
    for name, config in zip(names, (good, bad, good), strict=True):
        deploy.settled(deploy.create(config, name))

    def listed(**parameters: Any) -> list[str]:
        pages = deploy.sm.get_paginator("list_endpoints").paginate(NameContains=word, **parameters)
        return [item["EndpointName"] for page in pages for item in page["Endpoints"]]

    assert listed() == names[::-1]
    assert listed(SortBy="Name", SortOrder="Ascending", MaxResults=1) == sorted(names)
    assert listed(StatusEquals="Failed") == [names[1]]
    assert listed(SortBy="Status", SortOrder="Ascending", MaxResults=2)[0] == names[1]
    middle = deploy.status(names[1])
    assert listed(CreationTimeAfter=middle["CreationTime"]) == [names[2]]
    assert listed(CreationTimeBefore=middle["CreationTime"]) == [names[0]]
    assert listed(LastModifiedTimeAfter=middle["LastModifiedTime"]) == [names[2]]
    assert listed(LastModifiedTimeBefore=middle["LastModifiedTime"]) == [names[0]]


class TestUpdates:
    def test_weights_and_capacities(self, deploy: Deployer) -> None:
        name = deploy.endpoint(deploy.model(WHO, WORD="a"), deploy.model(WHO, WORD="b"), weights=(1.0, 0.0))

        def words() -> set[str]:
            answers = [
                deploy.runtime.invoke_endpoint(EndpointName=name, Body=b"1")["Body"].read() for _ in range(20)
            ]
            return {answer.decode().split()[0] for answer in answers}

        assert words() == {"a"}
        deploy.sm.update_endpoint_weights_and_capacities(
            EndpointName=name,
            DesiredWeightsAndCapacities=[
                {"VariantName": "A", "DesiredWeight": 0.0},
                {"VariantName": "B", "DesiredWeight": 2.0, "DesiredInstanceCount": 2},
            ],
        )
        found = deploy.in_service(name)
        variants = {variant["VariantName"]: variant for variant in found["ProductionVariants"]}
        assert (variants["A"]["CurrentWeight"], variants["B"]["CurrentWeight"]) == (0.0, 2.0)
        assert (variants["A"]["CurrentInstanceCount"], variants["B"]["CurrentInstanceCount"]) == (1, 2)
        assert words() == {"b"}
        workers = folder(deploy, name) / "workers" / "B"
        assert len(list(workers.iterdir())) == 2
        deploy.sm.update_endpoint_weights_and_capacities(
            EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "B", "DesiredInstanceCount": 1}]
        )
        deploy.in_service(name)
        assert len(list(workers.iterdir())) == 1
        assert words() == {"b"}

    def test_a_variant_that_is_not_there(self, deploy: Deployer) -> None:
        name = deploy.endpoint(deploy.model())
        call = deploy.sm.update_endpoint_weights_and_capacities
        wish = [{"VariantName": "Z", "DesiredWeight": 1.0}]
        assert '"Z"' in refused(
            "ValidationException", call, EndpointName=name, DesiredWeightsAndCapacities=wish
        )
        wish = [{"VariantName": "A", "DesiredInstanceCount": 0}]
        assert "at least 1" in refused(
            "ValidationException", call, EndpointName=name, DesiredWeightsAndCapacities=wish
        )
        for weight in (float("nan"), float("inf"), 1e39):
            wish = [{"VariantName": "A", "DesiredWeight": weight}]
            assert "must be a number" in refused(
                "ValidationException", call, EndpointName=name, DesiredWeightsAndCapacities=wish
            )
        wish = [{"VariantName": "A", "DesiredWeight": float(weight)} for weight in (1, 2)]
        assert "more than once" in refused(
            "ValidationException", call, EndpointName=name, DesiredWeightsAndCapacities=wish
        )
        (found,) = deploy.sm.search(
            Resource="Endpoint",
            SearchExpression={"Filters": [{"Name": "EndpointName", "Operator": "Equals", "Value": name}]},
        )["Results"]
        described = deploy.status(name)
        assert described["EndpointStatus"] == "InService"
        assert found["Endpoint"]["ProductionVariants"] == described["ProductionVariants"]
        missing = unique("missing")
        message = refused("ValidationException", call, EndpointName=missing, DesiredWeightsAndCapacities=wish)
        assert message.startswith("Could not find endpoint")

    def test_another_configuration_without_a_lost_request(self, deploy: Deployer) -> None:
        name = deploy.endpoint(deploy.model(WHO, WORD="old"))
        answers: list[str] = []
        stop = threading.Event()

        def ask() -> None:
            runtime = deploy.engine.client("sagemaker-runtime")
            while not stop.is_set():
                answers.append(runtime.invoke_endpoint(EndpointName=name, Body=b"1")["Body"].read().decode())

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        config = deploy.config(deploy.model(WHO, WORD="new"))
        deploy.sm.update_endpoint(EndpointName=name, EndpointConfigName=config)
        found = deploy.in_service(name)
        before = len(answers)
        wait_for(lambda: len(answers) > before + 20)
        stop.set()
        for thread in threads:
            thread.join(30)
        assert found["EndpointConfigName"] == config
        assert {answer.split()[0] for answer in answers} == {"old", "new"}
        assert {answer.split()[0] for answer in answers[-5:]} == {"new"}
        assert len(list((folder(deploy, name) / "models").iterdir())) == 1

    def test_a_failed_update_leaves_the_old_fleet(self, deploy: Deployer) -> None:
        name = deploy.endpoint(deploy.model())
        before = deploy.status(name)["EndpointConfigName"]
        bad = deploy.config(deploy.model("raise SystemExit('not today')\n"))
        deploy.sm.update_endpoint(EndpointName=name, EndpointConfigName=bad)
        found = deploy.in_service(name)
        assert found["EndpointConfigName"] == before
        assert "not today" in found["FailureReason"]
        assert deploy.invoke(name, 5) == 10

    def test_retained_properties(self, deploy: Deployer) -> None:
        first, second = deploy.model(), deploy.model()
        name = deploy.endpoint(first, second, weights=(3.0, 1.0))
        deploy.sm.update_endpoint(
            EndpointName=name,
            EndpointConfigName=deploy.config(first, second),
            RetainAllVariantProperties=True,
        )
        found = deploy.in_service(name)
        assert [variant["CurrentWeight"] for variant in found["ProductionVariants"]] == [3.0, 1.0]
        deploy.sm.update_endpoint(EndpointName=name, EndpointConfigName=deploy.config(first, second))
        found = deploy.in_service(name)
        assert [variant["CurrentWeight"] for variant in found["ProductionVariants"]] == [1.0, 1.0]


def test_tags_live_and_die_with_the_endpoint(deploy: Deployer) -> None:
    name = unique("endpoint")
    arn = deploy.sm.create_endpoint(
        EndpointName=name, EndpointConfigName=deploy.config(deploy.model()), Tags=[{"Key": "k", "Value": "v"}]
    )["EndpointArn"]
    deploy.made.append(name)
    deploy.in_service(name)
    assert deploy.sm.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "k", "Value": "v"}]
    deploy.delete(name)
    name = deploy.create(deploy.config(deploy.model()), name)
    deploy.in_service(name)
    assert deploy.sm.list_tags(ResourceArn=arn)["Tags"] == []
