"""The object store below S3."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ServiceError
from engine.objects import Attributes, ObjectStore
from engine.objectstore import crc
from engine.objectstore.digests import Crc32, new

PART = st.sampled_from(
    ["a", "b", "A", "..", ".", "", "é", "\u202e", "x" * 300, "%2e", "c d", "\\", "\n", "𝄞"]
) | st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
KEY = st.lists(PART, min_size=1, max_size=5).map("/".join).filter(lambda key: 0 < len(key.encode()) <= 1024)


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    made = ObjectStore(tmp_path / "s3")
    made.create_bucket("bucket", region="us-east-1", now=1.0)
    return made


@given(st.lists(st.tuples(st.booleans(), KEY, st.binary(max_size=8)), max_size=25))
@settings(max_examples=80, deadline=None)
def test_any_keys_against_a_dict(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[bool, str, bytes]]
) -> None:
    root = tmp_path_factory.mktemp("objects")
    store = ObjectStore(root / "s3")
    store.create_bucket("bucket", region="us-east-1", now=1.0)
    model: dict[str, bytes] = {}
    for put, key, data in steps:
        if put:
            store.put_bytes("bucket", key, data)
            model[key] = data
        else:
            assert store.delete("bucket", key) is (key in model)
            model.pop(key, None)
    store.close()
    store = ObjectStore(root / "s3")
    found = {info.key: info.path.read_bytes() for info in store.iterate("bucket")}
    assert found == model
    assert list(found) == sorted(model, key=str.encode)
    for prefix in {key[: len(key) // 2] for key in model}:
        assert [info.key for info in store.iterate("bucket", prefix)] == sorted(
            (key for key in model if key.startswith(prefix)), key=str.encode
        )
    for info in store.iterate("bucket"):
        assert info.path.resolve().is_relative_to((root / "s3").resolve())
    for key in model:
        store.delete("bucket", key)
    store.delete_bucket("bucket")
    assert [path for path in (root / "s3").rglob("*") if path.is_file() and "index.db" not in path.name] == []
    assert {path.name for path in root.iterdir()} == {"s3"}
    store.close()


def test_the_tree_reads_like_the_bucket(store: ObjectStore) -> None:
    info = store.put_bytes("bucket", "moons/train/train.csv", b"1,2\n", "text/csv")
    assert info.path == store.root / "buckets/bucket/moons/train/train.csv"
    assert info.content_type == "text/csv"
    assert info.etag == hashlib.md5(b"1,2\n").hexdigest()
    store.delete("bucket", "moons/train/train.csv")
    assert list((store.root / "buckets/bucket").iterdir()) == []


def test_an_overwrite_leaves_hard_links_alone(store: ObjectStore, tmp_path: Path) -> None:
    first = store.put_bytes("bucket", "k", b"first")
    linked = tmp_path / "linked"
    os.link(first.path, linked)
    store.put_bytes("bucket", "k", b"second")
    assert linked.read_bytes() == b"first"
    assert store.find("bucket", "k").path.read_bytes() == b"second"  # type: ignore[union-attr]
    assert first.path.stat().st_mode & 0o222 == 0


def test_a_file_becomes_an_object_without_a_copy(store: ObjectStore, tmp_path: Path) -> None:
    source = tmp_path / "model.tar.gz"
    source.write_bytes(b"x" * 3_000_000)
    info = store.put_file("bucket", "out/model.tar.gz", source)
    assert info.path.stat().st_ino == source.stat().st_ino
    assert (info.size, info.etag) == (3_000_000, hashlib.md5(b"x" * 3_000_000).hexdigest())
    link = tmp_path / "link"
    link.symlink_to(source)
    assert store.put_file("bucket", "again", link).path.read_bytes() == source.read_bytes()
    assert list(store.staging.iterdir()) == []


def test_missing_buckets_and_keys(store: ObjectStore) -> None:
    assert store.find("bucket", "nothing") is None
    assert store.find("nowhere", "nothing") is None
    assert store.delete("nowhere", "nothing") is False
    with pytest.raises(ServiceError, match="NoSuchBucket"):
        store.put_bytes("nowhere", "k", b"")
    with pytest.raises(ServiceError, match="KeyTooLongError"):
        store.put_bytes("bucket", "é" * 513, b"")
    with pytest.raises(ServiceError, match="InvalidURI"):
        store.put_bytes("bucket", "\ud800", b"")
    assert list(store.staging.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["ab", "A-bucket", "a..b", "-ab", "ab-", "192.168.1.1", "a_b", "x" * 64, "xn--a", "a/../b", ".."]
)
def test_bucket_names_that_s3_refuses(store: ObjectStore, name: str) -> None:
    with pytest.raises(ServiceError, match="InvalidBucketName"):
        store.create_bucket(name, region="us-east-1", now=1.0)


def test_a_refused_condition_changes_nothing(store: ObjectStore) -> None:
    store.put_bytes("bucket", "k", b"old")
    staged = store.stage()
    staged.write(b"new")
    staged.close()

    def refuse(current: object) -> None:
        assert current is not None
        raise ServiceError("PreconditionFailed", "no", 412)

    with pytest.raises(ServiceError, match="PreconditionFailed"):
        store.commit("bucket", "k", staged.path, 3, "etag", Attributes(), condition=refuse)
    staged.drop()
    assert store.find("bucket", "k").path.read_bytes() == b"old"  # type: ignore[union-attr]


def test_a_restart_redoes_the_move_that_was_owed(store: ObjectStore) -> None:
    """The state between the commit of a write and the move of its file, which a kill can leave behind."""
    store.put_bytes("bucket", "k", b"old")
    old = store.find("bucket", "k")
    assert old is not None
    (store.staging / "new").write_bytes(b"newer")
    (store.staging / "half").write_bytes(b"never finished")
    with store.index.transaction() as db:
        db.execute("INSERT INTO pending (source, target) VALUES ('staging/new', 'buckets/bucket/k')")
        db.execute("UPDATE objects SET size=5, etag='e' WHERE key=?", (b"k",))
    store.close()
    again = ObjectStore(store.root)
    info = again.find("bucket", "k")
    assert info is not None
    assert (info.path.read_bytes(), info.size, info.etag) == (b"newer", 5, "e")
    assert list(again.staging.iterdir()) == []
    with again.index.transaction() as db:
        db.execute("DELETE FROM objects")
        db.execute("INSERT INTO pending (source, target) VALUES ('', 'buckets/bucket/k')")
    again.close()
    third = ObjectStore(store.root)
    assert not info.path.exists()
    third.close()


_VICTIM = """
import sys
import threading
from pathlib import Path
from engine.objects import ObjectStore
store = ObjectStore(Path(sys.argv[1]))
print("ready", flush=True)
i = int(sys.argv[2])
while True:
    i += 1
    store.put_bytes("bucket", f"k{i % 5}", b"%d;" % i * (1 + i % 3000))
    if i % 7 == 0:
        store.delete("bucket", f"k{(i + 3) % 5}")
"""


def test_kill_at_any_moment_leaves_whole_objects_only(store: ObjectStore) -> None:
    store.close()
    for round_ in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", _VICTIM, str(store.root), str(round_ * 1000)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            process.wait(0.1 + round_ * 0.03)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        again = ObjectStore(store.root)
        infos = list(again.iterate("bucket"))
        for info in infos:
            data = info.path.read_bytes()
            assert (len(data), hashlib.md5(data).hexdigest()) == (info.size, info.etag), info.key
        files = {path for path in (store.root / "buckets").rglob("*") if path.is_file()}
        assert files == {info.path for info in infos}
        assert list(again.staging.iterdir()) == []
        again.close()


def test_crcs_of_the_catalogue_and_in_pieces() -> None:
    for name, check in (("CRC32", "cbf43926"), ("CRC32C", "e3069283"), ("CRC64NVME", "ae8b14860a799888")):
        digest = new(name)
        digest.update(b"123456789")
        assert digest.digest().hex() == check
    data = os.urandom(2_300_017)
    for name in ("CRC32", "CRC32C", "CRC64NVME"):
        whole, pieces = new(name), new(name)
        whole.update(data)
        for start in range(0, len(data), 70_001):
            pieces.update(data[start : start + 70_001])
        assert whole.digest() == pieces.digest()
        parts = []
        for chunk in (data[:1_000_000], b"", data[1_000_000:1_000_003], data[1_000_003:]):
            part = new(name)
            part.update(chunk)
            parts.append((part.digest(), len(chunk)))
        assert crc.combined(name, parts) == whole.digest()
    assert isinstance(new("CRC32"), Crc32)


def test_clear_empties_everything(store: ObjectStore) -> None:
    store.put_bytes("bucket", "k", b"x")
    store.clear()
    assert store.buckets() == []
    store.create_bucket("bucket", region="us-east-1", now=1.0)
    assert list(store.iterate("bucket")) == []
    store.put_bytes("bucket", "k", b"y")


def test_a_reader_never_sees_the_headers_of_one_write_with_the_bytes_of_another(store: ObjectStore) -> None:
    store.put_bytes("bucket", "k", b"0")
    ended = threading.Event()

    def write(worker: int) -> None:
        for i in range(150):
            store.put_bytes("bucket", "k", f"{worker}-{i}".encode() * (1 + i % 50))
        ended.set()

    writers = [threading.Thread(target=write, args=(i,)) for i in range(2)]
    for writer in writers:
        writer.start()
    while not ended.is_set():
        opened = store.open("bucket", "k")
        assert opened is not None
        info, descriptor = opened
        with os.fdopen(descriptor, "rb") as file:
            data = file.read()
        assert (len(data), hashlib.md5(data).hexdigest()) == (info.size, info.etag)
    for writer in writers:
        writer.join()
