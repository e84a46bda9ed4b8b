"""Who may do nothing here: strangers, the late, the forgers, and those who climb out of a bucket."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from tests.engine.conftest import RunningEngine
from tests.engine.raw import send, signed

_CALLS: dict[str, Callable[..., object]] = {
    "sts": lambda client: client.get_caller_identity(),
    "iam": lambda client: client.list_roles(),
    "sagemaker": lambda client: client.list_training_jobs(),
    "sagemaker-runtime": lambda client: client.invoke_endpoint(EndpointName="none", Body=b"1"),
    "logs": lambda client: client.describe_log_groups(),
    "cloudwatch": lambda client: client.list_metrics(),
    "s3": lambda client: client.list_buckets(),
}
_MISMATCH = {"sts": "SignatureDoesNotMatch", "iam": "SignatureDoesNotMatch", "s3": "SignatureDoesNotMatch"}
_UNKNOWN = {"sts": "InvalidClientTokenId", "iam": "InvalidClientTokenId", "s3": "InvalidAccessKeyId"}
_MISSING = {"sts": "MissingAuthenticationToken", "iam": "MissingAuthenticationToken", "s3": "AccessDenied"}

CLIMBING = [
    "/bucket/../../etc/passwd",
    "/bucket/..%2f..%2fetc%2fpasswd",
    "/bucket/%2e%2e/%2e%2e/etc/passwd",
    "/bucket/%2E%2E%2F%2E%2E%2Fetc%2Fpasswd",
    "/bucket/.%2e/%2e./etc/passwd",
    "/bucket/%252e%252e/%252e%252e/etc/passwd",
    "/bucket/%252e%252e%252f%252e%252e%252fetc%252fpasswd",
    "/bucket/..\\..\\etc\\passwd",
    "/bucket/..%5c..%5cetc%5cpasswd",
    "/bucket/..%255c..%255cetc%255cpasswd",
    "/bucket/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd",
    "/bucket/%c0%af..%c0%af..%c0%afetc%c0%afpasswd",
    "/bucket/%e0%80%ae%e0%80%ae/etc/passwd",
    "/bucket/..%00/../../etc/passwd",
    "/bucket/%00../../../etc/passwd",
    "/bucket/....//....//etc/passwd",
    "/bucket/./../../etc/passwd",
    "/bucket//..//..//..//etc/passwd",
    "/bucket/a/../../../etc/passwd",
    "//bucket/../../etc/passwd",
    "/../etc/passwd",
    "/%2e%2e/etc/passwd",
    "/..;/..;/etc/passwd",
    "/bucket/file:///etc/passwd",
    "/bucket/%2fetc%2fpasswd",
    "/%2fetc%2fpasswd",
    "/bucket/..%u2215..%u2215etc/passwd",
]


def _code(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as refused:
        call()
    assert 400 <= refused.value.response["ResponseMetadata"]["HTTPStatusCode"] < 500
    return str(refused.value.response["Error"]["Code"])


@pytest.mark.parametrize("service", _CALLS)
def test_a_wrong_secret(engine: RunningEngine, service: str) -> None:
    client = engine.client(service, aws_secret_access_key="x" * 40)
    assert _code(lambda: _CALLS[service](client)) == _MISMATCH.get(service, "InvalidSignatureException")


@pytest.mark.parametrize("service", _CALLS)
def test_somebody_elses_key(engine: RunningEngine, service: str) -> None:
    client = engine.client(service, aws_access_key_id="AKIASOMEBODYELSE0000")
    assert _code(lambda: _CALLS[service](client)) == _UNKNOWN.get(service, "UnrecognizedClientException")


@pytest.mark.parametrize("service", _CALLS)
def test_an_unsigned_request(engine: RunningEngine, service: str) -> None:
    from botocore import UNSIGNED
    from botocore.config import Config

    client = engine.client(service, config=Config(signature_version=UNSIGNED))
    assert _code(lambda: _CALLS[service](client)) == _MISSING.get(
        service, "MissingAuthenticationTokenException"
    )


@pytest.mark.parametrize("hours", [-1, 1, -24 * 400])
def test_an_expired_date(engine: RunningEngine, hours: int) -> None:
    moment = datetime.now(UTC) + timedelta(hours=hours)
    answer = signed(engine.connection, "GET", "/", moment=moment)
    assert answer.status == 403
    assert b"<Code>RequestTimeTooSkewed</Code>" in answer.body
    headers = {"x-amz-target": "SageMaker.ListTrainingJobs", "content-type": "application/x-amz-json-1.1"}
    answer = signed(
        engine.connection, "POST", "/", scope="sagemaker", headers=headers, body=b"{}", moment=moment
    )
    assert answer.status == 400
    assert json.loads(answer.body)["__type"] == "InvalidSignatureException"


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_an_expired_presigned_url(
    engine: RunningEngine, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.config import Config

    client = engine.client("s3", config=Config(signature_version=version))
    earlier = datetime.now(UTC) - timedelta(hours=2)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: earlier)
    url = client.generate_presigned_url(
        "get_object", Params={"Bucket": "b", "Key": "k"}, ExpiresIn=-60 if version == "s3" else 60
    )
    answer = send(engine.connection, "GET", url.removeprefix(engine.url))
    assert answer.status == 403
    assert b"<Code>AccessDenied</Code><Message>Request has expired</Message>" in answer.body


def test_a_body_that_was_changed_on_the_way(engine: RunningEngine) -> None:
    headers = {"x-amz-target": "SageMaker.ListTrainingJobs", "content-type": "application/x-amz-json-1.1"}
    good = signed(
        engine.connection, "POST", "/", scope="sagemaker", headers=headers, body=b'{"MaxResults": 1}'
    )
    assert b"InvalidSignatureException" not in good.body
    bad = send(
        engine.connection,
        "POST",
        "/",
        {**headers, "x-amz-date": "20260101T000000Z", "authorization": "AWS4-HMAC-SHA256 Credential=a"},
        b"{}",
    )
    assert (bad.status, json.loads(bad.body)["__type"]) == (400, "IncompleteSignatureException")


@pytest.mark.parametrize("target", CLIMBING)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_nobody_climbs_out_of_a_bucket(engine: RunningEngine, target: str, method: str) -> None:
    for answer in (signed(engine.connection, method, target), send(engine.connection, method, target)):
        assert 400 <= answer.status < 500, answer.body
        assert b"root:" not in answer.body


@pytest.mark.parametrize(
    "target",
    ["/b/\xff\xfe", "/b/%", "/b/%zz", "*", "http://evil.example/b/k", "/" + "a" * 100_000, "/b?x=%ff"],
)
def test_odd_targets_are_no_server_errors(engine: RunningEngine, target: str) -> None:
    answer = send(engine.connection, "GET", target)
    assert 400 <= answer.status < 500


def test_health_tells_no_secrets(engine: RunningEngine) -> None:
    answer = send(engine.connection, "GET", "/_engine/health")
    told = json.loads(answer.body)
    assert told == {
        "status": "ok",
        "version": engine.connection.version,
        "pid": engine.process.pid,
        "nonce": engine.connection.nonce,
        "outdated": False,
    }
    assert engine.connection.secret_key.encode() not in answer.body


@pytest.mark.parametrize(
    "headers", [{"origin": "http://evil.example"}, {"host": "evil.example"}, {"host": "evil.example:80"}]
)
def test_a_web_page_cannot_reset_the_engine(engine: RunningEngine, headers: dict[str, str]) -> None:
    answer = send(engine.connection, "POST", "/_engine/reset", headers)
    assert answer.status == 403


def test_what_is_kept_is_private(engine: RunningEngine) -> None:
    assert engine.data_dir.stat().st_mode & 0o077 == 0
    for name in ("credentials.json", "connection.json"):
        assert (engine.data_dir / name).stat().st_mode & 0o777 == 0o600


def test_unknown_engine_pages(engine: RunningEngine) -> None:
    channel = http.client.HTTPConnection(engine.connection.host, engine.connection.port)
    for method, path in (
        ("GET", "/_engine/"),
        ("GET", "/_engine/reset"),
        ("POST", "/_engine/health"),
        ("GET", "/_engine/../x"),
    ):
        channel.request(method, path)
        answer = channel.getresponse()
        answer.read()
        assert answer.status == 404
    channel.close()
