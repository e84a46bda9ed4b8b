"""Reads the log streams of a job or an endpoint from CloudWatch Logs, where the last reading left off."""

from __future__ import annotations

from typing import Any

from workflows.interfaces.absence import absent
from workflows.interfaces.base import LogLine

TRAINING = "/aws/sagemaker/TrainingJobs"
TRANSFORM = "/aws/sagemaker/TransformJobs"
ENDPOINTS = "/aws/sagemaker/Endpoints"


class StreamReader:
    """All streams of ``group`` whose names begin with ``prefix``; streams that appear later are picked up.

    ``expected`` streams are all there will be: once they are known, no call is spent on looking for more.
    """

    def __init__(self, logs: Any, group: str, prefix: str = "", expected: int = 0) -> None:
        self._logs = logs
        self._group = group
        self._prefix = prefix
        self._expected = expected
        self._tokens: dict[str, str] = {}
        self._taken: list[LogLine] = []
        """What a reading that failed has got before: its tokens are spent, the next one gives its lines."""

    def read(self) -> list[LogLine]:
        """The new lines of every stream, by time. No group or stream yet: no lines."""
        from botocore.exceptions import ClientError

        try:
            for stream in self._streams():
                self._take(stream)
        except ClientError as error:
            if not absent(error):
                raise
        lines, self._taken = self._taken, []
        return sorted(lines, key=lambda line: line.time)

    def _streams(self) -> list[str]:
        if self._expected and len(self._tokens) >= self._expected:
            return list(self._tokens)
        options = {"logStreamNamePrefix": self._prefix} if self._prefix else {}
        pages = self._logs.get_paginator("describe_log_streams").paginate(logGroupName=self._group, **options)
        return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]

    def _take(self, stream: str) -> None:
        while True:
            token = self._tokens.get(stream)
            position: dict[str, Any] = {"nextToken": token} if token else {}
            answer = self._logs.get_log_events(
                logGroupName=self._group, logStreamName=stream, startFromHead=True, **position
            )
            self._taken += [
                LogLine(stream, event["timestamp"] / 1000, event["message"]) for event in answer["events"]
            ]
            self._tokens[stream] = answer["nextForwardToken"]
            # The token stays the same at the stream's end.
            if not answer["events"] or answer["nextForwardToken"] == token:
                return
