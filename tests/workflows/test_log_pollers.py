"""Followed logs: what comes while nobody looks, and what a failed call had read already."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workflows.scripted import AwsError, Scripted
from tests.workflows.test_hub import Bench
from workflows import entries
from workflows.observe.logs import LogReader
from workflows.observe.rows import LogTail
from workflows.pollers.logs import LogPoller
from workflows.problem import Problem
from workflows.topics import job_logs

LIMIT = 10
"""Events of a page of the log below."""


class Log:
    """CloudWatch Logs with one job's streams; a token is the number of the next event."""

    def __init__(self, *streams: str) -> None:
        self.events: dict[str, list[str]] = {stream: [] for stream in streams}
        self.calls = 0
        self.failing: set[int] = set()
        """Calls of GetLogEvents that are not answered."""
        self.forgotten = False

    def gateway(self) -> Scripted:
        return Scripted(describe_log_streams=self._streams, get_log_events=self._read)

    def write(self, lines: int, stream: str = "algo-1") -> None:
        events = self.events[stream]
        events += [f"{stream}:{number}" for number in range(len(events), len(events) + lines)]

    def _streams(self, **_: Any) -> dict[str, Any]:
        return {"logStreams": [{"logStreamName": f"job/{stream}"} for stream in self.events]}

    def _read(
        self, logStreamName: str, startFromHead: bool, limit: int, nextToken: str | None = None, **_: Any
    ) -> dict[str, Any]:
        self.calls += 1
        if self.calls in self.failing:
            raise AwsError("ThrottlingException", "Rate exceeded")
        events = self.events[logStreamName.removeprefix("job/")]
        if nextToken is not None and self.forgotten:
            raise AwsError("InvalidParameterException", "The specified nextToken is invalid.")
        if nextToken is not None:
            begin = int(nextToken)
        else:
            begin = 0 if startFromHead else max(0, len(events) - min(limit, LIMIT))
        page = events[begin : begin + LIMIT]
        return {
            "events": [{"timestamp": 1_000, "message": text} for text in page],
            "nextForwardToken": str(begin + len(page)),
        }


def poller(known: LogTail | None = None) -> LogPoller:
    return LogPoller(LogReader.of_job("job", tail=LIMIT), known)


def texts(tail: LogTail) -> list[str]:
    return [line.text for line in tail.lines]


def numbered(*numbers: int) -> list[str]:
    return [f"algo-1:{number}" for number in numbers]


def test_a_log_that_was_left_is_read_on_where_it_was_left() -> None:
    log = Log("algo-1")
    log.write(25)
    before = poller().poll(log.gateway(), lambda _: None, 0.0)
    assert texts(before) == numbered(*range(15, 25))
    log.write(30)
    after = poller(before).poll(log.gateway(), lambda _: None, 0.0)
    assert [line.text for line in after.since(before.end)] == numbered(*range(25, 55))
    assert after.skipped is None


def test_what_is_too_much_to_be_read_again_is_left_out_and_told() -> None:
    log = Log("algo-1")
    log.write(5)
    before = poller().poll(log.gateway(), lambda _: None, 0.0)
    log.write(1_000)
    going = poller(before)
    after = going.poll(log.gateway(), lambda _: None, 0.0)
    assert after.skipped == 55  # five pages were read
    assert [line.text for line in after.since(55)] == numbered(*range(995, 1_005))
    log.write(3)
    later = going.poll(log.gateway(), lambda _: None, 0.0)
    assert [line.text for line in later.since(after.end)] == numbered(1_005, 1_006, 1_007)


def test_a_token_that_is_forgotten_is_no_error() -> None:
    log = Log("algo-1")
    log.write(5)
    before = poller().poll(log.gateway(), lambda _: None, 0.0)
    log.write(20)
    going = poller(before)
    answer = log._read

    def read(**asked: Any) -> dict[str, Any]:
        log.forgotten = asked.get("nextToken") == "5"
        return answer(**asked)

    after = going.poll(Scripted(describe_log_streams=log._streams, get_log_events=read), lambda _: None, 0.0)
    assert after.skipped == 5 and [line.text for line in after.since(5)] == numbered(*range(15, 25))


@pytest.mark.parametrize("failing", [2, 3, 4, 5, 6])
def test_what_was_read_before_a_call_failed_is_not_lost(failing: int) -> None:
    log = Log("algo-1", "algo-2")
    reader = LogReader.of_job("job")
    log.write(25)
    log.write(15, "algo-2")
    log.failing = {failing}
    with pytest.raises(Problem):
        reader.read(log.gateway())
    lines = reader.read(log.gateway()).lines
    for stream, number in (("algo-1", 25), ("algo-2", 15)):
        assert [line.text for line in lines if line.stream == stream] == [
            f"{stream}:{one}" for one in range(number)
        ]


def test_a_log_that_nobody_looks_at_keeps_few_lines_and_is_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "LEFT_LINES", 4)
    log = Log("algo-1")
    log.write(5)
    got: list[LogTail] = []
    desk = Bench(log.gateway())
    with desk.hub.subscribe(job_logs("job"), lambda snapshot: got.append(snapshot.value)):
        desk.settle()
    assert texts(got[-1]) == numbered(*range(5))
    log.write(3)
    with desk.hub.subscribe(job_logs("job"), lambda snapshot: got.append(snapshot.value)):
        assert texts(got[-1]) == numbered(1, 2, 3, 4)
        desk.settle()
    assert texts(got[-1]) == numbered(*range(1, 8)) and got[-1].end == 8
