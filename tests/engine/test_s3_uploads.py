"""Multipart uploads, the aws-chunked encoding, kills in the middle of uploads."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import io
import os
import socket
import threading
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.engine.conftest import RunningEngine

MIB = 1 << 20


@pytest.fixture(scope="module")
def s3(engine: RunningEngine) -> Any:
    return engine.client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"parts-{uuid4().hex[:12]}"
    s3.create_bucket(Bucket=name)
    return name


def code_of(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    code: str = caught.value.response["Error"]["Code"]
    return code


def test_a_large_file_through_the_transfer_manager(s3: Any, bucket: str) -> None:
    body = os.urandom(MIB) * 20 + b"tail"
    s3.upload_fileobj(io.BytesIO(body), bucket, "big", ExtraArgs={"Metadata": {"m": "1"}})
    head = s3.head_object(Bucket=bucket, Key="big", ChecksumMode="ENABLED")
    digests = [hashlib.md5(body[i : i + 8 * MIB]).digest() for i in range(0, len(body), 8 * MIB)]
    assert head["ETag"] == f'"{hashlib.md5(b"".join(digests)).hexdigest()}-3"'
    crcs = [zlib.crc32(body[i : i + 8 * MIB]).to_bytes(4, "big") for i in range(0, len(body), 8 * MIB)]
    whole = base64.b64encode(zlib.crc32(b"".join(crcs)).to_bytes(4, "big")).decode()
    assert (head["ChecksumCRC32"], head["ChecksumType"]) == (f"{whole}-3", "COMPOSITE")
    assert head["Metadata"] == {"m": "1"}
    got = io.BytesIO()
    s3.download_fileobj(bucket, "big", got)
    assert got.getvalue() == body
    part = s3.get_object(Bucket=bucket, Key="big", PartNumber=3)
    assert (part["PartsCount"], part["Body"].read()) == (3, body[16 * MIB :])
    s3.copy({"Bucket": bucket, "Key": "big"}, bucket, "copied")
    assert s3.get_object(Bucket=bucket, Key="copied")["Body"].read() == body


def test_the_life_of_an_upload(s3: Any, bucket: str) -> None:
    about = {"Bucket": bucket, "Key": "k/ä"}
    upload = s3.create_multipart_upload(**about, ContentType="text/x", Tagging="t=1")["UploadId"]
    about["UploadId"] = upload
    first, second = os.urandom(5 * MIB), b"end"
    tags = [
        s3.upload_part(**about, PartNumber=number, Body=body)["ETag"]
        for number, body in ((1, b"replaced"), (1, first), (3, second))
    ]
    listed = s3.list_parts(**about, MaxParts=1)
    assert (listed["IsTruncated"], listed["Parts"][0]["Size"]) == (True, 5 * MIB)
    assert s3.list_parts(**about, PartNumberMarker=1)["Parts"][0]["ETag"] == tags[2]
    uploads = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [(item["Key"], item["UploadId"]) for item in uploads] == [("k/ä", upload)]
    grouped = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert grouped["CommonPrefixes"] == [{"Prefix": "k/"}]
    one, three = {"PartNumber": 1, "ETag": tags[1]}, {"PartNumber": 3, "ETag": tags[2]}
    complete = s3.complete_multipart_upload
    assert code_of(complete, **about, MultipartUpload={"Parts": [three, one]}) == "InvalidPartOrder"
    assert code_of(complete, **about, MultipartUpload={"Parts": [{**one, "ETag": tags[0]}]}) == "InvalidPart"
    assert code_of(complete, **about, MultipartUpload={"Parts": [{**one, "PartNumber": 2}]}) == "InvalidPart"
    assert code_of(complete, **about, MultipartUpload={"Parts": []}) == "MalformedXML"
    assert code_of(s3.upload_part, **about, PartNumber=10_001, Body=b"") == "InvalidArgument"
    assert code_of(s3.upload_part, **{**about, "Key": "other"}, PartNumber=1, Body=b"") == "NoSuchUpload"
    assert code_of(s3.head_object, Bucket=bucket, Key="k/ä") == "404"
    done = complete(**about, MultipartUpload={"Parts": [one, three]})
    again = complete(
        **about, MultipartUpload={"Parts": [one, three]}
    )  # The first answer was lost on its way.
    assert again["ETag"] == done["ETag"]
    got = s3.get_object(Bucket=bucket, Key="k/ä")
    assert (got["Body"].read(), got["ContentType"]) == (first + second, "text/x")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    assert code_of(s3.abort_multipart_upload, **about) == "NoSuchUpload"


def test_small_parts_and_conditions(s3: Any, bucket: str) -> None:
    about = {"Bucket": bucket, "Key": "k"}
    about["UploadId"] = s3.create_multipart_upload(**about)["UploadId"]
    parts = [
        {"PartNumber": i, "ETag": s3.upload_part(**about, PartNumber=i, Body=b"small")["ETag"]}
        for i in (1, 2)
    ]
    wanted = {"Parts": parts}
    assert code_of(s3.complete_multipart_upload, **about, MultipartUpload=wanted) == "EntityTooSmall"
    s3.put_object(Bucket=bucket, Key="k", Body=b"there")
    last = {"Parts": parts[1:]}
    condition = {"IfNoneMatch": "*"}
    assert (
        code_of(s3.complete_multipart_upload, **about, MultipartUpload=last, **condition)
        == "PreconditionFailed"
    )
    s3.complete_multipart_upload(**about, MultipartUpload=last)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"small"


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
def test_full_object_checksums_of_parts(s3: Any, bucket: str, algorithm: str) -> None:
    from engine.objectstore.digests import encoded, new

    first, second = os.urandom(5 * MIB), os.urandom(1000)
    about = {"Bucket": bucket, "Key": "k"}
    about["UploadId"] = s3.create_multipart_upload(
        **about, ChecksumAlgorithm=algorithm, ChecksumType="FULL_OBJECT"
    )["UploadId"]
    parts = []
    for number, body in ((1, first), (2, second)):
        digest = new(algorithm)
        digest.update(body)
        declared = {f"Checksum{algorithm}": encoded(digest.digest())}
        answer = s3.upload_part(**about, PartNumber=number, Body=body, **declared)
        parts.append({"PartNumber": number, "ETag": answer["ETag"], **declared})
    s3.complete_multipart_upload(**about, MultipartUpload={"Parts": parts}, ChecksumType="FULL_OBJECT")
    total = new(algorithm)
    total.update(first + second)
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head[f"Checksum{algorithm}"] == encoded(total.digest())


def test_parts_copied_from_an_object(s3: Any, bucket: str) -> None:
    body = os.urandom(6 * MIB)
    s3.put_object(Bucket=bucket, Key="source", Body=body)
    about = {"Bucket": bucket, "Key": "k"}
    about["UploadId"] = s3.create_multipart_upload(**about)["UploadId"]
    source = {"Bucket": bucket, "Key": "source"}
    parts = []
    for number, span in ((1, f"0-{5 * MIB - 1}"), (2, f"{5 * MIB}-{6 * MIB - 1}")):
        answer = s3.upload_part_copy(
            **about, PartNumber=number, CopySource=source, CopySourceRange=f"bytes={span}"
        )
        parts.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
    beyond = f"bytes=0-{6 * MIB}"
    call = s3.upload_part_copy
    assert (
        code_of(call, **about, PartNumber=3, CopySource=source, CopySourceRange=beyond) == "InvalidArgument"
    )
    s3.complete_multipart_upload(**about, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == body


class _Chunked:
    """A client that sends aws-chunked bodies, signed chunk by chunk or with a trailer."""

    def __init__(self, engine: RunningEngine) -> None:
        self._engine = engine

    def put(
        self, path: str, pieces: list[bytes], *, kind: str, trailer: str = "", forge: int = -1
    ) -> tuple[int, bytes]:
        told = self._engine.connection
        size = sum(map(len, pieces))
        headers = {
            "Host": urlsplit(told.url).netloc,
            "Content-Encoding": "aws-chunked",
            "X-Amz-Content-SHA256": kind,
            "X-Amz-Decoded-Content-Length": str(size),
        }
        if trailer:
            headers["X-Amz-Trailer"] = "x-amz-checksum-crc32"
        request = AWSRequest("PUT", f"{told.url}{path}", headers=headers)
        signer = S3SigV4Auth(Credentials(told.access_key, told.secret_key), "s3", told.region)
        signer.payload = lambda _: kind
        signer.add_auth(request)
        request.headers["X-Amz-Content-SHA256"] = kind
        stamp = request.context["timestamp"]
        signature = request.headers["Authorization"].rpartition("Signature=")[2]
        scope = f"{stamp[:8]}/{told.region}/s3/aws4_request"
        key = f"AWS4{told.secret_key}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        body = b""
        for i, piece in enumerate([*pieces, b""]):
            extension = ""
            if kind.startswith("STREAMING-AWS4"):
                empty = hashlib.sha256(b"").hexdigest()
                lines = [
                    "AWS4-HMAC-SHA256-PAYLOAD",
                    stamp,
                    scope,
                    signature,
                    empty,
                    hashlib.sha256(piece).hexdigest(),
                ]
                signature = hmac.digest(key, "\n".join(lines).encode(), "sha256").hex()
                extension = ";chunk-signature=" + (signature if i != forge else "0" * 64)
            body += f"{len(piece):x}{extension}\r\n".encode()
            body += piece + b"\r\n" if piece else b""
        body += (f"x-amz-checksum-crc32:{trailer}\r\n" if trailer else "").encode() + b"\r\n"
        connection = http.client.HTTPConnection(urlsplit(told.url).netloc, timeout=20)
        connection.request("PUT", path, body, dict(request.headers.items()))
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, text


@pytest.mark.parametrize("kind", ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"])
def test_aws_chunked_bodies(engine: RunningEngine, s3: Any, bucket: str, kind: str) -> None:
    pieces = [os.urandom(70_000), os.urandom(1), os.urandom(200_000)]
    whole = b"".join(pieces)
    crc = base64.b64encode(zlib.crc32(whole).to_bytes(4, "big")).decode()
    client = _Chunked(engine)
    trailer = crc if "TRAILER" in kind else ""
    status, text = client.put(f"/{bucket}/k", pieces, kind=kind, trailer=trailer)
    assert status == 200, text
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == whole
    assert "ContentEncoding" not in got
    if trailer:
        status, text = client.put(f"/{bucket}/k2", pieces, kind=kind, trailer="AAAAAA==")
        assert (status, b"BadDigest" in text) == (400, True)
    else:
        status, text = client.put(f"/{bucket}/k2", pieces, kind=kind, forge=1)
        assert (status, b"SignatureDoesNotMatch" in text) == (403, True)
    assert code_of(s3.head_object, Bucket=bucket, Key="k2") == "404"


def test_a_body_that_breaks_off_leaves_nothing(engine: RunningEngine, s3: Any, bucket: str) -> None:
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "half"})
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        head = f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 100000\r\n\r\n"
        connection.sendall(head.encode() + b"x" * 5000)
    s3.put_object(Bucket=bucket, Key="other", Body=b"")
    assert code_of(s3.head_object, Bucket=bucket, Key="half") == "404"


def test_an_upload_survives_a_kill_between_two_parts(start_engine: Callable[..., RunningEngine]) -> None:
    running = start_engine()
    s3 = running.client("s3")
    about = {"Bucket": "killed-bucket", "Key": "k"}
    s3.create_bucket(Bucket="killed-bucket")
    about["UploadId"] = s3.create_multipart_upload(**about)["UploadId"]
    first, second = os.urandom(5 * MIB), os.urandom(100)
    tags = [s3.upload_part(**about, PartNumber=1, Body=first)["ETag"]]
    running.kill()
    s3 = start_engine().client("s3")
    tags.append(s3.upload_part(**about, PartNumber=2, Body=second)["ETag"])
    parts = [{"PartNumber": i, "ETag": tag} for i, tag in enumerate(tags, 1)]
    s3.complete_multipart_upload(**about, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket="killed-bucket", Key="k")["Body"].read() == first + second


def test_no_object_is_half_there_after_a_kill_during_puts(start_engine: Callable[..., RunningEngine]) -> None:
    running = start_engine()
    running.client("s3").create_bucket(Bucket="killed-bucket")
    acknowledged: dict[str, str] = {}
    begun = threading.Event()

    def put(worker: int) -> None:
        s3 = running.client("s3")
        for i in range(1000):
            body = f"{worker}-{i};".encode() * (200_000 if i % 5 == 4 else 50)
            try:
                etag = s3.put_object(Bucket="killed-bucket", Key=f"w{worker}/{i}", Body=body)["ETag"]
            except Exception:
                return
            acknowledged[f"w{worker}/{i}"] = etag
            if i == 20:
                begun.set()

    workers = [threading.Thread(target=put, args=(i,)) for i in range(3)]
    for worker in workers:
        worker.start()
    assert begun.wait(60)
    running.kill()
    for worker in workers:
        worker.join(60)
    after = start_engine()
    s3 = after.client("s3")
    found = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="killed-bucket"):
        for item in page.get("Contents", []):
            body = s3.get_object(Bucket="killed-bucket", Key=item["Key"])["Body"].read()
            assert item["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
            assert item["Size"] == len(body)
            found[item["Key"]] = item["ETag"]
    assert acknowledged.items() <= found.items()
    assert list((after.data_dir / "s3" / "staging").iterdir()) == []
