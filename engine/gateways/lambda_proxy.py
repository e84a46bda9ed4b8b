"""AWS_PROXY: the event that a function gets (payload format 1.0), and the response that it must give."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

from engine.gateways.answers import BAD_GATEWAY, Refused
from engine.gateways.call import Answer, Call, Pairs, all_of, last

_MEMBERS = frozenset(("statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"))
_STATUSES = range(200, 600)


def event(call: Call, media_types: list[str]) -> bytes:
    """The event as JSON."""
    binary = is_binary(call.header("Content-Type"), media_types)
    body: str | None = None
    if call.body:
        body = b64encode(call.body).decode() if binary else call.body.decode("utf-8", "replace")
    document = {
        "resource": call.resource["path"],
        "path": call.path,
        "httpMethod": call.method,
        "headers": last(call.headers) or None,
        "multiValueHeaders": all_of(call.headers) or None,
        "queryStringParameters": last(call.query) or None,
        "multiValueQueryStringParameters": all_of(call.query) or None,
        "pathParameters": call.variables or None,
        "stageVariables": call.stage_variables or None,
        "requestContext": call.context,
        "body": body,
        "isBase64Encoded": binary and body is not None,
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def answer(payload: bytes, call: Call, media_types: list[str]) -> Answer:
    """A function's response as HTTP.

    Raises:
        Refused: It is not of the form that API Gateway asks for: 502.
    """
    try:
        document = json.loads(payload)
    except ValueError as error:
        raise _malformed("it is not JSON") from error
    if not isinstance(document, dict) or not set(document) <= _MEMBERS:
        raise _malformed(
            "it is not an object with statusCode, headers, multiValueHeaders, body and isBase64Encoded only"
        )
    status = _status(document.get("statusCode", 200))
    headers = _headers(document)
    body = document.get("body")
    if body is not None and not isinstance(body, str):
        raise _malformed("its body is not a string")
    data = (body or "").encode("utf-8", "replace")
    if document.get("isBase64Encoded") is True and wants_binary(call, media_types):
        try:
            data = b64decode(data, validate=True)
        except ValueError as error:
            raise _malformed("its body is not base64") from error
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    return Answer(status, headers, data)


def is_binary(content_type: str | None, media_types: list[str]) -> bool:
    """Whether a content type is one of an API's binary media types (``*/*``, ``image/*``, ``image/png``)."""
    found = (content_type or "application/json").partition(";")[0].strip().lower()
    kind = found.partition("/")[0]
    return any(one.lower() in ("*/*", found, f"{kind}/*") for one in media_types)


def wants_binary(call: Call, media_types: list[str]) -> bool:
    """Whether the first media type of Accept is a binary one: only then is a base64 body decoded."""
    accept = (call.header("Accept") or "").partition(",")[0]
    return bool(media_types) and (is_binary(accept, media_types) if accept else "*/*" in media_types)


def _status(told: Any) -> int:
    try:
        status = int(told)
    except (TypeError, ValueError) as error:
        raise _malformed("its statusCode is no number") from error
    if isinstance(told, bool) or status not in _STATUSES:
        raise _malformed("its statusCode is no HTTP status")
    return status


def _headers(document: dict[str, Any]) -> Pairs:
    """Both header members; where they name the same one, the many values count."""
    single, several = document.get("headers") or {}, document.get("multiValueHeaders") or {}
    if not isinstance(single, dict) or not isinstance(several, dict):
        raise _malformed("its headers are no object")
    found: Pairs = []
    named = {name.lower() for name in several}
    for name, value in single.items():
        if isinstance(value, dict | list):
            raise _malformed(f"its header {name} is no text")
        if name.lower() not in named and value is not None:
            found.append((name, _text(value)))
    for name, values in several.items():
        if not isinstance(values, list):
            raise _malformed(f"its multiValueHeaders entry {name} is no list")
        found += [(name, _text(value)) for value in values]
    return found


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _malformed(why: str) -> Refused:
    return Refused(BAD_GATEWAY, cause=f"Malformed Lambda proxy response: {why}")
