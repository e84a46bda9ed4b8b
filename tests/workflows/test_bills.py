"""What an endpoint bills and whether it is idle, from scripted descriptions: updates, shadows, asynchronous, serverless."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.workflows.scripted import AwsError, Scripted, moment
from workflows import lifetime
from workflows.costs import activity
from workflows.costs.bills import of_endpoint
from workflows.costs.overview import look
from workflows.inspecting.relations import using
from workflows.observe.endpoints import describe, plan_deletion
from workflows.observe.rows import EndpointDetail

NOW = 1_790_000_000.0
OLD = NOW - 10 * 86_400
NO_INVOCATIONS: dict[str, float] = {}


def variant(name: str, count: int | None = 1, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"VariantName": name, "CurrentWeight": 1.0, "DesiredWeight": 1.0, **more}
    if count is not None:
        found |= {"CurrentInstanceCount": count, "DesiredInstanceCount": count}
    return found


def planned(name: str, kind: str = "ml.m5.xlarge", count: int = 1, **more: Any) -> dict[str, Any]:
    return {"VariantName": name, "ModelName": "m", "InstanceType": kind, "InitialInstanceCount": count, **more}  # fmt: skip


def gateway(
    status: str = "InService",
    *,
    variants: list[dict[str, Any]] | None = None,
    plans: list[dict[str, Any]] | None = None,
    created: float = OLD,
    modified: float = OLD,
    config: dict[str, Any] | None = None,
    calls: dict[str, float] | None = None,
    tags: dict[str, str] | None = None,
    **more: Any,
) -> Scripted:
    """An account with one endpoint ``e``; ``calls`` are values by metric and variant: ``Invocations/A``."""
    raw = {
        "EndpointName": "e",
        "EndpointArn": "arn:aws:sagemaker:us-east-1:1:endpoint/e",
        "EndpointConfigName": "c",
        "EndpointStatus": status,
        "CreationTime": moment(created),
        "LastModifiedTime": moment(modified),
        "ProductionVariants": [variant("A")] if variants is None else variants,
        **more,
    }
    raw_config = {
        "EndpointConfigName": "c",
        "ProductionVariants": [planned("A")] if plans is None else plans,
        **(config or {}),
    }

    def metrics(**asked: Any) -> dict[str, Any]:
        results = []
        for one in asked["MetricDataQueries"]:
            metric = one["MetricStat"]["Metric"]
            dimensions = {item["Name"]: item["Value"] for item in metric["Dimensions"]}
            value = (calls or {}).get(f"{metric['MetricName']}/{dimensions.get('VariantName', '')}")
            points = [value] if value is not None else []
            results.append(
                {"Id": one["Id"], "Timestamps": [moment(NOW - 600)][: len(points)], "Values": points}
            )
        return {"MetricDataResults": results}

    return Scripted(
        list_endpoints=lambda **_: {"Endpoints": [raw]},
        describe_endpoint=lambda **_: raw,
        describe_endpoint_config=lambda **_: raw_config,
        get_metric_data=metrics,
        list_tags=lambda **_: {"Tags": [{"Key": k, "Value": v} for k, v in (tags or {}).items()]},
        list_training_jobs=lambda **_: {"TrainingJobSummaries": []},
        list_transform_jobs=lambda **_: {"TransformJobSummaries": []},
    )


def detail(account: Scripted) -> EndpointDetail:
    return describe(account, "e")


def judged(account: Scripted) -> activity.Activity:
    return activity.of_endpoints(account, [detail(account)], now=NOW)["e"]


def test_both_fleets_of_an_update_and_a_shadow_are_billed() -> None:
    pending = {
        "EndpointConfigName": "new",
        "ProductionVariants": [variant("A", 0, InstanceType="ml.m5.2xlarge", DesiredInstanceCount=2)],
    }
    pending["ProductionVariants"][0] |= {"DesiredInstanceCount": 2}  # type: ignore[index]
    found = detail(
        gateway(
            "Updating",
            variants=[variant("A", 3)],
            PendingDeploymentSummary=pending,
            ShadowProductionVariants=[variant("S", 1)],
            config={"ShadowProductionVariants": [planned("S", "ml.m5.large")]},
        )
    )
    bill = of_endpoint(found)
    assert [(part.role, part.instance_type, part.count) for part in bill.parts] == [
        ("serving", "ml.m5.xlarge", 3), ("shadow", "ml.m5.large", 1), ("new", "ml.m5.2xlarge", 2),
    ]  # fmt: skip
    assert bill.both_fleets and bill.hourly.dollars == pytest.approx(3 * 0.23 + 0.115 + 2 * 0.461)
    assert found.instances == (("ml.m5.xlarge", 3), ("ml.m5.large", 1), ("ml.m5.2xlarge", 2))


def test_an_endpoint_that_is_created_counts_as_wanted_and_a_failed_one_bills_nothing() -> None:
    assert of_endpoint(detail(gateway("Creating", variants=[], plans=[planned("A", count=2)]))).hourly.dollars == 0.46  # fmt: skip
    assert of_endpoint(detail(gateway("Failed", variants=[]))).parts == ()


def test_a_price_that_nobody_knows_is_named_and_not_guessed() -> None:
    bill = of_endpoint(detail(gateway(plans=[planned("A", "ml.p99.huge"), planned("B")])))
    assert bill.hourly.unknown == ("ml.p99.huge",) and bill.so_far(NOW) is None
    repeated = of_endpoint(detail(gateway(plans=[planned("A", "ml.c5.large")])))
    assert not repeated.sourced and of_endpoint(detail(gateway())).sourced


def test_an_endpoint_whose_configuration_is_deleted_bills_on() -> None:
    """AWS: it is billed until the endpoint is deleted, and nothing tells the instance type any more."""
    account = gateway(created=NOW - 60, modified=NOW - 60)

    def missing(**_: Any) -> Any:
        raise AwsError("ValidationException", 'Could not find endpoint configuration "c".')

    account.answers["describe_endpoint_config"] = missing
    found = detail(account)
    bill = of_endpoint(found)
    assert bill.hourly.unknown == ("instances of an unknown type",) and bill.so_far(NOW) is None
    assert bill.instances == "1 × ?" and judged(account).verdict == "young"
    assert plan_deletion(account, "e").sentences == (
        "Delete endpoint e.",
        "Keep models: endpoint configuration c, which named them, is deleted.",
    )
    account.answers["describe_alarms"] = lambda **_: {"MetricAlarms": []}
    assert using(account, "endpoint", "e", found.raw) == ((), True)


SERVERLESS = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}


def serverless(**more: Any) -> Callable[..., Scripted]:
    plan = {"VariantName": "A", "ModelName": "m", "ServerlessConfig": {**SERVERLESS, **more}}
    return lambda **rest: gateway(
        variants=[variant("A", None, CurrentServerlessConfig={**SERVERLESS, **more})], plans=[plan], **rest
    )


def test_serverless_bills_by_use_and_is_never_idle_unless_it_is_kept_warm() -> None:
    account = serverless()()
    bill = of_endpoint(detail(account))
    assert not bill.hourly and bill.instances == "serverless 2048 MB"
    assert bill.by_use == ("by the second of requests (no price is known here) and $0.016 a GB",)
    assert judged(account).verdict == "free"
    warm = serverless(ProvisionedConcurrency=2)()
    assert of_endpoint(detail(warm)).hourly.unknown == ("2 × provisioned concurrency 2048 MB",)
    assert judged(warm).verdict == "idle"


def test_idle_is_judged_by_variant_and_never_by_the_endpoint_alone() -> None:
    both = [variant("A"), variant("B")]
    plans = [planned("A"), planned("B")]
    assert judged(gateway(variants=both, plans=plans)).verdict == "idle"
    used = judged(gateway(variants=both, plans=plans, calls={"Invocations/B": 3.0}))
    assert (used.verdict, used.calls, used.last) == ("used", 3.0, NOW - 600 + 300)
    assert judged(gateway(calls={"Invocations/": 5.0})).verdict == "idle"
    asked = gateway(variants=both, plans=plans)
    judged(asked)
    ((_, query),) = [call for call in asked.calls if call[0] == "get_metric_data"]
    for one in query["MetricDataQueries"]:
        names = {item["Name"] for item in one["MetricStat"]["Metric"]["Dimensions"]}
        assert names == {"EndpointName", "VariantName"}


def test_a_shadow_gets_copies_and_does_not_keep_its_endpoint_from_being_idle() -> None:
    account = gateway(
        ShadowProductionVariants=[variant("S")],
        config={"ShadowProductionVariants": [planned("S")]},
        calls={"Invocations/S": 9.0},
    )
    assert judged(account).verdict == "idle"


def test_who_was_just_made_or_changed_is_young_and_not_idle() -> None:
    assert judged(gateway(created=NOW - 3600, modified=NOW - 3600)).verdict == "young"
    changed = judged(gateway(modified=NOW - 7200))
    assert changed.verdict == "young" and "changed 2 h ago" in changed.reason


def test_asynchronous_endpoints_are_judged_by_what_they_publish() -> None:
    config = {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://b/o"}}}
    assert judged(gateway(config=config)).verdict == "idle"
    assert judged(gateway(config=config, calls={"InvocationsProcesssed/A": 2.0})).verdict == "used"
    assert judged(gateway(config=config, calls={"ApproximateBacklogSize/": 1.0})).verdict == "used"
    down = gateway(config=config, variants=[variant("A", 0)])
    bill = of_endpoint(detail(down))
    assert not bill.hourly and bill.by_use == ("scaled to zero: bills again with the next request",)
    assert judged(down).verdict == "free"


def test_the_view_tells_marks_lifetimes_and_owners() -> None:
    account = gateway(tags={lifetime.EXPIRES: "2026-01-01T00:00:00Z", "mlconsole:run": "moons-1"})
    (row,) = look(account, NOW).rows
    assert row.marks(NOW) == ("expired", "idle") and row.owner == "run moons-1"
    kept = look(gateway(tags={lifetime.EXPIRES: "2026-01-01", lifetime.KEEP: "yes"}), NOW).rows[0]
    assert kept.lifetime.keep and not kept.lifetime.expired(NOW)
    odd = look(gateway(tags={lifetime.EXPIRES: "tomorrow"}), NOW)
    assert odd.rows[0].lifetime.expires is None and "'tomorrow'" in odd.notes[0]
