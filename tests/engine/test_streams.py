"""Log files and filter patterns below CloudWatch Logs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ServiceError
from engine.logstore import file as file_module
from engine.logstore.file import Position
from engine.logstore.pattern import compile_pattern
from engine.streams import LogStore

MESSAGES = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=80) | st.sampled_from(
    ["\\n", "\\", "a\\\n\nb", "x" * 300]
)
BATCHES = st.lists(st.lists(st.tuples(st.integers(0, 60), MESSAGES), min_size=1, max_size=5), max_size=10)


@given(BATCHES, st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_every_position_leads_on_in_both_directions(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[tuple[int, str]]], reopen: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_module, "_BLOCK", 64)
        patch.setattr(file_module, "_SCAN", 48)
        root = tmp_path_factory.mktemp("logs")
        store = LogStore(root)
        store.create_group("g")
        store.create_stream("g", "s")
        model: list[tuple[int, str]] = []
        for i, batch in enumerate(batches):
            ordered = sorted(batch, key=lambda event: event[0])
            store.put("g", "s", ordered)
            model += ordered
            if i == reopen:
                store.close()
                store = LogStore(root)
        model.sort(key=lambda event: event[0])
        file = store.stream("g", "s").file
        events = list(file.forward())
        assert [(event.timestamp, event.message) for event in events] == model
        assert list(file.backward()) == events[::-1]
        for i, event in enumerate(events):
            place = Position(event.timestamp, event.offset)
            assert list(file.forward(place)) == events[i + 1 :]
            assert list(file.backward(place)) == events[:i][::-1]
        for moment in range(0, 62, 7):
            place = Position(moment, -1)
            assert list(file.forward(place)) == [event for event in events if event.timestamp >= moment]
            assert list(file.backward(place)) == [event for event in events if event.timestamp < moment][::-1]
        store.close()


def test_append_makes_group_and_stream_and_keeps_the_order_of_calls(tmp_path: Path) -> None:
    store = LogStore(tmp_path)
    store.append("/aws/sagemaker/TrainingJobs", "job/algo-1", [(1000, "one"), (900, "two")])
    store.append("/aws/sagemaker/TrainingJobs", "job/algo-1", [(950, "three"), (2000, "four\nlines")])
    store.append("/aws/sagemaker/TrainingJobs", "job/algo-1", [])
    assert store.tail("/aws/sagemaker/TrainingJobs", "job/algo-1", 3) == ["two", "three", "four\nlines"]
    events = list(store.read("/aws/sagemaker/TrainingJobs", "job/algo-1"))
    assert [event.timestamp for event in events] == [1000, 1000, 1000, 2000]
    assert store.tail("/aws/sagemaker/TrainingJobs", "other", 3) == []
    assert store.tail("nothing", "other", 3) == []
    store.clear()
    assert store.groups() == []
    assert list(tmp_path.glob("*/*.log")) == []
    store.close()


def test_a_deleted_stream_begins_anew(tmp_path: Path) -> None:
    store = LogStore(tmp_path)
    store.append("g", "s", [(1, "old")])
    store.delete_stream("g", "s")
    store.append("g", "s", [(2, "new")])
    assert store.tail("g", "s", 9) == ["new"]
    with pytest.raises(ServiceError, match="log stream does not exist"):
        store.delete_stream("g", "t")
    with pytest.raises(ServiceError, match="log group does not exist"):
        store.delete_group("h")
    store.close()


_VICTIM = """
import sys, time
from pathlib import Path
from engine.streams import LogStore
store = LogStore(Path(sys.argv[1]))
for i in range(500):
    store.append("g", "s", [(i, f"line {i}")])
print("written", flush=True)
time.sleep(60)
"""


def test_a_killed_process_loses_no_line_and_a_torn_line_is_dropped(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _VICTIM, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "written\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with next(tmp_path.glob("*/*.log")).open("ab") as file:
        file.write(b"500 17 torn li")
    store = LogStore(tmp_path)
    store.append("g", "s", [(501, "next")])
    messages = [event.message for event in store.read("g", "s")]
    assert messages == [*(f"line {i}" for i in range(500)), "next"]
    store.close()


def test_many_streams_share_few_open_files(tmp_path: Path) -> None:
    store = LogStore(tmp_path)
    for round_ in range(2):
        for i in range(300):
            store.append("g", f"s{i}", [(round_, f"{i} {round_}")])
    assert store.tail("g", "s0", 5) == ["0 0", "0 1"]
    assert len(store._descriptors) <= 128
    store.close()


@pytest.mark.parametrize(
    ("pattern", "message", "matches"),
    [
        ("", "anything", True),
        ("ERROR", "an ERROR here", True),
        ("ERROR", "an error here", False),
        ("ERROR disk", "disk ERROR", True),
        ("ERROR disk", "ERROR", False),
        ('"disk full"', "the disk full", True),
        ('"disk full"', "full disk", False),
        ('"say \\"no\\""', 'they say "no"', True),
        ("?ERROR ?WARN", "WARN: x", True),
        ("?ERROR ?WARN", "INFO: x", False),
        ("ERROR -Exit", "ERROR 1", True),
        ("ERROR -Exit", "ERROR Exit", False),
        ('-"all good"', "all good", False),
        ("%ERR[0-9]+%", "ERR42", True),
        ("%ERR[0-9]+%", "ERR", False),
        ("{ $.x = 1 }", '{"x": 1}', True),
        ("{ $.x = 1 }", '{"x": 2}', False),
        ("{ $.x = 1 }", "x = 1", False),
        ("{ $.x = 1 }", '{"x": ', False),
        ('{ $.a.b = "v*" }', '{"a": {"b": "value"}}', True),
        ('{ $.a.b != "v" }', '{"a": {"b": "w"}}', True),
        ("{ $.list[1] > 2.5 }", '{"list": [1, 3]}', True),
        ("{ $.list[*] = 9 }", '{"list": [1, 9]}', True),
        ("{ ($.a = 1 && $.b < 5) || $.c IS TRUE }", '{"a": 1, "b": 7, "c": true}', True),
        ("{ ($.a = 1 && $.b < 5) || $.c IS TRUE }", '{"a": 1, "b": 7}', False),
        ("{ $.gone NOT EXISTS }", '{"x": 1}', True),
        ("{ $.x IS NULL }", '{"x": null}', True),
    ],
)
def test_filter_patterns(pattern: str, message: str, matches: bool) -> None:
    assert compile_pattern(pattern)(message) is matches


@pytest.mark.parametrize(
    "pattern",
    ['"open', "{ $.x = }", "{ x = 1 }", "{ $.x = 1", "[a, b]", "{ ($.x = 1 }", "{ $.x < text }", "%(%"],
)
def test_patterns_that_cannot_be_read(pattern: str) -> None:
    with pytest.raises(ServiceError, match="Invalid filter pattern"):
        compile_pattern(pattern)


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LogStore(tmp_path)
    store.append("g", "s", [(1, "first")])
    write = os.write

    def fill(descriptor: int, data: bytes) -> int:
        if len(data) > 10:
            return write(descriptor, data[:10])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", fill)
        with pytest.raises(OSError, match="No space"):
            store.append("g", "s", [(2, "lost")])
    store.append("g", "s", [(3, "third")])
    assert store.tail("g", "s", 5) == ["first", "third"]
    store.close()
    again = LogStore(tmp_path)
    assert again.tail("g", "s", 5) == ["first", "third"]
    again.close()
