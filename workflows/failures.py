"""Errors of workflows as sentences with a next step."""

from __future__ import annotations

from typing import Any

from workflows.explain import explain
from workflows.problem import Problem


class WorkflowError(Exception):
    """Something that a person can act upon; the text is a sentence that names the thing and the remedy.

    ``problem`` is what lies behind it, where AWS or the machine said it: its remedy and its code stay apart in ``--json``.
    """

    def __init__(self, text: str | Problem = "") -> None:
        super().__init__(str(text))
        self.problem = text if isinstance(text, Problem) else None


class Cancelled(Exception):
    """The run was asked to stop."""


def explained(error: BaseException, target: str = "aws") -> str:
    """What happened and what to do next. Errors of AWS clients are interpreted, others are named with their text."""
    if type(error).__module__.partition(".")[0] in ("botocore", "boto3", "s3transfer") or hasattr(
        error, "response"
    ):
        return str(explain(error, target))
    if type(error).__module__.partition(".")[0].startswith("pydantic") and hasattr(error, "errors"):
        return _unreadable(error)
    text = " ".join(str(error).split())
    if isinstance(error, Problem):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _unreadable(error: Any) -> str:
    """What the SageMaker SDK's types refuse: a value that it was given, or an answer that is not as its model says."""
    wrong = "; ".join(
        f"{'.'.join(map(str, item['loc']))}: {item['msg'].lower()}" for item in error.errors()[:3]
    )
    return (
        f"The SageMaker SDK refuses a value of {error.title} ({wrong}): one that it was given, or one that the service "
        "answered. The interface low does the same without the SDK's types."
    )
