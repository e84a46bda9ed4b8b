"""What a sweep finds and leaves where no engine gives it on demand: alarms, scalable targets, updates, runs, refusals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.workflows.scripted import AwsError, Scripted, moment
from tests.workflows.test_bills import NOW, OLD, gateway
from workflows.lifetime import EXPIRES, Lifetime, expiry_tag, of_tags, owner
from workflows.problem import Problem
from workflows.runs import Run
from workflows.sweep.leftovers import ALARM, CONFIG, ENDPOINT, MODEL, OBJECTS, TARGET, Leftover, Rules
from workflows.sweep.plan import plan
from workflows.sweep.removal import remove

RUN = "moons-20260101-101010-abcd"
ARN = "arn:aws:sagemaker:us-east-1:1"
RULES = Rules()


def run(status: str, tmp_path: Path, name: str = RUN) -> Run:
    return Run(
        id=name, folder=tmp_path, study="moons", interface="low", status=status, created=OLD, parameters={}, configuration={},
    )  # fmt: skip


def no_such(what: str) -> Callable[..., Any]:
    def call(**asked: Any) -> Any:
        raise AwsError("ValidationException", f'Could not find {what} "{asked}".')

    return call


def account(**answers: Callable[..., Any]) -> Scripted:
    """One endpoint ``e`` with configuration ``c`` and model ``m``, and nothing else but what is given."""
    found = gateway(calls={"Invocations/A": 1.0})
    found.answers |= {
        "list_endpoint_configs": lambda **_: {
            "EndpointConfigs": [{"EndpointConfigName": "c", "EndpointConfigArn": f"{ARN}:endpoint-config/c", "CreationTime": moment(OLD)}]
        },
        "list_models": lambda **_: {"Models": [{"ModelName": "m", "ModelArn": f"{ARN}:model/m", "CreationTime": moment(OLD)}]},
        "describe_alarms": lambda **_: {"MetricAlarms": []},
        "describe_scalable_targets": lambda **_: {"ScalableTargets": []},
        "list_tags_for_resource": lambda **_: {"Tags": []},
        "get_rest_apis": lambda **_: {"items": []},
        "list_functions": lambda **_: {"Functions": []},
    }  # fmt: skip
    found.answers |= answers
    return found


def alarm(name: str, endpoint: str) -> dict[str, Any]:
    return {
        "AlarmName": name, "AlarmArn": f"arn:aws:cloudwatch:us-east-1:1:alarm:{name}", "Namespace": "AWS/SageMaker",
        "AlarmConfigurationUpdatedTimestamp": moment(OLD), "Dimensions": [{"Name": "EndpointName", "Value": endpoint}],
    }  # fmt: skip


def found_by(gateway_: Scripted, rules: Rules = RULES, runs: tuple[Run, ...] = ()) -> dict[tuple[str, str], Leftover]:  # fmt: skip
    return {item.key: item for item in plan(gateway_, rules, NOW, runs=runs).items}


def test_a_used_account_has_nothing_left_over() -> None:
    assert found_by(account()) == {}


def test_alarms_and_targets_of_endpoints_that_are_gone(tmp_path: Path) -> None:
    alarms = [
        alarm("a-live", "e"), alarm(f"{RUN}-5xx", RUN), alarm("theirs", "gone"), alarm("tagged", "gone"),
        alarm("TargetTracking-endpoint/gone-AlarmHigh", "gone"), {"AlarmName": "cpu", "Namespace": "AWS/EC2", "Dimensions": []},
    ]  # fmt: skip
    targets = [
        {"ResourceId": f"endpoint/{name}/variant/A", "CreationTime": moment(OLD)} for name in ("e", RUN)
    ]
    deleted: list[str] = []

    def delete(AlarmNames: list[str]) -> dict[str, Any]:
        deleted.extend(AlarmNames)
        alarms[:] = [item for item in alarms if item["AlarmName"] not in AlarmNames]
        return {}

    def deregister(ResourceId: str, **_: Any) -> dict[str, Any]:
        targets[:] = [item for item in targets if item["ResourceId"] != ResourceId]
        return {}

    def tags(ResourceARN: str) -> dict[str, Any]:
        return {"Tags": [{"Key": "mlconsole:rollout", "Value": "x"}] if ResourceARN.endswith("tagged") else []}  # fmt: skip

    there = account(
        describe_alarms=lambda **_: {"MetricAlarms": list(alarms)},
        describe_scalable_targets=lambda **_: {"ScalableTargets": list(targets)},
        list_tags_for_resource=tags,
        delete_alarms=delete,
        deregister_scalable_target=deregister,
    )
    mine = (run("completed", tmp_path),)
    found = found_by(there, runs=mine)
    target = f"endpoint/{RUN}/variant/A"
    assert set(found) == {
        (ALARM, f"{RUN}-5xx"), (ALARM, "theirs"), (ALARM, "tagged"), (ALARM, "TargetTracking-endpoint/gone-AlarmHigh"), (TARGET, target),
    }  # fmt: skip
    free = {item.name for item in found.values() if not item.protected}
    assert free == {f"{RUN}-5xx", "tagged", target}
    assert "policy" in found[ALARM, "TargetTracking-endpoint/gone-AlarmHigh"].protected
    chosen = [item for item in found.values() if item.name in (f"{RUN}-5xx", target)]
    report = remove(there, chosen, RULES, now=lambda: NOW, runs=mine)
    assert [(one.kind, one.state) for one in report.outcomes] == [(TARGET, "deleted"), (ALARM, "deleted")]
    assert deleted == [f"{RUN}-5xx"]


def test_what_an_update_is_going_to_use_is_no_leftover() -> None:
    pending = {"EndpointConfigName": "new", "ProductionVariants": []}
    there = account()
    raw = there.answers["describe_endpoint"]()
    there.answers["describe_endpoint"] = lambda **_: {**raw, "PendingDeploymentSummary": pending}
    there.answers["list_endpoint_configs"] = lambda **_: {
        "EndpointConfigs": [
            {"EndpointConfigName": name, "CreationTime": moment(OLD)} for name in ("c", "new", "old")
        ]
    }
    assert set(found_by(there)) == {(CONFIG, "old")}


def test_a_model_that_a_running_transform_job_uses_stays() -> None:
    job = {
        "TransformJobName": "t", "ModelName": "batch", "TransformJobStatus": "InProgress",
        "CreationTime": moment(OLD), "LastModifiedTime": moment(OLD),
    }  # fmt: skip
    there = account(
        list_models=lambda **_: {"Models": [{"ModelName": "batch", "CreationTime": moment(OLD)}]},
        list_transform_jobs=lambda **_: {"TransformJobSummaries": [job]},
        describe_transform_job=lambda **_: job,
    )
    found = found_by(there, Rules(all_owners=True))
    assert found[MODEL, "batch"].protected == "a transform job that runs uses it"


@pytest.mark.parametrize(
    ("status", "target", "protected"),
    [
        (None, "embedded", ""),
        (None, "aws", "another machine"),
        ("completed", "embedded", ""),
        ("running", "embedded", None),
    ],
)
def test_objects_of_runs(status: str | None, target: str, protected: str | None, tmp_path: Path) -> None:
    def listing(**asked: Any) -> dict[str, Any]:
        if asked.get("Delimiter"):
            return {"CommonPrefixes": [{"Prefix": f"mlconsole/{RUN}/"}, {"Prefix": "mlconsole/inputs/"}]}
        return {"Contents": [{"Key": f"mlconsole/{RUN}/model", "Size": 7, "LastModified": moment(OLD)}]}

    there = account(
        list_objects_v2=listing,
        describe_model=lambda **_: {"PrimaryContainer": {"ModelDataUrl": "s3://b/else"}},
    )
    there.bucket, there.target = "b", target  # type: ignore[attr-defined]
    runs = (run(status, tmp_path),) if status else ()
    found = found_by(there, runs=runs)
    if protected is None:
        assert found == {}
        return
    item = found[OBJECTS, f"s3://b/mlconsole/{RUN}/"]
    assert (item.octets, item.objects, item.created) == (7, 1, OLD)
    assert (protected in item.protected) if protected else item.protected == ""


def test_a_refused_deletion_is_told_and_the_rest_goes_on() -> None:
    def refused(**_: Any) -> Any:
        raise AwsError("AccessDeniedException", "User is not authorized to perform: sagemaker:DeleteModel")

    configs = [{"EndpointConfigName": "left", "CreationTime": moment(OLD)}]
    there = account(
        list_models=lambda **_: {"Models": [{"ModelName": "left", "CreationTime": moment(OLD)}]},
        delete_model=refused,
    )
    there.answers["list_endpoint_configs"] = lambda **_: {"EndpointConfigs": list(configs)}
    described = there.answers["describe_endpoint_config"]

    def describe(**asked: Any) -> Any:
        if asked["EndpointConfigName"] == "left":
            return {"ProductionVariants": []} if configs else no_such("endpoint configuration")(**asked)
        return described(**asked)

    def delete(**_: Any) -> dict[str, Any]:
        configs.clear()
        return {}

    there.answers |= {"describe_endpoint_config": describe, "delete_endpoint_config": delete}
    rules = Rules(all_owners=True)
    chosen = plan(there, rules, NOW, runs=()).free
    assert {item.kind for item in chosen} == {CONFIG, MODEL}
    report = remove(there, chosen, rules, now=lambda: NOW, runs=())
    assert [(one.kind, one.state) for one in report.outcomes] == [(CONFIG, "deleted"), (MODEL, "failed")]
    assert "sagemaker:DeleteModel" in report.failed[0].detail


def test_what_cannot_be_looked_at_is_told_and_what_is_not_offered_is_not() -> None:
    def denied(**_: Any) -> Any:
        raise AwsError("AccessDenied", "no")

    def unknown(**_: Any) -> Any:
        raise AwsError("UnknownOperationException", "")

    found = plan(account(describe_alarms=denied, describe_scalable_targets=unknown), RULES, NOW, runs=())
    assert len(found.notes) == 1 and found.notes[0].startswith("Alarms could not be looked at")
    with pytest.raises(Problem):
        plan(account(list_models=denied), RULES, NOW, runs=())


def test_an_endpoint_of_a_run_at_work_or_one_that_changes_stays(tmp_path: Path) -> None:
    there = account()
    there.answers["get_metric_data"] = lambda **_: {"MetricDataResults": []}
    there.answers["list_tags"] = lambda **_: {"Tags": [{"Key": "mlconsole:run", "Value": RUN}]}
    assert found_by(there)[ENDPOINT, "e"].protected == ""
    assert "at work" in found_by(there, runs=(run("running", tmp_path),))[ENDPOINT, "e"].protected
    there.answers["list_tags"] = lambda **_: {
        "Tags": [{"Key": "mlconsole:run", "Value": RUN}, {"Key": EXPIRES, "Value": "2026-01-01T00:00:00Z"}]
    }
    changed = {**there.answers["describe_endpoint"](), "EndpointStatus": "Updating"}
    there.answers["describe_endpoint"] = lambda **_: changed
    there.answers["list_endpoints"] = lambda **_: {"Endpoints": [changed]}
    assert found_by(there)[ENDPOINT, "e"].protected == "it is Updating now"


def test_tags_tell_lifetimes_and_owners() -> None:
    tag = expiry_tag(3600, NOW)
    assert of_tags(tag) == Lifetime(expires=NOW + 3600)
    assert of_tags({EXPIRES: "2026-01-01"}).expires == 1_767_225_600
    assert of_tags({"mlconsole:keep": "false"}) == Lifetime()
    for seconds in (0, 59, 4e7):
        with pytest.raises(Problem, match="cannot be meant"):
            expiry_tag(seconds, NOW)
    assert owner(tag) == "" and owner({"mlconsole:tuning-job": "t"}) == "tuning job t"
    assert owner({"mlconsole:ab": "x"}) == "mlconsole:ab"
