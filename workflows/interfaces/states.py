"""Describe answers of boto3 as the states of `base`."""

from __future__ import annotations

from typing import Any

from workflows.interfaces.base import EndpointState, TrainingState, Transition


def training_state(described: dict[str, Any]) -> TrainingState:
    """The state that a DescribeTrainingJob answer tells."""
    return TrainingState(
        name=described["TrainingJobName"],
        arn=described["TrainingJobArn"],
        status=described["TrainingJobStatus"],
        secondary=described["SecondaryStatus"],
        failure=described.get("FailureReason", ""),
        model_uri=described.get("ModelArtifacts", {}).get("S3ModelArtifacts", ""),
        transitions=tuple(
            Transition(
                item["Status"],
                item.get("StatusMessage", ""),
                _seconds(item["StartTime"]),
                _seconds(item.get("EndTime")),
            )
            for item in described.get("SecondaryStatusTransitions", [])
        ),
        train_seconds=float(described.get("TrainingTimeInSeconds", 0)),
        billable_seconds=float(described.get("BillableTimeInSeconds", 0)),
        metrics={
            item["MetricName"]: float(item["Value"]) for item in described.get("FinalMetricDataList", [])
        },
    )


def endpoint_state(described: dict[str, Any]) -> EndpointState:
    """The state that a DescribeEndpoint answer tells."""
    return EndpointState(
        name=described["EndpointName"],
        arn=described["EndpointArn"],
        status=described["EndpointStatus"],
        failure=described.get("FailureReason", ""),
    )


def _seconds(moment: Any) -> float:
    return float(moment.timestamp()) if moment is not None else 0.0
