"""A request to a stage, from its method to its answer: authorisation, limits, parameters, integration, gateway responses."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.gateways import authorisation, context, integrations, plans, templates
from engine.gateways.answers import (
    BAD_PARAMETERS,
    CONFIGURATION,
    NO_ROUTE,
    THROTTLED,
    Kind,
    Refused,
    effective,
)
from engine.gateways.call import Answer, Call, last
from engine.gateways.dropped import passed
from engine.gateways.templates import Values
from engine.gateways.throttling import ACCOUNT_BURST, ACCOUNT_RATE, setting
from engine.http import Request

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.gateways.supervisor import Snapshot

log = logging.getLogger(__name__)


async def serve(engine: Engine, snapshot: Snapshot, call: Call, request: Request) -> Answer:
    """Answer a call; whatever goes wrong is a gateway response."""
    try:
        route = snapshot.routes.find(call.path)
        methods = route.resource["resourceMethods"] if route is not None else {}
        operation = methods.get(call.method) or methods.get("ANY")
        if route is None or operation is None:
            raise Refused(NO_ROUTE)
        call.resource, call.variables, call.operation = route.resource, route.variables, operation
        if operation["authorizationType"] == "AWS_IAM":
            call.identity |= authorisation.caller(engine, request)
        if operation["apiKeyRequired"]:
            call.identity |= plans.admit(engine, call)
        _throttle(engine, call)
        return await invoke(engine, snapshot, call)
    except Refused as refusal:
        return refused(engine, snapshot, call, refusal)


async def invoke(engine: Engine, snapshot: Snapshot, call: Call) -> Answer:
    """Run the method of a routed call.

    Raises:
        Refused: It ends in a gateway response.
    """
    call.context = context.of(engine, call)
    validator = snapshot.validators.get(call.operation.get("requestValidatorId", ""))
    if validator is not None and validator["validateRequestParameters"]:
        _require(call)
    try:
        answer = await integrations.run(engine, call, snapshot.media_types)
    except Refused:
        raise
    except Exception as error:
        log.exception("The integration of %s %s failed.", call.method, call.resource.get("path"))
        raise Refused(CONFIGURATION, cause=str(error)) from error
    answer.headers = passed(answer.headers)
    return _compressed(answer, call, snapshot.compress_from)


def refused(engine: Engine, snapshot: Snapshot | None, call: Call, refusal: Refused) -> Answer:
    """The gateway response of a failure, as it is or customised."""
    if refusal.kind.status >= 500:
        log.warning("%s %s (request %s): %s", call.method, call.path, call.request_id, refusal)
    kind = refusal.kind
    custom = effective(kind, snapshot.responses) if snapshot is not None else {}
    known = call.context or context.of(engine, call)
    about = {
        **known,
        "error": {
            "message": refusal.message,
            "messageString": json.dumps(refusal.message),
            "responseType": kind.type,
        },
    }
    headers = [("Content-Type", "application/json"), ("x-amzn-ErrorType", refusal.error)]
    body = json.dumps({"message": refusal.message}, separators=(",", ":"), ensure_ascii=False)
    templated: Mapping[str, str] = custom.get("responseTemplates") or {}
    if templated:
        name, template = next(iter(templated.items()))
        values = Values(
            "",
            lambda one: call.variables.get(one) or last(call.query).get(one) or call.header(one),
            about,
            call.stage_variables,
        )
        body, headers[0] = templates.render(template, values), ("Content-Type", name)
    for name, expression in (custom.get("responseParameters") or {}).items():
        value = _parameter(expression, about, call)
        if value is not None:
            headers.append((name.removeprefix("gatewayresponse.header."), value))
    return Answer(_status(kind, custom), headers, body.encode())


def _status(kind: Kind, custom: Mapping[str, Any]) -> int:
    told = custom.get("statusCode")
    return int(told) if told else kind.status


def _parameter(expression: str, about: Mapping[str, Any], call: Call) -> str | None:
    if len(expression) > 1 and expression[0] == expression[-1] == "'":
        return expression[1:-1]
    if expression.startswith("context."):
        found: Any = about
        for name in expression.split(".")[1:]:
            found = found.get(name) if isinstance(found, Mapping) else None
        return None if found is None else templates.shown(found)
    place, _, name = expression.removeprefix("method.request.").partition(".")
    sources = {"path": call.variables, "querystring": last(call.query)}
    return call.header(name) if place == "header" else sources.get(place, {}).get(name)


def _throttle(engine: Engine, call: Call) -> None:
    throttle = engine.gateways.throttle
    path, method = call.resource["path"], call.operation["httpMethod"]
    rate = setting(call.stage, path, method, "throttlingRateLimit")
    burst = setting(call.stage, path, method, "throttlingBurstLimit")
    if rate is not None and rate >= 0:
        key = (call.api_id, call.stage_name, path, method)
        if not throttle.admits(key, rate, ACCOUNT_BURST if burst is None or burst < 0 else burst):
            raise Refused(THROTTLED)
    if not throttle.admits(("account",), ACCOUNT_RATE, ACCOUNT_BURST):
        raise Refused(THROTTLED)


def _require(call: Call) -> None:
    """Refuse a request without a parameter that its method requires."""
    query = last(call.query)
    absent = []
    for name, required in (call.operation.get("requestParameters") or {}).items():
        place, _, key = name.removeprefix("method.request.").partition(".")
        there = key in query if "querystring" in place else call.header(key) if "header" in place else True
        if required and not there:
            absent.append(key)
    if absent:
        raise Refused(BAD_PARAMETERS, f"Missing required request parameters: [{', '.join(absent)}]")


def _compressed(answer: Answer, call: Call, smallest: int | None) -> Answer:
    """The answer gzipped, when the API compresses bodies of its size and the client takes them."""
    named = any(name.lower() == "content-encoding" for name, _ in answer.headers)
    if (
        smallest is None
        or named
        or len(answer.body) < smallest
        or "gzip" not in (call.header("Accept-Encoding") or "")
    ):
        return answer
    return Answer(
        answer.status, [*answer.headers, ("Content-Encoding", "gzip")], gzip.compress(answer.body, 6)
    )
