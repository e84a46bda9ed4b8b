"""CloudWatch Logs: groups, streams, retention and tags."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from engine.context import Engine
from engine.errors import ServiceError
from engine.http import Request
from engine.logstore.catalog import Group, Stream
from engine.registry import operation
from engine.streams import no_such_group

_RETENTIONS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
_ARN = re.compile(r"arn:[^:]*:logs:[^:]*:[^:]*:log-group:([^:]+)(?::\*)?")
_PAGE = 50


def invalid(message: str) -> ServiceError:
    """``InvalidParameterException``."""
    return ServiceError("InvalidParameterException", message)


def group_name(params: dict[str, Any]) -> str:
    """The log group of a request, by name or by ARN.

    Raises:
        ServiceError: ``InvalidParameterException``: both or neither are given.
    """
    name, identifier = params.get("logGroupName"), params.get("logGroupIdentifier")
    if (name is None) == (identifier is None):
        raise invalid("Either logGroupName or logGroupIdentifier must be specified, and not both.")
    if name is not None:
        return str(name)
    match = _ARN.fullmatch(str(identifier))
    return match[1] if match else str(identifier)


@operation("logs", "CreateLogGroup")
async def create_log_group(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """A new group."""
    kept: dict[str, object] = {
        name: params[name] for name in ("kmsKeyId", "tags", "logGroupClass") if name in params
    }
    engine.logs.create_group(params["logGroupName"], kept)
    return {}


@operation("logs", "DeleteLogGroup")
async def delete_log_group(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Delete a group with its streams and events."""
    await asyncio.to_thread(engine.logs.delete_group, params["logGroupName"])
    return {}


@operation("logs", "CreateLogStream")
async def create_log_stream(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """A new stream."""
    engine.logs.create_stream(params["logGroupName"], params["logStreamName"])
    return {}


@operation("logs", "DeleteLogStream")
async def delete_log_stream(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Delete a stream and its events."""
    engine.logs.delete_stream(params["logGroupName"], params["logStreamName"])
    return {}


@operation("logs", "DescribeLogGroups")
async def describe_log_groups(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Groups by name."""
    prefix, pattern = params.get("logGroupNamePrefix"), params.get("logGroupNamePattern")
    if prefix is not None and pattern is not None:
        raise invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
    wanted = {group_name({"logGroupIdentifier": item}) for item in params.get("logGroupIdentifiers") or ()}
    kind = params.get("logGroupClass")
    after = _token(engine, "DescribeLogGroups", params) or ""
    found = [
        group
        for group in engine.logs.groups()
        if group.name > after
        and group.name.startswith(prefix or "")
        and (pattern or "").lower() in group.name.lower()
        and (not wanted or group.name in wanted)
        and kind in (None, group.document.get("logGroupClass", "STANDARD"))
    ]
    limit = params.get("limit") or _PAGE
    described = await asyncio.to_thread(lambda: [_group(engine, group) for group in found[:limit]])
    answer: dict[str, Any] = {"logGroups": described}
    if len(found) > limit:
        answer["nextToken"] = engine.tokens.encode("DescribeLogGroups", params, found[limit - 1].name)
    return answer


@operation("logs", "DescribeLogStreams")
async def describe_log_streams(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Streams by name or by the time of their last event."""
    name = group_name(params)
    prefix, by_time = params.get("logStreamNamePrefix"), params.get("orderBy") == "LastEventTime"
    if by_time and prefix is not None:
        raise invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
    streams = [stream for stream in engine.logs.streams(name) if stream.name.startswith(prefix or "")]
    after = _token(engine, "DescribeLogStreams", params)
    descending = bool(params.get("descending"))

    def page() -> tuple[list[dict[str, Any]], list[Any] | None]:
        def order(stream: Stream) -> list[Any]:
            return [stream.file.last or 0, stream.name] if by_time else [stream.name]

        ordered = sorted(streams, key=order, reverse=descending)
        if after is not None:
            ordered = [
                item for item in ordered if (order(item) < after if descending else order(item) > after)
            ]
        limit = params.get("limit") or _PAGE
        shown = ordered[:limit]
        rest = order(shown[-1]) if len(ordered) > limit else None
        return [_stream(engine, name, stream) for stream in shown], rest

    described, position = await asyncio.to_thread(page)
    answer: dict[str, Any] = {"logStreams": described}
    if position is not None:
        answer["nextToken"] = engine.tokens.encode("DescribeLogStreams", params, position)
    return answer


@operation("logs", "PutRetentionPolicy")
async def put_retention_policy(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """How many days events are kept."""
    days = params["retentionInDays"]
    if days not in _RETENTIONS:
        allowed = ", ".join(map(str, _RETENTIONS))
        raise invalid(
            f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{allowed}]"
        )
    engine.logs.change_group(params["logGroupName"], {"retentionInDays": days})
    return {}


@operation("logs", "DeleteRetentionPolicy")
async def delete_retention_policy(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Events are kept for ever."""
    engine.logs.change_group(params["logGroupName"], {"retentionInDays": None})
    return {}


@operation("logs", "TagResource")
async def tag_resource(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Add or replace a group's tags."""
    _tag(engine, _tagged(engine, params), params["tags"], ())
    return {}


@operation("logs", "UntagResource")
async def untag_resource(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Remove some of a group's tags."""
    _tag(engine, _tagged(engine, params), {}, params["tagKeys"])
    return {}


@operation("logs", "ListTagsForResource")
async def list_tags_for_resource(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """A group's tags."""
    return {"tags": _tagged(engine, params).document.get("tags") or {}}


@operation("logs", "TagLogGroup")
async def tag_log_group(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """The older form of TagResource."""
    _tag(engine, engine.logs.group(params["logGroupName"]), params["tags"], ())
    return {}


@operation("logs", "UntagLogGroup")
async def untag_log_group(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """The older form of UntagResource."""
    _tag(engine, engine.logs.group(params["logGroupName"]), {}, params["tags"])
    return {}


@operation("logs", "ListTagsLogGroup")
async def list_tags_log_group(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """The older form of ListTagsForResource."""
    return {"tags": engine.logs.group(params["logGroupName"]).document.get("tags") or {}}


def _tagged(engine: Engine, params: dict[str, Any]) -> Group:
    match = _ARN.fullmatch(params["resourceArn"])
    if match is None:
        raise no_such_group()
    return engine.logs.group(match[1])


def _tag(engine: Engine, group: Group, added: dict[str, str], removed: Any) -> None:
    old = group.document.get("tags")
    tags = {**(old if isinstance(old, dict) else {}), **added}
    kept = {key: value for key, value in tags.items() if key not in removed}
    if len(kept) > _PAGE:
        raise ServiceError("TooManyTagsException", "A resource can have no more than 50 tags.")
    engine.logs.change_group(group.name, {"tags": kept or None})


def _token(engine: Engine, name: str, params: dict[str, Any]) -> Any:
    token = params.get("nextToken")
    if token is None:
        return None
    text = "The specified nextToken is invalid."
    return engine.tokens.decode(name, params, token, code="InvalidParameterException", message=text)


def _group(engine: Engine, group: Group) -> dict[str, Any]:
    arn = engine.settings.arn("logs", f"log-group:{group.name}")
    return {
        "logGroupName": group.name,
        "creationTime": group.created,
        "retentionInDays": group.document.get("retentionInDays"),
        "metricFilterCount": 0,
        "arn": f"{arn}:*",
        "logGroupArn": arn,
        "storedBytes": sum(stream.file.size for stream in list(group.streams.values())),
        "kmsKeyId": group.document.get("kmsKeyId"),
        "logGroupClass": group.document.get("logGroupClass", "STANDARD"),
    }


def _stream(engine: Engine, group: str, stream: Stream) -> dict[str, Any]:
    file = stream.file
    return {
        "logStreamName": stream.name,
        "creationTime": stream.created,
        "firstEventTimestamp": file.first,
        "lastEventTimestamp": file.last,
        "lastIngestionTime": file.ingested or None,
        "arn": engine.settings.arn("logs", f"log-group:{group}:log-stream:{stream.name}"),
        "storedBytes": file.size,
    }
