"""Reads boto3's answers without trusting them: times as epoch seconds, plain JSON, whole page walks."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TypedDict, Unpack

from workflows.observe.gateway import Gateway, answered
from workflows.problem import Problem

PAGE = 100
"""Items that are asked for with each page."""
PAGE_LIMIT = 400
"""Pages that are read of a list: 40,000 items. Who judges by what is not in it must not take the rest for missing."""


class Listing(TypedDict, total=False):
    """What SageMaker's lists are narrowed and sorted by; the newest come first unless another order is asked for.

    ``modified_after`` and ``created_after`` are epoch seconds; ``sort_by`` is CreationTime, Name or Status: SageMaker sorts by nothing else.
    """

    modified_after: float | None
    created_after: float | None
    status: str
    name_contains: str
    sort_by: str
    descending: bool


def seconds(value: Any) -> float | None:
    """Epoch seconds of a datetime, of its text as `plain` writes it, or of a number; None for anything else."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            return datetime.fromisoformat(value).timestamp()
        return None
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
        if not following or following in seen:
            return
        if len(seen) >= PAGE_LIMIT:
            raise Problem(
                f"{method} has more than {PAGE_LIMIT} pages: the rest was not read.", "Ask for less of it: by status, name or time.", "pages"
            )  # fmt: skip
        seen.add(following)
        asked[token] = following


_FEW = frozenset({"InProgress", "Stopping", "Deleting"})
"""States that few jobs of an account are in."""


def pages_of(gateway: Gateway, method: str, **listing: Unpack[Listing]) -> Iterator[dict[str, Any]]:
    """All pages of one of SageMaker's lists, which all filter and sort alike.

    Raises:
        Problem: The list cannot be had.
    """
    asked: dict[str, Any] = {
        "MaxResults": PAGE,
        "SortBy": listing.get("sort_by", "CreationTime"),
        "SortOrder": "Descending" if listing.get("descending", True) else "Ascending",
    }
    for name, value in (
        ("LastModifiedTimeAfter", listing.get("modified_after")),
        ("CreationTimeAfter", listing.get("created_after")),
    ):
        if value is not None:
            asked[name] = moment(value)
    for name, text in (
        ("StatusEquals", listing.get("status")),
        ("NameContains", listing.get("name_contains")),
    ):
        if text:
            asked[name] = text
    if method == "list_training_jobs" and asked.get("StatusEquals") in _FEW:
        # AWS takes a page of MaxResults first and filters it then: of a long list most pages would come empty.
        del asked["MaxResults"]
    return pages(gateway, "sagemaker", method, **asked)


def not_found(problem: Problem) -> bool:
    """Whether the thing that was named is not there. SageMaker often says so only in the text of a ValidationException."""
    if problem.code.startswith("ResourceNotFound") or problem.code == "not-found":
        return True
    text = problem.sentence.lower()
    return problem.code.startswith("Validation") and any(
        words in text for words in ("not find", "not found", "does not exist", "can't find", "there is no ")
    )
