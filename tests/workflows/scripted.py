"""A gateway that answers from a script: what the hub's tests need and no service gives on demand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from workflows.clock import Clock


class SteppedClock(Clock):
    """Time that stands still until a test moves it; sleeping moves it."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now
        self.slept: list[float] = []

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def advance(self, seconds: float) -> None:
        self.now += seconds


class AwsError(Exception):
    """An error as botocore raises it: with the service's answer."""

    def __init__(
        self, code: str, message: str = "", status: int = 400, operation: str = "ListTrainingJobs"
    ) -> None:
        super().__init__(f"An error occurred ({code}): {message}")
        self.response = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }
        self.operation_name = operation


class EndpointConnectionError(Exception):
    """Named as botocore's: the hub tells exceptions by their names."""


class Scripted:
    """Answers calls by function; ``calls`` keeps (method, parameters) in order."""

    target = "embedded"
    region = "us-east-1"
    account = "123456789012"

    def __init__(self, **answers: Callable[..., Any]) -> None:
        self.answers: dict[str, Callable[..., Any]] = dict(answers)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._lock = threading.Lock()

    def client(self, service: str) -> Any:
        gateway = self

        class Client:
            def __getattr__(self, method: str) -> Callable[..., Any]:
                def call(**parameters: Any) -> Any:
                    with gateway._lock:
                        gateway.calls.append((method, parameters))
                    return gateway.answers[method](**parameters)

                return call

        return Client()

    def count(self, method: str) -> int:
        """How often a method was called."""
        return sum(1 for name, _ in self.calls if name == method)


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


class Jobs:
    """Training jobs that can be listed as SageMaker lists them: pages, LastModifiedTimeAfter, newest first."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}

    def put(
        self, name: str, *, created: float, modified: float | None = None, status: str = "Completed"
    ) -> None:
        self.jobs[name] = {
            "TrainingJobName": name,
            "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{name}",
            "CreationTime": moment(created),
            "LastModifiedTime": moment(modified if modified is not None else created),
            "TrainingJobStatus": status,
            "SecondaryStatus": status,
        }

    def list(self, **asked: Any) -> dict[str, Any]:
        assert asked["SortBy"] in ("CreationTime", "Name", "Status")
        rows = sorted(self.jobs.values(), key=lambda job: job["CreationTime"], reverse=True)
        if "LastModifiedTimeAfter" in asked:
            rows = [job for job in rows if job["LastModifiedTime"] > asked["LastModifiedTimeAfter"]]
        first = int(asked.get("NextToken", 0))
        size = asked["MaxResults"]
        page: dict[str, Any] = {"TrainingJobSummaries": rows[first : first + size]}
        if first + size < len(rows):
            page["NextToken"] = str(first + size)
        return page

    def describe(self, TrainingJobName: str) -> dict[str, Any]:
        if TrainingJobName not in self.jobs:
            raise AwsError(
                "ValidationException", "Requested resource not found.", operation="DescribeTrainingJob"
            )
        resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1}
        return {**self.jobs[TrainingJobName], "ResourceConfig": resources}
