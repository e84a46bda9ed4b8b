"""What UpdateEndpoint refuses, and what it keeps of an endpoint when it is asked to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from engine.services.sagemaker.endpoints import _retain
from tests.engine.conftest import RunningEngine
from tests.engine.deploying import WHO, Deployer, refused, unique
from tests.engine.rollouts import (
    Watcher,
    alarm,
    alarmed,
    blue_green,
    instances,
    percent,
    rolling,
    set_alarm,
    update,
)

BAKE = 60
"""Declared seconds: 0.6 s here."""


@pytest.fixture(scope="module")
def models(engine: RunningEngine) -> tuple[str, str]:
    """A model that answers "old", and one that answers "new"."""
    deployer = Deployer(engine)
    return deployer.model(WHO, WORD="old"), deployer.model(WHO, WORD="new")


class TestKept:
    @pytest.mark.parametrize(
        ("excluded", "weights", "counts"),
        [
            ([], [3.0, 1.0], [2, 1]),
            (["DesiredWeight"], [1.0, 1.0], [2, 1]),
            (["DesiredInstanceCount"], [3.0, 1.0], [1, 1]),
        ],
    )
    def test_variant_properties(
        self,
        deploy: Deployer,
        models: tuple[str, str],
        excluded: list[str],
        weights: list[float],
        counts: list[int],
    ) -> None:
        name = deploy.endpoint(*models)
        deploy.sm.update_endpoint_weights_and_capacities(
            EndpointName=name,
            DesiredWeightsAndCapacities=[
                {"VariantName": "A", "DesiredWeight": 3.0, "DesiredInstanceCount": 2}
            ],
        )
        deploy.in_service(name)
        update(
            deploy,
            name,
            deploy.config(*models),
            RetainAllVariantProperties=True,
            ExcludeRetainedVariantProperties=[{"VariantPropertyType": each} for each in excluded],
        )
        found = deploy.in_service(name)["ProductionVariants"]
        assert [variant["CurrentWeight"] for variant in found] == weights
        assert [variant["CurrentInstanceCount"] for variant in found] == counts
        for variant in "AB":
            workers = deploy.engine.data_dir / "endpoints" / name / "workers" / variant
            assert len(list(workers.iterdir())) == counts["AB".index(variant)]

    @pytest.mark.parametrize(
        ("before", "excluded", "expected"),
        [(10, [], 10), (10, ["DataCaptureConfig"], 20), (None, [], 20)],
    )
    def test_data_capture(self, before: int | None, excluded: list[str], expected: int) -> None:
        def document(percentage: int | None) -> dict[str, Any]:
            config = (
                {} if percentage is None else {"DataCaptureConfig": {"InitialSamplingPercentage": percentage}}
            )
            return {"config": config, "weights": {}, "counts": {}, "instances": {}}

        wanted = document(20)
        without = [{"VariantPropertyType": each} for each in excluded]
        _retain(cast(Any, None), document(before), wanted, without)
        assert wanted["config"]["DataCaptureConfig"]["InitialSamplingPercentage"] == expected

    def test_the_deployment_configuration(self, deploy: Deployer, models: tuple[str, str]) -> None:
        first = blue_green("CANARY", BAKE, CanarySize=percent(50))
        name = unique("endpoint")
        deploy.sm.create_endpoint(
            EndpointName=name, EndpointConfigName=deploy.config(models[0]), DeploymentConfig=first
        )
        deploy.made.append(name)
        assert deploy.in_service(name)["LastDeploymentConfig"] == first

        def bakes(**options: Any) -> int:
            with Watcher(deploy, name) as watcher:
                update(deploy, name, deploy.config(models[1]), **options)
                deploy.in_service(name)
            return sum(status == "Baking" for status, _ in watcher.stages())

        assert bakes(RetainDeploymentConfig=True) == 1
        assert bakes() == 0
        second = blue_green("LINEAR", BAKE, LinearStepSize=percent(40))
        assert bakes(DeploymentConfig=second, RetainDeploymentConfig=True) == 2
        assert deploy.status(name)["LastDeploymentConfig"] == second


class TestRefused:
    @pytest.fixture(scope="class")
    def place(self, engine: RunningEngine, models: tuple[str, str]) -> Iterator[tuple[Deployer, str, str]]:
        deployer = Deployer(engine)
        name = deployer.endpoint(models[0])
        yield deployer, name, deployer.config(models[1], models[0])
        deployer.clean()

    @pytest.mark.parametrize(
        ("config", "expected"),
        [
            ({**blue_green("ALL_AT_ONCE"), **rolling(percent(50))}, "Only one update policy can be used"),
            (blue_green("CANARY", 10), "CanarySize is required"),
            (blue_green("LINEAR", 10), "LinearStepSize is required"),
            (blue_green("LINEAR", 10, CanarySize=percent(10), LinearStepSize=percent(10)), "CanarySize can only be specified"),
            (blue_green("ALL_AT_ONCE", 10, LinearStepSize=percent(10)), "LinearStepSize can only be specified"),
            (blue_green("CANARY", 10, CanarySize=percent(51)), "CanarySize must be less than or equal to 50%"),
            (blue_green("CANARY", 10, CanarySize=instances(1)), "1 instance(s) does not fit variant A with 1 instance(s)"),
            (blue_green("LINEAR", 10, LinearStepSize=percent(9)), "LinearStepSize must be between 10% and 50%"),
            (blue_green("LINEAR", 10, LinearStepSize=percent(51)), "51% does not fit"),
            (rolling(percent(4)), "MaximumBatchSize must be between 5% and 50%"),
            (rolling(percent(60)), "MaximumBatchSize must be between 5% and 50%"),
            (rolling(instances(1)), "MaximumBatchSize must be between 5% and 50%"),
            (rolling(percent(50), RollbackMaximumBatchSize=percent(101)), "RollbackMaximumBatchSize must be less than or equal to 100%"),
            (blue_green("LINEAR", 100, 100, timeout=1000, LinearStepSize=percent(10)), "must be larger than the total waiting time of 1000 seconds"),
            (rolling(percent(10), 100, MaximumExecutionTimeoutInSeconds=1000), "must be larger than the total waiting time of 1000 seconds"),
            ({"AutoRollbackConfiguration": {"Alarms": [{}]}}, "must have an AlarmName"),
            (alarmed("no-such-alarm"), "Could not find the CloudWatch alarm(s) no-such-alarm"),
        ],
    )  # fmt: skip
    def test_deployment_configurations(
        self, place: tuple[Deployer, str, str], config: dict[str, Any], expected: str
    ) -> None:
        deploy, name, wanted = place
        message = refused(
            "ValidationException",
            deploy.sm.update_endpoint,
            EndpointName=name,
            EndpointConfigName=wanted,
            DeploymentConfig=config,
        )
        assert expected in message
        assert deploy.status(name)["EndpointStatus"] == "InService"

    @pytest.mark.parametrize("kind", ["create", "update"])
    def test_ranges_are_the_models_own(self, place: tuple[Deployer, str, str], kind: str) -> None:
        deploy, name, wanted = place
        call = deploy.sm.update_endpoint if kind == "update" else deploy.sm.create_endpoint
        unchecked = deploy.engine.client("sagemaker", config=_unchecked())
        call = unchecked.update_endpoint if kind == "update" else unchecked.create_endpoint
        for config in (
            blue_green("CANARY", 3601, CanarySize=percent(10)),
            blue_green("ALL_AT_ONCE", 0, timeout=599),
            blue_green("CANARY", 1, CanarySize=percent(0)),
        ):
            message = refused(
                "ValidationException",
                call,
                EndpointName=name if kind == "update" else unique("endpoint"),
                EndpointConfigName=wanted,
                DeploymentConfig=config,
            )
            assert "failed to satisfy constraint" in message

    def test_a_creation_with_a_configuration_that_does_not_fit(
        self, place: tuple[Deployer, str, str]
    ) -> None:
        deploy, _, wanted = place
        message = refused(
            "ValidationException",
            deploy.sm.create_endpoint,
            EndpointName=unique("endpoint"),
            EndpointConfigName=wanted,
            DeploymentConfig=rolling(instances(1)),
        )
        assert "MaximumBatchSize" in message

    def test_the_configuration_that_is_there_already(self, place: tuple[Deployer, str, str]) -> None:
        deploy, name, _ = place
        current = deploy.status(name)["EndpointConfigName"]
        call = deploy.sm.update_endpoint
        message = refused("ValidationException", call, EndpointName=name, EndpointConfigName=current)
        assert f'"{current}", which it already uses' in message
        message = refused("ValidationException", call, EndpointName=name, EndpointConfigName="no-such-config")
        assert message.startswith("Could not find endpoint configuration")

    def test_everything_while_an_update_is_under_way(self, place: tuple[Deployer, str, str]) -> None:
        deploy, name, wanted = place
        watched = alarm(deploy)
        update(deploy, name, wanted, DeploymentConfig=blue_green("ALL_AT_ONCE", 0, 3600, (watched,)))
        message = f'Cannot update in-progress endpoint "{deploy.status(name)["EndpointArn"]}".'
        sm = deploy.sm
        wish = [{"VariantName": "A", "DesiredWeight": 2.0}]
        for call, options in (
            (sm.update_endpoint, {"EndpointConfigName": wanted}),
            (sm.update_endpoint_weights_and_capacities, {"DesiredWeightsAndCapacities": wish}),
            (sm.delete_endpoint, {}),
        ):
            assert refused("ValidationException", call, EndpointName=name, **options) == message
        set_alarm(deploy, watched, "ALARM")
        deploy.in_service(name)


def _unchecked() -> Any:
    from botocore.config import Config

    return Config(parameter_validation=False)
