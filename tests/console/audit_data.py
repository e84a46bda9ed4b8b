"""What an audit log holds: things that went well, were refused, failed, and one whose process was killed."""

from __future__ import annotations

from typing import Any

from workflows.safety.auditlog import Entry


def entries(now: float) -> tuple[Entry, ...]:
    """Some changes of the last days, the newest first."""
    here: dict[str, Any] = {"user": "ana", "host": "ml-host", "pid": 4711, "target": "embedded", "account": "123456789012", "region": "us-east-1", "profile": ""}  # fmt: skip
    there = here | {"target": "aws", "profile": "prod"}
    return (
        Entry("a6", now - 60, **here, by="console jobs.stop", service="sagemaker", operation="StopTrainingJob", resource="moons-high-20270115-075812-41c2", parameters={"TrainingJobName": "moons-high-20270115-075812-41c2"}, result="ok", seconds=0.012),
        Entry("a5", now - 400, **here, by="run moons-20270115-075812-41c2", service="sagemaker", operation="CreateTrainingJob", resource="moons-high-20270115-075812-41c2", parameters={"TrainingJobName": "moons-high-20270115-075812-41c2", "HyperParameters": {"epochs": "300", "API_TOKEN": "(hidden)"}}, result="ok", seconds=0.183),
        Entry("a4", now - 401, **here, by="mlconsole run", service="mlconsole", operation="StartRun", resource="moons-20270115-075812-41c2", parameters={"study": "moons", "keep": True}, result="ok"),
        Entry("a3", now - 9_000, **there, by="mlconsole endpoints delete", service="sagemaker", operation="DeleteEndpoint", resource="fraud", result="read-only"),
        Entry("a2", now - 90_000, **there, by="mlconsole jobs start", service="sagemaker", operation="CreateTrainingJob", resource="kmeans-1", result="AccessDeniedException", message="User: arn:aws:iam::123456789012:user/ana is not authorized to perform: sagemaker:CreateTrainingJob", seconds=0.21),
        Entry("a1", now - 200_000, **here, by="mlconsole sweep", service="sagemaker", operation="DeleteEndpoint", resource="demo"),
    )  # fmt: skip
