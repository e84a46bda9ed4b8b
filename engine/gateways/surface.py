"""The public surface: requests to APIs, which anybody on this machine may send.

``/restapis/{api}/{stage}/_user_request_/{path}``, ``/_aws/execute-api/{api}/{stage}/{path}``, and ``/{stage}/{path}`` of the host
``{api}.execute-api.localhost``. Everything else on the port is signed.
"""

from __future__ import annotations

import base64
import os
import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl

from engine.errors import ServiceError
from engine.gateways import dispatch, meters
from engine.gateways.answers import FORBIDDEN, TOO_LONG, Refused
from engine.gateways.call import Answer, Call, Pairs, capitalised
from engine.gateways.record import STAGE
from engine.hosts import is_loopback
from engine.http import Request, Response

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.gateways.supervisor import Snapshot

BODY_LIMIT = 10 * 2**20
"""Bytes of a request's body (API Gateway's quota, 10 MB)."""
_PATHS = (
    re.compile(r"/restapis/(?P<api>[a-z0-9]+)/(?P<stage>[^/]+)/_user_request_(?P<path>/.*)?"),
    re.compile(r"/_aws/execute-api/(?P<api>[a-z0-9]+)/(?P<stage>[^/]+)(?P<path>/.*)?"),
)
_HOST = re.compile(
    r"(?P<api>[a-z0-9]+)\.execute-api\.(?:[a-z0-9-]+\.)?(?:localhost|localhost\.localstack\.cloud|amazonaws\.com)(?::\d+)?"
)
_HOST_PATH = re.compile(r"/(?P<stage>[^/]+)(?P<path>/.*)?")


class Address(NamedTuple):
    """Which API and stage a request is for, and the path below."""

    api_id: str
    stage: str
    path: str


def address(request: Request) -> Address | None:
    """Where a request to the public surface goes; None for any other request."""
    path = request.path
    if path.startswith(("/restapis/", "/_aws/execute-api/")):
        for pattern in _PATHS:
            found = pattern.fullmatch(path)
            if found:
                return Address(found["api"], found["stage"], found["path"] or "/")
    host = request.headers.get("host", "")
    if ".execute-api." in host and (named := _HOST.fullmatch(host.lower())):
        below = _HOST_PATH.fullmatch(path)
        return Address(
            named["api"], below["stage"] if below else "", (below["path"] or "/") if below else "/"
        )
    return None


async def answer(
    engine: Engine, where: Address, request: Request, raw: Sequence[tuple[bytes, bytes]], client: str
) -> Response:
    """Answer a request to an API.

    Args:
        raw: The headers as they came, each value by itself.
        client: The address that the request came from.
    """
    began = time.monotonic()
    call = _call(where, request, raw, client)
    snapshot: Snapshot | None = None
    try:
        if not is_local(request.headers.get("host", "")):
            # A page whose name was rebound to loopback sends its own name as host: it must not reach what is behind the API.
            raise Refused(FORBIDDEN)
        stage = engine.store.find(STAGE, f"{where.api_id}/{where.stage}")
        snapshot = engine.gateways.snapshot(where.api_id, stage.document["deploymentId"]) if stage else None
        if stage is None or snapshot is None or snapshot.disabled:
            raise Refused(FORBIDDEN)
        call.stage = stage.document
        try:
            call.body = await request.body(BODY_LIMIT)
        except ServiceError as error:
            raise Refused(TOO_LONG) from error
        given = await dispatch.serve(engine, snapshot, call, request)
    except Refused as refusal:
        given = dispatch.refused(engine, snapshot, call, refusal)
    if snapshot is not None:
        meters.count(engine, snapshot.name, call, given.status, (time.monotonic() - began) * 1000)
    return _response(given, call)


def is_local(host: str) -> bool:
    """Whether a Host header names this machine, or an API by its own name."""
    return is_loopback(host.lower()) or _HOST.fullmatch(host.lower()) is not None


def _call(where: Address, request: Request, raw: Sequence[tuple[bytes, bytes]], client: str) -> Call:
    headers: Pairs = [(capitalised(name.decode("latin-1")), value.decode("latin-1")) for name, value in raw]
    host = request.headers.get("host", "")
    trace = request.headers.get("x-amzn-trace-id") or f"Root=1-{int(time.time()):08x}-{os.urandom(12).hex()}"
    headers = [pair for pair in headers if pair[0] not in ("Connection", "Content-Length", "X-Amzn-Trace-Id")]
    forwarded = request.headers.get("x-forwarded-for")
    headers = [pair for pair in headers if not pair[0].startswith("X-Forwarded-")]
    port = host.rpartition(":")[2] if ":" in host else "80"
    headers += [
        ("X-Amzn-Trace-Id", trace),
        ("X-Forwarded-For", f"{forwarded}, {client}" if forwarded else client),
        ("X-Forwarded-Port", port),
        ("X-Forwarded-Proto", "http"),
    ]
    return Call(
        request_id=request.request_id,
        api_id=where.api_id,
        stage_name=where.stage,
        method=request.method,
        path=where.path,
        query=parse_qsl(request.query, keep_blank_values=True),
        headers=headers,
        body=b"",
        source_ip=client,
        domain=host.partition(":")[0] or "localhost",
        extended_id=base64.b64encode(os.urandom(11)).decode(),
    )


def _response(given: Answer, call: Call) -> Response:
    headers = {"x-amzn-RequestId": call.request_id, "x-amz-apigw-id": call.extended_id}
    trace = call.header("X-Amzn-Trace-Id")
    if trace and call.operation:
        headers["X-Amzn-Trace-Id"] = trace
    return Response(given.status, headers, given.body, given.headers)
