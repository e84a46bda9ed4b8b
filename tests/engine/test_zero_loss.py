"""Traffic through every kind of deployment: nothing fails, nothing is lost, and each step's shares are the declared ones."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.conftest import RunningEngine
from tests.engine.deploying import Deployer, unique, wait_for
from tests.engine.rollouts import Watcher, alarm, blue_green, percent, rolling, set_alarm
from tests.engine.traffic import Traffic, chance

Start = Callable[..., RunningEngine]

WORD = """
import os
def model_fn(model_dir): return os.environ["WORD"]
def transform_fn(model, data, content_type, accept): return model
"""
SCALE = 0.01
"""An engine's time scale unless it is told otherwise."""
BEFORE, AFTER = 0.3, 0.02
"""Seconds before and after a shift whose requests may belong to either side: one may wait in the engine before it is given to a fleet."""


def bakes(watcher: Watcher) -> list[tuple[float, float, str]]:
    """Every baking of the new fleet as it was seen: begin, end, and its message."""
    found: list[tuple[float, float, str]] = []
    for answer in watcher.seen:
        pending = answer.get("PendingDeploymentSummary")
        status = (pending or {"ProductionVariants": [{}]})["ProductionVariants"][0].get("VariantStatus")
        modified = answer["LastModifiedTime"].timestamp()
        if found and found[-1][1] == 0.0:
            found[-1] = (found[-1][0], modified, found[-1][2])
        if status and status[0]["Status"] == "Baking":
            found.append((status[0]["StartTime"].timestamp(), 0.0, status[0]["StatusMessage"]))
    return found


def hammer(running: RunningEngine, rate: float, wait: int) -> tuple[Traffic, list[tuple[str, int, float]]]:
    """Lead traffic through all four strategies and a rollback; the traffic, and per step and group (size, chance).

    Args:
        wait: Declared seconds of each baking.
    """
    deploy = Deployer(running)
    weights = {"A": 3.0, "B": 1.0}

    def config(word: str) -> str:
        model = deploy.model(WORD, WORD=word)
        variants = [
            {
                "VariantName": variant,
                "ModelName": model,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": count,
                "InitialVariantWeight": weights[variant],
            }
            for variant, count in (("A", 2), ("B", 1))
        ]
        name = unique("config")
        deploy.sm.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
        return name

    name = deploy.create(config("word0"))
    deploy.in_service(name)
    watched = alarm(deploy)
    strategies: list[tuple[str, dict[str, Any], list[float]]] = [
        ("all at once", blue_green("ALL_AT_ONCE", 0, wait, (watched,)), [1.0]),
        ("canary", blue_green("CANARY", wait, wait, (watched,), CanarySize=percent(10)), [0.1, 1.0]),
        ("linear", blue_green("LINEAR", wait, wait, (watched,), LinearStepSize=percent(30)), [0.3, 0.6, 0.9, 1.0]),
        ("rolling", rolling(percent(50), wait, (watched,)), [0.5, 1.0]),
        ("rolled back", blue_green("CANARY", 3600, 0, (watched,), CanarySize=percent(50)), [0.5]),
    ]  # fmt: skip
    found: list[tuple[str, int, float]] = []
    with Traffic(running, name, rate) as traffic:
        wait_for(lambda: len(traffic.calls) > 20)
        for number, (kind, deployment, shares) in enumerate(strategies, 1):
            word, back = f"word{number}", kind == "rolled back"
            with Watcher(deploy, name) as watcher:
                deploy.sm.update_endpoint(
                    EndpointName=name, EndpointConfigName=config(word), DeploymentConfig=deployment
                )
                if back:
                    begin = wait_for(lambda watcher=watcher: bakes(watcher), 600)[0][0]
                    wait_for(
                        lambda begin=begin: len(traffic.between(begin, math.inf)) > rate * wait * SCALE, 600
                    )
                    set_alarm(deploy, watched, "ALARM")
                ended = wait_for(
                    lambda: (d := deploy.status(name))["EndpointStatus"] != "Updating" and d, 600
                )
            assert ended["EndpointStatus"] == "InService"
            assert ("FailureReason" in ended) is back, ended
            seen = bakes(watcher)
            assert len(seen) == len(shares), (kind, seen)
            for (begin, end, _), share in zip(seen, shares, strict=True):
                calls = traffic.between(begin + AFTER, end - BEFORE)
                new = sum(call.answer == word for call in calls)
                found.append((f"{kind} {share:.0%}", len(calls), chance(new, len(calls), share)))
                first = sum(call.variant == "A" for call in calls)
                found.append((f"{kind} {share:.0%} A:B", len(calls), chance(first, len(calls), 0.75)))
        time.sleep(0.5)
        settled = time.time()
        wait_for(lambda: len(traffic.between(settled, time.time())) > 20)
    assert {call.answer for call in traffic.calls if call.sent >= settled} == {"word4"}
    deploy.delete(name)
    return traffic, found


def check(traffic: Traffic, shares: list[tuple[str, int, float]], least: int) -> None:
    assert traffic.failed == []
    assert len(traffic.calls) == traffic.asked
    # All looks together may fail by chance in one of ten thousand runs.
    for step, count, likely in shares:
        assert count >= least, (step, count)
        assert likely >= 1e-4 / len(shares), (step, count, likely)


def test_no_request_is_lost_by_any_deployment(start_engine: Start) -> None:
    traffic, shares = hammer(start_engine(), rate=60, wait=90)
    check(traffic, shares, 5)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_request_is_lost_at_full_size(start_engine: Start) -> None:
    """200 requests a second through minutes of deployments: some 40,000 requests."""
    traffic, shares = hammer(start_engine(), rate=200, wait=1500)
    for step, count, likely in shares:
        print(f"{step:24} {count:6} requests, p = {likely:.3f}")
    print(f"{len(traffic.calls)} requests, {len(traffic.failed)} failed")
    check(traffic, shares, 2000)


BROKEN = """
import random
def model_fn(model_dir): return random.Random(1)
def transform_fn(model, data, content_type, accept):
    if model.random() < 0.1: raise RuntimeError("one in ten")
    return "broken"
"""


@pytest.mark.parametrize(
    ("rate", "period"), [(80, 10), pytest.param(200, 60, marks=pytest.mark.slow, id="full size")]
)
def test_a_bad_model_is_rolled_back_by_its_alarm(start_engine: Start, rate: int, period: int) -> None:
    """One that fails for a tenth of its requests is gone before it has had 5,000; the old one failed for none."""
    running = start_engine()
    deploy = Deployer(running)
    name = deploy.endpoint(deploy.model(WORD, WORD="good"))
    before = deploy.status(name)["EndpointConfigName"]
    config = deploy.config(deploy.model(BROKEN))
    watched = alarm(
        deploy,
        state=None,
        Namespace="AWS/SageMaker",
        MetricName="Invocation5XXErrors",
        Dimensions=[
            {"Name": "EndpointName", "Value": name},
            {"Name": "VariantName", "Value": "A"},
            {"Name": "EndpointConfigName", "Value": config},
        ],
        Period=period,
        Threshold=0.02,
        TreatMissingData="notBreaching",
    )
    canary = blue_green("CANARY", 3600, 0, (watched,), CanarySize=percent(50))
    with Traffic(running, name, rate) as traffic:
        deploy.sm.update_endpoint(EndpointName=name, EndpointConfigName=config, DeploymentConfig=canary)
        found = wait_for(lambda: (d := deploy.status(name))["EndpointStatus"] != "Updating" and d, 120)
        since = time.time()
        wait_for(lambda: len(traffic.between(since, time.time())) > 20)
    assert found["EndpointConfigName"] == before
    assert watched in found["FailureReason"]
    bad = [call for call in traffic.calls if call.answer == "broken" or "one in ten" in call.problem]
    print(f"rolled back after {len(bad)} requests")
    assert 0 < len(bad) < 5000
    assert {call.status for call in bad} == {200, 424}
    assert [call for call in traffic.failed if call not in bad] == []
    assert not [call for call in bad if call.sent > since]
    deploy.delete(name)
