"""Several targets at once: how they are named, and what is seen of them."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.console.faulty import RECORDED, Faulty
from workflows import options
from workflows.configuration import Configuration, ConfigurationError
from workflows.costs import prices
from workflows.platform import Platform
from workflows.problem import Problem
from workflows.targets import glances as several
from workflows.targets.entries import Entry, listed, parse
from workflows.targets.glance import MOST_DESCRIBED, Glance, Known, Tally, glance
from workflows.targets.glances import Glances


def test_entries_are_read_and_written_alike() -> None:
    text = "embedded, prod, team.x@eu-west-1,@us-gov-west-1, prod,"
    entries = parse(text)
    assert entries == (Entry("embedded"), Entry("aws", "prod"), Entry("aws", "team.x", "eu-west-1"), Entry("aws", "", "us-gov-west-1"))  # fmt: skip
    assert parse(",".join(map(str, entries))) == entries
    assert parse("") == parse(" , ") == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("embedded, eu-west-1", "write @eu-west-1"),
        ("prod@europe", "'prod@europe' does not end with a region"),
        ("prod@", "'prod@' does not end with a region"),
        ("embedded@us-east-1", "write embedded"),
        ("prod dev", "'prod dev' is no profile's name"),
    ],
)
def test_a_bad_entry_is_named_with_its_remedy(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f'targets = "{text}"\n')
    with pytest.raises(ConfigurationError) as caught:
        options.validated({}, file)
    assert says in str(caught.value) and f"{file}, line 1: targets" in str(caught.value)


def test_the_present_target_is_always_among_them(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('targets = ["dev", "embedded"]\n')
    dev, embedded, prod = Entry("aws", "dev"), Entry("embedded"), Entry("aws", "prod", "eu-west-1")
    assert listed(options.validated({}, file)) == (dev, embedded)
    assert listed(Configuration()) == (embedded,)
    there = Configuration(target="aws", profile="prod", region="eu-west-1", targets="dev")
    assert listed(there) == (prod, dev)
    assert prod.of(there).looks_only and dev.of(there).region == "", "the profile's own region"


def test_a_glance_at_the_embedded_one_counts_and_prices(platform: Platform) -> None:
    client = platform.client("sagemaker")
    image = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    client.create_model(
        ModelName="seen", ExecutionRoleArn=platform.role_arn, PrimaryContainer={"Image": image}
    )
    variant = {"VariantName": "a", "ModelName": "seen", "InstanceType": "ml.m5.large", "InitialInstanceCount": 2, "InitialVariantWeight": 1.0}  # fmt: skip
    client.create_endpoint_config(EndpointConfigName="seen", ProductionVariants=[variant])
    before = prices.current().region
    known = Known()
    nothing = glance(Configuration(), known=known)
    client.create_endpoint(EndpointName="seen", EndpointConfigName="seen")
    try:
        calls: list[str] = []
        stop = known.gateway.gateway.observe(lambda call: calls.append(call.operation))
        seen = glance(Configuration(), known=known)
        stop()
    finally:
        deadline = time.monotonic() + 60
        while client.describe_endpoint(EndpointName="seen")["EndpointStatus"] == "Creating":
            assert time.monotonic() < deadline
            time.sleep(0.1)
        client.delete_endpoint(EndpointName="seen")
    assert nothing.problem is seen.problem is None
    assert (seen.account, seen.region) == (platform.account, platform.region)
    assert seen.training == Tally(0) and seen.endpoints and nothing.endpoints
    total = [sum((one.in_service, one.changing, one.failed)) for one in (nothing.endpoints, seen.endpoints)]
    assert total[1] == total[0] + 1
    lists = [call for call in calls if call.startswith("List")]
    assert len(lists) == 4
    assert prices.current().region == before
    if not seen.endpoints.failed:  # it has no artifact, which it may have found out already
        assert seen.hourly and seen.hourly.dollars > 0 and seen.basis


@pytest.mark.parametrize("fault", ["expired", "denied", "refused"])
def test_what_keeps_from_a_look_is_told_with_its_remedy(
    platform: Platform, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = platform.engine
    assert engine is not None
    with closing(Faulty(platform.endpoint_url)) as faulty:
        for name, value in {"AWS_ENDPOINT_URL": faulty.url, "AWS_ACCESS_KEY_ID": engine.access_key, "AWS_SECRET_ACCESS_KEY": engine.secret_key}.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        there, known = Configuration(target="aws", region=platform.region), Known()
        assert glance(there, known=known).problem is None
        faulty.fails(fault)
        seen = glance(there, known=known)
        faulty.fails("")
        assert glance(there, known=known).problem is None, "it is asked again, and answers"
    assert seen.problem is not None and seen.problem.remedy
    assert seen.problem.code == (RECORDED[fault][1] if fault in RECORDED else "unreachable")


class Listed:
    """A gateway with many endpoints; it denies transform jobs, and counts."""

    account, region, target = "123456789012", "us-east-1", "aws"

    def __init__(self) -> None:
        self.calls: list[str] = []

    def urgent(self) -> Listed:
        return self

    def client(self, service: str) -> Any:
        return self

    def __getattr__(self, method: str) -> Any:
        def call(**asked: Any) -> dict[str, Any]:
            self.calls.append(method)
            if method == "list_endpoints":
                return {"Endpoints": [{"EndpointName": f"e{n}", "EndpointStatus": "InService"} for n in range(100)], "NextToken": "more"}  # fmt: skip
            if method == "list_transform_jobs":
                raise Problem("You are not allowed to.", "Ask for a policy.", "AccessDeniedException")
            if method == "describe_endpoint":
                return {"EndpointName": asked["EndpointName"], "EndpointStatus": "InService", "EndpointConfigName": "c"}  # fmt: skip
            if method == "describe_endpoint_config":
                return {"EndpointConfigName": "c", "ProductionVariants": [{"VariantName": "a", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}]}  # fmt: skip
            return {}

        if method.startswith("__"):
            raise AttributeError(method)
        return call


def test_calls_are_bounded_and_what_is_missing_is_said() -> None:
    gateway = Listed()
    known = Known(gateway=gateway)
    seen = glance(Configuration(target="aws"), known=known)
    assert sum(call.startswith("list") for call in gateway.calls) == 4
    assert sum(call == "describe_endpoint" for call in gateway.calls) == MOST_DESCRIBED
    assert seen.endpoints is not None and seen.endpoints.more and seen.endpoints.in_service == 100
    assert seen.transform is None and "not allowed" in seen.notes[0]
    assert seen.at_least and seen.hourly is not None and seen.hourly.dollars > 0
    again = glance(Configuration(target="aws"), known=known)
    assert again.hourly is not None and again.hourly.dollars > seen.hourly.dollars, (
        "the next ones are described"
    )
    assert len(known.billed) == 2 * MOST_DESCRIBED


def test_one_that_hangs_is_told_and_not_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    release, asked = threading.Event(), []

    def slow(configuration: Configuration, entry: Entry, known: Known) -> Glance:
        asked.append(entry)
        if entry.profile == "hung":
            release.wait(60)
        return Glance(entry=entry, at=1.0, training=Tally(1))

    monkeypatch.setattr(several, "glance", slow)
    watch = Glances(Configuration(targets="hung, " + ", ".join(f"p{n}" for n in range(12))), deadline=0.3)
    first = list(watch.look())
    assert len(first) == 14 and [one.entry.profile for one in first if one.problem] == ["hung"]
    assert first[-1].problem and first[-1].problem.code == "timeout", "the others come first"
    second = {one.entry: one for one in watch.look()}
    assert second[Entry("aws", "hung")].problem and asked.count(Entry("aws", "hung")) == 1
    release.set()
