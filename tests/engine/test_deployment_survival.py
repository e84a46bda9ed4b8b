"""An engine that is killed in the middle of a deployment: it goes on or goes back, and never keeps two fleets for ever."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.engine.conftest import RunningEngine
from tests.engine.deploying import WHO, Deployer, wait_for
from tests.engine.rollouts import alarm, baking, blue_green, instances, percent, rolling, set_alarm, words
from tests.engine.test_hosting import alive, pids

Start = Callable[..., RunningEngine]

HELD = """
import os, time
def model_fn(model_dir): return os.environ["WORD"]
def transform_fn(model, data, content_type, accept):
    if data == b"hold" or data == "hold":
        open(os.environ["STARTED"], "w").close()
        while not os.path.exists(os.environ["GO"]): time.sleep(0.02)
    return model
"""


def restart(first: RunningEngine, start: Start) -> Deployer:
    """Kill an engine, and a deployer on the next one."""
    workers = pids(first)
    first.kill()
    wait_for(lambda: not any(alive(worker) for worker in workers))
    return Deployer(start())


def hold(deploy: Deployer, name: str, started: Path) -> threading.Thread:
    """A request that stays where it was taken until the engine dies."""
    runtime = deploy.engine.client("sagemaker-runtime")

    def ask() -> None:
        with pytest.raises((BotoCoreError, ClientError)):
            runtime.invoke_endpoint(EndpointName=name, Body=b"hold")

    thread = threading.Thread(target=ask)
    thread.start()
    wait_for(started.exists)
    return thread


def test_a_canary_goes_on_where_it_was(start_engine: Start) -> None:
    """Two of them: one that is then rolled back, and one that is finished."""
    first = start_engine()
    deploy = Deployer(first)
    old, new = deploy.model(WHO, WORD="old"), deploy.model(WHO, WORD="new")
    watched = alarm(deploy)
    names = [deploy.endpoint(old) for _ in range(2)]
    before = [deploy.status(name)["EndpointConfigName"] for name in names]
    config, started = deploy.config(new), []
    for name, wait, alarms in zip(names, (3600, 200), ((watched,), ()), strict=True):
        canary = blue_green("CANARY", wait, 0, alarms, CanarySize=percent(50))
        deploy.sm.update_endpoint(EndpointName=name, EndpointConfigName=config, DeploymentConfig=canary)
        started.append(baking(deploy, name)["PendingDeploymentSummary"]["StartTime"])
    assert len(pids(first)) == 4
    again = restart(first, start_engine)
    for name, was, since in reversed(list(zip(names, before, started, strict=True))):
        found = baking(again, name, "canary capacity")
        assert found["PendingDeploymentSummary"]["StartTime"] == since
        assert found["EndpointConfigName"] == was
        assert words(again, name) == {"old", "new"}
    set_alarm(again, watched, "ALARM")
    for name, lasting, reason, word in zip(
        names, (before[0], config), (True, False), ("old", "new"), strict=True
    ):
        found = again.in_service(name)
        assert found["EndpointConfigName"] == lasting
        assert ("FailureReason" in found) is reason
        assert words(again, name) == {word}
    assert len(pids(again.engine)) == 2
    for name in names:
        again.delete(name)


def test_a_rolling_update_goes_on_with_what_is_left(start_engine: Start) -> None:
    first = start_engine()
    deploy = Deployer(first)
    name = deploy.endpoint(deploy.model(WHO, WORD="old"), count=2)
    config = deploy.config(deploy.model(WHO, WORD="new"), count=2)
    deploy.sm.update_endpoint(
        EndpointName=name, EndpointConfigName=config, DeploymentConfig=rolling(instances(1), 200)
    )
    baking(deploy, name, "full capacity of 2")
    assert len(pids(first)) == 3
    again = restart(first, start_engine)
    found = baking(again, name, "full capacity of 2")
    assert found["ProductionVariants"][0]["CurrentInstanceCount"] == 1
    assert len(pids(again.engine)) == 3
    assert words(again, name) == {"new"}
    assert again.in_service(name)["EndpointConfigName"] == config
    assert len(pids(again.engine)) == 2
    again.delete(name)


def test_what_is_promoted_stays_promoted(start_engine: Start, tmp_path: Path) -> None:
    """Killed while the old fleet was answering its last request: the new one is in service, alone."""
    variables = {"STARTED": str(tmp_path / "started"), "GO": str(tmp_path / "go")}
    first = start_engine()
    deploy = Deployer(first)
    name = deploy.endpoint(deploy.model(HELD, WORD="old", **variables))
    thread = hold(deploy, name, tmp_path / "started")
    config = deploy.config(deploy.model(HELD, WORD="new", **variables))
    deploy.sm.update_endpoint(EndpointName=name, EndpointConfigName=config)
    # What is asked before that waits behind the request that is held.
    wait_for(lambda: "VariantStatus" in deploy.status(name)["ProductionVariants"][0])
    assert deploy.status(name)["ProductionVariants"][0]["VariantStatus"][0]["Status"] == "Deleting"
    assert words(deploy, name, 5) == {"new"}
    again = restart(first, start_engine)
    thread.join(30)
    found = again.in_service(name)
    assert found["EndpointConfigName"] == config
    assert words(again, name) == {"new"}
    assert len(pids(again.engine)) == 1
    again.delete(name)


def test_a_rollback_is_finished(start_engine: Start, tmp_path: Path) -> None:
    """Killed while the new fleets of a blue/green and of a rolling update were answering their last requests."""
    first = start_engine()
    deploy = Deployer(first)
    old = deploy.model(WHO, WORD="old")
    names = [deploy.endpoint(old, count=2) for _ in range(2)]
    before = [deploy.status(name)["EndpointConfigName"] for name in names]
    watched, threads = [alarm(deploy) for _ in names], []
    for name, trigger, wanted in zip(
        names,
        watched,
        (blue_green("ALL_AT_ONCE", 0, 3600, (watched[0],)), rolling(instances(1), 300, (watched[1],))),
        strict=True,
    ):
        started = tmp_path / f"started-{name}"
        variables = {"STARTED": str(started), "GO": str(tmp_path / "go")}
        config = deploy.config(deploy.model(HELD, WORD="new", **variables), count=2)
        deploy.sm.update_endpoint(EndpointName=name, EndpointConfigName=config, DeploymentConfig=wanted)
        baking(deploy, name, "full capacity")
        threads.append(hold(deploy, name, started))
        set_alarm(deploy, trigger, "ALARM")
        baking(deploy, name, status="Deleting")
        wait_for(lambda name=name: words(deploy, name, 5) == {"old"})
    again = restart(first, start_engine)
    for name, was, trigger, thread in zip(names, before, watched, threads, strict=True):
        thread.join(30)
        found = again.in_service(name)
        assert found["EndpointConfigName"] == was
        assert trigger in found["FailureReason"]
        assert words(again, name) == {"old"}
    assert len(wait_for(lambda: len(found := pids(again.engine)) == 4 and found)) == 4
    for name in names:
        again.delete(name)


@pytest.mark.slow
def test_two_fleets_in_service_come_back_as_two(start_engine: Start, tmp_path: Path) -> None:
    """UpdateRollbackFailed survives as it was: the same instances with the same shares."""
    fine = tmp_path / "fine"
    fine.touch()
    picky = (
        "import os\n"
        "def model_fn(d): assert os.path.exists(os.environ['FINE'])\n"
        "def transform_fn(m, d, c, a): return 'old'\n"
    )
    first = start_engine()
    deploy = Deployer(first)
    name = deploy.endpoint(deploy.model(picky, FINE=str(fine)), count=4)
    watched = alarm(deploy)
    config = deploy.config(deploy.model(WHO, WORD="new"), count=4)
    wanted = rolling(instances(1), 300, (watched,))
    deploy.sm.update_endpoint(EndpointName=name, EndpointConfigName=config, DeploymentConfig=wanted)
    baking(deploy, name, "capacity of 2")
    fine.unlink()
    set_alarm(deploy, watched, "ALARM")
    before = deploy.settled(name)
    assert before["EndpointStatus"] == "UpdateRollbackFailed"
    fine.touch()
    again = restart(first, start_engine)
    wait_for(lambda: words(again, name) == {"old", "new"})
    found = again.status(name)
    found.pop("ResponseMetadata")
    before.pop("ResponseMetadata")
    assert found == before
    assert found["ProductionVariants"][0]["CurrentInstanceCount"] == 3
    assert found["PendingDeploymentSummary"]["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    assert len(wait_for(lambda: len(found := pids(again.engine)) == 5 and found)) == 5
    again.delete(name)
    assert pids(again.engine) == set()


def test_a_fleet_that_is_leaving_ends_with_a_reset(start_engine: Start, tmp_path: Path) -> None:
    """The old fleet answers its last request, and the engine is told to forget everything."""
    variables = {"STARTED": str(tmp_path / "started"), "GO": str(tmp_path / "go")}
    running = start_engine()
    deploy = Deployer(running)
    name = deploy.endpoint(deploy.model(HELD, WORD="old", **variables))
    thread = hold(deploy, name, tmp_path / "started")
    config = deploy.config(deploy.model(WHO, WORD="new"))
    deploy.sm.update_endpoint(EndpointName=name, EndpointConfigName=config)
    wait_for(lambda: "VariantStatus" in deploy.status(name)["ProductionVariants"][0])
    workers = pids(running)
    assert len(workers) == 2
    request = urllib.request.Request(f"{running.url}/_engine/reset", method="POST")
    assert urllib.request.urlopen(request, timeout=30).status == 200
    assert not any(alive(worker) for worker in workers)
    thread.join(30)


def test_what_is_asked_at_once_after_a_restart_is_done(start_engine: Start) -> None:
    """Endpoints come back in the background: who asks before they are back waits for that."""
    first = start_engine()
    deploy = Deployer(first)
    model = deploy.model(WHO, WORD="old")
    updated, weighed, deleted = (deploy.endpoint(model) for _ in range(3))
    config = deploy.config(deploy.model(WHO, WORD="new"))
    again = restart(first, start_engine)
    again.sm.delete_endpoint(EndpointName=deleted)
    again.sm.update_endpoint(EndpointName=updated, EndpointConfigName=config)
    wish = [{"VariantName": "A", "DesiredWeight": 3.0, "DesiredInstanceCount": 2}]
    again.sm.update_endpoint_weights_and_capacities(EndpointName=weighed, DesiredWeightsAndCapacities=wish)
    again.gone(deleted)
    assert again.in_service(updated)["EndpointConfigName"] == config
    variant = again.in_service(weighed)["ProductionVariants"][0]
    assert (variant["CurrentWeight"], variant["CurrentInstanceCount"]) == (3.0, 2)
    assert len(wait_for(lambda: len(found := pids(again.engine)) == 3 and found)) == 3
