"""Output members to responses: writers compiled once per shape of the service model."""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from engine.http import Response
from engine.protocol import cbor, eventstream, models
from engine.protocol.routing import Route
from engine.protocol.scalars import write_timestamp

Writer = Callable[[Any], Any]
XmlWriter = Callable[[Any, str], str]
OperationWriter = Callable[[dict[str, Any], str], Response]
XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_S3_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_S3_ROOTS = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CopyObject": "CopyObjectResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketLocation": "LocationConstraint",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetObjectTagging": "Tagging",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
    "UploadPartCopy": "CopyPartResult",
}
_dumps = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def response(route: Route, output: dict[str, Any], request_id: str) -> Response:
    """The operation's answer. Members that are None or that the model does not know are not sent."""
    return _operation_writer(route.service.name, route.operation, route.wire)(output, request_id)


@functools.cache
def _operation_writer(service: str, name: str, wire: str) -> OperationWriter:
    model = models.operation(service, name)
    assert model is not None
    shape = model.output_shape
    if wire == "json":
        return _json_operation(service, shape)
    if wire == "cbor":
        return _cbor_operation(service, shape)
    if wire == "query":
        return _query_operation(service, name, shape)
    return _rest_operation(service, name, model, shape, wire)


# JSON


def _json_operation(service: str, shape: Any) -> OperationWriter:
    kind = f"application/x-amz-json-{models.SERVICES[service].json_version}"
    write = _json(service, shape) if shape is not None else None

    def operation(output: dict[str, Any], request_id: str) -> Response:
        document = write(output) if write is not None else {}
        headers = {"content-type": kind, "x-amzn-requestid": request_id}
        return Response(200, headers, _dumps(document or {}).encode())

    return operation


def _cbor_operation(service: str, shape: Any) -> OperationWriter:
    write = _json(service, shape, binary=True) if shape is not None else None

    def operation(output: dict[str, Any], request_id: str) -> Response:
        headers = {
            "content-type": "application/cbor",
            "smithy-protocol": "rpc-v2-cbor",
            "x-amzn-requestid": request_id,
        }
        return Response(200, headers, cbor.encode(write(output) if write is not None else {}))

    return operation


@functools.cache
def _json_structures(service: str, binary: bool) -> dict[str, Writer]:
    return {}


def _json(service: str, shape: Any, *, binary: bool = False) -> Writer | None:
    """The writer of a shape for JSON, or for CBOR when ``binary``; None when a value of it goes on the wire as it is."""
    kind = shape.type_name
    if kind == "structure":
        return _json_structure(service, shape, binary)
    if kind == "list":
        item = _json(service, shape.member, binary=binary)
        return list if item is None else lambda value: [item(one) for one in value]
    if kind == "map":
        entry = _json(service, shape.value, binary=binary)
        return dict if entry is None else lambda value: {key: entry(one) for key, one in value.items()}
    if binary:
        return _moment if kind == "timestamp" else float if kind in ("float", "double") else None
    if kind == "timestamp":
        form = shape.serialization.get("timestampFormat", "unixTimestamp")
        return _epoch if form == "unixTimestamp" else lambda value: write_timestamp(value, form)
    if kind == "blob":
        return _base64
    if kind in ("float", "double"):
        return _number
    return None


def _never_empty(shape: Any) -> bool:
    """Whether a client would choke on ``{}`` for the shape: it has required members, or is a union of which one must be set."""
    return shape.type_name == "structure" and bool(shape.required_members or shape.is_tagged_union)


def _epoch(value: Any) -> Any:
    return round(value, 3) if type(value) is float else write_timestamp(value, "unixTimestamp")


def _json_structure(service: str, shape: Any, binary: bool) -> Writer:
    known = _json_structures(service, binary)
    if shape.name in known:
        return known[shape.name]
    if getattr(shape, "is_document_type", False):
        return lambda value: value
    members: dict[str, tuple[str, Writer | None, bool]] = {}
    find = members.get

    def write_structure(value: dict[str, Any]) -> dict[str, Any]:
        out = {}
        for name, item in value.items():
            member = find(name)
            if member is None or item is None:
                continue
            key, write, required = member
            if write is not None:
                item = write(item)
                # A structure without its required members would break strict clients: it is left out instead.
                if required and not item:
                    continue
            out[key] = item
        return out

    known[shape.name] = write_structure
    for name, member in shape.members.items():
        if "location" in member.serialization:
            continue
        hollow = _never_empty(member)
        members[name] = (
            member.serialization.get("name", name),
            _json(service, member, binary=binary),
            hollow,
        )
    return write_structure


def _moment(value: Any) -> datetime:
    return (
        value
        if isinstance(value, datetime)
        else datetime.fromtimestamp(write_timestamp(value, "unixTimestamp"), UTC)
    )


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _number(value: float) -> float | str:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return value


# XML


def _query_operation(service: str, name: str, shape: Any) -> OperationWriter:
    namespace = models.description(service)["metadata"].get("xmlNamespace", "")
    wrapper = shape.serialization.get("resultWrapper", f"{name}Result") if shape is not None else ""
    write = _xml(service, shape) if shape is not None else None
    head = f"<{name}Response xmlns={quoteattr(namespace)}>"

    def operation(output: dict[str, Any], request_id: str) -> Response:
        result = write(output, wrapper) if write is not None else ""
        tail = f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{name}Response>"
        headers = {"content-type": "text/xml", "x-amzn-requestid": request_id}
        return Response(200, headers, f"{head}{result}{tail}".encode())

    return operation


@functools.cache
def _xml_structures(service: str) -> dict[str, XmlWriter]:
    return {}


def _xml(service: str, shape: Any) -> XmlWriter:
    kind = shape.type_name
    if kind == "structure":
        return _xml_structure(service, shape)
    if kind == "list":
        item = _xml(service, shape.member)
        own = shape.member.serialization.get("name")
        if shape.serialization.get("flattened"):
            return lambda value, tag: "".join([item(one, own or tag) for one in value])
        inner = own or "member"
        return lambda value, tag: f"<{tag}>{''.join([item(one, inner) for one in value])}</{tag}>"
    if kind == "map":
        return _xml_map(service, shape)
    if kind == "timestamp":
        form = shape.serialization.get("timestampFormat", "iso8601")
        return lambda value, tag: f"<{tag}>{write_timestamp(value, form)}</{tag}>"
    if kind == "boolean":
        return lambda value, tag: f"<{tag}>{'true' if value else 'false'}</{tag}>"
    if kind == "blob":
        return lambda value, tag: f"<{tag}>{_base64(value)}</{tag}>"
    if kind in ("string", "character"):
        return lambda value, tag: f"<{tag}>{xml_text(value)}</{tag}>"
    if kind in ("float", "double"):
        return lambda value, tag: f"<{tag}>{_number(value)}</{tag}>"
    return lambda value, tag: f"<{tag}>{value}</{tag}>"


def xml_text(value: Any) -> str:
    """Text for XML 1.0: escaped, carriage returns kept, characters that XML cannot carry replaced by U+FFFD."""
    text = escape(str(value), {"\r": "&#13;"})
    if text.isprintable():
        return text
    return "".join(
        char
        if char in "\t\n" or (char >= " " and not "\ud800" <= char <= "\udfff" and char not in "\ufffe\uffff")
        else "\ufffd"
        for char in text
    )


def _xml_map(service: str, shape: Any) -> XmlWriter:
    entry = _xml(service, shape.value)
    key_name = shape.key.serialization.get("name", "key")
    value_name = shape.value.serialization.get("name", "value")
    flat = bool(shape.serialization.get("flattened"))

    def write_map(value: dict[str, Any], tag: str) -> str:
        inner = tag if flat else "entry"
        entries = "".join(
            f"<{inner}><{key_name}>{xml_text(key)}</{key_name}>{entry(one, value_name)}</{inner}>"
            for key, one in value.items()
        )
        return entries if flat else f"<{tag}>{entries}</{tag}>"

    return write_map


def _xml_structure(service: str, shape: Any) -> XmlWriter:
    known = _xml_structures(service)
    if shape.name in known:
        return known[shape.name]
    members: list[tuple[str, str, XmlWriter, bool]] = []
    attributes: list[tuple[str, str]] = []

    def write_structure(value: dict[str, Any], tag: str) -> str:
        out = []
        for name, key, write, required in members:
            item = value.get(name)
            if item is None or (required and not item):
                continue
            out.append(write(item, key))
        head = tag
        for name, key in attributes:
            if value.get(name) is not None:
                head += f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" {key}={quoteattr(str(value[name]))}'
        return f"<{head}>{''.join(out)}</{tag}>"

    known[shape.name] = write_structure
    for name, member in shape.members.items():
        if "location" in member.serialization:
            continue
        key = member.serialization.get("name", name)
        if member.serialization.get("xmlAttribute"):
            attributes.append((name, key))
            continue
        hollow = _never_empty(member)
        members.append((name, key, _xml(service, member), hollow))
    return write_structure


# REST


def _rest_operation(service: str, name: str, model: Any, shape: Any, wire: str) -> OperationWriter:
    status = model.http.get("responseCode", 200)
    members = shape.members.items() if shape is not None else ()
    header = [
        (k, m.serialization.get("name", k), _header(m))
        for k, m in members
        if m.serialization.get("location") == "header"
    ]
    prefixed = [
        (k, m.serialization.get("name", ""))
        for k, m in members
        if m.serialization.get("location") == "headers"
    ]
    code = next((k for k, m in members if m.serialization.get("location") == "statusCode"), "")
    write_body = _rest_body(service, name, shape, wire)

    def operation(output: dict[str, Any], request_id: str) -> Response:
        headers = _request_id_headers(service, request_id)
        for member, key, write in header:
            value = output.get(member)
            if value is not None:
                headers[key.lower()] = write(value)
        for member, prefix in prefixed:
            for key, value in (output.get(member) or {}).items():
                headers[f"{prefix}{key}".lower()] = str(value)
        answer = Response(output.get(code) or status, headers)
        write_body(answer, output)
        return answer

    return operation


def _request_id_headers(service: str, request_id: str) -> dict[str, str]:
    return {"x-amz-request-id" if service == "s3" else "x-amzn-requestid": request_id}


def _header(shape: Any) -> Callable[[Any], str]:
    kind = shape.type_name
    if kind == "timestamp":
        form = shape.serialization.get("timestampFormat", "rfc822")
        return lambda value: str(write_timestamp(value, form))
    if kind == "boolean":
        return lambda value: "true" if value else "false"
    if kind == "list":
        return lambda value: ",".join(str(one) for one in value)
    if shape.serialization.get("jsonvalue"):
        return lambda value: _base64(_dumps(value).encode())
    return str


def _rest_body(service: str, name: str, shape: Any, wire: str) -> Callable[[Response, dict[str, Any]], None]:
    payload = shape.serialization.get("payload") if shape is not None else None
    if payload:
        member = shape.members[payload]
        if member.serialization.get("eventstream"):

            def events(answer: Response, output: dict[str, Any]) -> None:
                answer.headers["content-type"] = "application/vnd.amazon.eventstream"
                answer.body = eventstream.frames(member, output[payload])

            return events
        if member.type_name in ("blob", "string"):

            def raw(answer: Response, output: dict[str, Any]) -> None:
                value: bytes | str | AsyncIterator[bytes] = output.get(payload) or b""
                answer.body = value.encode() if isinstance(value, str) else value

            return raw
        return _document(service, name, member, wire, lambda output: output.get(payload))
    in_body = shape is not None and any(
        "location" not in member.serialization for member in shape.members.values()
    )
    if not in_body:

        def nothing(answer: Response, output: dict[str, Any]) -> None:
            if wire == "rest-json" and answer.status != 204:
                answer.headers["content-type"] = "application/json"
                answer.body = b"{}"

        return nothing
    return _document(service, name, shape, wire, lambda output: output)


def _document(
    service: str, name: str, shape: Any, wire: str, pick: Callable[[dict[str, Any]], Any]
) -> Callable[[Response, dict[str, Any]], None]:
    if wire == "rest-json":
        write = _json(service, shape)

        def as_json(answer: Response, output: dict[str, Any]) -> None:
            value = pick(output)
            document = {} if value is None else value if write is None else write(value)
            answer.headers["content-type"] = "application/json"
            answer.body = _dumps(document).encode()

        return as_json
    write_xml = _xml(service, shape)
    root = _S3_ROOTS.get(name) or shape.serialization.get("name", shape.name)
    opening = f"<{root}"

    def as_xml(answer: Response, output: dict[str, Any]) -> None:
        value = pick(output)
        if value is None:
            return
        text = write_xml(value, root).replace(opening, f'{opening} xmlns="{_S3_NAMESPACE}"', 1)
        answer.headers["content-type"] = "application/xml"
        answer.body = (XML_HEAD + text).encode()

    return as_xml
