"""From an HTTP request to the service and operation that it means: every AWS service shares the engine's one port."""

from __future__ import annotations

import functools
import re
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from engine.errors import ServiceError
from engine.protocol.models import SCOPES, SERVICES, TARGETS, VERSIONS, Service, description

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
_CONDITIONAL_HEADERS = {"x-amz-copy-source", "x-amz-rename-source"}
# bucket.localhost, bucket.s3.localhost, bucket.s3.us-east-1.amazonaws.com; a bucket's name has at least three characters.
_BUCKET_HOST = re.compile(
    r"(?!s3[.-])(?P<bucket>[a-z0-9][a-z0-9.-]+?[a-z0-9])\."
    r"(?:(?:s3(?:[.-][a-z0-9-]+)*\.)?localhost|s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com)\.?(?::\d+)?"
)


class Route(NamedTuple):
    """Service, operation and wire protocol of a request; ``uri`` holds the labels of a REST path, ``form`` a query request's fields."""

    service: Service
    operation: str
    wire: str
    uri: dict[str, str]
    form: dict[str, str] | None = None


class _Template(NamedTuple):
    rank: tuple[int, int]
    path: re.Pattern[str]
    query: tuple[tuple[str, str], ...]
    headers: tuple[str, ...]
    operation: str


def by_target(target: str) -> Route:
    """The route of a JSON request by its X-Amz-Target.

    Raises:
        ServiceError: No service here has that prefix, or it has no such operation.
    """
    prefix, _, operation = target.rpartition(".")
    service = TARGETS.get(prefix)
    if service is None:
        raise ServiceError(
            "UnknownOperationException", f"No service on this endpoint answers the target {target!r}.", 404
        )
    if operation not in description(service.name)["operations"]:
        raise ServiceError(
            "UnknownOperationException", f"The operation {operation!r} does not exist in {service.name}."
        )
    return Route(service, operation, "json", {})


def by_rpc(path: str) -> Route:
    """The route of an rpc-v2-cbor request by its path ``/service/TARGET/operation/NAME``.

    Raises:
        ServiceError: No service here has that target, or it has no such operation.
    """
    parts = path.split("/")
    if len(parts) != 5 or parts[1] != "service" or parts[3] != "operation":
        raise ServiceError(
            "UnknownOperationException", f"{path} is no operation of a service on this endpoint.", 404
        )
    return by_target(f"{parts[2]}.{parts[4]}")._replace(wire="cbor")


def by_form(body: bytes) -> Route:
    """The route of a query-protocol request by Action and Version of its form.

    Raises:
        ServiceError: ``MalformedQueryString``, ``MissingAction``, ``InvalidAction`` or ``NoSuchVersion``.
    """
    try:
        form = dict(
            parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=10_000)
        )
    except ValueError as error:
        raise ServiceError(
            "MalformedQueryString", f"The form in the request's body cannot be read: {error}."
        ) from error
    action, version = form.get("Action"), form.get("Version", "")
    if not action:
        raise ServiceError("MissingAction", "The request is missing an Action or a required parameter.")
    service = VERSIONS.get(version)
    if service is None:
        raise ServiceError("NoSuchVersion", f"No service on this endpoint answers the version {version!r}.")
    if action not in description(service.name)["operations"]:
        raise ServiceError("InvalidAction", f"Could not find operation {action} for version {version}")
    return Route(service, action, "query", {}, form)


def by_path(scope: str, method: str, path: str, query: dict[str, str], headers: Any) -> Route:
    """The route of a REST request by its credential scope, method, path template and query.

    Raises:
        ServiceError: Nothing matches.
    """
    services = SCOPES.get(scope, ())
    for service in services:
        if not service.wire.startswith("rest"):
            continue
        table = _table(service.name)
        for template in table.get(method, ()):
            if any(name not in query or (value and query[name] != value) for name, value in template.query):
                continue
            if any(name not in headers for name in template.headers):
                continue
            match = template.path.fullmatch(path)
            if match:
                uri = {name: _unquote(value) for name, value in match.groupdict().items()}
                return Route(service, template.operation, service.wire, uri)
    if scope == "s3":
        raise ServiceError(
            "MethodNotAllowed", "The specified method is not allowed against this resource.", 405
        )
    if services:
        raise ServiceError(
            "UnknownOperationException", f"{method} {path} is no operation of {services[0].name}.", 404
        )
    raise ServiceError("UnknownOperationException", f"The service {scope!r} is not on this endpoint.", 404)


@functools.lru_cache(1024)
def by_plain_path(scope: str, method: str, path: str) -> Route:
    """`by_path` for services other than S3 and requests without a query, where nothing else decides.

    Raises:
        ServiceError: Nothing matches.
    """
    return by_path(scope, method, path, {}, {})


@functools.lru_cache(1024)
def bucket_path(host: str, path: str) -> str:
    """The path-style form of an S3 request's path: virtual-hosted requests name the bucket in ``Host``."""
    found = _BUCKET_HOST.fullmatch(host.lower())
    return f"/{found['bucket']}{path}" if found else path


def by_upload_form(path: str) -> Route:
    """The route of an unsigned multipart form sent to a bucket: PostObject, which botocore does not model.

    Raises:
        ServiceError: The path is no bucket's.
    """
    bucket = path.strip("/")
    if not bucket or "/" in bucket:
        raise ServiceError(
            "MethodNotAllowed", "The specified method is not allowed against this resource.", 405
        )
    return Route(SERVICES["s3"], "PostObject", "rest-xml", {"Bucket": _unquote(bucket)})


def checked_path(path: str) -> str:
    """The path as received, when it is well-formed and stays below the root.

    Dot segments count in every encoding, with backslashes read as slashes; one that climbs above the first segment (a bucket, a
    resource collection) is refused before any service sees it.

    Raises:
        ServiceError: ``InvalidURI``.
    """
    text = path
    if "%" in path:
        try:
            text = unquote(path, errors="strict")
        except UnicodeDecodeError as error:
            raise ServiceError("InvalidURI", "Couldn't parse the specified URI: it is not UTF-8.") from error
    if "\0" in text:
        raise ServiceError("InvalidURI", "Couldn't parse the specified URI: it holds a NUL.")
    if ".." in text:
        depth = -1
        for segment in text.replace("\\", "/").lstrip("/").split("/"):
            depth += -1 if segment == ".." else 0 if segment in ("", ".") else 1
            if depth < 0:
                raise ServiceError(
                    "InvalidURI", "Couldn't parse the specified URI: it climbs above its root."
                )
    return path


def _unquote(value: str) -> str:
    return unquote(value) if "%" in value else value


@functools.cache
def _table(service: str) -> dict[str, tuple[_Template, ...]]:
    """REST operations by method, the most specific first."""
    found: dict[str, list[_Template]] = {}
    shapes = description(service)["shapes"]
    for name, operation in description(service)["operations"].items():
        if operation.get("deprecated") and service == "s3":
            continue
        http = operation["http"]
        path, _, query_text = http["requestUri"].partition("?")
        query = [
            (key, value) for key, _, value in (part.partition("=") for part in query_text.split("&") if part)
        ]
        headers: list[str] = []
        if service == "s3" and "input" in operation:
            shape = shapes[operation["input"]["shape"]]
            for member in shape.get("required", ()):
                trait = shape["members"][member]
                if trait.get("location") == "querystring":
                    query.append((trait["locationName"], ""))
                elif (
                    trait.get("location") == "header"
                    and trait["locationName"].lower() in _CONDITIONAL_HEADERS
                ):
                    headers.append(trait["locationName"].lower())
        pattern, literal = "", 0
        for part in re.split(r"(\{[^}]+\})", path.rstrip("/") or "/"):
            if part.startswith("{"):
                label = part[1:-1]
                pattern += f"(?P<{label[:-1]}>.+)" if label.endswith("+") else f"(?P<{label}>[^/]+)"
            else:
                pattern += re.escape(part)
                literal += len(part)
        rank = (-len(set(query)) - len(headers), -literal)
        template = _Template(rank, re.compile(pattern + "/?", re.DOTALL), tuple(query), tuple(headers), name)
        found.setdefault(http["method"], []).append(template)
    return {
        method: tuple(sorted(templates, key=lambda item: item.rank)) for method, templates in found.items()
    }
