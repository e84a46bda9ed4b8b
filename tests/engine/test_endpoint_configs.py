"""Endpoint configurations over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.config import Config

from tests.engine.conftest import RunningEngine
from tests.engine.deploying import Deployer, refused, unique


@pytest.fixture
def deploy(engine: RunningEngine) -> Deployer:
    return Deployer(engine)


@pytest.fixture(scope="module")
def model(engine: RunningEngine) -> str:
    return Deployer(engine).model()


def variant(model: str, name: str = "A", **more: Any) -> dict[str, Any]:
    return {
        "VariantName": name,
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        **more,
    }


def test_a_configuration_is_described_as_it_was_created(deploy: Deployer, model: str) -> None:
    name = unique("Config")
    variants = [variant(model, "A", InitialVariantWeight=0.25), variant(model, "B", InitialInstanceCount=2)]
    arn = deploy.sm.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)[
        "EndpointConfigArn"
    ]
    assert arn == f"arn:aws:sagemaker:us-east-1:{deploy.account}:endpoint-config/{name.lower()}"
    found = deploy.sm.describe_endpoint_config(EndpointConfigName=name)
    assert found["ProductionVariants"] == [variants[0], {**variants[1], "InitialVariantWeight": 1.0}]
    assert not {"DataCaptureConfig", "AsyncInferenceConfig", "ShadowProductionVariants", "VpcConfig"} & set(
        found
    )
    message = refused(
        "ValidationException",
        deploy.sm.create_endpoint_config,
        EndpointConfigName=name,
        ProductionVariants=variants,
    )
    assert message == f'Cannot create already existing endpoint configuration "{arn}".'
    deploy.sm.delete_endpoint_config(EndpointConfigName=name)
    for call in (deploy.sm.describe_endpoint_config, deploy.sm.delete_endpoint_config):
        message = refused("ValidationException", call, EndpointConfigName=name)
        assert message == f'Could not find endpoint configuration "{arn}".'


def test_the_models_must_be_there(deploy: Deployer) -> None:
    message = refused(
        "ValidationException",
        deploy.sm.create_endpoint_config,
        EndpointConfigName=unique("c"),
        ProductionVariants=[variant("no-such-model")],
    )
    assert (
        message == f'Could not find model "arn:aws:sagemaker:us-east-1:{deploy.account}:model/no-such-model".'
    )


@pytest.mark.parametrize(
    ("variants", "expected"),
    [
        ([{}, {}], "unique"),
        ([{"InstanceType": None}], "InstanceType is required"),
        ([{"InitialInstanceCount": None}], "InitialInstanceCount is required"),
        ([{"InitialVariantWeight": 0.0}], "must be greater than 0"),
        ([{"ModelName": None}], "inference components"),
        (
            [{"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}],
            "cannot be combined with ServerlessConfig",
        ),
        ([{"InstanceType": "ml.nonsense.large"}], "ml.nonsense.large"),
    ],
)
def test_what_cannot_be_a_variant(
    deploy: Deployer, model: str, variants: list[dict[str, Any]], expected: str
) -> None:
    wanted = [
        {key: value for key, value in {**variant(model), **change}.items() if value is not None}
        for change in variants
    ]
    name = unique("config")
    message = refused(
        "ValidationException",
        deploy.sm.create_endpoint_config,
        EndpointConfigName=name,
        ProductionVariants=wanted,
    )
    assert expected in message


DATA_CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 20,
    "DestinationS3Uri": "s3://b/c",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"ManagedInstanceScaling": {"Status": "ENABLED", "MinInstanceCount": 1, "MaxInstanceCount": 2}}, "ManagedInstanceScaling"),
        ({"RoutingConfig": {"RoutingStrategy": "KV_AWARE"}}, "KV_AWARE"),
    ],
)  # fmt: skip
def test_what_is_not_served_is_kept_described_and_refused_by_create_endpoint(
    deploy: Deployer, model: str, changes: dict[str, Any], part: str
) -> None:
    name = unique("config")
    wanted = {**variant(model), **changes}
    deploy.sm.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[wanted])
    (found,) = deploy.sm.describe_endpoint_config(EndpointConfigName=name)["ProductionVariants"]
    assert found == {**wanted, "InitialVariantWeight": 1.0}
    message = refused(
        "ValidationException", deploy.sm.create_endpoint, EndpointName=unique("e"), EndpointConfigName=name
    )
    assert part in message and "does not serve" in message


SERVERLESS = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
ASYNCHRONOUS = {"OutputConfig": {"S3OutputPath": "s3://b/o"}}


@pytest.mark.parametrize(
    ("serverless", "more", "expected"),
    [
        ({**SERVERLESS, "MemorySizeInMB": 1500}, {}, "1024, 2048, 3072"),
        ({**SERVERLESS, "ProvisionedConcurrency": 6}, {}, "less than or equal to MaxConcurrency 5"),
        ({**SERVERLESS, "MaxConcurrency": 201}, {}, "less than or equal to 200"),
        (SERVERLESS, {"DataCaptureConfig": DATA_CAPTURE}, "DataCaptureConfig of a serverless endpoint"),
        (SERVERLESS, {"AsyncInferenceConfig": ASYNCHRONOUS}, "AsyncInferenceConfig of a serverless endpoint"),
        (SERVERLESS, {"ShadowProductionVariants": "one"}, "exactly one production variant"),
        (None, {"AsyncInferenceConfig": ASYNCHRONOUS, "ShadowProductionVariants": "one"}, "shadow variants"),
        (None, {"DataCaptureConfig": {**DATA_CAPTURE, "DestinationS3Uri": "s3:///x"}}, "destinationS3Uri"),
        (None, {"DataCaptureConfig": {**DATA_CAPTURE, "InitialSamplingPercentage": 101}}, "initialSamplingPercentage"),
        (None, {"DataCaptureConfig": {**DATA_CAPTURE, "CaptureOptions": []}}, "captureOptions"),
        (None, {"MetricsConfig": {"MetricPublishFrequencyInSeconds": 9}}, "10, 30, 60, 120"),
    ],
)  # fmt: skip
def test_what_does_not_go_together(
    deploy: Deployer, model: str, serverless: dict[str, Any] | None, more: dict[str, Any], expected: str
) -> None:
    if "ShadowProductionVariants" in more:
        more = {**more, "ShadowProductionVariants": [variant(model, "S")]}
    first: dict[str, Any] = variant(model)
    if serverless is not None:
        first = {"VariantName": "A", "ModelName": model, "ServerlessConfig": serverless}
    client = deploy.engine.client("sagemaker", config=Config(parameter_validation=False))
    message = refused(
        "ValidationException",
        client.create_endpoint_config,
        EndpointConfigName=unique("c"),
        ProductionVariants=[first],
        **more,
    )
    assert expected in message


def test_capture_that_is_switched_off_is_no_obstacle(deploy: Deployer, model: str) -> None:
    config = deploy.config(model, DataCaptureConfig={**DATA_CAPTURE, "EnableCapture": False})
    name = deploy.create(config)
    deploy.in_service(name)
    deploy.delete(name)


def test_list_filters_sorts_and_pages(deploy: Deployer, model: str) -> None:
    word = unique("list")
    names = [f"{word}-{letter}" for letter in "bca"]
    for name in names:
        deploy.config(model, name=name)

    def listed(**parameters: Any) -> list[str]:
        pages = deploy.sm.get_paginator("list_endpoint_configs").paginate(NameContains=word, **parameters)
        return [item["EndpointConfigName"] for page in pages for item in page["EndpointConfigs"]]

    assert listed() == names[::-1]
    assert listed(SortBy="Name", SortOrder="Ascending", MaxResults=1) == sorted(names)
    middle = deploy.sm.describe_endpoint_config(EndpointConfigName=names[1])["CreationTime"]
    assert listed(CreationTimeAfter=middle) == [names[2]]
    assert listed(CreationTimeBefore=middle) == [names[0]]
