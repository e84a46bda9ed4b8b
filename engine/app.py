"""The ASGI application: read, route, verify, parse, validate, hand to the operation, render."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import logging
import os
import re
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from engine import registry
from engine.context import Engine
from engine.control import Control
from engine.errors import ServiceError
from engine.functions.outcome import PAYLOAD_LIMIT
from engine.gateways import surface
from engine.http import Receive, Request, Response
from engine.protocol import faults, models, parse, render, routing, scalars, signature
from engine.protocol.routing import FORM, MULTIPART, Route
from engine.protocol.signature import Claim, Refusal
from engine.protocol.validate import validate

Scope = dict[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]
_log = logging.getLogger("engine")
_INVOCATION = re.compile(r"/endpoints/[^/]+/(async-)?invocations(-response-stream)?")
_FORM_LIMIT = 10 * 2**20
_UNPACKED_LIMIT = 64 * 2**20
_BODILESS = frozenset((204, 304))


class Application:
    """One engine's port."""

    def __init__(self, engine: Engine, control: Control) -> None:
        self.engine = engine
        self.control = control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"the engine speaks HTTP, not {scope['type']}")
        request = _request(scope, receive)
        if request.path.startswith("/_engine/"):
            response = await self._control(request)
        elif (where := surface.address(request)) is not None:
            response = await self._public(where, request, scope)
        else:
            response = await self._answer(request)
        await _send(response, request.method, receive, send)

    async def _control(self, request: Request) -> Response:
        try:
            return await self.control.answer(request)
        except Exception:
            _log.exception("%s %s failed", request.method, request.path)
            return faults.response(None, "rest-json", faults.internal(), request.request_id)

    async def _public(self, where: surface.Address, request: Request, scope: Scope) -> Response:
        """The response to a request to a REST API, which is not signed unless the API says so."""
        client = scope["client"][0] if scope.get("client") else "127.0.0.1"
        try:
            return await surface.answer(self.engine, where, request, scope["headers"], client)
        except Exception:
            _log.exception("%s %s failed (request %s)", request.method, request.path, request.request_id)
            body = b'{"message":"Internal server error"}'
            return Response(500, {"content-type": "application/json"}, body)

    async def _answer(self, request: Request) -> Response:
        """The response to an AWS request; every failure is an error in the form of the request's protocol."""
        exchange = _Exchange(request)
        try:
            return await self._serve(exchange)
        except ServiceError as error:
            return exchange.fault(error)
        except Exception:
            _log.exception(
                "%s %s failed (request %s)",
                request.operation or request.method,
                request.path,
                request.request_id,
            )
            return exchange.fault(faults.internal())

    async def _serve(self, exchange: _Exchange) -> Response:
        request = exchange.request
        try:
            claim = signature.claim(request.headers, request.query)
        except ValueError as error:
            raise signature.refuse(Refusal.MALFORMED, exchange.wire, str(error)) from error
        route = await exchange.find_route(claim)
        operation = registry.find(route.service.name, route.operation)
        if (
            route.operation != "PostObject"
        ):  # Its form's policy is signed instead, and its handler checks that.
            if claim is None:
                raise signature.refuse(Refusal.MISSING, exchange.wire)
            await self._verify(exchange, route, claim, streams=operation is not None and operation.streams)
        if operation is None:
            raise _not_offered(route)
        params: dict[str, Any]
        if operation.raw:
            params = dict(route.uri)
        else:
            body = unpacked(request, route.wire)
            params = parse.parameters(route, request.query, request.headers, body)
            validate(route.service, route.operation, params)
        result = await operation.handler(self.engine, request, params)
        if isinstance(result, Response):
            header = "x-amz-request-id" if route.service.name == "s3" else "x-amzn-requestid"
            result.headers.setdefault(header, request.request_id)
            return result
        return render.response(route, result, request.request_id)

    async def _verify(self, exchange: _Exchange, route: Route, claim: Claim, *, streams: bool) -> None:
        """Check the signature; the body is read first unless its hash is declared and the operation streams it."""
        request, service = exchange.request, route.service
        declared = request.headers.get("x-amz-content-sha256", "")
        if service.name == "s3":
            if claim.form == "header" and not declared:
                raise ServiceError(
                    "MissingSecurityHeader",
                    "Your request is missing a required header: x-amz-content-sha256.",
                )
            signed = claim.form == "header" or "x-amz-content-sha256" in claim.signed_headers.split(";")
            payload = declared if declared and signed else signature.UNSIGNED
            if not streams:
                await request.body(service.limit)
                if len(payload) == 64 and hashlib.sha256(request.read or b"").hexdigest() != payload:
                    raise ServiceError(
                        "XAmzContentSHA256Mismatch",
                        "The provided 'x-amz-content-sha256' header does not match what was computed.",
                    )
            request.extra["payload_sha256"] = payload if len(payload) == 64 else ""
        else:
            await request.body(service.limit, _too_large(route) if service.name == "lambda" else None)
            payload = hashlib.sha256(request.read or b"").hexdigest() if request.read else signature.EMPTY
            if declared and declared != payload:
                raise signature.refuse(Refusal.MISMATCH, exchange.wire)
        signature.check(
            claim,
            self.engine.keys.find(claim.access_key),
            service,
            exchange.wire,
            method=request.method,
            # Version 2 signs the resource, bucket included, wherever the request names it.
            path=exchange.path if claim.form == "v2" else request.path,
            query=request.query,
            headers=request.headers,
            payload=payload,
            now=self.engine.clock.time(),
        )
        request.access_key = claim.access_key
        request.region = claim.region or self.engine.settings.region


class _Exchange:
    """A request on its way: what is known so far of its service and protocol, so that every error has the right form."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.service: models.Service | None = None
        self.wire = _guess_wire(request)
        self.path = request.path
        """The path that is routed: path style, also where the host names an S3 bucket."""

    async def find_route(self, claim: Claim | None) -> Route:
        """The route, by the order that is unambiguous on one port: target, form, then scope and path."""
        request = self.request
        path = routing.checked_path(request.path)
        target = request.headers.get("x-amz-target")
        if target is not None:
            self.service = models.TARGETS.get(target.rpartition(".")[0])
            route = routing.by_target(target)
        elif (
            request.method == "POST"
            and request.headers.get("content-type", "").startswith(FORM)
            and self.wire == "query"
        ):
            await request.body(_FORM_LIMIT)
            route = routing.by_form(unpacked(request, "query"))
        elif request.method == "GET" and self.wire == "query":
            route = routing.by_form(request.query.encode("latin-1"))
        elif self.wire == "cbor":
            self.service = models.TARGETS.get(path.split("/")[2])
            route = routing.by_rpc(path)
        elif claim is None and _is_upload_form(request):
            route = routing.by_upload_form(routing.bucket_path(request.headers.get("host", ""), path))
        elif claim is None:
            # Only a signature names a REST service; an unsigned request has nothing to hope for in any.
            raise signature.refuse(Refusal.MISSING, self.wire)
        else:
            scope = claim.scope
            if scope == "s3":
                path = self.path = routing.bucket_path(request.headers.get("host", ""), path)
            if not request.query and scope != "s3":
                route = routing.by_plain_path(scope, request.method, path)
            else:
                query = dict(parse_qsl(request.query, keep_blank_values=True)) if request.query else {}
                route = routing.by_path(scope, request.method, path, query, request.headers)
        self.service, self.wire = route.service, route.wire
        request.service, request.operation = route.service.name, route.operation
        return route

    def fault(self, error: ServiceError) -> Response:
        """The error in the form of this request's protocol."""
        request = self.request
        answer = faults.response(
            self.service,
            self.wire,
            error,
            request.request_id,
            query_mode="x-amzn-query-mode" in request.headers,
        )
        if request.method == "HEAD":
            answer.body = b""
        if "expect" in request.headers and not request.began and request.read is None:
            # The client was not told to go on and will not send the body: nothing else may follow on this connection.
            answer.headers["connection"] = "close"
        return answer


def unpacked(request: Request, wire: str) -> bytes:
    """The body that was read, without the gzip that clients put around large documents (PutMetricData over 10 KB).

    The signature covers the packed bytes. In REST protocols Content-Encoding belongs to the payload and is left alone.

    Raises:
        ServiceError: It is not gzip, or too large when unpacked.
    """
    body = request.read or b""
    if wire not in ("json", "cbor", "query") or request.headers.get("content-encoding", "") != "gzip":
        return body
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        plain = unpacker.decompress(body, _UNPACKED_LIMIT)
    except zlib.error as error:
        raise scalars.malformed("The request body is not valid gzip") from error
    if unpacker.unconsumed_tail:
        raise ServiceError(
            "RequestEntityTooLarge", f"Request size exceeds the limit of {_UNPACKED_LIMIT} bytes.", 413
        )
    if not unpacker.eof:
        raise scalars.malformed("The request body is not valid gzip: it ends too early")
    return plain


def _is_upload_form(request: Request) -> bool:
    """Whether an unsigned request is an upload by a form."""
    return request.method == "POST" and request.headers.get("content-type", "").lower().startswith(MULTIPART)


def _guess_wire(request: Request) -> str:
    """The protocol whose error form an unroutable request's sender most likely reads."""
    headers = request.headers
    if "x-amz-target" in headers:
        return "json"
    if request.method == "POST" and _INVOCATION.fullmatch(request.path):
        return "rest-json"
    if headers.get("smithy-protocol") == "rpc-v2-cbor" and request.path.startswith("/service/"):
        return "cbor"
    if (
        request.method == "GET"
        and request.path == "/"
        and "Action=" in request.query
        and "Version=" in request.query
    ):
        return "query"
    authorization = headers.get("authorization", "")
    scope = authorization.partition("Credential=")[2].partition(",")[0].split("/")
    services = models.SCOPES.get(scope[3], ()) if len(scope) == 5 else ()
    if services and services[0].wire != "json":
        return services[0].wire
    if request.method == "POST" and request.path == "/" and headers.get("content-type", "").startswith(FORM):
        return "query"
    return "rest-json" if services else "rest-xml"


def _too_large(route: Route) -> ServiceError:
    """A request beyond its limit, in Lambda's own words."""
    name = "InvokeFunction" if route.operation == "Invoke" else route.operation
    limit = PAYLOAD_LIMIT if route.operation == "Invoke" else route.service.limit
    return ServiceError(
        "RequestEntityTooLargeException",
        f"Request must be smaller than {limit} bytes for the {name} operation",
        413,
    )


def _not_offered(route: Route) -> ServiceError:
    name = f"{route.service.name}:{route.operation}"
    text = f"The operation {name} is known, but this engine does not offer it."
    if route.wire == "rest-xml":
        return ServiceError("NotImplemented", text, 501)
    return ServiceError("InvalidAction" if route.wire == "query" else "UnknownOperationException", text)


@functools.lru_cache(1024)
def _header_name(raw: bytes) -> str:
    return raw.decode("latin-1").lower()


def _request_id() -> str:
    """A random id in the form of a UUID, as AWS's are."""
    text = os.urandom(16).hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _request(scope: Scope, receive: Receive) -> Request:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = _header_name(raw_name), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    path = scope["raw_path"].decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    return Request(scope["method"], path, query, headers, _request_id(), receive)


async def _send(response: Response, method: str, receive: Receive, send: Send) -> None:
    pairs = [*response.headers.items(), *response.repeated]
    headers = [(name.encode("latin-1"), _header_bytes(value)) for name, value in pairs]
    body = response.body
    if isinstance(body, bytes):
        if response.status not in _BODILESS and "content-length" not in response.headers:
            headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        hidden = method == "HEAD" or response.status in _BODILESS
        await send({"type": "http.response.body", "body": b"" if hidden else body})
        return
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if method != "HEAD":
        await _send_chunks(body, receive, send)
    await send({"type": "http.response.body", "body": b""})


async def _send_chunks(body: AsyncIterator[bytes], receive: Receive, send: Send) -> None:
    """Send chunks as they come, and stop reading them when the client has gone: sending to nobody waits for nothing."""
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        async for chunk in body:
            if gone.done():
                return
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    finally:
        gone.cancel()
        if isinstance(body, AsyncGenerator):
            await body.aclose()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _header_bytes(value: str) -> bytes:
    """A header's value: CR and LF would end it and begin another, so they become spaces; UTF-8 beyond Latin-1."""
    text = value.replace("\r", " ").replace("\n", " ")
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")
