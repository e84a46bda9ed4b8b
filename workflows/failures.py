"""Errors of workflows as sentences with a next step."""

from __future__ import annotations

from workflows.explain import explain
from workflows.problem import Problem


class WorkflowError(Exception):
    """Something that a person can act upon; the text is a sentence that names the thing and the remedy."""


class Cancelled(Exception):
    """The run was asked to stop."""


def explained(error: BaseException, target: str = "aws") -> str:
    """What happened and what to do next. Errors of AWS clients are interpreted, others are named with their text."""
    if type(error).__module__.partition(".")[0] in ("botocore", "boto3", "s3transfer") or hasattr(
        error, "response"
    ):
        return str(explain(error, target))
    text = " ".join(str(error).split())
    if isinstance(error, Problem):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
