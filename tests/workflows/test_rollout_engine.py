"""Rollouts on a real engine through both interfaces: to success, taken back by an alarm, taken back by hand."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.deploying import wait_for
from tests.workflows.rolling import Hosted
from workflows import interfaces
from workflows.configuration import Configuration
from workflows.interfaces.base import Interface
from workflows.interfaces.waiting import EMBEDDED, Waiter
from workflows.observe import endpoints
from workflows.platform import Platform, open_platform
from workflows.problem import Problem
from workflows.rollout import operations, record, remains
from workflows.rollout.record import Place, Rollout
from workflows.rollout.request import Limit, Step, Strategy
from workflows.rollout.state import RolloutState
from workflows.sweep.leftovers import Rules
from workflows.sweep.plan import plan as sweep


@pytest.fixture
def platform(on_engine: Path) -> Iterator[Platform]:
    opened = open_platform(Configuration())
    with opened.applied():
        yield opened


@pytest.fixture
def hosted(platform: Platform) -> Iterator[Hosted]:
    made = Hosted(platform)
    yield made
    made.clean()


@pytest.fixture(params=["low", "high"])
def interface(request: pytest.FixtureRequest, platform: Platform) -> Interface:
    return interfaces.make(request.param, platform)


@pytest.fixture
def low(platform: Platform) -> Interface:
    return interfaces.make("low", platform)


def place(platform: Platform, interface: Interface) -> Place:
    return Place.of(platform, interface.name)


def watched(interface: Interface, rollout: Rollout) -> tuple[RolloutState, list[RolloutState]]:
    seen: list[RolloutState] = []
    end = operations.wait(
        interface.rollouts, rollout, Waiter(EMBEDDED, threading.Event()), lambda state, _: seen.append(state)
    )
    return end, seen


def test_a_canary_goes_all_the_way_and_cleans_up_with_proof(
    interface: Interface, platform: Platform, hosted: Hosted
) -> None:
    endpoint = hosted.endpoint()
    model = hosted.model("green")
    planned = hosted.plan(endpoint, model, step=Step(50), wait=200, bake=300)
    assert not planned.errors
    with hosted.called(endpoint) as answers:
        rollout = operations.start(interface.rollouts, planned, place(platform, interface))
        end, seen = watched(interface, rollout)
    assert (end.outcome, end.share, end.phase) == ("succeeded", 1.0, "ended")
    assert answers["green"] and not answers["error"], answers
    phases = {state.phase for state in seen}
    assert {"provisioning", "baking", "final-bake", "ended"} <= phases
    baking = next(state for state in seen if state.phase == "baking")
    assert baking.share == 0.5 and baking.left is not None and 0 <= baking.left <= 2
    assert baking.green.variants[0].name == "AllTraffic" and baking.title == "canary bakes"
    assert {alarm.gauge for alarm in baking.alarms} == {"5xx", "4xx", "model-errors", ""}  # p99 has no past
    assert baking.green_traffic is not None
    kinds = [event.kind for event in record.read(rollout.folder).events]
    assert kinds[-1] == "finished" and kinds.count("started") == 1
    assert remains.settle(interface.rollouts, rollout)
    names = [document["AlarmName"] for document in planned.alarms]
    assert interface.rollouts.alarms(names) == []
    used = endpoints.configs_of_others(platform, "")
    cleaning = remains.cleaning(
        interface.rollouts,
        rollout,
        operations.glance(interface.rollouts, rollout, time.time()),
        used,
        old=True,
    )
    assert cleaning.things == (("endpoint configuration", planned.blue),)
    remains.clean(interface.rollouts, rollout, cleaning)
    assert interface.rollouts.configuration(planned.blue) is None
    assert hosted.status(endpoint)["EndpointConfigName"] == planned.green
    with pytest.raises(Problem, match="was deleted"):
        operations.roll_back(interface.rollouts, rollout)


def test_a_model_that_fails_in_a_tenth_is_taken_back_by_its_alarm(
    low: Interface, platform: Platform, hosted: Hosted
) -> None:
    endpoint = hosted.endpoint()
    planned = hosted.plan(endpoint, hosted.model("flaky"), step=Step(20), wait=3000, bake=0)
    with hosted.called(endpoint) as answers:
        rollout = operations.start(low.rollouts, planned, place(platform, low))
        end, _ = watched(low, rollout)
        served = sum(answers.values())
    assert end.outcome == "rolled-back" and "ALARM" in end.failure
    assert answers["error"] > 0 and answers["error"] + answers["flaky"] < served < 5000
    assert hosted.status(endpoint)["EndpointConfigName"] == planned.blue
    fired = [event for event in record.read(rollout.folder).events if event.kind == "alarm"]
    assert any("model errors" in event.sentence and "ALARM" in event.sentence for event in fired)
    used = endpoints.configs_of_others(platform, "")
    cleaning = remains.cleaning(
        low.rollouts, rollout, operations.glance(low.rollouts, rollout, time.time()), used
    )
    assert ("endpoint configuration", planned.green) in cleaning.things
    gone = remains.clean(low.rollouts, rollout, cleaning)
    assert len(gone) == len(cleaning.things) == len(planned.alarms) + 1
    assert record.read(rollout.folder).known.left == ()


@pytest.mark.parametrize("strategy", ["linear", "rolling"])
def test_step_by_step_to_the_end(
    strategy: Strategy, low: Interface, platform: Platform, hosted: Hosted
) -> None:
    endpoint = hosted.endpoint(count=2)
    planned = hosted.plan(endpoint, hosted.model("green"), strategy=strategy, wait=100, bake=100)
    assert [phase.share for phase in planned.phases if phase.kind in ("wait", "bake")] == [0.5, 1.0]
    with hosted.called(endpoint) as answers:
        rollout = operations.start(low.rollouts, planned, place(platform, low))
        end, seen = watched(low, rollout)
    assert end.outcome == "succeeded" and not answers["error"]
    told = [state.share for state in seen]
    assert told == sorted(told) and {0.5, 1.0} <= set(told)
    half = next(state for state in seen if state.share == 0.5 and state.phase == "baking")
    assert half.step == 1 and half.remaining is not None and half.remaining > (half.left or 0.0)
    if strategy == "rolling":
        assert [fleet.variants[0].current_count for fleet in (half.blue, half.green)] == [2, 1]


def test_by_hand_back_while_it_runs_and_after_it(low: Interface, platform: Platform, hosted: Hosted) -> None:
    endpoint = hosted.endpoint()
    planned = hosted.plan(endpoint, hosted.model("green"), wait=3600, bake=0, timeout=7200, limits={})
    rollout = operations.start(low.rollouts, planned, place(platform, low))
    wait_for(lambda: operations.glance(low.rollouts, rollout, time.time()).phase == "baking")
    with pytest.raises(Problem, match="no call that skips a bake"):
        operations.promote(low.rollouts, rollout)
    with pytest.raises(Problem, match="has not ended"):
        remains.cleaning(low.rollouts, rollout, operations.glance(low.rollouts, rollout, time.time()), {})
    again, how = operations.roll_back(low.rollouts, rollout)
    assert again.id == rollout.id and "SetAlarmState" in how
    end, _ = watched(low, record.find(rollout.id))  # somebody else attaches
    assert end.outcome == "rolled-back" and "roll-back-now" in end.failure
    with pytest.raises(Problem, match="nothing to roll back"):
        operations.roll_back(low.rollouts, record.find(rollout.id))
    # After the end: the configuration before.
    second = hosted.plan(endpoint, hosted.model("green"), strategy="all-at-once", wait=0, bake=0, limits={})
    rollout = operations.start(low.rollouts, second, place(platform, low))
    assert watched(low, rollout)[0].outcome == "succeeded"
    with pytest.raises(Problem, match="all of the traffic"):
        operations.promote(low.rollouts, rollout)
    left = {item.name: item.protected for item in sweep(platform, Rules(all_owners=True), time.time()).items}
    assert left[planned.blue] == f"rolling back {rollout.id} needs it"
    back, how = operations.roll_back(low.rollouts, record.read(rollout.folder))
    assert back.id != rollout.id and "UpdateEndpoint" in how
    assert watched(low, back)[0].outcome == "succeeded"
    assert hosted.status(endpoint)["EndpointConfigName"] == planned.blue


def test_what_sagemaker_refuses_leaves_nothing(low: Interface, platform: Platform, hosted: Hosted) -> None:
    endpoint = hosted.endpoint()
    planned = hosted.plan(endpoint, hosted.model("green"), limits={"5xx": Limit(0.01)})
    hosted.sm.delete_endpoint(EndpointName=endpoint)
    with pytest.raises(Problem):
        operations.start(low.rollouts, planned, place(platform, low))
    assert low.rollouts.configuration(planned.green) is None
    assert low.rollouts.alarms([document["AlarmName"] for document in planned.alarms]) == []
    known = record.find(planned.id).known
    assert known.left == () and known.outcome == "failed"


def test_a_challenger_beside_the_champion_is_promoted_by_weights(
    low: Interface, platform: Platform, hosted: Hosted
) -> None:
    endpoint = hosted.endpoint(champion=1.0)
    (champion,) = hosted.sm.describe_endpoint_config(EndpointConfigName=endpoint)["ProductionVariants"]
    challenger = {
        **champion,
        "VariantName": "challenger",
        "ModelName": hosted.model("green"),
        "InitialVariantWeight": 0.25,
    }
    config = f"{endpoint}-both"
    hosted.sm.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[champion, challenger])
    assert "same names" in hosted.plan(endpoint, config).errors[0].sentence
    planned = hosted.plan(
        endpoint, config, strategy="all-at-once", wait=0, bake=0, retain=False, limits={"5xx": Limit(0.5)}
    )
    assert planned.variants == ("challenger",) and planned.guardrails[0].variant == "challenger"
    rollout = operations.start(low.rollouts, planned, place(platform, low))
    assert watched(low, rollout)[0].outcome == "succeeded"
    rollout = record.read(rollout.folder)
    how = operations.promote(low.rollouts, rollout)
    assert "challenger 1.25" in how and "champion 0," in how
    hosted.until(endpoint, "InService")
    with hosted.called(endpoint) as answers:
        wait_for(lambda: answers["green"] > 20)
    assert set(answers) == {"green"}
    with pytest.raises(Problem, match="all of the traffic"):
        operations.promote(low.rollouts, rollout)
    back, _ = operations.roll_back(low.rollouts, rollout)
    assert watched(low, back)[0].outcome == "succeeded"
    assert [item["VariantName"] for item in hosted.status(endpoint)["ProductionVariants"]] == ["champion"]


def test_what_a_killed_start_has_made_is_found_and_deleted(
    low: Interface, platform: Platform, hosted: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = hosted.endpoint()
    planned = hosted.plan(endpoint, hosted.artifact, limits={"5xx": Limit(0.01)})
    assert planned.model is not None
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(low.rollouts, "update", lambda document: (_ for _ in ()).throw(KeyboardInterrupt))
        operations.start(low.rollouts, planned, place(platform, low))
    rollout = record.find(planned.id)
    cleaning = remains.cleaning(
        low.rollouts,
        rollout,
        operations.look(low.rollouts, rollout, time.time())[0],
        endpoints.configs_of_others(platform, ""),
    )
    assert [what for what, _ in cleaning.things] == ["alarm", "alarm", "endpoint configuration", "model"]
    assert len(remains.clean(low.rollouts, rollout, cleaning)) == 4
    known = record.find(planned.id).known
    assert (known.outcome, known.left) == ("failed", ()) and "never asked for" in known.reason
    assert hosted.status(endpoint)["EndpointStatus"] == "InService"


def test_who_waits_goes_on_when_the_engine_is_killed(
    low: Interface, platform: Platform, hosted: Hosted
) -> None:
    endpoint = hosted.endpoint()
    planned = hosted.plan(endpoint, hosted.model("green"), wait=300, bake=100, limits={})
    rollout = operations.start(low.rollouts, planned, place(platform, low))
    assert platform.engine is not None
    killed = [platform.engine.pid]

    def told(state: RolloutState, events: object) -> None:
        if state.phase == "baking" and len(killed) == 1:
            os.kill(killed[0], signal.SIGKILL)
            killed.append(0)

    end = operations.wait(low.rollouts, rollout, Waiter(EMBEDDED, threading.Event(), platform.revive), told)
    assert len(killed) == 2 and end.outcome == "succeeded"
    assert hosted.status(endpoint)["EndpointConfigName"] == planned.green
