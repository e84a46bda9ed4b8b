"""S3 through boto3: buckets, objects, listings, conditions, copies, tags, presigned URLs."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.conftest import RunningEngine


@pytest.fixture(scope="module")
def s3(engine: RunningEngine) -> Any:
    return engine.client("s3")


@pytest.fixture
def bucket(s3: Any) -> Iterator[str]:
    name = f"test-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    yield name


def refused(code: str, status: int) -> Any:
    class _Refused:
        def __enter__(self) -> None:
            return None

        def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
            assert isinstance(error, ClientError), f"expected {code}, got {error!r}"
            told = (error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
            assert told == (code, status), error
            return True

    return _Refused()


def test_buckets(s3: Any, engine: RunningEngine) -> None:
    name = f"test-{uuid4().hex[:12]}"
    with refused("404", 404):
        s3.head_bucket(Bucket=name)
    with refused("NoSuchBucket", 404):
        s3.list_objects_v2(Bucket=name)
    s3.create_bucket(Bucket=name)
    s3.create_bucket(Bucket=name)  # us-east-1 says yes to the owner, as it always did.
    assert s3.head_bucket(Bucket=name)["BucketRegion"] == "us-east-1"
    assert s3.get_bucket_location(Bucket=name)["LocationConstraint"] is None
    assert name in [item["Name"] for item in s3.list_buckets()["Buckets"]]
    assert s3.list_buckets(Prefix=name, MaxBuckets=1)["Buckets"][0]["Name"] == name
    s3.put_object(Bucket=name, Key="k", Body=b"")
    with refused("BucketNotEmpty", 409):
        s3.delete_bucket(Bucket=name)
    s3.delete_object(Bucket=name, Key="k")
    s3.delete_bucket(Bucket=name)
    with refused("NoSuchBucket", 404):
        s3.delete_bucket(Bucket=name)
    west = engine.client("s3", region_name="us-west-2")
    where = {"LocationConstraint": "us-west-2"}
    west.create_bucket(Bucket=name, CreateBucketConfiguration=where)
    assert west.get_bucket_location(Bucket=name)["LocationConstraint"] == "us-west-2"
    with refused("BucketAlreadyOwnedByYou", 409):
        west.create_bucket(Bucket=name, CreateBucketConfiguration=where)
    with refused("IllegalLocationConstraintException", 400):
        west.create_bucket(Bucket=name + "2")
    with refused("InvalidBucketName", 400):
        s3.create_bucket(Bucket="192.168.0.1")


def test_what_an_unconfigured_bucket_says(s3: Any, bucket: str) -> None:
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert (
        s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]["BlockPublicAcls"] is True
    )
    assert s3.get_bucket_acl(Bucket=bucket)["Grants"][0]["Permission"] == "FULL_CONTROL"
    controls = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
    assert controls["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    for name, code in (
        ("get_bucket_policy", "NoSuchBucketPolicy"),
        ("get_bucket_tagging", "NoSuchTagSet"),
        ("get_bucket_cors", "NoSuchCORSConfiguration"),
        ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
        ("get_bucket_website", "NoSuchWebsiteConfiguration"),
    ):
        with refused(code, 404):
            getattr(s3, name)(Bucket=bucket)
        with refused("NoSuchBucket", 404):
            getattr(s3, name)(Bucket="no-such-bucket-anywhere")


def test_an_object_with_all_its_headers(s3: Any, bucket: str) -> None:
    body = os.urandom(5000)
    put = s3.put_object(
        Bucket=bucket,
        Key="dir/k",
        Body=body,
        ContentType="text/csv",
        CacheControl="no-cache",
        ContentDisposition='attachment; filename="k"',
        ContentEncoding="gzip",
        ContentLanguage="de",
        Metadata={"Purpose": "test", "empty": ""},
        StorageClass="STANDARD_IA",
        Tagging="a=1&b=two%20words",
    )
    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert put["ChecksumCRC32"] == base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    for got in (s3.head_object(Bucket=bucket, Key="dir/k"), s3.get_object(Bucket=bucket, Key="dir/k")):
        assert (got["ContentType"], got["CacheControl"], got["ContentLanguage"]) == (
            "text/csv",
            "no-cache",
            "de",
        )
        assert (got["ContentDisposition"], got["ContentEncoding"]) == ('attachment; filename="k"', "gzip")
        assert got["Metadata"] == {"purpose": "test", "empty": ""}
        assert (got["ContentLength"], got["ETag"], got["StorageClass"]) == (5000, put["ETag"], "STANDARD_IA")
        assert abs(got["LastModified"] - datetime.now(UTC)) < timedelta(minutes=5)
    assert s3.get_object(Bucket=bucket, Key="dir/k")["Body"].read() == body
    tags = s3.get_object_tagging(Bucket=bucket, Key="dir/k")["TagSet"]
    assert tags == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "two words"}]
    override = s3.get_object(Bucket=bucket, Key="dir/k", ResponseContentType="text/plain")
    assert override["ContentType"] == "text/plain"


def test_checksums_only_on_whole_answers(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789", ChecksumAlgorithm="SHA256")
    whole = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    wanted = base64.b64encode(hashlib.sha256(b"0123456789").digest()).decode()
    assert (whole["ChecksumSHA256"], whole["ChecksumType"]) == (wanted, "FULL_OBJECT")
    part = s3.get_object(Bucket=bucket, Key="k", Range="bytes=2-4", ChecksumMode="ENABLED")
    assert part["Body"].read() == b"234"
    assert "ChecksumSHA256" not in part
    attributes = s3.get_object_attributes(
        Bucket=bucket, Key="k", ObjectAttributes=["ETag", "ObjectSize", "Checksum"]
    )
    assert (attributes["ObjectSize"], attributes["Checksum"]["ChecksumSHA256"]) == (10, wanted)


@pytest.mark.parametrize(
    ("header", "wanted", "told"),
    [
        ("bytes=0-0", b"0", "bytes 0-0/10"),
        ("bytes=3-", b"3456789", "bytes 3-9/10"),
        ("bytes=-4", b"6789", "bytes 6-9/10"),
        ("bytes=-99", b"0123456789", "bytes 0-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
        ("bytes=5-2", b"0123456789", None),
        ("bytes=0-1,3-4", b"0123456789", None),
        ("lines=1-2", b"0123456789", None),
    ],
)
def test_ranges(s3: Any, bucket: str, header: str, wanted: bytes, told: str | None) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    got = s3.get_object(Bucket=bucket, Key="k", Range=header)
    assert got["Body"].read() == wanted
    assert got.get("ContentRange") == told
    assert got["ResponseMetadata"]["HTTPStatusCode"] == (206 if told else 200)


def test_ranges_beyond_the_end(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    for key, header in (("k", "bytes=10-"), ("k", "bytes=-0"), ("empty", "bytes=0-0")):
        with refused("InvalidRange", 416):
            s3.get_object(Bucket=bucket, Key=key, Range=header)
    assert s3.get_object(Bucket=bucket, Key="empty")["Body"].read() == b""


def test_conditional_reads(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    past, future = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) + timedelta(days=1)
    s3.get_object(Bucket=bucket, Key="k", IfMatch=etag, IfUnmodifiedSince=past)
    s3.get_object(Bucket=bucket, Key="k", IfNoneMatch='"other"', IfModifiedSince=future)
    for read in (s3.get_object, s3.head_object):
        for wrong in ({"IfMatch": '"other"'}, {"IfUnmodifiedSince": past}):
            code = "412" if read == s3.head_object else "PreconditionFailed"
            with refused(code, 412):
                read(Bucket=bucket, Key="k", **wrong)
        for same in ({"IfNoneMatch": etag}, {"IfModifiedSince": datetime.now(UTC) + timedelta(seconds=2)}):
            with refused("304", 304):
                read(Bucket=bucket, Key="k", **same)


def test_conditional_writes(s3: Any, bucket: str) -> None:
    with refused("NoSuchKey", 404):
        s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfMatch='"x"')
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    with refused("PreconditionFailed", 412):
        s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*")
    with refused("PreconditionFailed", 412):
        s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfMatch='"x"')
    s3.put_object(Bucket=bucket, Key="k", Body=b"3", IfMatch=etag)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"3"
    with refused("PreconditionFailed", 412):
        s3.delete_object(Bucket=bucket, Key="k", IfMatch=etag)


def test_missing_and_foreign(s3: Any, bucket: str) -> None:
    with pytest.raises(s3.exceptions.NoSuchKey) as caught:
        s3.get_object(Bucket=bucket, Key="no/such")
    assert caught.value.response["Error"]["Key"] == "no/such"
    with refused("404", 404):
        s3.head_object(Bucket=bucket, Key="no/such")
    with refused("NoSuchBucket", 404):
        s3.put_object(Bucket="no-such-bucket-anywhere", Key="k", Body=b"x")
    with refused("AccessDenied", 403):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ExpectedBucketOwner="999999999999")
    with refused("KeyTooLongError", 400):
        s3.put_object(Bucket=bucket, Key="k" * 1025, Body=b"x")
    with refused("NotImplemented", 501):
        s3.put_object(
            Bucket=bucket, Key="k", Body=b"x", SSECustomerAlgorithm="AES256", SSECustomerKey="0" * 32
        )
    with refused("AccessControlListNotSupported", 400):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="public-read")


def test_digests_that_do_not_match(s3: Any, bucket: str) -> None:
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    with refused("BadDigest", 400):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentMD5=wrong)
    with refused("InvalidDigest", 400):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentMD5="bm90IG1kNQ==")
    for name, size in (("CRC32", 4), ("CRC32C", 4), ("CRC64NVME", 8), ("SHA1", 20), ("SHA256", 32)):
        value = base64.b64encode(b"\1" * size).decode()
        with refused("BadDigest", 400):
            s3.put_object(Bucket=bucket, Key="k", Body=b"x", **{f"Checksum{name}": value})
    with refused("InvalidRequest", 400):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ChecksumCRC32="AAAA")
    with refused("404", 404):
        s3.head_object(Bucket=bucket, Key="k")


KEYS = st.text(
    alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufffe\uffff"),
    min_size=1,
    max_size=20,
) | st.lists(
    st.sampled_from(["..", ".", "", "a", "B", "ä", "%2e", "+", " ", "?x=1", "#", "&amp;"]),
    min_size=2,
    max_size=5,
).map("/".join).filter(bool)


def _climbs(key: str) -> bool:
    """Keys that the engine's front door refuses: read as a path they leave the bucket."""
    depth = 0
    for part in key.replace("\\", "/").lstrip("/").split("/"):
        depth += -1 if part == ".." else 0 if part in ("", ".") else 1
        if depth < 0:
            return True
    return False


def test_any_keys_against_a_dict(s3: Any, bucket: str) -> None:
    @given(st.dictionaries(KEYS.filter(lambda key: not _climbs(key)), st.binary(max_size=5), max_size=6))
    @settings(max_examples=40, deadline=None)
    def run(model: dict[str, bytes]) -> None:
        for key, body in model.items():
            s3.put_object(Bucket=bucket, Key=key, Body=body)
        listed = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
        assert listed == sorted(model, key=str.encode)
        for key, body in model.items():
            assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == body
        first = [item["Key"] for item in s3.list_objects(Bucket=bucket).get("Contents", [])]
        assert first == listed
        for key in model:
            s3.delete_object(Bucket=bucket, Key=key)
        assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0

    run()


def test_listing_with_delimiters_and_pages(s3: Any, bucket: str) -> None:
    keys = ["a", "a/1", "a/2", "a/b/3", "b/1", "c", "d/1", "d/2", "e", "é/1"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    for size in (1, 2, 3, 1000):
        for listing, extra in (("list_objects_v2", {"FetchOwner": True}), ("list_objects", {})):
            pages = s3.get_paginator(listing).paginate(
                Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": size}, **extra
            )
            found, prefixes = [], []
            for page in pages:
                assert len(page.get("Contents", [])) + len(page.get("CommonPrefixes", [])) <= size
                found += [item["Key"] for item in page.get("Contents", [])]
                prefixes += [item["Prefix"] for item in page.get("CommonPrefixes", [])]
                assert all("Owner" in item for item in page.get("Contents", []))
            assert (found, prefixes) == (["a", "c", "e"], ["a/", "b/", "d/", "é/"])
        everything = s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, PaginationConfig={"PageSize": size}
        )
        assert [item["Key"] for page in everything for item in page["Contents"]] == keys
    below = s3.list_objects_v2(Bucket=bucket, Prefix="a/", Delimiter="/")
    assert [item["Key"] for item in below["Contents"]] == ["a/1", "a/2"]
    assert below["CommonPrefixes"] == [{"Prefix": "a/b/"}]
    assert s3.list_objects_v2(Bucket=bucket, StartAfter="c")["Contents"][0]["Key"] == "d/1"
    assert s3.list_objects_v2(Bucket=bucket, MaxKeys=0)["KeyCount"] == 0
    with refused("InvalidArgument", 400):
        s3.list_objects_v2(Bucket=bucket, ContinuationToken="forged")
    versions = s3.list_object_versions(Bucket=bucket)["Versions"]
    assert [item["Key"] for item in versions] == keys
    assert {item["VersionId"] for item in versions} == {"null"}


def test_copies(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="ä/source 1", Body=b"abc", Metadata={"m": "1"}, Tagging="t=1")[
        "ETag"
    ]
    source = {"Bucket": bucket, "Key": "ä/source 1"}
    copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource=source)
    assert copied["CopyObjectResult"]["ETag"] == etag
    got = s3.get_object(Bucket=bucket, Key="copy")
    assert (got["Body"].read(), got["Metadata"]) == (b"abc", {"m": "1"})
    assert s3.get_object_tagging(Bucket=bucket, Key="copy")["TagSet"] == [{"Key": "t", "Value": "1"}]
    s3.copy_object(
        Bucket=bucket,
        Key="copy",
        CopySource=source,
        MetadataDirective="REPLACE",
        Metadata={"n": "2"},
        ContentType="x/y",
    )
    head = s3.head_object(Bucket=bucket, Key="copy")
    assert (head["Metadata"], head["ContentType"]) == ({"n": "2"}, "x/y")
    itself = {"Bucket": bucket, "Key": "copy"}
    with refused("InvalidRequest", 400):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=itself)
    s3.copy_object(
        Bucket=bucket, Key="copy", CopySource=itself, MetadataDirective="REPLACE", Metadata={"o": "3"}
    )
    got = s3.get_object(Bucket=bucket, Key="copy")
    assert (got["Body"].read(), got["Metadata"]) == (b"abc", {"o": "3"})
    with refused("PreconditionFailed", 412):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=source, CopySourceIfNoneMatch=etag)
    with refused("NoSuchKey", 404):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "gone"})
    with refused("NoSuchBucket", 404):
        s3.copy_object(
            Bucket=bucket, Key="copy", CopySource={"Bucket": "no-such-bucket-anywhere", "Key": "x"}
        )


def test_tags(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "é", "Value": "ü"}]})
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "é", "Value": "ü"}]
    with refused("BadRequest", 400):
        many = [{"Key": str(i), "Value": ""} for i in range(11)]
        s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": many})
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == []
    with refused("NoSuchKey", 404):
        s3.get_object_tagging(Bucket=bucket, Key="gone")


def test_deleting_many(s3: Any, bucket: str) -> None:
    for i in range(5):
        s3.put_object(Bucket=bucket, Key=f"k<{i}>", Body=b"")
    wanted = [{"Key": "k<0>"}, {"Key": "never there"}, {"Key": "x" * 1025}]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": wanted})
    assert [item["Key"] for item in answer["Deleted"]] == ["k<0>", "never there"]
    assert [(item["Key"][:3], item["Code"]) for item in answer["Errors"]] == [("xxx", "KeyTooLongError")]
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k<1>"}], "Quiet": True})
    assert "Deleted" not in quiet
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 3
    with refused("MalformedXML", 400):
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": str(i)} for i in range(1001)]})
    assert s3.delete_object(Bucket=bucket, Key="never there")["ResponseMetadata"]["HTTPStatusCode"] == 204


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_urls(engine: RunningEngine, bucket: str, version: str) -> None:
    s3 = engine.client("s3", config=Config(signature_version=version))
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "dir/k 1"})
    request = urllib.request.Request(url, data=b"presigned", method="PUT")
    request.add_unredirected_header("Content-Type", "")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "dir/k 1"})
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"presigned"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url.replace("dir/k", "dir/l"))
    assert caught.value.code == 403


def test_bodies_are_streamed(engine: RunningEngine, s3: Any, bucket: str) -> None:
    import psutil

    process = psutil.Process(engine.process.pid)
    before = process.memory_info().rss
    body = os.urandom(1 << 20) * 60
    s3.put_object(Bucket=bucket, Key="big", Body=body)
    received = io.BytesIO()
    for chunk in s3.get_object(Bucket=bucket, Key="big")["Body"].iter_chunks(1 << 20):
        received.write(chunk)
    assert received.getvalue() == body
    assert process.memory_info().rss - before < 40 << 20
