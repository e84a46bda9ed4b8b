"""What an endpoint configuration may say of capture, shadows, asynchronous and serverless inference, and how Describe tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.errors import validation
from engine.hosting.artifacts import split_uri

_PUBLISHED_EVERY = (10, 30, 60, 120, 180, 240, 300)
LARGEST_FLOAT = 3.4028234e38
_UNSUPPORTED = "One or more endpoint features are not supported using this configuration"


def weight(value: float, variant: str) -> float:
    """A variant's weight.

    Raises:
        ServiceError: ``ValidationException``: it is no number of single precision, as JSON can say.
    """
    if not 0 <= value <= LARGEST_FLOAT:
        raise validation(
            f"Variant {variant}: the weight {value} must be a number between 0 and {LARGEST_FLOAT:g}."
        )
    return float(value)


def check(params: Mapping[str, Any]) -> None:
    """Refuse what cannot be, by what AWS documents of each feature.

    Raises:
        ServiceError: ``ValidationException``.
    """
    variants = params["ProductionVariants"]
    shadows = params.get("ShadowProductionVariants") or []
    for variant in [*variants, *shadows]:
        if variant.get("ServerlessConfig"):
            _serverless(variant, params, alone=len(variants) + len(shadows) == 1)
    every = (params.get("MetricsConfig") or {}).get("MetricPublishFrequencyInSeconds")
    if every is not None and every not in _PUBLISHED_EVERY:
        raise validation(
            f"MetricPublishFrequencyInSeconds {every} is not supported. Valid values are "
            f"{', '.join(map(str, _PUBLISHED_EVERY))}."
        )
    capture = params.get("DataCaptureConfig")
    if capture:
        _place("DataCaptureConfig.DestinationS3Uri", capture["DestinationS3Uri"])
    asynchronous = params.get("AsyncInferenceConfig")
    if asynchronous:
        if shadows:
            raise validation(f"{_UNSUPPORTED}: shadow variants of an asynchronous endpoint.")
        for name in ("S3OutputPath", "S3FailurePath"):
            path = asynchronous["OutputConfig"].get(name)
            if path:
                _place(f"AsyncInferenceConfig.OutputConfig.{name}", path)


def concurrency(config: Mapping[str, Any], variant: str) -> None:
    """Refuse more provisioned concurrency than there may be requests.

    Raises:
        ServiceError: ``ValidationException``.
    """
    provisioned = config.get("ProvisionedConcurrency")
    if provisioned is not None and provisioned > config["MaxConcurrency"]:
        raise validation(
            f"Variant {variant}: ProvisionedConcurrency {provisioned} must be less than or equal to "
            f"MaxConcurrency {config['MaxConcurrency']}."
        )


def updated(config: Mapping[str, Any] | None, change: Mapping[str, Any], variant: str) -> dict[str, Any]:
    """A ServerlessConfig after a ServerlessUpdateConfig.

    Raises:
        ServiceError: ``ValidationException``: the variant is not serverless, or the change cannot be.
    """
    if not config:
        raise validation(f"Variant {variant} is not serverless: ServerlessUpdateConfig does not apply to it.")
    wanted = {**config, **{key: value for key, value in change.items() if value is not None}}
    concurrency(wanted, variant)
    return wanted


def capture_summary(config: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """DescribeEndpoint's DataCaptureConfig; every member of it is required, the key too where there is none."""
    if not config:
        return None
    enabled = bool(config.get("EnableCapture", True))
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId") or "",
    }


def _serverless(variant: Mapping[str, Any], params: Mapping[str, Any], *, alone: bool) -> None:
    name, config = variant["VariantName"], variant["ServerlessConfig"]
    if config["MemorySizeInMB"] % 1024:
        raise validation(
            f"Variant {name}: MemorySizeInMB {config['MemorySizeInMB']} is not supported. Valid values are 1024, 2048, 3072, "
            "4096, 5120 and 6144."
        )
    concurrency(config, name)
    if not alone:
        raise validation(f"{_UNSUPPORTED}: a serverless endpoint has exactly one production variant.")
    parts = [part for part in ("AsyncInferenceConfig", "VpcConfig", "ExplainerConfig") if params.get(part)]
    if (params.get("DataCaptureConfig") or {}).get("EnableCapture", True) and params.get("DataCaptureConfig"):
        parts.append("DataCaptureConfig")
    parts += [
        part for part in ("RoutingConfig", "ManagedInstanceScaling", "VolumeSizeInGB") if variant.get(part)
    ]
    if parts:
        raise validation(f"{_UNSUPPORTED}: {', '.join(parts)} of a serverless endpoint.")


def _place(name: str, uri: str) -> None:
    if not split_uri(uri)[0]:
        raise validation(f"{name}: '{uri}' names no S3 bucket.")
