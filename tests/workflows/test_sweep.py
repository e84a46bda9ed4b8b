"""Costs, lifetimes and sweeps on a real engine: what bills, what is left over, what is deleted and what is not."""

from __future__ import annotations

import io
import json
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.console import command
from tests.workflows.hosted import SERVING_IMAGE, archive
from tests.workflows.test_observe import deploy, until
from workflows import lifetime
from workflows.costs.overview import Billed, look
from workflows.observe import endpoints
from workflows.platform import Platform
from workflows.problem import Problem
from workflows.sweep.leftovers import CONFIG, ENDPOINT, LOGS, MODEL, OBJECTS, Leftover, Rules
from workflows.sweep.plan import NOT_OURS, plan
from workflows.sweep.removal import remove
from workflows.sweep.watch import watch

LATER = 2 * 86_400.0
MADE = ("ours-", "theirs-", "used-", "expires-", "told-")
RULES = Rules(idle=86_400, young=3600)


def later() -> float:
    """Two days from now: what is made by a test is neither young nor in use then."""
    return time.time() + LATER


@pytest.fixture
def platform(platform: Platform) -> Iterator[Platform]:
    """The engine, without what a test left on it."""
    yield platform
    rules = Rules(idle=60, young=0, all_owners=True)
    made = [item for item in plan(platform, rules, later(), runs=()).free if item.name.startswith(MADE)]
    remove(platform, made, rules, now=later, runs=())


def named(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


def in_service(platform: Platform, name: str) -> Any:
    found = until(
        lambda: (d := endpoints.describe(platform, name)).row.status in ("InService", "Failed") and d
    )
    assert found.row.status == "InService", found.failure_reason
    return found


def tag(platform: Platform, *arns: str, **tags: str) -> None:
    """Tags as mlconsole sets them: ``run`` stands for mlconsole:run."""
    for arn in arns:
        platform.client("sagemaker").add_tags(
            ResourceArn=arn, Tags=[{"Key": f"mlconsole:{key}", "Value": value} for key, value in tags.items()]
        )


def own(platform: Platform, name: str) -> None:
    """Tag model, configuration and endpoint of one name as made by a study."""
    base = f"arn:aws:sagemaker:{platform.region}:{platform.account}"
    tag(
        platform,
        f"{base}:model/{name}",
        f"{base}:endpoint-config/{name}",
        f"{base}:endpoint/{name}",
        run=f"{name}-gone",
        study="moons",
    )


def billed(platform: Platform, name: str, now: float) -> Billed:
    return next(row for row in look(platform, now).rows if row.bill.name == name)


def by_name(items: tuple[Leftover, ...], name: str) -> dict[str, Leftover]:
    return {item.kind: item for item in items if item.name == name}


def test_an_endpoint_bills_is_called_expires_and_is_swept_with_what_only_it_uses(platform: Platform) -> None:
    ours, theirs = named("ours"), named("theirs")
    deploy(platform, ours)
    deploy(platform, theirs)
    own(platform, ours)
    arn = in_service(platform, ours).arn
    in_service(platform, theirs)

    row = billed(platform, ours, time.time())
    assert row.bill.hourly.dollars == pytest.approx(0.115) and row.bill.hourly.month == pytest.approx(83.95)
    assert row.bill.so_far(row.bill.since + 7200) == pytest.approx(0.23)
    assert row.activity is not None and row.activity.verdict == "young"
    assert billed(platform, ours, later()).activity.verdict == "idle"  # type: ignore[union-attr]
    endpoints.invoke(platform, ours, b"!", content_type="text/plain", accept="text/plain")
    until(lambda: billed(platform, ours, time.time()).activity.verdict == "used")  # type: ignore[union-attr]

    told = lifetime.limit(platform, arn, 3600, time.time())
    assert told.expires == pytest.approx(time.time() + 3600, abs=30)
    assert billed(platform, ours, time.time()).marks(time.time()) == ()
    assert billed(platform, ours, later()).marks(later()) == ("expired", "idle")
    only_expired = Rules(expired_only=True)
    assert plan(platform, only_expired, time.time(), runs=()).items == ()
    (expired,) = plan(platform, only_expired, time.time() + 4000, runs=()).items
    assert (expired.name, expired.reason, expired.protected) == (ours, "its lifetime is over", "")
    assert expired.attached == ((CONFIG, ours), (MODEL, ours))
    lifetime.limit(platform, arn, 3 * LATER, time.time())
    assert "h to go" in by_name(plan(platform, RULES, later(), runs=()).items, ours)[ENDPOINT].protected
    assert lifetime.keep(platform, arn).keep
    assert by_name(plan(platform, RULES, later(), runs=()).items, ours)[ENDPOINT].protected
    lifetime.limit(platform, arn, 60, time.time())

    found = plan(platform, RULES, later(), runs=())
    stays = by_name(found.items, theirs)[ENDPOINT]
    assert stays.protected == NOT_OURS and stays.hourly.dollars == pytest.approx(0.115)
    report = remove(platform, found.chosen([(ENDPOINT, ours), (ENDPOINT, theirs)]), RULES, now=later, runs=())
    assert [(one.kind, one.name, one.state) for one in report.outcomes] == [
        (ENDPOINT, ours, "deleted"), (CONFIG, ours, "deleted"), (MODEL, ours, "deleted"),
    ]  # fmt: skip
    assert report.saved.dollars == pytest.approx(0.115) and report.outcomes[0].detail
    assert [row.name for page in endpoints.list_pages(platform, name_contains=ours) for row in page] == []
    assert in_service(platform, theirs).name == theirs

    group = f"/aws/sagemaker/Endpoints/{ours}"
    assert not by_name(plan(platform, RULES, later(), runs=()).items, group)
    with_logs = Rules(all_owners=True, logs=True)
    logs = by_name(plan(platform, with_logs, later(), runs=()).items, group)[LOGS]
    assert logs.octets and logs.reason == "its endpoint is gone"
    report = remove(platform, [logs], with_logs, now=later, runs=())
    assert [(one.kind, one.state) for one in report.outcomes] == [(LOGS, "deleted")]


def test_what_is_left_of_a_run_goes_and_what_protects_the_rest_is_told(platform: Platform) -> None:
    run = f"moons-20260101-101010-{uuid.uuid4().hex[:4]}"
    sagemaker, storage = platform.client("sagemaker"), platform.client("s3")
    storage.put_object(
        Bucket=platform.bucket, Key=f"mlconsole/{run}/model.tar.gz", Body=archive(answer_txt="1")
    )
    storage.put_object(
        Bucket=platform.bucket, Key=f"mlconsole/{run}/data/train.csv", Body=io.BytesIO(b"1,2\n")
    )
    storage.put_object(Bucket=platform.bucket, Key="mlconsole/my-job/train.csv", Body=b"1,2\n")
    for name in (run, f"{run}-foreign"):
        sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=platform.role_arn,
            PrimaryContainer={
                "Image": SERVING_IMAGE, "ModelDataUrl": f"s3://{platform.bucket}/mlconsole/{run}/model.tar.gz",
            },
            Tags=[{"Key": "mlconsole:run", "Value": run}] if name == run else [],
        )  # fmt: skip
    young = plan(platform, RULES, time.time(), runs=())
    assert "younger than 60 min" in by_name(young.items, run)[MODEL].protected

    place = f"s3://{platform.bucket}/mlconsole/{run}/"
    first = plan(platform, RULES, later(), runs=())
    objects = by_name(first.items, place)[OBJECTS]
    assert (objects.objects, objects.reason) == (2, "its run is not on this machine")
    assert "the files of model" in objects.protected
    assert by_name(first.items, f"{run}-foreign")[MODEL].protected == NOT_OURS
    assert not any(
        "my-job" in item.name for item in first.items
    )  # inputs that a person named are no leftovers
    model = by_name(first.items, run)[MODEL]
    assert model.protected == "" and model.owner == f"run {run}"

    tag(
        platform,
        f"arn:aws:sagemaker:{platform.region}:{platform.account}:model/{run}-foreign",
        run=run,
        keep="true",
    )
    assert (
        "mlconsole:keep"
        in by_name(plan(platform, Rules(young=0, all_owners=True), later(), runs=()).items, f"{run}-foreign")[
            MODEL
        ].protected
    )
    sagemaker.delete_model(ModelName=f"{run}-foreign")
    report = remove(platform, [model], RULES, now=later, runs=())
    assert [one.state for one in report.outcomes] == ["deleted"]
    second = plan(platform, RULES, later(), runs=())
    report = remove(platform, second.chosen([(OBJECTS, place)]), RULES, now=later, runs=())
    assert [(one.state, one.detail) for one in report.outcomes] == [
        ("deleted", "2 objects; a listing finds none any more")
    ]
    assert not by_name(plan(platform, RULES, later(), runs=()).items, place)
    again = remove(platform, second.chosen([(OBJECTS, place)]), RULES, now=later, runs=())
    assert [(one.state, one.detail) for one in again.outcomes] == [("kept", "it is not left over any more")]


def test_a_configuration_is_used_again_before_it_is_deleted(platform: Platform) -> None:
    name = named("used")
    deploy(platform, name)
    own(platform, name)
    in_service(platform, name)
    endpoints.delete(platform, endpoints.DeletionPlan(endpoint=name))
    until(lambda: name not in {row.name for page in endpoints.list_pages(platform) for row in page})
    found = plan(platform, RULES, later(), runs=())
    chosen = found.chosen([(CONFIG, name)])
    assert [(item.reason, item.attached) for item in chosen] == [("no endpoint uses it", ((MODEL, name),))]
    platform.client("sagemaker").create_endpoint(EndpointName=name, EndpointConfigName=name)
    report = remove(platform, chosen, RULES, now=later, runs=())
    assert [(one.state, one.detail) for one in report.outcomes] == [("kept", "it is not left over any more")]
    in_service(platform, name)


def test_a_watcher_deletes_what_expires_and_outlives_a_look_that_fails(platform: Platform) -> None:
    name = named("expires")
    deploy(platform, name)
    own(platform, name)
    lifetime.limit(platform, in_service(platform, name).arn, 60, time.time())
    ended, told, problems = threading.Event(), [], []
    broken = [True]

    def now() -> float:
        if broken.pop() if broken else False:
            raise Problem("No answer.", "", "timeout")
        return time.time() + 120

    def looked(count: int) -> None:
        if count:
            ended.set()

    watcher = threading.Thread(
        target=watch,
        args=(platform, Rules(expired_only=True), 5.0, ended),
        kwargs={"now": now, "told": told.append, "failed": problems.append, "looked": looked},
    )
    watcher.start()
    watcher.join(120)
    assert not watcher.is_alive() and [problem.code for problem in problems] == ["timeout"]
    assert [(one.kind, one.state) for one in told] == [
        (ENDPOINT, "deleted"),
        (CONFIG, "deleted"),
        (MODEL, "deleted"),
    ]


def test_the_commands(platform: Platform) -> None:
    name = named("told")
    deploy(platform, name)
    own(platform, name)
    in_service(platform, name)
    costs = json.loads(command.run("costs", "--json").stdout)
    (row,) = [one for one in costs["resources"] if one["name"] == name]
    assert row["per_month"] == pytest.approx(83.95) and costs["prices_as_of"] and not row["unsourced_prices"]
    text = command.run("costs").stdout
    assert name in text and "$83.95" in text and "Free here" in text
    shown = command.run("endpoints", "show", name).stdout
    assert "$83.95 a month" in shown and "nobody called it yet" in shown
    assert "expires" in command.run("endpoints", "ttl", name, "8h").stdout
    assert command.run("endpoints", "ttl", name, "soon").returncode == 2
    refused = command.run("endpoints", "ttl", name, "1s", "--json")
    assert refused.returncode == 1 and json.loads(refused.stdout)["code"] == "ttl"
    planned = command.run("sweep", "--idle", "1m", "--older", "0s", "--json", "--plan")
    assert planned.returncode == 0, planned.stderr
    told = json.loads(planned.stdout)
    assert told["things"] == len(told["leftovers"])
    narrowed = command.run("sweep", "--older", "0s", "--json", "--plan", "--name", "no-such", "--sort", "age")
    assert json.loads(narrowed.stdout) | {"at": 0} == told | {"at": 0, "leftovers": []}, narrowed.stderr
    bills = json.loads(command.run("costs", "--json", "--name", "no-such", "--sort", "so-far").stdout)
    assert bills["resources"] == [] and bills["things"] >= 1 and bills["per_month"] >= 83.95
    refused = command.run("sweep", "--watch", "--expired", "--yes", "--only", name)
    assert refused.returncode == 2 and "cannot be narrowed" in refused.stderr
    watcher = command.run("sweep", "--watch")
    assert watcher.returncode == 2 and "--expired --yes" in watcher.stderr
    stays = command.run("sweep", "--only", name, "--yes")
    assert stays.returncode == 2 and name in stays.stderr
    arn = endpoints.describe(platform, name).arn
    tag(platform, arn, **{"expires-at": "2026-01-01T00:00:00Z"})
    swept = command.run("sweep", "--expired", "--yes")
    assert swept.returncode == 0 and f"deleted endpoint {name}" in swept.stdout, swept.stderr
    assert "$83.95 a month" in swept.stderr
    assert json.loads(command.run("sweep", "--expired", "--json").stdout)["leftovers"] == []
