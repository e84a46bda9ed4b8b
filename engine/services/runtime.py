"""SageMaker Runtime: InvokeEndpoint."""

from __future__ import annotations

import re
from typing import Any

from engine.context import Engine
from engine.errors import ServiceError
from engine.hosting.router import BODY_LIMIT
from engine.hosting.supervisor import KIND
from engine.http import Request, Response
from engine.registry import operation

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_LIMITS = {
    "x-amzn-sagemaker-custom-attributes": ("customAttributes", 1024, re.compile(r"[\x00-\x7f]*")),
    "x-amzn-sagemaker-target-variant": ("targetVariant", 63, _NAME),
    "x-amzn-sagemaker-inference-id": ("inferenceId", 64, re.compile(r"[A-Za-z0-9](-*[A-Za-z0-9])*")),
    "x-amzn-sagemaker-session-id": ("sessionId", 256, re.compile(r"[^\r\n]+")),
}


@operation("sagemaker-runtime", "InvokeEndpoint", raw=True)
async def invoke_endpoint(engine: Engine, request: Request, params: dict[str, Any]) -> Response:
    """Hand the request to one of the endpoint's workers; the answer is passed on as it came."""
    body = request.read or b""
    if len(body) > BODY_LIMIT:
        raise _invalid("body", f"Member must have length less than or equal to {BODY_LIMIT}")
    headers = request.headers
    for name in _LIMITS:
        if name in headers:
            _check(name, headers[name])
    name = params["EndpointName"]
    endpoint = engine.hosting.live.get(name)
    if endpoint is None:
        raise _not_invocable(engine, name)
    return await engine.hosting.router.invoke(endpoint, headers, body)


def _check(header: str, value: str) -> None:
    """A header's value against the service model's length and pattern."""
    member, limit, pattern = _LIMITS[header]
    if len(value) > limit:
        raise _invalid(member, f"Member must have length less than or equal to {limit}", value)
    if pattern.fullmatch(value) is None:
        text = f"Member must satisfy regular expression pattern: {pattern.pattern}"
        raise _invalid(member, text, value)


def _invalid(member: str, text: str, value: str | None = None) -> ServiceError:
    shown = f"Value '{value}' at" if value is not None else "Value at"
    return ServiceError(
        "ValidationError",
        f"1 validation error detected: {shown} '{member}' failed to satisfy constraint: {text}",
    )


def _not_invocable(engine: Engine, name: str) -> ServiceError:
    if _NAME.fullmatch(name) is None:
        text = f"Member must satisfy regular expression pattern: {_NAME.pattern}"
        return _invalid("endpointName", text, name)
    text = f"Endpoint {name} of account {engine.settings.account_id} not found."
    found = engine.store.find(KIND, name)
    if found is not None:
        text += f" It is {found.status}; it takes requests once it is InService."
    return ServiceError("ValidationError", text)
