"""A large AWS account behind real boto3 clients: every call is validated by botocore, counted, and answered from memory."""

from __future__ import annotations

import bisect
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, ClassVar

import boto3

from tests.workflows.scripted import AwsError, SteppedClock, moment
from workflows.budget import COSTS

_LONGEST = timedelta(seconds=60)
"""No job that has ended in the meantime ran for longer than this."""
MODIFIED = "LastModifiedTimeAfter"
NUMBER = "123456789012"


@dataclass(frozen=True)
class Call:
    """One call: when it was made, and what for."""

    at: float
    service: str
    operation: str
    parameters: dict[str, Any]

    @property
    def page(self) -> tuple[str, ...]:
        """Which page of which list is asked for."""
        asked = {name: value for name, value in self.parameters.items() if name != "MaxResults"}
        return (self.operation, *(f"{name}={asked[name]}" for name in sorted(asked)))


@cache
def _session() -> boto3.Session:
    return boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")


class Account:
    """Training jobs and endpoints; nothing happens unless a test lets it happen. Of the running jobs one is the oldest of all."""

    target = "aws"
    region = "us-east-1"
    account = NUMBER

    def __init__(self, clock: SteppedClock, *, jobs: int, endpoints: int, running: int = 0) -> None:
        self.clock = clock
        self.calls: list[Call] = []
        begin = clock.now - jobs * 60.0
        self._lively = {0, *range(jobs - running + 1, jobs)} if running else set[int]()
        """Places of jobs that run or have changed since: only these are looked through for what has changed."""
        self.jobs = [
            self._job(f"job-{number:06}", begin + number * 60.0, running=number in self._lively)
            for number in range(jobs)
        ]
        self._by_name = {str(job["TrainingJobName"]): job for job in self.jobs}
        self.endpoints = [
            {
                "EndpointName": f"endpoint-{number:03}",
                "EndpointArn": f"arn:aws:sagemaker:us-east-1:{NUMBER}:endpoint/endpoint-{number:03}",
                "EndpointStatus": "InService",
                "CreationTime": moment(begin + number),
                "LastModifiedTime": moment(begin + number + 300),
            }
            for number in range(endpoints)
        ]
        self.deleted: set[str] = set()
        self._clients: dict[str, Any] = {}
        self._asked: dict[str, Any] = {}

    @staticmethod
    def _job(name: str, created: float, *, running: bool) -> dict[str, Any]:
        return {
            "TrainingJobName": name,
            "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:{NUMBER}:training-job/{name}",
            "CreationTime": moment(created),
            "LastModifiedTime": moment(created + (30 if running else 50)),
            "TrainingJobStatus": "InProgress" if running else "Completed",
        }

    def start(self, name: str) -> None:
        """Somebody starts a job."""
        self._lively.add(len(self.jobs))
        self.jobs.append(self._job(name, self.clock.now, running=True))
        self._by_name[name] = self.jobs[-1]

    def end(self, number: int) -> None:
        """A running job completes."""
        self._lively.add(number)
        self.jobs[number] |= {"TrainingJobStatus": "Completed", "LastModifiedTime": moment(self.clock.now)}

    def client(self, service: str) -> Any:
        """A boto3 client whose requests are answered here."""
        if service not in self._clients:
            client = _session().client(service)

            def asked(params: dict[str, Any], model: Any, **_: Any) -> None:
                self._asked = dict(params)

            def answer(model: Any, **_: Any) -> tuple[Any, dict[str, Any]]:
                self.calls.append(Call(self.clock.now, service, model.name, self._asked))
                found = getattr(self, f"_{model.name}")(**self._asked)
                return _Response, found | {"ResponseMetadata": {"HTTPStatusCode": 200}}

            client.meta.events.register(f"before-parameter-build.{service}", asked)
            client.meta.events.register(f"before-call.{service}", answer)
            self._clients[service] = client
        return self._clients[service]

    # What is asked

    def count(self, since: float = 0.0) -> Counter[str]:
        """Calls by operation."""
        return Counter(call.operation for call in self.calls if call.at >= since)

    def highest_debt(self, rate: float, burst: float) -> float:
        """How far the calls were above what a token bucket of this rate and size allows, at the worst moment; tokens."""
        tokens, at, worst = burst, self.calls[0].at if self.calls else 0.0, 0.0
        for call in self.calls:
            tokens = min(burst, tokens + (call.at - at) * rate) - COSTS.get(call.service, 0.0)
            at, worst = call.at, max(worst, -tokens)
        return worst

    # What is answered

    def _ListTrainingJobs(self, **asked: Any) -> dict[str, Any]:
        assert asked["SortBy"] == "CreationTime" and asked["SortOrder"] == "Descending"
        after: datetime | None = asked.get(MODIFIED)
        status = asked.get("StatusEquals")
        if status and "MaxResults" in asked:  # as AWS has it: the page first, then the filter
            unfiltered = {name: value for name, value in asked.items() if name != "StatusEquals"}
            page = self._ListTrainingJobs(**unfiltered)
            kept = [job for job in page["TrainingJobSummaries"] if job["TrainingJobStatus"] == status]
            return {**page, "TrainingJobSummaries": kept}
        if after is None and not status:
            rows: Any = self.jobs
        else:
            recent = bisect.bisect_left(
                self.jobs, (after or moment(0)) - _LONGEST, key=lambda job: job["CreationTime"]
            )
            places = self._lively | (set() if status else set(range(recent, len(self.jobs))))
            rows = [
                job
                for job in (self.jobs[place] for place in sorted(places))
                if (after is None or job["LastModifiedTime"] > after)
                and status in (None, job["TrainingJobStatus"])
            ]
        return self._page(rows, "TrainingJobSummaries", asked)

    def _DescribeTrainingJob(self, TrainingJobName: str) -> dict[str, Any]:
        if TrainingJobName in self.deleted:
            raise AwsError(
                "ValidationException", "Requested resource not found.", operation="DescribeTrainingJob"
            )
        job = self._by_name[TrainingJobName]
        resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}
        return {**job, "ResourceConfig": resources, "SecondaryStatus": job["TrainingJobStatus"]}

    def _ListEndpoints(self, **asked: Any) -> dict[str, Any]:
        rows = self.endpoints
        if MODIFIED in asked:
            rows = [row for row in rows if row["LastModifiedTime"] > asked[MODIFIED]]
        return self._page(rows, "Endpoints", asked)

    def _DescribeEndpoint(self, EndpointName: str) -> dict[str, Any]:
        row = next(row for row in self.endpoints if row["EndpointName"] == EndpointName)
        variant = {
            "VariantName": "A",
            "CurrentInstanceCount": 1,
            "DesiredInstanceCount": 1,
            "CurrentWeight": 1.0,
        }
        return {**row, "EndpointConfigName": f"{EndpointName}-config", "ProductionVariants": [variant]}

    def _DescribeEndpointConfig(self, EndpointConfigName: str) -> dict[str, Any]:
        variant = {
            "VariantName": "A",
            "ModelName": "m",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
        return {"EndpointConfigName": EndpointConfigName, "ProductionVariants": [variant]}

    def _ListHyperParameterTuningJobs(self, **asked: Any) -> dict[str, Any]:
        return {"HyperParameterTuningJobSummaries": []}

    def _ListTransformJobs(self, **asked: Any) -> dict[str, Any]:
        return {"TransformJobSummaries": []}

    def _DescribeAlarms(self, **asked: Any) -> dict[str, Any]:
        return {"MetricAlarms": [], "CompositeAlarms": []}

    def _GetMetricData(self, **asked: Any) -> dict[str, Any]:
        return {"MetricDataResults": []}

    def _ListMetrics(self, **asked: Any) -> dict[str, Any]:
        return {"Metrics": []}

    def _DescribeLogStreams(self, **asked: Any) -> dict[str, Any]:
        return {"logStreams": [{"logStreamName": "A/i-0"}]}

    def _GetLogEvents(self, **asked: Any) -> dict[str, Any]:
        return {"events": [], "nextForwardToken": "f/0", "nextBackwardToken": "b/0"}

    def _DescribeScalableTargets(self, **asked: Any) -> dict[str, Any]:
        return {"ScalableTargets": []}

    @staticmethod
    def _page(rows: list[dict[str, Any]], member: str, asked: dict[str, Any]) -> dict[str, Any]:
        """The page of a list that is kept oldest first and answered newest first."""
        first, size = int(asked.get("NextToken", 0)), asked.get("MaxResults", 10)
        end = len(rows) - first
        page: dict[str, Any] = {member: rows[max(0, end - size) : end][::-1]}
        if end > size:
            page["NextToken"] = str(first + size)
        return page


class _Response:
    """What botocore looks at besides the answer."""

    status_code = 200
    headers: ClassVar[dict[str, str]] = {}
