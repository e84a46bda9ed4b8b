"""The dense parts of a job on their own: metrics in lines, manifests, tracebacks, the object's way into the directory."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.jobs.channels import ChannelError, Item, items, manifest, place, split_uri
from engine.jobs.metrics import Extractor, InvalidRegex
from engine.jobs.outputs import failure_reason, traceback_end
from engine.objects import ObjectStore


@pytest.fixture
def objects(tmp_path: Path) -> Iterator[ObjectStore]:
    store = ObjectStore(tmp_path / "s3")
    store.create_bucket("bucket", region="us-east-1", now=0)
    yield store
    store.close()


@given(st.floats(allow_nan=True, allow_infinity=True), st.text(st.characters(exclude_characters="=;\n")))
def test_a_finite_value_is_found_wherever_it_stands(value: float, around: str) -> None:
    found = Extractor([{"Name": "loss", "Regex": "loss=([^;]*);"}]).find(f"{around}loss={value!r};{around}")
    assert [item.value for item in found] == ([value] if math.isfinite(value) else [])


@pytest.mark.parametrize(
    ("regex", "line", "expected"),
    [
        (r"accuracy: ([0-9.]+)%", "epoch 3 accuracy: 98.5% done", [98.5]),
        (r"(?<value>[0-9]+) of", "12 of 30", [12.0]),
        (r".*\[[0-9]+\]#011validation-rmse:(\S+)", "[3]\tvalidation-rmse:0.25", [0.25]),
        (r"a=(\d+)?b", "a=b", []),
        (r"x=(.*)", "x=1,2", []),
        (r"x=(.*)", "y=1", []),
    ],
)
def test_definitions_match_as_on_aws(regex: str, line: str, expected: list[float]) -> None:
    assert [item.value for item in Extractor([{"Name": "m", "Regex": regex}]).find(line)] == expected


@pytest.mark.parametrize("regex", ["(", "no group", "[z-a]()", "a{99999999999}()"])
def test_definitions_that_cannot_match_are_named(regex: str) -> None:
    with pytest.raises(InvalidRegex, match="metric 'mine'"):
        Extractor([{"Name": "mine", "Regex": regex}])


names = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(names, min_size=1, max_size=5, unique=True), st.sampled_from(["data/", "data/part-", ""]))
def test_a_manifest_lists_its_objects_in_order(objects: ObjectStore, listed: list[str], prefix: str) -> None:
    for name in listed:
        objects.put_bytes("bucket", prefix + name, name.encode())
    objects.put_bytes(
        "bucket", "the.manifest", json.dumps([{"prefix": f"s3://bucket/{prefix}"}, *listed]).encode()
    )
    found = manifest(objects, "s3://bucket/the.manifest", region="r", role="a")
    assert [(item.path, item.info.key) for item in found] == [(name, prefix + name) for name in listed]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    )
)
def test_what_is_no_manifest_is_refused_and_never_crashes(objects: ObjectStore, content: object) -> None:
    objects.put_bytes("bucket", "odd.manifest", json.dumps(content).encode())
    with pytest.raises(ChannelError):
        manifest(objects, "s3://bucket/odd.manifest", region="r", role="a")


@pytest.mark.parametrize("uri", ["", "bucket/key", "http://b/k", "s3://", "s3:///key"])
def test_only_s3_uris_are_uris(uri: str) -> None:
    with pytest.raises(ChannelError, match="not an S3 URI"):
        split_uri(uri)


@pytest.mark.parametrize("path", ["../escape", "a/../../escape", "/absolute"])
def test_no_key_leaves_its_channel(objects: ObjectStore, tmp_path: Path, path: str) -> None:
    info = objects.put_bytes("bucket", "key", b"x")
    folder = tmp_path / "channel"
    folder.mkdir()
    with pytest.raises(ChannelError, match="cannot be a file below the channel's directory"):
        place(Item(info, path), folder, link=False, unpack=False)
    assert not (tmp_path / "escape").exists()


def test_a_key_that_is_both_file_and_folder_is_named(objects: ObjectStore, tmp_path: Path) -> None:
    for key in ("set/a", "set/a/b"):
        objects.put_bytes("bucket", key, b"x")
    source = {
        "ChannelName": "c",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/set/"}},
    }
    with pytest.raises(ChannelError, match="both a file and a directory"):
        for item in items(objects, source, region="r", role="a"):
            place(item, tmp_path, link=False, unpack=False)


def test_a_copy_is_writable_and_its_own(objects: ObjectStore, tmp_path: Path) -> None:
    info = objects.put_bytes("bucket", "key", b"original")
    place(Item(info, "deep/key"), tmp_path, link=False, unpack=False)
    (tmp_path / "deep" / "key").write_bytes(b"changed")
    assert info.path.read_bytes() == b"original"


TRACEBACK = """before
Traceback (most recent call last):
  File "a.py", line 1, in <module>
    first()
ValueError: handled
Traceback (most recent call last):
  File "train.py", line 9, in <module>
    main()
  File "train.py", line 4, in main
    raise RuntimeError("lost")
RuntimeError: lost
the net""".splitlines()


def test_the_reason_is_the_end_of_the_last_traceback(tmp_path: Path) -> None:
    assert traceback_end(TRACEBACK) == 'raise RuntimeError("lost")\n RuntimeError: lost\nthe net'
    assert traceback_end(["no", "traceback"]) == ""
    assert traceback_end(["Traceback (most recent call last):"]) == ""
    (tmp_path / "output").mkdir()
    assert failure_reason(tmp_path, 2, ["x"]) == "AlgorithmError: , exit code: 2"
    assert "SIGKILL; the machine may have run out of memory, exit code: 137" in failure_reason(
        tmp_path, -9, []
    )
    (tmp_path / "output" / "failure").write_bytes(b"\xff" + b"long " * 1000)
    told = failure_reason(tmp_path, 1, TRACEBACK)
    assert len(told) == 1024
    assert told.startswith("AlgorithmError: \ufffdlong")
    assert told.endswith(", exit code: 1")
