"""``mlconsole webapp`` as a person types it, on a real engine."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.console.command import run
from tests.workflows.conftest import engine_folder, on_engine
from tests.workflows.reviewing import OTHER, WORDS, drop, host
from workflows.configuration import Configuration
from workflows.platform import Platform, open_platform
from workflows.webapp import parts, visit

__all__ = ["engine_folder", "on_engine"]
NAME = f"cli-reviews-{secrets.token_hex(3)}"


@pytest.fixture
def opened(on_engine: Path) -> Iterator[Platform]:
    """The engine with an endpoint of the small model of reviews."""
    platform = open_platform(Configuration())
    host(platform, NAME)
    yield platform
    drop(platform, NAME)


def test_a_web_app_from_the_command_line(opened: Platform, tmp_path: Path) -> None:
    OTHER.save(tmp_path / "other.json")
    refused = run("webapp", "create", NAME, "--vocabulary", str(tmp_path / "other.json"), "--yes")
    assert refused.returncode == 1 and WORDS.version in refused.stderr and refused.stdout == ""
    made = run("webapp", "create", NAME, "--yes", "--json")
    told = json.loads(made.stdout)
    assert made.returncode == 0, made.stderr
    assert (told["state"], told["endpoint_state"], told["vocabulary"]) == (
        "ready",
        "in service",
        WORDS.version,
    )
    assert all(check["held"] for check in told["checks"]) and len(told["checks"]) == 8
    assert [one["name"] for one in json.loads(run("webapp", "list", "--json").stdout)] == [NAME]
    where = run("webapp", "open", NAME)
    assert where.stdout.strip() == told["url"] and "ssh -L" in where.stderr
    assert run("--read-only", "webapp", "delete", NAME, "--yes").returncode == 2
    gone = run("webapp", "rm", NAME, "--yes")
    assert gone.returncode == 0 and "Nothing of web app" in gone.stdout, gone.stderr
    assert parts.look(opened, NAME).state == "gone"
    missing = run("webapp", "show", NAME)
    assert missing.returncode == 1 and f"There is no web app {NAME}" in missing.stderr


@pytest.mark.slow
def test_the_aws_cli_makes_the_same_of_the_same_package(opened: Platform, tmp_path: Path) -> None:
    if not shutil.which("aws"):
        pytest.skip("there is no AWS CLI on this machine")
    package = tmp_path / "reviews.zip"
    written = json.loads(run("webapp", "pack", NAME, "-o", str(package), "--json").stdout)
    assert run("webapp", "pack", NAME, "-o", str(package)).returncode == 1

    def aws(*arguments: str) -> Any:
        done = subprocess.run(
            ["aws", *arguments, "--output", "json"],
            env={**os.environ, **opened.environment()}, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else {}

    trust = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    )  # fmt: skip
    role = aws("iam", "create-role", "--role-name", "by-hand", "--assume-role-policy-document", trust)[
        "Role"
    ]["Arn"]
    aws("iam", "attach-role-policy", "--role-name", "by-hand", "--policy-arn", "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess")  # fmt: skip
    function = aws(
        "lambda", "create-function", "--function-name", "by-hand", "--runtime", "python3.12", "--handler", "handler.handle",
        "--role", role, "--timeout", "25", "--zip-file", f"fileb://{package}",
        "--environment", json.dumps({"Variables": written["variables"]}),
    )["FunctionArn"]  # fmt: skip
    api = aws("apigateway", "create-rest-api", "--name", "by-hand")
    where = ("--rest-api-id", api["id"])
    resource = aws("apigateway", "create-resource", *where, "--parent-id", api["rootResourceId"], "--path-part", "verdict")["id"]  # fmt: skip
    method = (*where, "--resource-id", resource, "--http-method", "POST")
    aws("apigateway", "put-method", *method, "--authorization-type", "NONE")
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"
    aws("apigateway", "put-integration", *method, "--type", "AWS_PROXY", "--integration-http-method", "POST", "--uri", uri)  # fmt: skip
    aws(
        "lambda", "add-permission", "--function-name", "by-hand", "--statement-id", "api", "--action", "lambda:InvokeFunction",
        "--principal", "apigateway.amazonaws.com",
    )  # fmt: skip
    aws("apigateway", "create-deployment", *where, "--stage-name", "prod")
    reply = visit.ask(f"{opened.endpoint_url}/restapis/{api['id']}/prod/_user_request_/", "great and good")
    assert reply.document["verdict"] == "positive" and reply.document["vocabulary"] == WORDS.version
    for arguments in (
        ("apigateway", "delete-rest-api", *where),
        ("lambda", "delete-function", "--function-name", "by-hand"),
    ):
        aws(*arguments)
