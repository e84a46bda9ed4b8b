"""The console's services on a real engine: bills, lifetimes, sweeps and drift as the screens ask for them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.live import LiveServices
from tests.console.test_live_tuning import Watched, engine  # noqa: F401
from tests.workflows.test_drift import NOW, made_up, store
from tests.workflows.test_observe import deploy
from tests.workflows.test_sweep import in_service, own
from workflows import topics
from workflows.configuration import Configuration
from workflows.platform import Platform, open_platform
from workflows.problem import Problem
from workflows.sweep.leftovers import ENDPOINT, MODEL, OBJECTS, Outcome, Rules

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def platform(engine: Path) -> Iterator[Platform]:  # noqa: F811
    opened = open_platform(Configuration())
    opened.client("s3").create_bucket(Bucket=opened.bucket)
    yield opened


def test_a_person_sees_limits_and_sweeps(platform: Platform) -> None:
    deploy(platform, "mine")
    own(platform, "mine")
    in_service(platform, "mine")
    run = "moons-20260101-101010-abcd"
    platform.client("s3").put_object(Bucket=platform.bucket, Key=f"mlconsole/{run}/x", Body=b"1")
    services = LiveServices(Configuration())
    services.start(lambda status: None)
    try:
        bills = Watched(services, topics.COSTS)
        view = bills.until(lambda view: view.rows)
        assert view.hourly.dollars == pytest.approx(0.115)
        told = services.set_lifetime("mine", 3600.0)
        assert told.expires == pytest.approx(time.time() + 3600, abs=60)
        services.refresh()
        bills.until(lambda view: view.rows[0].lifetime.expires == told.expires)
        assert services.set_lifetime("mine", None, keep=True).keep
        assert services.set_lifetime("mine", None).expires is None

        rules = Rules(young=0)
        place = f"s3://{platform.bucket}/mlconsole/{run}/"
        assert [item.key for item in services.plan_sweep(rules).free] == [(OBJECTS, place)]
        platform.client("sagemaker").delete_endpoint(EndpointName="mine")
        bills.until(lambda view: not view.rows)
        heard: list[Outcome] = []
        free = services.plan_sweep(rules).free
        report = services.sweep(free, rules, heard.append)
        assert [one.state for one in report.outcomes] == ["deleted"] * 3 and tuple(heard) == report.outcomes
        assert {one.kind for one in heard} == {"endpoint configuration", MODEL, OBJECTS}
        assert not any(item.kind == ENDPOINT for item in services.plan_sweep(rules).items)
    finally:
        services.close()


def test_drift_of_a_capture_is_worked_out_beside_the_console(platform: Platform) -> None:
    deploy(platform, "texts")
    services = LiveServices(Configuration())
    try:
        with pytest.raises(Problem, match="captures no data"):
            services.drift("texts", "first:half", None, "")
        place = store(platform, "texts", {9: made_up(80, 1), 2: made_up(60, 2, banana=0.4)})
        raw = platform.client("sagemaker").describe_endpoint_config(EndpointConfigName="texts")
        config = {
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": place,
            "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
        }
        sagemaker = platform.client("sagemaker")
        sagemaker.delete_endpoint_config(EndpointConfigName="texts")
        sagemaker.create_endpoint_config(
            EndpointConfigName="texts", ProductionVariants=raw["ProductionVariants"], DataCaptureConfig=config
        )
        report = services.drift("texts", "first:80", None, "")
        assert report.verdict == "drift" and report.families[0].changes[0].name == "banana"
        assert report.baseline.until == pytest.approx(NOW - 9 * 3600 + 79)
    finally:
        services.close()
