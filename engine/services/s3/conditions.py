"""Conditional requests: RFC 9110's preconditions as S3 applies them to reads, copies and writes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from engine.errors import ServiceError
from engine.objects import ObjectInfo
from engine.services.s3.wire import no_such_key


def failed(condition: str) -> ServiceError:
    """``PreconditionFailed``, naming the header."""
    text = "At least one of the pre-conditions you specified did not hold"
    return ServiceError("PreconditionFailed", text, 412, fields={"Condition": condition})


def matches(header: str, etag: str) -> bool:
    """Whether a list of entity tags names this one."""
    tags = [tag.strip() for tag in header.split(",")]
    return "*" in tags or any(tag.removeprefix("W/").strip('"') == etag for tag in tags)


def check_read(info: ObjectInfo, params: dict[str, Any]) -> bool:
    """Whether the client's copy is still good (304).

    Raises:
        ServiceError: ``PreconditionFailed``.
    """
    match, none_match = params.get("IfMatch"), params.get("IfNoneMatch")
    if match is not None:
        if not matches(match, info.etag):
            raise failed("If-Match")
    elif _newer(info, params.get("IfUnmodifiedSince")):
        raise failed("If-Unmodified-Since")
    if none_match is not None:
        return matches(none_match, info.etag)
    since = params.get("IfModifiedSince")
    return since is not None and not _newer(info, since)


def check_copy(info: ObjectInfo, params: dict[str, Any]) -> None:
    """The conditions on a copy's source.

    Raises:
        ServiceError: ``PreconditionFailed``.
    """
    match, none_match = params.get("CopySourceIfMatch"), params.get("CopySourceIfNoneMatch")
    if match is not None:
        if not matches(match, info.etag):
            raise failed("x-amz-copy-source-If-Match")
    elif _newer(info, params.get("CopySourceIfUnmodifiedSince")):
        raise failed("x-amz-copy-source-If-Unmodified-Since")
    if none_match is not None:
        if matches(none_match, info.etag):
            raise failed("x-amz-copy-source-If-None-Match")
        return
    since = params.get("CopySourceIfModifiedSince")
    if since is not None and not _newer(info, since):
        raise failed("x-amz-copy-source-If-Modified-Since")


def for_write(params: dict[str, Any]) -> Callable[[ObjectInfo | None], None] | None:
    """The condition of a write, to be evaluated at the moment of the write; None when there is none."""
    match, none_match = params.get("IfMatch"), params.get("IfNoneMatch")
    if match is None and none_match is None:
        return None
    if none_match is not None and none_match != "*":
        raise ServiceError(
            "NotImplemented", "A header you provided implies functionality that is not implemented", 501
        )

    def check(current: ObjectInfo | None) -> None:
        if none_match is not None and current is not None:
            raise failed("If-None-Match")
        if match is not None:
            if current is None:
                raise no_such_key(params["Key"])
            if not matches(match, current.etag):
                raise failed("If-Match")

    return check


def _newer(info: ObjectInfo, moment: datetime | None) -> bool:
    return moment is not None and int(info.modified) > int(moment.timestamp())
