"""SageMaker Runtime: InvokeEndpoint."""

from __future__ import annotations

from typing import Any

from engine.context import Engine
from engine.errors import ServiceError
from engine.hosting.fleet import KIND
from engine.hosting.router import BODY_LIMIT
from engine.http import Request, Response
from engine.registry import operation


@operation("sagemaker-runtime", "InvokeEndpoint")
async def invoke_endpoint(engine: Engine, request: Request, params: dict[str, Any]) -> Response:
    """Hand the request to one of the endpoint's workers; the answer is passed on as it came."""
    body = params.get("Body") or b""
    if len(body) > BODY_LIMIT:
        raise ServiceError(
            "ValidationError",
            "1 validation error detected: Value at 'body' failed to satisfy constraint: "
            f"Member must have length less than or equal to {BODY_LIMIT}",
        )
    name = params["EndpointName"]
    endpoint = engine.hosting.live.get(name)
    if endpoint is None:
        raise _not_invocable(engine, name)
    return await engine.hosting.router.invoke(endpoint, request.headers, body)


def _not_invocable(engine: Engine, name: str) -> ServiceError:
    text = f"Endpoint {name} of account {engine.settings.account_id} not found."
    found = engine.store.find(KIND, name)
    if found is not None:
        text += f" It is {found.status}; it takes requests once it is InService."
    return ServiceError("ValidationError", text)
