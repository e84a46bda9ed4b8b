"""What the tests of deployments share: deployment configurations, alarms, and watching an update from outside."""

from __future__ import annotations

import threading
import time
from typing import Any

from tests.engine.deploying import Deployer, unique


def percent(value: int) -> dict[str, Any]:
    """A CapacitySize."""
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def instances(value: int) -> dict[str, Any]:
    """A CapacitySize."""
    return {"Type": "INSTANCE_COUNT", "Value": value}


def alarmed(*names: str) -> dict[str, Any]:
    """An AutoRollbackConfiguration as a part of a DeploymentConfig."""
    return {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in names]}}


def blue_green(
    kind: str, wait: int = 0, termination: int = 0, alarms: tuple[str, ...] = (), timeout: int | None = None, **size: Any
) -> dict[str, Any]:  # fmt: skip
    """A DeploymentConfig with a BlueGreenUpdatePolicy; waits are declared seconds."""
    policy: dict[str, Any] = {
        "TrafficRoutingConfiguration": {"Type": kind, "WaitIntervalInSeconds": wait, **size},
        "TerminationWaitInSeconds": termination,
    }
    if timeout is not None:
        policy["MaximumExecutionTimeoutInSeconds"] = timeout
    return {"BlueGreenUpdatePolicy": policy, **(alarmed(*alarms) if alarms else {})}


def rolling(size: dict[str, Any], wait: int = 0, alarms: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    """A DeploymentConfig with a RollingUpdatePolicy."""
    policy = {"MaximumBatchSize": size, "WaitIntervalInSeconds": wait, **more}
    return {"RollingUpdatePolicy": policy, **(alarmed(*alarms) if alarms else {})}


def alarm(deploy: Deployer, *, state: str | None = "OK", **options: Any) -> str:
    """An alarm, unless told otherwise on a metric that nobody writes, in a state that SetAlarmState gave it (None: its own)."""
    name = options.pop("AlarmName", None) or unique("alarm")
    cloudwatch = deploy.engine.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        **{
            "AlarmName": name,
            "Namespace": "Test",
            "MetricName": name,
            "Statistic": "Average",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "ignore",
            **options,
        }
    )
    if state is not None:
        set_alarm(deploy, name, state)
    return str(name)


def set_alarm(deploy: Deployer, name: str, state: str) -> None:
    """SetAlarmState."""
    cloudwatch = deploy.engine.client("cloudwatch")
    cloudwatch.set_alarm_state(AlarmName=name, StateValue=state, StateReason="a test says so")


class Watcher:
    """Polls DescribeEndpoint in the background and keeps every answer that differs from the one before."""

    def __init__(self, deploy: Deployer, name: str) -> None:
        self.seen: list[dict[str, Any]] = []
        self._client = deploy.engine.client("sagemaker")
        self._name = name
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)

    def __enter__(self) -> Watcher:
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)
        self._look()

    def _poll(self) -> None:
        while not self._stop.is_set():
            self._look()
            time.sleep(0.02)

    def _look(self) -> None:
        found = self._client.describe_endpoint(EndpointName=self._name)
        found.pop("ResponseMetadata")
        if not self.seen or found != self.seen[-1]:
            self.seen.append(found)

    @property
    def statuses(self) -> list[str]:
        """The endpoint's statuses in order."""
        return _distinct(found["EndpointStatus"] for found in self.seen)

    def stages(self, variant: str = "A", where: str = "PendingDeploymentSummary") -> list[tuple[str, str]]:
        """A variant's statuses with their messages, in order; ``where`` is the summary, or "" for the variants in service."""
        found = []
        for answer in self.seen:
            variants = (answer.get(where) or {} if where else answer).get("ProductionVariants", [])
            for each in variants:
                if each["VariantName"] == variant:
                    found += [(s["Status"], s["StatusMessage"]) for s in each.get("VariantStatus", [])]
        return _distinct(found)

    def counts(self, variant: str = "A") -> list[int]:
        """How many instances of the old fleet there were, in order."""
        return _distinct(
            each["CurrentInstanceCount"]
            for answer in self.seen
            for each in answer.get("ProductionVariants", [])
            if each["VariantName"] == variant
        )


def _distinct(items: Any) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if not found or found[-1] != item:
            found.append(item)
    return found
