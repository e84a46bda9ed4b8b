"""Rollouts through boto3 alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workflows.observe import metrics
from workflows.observe.gateway import Gateway, answered
from workflows.observe.reading import not_found
from workflows.problem import Problem

MOST_NAMES = 100
"""Alarm names per call."""


class LowRollouts:
    """See `workflows.interfaces.rollouts.base.Rollouts` for what each method does.

    ``gateway`` may be a platform, or what the hub hands to an action.
    """

    name = "low"

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def make_model(self, document: Mapping[str, Any]) -> None:
        self._call("sagemaker", "create_model", **document)

    def make_configuration(self, document: Mapping[str, Any]) -> None:
        self._call("sagemaker", "create_endpoint_config", **document)

    def make_endpoint(self, document: Mapping[str, Any]) -> None:
        self._call("sagemaker", "create_endpoint", **document)

    def update(self, document: Mapping[str, Any]) -> None:
        self._call("sagemaker", "update_endpoint", **document)

    def weigh(
        self, endpoint: str, weights: Mapping[str, float], counts: Mapping[str, int] | None = None
    ) -> None:
        desired: dict[str, dict[str, Any]] = {}
        for member, values in (("DesiredWeight", weights), ("DesiredInstanceCount", counts or {})):
            for name, value in values.items():
                desired.setdefault(name, {"VariantName": name})[member] = value
        self._call(
            "sagemaker",
            "update_endpoint_weights_and_capacities",
            EndpointName=endpoint,
            DesiredWeightsAndCapacities=list(desired.values()),
        )

    def describe(self, endpoint: str) -> dict[str, Any] | None:
        return self._found("describe_endpoint", EndpointName=endpoint)

    def configuration(self, name: str) -> dict[str, Any] | None:
        return self._found("describe_endpoint_config", EndpointConfigName=name)

    def model_exists(self, name: str) -> bool:
        return self._found("describe_model", ModelName=name) is not None

    def delete_configuration(self, name: str) -> bool:
        return self._found("delete_endpoint_config", EndpointConfigName=name) is not None

    def delete_model(self, name: str) -> bool:
        return self._found("delete_model", ModelName=name) is not None

    def put_alarm(self, document: Mapping[str, Any]) -> None:
        self._call("cloudwatch", "put_metric_alarm", **document)

    def set_alarm(self, name: str, state: str, reason: str) -> None:
        self._call("cloudwatch", "set_alarm_state", AlarmName=name, StateValue=state, StateReason=reason)

    def alarms(self, names: Sequence[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for first in range(0, len(names), MOST_NAMES):
            answer = self._call(
                "cloudwatch",
                "describe_alarms",
                AlarmNames=list(names[first : first + MOST_NAMES]),
                AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            )
            found += [*(answer.get("MetricAlarms") or ()), *(answer.get("CompositeAlarms") or ())]
        return found

    def points(
        self, queries: list[dict[str, Any]], begin: float, end: float
    ) -> dict[str, tuple[tuple[float, float], ...]]:
        return metrics.data(self._gateway, queries, begin, end)

    def delete_alarms(self, names: Sequence[str]) -> None:
        there = [str(item["AlarmName"]) for item in self.alarms(names)]
        if there:  # one name that is not there would keep all of them
            self._call("cloudwatch", "delete_alarms", AlarmNames=there)

    def _call(self, service: str, method: str, **parameters: Any) -> dict[str, Any]:
        return answered(self._gateway, service, method, **parameters)

    def _found(self, method: str, **name: str) -> dict[str, Any] | None:
        try:
            return self._call("sagemaker", method, **name)
        except Problem as problem:
            if not_found(problem):
                return None
            raise
