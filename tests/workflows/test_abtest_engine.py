"""A/B tests of a real endpoint: started, fed by replays, killed, gone on with, concluded and promoted, through both interfaces."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.engine.deploying import Deployer, unique, wait_for
from workflows import interfaces
from workflows.abtest import background, operations, promotion
from workflows.abtest.definition import Experiment
from workflows.abtest.feeding import Fed
from workflows.abtest.following import Follower, follower
from workflows.abtest.replaying import ReplayRequest, payloads, plan, replay
from workflows.configuration import Configuration
from workflows.platform import Platform, open_platform
from workflows.problem import Problem

THRESHOLD = """
import os, time
def model_fn(model_dir): return float(os.environ["THRESHOLD"])
def input_fn(body, content_type):
    if "boom" in body: raise RuntimeError("boom")
    return float(body)
def predict_fn(data, model): return int(data > model)
def output_fn(prediction, accept): return str(prediction)
"""


@pytest.fixture
def platform(on_engine: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Platform]:
    monkeypatch.setenv("MLCONSOLE_EXPERIMENTS_DIR", str(tmp_path / "experiments"))
    opened = open_platform(Configuration())
    with opened.applied():
        yield opened


@pytest.fixture
def deploy(platform: Platform) -> Iterator[Deployer]:
    assert platform.engine is not None
    connection = SimpleNamespace(
        default_bucket=platform.bucket, role_arn=platform.role_arn, account_id=platform.account
    )
    deployer = Deployer(SimpleNamespace(client=platform.client, connection=connection))  # type: ignore[arg-type]
    yield deployer
    deployer.clean()


@pytest.fixture
def endpoint(deploy: Deployer) -> str:
    """Variant A is wrong for a quarter of the rows, B for none; a tenth of the labels is noise."""
    models = [deploy.model(THRESHOLD, THRESHOLD=threshold) for threshold in ("0.75", "0.5")]
    return deploy.endpoint(*models, weights=(3.0, 1.0))


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Numbers with the answer that is right for nine tenths of them."""
    draw = random.Random(1)
    path = tmp_path / "rows.csv"
    lines = ["label,x"]
    for _ in range(400):
        x = round(draw.random(), 4)
        lines.append(f"{int((x > 0.5) != (draw.random() < 0.1))},{x}")
    path.write_text("\n".join(lines) + "\n")
    return path


def experiment(endpoint: str, name: str, **more: Any) -> Experiment:
    return Experiment(
        **{
            "name": name,
            "endpoint": endpoint,
            "variants": ("A", "B"),
            "control": "A",
            "weights": {"A": 1.0, "B": 1.0},
            "metric": "accuracy",
            "planned": 2_000,
            "guardrails": ("model-errors", "4xx", "5xx"),
            **more,
        }
    )


def weights(platform: Platform, endpoint: str) -> dict[str, float]:
    state = platform.client("sagemaker").describe_endpoint(EndpointName=endpoint)
    return {item["VariantName"]: item["CurrentWeight"] for item in state["ProductionVariants"]}


def to_verdict(platform: Platform, rollouts: Any, name: str, rows: Path) -> Follower:
    request = ReplayRequest(source=str(rows), label="label", requests=6_000, concurrency=4)
    replay(platform, rollouts, name, payloads(request), plan(request))
    return follower(name)


def test_an_ab_test_runs_to_its_verdict_and_the_winner_gets_the_traffic(
    platform: Platform, deploy: Deployer, endpoint: str, rows: Path
) -> None:
    """Low: promoted by weights; then high, by a blue/green update to a configuration of the winner only."""
    low = interfaces.make("low", platform).rollouts
    name = unique("ab")
    operations.start(platform, low, experiment(endpoint, name))
    assert weights(platform, endpoint) == {"A": 1.0, "B": 1.0}
    with pytest.raises(Problem, match="is running on endpoint"):
        operations.start(platform, low, experiment(endpoint, unique("ab")))
    found = to_verdict(platform, low, name, rows).report()
    (one,) = found.comparisons
    assert (found.verdict, found.winner, found.split_wrong) == ("better", "B", False), found.as_dict()
    assert one.low < 0.2 < one.high + 0.1
    assert found.oddities == {}
    assert found.requests == found.rewarded
    assert all(arm.latency for arm in found.arms)
    ended = promotion.promote(platform, low, promotion.plan(name))
    assert (ended.state, ended.outcome["winner"]) == ("promoted", "B")
    assert weights(platform, endpoint) == {"A": 0.0, "B": 1.0}
    with pytest.raises(Problem, match="has ended: promoted"):
        operations.stop(platform, low, name)

    high = interfaces.make("high", platform).rollouts
    again = unique("ab")
    operations.start(platform, high, experiment(endpoint, again))
    assert weights(platform, endpoint) == {"A": 1.0, "B": 1.0}
    assert to_verdict(platform, high, again, rows).report().winner == "B"
    ended = promotion.promote(platform, high, promotion.plan(again, how="all-at-once"))
    state = deploy.in_service(endpoint)
    assert weights(platform, endpoint) == {"B": 1.0}
    assert state["EndpointConfigName"] == ended.outcome["config"]
    operations.remove(again)
    with pytest.raises(Problem, match="There is no A/B test"):
        follower(again)


def test_a_killed_replay_loses_nothing_and_weights_may_change(
    platform: Platform, endpoint: str, rows: Path
) -> None:
    """kill -9 in the middle: what was answered counts; the replay goes on; new weights begin a segment; the end restores the weights."""
    low = interfaces.make("low", platform).rollouts
    name = unique("ab")
    operations.start(platform, low, experiment(endpoint, name, weights={"A": 9.0, "B": 1.0}))
    request = ReplayRequest(source=str(rows), label="label", requests=100_000, until_verdict=False)
    known = follower(name)
    background.start(name, request, Configuration())
    wait_for(lambda: known.update().rewarded > 50)
    state = background.state(name)
    assert state is not None and state.status == "running"
    with pytest.raises(Problem, match="feeds A/B test"):
        background.start(name, request, Configuration())

    pid = json.loads((known.journal.folder / background.FILE).read_text())["pid"]
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: (found := background.state(name)) is not None and found.status == "interrupted")
    before = Follower(known.journal).report()
    assert before.requests >= 50
    assert before.requests - before.rewarded <= 1
    background.start(name, request, Configuration())
    operations.weigh(platform, low, name, {"B": 9.0})
    wait_for(lambda: known.update().segments[-1].requests[1] > 30)
    assert background.end(name)
    wait_for(lambda: (found := background.state(name)) is not None and found.status == "done")
    found = known.report()
    assert not found.split_wrong
    assert set(found.oddities) <= {"outside"}
    assert [arm.share for arm in found.arms] == [0.5, 0.5]
    ended = operations.stop(platform, low, name)
    assert ended.state == "stopped"
    assert weights(platform, endpoint) == {"A": 3.0, "B": 1.0}


def test_single_requests_failures_and_sticky_users(platform: Platform, endpoint: str) -> None:
    """Requests through the test are noted; failures count for the guardrail of the variant that was asked; users stick."""
    low = interfaces.make("low", platform).rollouts
    name = unique("ab")
    operations.start(platform, low, experiment(endpoint, name, sticky=True))
    with pytest.raises(Problem, match="assigns users"):
        operations.invoke(platform, name, b"0.6", content_type="text/csv")
    answers = {
        user: operations.invoke(platform, name, b"0.6", content_type="text/csv", user=user)
        for user in ("anna", "ben", "cleo", "dan", "eve", "finn")
    }
    assert {answer.variant for answer in answers.values()} == {"A", "B"}
    again = operations.invoke(platform, name, b"0.6", content_type="text/csv", user="anna")
    assert again.variant == answers["anna"].variant
    with pytest.raises(Problem):
        operations.invoke(platform, name, b"boom", content_type="text/csv", user="gus")
    intake = operations.feed_from(name, lambda request: 1.0)
    found = follower(name).report()
    assert intake.counted == 7
    assert found.oddities == {"same-user": 1}
    assert sum(sum(arm.failures.values()) for arm in found.arms) == 1
    assert "anna" not in follower(name).journal.file.read_text()


def test_weights_that_somebody_else_changes_begin_a_segment(
    platform: Platform, deploy: Deployer, endpoint: str
) -> None:
    """Outside of the test: noticed at the next look, and what has no second variant any more does not count."""
    low = interfaces.make("low", platform).rollouts
    name = unique("ab")
    operations.start(platform, low, experiment(endpoint, name))
    low.weigh(endpoint, {"A": 1.0, "B": 4.0})
    deploy.in_service(endpoint)
    operations.observe(low, name)
    assert follower(name).update().weights == {"A": 1.0, "B": 4.0}
    low.weigh(endpoint, {"A": 0.0, "B": 4.0})
    deploy.in_service(endpoint)
    operations.observe(low, name)
    assert follower(name).update().weights is None
    with pytest.raises(Problem, match="would get no traffic"):
        operations.weigh(platform, low, name, {"B": 0.0})
    with pytest.raises(Problem, match="has no variant C"):
        operations.start(
            platform, low, experiment(endpoint, unique("ab"), variants=("A", "C"), weights={"A": 1, "C": 1})
        )


@pytest.mark.slow
@pytest.mark.parametrize("carried", ["low", "high"])
def test_xgboost_against_linear_learner(
    platform: Platform, deploy: Deployer, tmp_path: Path, carried: str
) -> None:
    """The lesson's A/B: both trained on one data set, weights 1:1, to a verdict and a promotion."""
    from tests.workflows.contest import contest

    chosen = interfaces.make(carried, platform)
    endpoint, rows = contest(platform, chosen, deploy, tmp_path)
    name = unique("ab")
    made = experiment(
        endpoint, name, variants=("linear", "xgboost"), control="linear", weights={"linear": 1, "xgboost": 1}
    )
    operations.start(platform, chosen.rollouts, made)
    request = ReplayRequest(
        source=str(rows), label="0", requests=20_000, header=False, content_type="text/csv"
    )
    replay(platform, chosen.rollouts, name, payloads(request), plan(request))
    found = follower(name).report()
    assert (found.verdict, found.winner) == ("better", "xgboost"), found.as_dict()
    how: promotion.How = "weights" if carried == "low" else "canary"
    promotion.promote(platform, chosen.rollouts, promotion.plan(name, how=how, wait=1), wait=1)
    deploy.in_service(endpoint)
    assert {name: weight for name, weight in weights(platform, endpoint).items() if weight} == {
        "xgboost": 1.0
    }
    assert time.time() > found.started


def test_assignments_come_from_captured_requests(platform: Platform, deploy: Deployer) -> None:
    """What DataCapture has written tells which variant answered which InferenceId; what was before the test does not count."""
    models = [deploy.model(THRESHOLD, THRESHOLD="0.5") for _ in "AB"]
    prefix = unique("captured")
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{platform.bucket}/{prefix}",
        "CaptureOptions": [{"CaptureMode": "Output"}],
    }
    endpoint = deploy.endpoint(*models, weights=(1.0, 1.0), DataCaptureConfig=capture)
    name = unique("ab")
    low = interfaces.make("low", platform).rollouts
    operations.start(platform, low, experiment(endpoint, name))
    began = follower(name).update().segments[-1].start

    def line(number: int, at: float) -> str:
        when = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        event = {"eventId": unique("event"), "inferenceId": f"call-{number}", "inferenceTime": when}
        return json.dumps({"captureData": {}, "eventMetadata": event, "eventVersion": "0"})

    hour = datetime.fromtimestamp(began, UTC).strftime("%Y/%m/%d/%H")
    for variant, lines in (("A", [line(1, began + 1), line(9, began - 60)]), ("B", [line(2, began + 2)])):
        key = f"{prefix}/{endpoint}/{variant}/{hour}/00-00-000-x.jsonl"
        body = "\n".join(lines).encode()
        platform.client("s3").put_object(Bucket=platform.bucket, Key=key, Body=body)
    rewards = [Fed(id=f"call-{number}", reward=1.0) for number in (1, 2, 9)]
    assert operations.feed(name, rewards).oddities == {"unknown": 3}
    assert operations.feed_captured(platform, name).counted == 2
    assert operations.feed_captured(platform, name).rows == 0
    found = follower(name).report()
    assert [arm.rewarded for arm in found.arms] == [1, 1]
    assert found.oddities == {"unknown": 1}
