"""Errors in the form that each protocol's clients read."""

from __future__ import annotations

import json

from engine.errors import ServiceError
from engine.http import Response
from engine.protocol import cbor
from engine.protocol.models import Fault, Service, faults
from engine.protocol.render import XML_HEAD, xml_text

_INTERNAL = "We encountered an internal error. Please try again."


def internal() -> ServiceError:
    """``InternalFailure``: a handler failed in a way that it did not foresee; the traceback is in the engine's log."""
    return ServiceError("InternalFailure", f"{_INTERNAL} The traceback is in the engine's log.", 500)


def response(
    service: Service | None, wire: str, error: ServiceError, request_id: str, *, query_mode: bool = False
) -> Response:
    """The error as ``wire`` (json, cbor, query, rest-json or rest-xml) carries it."""
    known = faults(service.name).get(error.code) if service is not None else None
    status = known.status if known is not None and error.status == 400 else error.status
    if wire == "rest-xml":
        answer = _s3(error, status, request_id)
    elif wire == "query":
        answer = _query(known.code if known else error.code, error, status, request_id)
    else:
        answer = _json(service, known, wire, error, status, request_id, query_mode)
    answer.headers.update(error.headers)
    return answer


def _json(
    service: Service | None,
    known: Fault | None,
    wire: str,
    error: ServiceError,
    status: int,
    request_id: str,
    query_mode: bool,
) -> Response:
    name = known.shape if known else error.code
    body = {known.message if known else "message": error.message, **error.fields}
    headers = {"x-amzn-requestid": request_id, "x-amzn-errortype": name}
    if query_mode and service is not None and service.query_errors:
        headers["x-amzn-query-error"] = f"{known.code if known else error.code};{_blame(status)}"
    if wire == "json":
        body = {"__type": name, **body}
        headers["content-type"] = f"application/x-amz-json-{service.json_version if service else '1.1'}"
    elif wire == "cbor":
        headers |= {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return Response(status, headers, cbor.encode({"__type": name, **body}))
    else:
        headers["content-type"] = "application/json"
    return Response(status, headers, json.dumps(body, default=str).encode())


def _query(code: str, error: ServiceError, status: int, request_id: str) -> Response:
    text = (
        f"<ErrorResponse><Error><Type>{_blame(status)}</Type><Code>{xml_text(code)}</Code>"
        f"<Message>{xml_text(error.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return Response(status, {"content-type": "text/xml", "x-amzn-requestid": request_id}, text.encode())


def _s3(error: ServiceError, status: int, request_id: str) -> Response:
    fields = "".join(f"<{name}>{xml_text(value)}</{name}>" for name, value in error.fields.items())
    text = (
        f"{XML_HEAD}<Error><Code>{xml_text(error.code)}</Code><Message>{xml_text(error.message)}</Message>"
        f"{fields}<RequestId>{request_id}</RequestId></Error>"
    )
    return Response(
        status, {"content-type": "application/xml", "x-amz-request-id": request_id}, text.encode()
    )


def _blame(status: int) -> str:
    return "Sender" if status < 500 else "Receiver"
