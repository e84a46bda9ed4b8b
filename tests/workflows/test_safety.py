"""Read-only mode, the audit log and dry runs, on a real engine and over the service models of botocore."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows import interfaces, runs
from workflows.configuration import Configuration, load
from workflows.platform import Platform, open_platform
from workflows.problem import Problem
from workflows.safety import auditlog, operations, permission, rehearsal
from workflows.safety.changes import change
from workflows.safety.origin import came_from


def model(name: str, platform: Platform) -> dict[str, Any]:
    image = f"382416733822.dkr.ecr.{platform.region}.amazonaws.com/kmeans:1"
    return {"ModelName": name, "ExecutionRoleArn": platform.role_arn, "PrimaryContainer": {"Image": image}}


def names(platform: Platform) -> set[str]:
    return {item["ModelName"] for item in platform.client("sagemaker").list_models(MaxResults=100)["Models"]}


@pytest.fixture
def rehearsed() -> Iterator[rehearsal.Rehearsal]:
    yield rehearsal.begin()
    rehearsal.end()


def test_what_only_looks_agrees_with_the_http_methods_of_the_services() -> None:
    """Services with resources tell by their methods what changes something: the names must say the same."""
    import botocore.session

    session = botocore.session.get_session()
    for service in ("s3", "lambda", "apigateway", "sagemaker-a2i-runtime", "efs", "batch"):
        description = session.get_service_model(service)
        for name in description.operation_names:
            method = description.operation_model(name).http["method"]
            looks = operations.looks(service, name)
            if method in ("GET", "HEAD"):
                # What is signed over to somebody, or goes the other way, may be refused in read-only mode: it is no harm.
                assert looks or not name.startswith(("Get", "List", "Describe", "Head")), f"{service} {name}"
            elif looks:
                assert name.startswith(("Get", "List", "Describe", "Query", "Search", "Select")), (
                    f"{service} {name} is a {method}"
                )
                assert method == "POST", f"{service} {name}"


@pytest.mark.parametrize("service", ["sagemaker", "sagemaker-runtime", "cloudwatch", "logs", "application-autoscaling", "iam"])  # fmt: skip
def test_every_operation_that_makes_changes_or_deletes_counts_as_a_change(service: str) -> None:
    import botocore.session

    description = botocore.session.get_session().get_service_model(service)
    changing = ("Create", "Delete", "Update", "Put", "Stop", "Start", "Add", "Invoke", "Register", "Set", "Attach", "Detach", "Enable", "Disable", "Send", "Remove", "Associate", "Tag", "Untag", "Retry")  # fmt: skip
    found = [name for name in description.operation_names if name.startswith(changing)]
    assert found
    looking = {name for name in found if operations.looks(service, name)}
    assert looking <= {"StartQuery", "StopQuery", "StartLiveTail"}, looking


@pytest.mark.parametrize("interface", ["low", "high"])
def test_read_only_refuses_every_change_before_it_is_sent_and_lets_looking_pass(
    platform: Platform, interface: str
) -> None:
    came_from("mlconsole test")
    looking = open_platform(Configuration(read_only="embedded"))
    before = names(platform)
    with looking.applied(), pytest.raises(Problem) as refused:
        if interface == "low":
            looking.client("sagemaker").create_model(**model("never", looking))
        else:
            interfaces.make("high", looking).upload(Path(__file__), f"s3://{looking.bucket}/never")
    assert refused.value.code == "read-only"
    assert "on the embedded SageMaker are switched off" in refused.value.sentence
    assert names(looking) == before
    entry = auditlog.entries()[-1]
    assert (entry.result, entry.by, entry.target) == ("read-only", "mlconsole test", "embedded")
    assert entry.failed


def test_a_change_is_written_down_with_who_when_where_what_and_its_result(platform: Platform) -> None:
    client = platform.client("sagemaker")
    secret = {"HF_TOKEN": "hf_abcdef", "MODE": "fast"}
    asked = model("audited", platform)
    asked["PrimaryContainer"]["Environment"] = secret
    client.create_model(**asked)
    with pytest.raises(client.exceptions.ClientError):
        client.create_model(**asked)
    client.list_models()
    client.delete_model(ModelName="audited")
    made, again, gone = auditlog.entries()[-3:]
    assert [entry.operation for entry in (made, again, gone)] == ["CreateModel", "CreateModel", "DeleteModel"]
    assert {entry.resource for entry in (made, again, gone)} == {"audited"}
    assert (made.result, made.account, made.region) == ("ok", platform.account, platform.region)
    assert made.seconds is not None and made.user and made.host and made.pid
    assert made.parameters["PrimaryContainer"]["Environment"] == {"HF_TOKEN": "(hidden)", "MODE": "fast"}
    assert again.result == "ValidationException" and "audited" in again.message
    text = auditlog.path().read_text(encoding="utf-8")
    assert "hf_abcdef" not in text
    assert platform.engine is not None and platform.engine.secret_key not in text
    assert stat.S_IMODE(auditlog.path().stat().st_mode) == 0o600


def test_a_dry_run_shows_the_calls_and_sends_none(platform: Platform, rehearsed: rehearsal.Rehearsal) -> None:
    before = names(platform)
    playing = open_platform(Configuration())
    client = playing.client("sagemaker")
    asked = model("imagined", playing)
    answer = client.create_model(**asked)
    assert answer["ModelArn"] == f"arn:aws:sagemaker:{playing.region}:{playing.account}:model/imagined"
    with pytest.raises(rehearsal.Rehearsed, match="CreateModel"):
        client.describe_model(ModelName="imagined")
    with pytest.raises(rehearsal.Rehearsed):  # it would clean up after something that never was
        client.delete_model(ModelName="imagined")
    assert [call["operation"] for call in rehearsed.calls] == ["CreateModel"]
    assert rehearsed.calls[0]["parameters"] == asked
    assert names(platform) == before
    assert not [entry for entry in auditlog.entries() if entry.resource == "imagined"]


def test_what_was_deleted_in_a_dry_run_is_not_there_any_more_and_the_rest_goes_on(
    platform: Platform, rehearsed: rehearsal.Rehearsal
) -> None:
    playing = open_platform(Configuration())
    client = playing.client("sagemaker")
    client.delete_endpoint(EndpointName="fraud")
    with pytest.raises(client.exceptions.ClientError, match="Could not find"):
        client.describe_endpoint(EndpointName="fraud")
    client.get_waiter("endpoint_deleted").wait(EndpointName="fraud")
    client.delete_model(ModelName="fraud-model")
    assert [call["operation"] for call in rehearsed.calls] == ["DeleteEndpoint", "DeleteModel"]


def test_a_run_in_a_dry_run_or_in_read_only_mode_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, rehearsed: rehearsal.Rehearsal
) -> None:
    with pytest.raises(rehearsal.Rehearsed):
        runs.start("moons", configuration=Configuration())
    assert [call["operation"] for call in rehearsed.calls] == ["StartRun"]
    rehearsal.end()
    monkeypatch.setenv("MLCONSOLE_READ_ONLY", "aws,embedded")
    with pytest.raises(Problem) as refused:
        runs.start("moons", configuration=Configuration())
    assert refused.value.code == "read-only"
    assert runs.list_runs() == []


def test_what_a_killed_process_leaves_reads_as_unknown() -> None:
    auditlog.begin("sagemaker", "DeleteEndpoint", "fraud")
    with auditlog.path().open("ab") as file:
        file.write(b'{"id": "half')
    with change("StartRun", "moons-1"):
        pass
    assert [(entry.operation, entry.result) for entry in auditlog.entries()] == [
        ("DeleteEndpoint", "unknown")
    ]
    with change("StartRun", "moons-2"):  # the line that was cut takes one other with it, not the rest
        pass
    assert auditlog.entries()[-1].resource == "moons-2"


def test_a_large_log_is_set_aside_and_still_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditlog, "LARGEST", 2_000)
    for number in range(12):
        with change("StartRun", f"run-{number}", {"text": "x" * 100}):
            pass
    assert auditlog.older().exists()
    assert auditlog.path().stat().st_size < 4_000
    assert auditlog.entries()[-1].resource == "run-11"
    assert all(entry.result == "ok" for entry in auditlog.entries())


def test_two_processes_that_find_the_log_too_large_set_it_aside_once(monkeypatch: pytest.MonkeyPatch) -> None:
    auditlog.end(auditlog.begin("sagemaker", "DeleteModel", "old"))

    class Limit(int):
        """Another process sets the file aside and begins a new one, right after this one has found it too large."""

        been = False

        def __lt__(self, size: int) -> bool:
            if self.been:
                return size > int(self)
            self.been = True
            auditlog.path().replace(auditlog.older())
            auditlog.end(auditlog.begin("sagemaker", "DeleteModel", "other"))
            return True

    monkeypatch.setattr(auditlog, "LARGEST", Limit(100_000))
    auditlog.end(auditlog.begin("sagemaker", "DeleteModel", "new"))
    assert [entry.resource for entry in auditlog.entries()] == ["old", "other", "new"]


def test_no_room_for_the_log_does_not_keep_from_changing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MLCONSOLE_STATE_DIR", str(tmp_path / "file" / "below"))
    done = []
    with change("DeleteRun", "moons-1"):
        done.append(True)
    assert done and auditlog.entries() == []


@pytest.mark.parametrize(
    ("words", "target", "profile", "forbidden"),
    [
        ("", "aws", "", False), ("none", "aws", "", False), ("all", "", "", True), ("all", "embedded", "", True), ("aws", "aws", "research", True),
        ("aws", "embedded", "", False), ("aws:prod", "aws", "prod", True), ("aws:prod", "aws", "research", False), ("aws:default", "aws", "", True),
        ("aws:prod,embedded", "embedded", "", True), ("embedded", "", "", False),
    ],
)  # fmt: skip
def test_read_only_is_said_per_target_and_per_profile(
    words: str, target: str, profile: str, forbidden: bool
) -> None:
    assert permission.forbids(words, target, profile) is forbidden
    if target:
        assert (
            replace(Configuration(), target=target, profile=profile, read_only=words).looks_only is forbidden
        )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("true", "all"),
        ("false", "none"),
        ('"aws:prod"', "aws:prod"),
        ('["aws:prod", "embedded"]', "aws:prod,embedded"),
    ],
)
def test_the_file_says_it_as_a_switch_a_text_or_a_list(tmp_path: Path, written: str, read: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f"read_only = {written}\n", encoding="utf-8")
    assert load(file=file).read_only == read


def test_a_target_that_does_not_exist_is_told(tmp_path: Path) -> None:
    from workflows.configuration import ConfigurationError

    file = tmp_path / "config.toml"
    file.write_text('read_only = "production"\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match="read_only"):
        load(file=file)


NESTED = st.recursive(
    st.none() | st.integers() | st.text(max_size=8) | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@given(NESTED, st.sampled_from(["API_TOKEN", "DbPassword", "client_secret", "WebhookUrl", "aws_credentials"]))
def test_no_secret_and_nothing_that_json_cannot_say_gets_into_the_log(value: Any, name: str) -> None:
    kept = auditlog.concealed(
        {"Environment": {name: "hunter2-hunter2", "plain": value}, "Items": [{name: "hunter2-hunter2"}]}
    )
    assert "hunter2-hunter2" not in json.dumps(kept, default=str)
    assert kept["Environment"][name] == "(hidden)"
