"""Calls to an embedded SageMaker that hangs after it has answered its health check: they end soon, are told of, and nothing is done twice."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from console.cli import patience
from console.cli.failures import guarded
from tests.console.faulty import Faulty
from workflows import embedded, loopback
from workflows.configuration import Configuration
from workflows.embedded import Connection
from workflows.explain import explain
from workflows.platform import Platform, open_platform

KEYS = {"access_key": "AKIAEXAMPLE", "secret_key": "secret"}


@pytest.fixture
def hung(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faulty]:
    """It accepts and answers nothing; who waits gives up after a third of a second."""
    faulty = Faulty("http://127.0.0.1:9")
    faulty.fails("hung")
    engine = Connection(
        url=faulty.url, pid=1, region="us-east-1", account_id="123456789012", role_arn="arn:aws:iam::123456789012:role/x", bucket="b",
        data_dir=tmp_path, **KEYS,
    )  # fmt: skip
    monkeypatch.setattr(embedded, "ensure", lambda *_, **__: engine)
    for name in ("PROMPT_READ", "READ", "LONG_READ"):
        monkeypatch.setattr(loopback, name, 0.3)
    yield faulty
    faulty.close()


def asked(platform: Platform, service: str, method: str, **parameters: Any) -> ReadTimeoutError:
    with pytest.raises(ReadTimeoutError) as caught:
        getattr(platform.client(service), method)(**parameters)
    return caught.value


@pytest.mark.parametrize("prompt", [True, False])
def test_what_may_have_been_done_is_not_sent_again(hung: Faulty, prompt: bool) -> None:
    platform = open_platform(Configuration(), prompt=prompt)
    error = asked(platform, "sagemaker", "stop_training_job", TrainingJobName="moons")
    assert hung.asked == 1
    problem = explain(error, "embedded")
    assert problem.code == "timeout" and "no answer to StopTrainingJob in time, and may have done it" in problem.sentence  # fmt: skip
    assert "Look whether it was done" in problem.remedy and "`mlconsole engine stop`" in problem.remedy
    asked(platform, "sagemaker-runtime", "invoke_endpoint", EndpointName="moons", Body=b"1,2")
    assert hung.asked == 2


@pytest.mark.parametrize("prompt, times", [(True, 1), (False, loopback.LOOKS)])
def test_what_looks_is_sent_again_only_where_nobody_waits(hung: Faulty, prompt: bool, times: int) -> None:
    platform = open_platform(Configuration(), prompt=prompt)
    error = asked(platform, "sagemaker", "describe_training_job", TrainingJobName="moons")
    assert hung.asked == times and "DescribeTrainingJob in time." in explain(error, "embedded").sentence
    sdk = platform.session.client("sagemaker", endpoint_url=hung.url, config=loopback.config("sagemaker"))
    with pytest.raises(ReadTimeoutError):
        sdk.stop_training_job(TrainingJobName="moons")
    assert hung.asked == times + 1, "clients that the SDK makes of the session do the same"


def test_listings_of_what_also_takes_files_end_soon(hung: Faulty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loopback, "LONG_READ", 2)
    platform = open_platform(Configuration(), prompt=True)
    began = time.monotonic()
    error = asked(platform, "s3", "list_objects_v2", Bucket="b")
    asked(platform, "s3", "head_object", Bucket="b", Key="k")
    asked(platform, "lambda", "list_functions")
    asked(platform, "apigateway", "get_rest_apis")
    assert time.monotonic() - began < 8 and hung.asked == 4
    assert "no answer to ListObjectsV2 in time." in explain(error, "embedded").sentence
    began = time.monotonic()
    asked(platform, "s3", "get_object", Bucket="b", Key="k")
    assert time.monotonic() - began > 1.9, "a file may take longer"


def test_answers_of_models_functions_and_files_may_take_longer() -> None:
    for prompt in (True, False):
        for service in ("sagemaker-runtime", "s3", "lambda", "apigateway"):
            assert loopback.config(service, prompt=prompt).read_timeout == 70
    assert loopback.config("sagemaker", prompt=True).read_timeout == 10
    assert loopback.config("sagemaker").read_timeout == 30


def test_a_command_tells_what_it_waits_for_and_ends_with_what_to_do(
    hung: Faulty, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(patience, "LONG", 0.02)
    monkeypatch.setattr(patience, "LOOK", 0.01)
    assert guarded(["jobs", "stop", "moons", "--yes", "--json"]) == 1
    told = capsys.readouterr()
    assert "Waiting for sagemaker " in told.err and f" at {hung.url} …" in told.err
    assert json.loads(told.out or told.err.splitlines()[-1])["code"] == "timeout"
    assert hung.asked == 1
