"""Reads boto3's answers without trusting them: times as epoch seconds, plain JSON, whole page walks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from workflows.observe.gateway import Gateway, answered
from workflows.problem import Problem

PAGE_LIMIT = 400
"""Pages after which a list is taken to go in circles."""


def seconds(value: Any) -> float | None:
    """Epoch seconds of a datetime or a number; None for anything else."""
    if isinstance(value, datetime):
        return value.timestamp()
    return float(value) if isinstance(value, int | float) else None


def moment(value: float) -> datetime:
    """An aware UTC time for boto3."""
    return datetime.fromtimestamp(value, UTC)


def plain(value: Any) -> Any:
    """A JSON-ready copy: times in ISO 8601, bytes as their size, without boto3's response metadata."""
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items() if name != "ResponseMetadata"}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    return value


def pages(
    gateway: Gateway, service: str, method: str, token: str = "NextToken", **parameters: Any
) -> Iterator[dict[str, Any]]:
    """All pages of a list. A token that comes a second time ends the walk: some services have been seen to repeat one.

    Args:
        token: The name of the token's member in the request and in the answer.
    """
    seen: set[str] = set()
    asked: dict[str, Any] = dict(parameters)
    while True:
        page = answered(gateway, service, method, **asked)
        yield page
        following = page.get(token)
        if not following or following in seen or len(seen) >= PAGE_LIMIT:
            return
        seen.add(following)
        asked[token] = following


def not_found(problem: Problem) -> bool:
    """Whether the thing that was named is not there. SageMaker often says so only in the text of a ValidationException."""
    if problem.code.startswith("ResourceNotFound"):
        return True
    text = problem.sentence.lower()
    return problem.code.startswith("Validation") and any(
        words in text for words in ("not find", "not found", "does not exist", "can't find")
    )
