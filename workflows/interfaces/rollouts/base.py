"""What a rollout asks of SageMaker and CloudWatch, whichever interface carries it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Rollouts(Protocol):
    """Documents are the requests of the API's operations. Whatever is refused raises `workflows.problem.Problem`."""

    name: str

    def make_model(self, document: Mapping[str, Any]) -> None:
        """CreateModel."""

    def make_configuration(self, document: Mapping[str, Any]) -> None:
        """CreateEndpointConfig."""

    def make_endpoint(self, document: Mapping[str, Any]) -> None:
        """CreateEndpoint; returns while the endpoint is being created."""

    def update(self, document: Mapping[str, Any]) -> None:
        """UpdateEndpoint; returns while the endpoint is being updated."""

    def weigh(
        self, endpoint: str, weights: Mapping[str, float], counts: Mapping[str, int] | None = None
    ) -> None:
        """UpdateEndpointWeightsAndCapacities: the desired weights and instance counts by variant."""

    def describe(self, endpoint: str) -> dict[str, Any] | None:
        """DescribeEndpoint, or None when there is no such endpoint."""

    def configuration(self, name: str) -> dict[str, Any] | None:
        """DescribeEndpointConfig, or None when there is none of that name."""

    def model_exists(self, name: str) -> bool:
        """Whether there is a model of that name."""

    def delete_configuration(self, name: str) -> bool:
        """Deletes an endpoint configuration; whether there was one."""

    def delete_model(self, name: str) -> bool:
        """Deletes a model; whether there was one."""

    def put_alarm(self, document: Mapping[str, Any]) -> None:
        """PutMetricAlarm."""

    def set_alarm(self, name: str, state: str, reason: str) -> None:
        """SetAlarmState."""

    def alarms(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """DescribeAlarms: those of the names that exist."""

    def points(
        self, queries: list[dict[str, Any]], begin: float, end: float
    ) -> dict[str, tuple[tuple[float, float], ...]]:
        """GetMetricData: (epoch seconds, value) by query id, oldest first."""

    def delete_alarms(self, names: Sequence[str]) -> None:
        """DeleteAlarms; names that do not exist are passed over."""
