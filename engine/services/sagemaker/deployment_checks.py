"""What is refused of a DeploymentConfig, in AWS's words where they are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.errors import ServiceError, validation
from engine.hosting.strategy import parts_of, strategy

if TYPE_CHECKING:
    from engine.context import Engine


def check(config: Mapping[str, Any] | None, counts: Mapping[str, int]) -> None:
    """Refuse a configuration that contradicts itself or does not fit the new fleet.

    Args:
        counts: Instances that each variant of the new fleet will have.

    Raises:
        ServiceError: ``ValidationException``.
    """
    if not config:
        return
    blue_green, rolling = config.get("BlueGreenUpdatePolicy"), config.get("RollingUpdatePolicy")
    if blue_green and rolling:
        raise validation(
            "Only one update policy can be used in a DeploymentConfig: specify either BlueGreenUpdatePolicy or "
            "RollingUpdatePolicy."
        )
    for alarm in (config.get("AutoRollbackConfiguration") or {}).get("Alarms", ()):
        if not alarm.get("AlarmName"):
            raise validation("Every alarm of AutoRollbackConfiguration must have an AlarmName.")
    if blue_green:
        _routing(blue_green["TrafficRoutingConfiguration"], counts)
    if rolling:
        _size("MaximumBatchSize", rolling["MaximumBatchSize"], counts, 0.05, 0.5)
        if rolling.get("RollbackMaximumBatchSize"):
            _size("RollbackMaximumBatchSize", rolling["RollbackMaximumBatchSize"], counts, 0.0, 1.0)
    plan = strategy(config, counts, dict.fromkeys(counts, 1.0))
    if plan.timeout is not None and plan.timeout <= plan.waits:
        declared = "WaitIntervalInSeconds" + ("" if rolling else " and TerminationWaitInSeconds")
        raise validation(
            f"MaximumExecutionTimeoutInSeconds ({plan.timeout}) must be larger than the total waiting time of "
            f"{plan.waits} seconds that {declared} make over {len(plan.steps)} step(s)."
        )


def check_alarms(engine: Engine, config: Mapping[str, Any] | None) -> None:
    """Refuse alarms that are not there.

    Raises:
        ServiceError: ``ValidationException``.
    """
    alarms = ((config or {}).get("AutoRollbackConfiguration") or {}).get("Alarms", ())
    missing = [alarm["AlarmName"] for alarm in alarms if engine.alarms.state(alarm["AlarmName"]) is None]
    if missing:
        raise validation(
            f"Could not find the CloudWatch alarm(s) {', '.join(missing)} of AutoRollbackConfiguration. Create them with "
            "PutMetricAlarm first."
        )


def _routing(routing: Mapping[str, Any], counts: Mapping[str, int]) -> None:
    kind = routing["Type"]
    for name, wanted in (("CanarySize", "CANARY"), ("LinearStepSize", "LINEAR")):
        if kind == wanted and not routing.get(name):
            raise validation(f"{name} is required when the type of TrafficRoutingConfiguration is {wanted}.")
        if kind != wanted and routing.get(name):
            raise validation(
                f"{name} can only be specified when the type of TrafficRoutingConfiguration is {wanted}, not {kind}."
            )
    if kind == "CANARY":
        _size("CanarySize", routing["CanarySize"], counts, 0.0, 0.5)
    if kind == "LINEAR":
        _size("LinearStepSize", routing["LinearStepSize"], counts, 0.1, 0.5)


def _size(name: str, size: Mapping[str, Any], counts: Mapping[str, int], least: float, most: float) -> None:
    for variant, part in parts_of(size, counts).items():
        if least - 1e-9 <= part <= most + 1e-9:
            continue
        raise _unfit(name, size, variant, counts[variant], least, most)


def _unfit(
    name: str, size: Mapping[str, Any], variant: str, count: int, least: float, most: float
) -> ServiceError:
    allowed = f"less than or equal to {most:.0%}" if not least else f"between {least:.0%} and {most:.0%}"
    if size["Type"] == "CAPACITY_PERCENT":
        given, remedy = f"{size['Value']}%", ""
    else:
        given = f"{size['Value']} instance(s)"
        remedy = " Use the type CAPACITY_PERCENT for a part of fewer instances."
    return validation(
        f"{name} must be {allowed} of the variant's total instance count: {given} does not fit variant {variant} with "
        f"{count} instance(s).{remedy}"
    )
