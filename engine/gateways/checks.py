"""What API Gateway refuses in resources, integrations and responses, and what this engine does not offer of them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from engine.gateways import mapping, templates
from engine.gateways.integrations import DEFAULT_MS, LAMBDA_URI
from engine.gateways.record import Document, conflict, missing, refused

_PART = re.compile(r"[a-zA-Z0-9._\-:$]+|\{[a-zA-Z0-9._\-:]+\+?\}")
_PLACES = ("'", "context.", "method.request.")
_BEHAVIOURS = ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER")
_TARGET = re.compile(
    r"integration\.request\.(path|querystring|header|multivaluequerystring|multivalueheader)\..+"
)
_SHORTEST_MS = 50


def integration(told: Document) -> None:
    """Refuse an integration that cannot work.

    Raises:
        ServiceError: ``BadRequestException``.
    """
    kind, uri = told["type"], told.get("uri", "")
    if kind != "MOCK" and not told.get("httpMethod"):
        raise refused("Enumeration value for HttpMethod must be non-empty")
    if kind in ("AWS", "AWS_PROXY"):
        _check_lambda(told, uri)
    elif kind in ("HTTP", "HTTP_PROXY"):
        filled = re.sub(r"\$\{stageVariables\.[^}]+\}|\{[^}]+\}", "x", uri)
        parts = urlsplit(filled)
        if (parts.scheme not in ("http", "https") and not uri.startswith("${")) or (
            not parts.netloc and not uri.startswith("${")
        ):
            raise refused("Invalid HTTP endpoint specified for URI")
    if told["passthroughBehavior"].upper() not in _BEHAVIOURS:
        raise refused(f"Invalid passthrough behavior specified. Must be one of: [{', '.join(_BEHAVIOURS)}]")
    if not _SHORTEST_MS <= told["timeoutInMillis"] <= DEFAULT_MS:
        raise refused(f"Timeout should be between {_SHORTEST_MS} ms and {DEFAULT_MS} ms")
    templates.check(told.get("requestTemplates"))
    for name, expression in (told.get("requestParameters") or {}).items():
        if _TARGET.fullmatch(name) is None or not mapping.known(expression, "method.request"):
            raise _bad_mapping(f"{name}: {expression}")


def _check_lambda(told: Document, uri: str) -> None:
    if not uri.startswith("arn:"):
        raise refused("Invalid ARN specified in the request")
    if LAMBDA_URI.fullmatch(uri) is None:
        service = uri.split(":")[4] if uri.count(":") > 4 else uri
        raise refused(
            f"Integrations of type {told['type']} invoke Lambda functions in this engine, not {service}. AWS ARN for "
            "integration must contain path: arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/FUNCTION_ARN/invocations"
        )


def response(method: Document, told: Document) -> None:
    """Refuse an integration response of a status or a header that the method does not declare.

    Raises:
        ServiceError: ``NotFoundException`` or ``BadRequestException``.
    """
    declared = method.get("methodResponses", {}).get(told["statusCode"])
    if declared is None:
        raise missing("Invalid Response status code specified")
    templates.check(told.get("responseTemplates"))
    for name, expression in (told.get("responseParameters") or {}).items():
        if name not in (declared.get("responseParameters") or {}):
            raise _bad_mapping(name)
        if not mapping.known(expression, "integration.response"):
            raise _bad_mapping(expression)
    pattern = told.get("selectionPattern")
    if pattern:
        try:
            re.compile(pattern)
        except re.error as error:
            raise refused(f"Invalid selection pattern specified: {pattern}") from error


def gateway_response(custom: Document) -> None:
    """Refuse a customised gateway response that cannot be made.

    Raises:
        ServiceError: ``BadRequestException``.
    """
    status = custom.get("statusCode")
    if status is not None and not (status.isdigit() and 100 <= int(status) <= 599):
        raise refused(f"Invalid response status code specified: {status}")
    templates.check(custom.get("responseTemplates"))
    for name, expression in (custom.get("responseParameters") or {}).items():
        if not name.startswith("gatewayresponse.header.") or not expression.startswith(_PLACES):
            raise refused(f"Invalid gateway response mapping specified: {name}: {expression}")


def path_part(document: Document, parent: Document, part: str) -> None:
    """Refuse a resource that API Gateway would not have below ``parent``.

    Raises:
        ServiceError: ``BadRequestException``, or ``ConflictException`` for a name that is taken.
    """
    if _PART.fullmatch(part) is None:
        raise refused(
            "Resource's path part only allow a-zA-Z0-9._-:$ or a valid greedy path variable and curly braces at the beginning "
            "and the end."
        )
    if parent["path"].endswith("+}"):
        raise refused(f"Cannot create a child of a resource with a greedy path variable: {parent['path']}")
    siblings = [one for one in document["Resources"].values() if one.get("parentId") == parent["id"]]
    if any(one["pathPart"] == part for one in siblings):
        raise conflict(f"Another resource with the same parent already has this name: {part}")
    if part.startswith("{"):
        for one in siblings:
            if one["pathPart"].startswith("{") and one["pathPart"].endswith("+}") == part.endswith("+}"):
                raise refused(
                    f"A sibling ({one['pathPart']}) of this resource already has a variable path part -- only one is allowed"
                )
        if part in parent["path"].split("/"):
            raise refused(f"The path variable {part} is already used by a parent of this resource")


def _bad_mapping(what: str) -> Exception:
    return refused(
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression parameter "
        f"specified: {what}]"
    )
