"""CloudWatch Logs: putting, reading and filtering events."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from engine.context import Engine
from engine.http import Request
from engine.logstore.catalog import Stream
from engine.logstore.file import Event, Position
from engine.logstore.pattern import compile_pattern
from engine.registry import operation
from engine.services.logs import group_name, invalid
from engine.streams import no_such_stream

_PAGE_BYTES = 1 << 20
_PAGE_EVENTS = 10_000
_OVERHEAD = 26  # What CloudWatch Logs adds to each event's size.
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_LATEST = (1 << 62) - 1
_SCANNED_EVENTS = 500_000
_SCANNED_SECONDS = 5.0
_SHIFT = 16  # Keeps offsets just before a file's first byte non-negative in tokens.


@operation("logs", "PutLogEvents")
async def put_log_events(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Append events; those too old, too new or expired are left out and reported."""
    group = engine.logs.group(params["logGroupName"])
    engine.logs.stream(group.name, params["logStreamName"])
    events = [(item["timestamp"], item["message"]) for item in params["logEvents"]]
    _check_batch(events)
    now = int(engine.clock.time() * 1000)
    oldest = max(now - 14 * _DAY_MS, 0)
    kept_since = engine.logs.oldest_kept(group)
    expired = sum(timestamp < kept_since for timestamp, _ in events)
    too_old = sum(timestamp < oldest for timestamp, _ in events)
    too_new = next((i for i, (timestamp, _) in enumerate(events) if timestamp > now + 2 * _HOUR_MS), None)
    rejected = {
        "tooNewLogEventStartIndex": too_new,
        "tooOldLogEventEndIndex": too_old or None,
        "expiredLogEventEndIndex": expired or None,
    }
    accepted = events[max(expired, too_old) : too_new]
    await asyncio.to_thread(engine.logs.put, group.name, params["logStreamName"], accepted)
    answer: dict[str, Any] = {"nextSequenceToken": f"{time.time_ns():056d}"}
    if any(value is not None for value in rejected.values()):
        answer["rejectedLogEventsInfo"] = rejected
    return answer


def _check_batch(events: list[tuple[int, str]]) -> None:
    size = sum(len(message.encode("utf-8", "replace")) + _OVERHEAD for _, message in events)
    if size > _PAGE_BYTES:
        raise invalid(f"Upload too large: {size} bytes exceeds limit of {_PAGE_BYTES}")
    if any(later < earlier for (earlier, _), (later, _) in itertools.pairwise(events)):
        raise invalid("Log events in a single PutLogEvents request must be in chronological order.")
    if events[-1][0] - events[0][0] > _DAY_MS:
        raise invalid(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
        )


@operation("logs", "GetLogEvents")
async def get_log_events(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """A page of a stream; its two tokens lead on in both directions and stay what they are at the ends."""
    group = group_name(params)
    stream = engine.logs.stream(group, params["logStreamName"])
    start = max(params.get("startTime", 0), engine.logs.oldest_kept(engine.logs.group(group)))
    end = params.get("endTime", _LATEST)
    limit = params.get("limit", _PAGE_EVENTS)
    token = params.get("nextToken")
    forward, position = _read_token(token) if token is not None else (bool(params.get("startFromHead")), None)
    read = _forward_page if forward else _backward_page
    return await asyncio.to_thread(read, stream, start, end, limit, position)


def _forward_page(
    stream: Stream, start: int, end: int, limit: int, position: Position | None
) -> dict[str, Any]:
    low = Position(start, -1)
    after = max(position, low) if position is not None else low
    events = itertools.takewhile(lambda event: event.timestamp < end, stream.file.forward(after))
    page = _page(events, limit)
    stay = position if position is not None else after
    last = Position(page[-1].timestamp, page[-1].offset) if page else stay
    first = Position(page[0].timestamp, page[0].offset) if page else Position(stay.timestamp, stay.offset + 1)
    return _answer(page, last, first)


def _backward_page(
    stream: Stream, start: int, end: int, limit: int, position: Position | None
) -> dict[str, Any]:
    high = Position(end, -1)
    before = min(position, high) if position is not None else high
    events = itertools.takewhile(lambda event: event.timestamp >= start, stream.file.backward(before))
    page = _page(events, limit)[::-1]
    if page:
        return _answer(
            page, Position(page[-1].timestamp, page[-1].offset), Position(page[0].timestamp, page[0].offset)
        )
    if position is None:
        low = Position(start, -1)
        return _answer([], low, low)
    return _answer([], Position(position.timestamp, position.offset - 1), position)


def _page(events: Iterator[Event], limit: int) -> list[Event]:
    page: list[Event] = []
    size = 0
    for event in events:
        size += len(event.message.encode("utf-8", "replace")) + _OVERHEAD
        if page and size > _PAGE_BYTES:
            break
        page.append(event)
        if len(page) >= limit:
            break
    return page


def _answer(page: list[Event], forward: Position, backward: Position) -> dict[str, Any]:
    return {
        "events": [
            {"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.ingestion}
            for event in page
        ],
        "nextForwardToken": _token("f", forward),
        "nextBackwardToken": _token("b", backward),
    }


def _token(direction: str, position: Position) -> str:
    return f"{direction}/{position.timestamp:020d}{position.offset + _SHIFT:036d}/s"


def _read_token(token: str) -> tuple[bool, Position]:
    """Whether a token leads forward, and from where.

    Raises:
        ServiceError: ``InvalidParameterException``.
    """
    direction, _, rest = token.partition("/")
    digits, _, _ = rest.partition("/")
    if direction not in ("f", "b") or len(digits) != 56 or not (digits.isascii() and digits.isdigit()):
        raise invalid("The specified nextToken is invalid.")
    return direction == "f", Position(int(digits[:20]), int(digits[20:]) - _SHIFT)


class _Place(NamedTuple):
    """A place in a group's order: events of all streams by time, then by stream."""

    timestamp: int
    stream: str
    offset: int


@operation("logs", "FilterLogEvents")
async def filter_log_events(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Events of many streams in one order. A page may be empty although more follow: there is a token then."""
    group = engine.logs.group(group_name(params))
    names, prefix = params.get("logStreamNames"), params.get("logStreamNamePrefix")
    if names is not None and prefix is not None:
        raise invalid("logStreamNamePrefix and logStreamNames are mutually exclusive parameters.")
    for name in names or ():
        if name not in group.streams:
            raise no_such_stream()
    streams = [
        stream
        for stream in engine.logs.streams(group.name)
        if (names is None or stream.name in names) and stream.name.startswith(prefix or "")
    ]
    token = params.get("nextToken")
    place = None
    if token is not None:
        text = "The specified nextToken is invalid."
        code = "InvalidParameterException"
        place = _Place(*engine.tokens.decode("FilterLogEvents", params, token, code=code, message=text))
    start = max(params.get("startTime", 0), engine.logs.oldest_kept(group))
    end = params.get("endTime", _LATEST)
    matches = compile_pattern(params.get("filterPattern") or "")
    limit = params.get("limit", _PAGE_EVENTS)

    def scan() -> tuple[list[dict[str, Any]], _Place | None]:
        found: list[dict[str, Any]] = []
        size = 0
        deadline = time.monotonic() + _SCANNED_SECONDS
        last = place
        for scanned, (stream, event) in enumerate(_merged(streams, start, end, place)):
            if (
                len(found) >= limit
                or scanned >= _SCANNED_EVENTS
                or (scanned % 1000 == 999 and time.monotonic() > deadline)
            ):
                return found, last
            if matches(event.message):
                size += len(event.message.encode("utf-8", "replace")) + _OVERHEAD
                if found and size > _PAGE_BYTES:
                    return found, last
                found.append(_filtered(stream, event))
            last = _Place(event.timestamp, stream.name, event.offset)
        return found, None

    found, last = await asyncio.to_thread(scan)
    answer: dict[str, Any] = {"events": found, "searchedLogStreams": []}
    if last is not None:
        answer["nextToken"] = engine.tokens.encode("FilterLogEvents", params, list(last))
    return answer


def _merged(
    streams: list[Stream], start: int, end: int, after: _Place | None
) -> Iterator[tuple[Stream, Event]]:
    """Events of all streams in one order; a stream's file is opened when its first event is due."""
    relevant = [
        stream
        for stream in streams
        if stream.file.last is not None and stream.file.last >= start and (stream.file.first or 0) < end
    ]
    relevant.sort(key=lambda stream: (max(stream.file.first or 0, start), stream.name), reverse=True)
    due = [(max(stream.file.first or 0, start), stream.name, stream) for stream in relevant]
    heap: list[tuple[int, str, int, Event, Stream, Iterator[Event]]] = []
    while heap or due:
        while due and (not heap or due[-1][0] <= heap[0][0]):
            _, name, stream = due.pop()
            events = stream.file.forward(_position_in(name, start, after))
            event = next(events, None)
            if event is not None and event.timestamp < end:
                heapq.heappush(heap, (event.timestamp, name, event.offset, event, stream, events))
        if not heap:
            continue
        _, name, _, event, stream, events = heap[0]
        yield stream, event
        following = next(events, None)
        if following is None or following.timestamp >= end:
            heapq.heappop(heap)
        else:
            heapq.heapreplace(heap, (following.timestamp, name, following.offset, following, stream, events))


def _position_in(name: str, start: int, after: _Place | None) -> Position:
    low = Position(start, -1)
    if after is None:
        return low
    if name == after.stream:
        return max(low, Position(after.timestamp, after.offset))
    return max(low, Position(after.timestamp, _LATEST if name < after.stream else -1))


def _filtered(stream: Stream, event: Event) -> dict[str, Any]:
    return {
        "logStreamName": stream.name,
        "timestamp": event.timestamp,
        "message": event.message,
        "ingestionTime": event.ingestion,
        "eventId": f"{event.timestamp:020d}{stream.id:016d}{event.offset:020d}",
    }
