"""Pages of a log: read as they were written, and the same as botocore reads them."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflows.scripted import Scripted
from workflows.observe import log_events
from workflows.observe.gateway import impatient_config
from workflows.observe.log_events import read
from workflows.observe.logs import LogReader
from workflows.platform import Platform
from workflows.problem import Problem

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
OBJECTS = st.dictionaries(st.text(), VALUES, max_size=5)


@given(
    OBJECTS,
    st.sampled_from([None, 0, 2]),
    st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:\r")]),
    st.booleans(),
)
def test_an_object_is_read_as_json_reads_it(
    value: dict[str, Any], indent: int | None, signs: tuple[str, str], ascii_only: bool
) -> None:
    text = json.dumps(value, indent=indent, separators=signs, ensure_ascii=ascii_only)
    assert read(f" {text}\n") == value


@given(OBJECTS, st.integers(0, 400), st.text(max_size=3))
def test_what_json_refuses_is_refused(value: dict[str, Any], at: int, junk: str) -> None:
    text = json.dumps(value)
    damaged = text[:at] + junk + text[at + 1 :]
    try:
        expected = json.loads(damaged)
    except ValueError:
        expected = None
    if isinstance(expected, dict):
        assert read(damaged) == expected
    else:
        with pytest.raises((ValueError, IndexError)):
            read(damaged)


@pytest.mark.parametrize(
    "text", ["", "[]", "1", "{", '{"a":1', '{"a":[1', '{"a":[1,]}', "{1:2}", '{"a":1}x', "<html>"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises((ValueError, IndexError)):
        read(text)


def test_the_engine_gives_the_same_page_with_botocore_and_as_it_was_written(platform: Platform) -> None:
    logs = platform.session.client("logs", endpoint_url=platform.endpoint_url, config=impatient_config())
    name = "log-events-compared"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    try:
        now = int(time.time() * 1000)
        texts = ["plain", 'quoted "x", [1, {2}]', "tab\t ünïcode ✓ 🙂", "back\\slash", "  "]
        logs.put_log_events(
            logGroupName=name,
            logStreamName="s",
            logEvents=[{"timestamp": now + at, "message": text} for at, text in enumerate(texts)],
        )
        asked = {"logGroupName": name, "logStreamName": "s", "startFromHead": True}
        parsed = logs.get_log_events(**asked)
        log_events.register(logs)
        written = logs.get_log_events(**asked)
        del parsed["ResponseMetadata"], written["ResponseMetadata"]
        assert written == parsed and [event["message"] for event in written["events"]] == texts
        with pytest.raises(logs.exceptions.ResourceNotFoundException):
            logs.get_log_events(logGroupName="not-there", logStreamName="s")
    finally:
        logs.delete_log_group(logGroupName=name)


@pytest.mark.parametrize(
    "events", [["text"], [{"timestamp": "yesterday", "message": "x"}], [{"timestamp": 1, "message": 7}], 5]
)
def test_a_page_that_no_aws_service_writes_is_a_problem(events: Any) -> None:
    gateway = Scripted(
        describe_log_streams=lambda **_: {"logStreams": [{"logStreamName": "job/algo-1"}]},
        get_log_events=lambda **_: {"events": events, "nextForwardToken": "f/1"},
    )
    with pytest.raises(Problem, match="could not be understood"):
        LogReader.of_job("job").read(gateway)
