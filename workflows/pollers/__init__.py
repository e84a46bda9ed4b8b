"""One poller per topic: what is asked at each poll, and when the next one is worth it.

A poller's module is imported when its topic is observed: all of them before the first picture would be 40 ms.
"""

from __future__ import annotations

from typing import Any

from workflows.budget import Pace
from workflows.pollers.poller import LocalPoller, Poller
from workflows.problem import Problem
from workflows.topics import Topic

__all__ = ["LocalPoller", "Poller", "poller"]


def poller(topic: Topic[Any], known: Any, pace: Pace) -> Any:
    """The poller of a topic.

    Args:
        known: The last known value: lists show it until the first pages replace it, logs read on behind it.

    Raises:
        Problem: There is no such topic.
    """
    match topic.kind:
        case "jobs":
            from workflows.pollers.jobs import JobsPoller

            return JobsPoller(known or (), pace)
        case "endpoints":
            from workflows.pollers.endpoints import EndpointsPoller

            return EndpointsPoller(known or (), pace)
        case "runs":
            from workflows.pollers.runs import RunsPoller

            return RunsPoller()
        case "costs":
            from workflows.pollers.costs import CostsPoller

            return CostsPoller()
        case "audit":
            from workflows.pollers.audit import AuditPoller

            return AuditPoller()
        case "experiments":
            from workflows.pollers.experiments import ExperimentsPoller

            return ExperimentsPoller()
        case "experiment":
            from workflows.pollers.experiments import ExperimentPoller

            return ExperimentPoller(topic.name)
        case "job":
            from workflows.pollers.jobs import JobPoller

            return JobPoller(topic.name)
        case "endpoint":
            from workflows.pollers.endpoints import EndpointPoller

            return EndpointPoller(topic.name)
        case "tuning-jobs":
            from workflows.pollers.tuning import TuningJobsPoller

            return TuningJobsPoller(known or (), pace)
        case "tuning":
            from workflows.pollers.tuning import TuningPoller

            return TuningPoller(topic.name, pace)
        case "transforms":
            from workflows.pollers.transforms import TransformsPoller

            return TransformsPoller(known or (), pace)
        case "transform":
            from workflows.pollers.transforms import TransformPoller

            return TransformPoller(topic.name)
        case "transform-progress":
            from workflows.pollers.transforms import TransformProgressPoller

            return TransformProgressPoller(topic.name, pace)
        case "rollout":
            from workflows.pollers.rollouts import RolloutPoller

            return RolloutPoller(topic.name)
        case "job-logs" | "transform-logs" | "endpoint-logs":
            return _of_logs(topic, known)
        case "job-metrics":
            from workflows.pollers.jobs import JobMetricsPoller

            return JobMetricsPoller(topic.name, pace)
        case "endpoint-metrics":
            from workflows.pollers.endpoints import EndpointMetricsPoller

            return EndpointMetricsPoller(topic.name, pace)
        case "endpoint-alarms":
            from workflows.pollers.endpoints import EndpointAlarmsPoller

            return EndpointAlarmsPoller(topic.name)
        case "endpoint-scaling":
            from workflows.pollers.endpoints import EndpointScalingPoller

            return EndpointScalingPoller(topic.name, pace)
        case "replays":
            from workflows.pollers.replays import ReplaysPoller

            return ReplaysPoller()
    raise Problem(f"There is nothing to observe called {topic}.")


def _of_logs(topic: Topic[Any], known: Any) -> Any:
    from workflows.observe.logs import PAGE, LogReader
    from workflows.pollers.logs import LogPoller

    match topic.kind:
        case "job-logs":
            return LogPoller(LogReader.of_job(topic.name, tail=PAGE), known)
        case "transform-logs":
            return LogPoller(LogReader.of_transform(topic.name, tail=PAGE), known)
    return LogPoller(LogReader.of_endpoint(topic.name, tail=1_000), known)
