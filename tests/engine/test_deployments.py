"""UpdateEndpoint by every strategy: what a client sees step by step, and what rolls back."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.engine.conftest import RunningEngine
from tests.engine.deploying import WHO, Deployer, refused, wait_for
from tests.engine.rollouts import (
    Watcher,
    alarm,
    baking,
    blue_green,
    instances,
    percent,
    rolling,
    set_alarm,
    update,
    words,
)

BAKE = 60
"""Declared seconds: 0.6 s here."""


@pytest.fixture(scope="module")
def models(engine: RunningEngine) -> tuple[str, str]:
    """A model that answers "old", and one that answers "new"."""
    deployer = Deployer(engine)
    return deployer.model(WHO, WORD="old"), deployer.model(WHO, WORD="new")


class TestStates:
    def test_a_canary_is_seen_step_by_step(self, deploy: Deployer, models: tuple[str, str]) -> None:
        name = deploy.endpoint(models[0])
        before = deploy.status(name)["EndpointConfigName"]
        wanted = blue_green("CANARY", BAKE, BAKE + 1, CanarySize=percent(10))
        config = deploy.config(models[1])
        with Watcher(deploy, name) as watcher:
            update(deploy, name, config, DeploymentConfig=wanted)
            found = deploy.in_service(name)
        assert watcher.statuses == ["InService", "Updating", "InService"]
        stages = [stage for stage in watcher.stages() if stage[0] != "ActivatingTraffic"]
        assert stages == [
            ("Creating", "Launching 1 instance(s)."),
            (
                "Baking",
                f"Baking for {BAKE} seconds (WaitIntervalInSeconds) with traffic enabled on canary capacity of 1 instance(s) "
                "(10% of traffic).",
            ),
            (
                "Baking",
                f"Baking for {BAKE + 1} seconds (TerminationWaitInSeconds) with traffic enabled on full capacity of 1 "
                "instance(s).",
            ),
        ]
        updating = [answer for answer in watcher.seen if answer["EndpointStatus"] == "Updating"]
        for answer in updating:
            assert answer["EndpointConfigName"] == before
            assert answer["PendingDeploymentSummary"]["EndpointConfigName"] == config
            assert answer["PendingDeploymentSummary"]["StartTime"] <= answer["LastModifiedTime"]
            assert answer["LastDeploymentConfig"] == wanted
            assert answer["ProductionVariants"][0]["CurrentInstanceCount"] == 1
        new = updating[-1]["PendingDeploymentSummary"]["ProductionVariants"][0]
        assert (new["CurrentWeight"], new["CurrentInstanceCount"], new["InstanceType"]) == (
            1.0,
            1,
            "ml.m5.large",
        )
        assert (found["EndpointConfigName"], found["LastDeploymentConfig"]) == (config, wanted)
        assert not {"PendingDeploymentSummary", "FailureReason"} & set(found)
        assert words(deploy, name) == {"new"}

    def test_a_linear_update_activates_instance_by_instance(
        self, deploy: Deployer, models: tuple[str, str]
    ) -> None:
        name = deploy.endpoint(models[0])
        config = deploy.config(models[1], count=3)
        with Watcher(deploy, name) as watcher:
            update(
                deploy, name, config, DeploymentConfig=blue_green("LINEAR", 30, LinearStepSize=instances(1))
            )
            deploy.in_service(name)
        bakes = [message for status, message in watcher.stages() if status == "Baking"]
        assert bakes == [
            f"Baking for 30 seconds (WaitIntervalInSeconds) with traffic enabled on partial capacity of {count} instance(s)."
            for count in (1, 2)
        ]
        assert ("Creating", "Launching 3 instance(s).") in watcher.stages()

    def test_a_rolling_update_replaces_instance_by_instance(
        self, deploy: Deployer, models: tuple[str, str]
    ) -> None:
        name = deploy.endpoint(models[0], count=2)
        config = deploy.config(models[1], count=2)
        workers = deploy.engine.data_dir / "endpoints" / name / "workers" / "A"
        most = 0
        with Watcher(deploy, name) as watcher:
            update(deploy, name, config, DeploymentConfig=rolling(instances(1), 30))
            while deploy.status(name)["EndpointStatus"] == "Updating":
                most = max(most, len(list(workers.iterdir())))
                time.sleep(0.01)
        assert deploy.in_service(name)["EndpointConfigName"] == config
        assert most == 3
        assert len(list(workers.iterdir())) == 2
        assert watcher.counts() == [2, 1, 2]
        stages = watcher.stages()
        assert [stage for stage in stages if stage[0] == "Creating"] == [
            ("Creating", "Launching 1 instance(s).")
        ] * 2
        assert [message for status, message in stages if status == "Baking"] == [
            "Baking for 30 seconds (WaitIntervalInSeconds) with traffic enabled on partial capacity of 1 instance(s).",
            "Baking for 30 seconds (WaitIntervalInSeconds) with traffic enabled on full capacity of 2 instance(s).",
        ]
        assert words(deploy, name) == {"new"}

    def test_a_creation_has_a_summary_too(self, deploy: Deployer, tmp_path: Path) -> None:
        slow = deploy.model(
            "import os, time\n"
            "def model_fn(d):\n"
            "    while not os.path.exists(os.environ['GO']): time.sleep(0.02)\n"
            "def transform_fn(m, d, c, a): return '1'\n",
            GO=str(tmp_path / "go"),
        )
        config = deploy.config(slow)
        name = deploy.create(config)
        found = deploy.status(name)["PendingDeploymentSummary"]
        (tmp_path / "go").touch()
        assert found["EndpointConfigName"] == config
        (variant,) = found["ProductionVariants"]
        assert variant["VariantStatus"][0]["Status"] == "Creating"
        assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (0, 1)
        assert "PendingDeploymentSummary" not in deploy.in_service(name)

    def test_instances_are_scaled_in_sight(self, deploy: Deployer, models: tuple[str, str]) -> None:
        name = deploy.endpoint(models[0])
        with Watcher(deploy, name) as watcher:
            deploy.sm.update_endpoint_weights_and_capacities(
                EndpointName=name,
                DesiredWeightsAndCapacities=[{"VariantName": "A", "DesiredInstanceCount": 2}],
            )
            deploy.in_service(name)
        assert watcher.statuses == ["InService", "Updating", "InService"]
        assert watcher.stages(where="") == [("Updating", "Scaling out desired instance count to 2.")]
        assert watcher.counts() == [1, 2]


class TestRollback:
    @pytest.mark.parametrize("state", ["before", "during"])
    def test_an_alarm_takes_all_traffic_back(
        self, deploy: Deployer, models: tuple[str, str], state: str
    ) -> None:
        name = deploy.endpoint(models[0])
        before = deploy.status(name)
        watched = alarm(deploy, state="ALARM" if state == "before" else "OK")
        config = deploy.config(models[1])
        wanted = blue_green("ALL_AT_ONCE", 0, 3600, (alarm(deploy), watched))
        with Watcher(deploy, name) as watcher:
            update(deploy, name, config, DeploymentConfig=wanted)
            if state == "during":
                baking(deploy, name)
                assert words(deploy, name) == {"new"}
                set_alarm(deploy, watched, "ALARM")
            found = deploy.in_service(name)
        if state == "during":
            assert watcher.statuses == ["InService", "Updating", "InService"]
        else:
            assert watcher.stages() in ([], [("Creating", "Launching 1 instance(s).")])
        assert found["EndpointConfigName"] == before["EndpointConfigName"]
        assert found["FailureReason"] == (
            f"The deployment of endpoint configuration {config} was rolled back: one or more CloudWatch alarms of its "
            f"AutoRollbackConfiguration are in state ALARM: {watched}."
        )
        assert found["LastDeploymentConfig"] == wanted
        assert "PendingDeploymentSummary" not in found
        assert words(deploy, name) == {"old"}
        folder = deploy.engine.data_dir / "endpoints" / name
        assert len(list((folder / "workers" / "A").iterdir())) == 1
        assert len(list((folder / "models").iterdir())) == 1
        update(deploy, name, config)
        assert "FailureReason" not in deploy.in_service(name)

    def test_a_green_fleet_that_does_not_come_up(self, deploy: Deployer, models: tuple[str, str]) -> None:
        name = deploy.endpoint(models[0])
        bad = deploy.config(deploy.model("raise SystemExit('not today')\n"))
        update(deploy, name, bad, DeploymentConfig=blue_green("CANARY", BAKE, CanarySize=percent(50)))
        found = deploy.in_service(name)
        assert "not today" in found["FailureReason"]
        assert found["EndpointConfigName"] != bad
        assert words(deploy, name) == {"old"}

    def test_a_rolling_update_goes_back_in_batches(self, deploy: Deployer, models: tuple[str, str]) -> None:
        name = deploy.endpoint(models[0], count=2)
        watched = alarm(deploy)
        config = deploy.config(models[1], count=2)
        wanted = rolling(instances(1), 300, (watched,), RollbackMaximumBatchSize=instances(1))
        with Watcher(deploy, name) as watcher:
            update(deploy, name, config, DeploymentConfig=wanted)
            wait_for(lambda: deploy.status(name)["ProductionVariants"][0]["CurrentInstanceCount"] == 1)
            baking(deploy, name)
            set_alarm(deploy, watched, "ALARM")
            found = deploy.in_service(name)
        assert watched in found["FailureReason"]
        assert watcher.counts() == [2, 1, 2]
        assert words(deploy, name) == {"old"}
        workers = deploy.engine.data_dir / "endpoints" / name / "workers" / "A"
        assert len(list(workers.iterdir())) == 2

    def test_a_rollback_that_fails_leaves_both_in_service(
        self, deploy: Deployer, models: tuple[str, str], tmp_path: Path
    ) -> None:
        fine = tmp_path / "fine"
        fine.touch()
        old = deploy.model(
            "import os\n"
            "def model_fn(d):\n"
            "    assert os.path.exists(os.environ['FINE']), 'cannot start any more'\n"
            "def transform_fn(m, d, c, a): return 'old'\n",
            FINE=str(fine),
        )
        name = deploy.endpoint(old, count=2)
        before = deploy.status(name)["EndpointConfigName"]
        watched = alarm(deploy)
        config = deploy.config(models[1], count=2)
        update(deploy, name, config, DeploymentConfig=rolling(instances(1), 300, (watched,)))
        wait_for(lambda: deploy.status(name)["ProductionVariants"][0]["CurrentInstanceCount"] == 1)
        baking(deploy, name)
        fine.unlink()
        # At the last step everything is new; what is left of the old can serve, but nothing can be started for it.
        wait_for(lambda: words(deploy, name, 5) == {"new"})
        set_alarm(deploy, watched, "ALARM")
        found = deploy.settled(name)
        assert found["EndpointStatus"] == "UpdateRollbackFailed"
        assert "The rollback failed, too:" in found["FailureReason"]
        assert "cannot start any more" in found["FailureReason"]
        assert found["EndpointConfigName"] == before
        assert found["ProductionVariants"][0]["CurrentInstanceCount"] == 1
        left = found["PendingDeploymentSummary"]
        assert left["EndpointConfigName"] == config
        assert left["ProductionVariants"][0]["CurrentInstanceCount"] == 2
        assert words(deploy, name) == {"new"}
        listed = deploy.sm.list_endpoints(StatusEquals="UpdateRollbackFailed")["Endpoints"]
        assert [item["EndpointName"] for item in listed] == [name]
        call = deploy.sm.update_endpoint_weights_and_capacities
        wish = [{"VariantName": "A", "DesiredWeight": 2.0}]
        message = refused("ValidationException", call, EndpointName=name, DesiredWeightsAndCapacities=wish)
        assert "UpdateRollbackFailed" in message
        message = refused(
            "ValidationException",
            deploy.sm.update_endpoint,
            EndpointName=name,
            EndpointConfigName=config,
            DeploymentConfig=rolling(instances(1)),
        )
        assert "RollingUpdatePolicy" in message
        # A deployment that does not come up changes nothing; one that does ends both.
        update(deploy, name, deploy.config(old))
        assert deploy.settled(name)["EndpointStatus"] == "UpdateRollbackFailed"
        assert words(deploy, name) == {"new"}
        update(deploy, name, config)
        found = deploy.in_service(name)
        assert found["EndpointConfigName"] == config
        assert not {"PendingDeploymentSummary", "FailureReason"} & set(found)
        assert words(deploy, name) == {"new"}
        assert len(list((deploy.engine.data_dir / "endpoints" / name / "workers" / "A").iterdir())) == 2

    def test_weights_and_capacities_that_cannot_be_had(
        self, deploy: Deployer, models: tuple[str, str], tmp_path: Path
    ) -> None:
        fine, go = tmp_path / "fine", tmp_path / "go"
        fine.touch()
        picky = deploy.model(
            "import os, time\n"
            "def model_fn(d):\n"
            "    while not os.path.exists(os.environ['FINE']):\n"
            "        assert not os.path.exists(os.environ['GO']), 'no more of me'\n"
            "        time.sleep(0.02)\n"
            "def transform_fn(m, d, c, a): return 'picky'\n",
            FINE=str(fine),
            GO=str(go),
        )
        # The way back lasts as long as the first variant's new instance answers a request.
        released = tmp_path / "released"
        holding = deploy.model(
            "import os, time\n"
            "def model_fn(d): return 'old'\n"
            "def transform_fn(m, d, c, a):\n"
            "    held = d in ('hold', b'hold')\n"
            "    if held: open(f\"{os.environ['RELEASED']}.{os.getpid()}\", 'w').close()\n"
            "    while held and not os.path.exists(os.environ['RELEASED']): time.sleep(0.02)\n"
            "    return m\n",
            RELEASED=str(released),
        )
        name = deploy.endpoint(holding, picky, weights=(1.0, 1.0))
        fine.unlink()
        with Watcher(deploy, name) as watcher:
            deploy.sm.update_endpoint_weights_and_capacities(
                EndpointName=name,
                DesiredWeightsAndCapacities=[
                    {"VariantName": "A", "DesiredWeight": 0.0, "DesiredInstanceCount": 2},
                    {"VariantName": "B", "DesiredInstanceCount": 2},
                ],
            )
            workers = deploy.engine.data_dir / "endpoints" / name / "workers"
            wait_for(lambda: len(list((workers / "B").iterdir())) == 2)
            with ThreadPoolExecutor(2) as pool:
                held = [
                    pool.submit(
                        deploy.engine.client("sagemaker-runtime").invoke_endpoint,
                        EndpointName=name,
                        Body=b"hold",
                        TargetVariant="A",
                    )
                    for _ in range(2)
                ]
                wait_for(lambda: len(list(tmp_path.glob("released.*"))) == 2)
                go.touch()
                wait_for(lambda: "RollingBack" in watcher.statuses)
                released.touch()
                assert {answer.result()["Body"].read() for answer in held} == {b"old"}
            found = deploy.in_service(name)
        assert watcher.statuses == ["InService", "Updating", "RollingBack", "InService"]
        assert "no more of me" in found["FailureReason"]
        assert [v["CurrentInstanceCount"] for v in found["ProductionVariants"]] == [1, 1]
        assert [v["CurrentWeight"] for v in found["ProductionVariants"]] == [1.0, 1.0]
        assert len(list((workers / "A").iterdir())) == len(list((workers / "B").iterdir())) == 1
        assert words(deploy, name, 40) == {"old", "picky"}


def test_metrics_name_the_configuration_of_both_fleets_during_a_deployment(
    deploy: Deployer, models: tuple[str, str]
) -> None:
    name = deploy.endpoint(models[0])
    old, new = deploy.status(name)["EndpointConfigName"], deploy.config(models[1])
    words(deploy, name, 3)
    watched = alarm(deploy)
    canary = blue_green("CANARY", 3600, 0, (watched,), CanarySize=percent(50))
    update(deploy, name, new, DeploymentConfig=canary)
    baking(deploy, name)
    assert words(deploy, name, 40) == {"old", "new"}
    set_alarm(deploy, watched, "ALARM")
    deploy.in_service(name)
    words(deploy, name, 5)
    cloudwatch = deploy.engine.client("cloudwatch")

    def total(config: str = "") -> float:
        dimensions = [{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": "A"}]
        if config:
            dimensions.append({"Name": "EndpointConfigName", "Value": config})
        now = time.time()
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName="Invocations",
            Dimensions=dimensions,
            StartTime=now - 600,
            EndTime=now + 60,
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))

    wait_for(lambda: total() == 48)
    assert total(old) + total(new) == 40
    assert min(total(old), total(new)) > 5


def test_a_target_variant_is_split_too(deploy: Deployer, models: tuple[str, str]) -> None:
    """While two fleets have the variant each serves its share of what names it; what only one has stays reachable."""
    name = deploy.endpoint(models[0], models[0], weights=(1.0, 0.0))
    watched = alarm(deploy)
    canary = blue_green("CANARY", 3600, 0, (watched,), CanarySize=percent(50))
    update(deploy, name, deploy.config(models[1]), DeploymentConfig=canary)
    baking(deploy, name)

    def targeted(variant: str) -> set[str]:
        answers = [
            deploy.runtime.invoke_endpoint(EndpointName=name, Body=b"1", TargetVariant=variant)
            for _ in range(30)
        ]
        assert {answer["InvokedProductionVariant"] for answer in answers} == {variant}
        return {answer["Body"].read().decode().split()[0] for answer in answers}

    assert targeted("A") == {"old", "new"}
    assert targeted("B") == {"old"}
    set_alarm(deploy, watched, "ALARM")
    deploy.in_service(name)
    assert targeted("A") == {"old"}


def test_requests_under_way_end_with_their_fleet(deploy: Deployer, models: tuple[str, str], tmp_path: Path) -> None:  # fmt: skip
    """The old fleet ends when it has answered what it took, and not before."""
    started, go = tmp_path / "started", tmp_path / "go"
    code = f"""
import os, time
def model_fn(d): return 1
def transform_fn(m, d, c, a):
    open({str(started)!r}, "w").close()
    while not os.path.exists({str(go)!r}): time.sleep(0.02)
    return "answered"
"""
    name = deploy.endpoint(deploy.model(code))
    runtime = deploy.engine.client("sagemaker-runtime")
    answers: list[bytes] = []
    thread = threading.Thread(
        target=lambda: answers.append(runtime.invoke_endpoint(EndpointName=name, Body=b"1")["Body"].read())
    )
    thread.start()
    wait_for(started.exists)
    config = deploy.config(models[1])
    update(deploy, name, config)
    deleting = wait_for(
        lambda: (
            (found := deploy.status(name))["ProductionVariants"][0].get("VariantStatus")
            or found["EndpointStatus"] != "Updating"
        )
    )
    assert deleting[0]["Status"] == "Deleting"
    assert deleting[0]["StatusMessage"] == "Terminating 1 instance(s)."
    assert words(deploy, name, 3) == {"new"}
    assert answers == []
    go.touch()
    thread.join(30)
    assert answers == [b"answered"]
    assert deploy.in_service(name)["EndpointConfigName"] == config
