"""CloudWatch Logs of jobs and endpoints: read from the head or from the end, and followed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflows.courtesy import in_turns
from workflows.observe.gateway import Gateway, answered, garbage
from workflows.observe.reading import not_found, pages
from workflows.observe.rows import LogLine, LogPage
from workflows.problem import Problem

TRAINING_GROUP = "/aws/sagemaker/TrainingJobs"
TRANSFORM_GROUP = "/aws/sagemaker/TransformJobs"
ENDPOINT_GROUP = "/aws/sagemaker/Endpoints/"
PAGE = 10_000
"""Events per page: the most that GetLogEvents gives."""

RELIST = 10
"""Reads between two looks for new streams, once there is one, where nothing else is asked for."""


class LogReader:
    """Reads the streams of one job or endpoint and remembers where it stopped.

    GetLogEvents gives a token with every page; an empty page is not the end, a token that comes back unchanged is.

    Args:
        group: The log group.
        prefix: The beginning of the streams' names; it is left out of the lines' stream names.
        tail: Begin with the newest page of each stream instead of the first line; the number is the most lines wanted.
        relist: Reads between two looks for new streams, once there is one.
    """

    def __init__(
        self, group: str, prefix: str = "", *, tail: int | None = None, relist: int = RELIST
    ) -> None:
        self.group = group
        self.prefix = prefix
        self._tail = tail
        self._relist = relist
        self._tokens: dict[str, str | None] = {}
        self._reads = 0
        self._taken: list[LogLine] = []
        """What a read that failed has got before: its tokens are spent, the next read gives its lines."""
        self._whole: set[str] = set()
        """Streams that began later than the first read, of which all is new."""
        self._begun = False

    @classmethod
    def of_job(cls, name: str, *, tail: int | None = None) -> LogReader:
        """The reader of a training job's log."""
        return cls(TRAINING_GROUP, f"{name}/", tail=tail)

    @classmethod
    def of_transform(cls, name: str, *, tail: int | None = None) -> LogReader:
        """The reader of a transform job's log: its container's and the agent's."""
        return cls(TRANSFORM_GROUP, f"{name}/", tail=tail)

    @classmethod
    def of_endpoint(cls, name: str, *, tail: int | None = None, relist: int = RELIST) -> LogReader:
        """The reader of an endpoint's log: all variants."""
        return cls(f"{ENDPOINT_GROUP}{name}", tail=tail, relist=relist)

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams found so far."""
        return tuple(self._tokens)

    @property
    def tokens(self) -> dict[str, str | None]:
        """Where the reading of each stream goes on; None: at its beginning, or its newest page."""
        return dict(self._tokens)

    def go_on(self, tokens: Mapping[str, str | None]) -> None:
        """Read on where another reader of the same log has stopped."""
        self._tokens = dict(tokens)
        self._begun = bool(tokens)

    def skip(self) -> None:
        """Read on with the newest page of each stream, whatever is before it."""
        self._tokens = dict.fromkeys(self._tokens)
        self._whole.clear()

    def read(self, gateway: Gateway, most_pages: int = 20) -> LogPage:
        """What has come since the last read, in order of time; a group or stream that is not there yet is an empty log.

        Args:
            most_pages: Pages per stream after which the read ends, although there may be more.

        Raises:
            Problem: The log cannot be had.
        """
        if not self._tokens or self._reads % self._relist == 0:
            self.read_streams(gateway)
        self._reads += 1
        complete = True
        for stream in self._tokens:
            complete = self._read_stream(gateway, stream, most_pages) and complete
        self._begun = True
        lines, self._taken = self._taken, []
        if len(self._tokens) > 1:
            lines.sort(key=lambda line: line.time)
        return LogPage(tuple(lines), complete)

    def read_streams(self, gateway: Gateway) -> tuple[str, ...]:
        """Look for streams, and answer all that are known; their lines are read by `read`.

        Raises:
            Problem: The streams cannot be listed.
        """
        for stream in self._find(gateway):
            if stream not in self._tokens:
                self._tokens[stream] = None
                if self._begun:
                    self._whole.add(stream)
        return self.streams

    def _read_stream(self, gateway: Gateway, stream: str, most_pages: int) -> bool:
        """Take what a stream has; whether that is all."""
        short = stream.removeprefix(self.prefix)
        for _ in range(most_pages):
            token = self._tokens[stream]
            asked: dict[str, Any] = {"logGroupName": self.group, "logStreamName": stream}
            if token is None:
                tail = None if stream in self._whole else self._tail
                asked["startFromHead"] = tail is None
                asked["limit"] = PAGE if tail is None else max(1, min(PAGE, tail))
            else:
                asked |= {"nextToken": token, "startFromHead": True, "limit": PAGE}
            try:
                page = answered(gateway, "logs", "get_log_events", **asked)
            except Problem as problem:
                if not_found(problem):
                    return True
                raise
            self._taken += _lines(page.get("events") or (), short)
            following = page.get("nextForwardToken")
            if not following or following == token:
                return True
            self._tokens[stream] = str(following)
        return False

    def _find(self, gateway: Gateway) -> list[str]:
        asked: dict[str, Any] = {"logGroupName": self.group}
        if self.prefix:
            asked["logStreamNamePrefix"] = self.prefix
        try:
            return [
                str(stream["logStreamName"])
                for page in pages(gateway, "logs", "describe_log_streams", "nextToken", **asked)
                for stream in page.get("logStreams") or ()
            ]
        except Problem as problem:
            if not_found(problem):
                return []
            raise


def _lines(events: Any, stream: str) -> list[LogLine]:
    """The events of a page; they come as they were written, and something else than AWS may have written them."""
    try:
        return [
            LogLine((event.get("timestamp") or 0) / 1000, stream, (event.get("message") or "").rstrip("\n"))
            for event in in_turns(events)
        ]
    except (AttributeError, TypeError) as error:
        raise garbage() from error
