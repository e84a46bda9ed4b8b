"""One poller per topic: what is asked at each poll, and when the next one is worth it."""

from __future__ import annotations

from typing import Any

from workflows.budget import Pace
from workflows.observe.logs import PAGE, LogReader
from workflows.pollers.audit import AuditPoller
from workflows.pollers.costs import CostsPoller
from workflows.pollers.endpoints import (
    EndpointAlarmsPoller,
    EndpointMetricsPoller,
    EndpointPoller,
    EndpointScalingPoller,
    EndpointsPoller,
)
from workflows.pollers.experiments import ExperimentPoller, ExperimentsPoller
from workflows.pollers.jobs import JobMetricsPoller, JobPoller, JobsPoller
from workflows.pollers.logs import LogPoller
from workflows.pollers.poller import LocalPoller, Poller
from workflows.pollers.replays import ReplaysPoller
from workflows.pollers.rollouts import RolloutPoller
from workflows.pollers.runs import RunsPoller
from workflows.pollers.transforms import TransformPoller, TransformProgressPoller, TransformsPoller
from workflows.pollers.tuning import TuningJobsPoller, TuningPoller
from workflows.problem import Problem
from workflows.topics import Topic

__all__ = ["LocalPoller", "Poller", "poller"]


def poller(topic: Topic[Any], known: Any, pace: Pace) -> Any:
    """The poller of a topic.

    Args:
        known: The last known value, for lists: it is shown until the first pages replace it.

    Raises:
        Problem: There is no such topic.
    """
    match topic.kind:
        case "jobs":
            return JobsPoller(known or (), pace)
        case "endpoints":
            return EndpointsPoller(known or (), pace)
        case "runs":
            return RunsPoller()
        case "costs":
            return CostsPoller()
        case "audit":
            return AuditPoller()
        case "experiments":
            return ExperimentsPoller()
        case "experiment":
            return ExperimentPoller(topic.name)
        case "job":
            return JobPoller(topic.name)
        case "endpoint":
            return EndpointPoller(topic.name)
        case "tuning-jobs":
            return TuningJobsPoller(known or (), pace)
        case "tuning":
            return TuningPoller(topic.name, pace)
        case "transforms":
            return TransformsPoller(known or (), pace)
        case "transform":
            return TransformPoller(topic.name)
        case "transform-progress":
            return TransformProgressPoller(topic.name, pace)
        case "transform-logs":
            return LogPoller(LogReader.of_transform(topic.name, tail=PAGE))
        case "rollout":
            return RolloutPoller(topic.name)
        case "job-logs":
            return LogPoller(LogReader.of_job(topic.name, tail=PAGE))
        case "endpoint-logs":
            return LogPoller(LogReader.of_endpoint(topic.name, tail=1_000))
        case "job-metrics":
            return JobMetricsPoller(topic.name, pace)
        case "endpoint-metrics":
            return EndpointMetricsPoller(topic.name, pace)
        case "endpoint-alarms":
            return EndpointAlarmsPoller(topic.name)
        case "endpoint-scaling":
            return EndpointScalingPoller(topic.name, pace)
        case "replays":
            return ReplaysPoller()
    raise Problem(f"There is nothing to observe called {topic}.")
