"""What AWS refuses, and how: the console stays alive and says what to do, the command line ends with a sentence and its status."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from console.cli.failures import FAILED, guarded
from tests.aws.refusals import Refusing, refusing
from tests.aws.seeing import Seen, console
from tests.console.conftest import until
from workflows.configuration import load
from workflows.explain import explain
from workflows.failures import WorkflowError
from workflows.interfaces import objects
from workflows.platform import open_platform
from workflows.problem import Problem

pytestmark = pytest.mark.timeout(180)

REFUSALS = {
    "denied": ("AccessDeniedException", "not allowed to call sagemaker:", "Ask for a policy that allows sagemaker:"),
    "denied by the organization": ("AccessDeniedException", "service control policy denies it", "administers"),
    "expired": ("ExpiredToken", "credentials have expired", "aws sso login"),
    "region": ("InvalidClientTokenId", "were not accepted", "A region that the account has not enabled accepts none"),
    "throttled": ("ThrottlingException", "throttles ListTrainingJobs", "more slowly"),
}  # fmt: skip
"""Code, sentence and remedy by kind of refusal."""


@pytest.fixture
def backend(request: pytest.FixtureRequest, aws: pytest.MonkeyPatch) -> Iterator[Refusing]:
    """AWS, refusing in the way of the test's parameter."""
    with refusing(request.param) as state:
        aws.setenv("AWS_ENDPOINT_URL", state.url)
        # The adaptive mode of botocore waits between the tries of a throttled call; here it may fail at once.
        aws.setattr("workflows.platform.ATTEMPTS", 1)
        yield state


@pytest.mark.parametrize(
    "backend",
    ["denied", "throttled", "region", pytest.param("expired", marks=pytest.mark.slow)],
    indirect=True,
)
async def test_the_console_lives_and_says_what_to_do(backend: Refusing) -> None:
    _, sentence, remedy = REFUSALS[backend.kind]
    async with console() as seen:
        await seen.app.go("jobs")
        if backend.kind == "throttled":  # no fault of anybody's: it goes on by itself, and is counted
            await seen.until("throttled")
        else:
            await seen.until(sentence, remedy)
        await answers_keys(seen)
        if backend.kind == "denied":  # one may be allowed the one and not the other
            await seen.app.go("endpoints")
            await seen.until("sagemaker:ListEndpoints")
            await seen.app.open_job("fraud-7")
            await seen.until("sagemaker:DescribeTrainingJob")
            await answers_keys(seen)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["token ends"], indirect=True)
async def test_a_token_that_ends_is_told_and_a_new_one_is_found(backend: Refusing) -> None:
    async with console() as seen:
        await seen.app.go("jobs")
        await seen.until("credentials have expired", "aws sso login")
        await answers_keys(seen)
        backend.kind = "denied"  # somebody has logged in again, in another terminal
        await seen.app.run_action("refresh")
        await seen.app.go("jobs")
        await seen.until("not allowed to call sagemaker:ListTrainingJobs")


async def test_without_a_network_the_console_counts_down(aws: pytest.MonkeyPatch) -> None:
    aws.setenv("AWS_ENDPOINT_URL", address("closed port"))
    async with console() as seen:
        await seen.until("AWS cannot be reached at http", "Check the network, the proxy and the region")
        await answers_keys(seen)


@pytest.mark.parametrize("backend", list(REFUSALS), indirect=True)
def test_the_command_line_ends_with_a_sentence(backend: Refusing, capsys: pytest.CaptureFixture[str]) -> None:
    code, sentence, remedy = REFUSALS[backend.kind]
    assert guarded(["jobs", "ls"]) == FAILED
    told = capsys.readouterr()
    assert told.out == "" and told.err.startswith("Error: ")
    assert sentence in told.err and remedy in told.err
    assert guarded(["jobs", "ls", "--json"]) == FAILED
    answer = json.loads(capsys.readouterr().out)
    assert answer["code"] == code
    assert sentence in answer["error"] and remedy in answer["remedy"]


@pytest.mark.parametrize("backend", ["region", "denied"], indirect=True)
def test_doctor_asks_who_one_is_once(backend: Refusing, capsys: pytest.CaptureFixture[str]) -> None:
    known = backend.kind == "denied"
    assert guarded(["doctor", "--json"]) == (0 if known else FAILED)
    findings = {one["name"]: one for one in json.loads(capsys.readouterr().out)["findings"]}
    assert backend.calls.count("sts:GetCallerIdentity") == 1
    assert findings["AWS"]["state"] == ("ok" if known else "bad")
    assert findings["role"]["state"] == ("warning" if known else "note")


@pytest.mark.parametrize("backend", ["silent"], indirect=True)
def test_who_waits_for_no_answer_is_told_what_for_and_the_call_is_not_sent_again(
    backend: Refusing, aws: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.setattr("workflows.platform.ATTEMPTS", 8)
    aws.setattr("workflows.platform.PROMPT_READ", 0.4)
    aws.setattr("console.cli.patience.LONG", 0.1)
    aws.setattr("console.cli.patience.LOOK", 0.02)
    assert guarded(["jobs", "stop", "fraud-7", "--yes", "--json"]) == FAILED
    told = capsys.readouterr()
    assert json.loads(told.out)["code"] == "timeout"
    assert f"Waiting for sagemaker StopTrainingJob at {backend.url} …" in told.err
    assert guarded(["-q", "jobs", "show", "fraud-7"]) == FAILED
    assert capsys.readouterr().err.startswith("Error: AWS gave no answer in time.")
    asked = [call for call in backend.calls if call.startswith("sagemaker:")]
    assert asked == ["sagemaker:StopTrainingJob", "sagemaker:DescribeTrainingJob"]


@pytest.mark.parametrize("where", ["closed port", "no such host"])
def test_without_a_network_the_command_line_ends_soon(
    where: str, aws: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = address(where)
    aws.setenv("AWS_ENDPOINT_URL", url)
    assert guarded(["endpoints", "ls", "--json"]) == FAILED
    answer = json.loads(capsys.readouterr().out)
    assert answer["code"] == "unreachable" and "network" in answer["remedy"]
    assert url in answer["error"]


@pytest.mark.parametrize("backend", ["denied"], indirect=True)
def test_what_s3_does_not_name_is_named(backend: Refusing) -> None:
    """A HEAD request has no body in which S3 could say why; its IAM actions are called otherwise than its operations."""
    storage = open_platform(load(), observing=True).client("s3")
    with pytest.raises(Exception) as refused:
        objects.exists(storage, "s3://some-bucket/some/key")
    problem = explain(refused.value)
    assert problem == Problem(
        "You are not allowed to call s3:GetObject.",
        "Ask for a policy that allows s3:GetObject for your role or user.",
        "403",
    )


@pytest.mark.parametrize("backend", ["denied"], indirect=True)
def test_a_change_is_refused_by_what_it_needs_itself(
    backend: Refusing, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stopping takes no execution role, so nobody has to be allowed to list the account's roles for it."""
    assert guarded(["tuning", "stop", "fraud-search", "--yes"]) == FAILED
    assert "not allowed to call sagemaker:" in capsys.readouterr().err
    assert not any(call.startswith("iam:") for call in backend.calls)
    assert guarded(["endpoints", "rm", "fraud-live", "--yes"]) == FAILED
    assert "not allowed to call sagemaker:" in capsys.readouterr().err
    with pytest.raises(WorkflowError, match=r"roles cannot be listed.*iam:ListRoles.*Give --role") as refused:
        _ = open_platform(load()).role_arn
    assert explain(refused.value).code == "AccessDenied"


def address(where: str) -> str:
    """Where nothing answers: a port that was free a moment ago, or a name that RFC 2606 reserves for not being there."""
    if where == "no such host":
        return "http://sagemaker.moon-1.invalid"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


async def answers_keys(seen: Seen) -> None:
    """Sections, help and the way back answer while nothing comes from AWS."""
    for key, section in (("3", "endpoints"), ("1", "home"), ("2", "jobs")):
        await seen.pilot.press(key)
        await until(seen.pilot, lambda section=section: seen.app.current_mode == section, section)  # type: ignore[misc]
    below = seen.app.screen
    await seen.pilot.press("question_mark")
    await until(seen.pilot, lambda: seen.app.screen is not below, "help")
    await seen.pilot.press("escape")
    await until(seen.pilot, lambda: seen.app.screen is below, "back")
    assert seen.app.crash is None
