"""Signatures by botocore's own signers, with whatever a URL can hold, against the engine's check."""

from __future__ import annotations

import hashlib
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import HmacV1QueryAuth, S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.utils import percent_encode, percent_encode_sequence
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ServiceError
from engine.protocol import signature
from engine.protocol.models import SERVICES
from engine.protocol.signature import Key

_RELAXED = settings(max_examples=80, deadline=None)
_SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
_NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
_PATHS = st.lists(_NAMES, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
_QUERIES = st.lists(
    st.tuples(_NAMES, st.text(st.characters(exclude_categories=("Cs",)), max_size=12)), max_size=4
)
_ACCESS = "AKIAEXAMPLEEXAMPLE00"
_HOST = "127.0.0.1:4555"


def _url(path: str, query: list[tuple[str, str]]) -> str:
    text = percent_encode_sequence(query)
    return f"http://{_HOST}{percent_encode(path, safe='/~')}" + (f"?{text}" if text else "")


def _check(
    request: AWSRequest, service: str, wire: str, key: Key | None, body: bytes = b"", now: float | None = None
) -> None:
    """Check a request as the engine would see it on the wire."""
    parts = urlsplit(request.url)
    headers = {name.lower(): str(value) for name, value in request.headers.items()}
    headers.setdefault("host", _HOST)
    told = signature.claim(headers, parts.query)
    assert told is not None
    payload = headers.get("x-amz-content-sha256") or (
        signature.UNSIGNED if service == "s3" else hashlib.sha256(body).hexdigest()
    )
    signature.check(
        told,
        key,
        SERVICES[service],
        wire,
        method=request.method,
        path=parts.path,
        query=parts.query,
        headers=headers,
        payload=payload,
        now=time.time() if now is None else now,
    )


def _refused(*arguments: Any, **named: Any) -> ServiceError:
    with pytest.raises(ServiceError) as refused:
        _check(*arguments, **named)
    return refused.value


@_RELAXED
@given(secret=_SECRETS, path=_PATHS, query=_QUERIES, body=st.binary(max_size=40))
def test_headers_signed_for_any_service(
    secret: str, path: str, query: list[tuple[str, str]], body: bytes
) -> None:
    request = AWSRequest(
        "POST",
        _url(path, query),
        data=body,
        headers={"Content-Type": "application/json", "X-Odd": "  a   b "},
    )
    SigV4Auth(Credentials(_ACCESS, secret), "sagemaker", "eu-west-1").add_auth(request)
    _check(request, "sagemaker-runtime", "rest-json", Key(_ACCESS, secret), body)
    wrong = _refused(request, "sagemaker-runtime", "rest-json", Key(_ACCESS, secret + "x"), body)
    assert wrong.code == "InvalidSignatureException"
    changed = _refused(request, "sagemaker-runtime", "rest-json", Key(_ACCESS, secret), body + b"x")
    assert changed.message.startswith("The request signature we calculated does not match")


@_RELAXED
@given(secret=_SECRETS, path=_PATHS, query=_QUERIES, token=st.sampled_from(["", "a+token/with=signs"]))
def test_headers_signed_for_s3(secret: str, path: str, query: list[tuple[str, str]], token: str) -> None:
    request = AWSRequest("PUT", _url(path, query), data=b"x", headers={"x-amz-meta-colour": "blue"})
    request.context["payload_signing_enabled"] = True
    S3SigV4Auth(Credentials(_ACCESS, secret, token or None), "s3", "us-east-1").add_auth(request)
    _check(request, "s3", "rest-xml", Key(_ACCESS, secret, token))
    assert (
        _refused(request, "s3", "rest-xml", Key(_ACCESS, secret + "x", token)).code == "SignatureDoesNotMatch"
    )
    request.headers["x-amz-acl"] = "public-read"
    added = _refused(request, "s3", "rest-xml", Key(_ACCESS, secret, token))
    assert (added.code, added.fields["HeadersNotSigned"]) == ("AccessDenied", "x-amz-acl")


@_RELAXED
@given(secret=_SECRETS, path=_PATHS, query=_QUERIES, token=st.sampled_from(["", "a+token/with=signs"]))
def test_presigned_version_4(secret: str, path: str, query: list[tuple[str, str]], token: str) -> None:
    unique = list({name: (name, value) for name, value in query if value}.values())
    request = AWSRequest("GET", _url(path, unique))
    S3SigV4QueryAuth(Credentials(_ACCESS, secret, token or None), "s3", "us-east-1", 60).add_auth(request)
    _check(request, "s3", "rest-xml", Key(_ACCESS, secret, token))
    assert (
        _refused(request, "s3", "rest-xml", Key(_ACCESS, secret, token), now=time.time() + 120).message
        == "Request has expired"
    )
    request.method = "DELETE"
    assert _refused(request, "s3", "rest-xml", Key(_ACCESS, secret, token)).code == "SignatureDoesNotMatch"


@_RELAXED
@given(
    secret=_SECRETS,
    path=_PATHS,
    token=st.sampled_from(["", "a+token/with=signs"]),
    kind=st.sampled_from(["", "text/plain"]),
)
def test_presigned_version_2(secret: str, path: str, token: str, kind: str) -> None:
    request = AWSRequest("GET", _url(path, [("response-content-type", "text/a b"), ("versionId", "3")]))
    if kind:
        request.headers["Content-Type"] = kind
    HmacV1QueryAuth(Credentials(_ACCESS, secret, token or None), 60).add_auth(request)
    sent = AWSRequest("GET", request.url)  # the browser that follows the link sends no such headers
    _check(sent, "s3", "rest-xml", Key(_ACCESS, secret, token))
    assert _refused(sent, "s3", "rest-xml", Key(_ACCESS, secret + "x", token)).code == "SignatureDoesNotMatch"
    late = _refused(sent, "s3", "rest-xml", Key(_ACCESS, secret, token), now=time.time() + 120)
    assert (late.code, late.message, late.status) == ("AccessDenied", "Request has expired", 403)


def test_a_presigned_call_of_another_service() -> None:
    request = AWSRequest("GET", f"http://{_HOST}/?Action=GetCallerIdentity&Version=2011-06-15")
    SigV4QueryAuth(Credentials(_ACCESS, "s"), "sts", "us-east-1", 60).add_auth(request)
    _check(request, "sts", "query", Key(_ACCESS, "s"))


@pytest.mark.parametrize(
    ("service", "wire", "code", "status"),
    [
        ("sagemaker", "json", "InvalidSignatureException", 400),
        ("sagemaker-runtime", "rest-json", "InvalidSignatureException", 403),
        ("sts", "query", "SignatureDoesNotMatch", 403),
        ("s3", "rest-xml", "RequestTimeTooSkewed", 403),
    ],
)
@pytest.mark.parametrize("offset", [-16 * 60, 16 * 60])
def test_clocks_apart(service: str, wire: str, code: str, status: int, offset: float) -> None:
    request = AWSRequest("POST", f"http://{_HOST}/")
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    signer(Credentials(_ACCESS, "s"), SERVICES[service].scope, "us-east-1").add_auth(request)
    late = _refused(request, service, wire, Key(_ACCESS, "s"), now=time.time() + offset)
    assert (late.code, late.status) == (code, status)
    if service != "s3":
        assert late.message.startswith("Signature expired: " if offset > 0 else "Signature not yet current: ")
    _check(request, service, wire, Key(_ACCESS, "s"), now=time.time() + offset * 0.9)


@pytest.mark.parametrize(
    ("service", "wire", "unknown", "expired"),
    [
        ("sagemaker", "json", "UnrecognizedClientException", "ExpiredTokenException"),
        ("sts", "query", "InvalidClientTokenId", "ExpiredToken"),
        ("s3", "rest-xml", "InvalidAccessKeyId", "ExpiredToken"),
    ],
)
def test_unknown_and_expired_keys(service: str, wire: str, unknown: str, expired: str) -> None:
    request = AWSRequest("POST", f"http://{_HOST}/")
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    signer(Credentials(_ACCESS, "s", "token"), SERVICES[service].scope, "us-east-1").add_auth(request)
    assert _refused(request, service, wire, None).code == unknown
    assert _refused(request, service, wire, Key(_ACCESS, "s", "token", time.time() - 1)).code == expired
    assert _refused(request, service, wire, Key(_ACCESS, "s", "another token", None)).code in (
        unknown,
        "InvalidToken",
    )
    _check(request, service, wire, Key(_ACCESS, "s", "token", time.time() + 60))


def test_a_signature_for_another_service_is_refused() -> None:
    request = AWSRequest("POST", f"http://{_HOST}/")
    SigV4Auth(Credentials(_ACCESS, "s"), "logs", "us-east-1").add_auth(request)
    assert (
        "scoped to correct service: 'sagemaker'"
        in _refused(request, "sagemaker", "json", Key(_ACCESS, "s")).message
    )


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic dXNlcjpwYXNz",
        "AWS AKIAEXAMPLEEXAMPLE00:c2ln",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential",
        "AWS4-HMAC-SHA256 Credential=a/20260101/r/s/aws4_request, SignedHeaders=host",
        "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=x",
        "AWS4-HMAC-SHA256 Credential=a/20260101/r/s/aws4_request, SignedHeaders=date, Signature=x",
        "AWS4-HMAC-SHA256 Credential=a/20250101/r/s/aws4_request, SignedHeaders=host, Signature=x",
    ],
)
def test_a_header_that_cannot_be_read(authorization: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        signature.claim({"authorization": authorization, "x-amz-date": "20260101T000000Z", "host": "x"}, "")


@pytest.mark.parametrize(
    "query",
    [
        "X-Amz-Signature=x",
        "X-Amz-Algorithm=AWS4-HMAC-SHA1&X-Amz-Credential=a&X-Amz-Date=d&X-Amz-Expires=1&X-Amz-SignedHeaders=host&X-Amz-Signature=x",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Date=d&X-Amz-Expires=604801&X-Amz-SignedHeaders=host&X-Amz-Signature=x",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Date=d&X-Amz-Expires=-1&X-Amz-SignedHeaders=host&X-Amz-Signature=x",
        "AWSAccessKeyId=a&xSignature=",
    ],
)
def test_a_presigned_url_that_cannot_be_read(query: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        signature.claim({}, query)
