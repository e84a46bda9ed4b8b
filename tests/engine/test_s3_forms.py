"""Uploads by presigned POST, and requests whose host names the bucket."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from botocore.config import Config

from tests.engine.conftest import RunningEngine
from tests.engine.raw import Answer, send, signed


@pytest.fixture
def bucket(engine: RunningEngine) -> Iterator[str]:
    name = f"form-{uuid4().hex[:12]}"
    engine.client("s3").create_bucket(Bucket=name)
    yield name


def submit(
    engine: RunningEngine,
    target: str,
    fields: Mapping[str, str],
    data: bytes,
    filename: str = "photo.bin",
    **headers: str,
) -> Answer:
    """Send a form as a browser does."""
    mark = "----form" + uuid4().hex
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\nContent-Type: x/y\r\n\r\n'
    )
    body = "".join(parts).encode() + data + f"\r\n--{mark}--\r\n".encode()
    return send(
        engine.connection,
        "POST",
        target,
        {"content-type": f"multipart/form-data; boundary={mark}", **headers},
        body,
    )


def presigned(
    engine: RunningEngine, bucket: str, key: str, version: str = "s3v4", **options: Any
) -> dict[str, str]:
    client = engine.client("s3", config=Config(signature_version=version))
    found: dict[str, str] = client.generate_presigned_post(bucket, key, **options)["fields"]
    return found


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.body.decode().partition("<Code>")[2].partition("</Code>")[0]


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_form_stores_its_file(engine: RunningEngine, bucket: str, version: str) -> None:
    wanted = {"x-amz-meta-who": "me", "Content-Type": "text/plain", "success_action_status": "201"}
    conditions: list[Any] = [{name: value} for name, value in wanted.items()]
    fields = presigned(
        engine,
        bucket,
        "up/${filename}",
        version,
        Fields=dict(wanted),
        Conditions=[*conditions, ["content-length-range", 1, 10**7]],
    )
    data = os.urandom(3 << 20) + b"\r\n--tail"
    answer = submit(engine, f"/{bucket}", fields, data, "C:\\my photo.bin")
    assert answer.status == 201, answer.body
    assert b"<Key>up/my photo.bin</Key>" in answer.body
    stored = engine.client("s3").get_object(Bucket=bucket, Key="up/my photo.bin")
    assert stored["Body"].read() == data
    assert (stored["ContentType"], stored["Metadata"]) == ("text/plain", {"who": "me"})


def test_success_is_told_as_the_form_wishes(engine: RunningEngine, bucket: str) -> None:
    assert submit(engine, f"/{bucket}/", presigned(engine, bucket, "k"), b"1").status == 204
    target = {"success_action_redirect": "http://example.com/done?a=b"}
    answer = submit(
        engine, f"/{bucket}", presigned(engine, bucket, "k", Fields=target, Conditions=[target]), b"1"
    )
    assert answer.status == 303
    assert answer.headers["location"].startswith(f"http://example.com/done?a=b&bucket={bucket}&key=k&etag=")


def test_a_policy_that_does_not_fit_is_refused(engine: RunningEngine, bucket: str) -> None:
    fields = presigned(engine, bucket, "up/x", Conditions=[["content-length-range", 2, 4]])
    at = f"/{bucket}"
    assert code(submit(engine, at, fields, b"1")) == (400, "EntityTooSmall")
    assert code(submit(engine, at, fields, b"12345")) == (400, "EntityTooLarge")
    assert code(submit(engine, at, {**fields, "key": "elsewhere"}, b"123")) == (403, "AccessDenied")
    assert code(submit(engine, at, {**fields, "acl": "private"}, b"123")) == (403, "AccessDenied")
    assert code(submit(engine, "/another-bucket", fields, b"123")) == (403, "AccessDenied")
    assert code(submit(engine, at, {"key": "up/x"}, b"123")) == (403, "AccessDenied")
    wider = base64.b64encode(
        json.dumps(
            {"expiration": "2099-01-01T00:00:00Z", "conditions": [["starts-with", "$key", ""]]}
        ).encode()
    )
    assert code(submit(engine, at, {**fields, "policy": wider.decode()}, b"123")) == (
        403,
        "SignatureDoesNotMatch",
    )
    late = presigned(engine, bucket, "up/x", ExpiresIn=-5)
    assert code(submit(engine, at, late, b"123")) == (403, "AccessDenied")
    assert engine.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_broken_form_is_refused(engine: RunningEngine, bucket: str) -> None:
    kind = {"content-type": "multipart/form-data; boundary=b"}
    start = b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n'
    for body in (b"", start, b"junk", start + b"--b--\r\n"):
        assert send(engine.connection, "POST", f"/{bucket}", kind, body).status == 400, body
    assert (
        send(engine.connection, "POST", f"/{bucket}", {"content-type": "multipart/form-data"}, b"x").status
        == 400
    )


@pytest.mark.parametrize("suffix", ["localhost", "s3.localhost", "s3.us-east-1.amazonaws.com"])
def test_the_host_may_name_the_bucket(engine: RunningEngine, bucket: str, suffix: str) -> None:
    host = {"host": f"{bucket}.{suffix}:{engine.connection.port}"}
    assert signed(engine.connection, "PUT", "/a/k%20%C3%BC", headers=host, body=b"text").status == 200
    assert signed(engine.connection, "GET", "/a/k%20%C3%BC", headers=host).body == b"text"
    assert b"<Key>a/k" in signed(engine.connection, "GET", "/?list-type=2", headers=host).body
    assert engine.client("s3").get_object(Bucket=bucket, Key="a/k ü")["Body"].read() == b"text"
    assert code(signed(engine.connection, "GET", "/a/none", headers=host)) == (404, "NoSuchKey")
    assert signed(engine.connection, "HEAD", "/", headers={"host": f"no-{bucket}.{suffix}"}).status == 404
    assert code(signed(engine.connection, "GET", "/a/k", headers=host, secret="wrong")) == (
        403,
        "SignatureDoesNotMatch",
    )


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_presigned_urls_and_forms_of_a_virtual_host(engine: RunningEngine, bucket: str, version: str) -> None:
    client = engine.client(
        "s3",
        endpoint_url=f"http://localhost:{engine.connection.port}",
        config=Config(signature_version=version, s3={"addressing_style": "virtual"}),
    )
    engine.client("s3").put_object(Bucket=bucket, Key="k", Body=b"text")
    url = urlsplit(client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"}))
    assert url.netloc.startswith(f"{bucket}.localhost")
    answer = send(engine.connection, "GET", f"{url.path}?{url.query}", {"host": url.netloc})
    assert (answer.status, answer.body) == (200, b"text")
    form = client.generate_presigned_post(bucket, "posted")
    answer = submit(engine, "/", form["fields"], b"data", host=urlsplit(form["url"]).netloc)
    assert answer.status == 204
    assert engine.client("s3").get_object(Bucket=bucket, Key="posted")["Body"].read() == b"data"
