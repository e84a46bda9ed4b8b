"""Requests to parameters: readers compiled once per shape of the service model."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree

from engine.errors import ServiceError
from engine.protocol import cbor, models
from engine.protocol.routing import Route
from engine.protocol.scalars import json_kind, json_reader, malformed, read_blob, text_reader

Reader = Callable[[Any], Any]
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_DEPTH = 64


def parameters(route: Route, query: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """The operation's input as a dict with the model's member names.

    Raises:
        ServiceError: ``SerializationException``, or ``MalformedXML`` and ``InvalidArgument`` on S3, ``MalformedInput`` in a form.
    """
    reader = _operation_reader(route.service.name, route.operation, route.wire)
    try:
        return reader(route, query, headers, body)
    except RecursionError as error:
        raise malformed("The request is nested too deeply") from error


OperationReader = Callable[[Route, str, Mapping[str, str], bytes], dict[str, Any]]


@functools.cache
def _operation_reader(service: str, name: str, wire: str) -> OperationReader:
    model = models.operation(service, name)
    shape = model.input_shape if model is not None else None
    if shape is None:
        return lambda route, query, headers, body: {}
    if wire == "json":
        structure = _json(service, shape)
        return lambda route, query, headers, body: _json_document(structure, body)
    if wire == "cbor":
        structure = _json(service, shape)
        return lambda route, query, headers, body: _checked(structure, cbor.decode(body) if body else {})
    if wire == "query":
        structure = _form(shape)
        return lambda route, query, headers, body: _form_document(structure, route.form or {})
    return _rest_reader(service, shape, wire)


# JSON


def json_value(body: bytes) -> Any:
    """The JSON document of a body; an empty one is ``{}``.

    Raises:
        ServiceError: ``SerializationException`` when it is not strict JSON in UTF-8.
    """
    if not body:
        return {}
    try:
        text = body.decode("utf-8")
        value = _decode(text)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeError as error:
        raise malformed("The request body is not valid UTF-8") from error
    except RecursionError as error:
        raise malformed("The request body is nested too deeply") from error
    except ValueError as error:
        raise malformed(f"The request body is not valid JSON: {str(error)[:200]}") from error
    return value


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


_decode = json.JSONDecoder(parse_constant=_no_constant).decode


def _json_document(structure: Reader, body: bytes) -> dict[str, Any]:
    return _checked(structure, json_value(body))


def _checked(structure: Reader, value: Any) -> dict[str, Any]:
    if type(value) is not dict:
        raise malformed(f"{json_kind(value)} found where a structure was expected")
    result: dict[str, Any] = structure(value)
    return result


@functools.cache
def _json_structures(service: str) -> dict[str, Reader]:
    return {}


def _json(service: str, shape: Any) -> Reader:
    kind = shape.type_name
    if kind == "structure":
        return _json_structure(service, shape)
    if kind == "list":
        item = _json(service, shape.member)

        def read_list(value: Any) -> list[Any]:
            if type(value) is not list:
                raise malformed(f"{json_kind(value)} found where a list was expected")
            return [None if one is None else item(one) for one in value]

        return read_list
    if kind == "map":
        entry = _json(service, shape.value)

        def read_map(value: Any) -> dict[str, Any]:
            if type(value) is not dict:
                raise malformed(f"{json_kind(value)} found where a map was expected")
            return {key: None if one is None else entry(one) for key, one in value.items()}

        return read_map
    return json_reader(kind, shape.serialization.get("timestampFormat", "unixTimestamp"))


def _json_structure(service: str, shape: Any) -> Reader:
    known = _json_structures(service)
    if shape.name in known:
        return known[shape.name]
    if getattr(shape, "is_document_type", False):
        return lambda value: value
    members: dict[str, tuple[str, Reader]] = {}

    def read_structure(value: Any) -> dict[str, Any]:
        if type(value) is not dict:
            raise malformed(f"{json_kind(value)} found where a structure was expected")
        out = {}
        for key, item in value.items():
            member = members.get(key)
            if member is not None and item is not None:
                out[member[0]] = member[1](item)
        return out

    known[shape.name] = read_structure
    for name, member in shape.members.items():
        members[member.serialization.get("name", name)] = (name, _json(service, member))
    return read_structure


# Query forms

_Node = dict[str, Any]


def _form_document(structure: Reader, form: Mapping[str, str]) -> dict[str, Any]:
    root: _Node = {}
    for key, value in form.items():
        node = root
        parts = key.split(".")
        if len(parts) > _DEPTH:
            raise ServiceError("MalformedInput", f"The parameter {key[:100]!r} is nested too deeply.")
        for part in parts:
            node = node.setdefault(part, {})
        node[""] = value
    try:
        result: dict[str, Any] = structure(root)
    except ServiceError as error:
        if error.code == "SerializationException":
            raise ServiceError("MalformedInput", error.message) from error
        raise
    return result


def _form(shape: Any) -> Reader:
    kind = shape.type_name
    if kind == "structure":
        members: list[tuple[str, str, Reader]] = []
        compiled = False

        def read_structure(node: _Node) -> dict[str, Any]:
            nonlocal compiled
            if not compiled:
                members.extend(_form_members(shape))
                compiled = True
            return {name: read(node[key]) for name, key, read in members if key in node}

        return read_structure
    if kind == "list":
        item = _form(shape.member)
        label = (
            None if shape.serialization.get("flattened") else shape.member.serialization.get("name", "member")
        )

        def read_list(node: _Node) -> list[Any]:
            entries = node if label is None else node.get(label, {})
            return [item(entries[key]) for key in _numbers(entries)]

        return read_list
    if kind == "map":
        value = _form(shape.value)
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")
        flat = bool(shape.serialization.get("flattened"))

        def read_map(node: _Node) -> dict[str, Any]:
            entries = node if flat else node.get("entry", {})
            pairs = [entries[key] for key in _numbers(entries)]
            return {pair.get(key_name, {}).get("", ""): value(pair.get(value_name, {})) for pair in pairs}

        return read_map
    convert = text_reader(kind, shape.serialization.get("timestampFormat", "iso8601"))
    return lambda node: convert(node.get("", ""))


def _form_members(shape: Any) -> list[tuple[str, str, Reader]]:
    found = []
    for name, member in shape.members.items():
        key = member.serialization.get("name", name)
        if member.type_name == "list" and member.serialization.get("flattened"):
            key = member.member.serialization.get("name", key)
        found.append((name, key, _form(member)))
    return found


def _numbers(entries: _Node) -> list[str]:
    return sorted((key for key in entries if key.isascii() and key.isdigit()), key=int)


# XML


def _xml_root(body: bytes) -> ElementTree.Element:
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise _bad_xml()
    try:
        return ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise _bad_xml() from error


def _bad_xml() -> ServiceError:
    return ServiceError(
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


@functools.cache
def _xml_structures(service: str) -> dict[str, Reader]:
    return {}


def _xml(service: str, shape: Any) -> Reader:
    kind = shape.type_name
    if kind == "structure":
        return _xml_structure(service, shape)
    if kind == "list":
        item = _xml(service, shape.member)
        return lambda element: [item(child) for child in element]
    if kind == "map":
        raise NotImplementedError(f"no service here sends the XML map {shape.name}")
    convert = text_reader(kind, shape.serialization.get("timestampFormat", "iso8601"))
    return lambda element: convert(element.text or "")


def _xml_structure(service: str, shape: Any) -> Reader:
    known = _xml_structures(service)
    if shape.name in known:
        return known[shape.name]
    single: dict[str, tuple[str, Reader]] = {}
    repeated: dict[str, tuple[str, Reader]] = {}
    attributes: dict[str, str] = {}

    def read_structure(element: ElementTree.Element) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key, name in attributes.items():
            if key in element.attrib:
                out[name] = element.attrib[key]
        for child in element:
            tag = _tag(child)
            if tag in single:
                name, read = single[tag]
                out[name] = read(child)
            elif tag in repeated:
                name, read = repeated[tag]
                out.setdefault(name, []).append(read(child))
        return out

    known[shape.name] = read_structure
    for name, member in shape.members.items():
        key = member.serialization.get("name", name)
        if member.serialization.get("xmlAttribute"):
            attributes[_XSI + key.rpartition(":")[2]] = name
        elif member.type_name == "list" and member.serialization.get("flattened"):
            key = member.member.serialization.get("name", key)
            repeated[key] = (name, _xml(service, member.member))
        elif member.type_name != "map":
            single[key] = (name, _xml(service, member))
    return read_structure


# REST


def _rest_reader(service: str, shape: Any, wire: str) -> OperationReader:
    uri: list[tuple[str, str, Reader]] = []
    header: list[tuple[str, str, Reader]] = []
    prefixed: list[tuple[str, str]] = []
    single: list[tuple[str, str, Reader]] = []
    several: list[tuple[str, str, Reader]] = []
    query_map = ""
    in_body = False
    for name, member in shape.members.items():
        location = member.serialization.get("location")
        key = member.serialization.get("name", name)
        if location == "uri":
            uri.append((name, key, _text(member, "iso8601")))
        elif location == "header":
            header.append((name, key.lower(), _header(member)))
        elif location == "headers":
            prefixed.append((name, key.lower()))
        elif location == "querystring" and member.type_name == "list":
            several.append((name, key, _text(member.member, "iso8601")))
        elif location == "querystring" and member.type_name == "map":
            query_map = name
        elif location == "querystring":
            single.append((name, key, _text(member, "iso8601")))
        else:
            in_body = True
    read_body = _body_reader(service, shape, wire) if in_body else None
    needs_query = bool(single or several or query_map)

    def read(route: Route, query: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        out: dict[str, Any] = {}
        try:
            for name, key, convert in uri:
                if key in route.uri:
                    out[name] = convert(route.uri[key])
            for name, key, convert in header:
                if key in headers:
                    out[name] = convert(headers[key])
            for name, prefix in prefixed:
                found = {
                    key[len(prefix) :]: value for key, value in headers.items() if key.startswith(prefix)
                }
                if found:
                    out[name] = found
            if needs_query and query:
                values: dict[str, list[str]] = {}
                for key, value in parse_qsl(query, keep_blank_values=True):
                    values.setdefault(key, []).append(value)
                for name, key, convert in single:
                    if key in values:
                        out[name] = convert(values[key][0])
                for name, key, convert in several:
                    if key in values:
                        out[name] = [convert(value) for value in values[key]]
                if query_map:
                    out[query_map] = {key: found[0] for key, found in values.items()}
        except ServiceError as error:
            if service == "s3":
                raise ServiceError("InvalidArgument", error.message) from error
            raise
        if read_body is not None:
            read_body(out, body)
        return out

    return read


def _text(shape: Any, form: str) -> Reader:
    return text_reader(shape.type_name, shape.serialization.get("timestampFormat", form))


def _header(shape: Any) -> Reader:
    if shape.type_name == "list":
        item = _text(shape.member, "rfc822")
        return lambda value: [item(part.strip()) for part in value.split(",")]
    if shape.serialization.get("jsonvalue"):
        return lambda value: json_value(read_blob(value))
    return _text(shape, "rfc822")


def _body_reader(service: str, shape: Any, wire: str) -> Callable[[dict[str, Any], bytes], None]:
    payload = shape.serialization.get("payload")
    if payload:
        member = shape.members[payload]
        if member.type_name == "blob":

            def blob(out: dict[str, Any], body: bytes) -> None:
                out[payload] = body

            return blob
        if member.type_name == "string":

            def string(out: dict[str, Any], body: bytes) -> None:
                try:
                    out[payload] = body.decode("utf-8")
                except UnicodeDecodeError as error:
                    raise malformed("The request body is not valid UTF-8") from error

            return string
        document = _xml(service, member) if wire == "rest-xml" else _json(service, member)

        def structure(out: dict[str, Any], body: bytes) -> None:
            if body:
                out[payload] = _read_document(document, body, wire)

        return structure
    document = _xml(service, shape) if wire == "rest-xml" else _json(service, shape)
    elsewhere = {name for name, member in shape.members.items() if "location" in member.serialization}

    def merged(out: dict[str, Any], body: bytes) -> None:
        if body:
            found = _read_document(document, body, wire)
            out.update({name: value for name, value in found.items() if name not in elsewhere})

    return merged


def _read_document(document: Reader, body: bytes, wire: str) -> dict[str, Any]:
    if wire == "rest-json":
        return _json_document(document, body)
    try:
        result: dict[str, Any] = document(_xml_root(body))
    except ServiceError as error:
        if error.code == "SerializationException":
            raise _bad_xml() from error
        raise
    return result
