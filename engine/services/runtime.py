"""SageMaker Runtime: InvokeEndpoint, whole, streamed and asynchronous."""

from __future__ import annotations

import re
from typing import Any

from engine.context import Engine
from engine.errors import ServiceError
from engine.hosting import tickets
from engine.hosting.endpoint import Endpoint
from engine.hosting.supervisor import KIND
from engine.hosting.variant import BODY_LIMIT
from engine.http import Request, Response
from engine.registry import operation

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_LIMITS = {
    "x-amzn-sagemaker-custom-attributes": ("customAttributes", 1024, re.compile(r"[\x00-\x7f]*")),
    "x-amzn-sagemaker-target-variant": ("targetVariant", 63, _NAME),
    "x-amzn-sagemaker-inference-id": ("inferenceId", 64, re.compile(r"[!-~][ -~]*")),
    "x-amzn-sagemaker-session-id": ("sessionId", 256, re.compile(r"NEW_SESSION|[a-zA-Z0-9](-*[a-zA-Z0-9])*")),
}
_ACCEPT = "x-amzn-sagemaker-accept"
_CONTENT_TYPE = "x-amzn-sagemaker-content-type"


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
    endpoint = _synchronous(engine, params["EndpointName"])
    return await engine.hosting.router.invoke(endpoint, headers, body)


@operation("sagemaker-runtime", "InvokeEndpointWithResponseStream")
async def invoke_with_response_stream(
    engine: Engine, request: Request, params: dict[str, Any]
) -> dict[str, Any]:
    """Hand the request to one of the endpoint's workers; the answer is an event stream of what it writes."""
    headers = dict(request.headers)
    headers.pop("accept", None)
    if _ACCEPT in headers:
        headers["accept"] = headers[_ACCEPT]
    endpoint = _synchronous(engine, params["EndpointName"])
    return await engine.hosting.router.stream(endpoint, headers, params.get("Body") or b"")


@operation("sagemaker-runtime", "InvokeEndpointAsync")
async def invoke_endpoint_async(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """Store the request in the endpoint's queue; the answer says where its result will be."""
    endpoint = _live(engine, params["EndpointName"])
    backlog = engine.hosting.backlogs.get(endpoint.name)
    if backlog is None or not endpoint.blue.asynchronous:
        raise ServiceError(
            "ValidationError",
            f"Endpoint {endpoint.name} of account {engine.settings.account_id} is not an asynchronous endpoint and does not "
            "support this operation. Use InvokeEndpoint.",
        )
    body = params.get("Body") or b""
    location = params.get("InputLocation")
    if bool(body) == bool(location):
        raise ServiceError(
            "ValidationError", "Exactly one of InputLocation and Body must be given in the request."
        )
    name, ticket = tickets.accept(engine, endpoint, request.headers, params)
    backlog.add(ticket, name)
    return {
        "InferenceId": ticket.inference_id,
        "OutputLocation": f"s3://{ticket.output[0]}/{ticket.output[1]}",
        "FailureLocation": f"s3://{ticket.failure[0]}/{ticket.failure[1]}" if ticket.failure else None,
    }


def _synchronous(engine: Engine, name: str) -> Endpoint:
    endpoint = _live(engine, name)
    if endpoint.blue.asynchronous:
        raise ServiceError(
            "ValidationError",
            f"Endpoint {name} of account {engine.settings.account_id} is an asynchronous endpoint and does not support "
            "this operation. Use InvokeEndpointAsync.",
        )
    return endpoint


def _live(engine: Engine, name: str) -> Endpoint:
    endpoint = engine.hosting.live.get(name)
    if endpoint is None:
        raise _not_invocable(engine, name)
    return endpoint


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
