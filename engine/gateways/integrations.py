"""What stands behind a method: Lambda (proxied or mapped), HTTP, or nothing but a mapping."""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from engine import roles
from engine.errors import ServiceError
from engine.functions import names, policy, record
from engine.functions.outcome import PAYLOAD_LIMIT
from engine.gateways import context, lambda_proxy, mapping, templates, upstream
from engine.gateways.answers import BAD_GATEWAY, CONFIGURATION, MEDIA_TYPE, TIMED_OUT, TOO_LONG, Refused
from engine.gateways.call import Answer, Call, Pairs, all_of
from engine.gateways.dropped import HOP

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.functions.outcome import Outcome

DEFAULT_MS = 29_000
LAMBDA_URI = re.compile(
    r"arn:aws[a-z-]*:apigateway:[a-z0-9-]+:lambda:path/2015-03-31/functions/(?P<function>.+)/invocations"
)
_STATUS = re.compile(r"""["']?statusCode["']?\s*:\s*["']?(\d{3})""")
_WITHOUT_BODY = ("GET", "HEAD", "OPTIONS")
_SERVICE = "apigateway.amazonaws.com"


async def run(engine: Engine, call: Call, media_types: list[str]) -> Answer:
    """What the integration of the call's method answers.

    Raises:
        Refused: It does not.
    """
    integration = call.operation.get("methodIntegration") or {}
    kind = integration.get("type")
    began = time.monotonic()
    try:
        if kind == "AWS_PROXY":
            payload = lambda_proxy.event(call, media_types)
            outcome = await _lambda(engine, call, integration, payload)
            if outcome.error:
                raise Refused(BAD_GATEWAY, cause=f"Lambda execution failed: {outcome.payload[:400]!r}")
            return lambda_proxy.answer(outcome.payload, call, media_types)
        if kind == "AWS":
            return await _mapped_lambda(engine, call, integration)
        if kind in ("HTTP", "HTTP_PROXY"):
            return await _http(call, integration)
    finally:
        if kind != "MOCK":
            call.integration_ms = (time.monotonic() - began) * 1000
    return _mock(call, integration)


# Lambda


async def _lambda(engine: Engine, call: Call, integration: dict[str, Any], payload: bytes) -> Outcome:
    """Invoke the function that the integration names, if it lets this API.

    The invocation goes on when API Gateway stops waiting for it, as on AWS.
    """
    target = _permitted(engine, call, integration)
    if len(payload) > PAYLOAD_LIMIT:
        raise Refused(TOO_LONG)
    work = engine.functions.spawn(engine.functions.invoke(target, payload, trace=_trace(call)))
    done, _ = await asyncio.wait([work], timeout=_seconds(integration))
    if not done:
        work.add_done_callback(lambda task: task.cancelled() or task.exception())
        raise Refused(TIMED_OUT)
    try:
        return work.result()
    except ServiceError as error:
        raise Refused(CONFIGURATION, cause=f"Lambda invocation failed: {error.message}") from error


def _permitted(engine: Engine, call: Call, integration: dict[str, Any]) -> record.Target:
    """The function that the integration names. Whether one is not there or may not be invoked, API Gateway tells alike.

    Raises:
        Refused: 500.
    """
    uri = mapping.in_uri(integration.get("uri", ""), call, {})
    found = LAMBDA_URI.fullmatch(uri)
    if found is None:
        raise Refused(CONFIGURATION, cause=f"Invalid Lambda function URI: {uri}")
    method = integration["httpMethod"]
    if (call.method if method == "ANY" else method) != "POST":
        raise Refused(
            CONFIGURATION, cause=f"Lambda functions are invoked by POST: integrationHttpMethod is {method}"
        )
    try:
        target = record.target(engine, names.reference(engine.settings, found["function"]), routed=True)
        home = record.function(engine, target.name).document
    except ServiceError as error:
        raise Refused(
            CONFIGURATION, cause=f"Invalid permissions on Lambda function: {error.message}"
        ) from error
    if not _may_invoke(engine, call, integration, home, target):
        raise Refused(CONFIGURATION, cause="Invalid permissions on Lambda function")
    return target


def _may_invoke(
    engine: Engine, call: Call, integration: dict[str, Any], home: dict[str, Any], target: record.Target
) -> bool:
    """By the function's policy, or by the role that the integration names."""
    credentials = integration.get("credentials")
    if credentials:
        role = engine.store.find(roles.ROLE, credentials.rpartition("/")[2])
        return role is not None and roles.trusts(role.document.get("Trust", {}), _SERVICE)
    return policy.allows(
        home,
        target.alias,
        target.arn,
        _SERVICE,
        context.source_arn(engine, call),
        engine.settings.account_id,
    )


async def _mapped_lambda(engine: Engine, call: Call, integration: dict[str, Any]) -> Answer:
    payload = _request_body(call, integration) or "{}"
    if (
        integration.get("requestParameters", {}).get("integration.request.header.X-Amz-Invocation-Type")
        == "'Event'"
    ):
        target = _permitted(engine, call, integration)
        engine.functions.events.accept(target, payload.encode(), "")
        return respond(call, integration, Answer(202, [], b""), "")
    outcome = await _lambda(engine, call, integration, payload.encode())
    told = outcome.payload
    message = ""
    if outcome.error:
        try:
            message = str(json.loads(told).get("errorMessage", ""))
        except (ValueError, AttributeError):
            message = ""
    answer = Answer(200, [("Content-Type", "application/json")], told)
    return respond(call, integration, answer, message)


def _trace(call: Call) -> str:
    return call.header("X-Amzn-Trace-Id") or ""


# HTTP


async def _http(call: Call, integration: dict[str, Any]) -> Answer:
    proxied = integration["type"] == "HTTP_PROXY"
    parameters: dict[str, str] = integration.get("requestParameters") or {}
    text = call.body.decode("utf-8", "replace")
    variables = dict(call.variables) if proxied else {}
    query: list[tuple[str, str]] = list(call.query) if proxied else []
    headers: dict[str, str] = {}
    if proxied:
        headers = {
            name: ",".join(found)
            for name, found in all_of(call.headers).items()
            if name.lower() not in HOP and name.lower() != "host"
        }
    for name, expression in parameters.items():
        value = mapping.request_value(call, expression, text)
        if value is None:
            continue
        place, _, key = name.removeprefix("integration.request.").partition(".")
        listed = value if isinstance(value, list) else [value]
        if place == "path":
            variables[key] = listed[-1]
        elif place == "querystring":
            query = [pair for pair in query if pair[0] != key] + [(key, one) for one in listed]
        else:
            headers[key] = ",".join(listed)
    body = call.body if proxied else (_request_body(call, integration) or "").encode()
    if not proxied:
        headers.setdefault("Content-Type", call.header("Content-Type") or "application/json")
    url = mapping.in_uri(integration.get("uri", ""), call, variables)
    if query:
        url += ("&" if "?" in url else "?") + urlencode(query, quote_via=quote)
    method = integration.get("httpMethod") or call.method
    method = call.method if method == "ANY" else method
    insecure = bool((integration.get("tlsConfig") or {}).get("insecureSkipVerification"))
    body = b"" if method in _WITHOUT_BODY else body
    headers.setdefault("User-Agent", f"AmazonAPIGateway_{call.api_id}")
    answer = await upstream.send(method, url, headers, body, _seconds(integration), insecure=insecure)
    return answer if proxied else respond(call, integration, answer, str(answer.status))


# Mock


def _mock(call: Call, integration: dict[str, Any]) -> Answer:
    body = _request_body(call, integration, mock=True) or ""
    found = _STATUS.search(body)
    if found is None:
        raise Refused(
            CONFIGURATION,
            cause="Unable to parse statusCode. It should be an integer in the request template.",
        )
    return respond(call, integration, Answer(int(found[1]), [], b""), found[1])


# Mapping


def respond(call: Call, integration: dict[str, Any], answer: Answer, chosen_by: str) -> Answer:
    """The integration response whose pattern fits, else the one without a pattern, and its mapping.

    Args:
        chosen_by: What patterns are matched with: a status, or a function's error message.
    """
    responses: dict[str, dict[str, Any]] = integration.get("integrationResponses") or {}
    chosen = _choose(responses, chosen_by)
    if chosen is None:
        raise Refused(
            CONFIGURATION, cause="No match for output mapping and no default output mapping configured"
        )
    headers: Pairs = []
    for name, expression in (chosen.get("responseParameters") or {}).items():
        value = mapping.response_value(call, expression, answer)
        if value is not None:
            headers.append((name.removeprefix("method.response.header."), value))
    body, kind = answer.body, _content_type(call, chosen)
    template = _template(chosen.get("responseTemplates") or {}, kind)
    if template is not None:
        body = templates.render(
            template, mapping.values(call, answer.body.decode("utf-8", "replace"))
        ).encode()
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", kind))
    return Answer(int(chosen["statusCode"]), headers, body)


def _choose(responses: dict[str, dict[str, Any]], text: str) -> dict[str, Any] | None:
    default = None
    for response in responses.values():
        pattern = response.get("selectionPattern")
        if not pattern:
            default = default or response
        elif text and _matches(pattern, text):
            return response
    return default


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.fullmatch(pattern, text, re.DOTALL) is not None
    except re.error:
        return False


def _template(found: dict[str, str], kind: str) -> str | None:
    if kind in found:
        return found[kind]
    return next(iter(found.values()), None)


def _content_type(call: Call, response: dict[str, Any]) -> str:
    """What Accept asks for where there is a template of it, else the first template's type."""
    kinds = list(response.get("responseTemplates") or {})
    accepted = [part.partition(";")[0].strip() for part in (call.header("Accept") or "").split(",")]
    return next((kind for kind in accepted if kind in kinds), kinds[0] if kinds else "application/json")


def _request_body(call: Call, integration: dict[str, Any], *, mock: bool = False) -> str | None:
    """The body by the template of the request's content type, or as it came.

    Raises:
        Refused: 415: there is no template, and the body must not pass without.
    """
    found: dict[str, str] = integration.get("requestTemplates") or {}
    kind = (call.header("Content-Type") or "application/json").partition(";")[0].strip()
    text = call.body.decode("utf-8", "replace")
    if kind in found:
        return templates.render(found[kind] or "", mapping.values(call, text))
    behaviour = integration.get("passthroughBehavior", "WHEN_NO_MATCH").upper()
    if behaviour == "NEVER" or (behaviour == "WHEN_NO_TEMPLATES" and found):
        raise Refused(MEDIA_TYPE)
    if mock and not text and "application/json" in found:
        return templates.render(found["application/json"] or "", mapping.values(call, text))
    return text


def _seconds(integration: dict[str, Any]) -> float:
    return int(integration.get("timeoutInMillis") or DEFAULT_MS) / 1000
