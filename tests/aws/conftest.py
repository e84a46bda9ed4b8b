"""An account on moto's server, and the aws target of mlconsole pointed at it as a person would: by AWS's own variables."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.aws.account import REGION, furnish
from tests.aws.validity import violations


@dataclass(slots=True)
class Moto:
    """A moto server, and whether its account is as `furnish` leaves it."""

    url: str
    furnished: bool = False


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    """A moto server in a process of its own."""
    command = [sys.executable, "-m", "tests.aws.fake"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        url = process.stdout.readline().strip()
        assert url, "moto's server did not start"
        yield Moto(url)
        process.stdin.close()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment of somebody with keys and a region, whose target is AWS and has no address yet."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "MLCONSOLE_ENGINE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("MLCONSOLE_TARGET", "aws")
    # Every test's budget of calls begins full, as that of a new process does.
    monkeypatch.setattr("workflows.budget._shared", {})
    return monkeypatch


@pytest.fixture
def calls(aws: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every AWS call of this process from here on, as ``service:Operation``; all must be valid on AWS."""
    from botocore.client import BaseClient

    made: list[str] = []
    wrong: list[str] = []
    call = BaseClient._make_api_call

    def checked(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        service = client.meta.service_model.service_name
        made.append(f"{service}:{operation}")
        wrong.extend(violations(service, operation, parameters))
        return call(client, operation, parameters)

    aws.setattr(BaseClient, "_make_api_call", checked)
    yield made
    assert wrong == []


@pytest.fixture
def account(moto: Moto, aws: pytest.MonkeyPatch, calls: list[str]) -> Iterator[Any]:
    """A boto3 session on the furnished account; the aws target is this account. What a test changes is made good again."""
    import boto3

    aws.setenv("AWS_ENDPOINT_URL", moto.url)
    session = boto3.Session(region_name=REGION)
    if not moto.furnished:
        with urllib.request.urlopen(urllib.request.Request(f"{moto.url}/moto-api/reset", method="POST")):
            pass
        furnish(session)
        moto.furnished = True
        calls.clear()
    yield session
    if any(call.partition(":")[2].startswith(CHANGES) for call in calls):
        moto.furnished = False


CHANGES = ("Add", "Create", "Delete", "Put", "Remove", "Stop", "Update")
