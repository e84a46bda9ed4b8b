"""Invoke: synchronous, asynchronous, and dry."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

from engine.context import Engine
from engine.errors import ServiceError
from engine.functions import names, record
from engine.functions.names import invalid
from engine.functions.outcome import EVENT_LIMIT, PAYLOAD_LIMIT
from engine.http import Request, Response
from engine.registry import operation

Params = dict[str, Any]


@operation("lambda", "Invoke")
async def invoke(engine: Engine, request: Request, params: Params) -> Response:
    """Run a function and answer what it returns, or accept the event, or only look whether it could be run."""
    asked = names.reference(engine.settings, params["FunctionName"], params.get("Qualifier"))
    kind = params.get("InvocationType", "RequestResponse")
    payload = params.get("Payload") or b""
    limit = EVENT_LIMIT if kind == "Event" else PAYLOAD_LIMIT
    if len(payload) > limit:
        raise ServiceError(
            "RequestEntityTooLargeException",
            f"Request must be smaller than {limit} bytes for the InvokeFunction operation",
            413,
        )
    found = record.target(engine, asked, routed=True)
    context = _client_context(params.get("ClientContext"))
    await engine.functions.checked(payload)
    if kind == "DryRun":
        return Response(204, {"x-amz-executed-version": found.version})
    if kind == "Event":
        request_id = engine.functions.events.accept(found, payload, context)
        return Response(202, {"x-amzn-requestid": request_id})
    outcome = await engine.functions.invoke(
        found, payload, request_id=request.request_id, client_context=context
    )
    headers = {"content-type": "application/json", "x-amz-executed-version": outcome.version}
    if outcome.error:
        headers["x-amz-function-error"] = outcome.error
    if params.get("LogType") == "Tail":
        headers["x-amz-log-result"] = b64encode(outcome.tail).decode()
    return Response(200, headers, outcome.payload)


@operation("lambda", "InvokeAsync")
async def invoke_async(engine: Engine, request: Request, params: Params) -> Params:
    """The older form of an asynchronous invocation."""
    asked = names.reference(engine.settings, params["FunctionName"])
    payload = params.get("InvokeArgs") or b""
    await engine.functions.checked(payload)
    engine.functions.events.accept(record.target(engine, asked), payload, "")
    return {"Status": 202}


def _client_context(told: str | None) -> str:
    if not told:
        return ""
    try:
        text = b64decode(told, validate=True).decode("utf-8")
    except ValueError as error:
        raise invalid("Client context must be a valid Base64-encoded JSON object.") from error
    return text
