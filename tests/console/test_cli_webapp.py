"""``mlconsole webapp`` as a person types it, on a real engine."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.console.command import run
from tests.sdk.conftest import environment_with
from tests.workflows.conftest import engine_folder, on_engine
from tests.workflows.reviewing import OTHER, WORDS, drop, host
from workflows.configuration import Configuration
from workflows.platform import Platform, open_platform
from workflows.webapp import creation, parts, visit
from workflows.webapp.definition import WebApp

__all__ = ["engine_folder", "environment_with", "on_engine"]
NAME = f"cli-reviews-{secrets.token_hex(3)}"


@pytest.fixture
def opened(on_engine: Path) -> Iterator[Platform]:
    """The engine with an endpoint of the small model of reviews."""
    platform = open_platform(Configuration())
    host(platform, NAME)
    yield platform
    drop(platform, NAME)


def test_a_web_app_from_the_command_line(opened: Platform, tmp_path: Path) -> None:
    bare = run("webapp")
    assert bare.returncode == 2 and bare.stderr.startswith("Usage: mlconsole webapp") and not bare.stdout
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
@pytest.mark.timeout(900)
def test_the_aws_cli_makes_the_same_function_and_api_of_the_same_package(
    opened: Platform, environment_with: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call of a creation goes through ``aws``, with the zip that ``webapp pack`` has written: what comes out is a web app."""
    program = environment_with("awscli>=1.46,<2") / "aws"
    package = tmp_path / "reviews.zip"
    written = json.loads(run("webapp", "pack", NAME, "-o", str(package), "--json").stdout)
    assert run("webapp", "pack", NAME, "-o", str(package)).returncode == 1  # it overwrites nothing
    made_by_us = json.loads(run("webapp", "create", NAME, "--yes", "--json").stdout)
    ours = parts.look(opened, NAME)
    exported = _api(opened, ours)
    assert run("webapp", "rm", NAME, "--yes").returncode == 0
    asked: list[str] = []

    def aws(_: Platform, service: str, method: str, **given: Any) -> Any:
        words = [service, method.replace("_", "-")]
        code = given.get("Code", {}).pop("ZipFile", None)
        if code is not None:
            assert code == package.read_bytes()
            del given["Code"]
            words += ["--zip-file", f"fileb://{package}"]
        done = subprocess.run(
            [str(program), *words, "--cli-input-json", json.dumps(given), "--output", "json"],
            env={**os.environ, **opened.environment()}, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (words, done.stderr)
        asked.append(words[1])
        return json.loads(done.stdout) if done.stdout.strip() else {}

    variables = written["variables"]
    app = WebApp(
        name=NAME,
        endpoint=variables["ENDPOINT"],
        content_type=variables["CONTENT_TYPE"],
        vocabulary=variables["VOCABULARY"],
    )
    with monkeypatch.context() as patched:
        patched.setattr(creation, "answered", aws)
        creation.create(opened, app, WORDS)
    assert {
        "create-function",
        "create-rest-api",
        "put-integration",
        "add-permission",
        "create-deployment",
    } <= {*asked}
    theirs = parts.look(opened, NAME)
    assert theirs.state == "ready" and theirs.function is not None and ours.function is not None
    same = (
        "CodeSha256",
        "CodeSize",
        "Runtime",
        "Handler",
        "Timeout",
        "MemorySize",
        "Environment",
        "Role",
        "FunctionArn",
    )
    assert {key: theirs.function[key] for key in same} == {key: ours.function[key] for key in same}
    assert _api(opened, theirs) == exported
    told = json.loads(run("webapp", "test", NAME, "--json").stdout)
    assert [check["held"] for check in told] == [True] * len(made_by_us["checks"])
    answer = visit.ask(theirs.url, "great and good").document
    assert answer["verdict"] == "positive" and answer["vocabulary"] == WORDS.version


def _api(platform: Platform, found: parts.Parts) -> dict[str, Any]:
    """A web app's REST API without the ids that differ from one to the next: its resources with their methods, its own answers to errors, its
    stage."""
    (api,) = found.apis
    client = platform.client("apigateway")
    resources = client.get_resources(restApiId=api, embed=["methods"])["items"]
    stage = client.get_stage(restApiId=api, stageName="prod")
    errors = client.get_gateway_responses(restApiId=api, limit=500)["items"]
    for one in resources:
        for method in one.get("resourceMethods", {}).values():
            method["methodIntegration"].pop("cacheNamespace", None)
    return {
        "resources": {one["path"]: one.get("resourceMethods") for one in resources},
        "errors": {one["responseType"]: one for one in errors},
        "throttling": stage["methodSettings"],
    }
