"""The platform: both targets, their errors as sentences, and what is told of each call."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from workflows import embedded, locations
from workflows.configuration import Configuration
from workflows.events import ApiCall
from workflows.failures import WorkflowError, explained
from workflows.interfaces import images
from workflows.platform import open_platform
from workflows.trimming import trimmed


@pytest.fixture
def aws_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's ~/.aws that holds nothing."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return tmp_path


class _Sts(BaseHTTPRequestHandler):
    """Refuses every call as AWS does with the code that the server holds."""

    def do_POST(self) -> None:
        code = self.server.code  # type: ignore[attr-defined]
        body = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>The text.</Message></Error></ErrorResponse>"
        self.send_response(403)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), _Sts)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    server.server_close()


def test_the_embedded_target_starts_its_engine_once_and_tells_every_call(on_engine: Path) -> None:
    platform = open_platform(Configuration())
    again = open_platform(Configuration())
    assert platform.engine is not None
    assert again.engine is not None
    assert platform.engine.pid == again.engine.pid
    assert platform.bucket == f"sagemaker-{platform.region}-{platform.account}"
    calls: list[ApiCall] = []
    end = platform.observe(calls.append)
    identity = platform.client("sts").get_caller_identity()
    assert identity["Account"] == platform.account
    with pytest.raises(platform.client("sagemaker").exceptions.ClientError):
        platform.client("sagemaker").describe_model(ModelName="not-there")
    end()
    platform.client("sts").get_caller_identity()
    assert [(call.service, call.operation, call.error) for call in calls] == [
        ("sts", "GetCallerIdentity", ""),
        ("sagemaker", "DescribeModel", "ValidationException"),
    ]
    assert calls[1].parameters == {"ModelName": "not-there"}
    assert all(call.seconds > 0 for call in calls)


def test_a_persons_profile_does_not_leak_into_the_embedded_account(
    on_engine: Path, aws_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (aws_files / "config").write_text(
        "[profile work]\nregion = eu-west-1\nendpoint_url = http://127.0.0.1:1\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "work")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOTHER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "other")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "other")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    platform = open_platform(Configuration())
    assert platform.client("sts").get_caller_identity()["Account"] == platform.account
    with platform.applied():
        assert "AWS_PROFILE" not in os.environ
        assert os.environ["AWS_ENDPOINT_URL"] == platform.endpoint_url
        assert Path(os.environ["SAGEMAKER_USER_CONFIG_OVERRIDE"]).is_relative_to(locations.cache_dir())
    assert os.environ["AWS_PROFILE"] == "work"
    assert "AWS_ENDPOINT_URL" not in os.environ


def test_a_stale_connection_file_is_not_believed(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "connection.json").write_text(
        f'{{"url": "http://127.0.0.1:{port}", "pid": 1, "region": "us-east-1", "account_id": "1", '
        '"access_key": "a", "secret_key": "b"}'
    )
    assert embedded.connection(tmp_path) is None
    (tmp_path / "connection.json").write_text("{")
    assert embedded.connection(tmp_path) is None


def test_an_engine_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("MLCONSOLE_ENGINE_DIR", str(blocked / "engine"))
    with pytest.raises(WorkflowError, match=r"The embedded SageMaker did not start: .*engine"):
        open_platform(Configuration())


def test_aws_without_region_credentials_or_profile_says_what_to_do(aws_files: Path) -> None:
    with pytest.raises(WorkflowError, match=r"No AWS region is set\. Give --region"):
        open_platform(Configuration(target="aws"))
    with pytest.raises(WorkflowError, match="No AWS credentials were found"):
        open_platform(Configuration(target="aws", region="us-east-1"))
    with pytest.raises(WorkflowError, match=r"profile.*nobody.*--profile"):
        open_platform(Configuration(target="aws", region="us-east-1", profile="nobody"))


@pytest.mark.parametrize(
    ("code", "advice"), [("ExpiredToken", "aws sso login"), ("InvalidClientTokenId", "Check the profile")]
)
def test_aws_refusals_become_a_next_step(
    aws_files: Path, monkeypatch: pytest.MonkeyPatch, refusing: HTTPServer, code: str, advice: str
) -> None:
    refusing.code = code  # type: ignore[attr-defined]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with pytest.raises(WorkflowError, match=advice):
        open_platform(Configuration(target="aws", region="us-east-1"))


def test_aws_out_of_reach_names_the_network(aws_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(WorkflowError, match="Check the network"):
        open_platform(Configuration(target="aws", region="us-east-1"))


def test_the_execution_role_on_an_aws_account_is_found_or_asked_for(
    on_engine: Path, aws_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_platform(Configuration())
    for name, value in engine.environment().items():
        monkeypatch.setenv(name, value)
    # The engine stands for an account of AWS here: the same calls, the same answers.
    found = open_platform(Configuration(target="aws", region=engine.region))
    assert found.role_arn == engine.role_arn
    named = open_platform(Configuration(target="aws", region=engine.region, role="MLConsoleExecutionRole"))
    assert named.role_arn == engine.role_arn
    with pytest.raises(WorkflowError, match="no IAM role 'Nobody'"):
        _ = open_platform(Configuration(target="aws", region=engine.region, role="Nobody")).role_arn


def test_secrets_and_bodies_are_trimmed() -> None:
    shown = trimmed(
        {
            "SecretAccessKey": "x", "Body": b"12345", "Text": "a" * 1000, "Tags": [{"Key": "k"}] * 30,
            "Inner": {"Password": "y", "SessionToken": "t"},
        }
    )  # fmt: skip
    assert (
        shown["SecretAccessKey"] == shown["Inner"]["Password"] == shown["Inner"]["SessionToken"] == "(hidden)"
    )
    assert shown["Body"] == "(5 bytes)"
    assert len(shown["Text"]) < 500
    assert len(shown["Tags"]) == 21


def test_any_error_has_a_sentence() -> None:
    assert explained(ValueError("bad value")) == "ValueError: bad value"
    assert explained(KeyError()) == "KeyError"
    refused = ClientError({"Error": {"Code": "ResourceInUse", "Message": "It exists"}}, "CreateModel")
    assert explained(refused) == "It exists."


def test_pinned_images_are_those_of_the_sdk(aws_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    from sagemaker.core import image_uris

    for region in ("us-east-1", "eu-central-2", "ap-southeast-6", "cn-north-1"):
        for kind in ("training", "inference"):
            expected = image_uris.retrieve(
                "pytorch",
                region,
                version=images.PYTORCH,
                py_version=images.PYTHON,
                instance_type="ml.m5.large",
                image_scope=kind,
            )
            assert images.pytorch(kind, region) == expected  # type: ignore[arg-type]
    with pytest.raises(WorkflowError, match="region moon-1"):
        images.pytorch("training", "moon-1")


def without_texts(found: object) -> Any:
    if isinstance(found, dict):
        return {
            name: "" if name == "documentation" and isinstance(value, str) else without_texts(value)
            for name, value in found.items()
        }
    return [without_texts(value) for value in found] if isinstance(found, list) else found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["documentation", "shapes", 'a"b', 'x"documentation":"y']) | st.text(),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(st.sampled_from(["shapes", "operations", "documentation", "metadata"]), JSON),
    st.sampled_from([None, 2]),
)
def test_a_folded_document_says_what_it_said(document: dict[str, Any], indent: int | None) -> None:
    from workflows.models import folded

    assert without_texts(folded(json.dumps(document, indent=indent).encode())) == without_texts(document)


def test_what_was_unfolded_can_be_changed_in_place() -> None:
    from workflows.models import folded

    shapes = folded(b'{"shapes": {"Name": {"type": "string", "documentation": "A \\"name\\"."}}}')["shapes"]
    assert shapes["Name"] == {"type": "string", "documentation": ""}
    shapes["Name"]["max"] = 63
    assert (
        shapes.get("Name") == {"type": "string", "documentation": "", "max": 63}
        and shapes.get("Other", 1) == 1
    )
    with pytest.raises(KeyError):
        shapes["Other"]
    assert dict(shapes.items()) == shapes == shapes.copy() and next(iter(shapes.values()))["max"] == 63
    with pytest.raises(ValueError):
        folded(b'{"shapes": ')


def test_models_without_documentation_describe_the_same_api(monkeypatch: pytest.MonkeyPatch) -> None:
    import botocore.session

    from workflows import models
    from workflows.models import slim

    monkeypatch.setattr(models, "_READ", {})  # as they are in a new process
    plain, slimmed = botocore.session.Session(), botocore.session.Session()
    slim(slimmed)

    def described(session: botocore.session.Session, service: str) -> dict[str, object]:
        model = session.get_service_model(service)
        found: dict[str, object] = {}
        for name in model.operation_names:
            operation = model.operation_model(name)
            for shape in (operation.input_shape, operation.output_shape):
                if shape is not None:
                    members = {key: (one.type_name, one.serialization) for key, one in shape.members.items()}
                    found[f"{name} {shape.name}"] = (members, list(shape.members), shape.required_members)
        return found | {"metadata": dict(model.metadata)}

    for service in ("sagemaker", "s3", "cloudwatch", "logs", "application-autoscaling"):
        assert described(plain, service) == described(slimmed, service)
    assert not slimmed.get_service_model("sagemaker").operation_model("ListTrainingJobs").documentation
    # All that botocore's files say, and what its resolver answers for a region and for one that it can only guess.
    loaders = [session.get_component("data_loader") for session in (plain, slimmed)]
    before, after = (without_texts(loader.load_data("endpoints")) for loader in loaders)
    assert before == after and len(after["partitions"][0]["services"]) > 200
    for service, region in (
        ("sagemaker", "eu-central-1"),
        ("iam", "us-east-1"),
        ("s3", "xx-north-9"),
        ("logs", "cn-north-1"),
    ):
        first, second = (
            session._get_internal_component("endpoint_resolver").construct_endpoint(service, region)
            for session in (plain, slimmed)
        )
        assert first == second and (first is None) == (region == "xx-north-9" and second is None)
    again = botocore.session.Session()
    slim(again)
    # Read once in a process, unfolded where it was before, and with what botocore itself adds no more than once.
    loaders = [session.get_component("data_loader") for session in (slimmed, again)]
    for service in ("sagemaker", "s3"):
        assert len({id(loader.load_service_model(service, "service-2")) for loader in loaders}) == 1
        assert described(plain, service) == described(again, service)
    missing = slimmed.get_component("data_loader").load_service_model
    with pytest.raises(Exception, match="nothing"):
        missing("nothing", "service-2")
