"""CloudWatch Logs through boto3."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.engine.conftest import RunningEngine


@pytest.fixture(scope="module")
def logs(engine: RunningEngine) -> Any:
    return engine.client("logs")


@pytest.fixture
def group(logs: Any) -> str:
    name = f"/test/{uuid4().hex[:12]}"
    logs.create_log_group(logGroupName=name)
    return name


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def put(logs: Any, group: str, stream: str, *events: tuple[int, str]) -> Any:
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    items = [{"timestamp": timestamp, "message": message} for timestamp, message in events]
    return logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=items)


def messages(answer: dict[str, Any]) -> list[str]:
    return [event["message"] for event in answer["events"]]


NOW = int(time.time() * 1000)


def test_groups_and_their_errors(logs: Any, group: str) -> None:
    assert refusal(logs.create_log_group, logGroupName=group) == (
        "ResourceAlreadyExistsException",
        "The specified log group already exists",
    )
    gone = ("ResourceNotFoundException", "The specified log group does not exist.")
    assert refusal(logs.delete_log_group, logGroupName=group + "x") == gone
    assert refusal(logs.describe_log_streams, logGroupName=group + "x") == gone
    assert refusal(logs.get_log_events, logGroupName=group + "x", logStreamName="s") == gone
    assert refusal(logs.get_log_events, logGroupName=group, logStreamName="s") == (
        "ResourceNotFoundException",
        "The specified log stream does not exist.",
    )
    logs.put_retention_policy(logGroupName=group, retentionInDays=7)
    (described,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert described["retentionInDays"] == 7
    assert described["arn"].endswith(f":log-group:{group}:*")
    assert (
        refusal(logs.put_retention_policy, logGroupName=group, retentionInDays=2)[0]
        == "InvalidParameterException"
    )
    logs.delete_retention_policy(logGroupName=group)
    arn = described["logGroupArn"]
    logs.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
    logs.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}
    logs.delete_log_group(logGroupName=group)
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"] == []
    assert refusal(logs.start_query, logGroupName=group, startTime=0, endTime=1, queryString="fields x")[
        0
    ] == ("UnknownOperationException")


def test_paging_groups_and_streams(logs: Any, group: str) -> None:
    for i in range(7):
        put(logs, group, f"s{i}", (NOW - 1000 * (i * 3 % 7), str(i)))
    pages = logs.get_paginator("describe_log_streams").paginate(
        logGroupName=group, PaginationConfig={"PageSize": 3}
    )
    assert [item["logStreamName"] for page in pages for item in page["logStreams"]] == [
        f"s{i}" for i in range(7)
    ]
    pages = logs.get_paginator("describe_log_streams").paginate(
        logGroupName=group, orderBy="LastEventTime", descending=True, PaginationConfig={"PageSize": 2}
    )
    found = [item for page in pages for item in page["logStreams"]]
    assert [item["logStreamName"] for item in found] == ["s0", "s5", "s3", "s1", "s6", "s4", "s2"]
    assert found[0]["lastEventTimestamp"] == found[0]["firstEventTimestamp"] == NOW
    assert len(logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="s1")["logStreams"]) == 1
    wrong = {"logGroupName": group, "logStreamNamePrefix": "s", "orderBy": "LastEventTime"}
    assert refusal(logs.describe_log_streams, **wrong)[0] == "InvalidParameterException"
    assert (
        refusal(logs.describe_log_streams, logGroupName=group, nextToken="x")[0]
        == "InvalidParameterException"
    )
    for i in range(4):
        logs.create_log_group(logGroupName=f"{group}/sub{i}")
    pages = logs.get_paginator("describe_log_groups").paginate(
        logGroupNamePrefix=f"{group}/", PaginationConfig={"PageSize": 3}
    )
    assert [item["logGroupName"][-4:] for page in pages for item in page["logGroups"]] == [
        f"sub{i}" for i in range(4)
    ]


def test_reading_from_both_ends(logs: Any, group: str) -> None:
    put(logs, group, "s", *((NOW + i, f"m{i}") for i in range(10)))
    about = {"logGroupName": group, "logStreamName": "s", "limit": 4}
    head = logs.get_log_events(**about, startFromHead=True)
    assert messages(head) == ["m0", "m1", "m2", "m3"]
    second = logs.get_log_events(**about, nextToken=head["nextForwardToken"])
    assert messages(second) == ["m4", "m5", "m6", "m7"]
    back = logs.get_log_events(**about, nextToken=second["nextBackwardToken"])
    assert messages(back) == messages(head)
    third = logs.get_log_events(**about, nextToken=second["nextForwardToken"])
    assert messages(third) == ["m8", "m9"]
    end = logs.get_log_events(**about, nextToken=third["nextForwardToken"])
    assert (messages(end), end["nextForwardToken"]) == ([], third["nextForwardToken"])
    put(logs, group, "s", (NOW + 10, "m10"))
    assert messages(logs.get_log_events(**about, nextToken=end["nextForwardToken"])) == ["m10"]
    tail = logs.get_log_events(**about)
    assert messages(tail) == ["m7", "m8", "m9", "m10"]
    before = logs.get_log_events(**about, nextToken=tail["nextBackwardToken"])
    assert messages(before) == ["m3", "m4", "m5", "m6"]
    first = logs.get_log_events(**about, nextToken=before["nextBackwardToken"])
    assert messages(first) == ["m0", "m1", "m2"]
    start = logs.get_log_events(**about, nextToken=first["nextBackwardToken"])
    assert (messages(start), start["nextBackwardToken"]) == ([], first["nextBackwardToken"])
    assert messages(logs.get_log_events(**about, nextToken=start["nextForwardToken"])) == [
        "m0",
        "m1",
        "m2",
        "m3",
    ]
    some = logs.get_log_events(
        logGroupName=group, logStreamName="s", startTime=NOW + 3, endTime=NOW + 6, startFromHead=True
    )
    assert messages(some) == ["m3", "m4", "m5"]
    assert refusal(logs.get_log_events, **about, nextToken="f/1/s")[0] == "InvalidParameterException"


def test_an_empty_stream_can_be_followed(logs: Any, group: str) -> None:
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    about = {"logGroupName": group, "logStreamName": "s"}
    for options in ({"startFromHead": True}, {}):
        empty = logs.get_log_events(**about, **options)
        again = logs.get_log_events(**about, nextToken=empty["nextForwardToken"])
        assert (messages(again), again["nextForwardToken"]) == ([], empty["nextForwardToken"])
    put(logs, group, "s", (NOW, "first"))
    assert messages(logs.get_log_events(**about, nextToken=empty["nextForwardToken"])) == ["first"]


def test_batches_out_of_order_and_pages_by_size(logs: Any, group: str) -> None:
    put(logs, group, "s", (NOW, "late"), (NOW + 5, "latest"))
    put(logs, group, "s", (NOW - 50, "early"), (NOW + 1, "between"))
    about = {"logGroupName": group, "logStreamName": "s"}
    assert messages(logs.get_log_events(**about)) == ["early", "late", "between", "latest"]
    for i in range(3):
        put(logs, group, "big", (NOW + i, str(i) + "x" * 600_000))
    read: list[str] = []
    token: dict[str, str] = {}
    for _ in range(9):
        page = logs.get_log_events(logGroupName=group, logStreamName="big", startFromHead=True, **token)
        read += [message[0] for message in messages(page)]
        if token.get("nextToken") == page["nextForwardToken"]:
            break
        token = {"nextToken": page["nextForwardToken"]}
        assert len(page["events"]) <= 1
    assert read == ["0", "1", "2"]


def test_batches_that_are_refused(logs: Any, group: str) -> None:
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    about = {"logGroupName": group, "logStreamName": "s"}

    def events(*times: int) -> list[dict[str, Any]]:
        return [{"timestamp": moment, "message": "m"} for moment in times]

    code = "InvalidParameterException"
    assert refusal(logs.put_log_events, **about, logEvents=events(NOW, NOW - 1))[0] == code
    assert refusal(logs.put_log_events, **about, logEvents=events(NOW - 90_000_000, NOW))[0] == code
    large = [{"timestamp": NOW, "message": "x" * (1 << 20)}]
    assert refusal(logs.put_log_events, **about, logEvents=large)[0] == code
    day = 86_400_000
    old = logs.put_log_events(**about, logEvents=events(NOW - 15 * day, NOW - 15 * day + 1))
    assert old["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 2}
    new = logs.put_log_events(**about, logEvents=events(NOW, NOW + 3 * 3_600_000), sequenceToken="whatever")
    assert new["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}
    assert len(logs.get_log_events(**about)["events"]) == 1


def test_retention_hides_what_expired(logs: Any, group: str) -> None:
    put(logs, group, "s", (NOW - 3 * 86_400_000, "old"))
    put(logs, group, "s", (NOW, "new"))
    logs.put_retention_policy(logGroupName=group, retentionInDays=1)
    assert messages(logs.get_log_events(logGroupName=group, logStreamName="s")) == ["new"]
    assert messages(logs.filter_log_events(logGroupName=group)) == ["new"]


def test_filtering_over_streams(logs: Any, group: str) -> None:
    for i in range(3):
        put(logs, group, f"job/algo-{i}", *((NOW + 10 * k + i, f"epoch={k} stream={i}") for k in range(5)))
    put(logs, group, "other", (NOW, '{"level": "error", "n": 3}'))
    everything = logs.filter_log_events(logGroupName=group)["events"]
    assert [event["timestamp"] for event in everything] == sorted(event["timestamp"] for event in everything)
    assert len({event["eventId"] for event in everything}) == 16
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group,
        logStreamNamePrefix="job/",
        filterPattern='"epoch=3"',
        PaginationConfig={"PageSize": 2},
    )
    assert [event["message"] for page in pages for event in page["events"]] == [
        f"epoch=3 stream={i}" for i in range(3)
    ]
    for size in (1, 2, 5, 100):
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, PaginationConfig={"PageSize": size}
        )
        assert [event["eventId"] for page in pages for event in page["events"]] == [
            event["eventId"] for event in everything
        ]
    by_json = logs.filter_log_events(logGroupName=group, filterPattern="{ $.n > 2 }")["events"]
    assert [event["logStreamName"] for event in by_json] == ["other"]
    some = logs.filter_log_events(
        logGroupName=group, logStreamNames=["job/algo-1"], startTime=NOW + 11, endTime=NOW + 31
    )
    assert messages(some) == ["epoch=1 stream=1", "epoch=2 stream=1"]
    missing = {"logGroupName": group, "logStreamNames": ["no such"]}
    assert refusal(logs.filter_log_events, **missing)[0] == "ResourceNotFoundException"
    assert (
        refusal(logs.filter_log_events, logGroupName=group, filterPattern='"')[0]
        == "InvalidParameterException"
    )


def test_events_survive_a_kill(start_engine: Callable[..., RunningEngine]) -> None:
    running = start_engine()
    running.client("logs").create_log_group(logGroupName="g")
    put(running.client("logs"), "g", "s", (NOW, "kept"))
    running.kill()
    logs = start_engine().client("logs")
    assert messages(logs.get_log_events(logGroupName="g", logStreamName="s")) == ["kept"]
    put(logs, "g", "s", (NOW + 1, "more"))
    assert messages(logs.get_log_events(logGroupName="g", logStreamName="s")) == ["kept", "more"]
