"""REST APIs from OpenAPI documents (Swagger 2.0 and OpenAPI 3) with API Gateway's extensions, in JSON or YAML.

Source: "API Gateway extensions for OpenAPI" in the developer guide. What a document holds beside paths, integrations, security by
IAM and by API key, gateway responses and media types (models, validators, authorizers) is told in ``warnings`` or refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from engine.gateways import checks, record
from engine.gateways.answers import STATUSES
from engine.gateways.integrations import DEFAULT_MS
from engine.gateways.record import Document, refused

_VERBS = ("delete", "get", "head", "options", "patch", "post", "put", "x-amazon-apigateway-any-method")
_INTEGRATION = "x-amazon-apigateway-integration"
_BINARY = "x-amazon-apigateway-binary-media-types"
_RESPONSES = "x-amazon-apigateway-gateway-responses"
_KEPT = ("uri", "credentials", "requestParameters", "requestTemplates", "contentHandling", "tlsConfig")
_PLACES = {"path": "path", "query": "querystring", "header": "header"}


def read(body: bytes) -> Document:
    """The document.

    Raises:
        ServiceError: ``BadRequestException``: it is none, or of another version.
    """
    try:
        document = json.loads(body)
    except ValueError:
        document = _yaml(body)
    if not isinstance(document, dict):
        raise refused("Invalid OpenAPI input.")
    version = str(document.get("swagger") or document.get("openapi") or "")
    if version != "2.0" and not version.startswith("3."):
        raise refused('Invalid OpenAPI input: it must say swagger: "2.0" or openapi: "3.x"')
    if not isinstance(document.get("paths", {}), dict):
        raise refused("Invalid OpenAPI input: paths must be an object")
    return document


def title(document: Document) -> str:
    """The API's name.

    Raises:
        ServiceError: ``BadRequestException``: there is none.
    """
    name = (document.get("info") or {}).get("title")
    if not name:
        raise refused("Invalid OpenAPI input: info.title is required")
    return str(name)


def apply(api: Document, source: Document, *, overwrite: bool) -> list[str]:
    """Put what a document describes into an API; warnings about what it holds beyond that.

    Args:
        overwrite: Resources and gateway responses that the document does not have go away.

    Raises:
        ServiceError: ``BadRequestException``.
    """
    about = source.get("info") or {}
    told = api["Api"]
    told["name"] = title(source)
    for name in ("description", "version"):
        if about.get(name):
            told[name] = str(about[name])
    if source.get(_BINARY) is not None or overwrite:
        told["binaryMediaTypes"] = list(source.get(_BINARY) or [])
    if overwrite:
        root = told["rootResourceId"]
        api["Resources"] = {root: {"id": root, "path": "/"}}
        api["Responses"] = {}
    base = str(source.get("basePath") or "").rstrip("/")
    warnings = []
    schemes = _schemes(source)
    for path, item in source.get("paths", {}).items():
        # A base path is not part of the API's paths (basepath=ignore, the default).
        resource = _resource(api, path.removeprefix(base) if base and path.startswith(f"{base}/") else path)
        for verb, operation in _operations(item):
            method = _method(source, item, operation, verb, schemes)
            resource.setdefault("resourceMethods", {})[method["httpMethod"]] = method
            if operation.get("x-amazon-apigateway-request-validator"):
                warnings.append(f"{path} {verb}: request validators are not evaluated by this engine")
    for kind, response in (source.get(_RESPONSES) or {}).items():
        if kind not in STATUSES:
            raise refused(f"Invalid gateway response type specified: {kind}")
        api["Responses"][kind] = _gateway_response(response)
    return warnings


def _yaml(body: bytes) -> Any:
    try:
        import yaml  # comes with the sagemaker SDK

        return yaml.safe_load(body)
    except ImportError as error:
        raise refused("Invalid OpenAPI input: it is not JSON, and this engine cannot read YAML.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise refused("Invalid OpenAPI input: it is neither JSON nor YAML") from error


def _operations(item: Any) -> Iterator[tuple[str, Document]]:
    if not isinstance(item, dict):
        raise refused("Invalid OpenAPI input: a path item must be an object")
    for verb in _VERBS:
        operation = item.get(verb)
        if operation is not None:
            if not isinstance(operation, dict):
                raise refused(f"Invalid OpenAPI input: the operation {verb} must be an object")
            yield verb, operation


def _resource(api: Document, path: str) -> Document:
    """The resource of a path, made with its parents where they are not there."""
    at: Document = api["Resources"][api["Api"]["rootResourceId"]]
    for part in [part for part in path.split("/") if part]:
        children = [one for one in api["Resources"].values() if one.get("parentId") == at["id"]]
        found = next((one for one in children if one["pathPart"] == part), None)
        if found is None:
            checks.path_part(api, at, part)
            found = {
                "id": record.new_id(6),
                "parentId": at["id"],
                "pathPart": part,
                "path": f"{at['path'].rstrip('/')}/{part}",
            }
            api["Resources"][found["id"]] = found
        at = found
    return at


def _schemes(source: Document) -> Mapping[str, Any]:
    return source.get("securityDefinitions") or (source.get("components") or {}).get("securitySchemes") or {}


def _method(
    source: Document, item: Document, operation: Document, verb: str, schemes: Mapping[str, Any]
) -> Document:
    authorization, key = "NONE", False
    for wanted in operation.get("security", source.get("security")) or []:
        for name in wanted:
            scheme = schemes.get(name) or {}
            kind = scheme.get("x-amazon-apigateway-authtype")
            if kind == "awsSigv4":
                authorization = "AWS_IAM"
            elif kind:
                raise refused(
                    f"The security definition {name}: this engine has no authorizers; use awsSigv4 or none."
                )
            elif scheme.get("type") == "apiKey":
                key = True
    method: Document = {
        "httpMethod": "ANY" if verb.startswith("x-") else verb.upper(),
        "authorizationType": authorization,
        "apiKeyRequired": key,
    }
    if operation.get("operationId"):
        method["operationName"] = operation["operationId"]
    parameters = {}
    for one in [*(item.get("parameters") or []), *(operation.get("parameters") or [])]:
        if isinstance(one, dict) and one.get("in") in _PLACES:
            parameters[f"method.request.{_PLACES[one['in']]}.{one.get('name')}"] = bool(one.get("required"))
    if parameters:
        method["requestParameters"] = parameters
    responses = {
        str(status): _method_response(str(status), response)
        for status, response in (operation.get("responses") or {}).items()
        if str(status).isdigit()
    }
    if responses:
        method["methodResponses"] = responses
    if operation.get(_INTEGRATION):
        method["methodIntegration"] = _integration(method, operation[_INTEGRATION])
    return method


def _method_response(status: str, told: Any) -> Document:
    headers = (told or {}).get("headers") or {}
    found: Document = {"statusCode": status}
    if headers:
        found["responseParameters"] = {f"method.response.header.{name}": False for name in headers}
    return found


def _integration(method: Document, told: Any) -> Document:
    if not isinstance(told, dict) or not told.get("type"):
        raise refused("Invalid OpenAPI input: an x-amazon-apigateway-integration needs a type")
    found: Document = {
        "type": str(told["type"]).upper(),
        "passthroughBehavior": str(told.get("passthroughBehavior") or "WHEN_NO_MATCH").upper(),
        "timeoutInMillis": int(told.get("timeoutInMillis") or DEFAULT_MS),
        "cacheKeyParameters": [],
        **{name: told[name] for name in _KEPT if told.get(name)},
    }
    if found["type"] not in ("AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK"):
        raise refused(f"Invalid integration type specified: {told['type']}")
    if told.get("httpMethod"):
        found["httpMethod"] = str(told["httpMethod"]).upper()
    checks.integration(found)
    for pattern, response in (told.get("responses") or {}).items():
        status = str(response.get("statusCode") or "200")
        entry: Document = {
            "statusCode": status,
            **{
                name: response[name]
                for name in ("responseParameters", "responseTemplates")
                if response.get(name)
            },
        }
        if pattern != "default":
            entry["selectionPattern"] = str(pattern)
        checks.response(method, entry)
        found.setdefault("integrationResponses", {})[status] = entry
    return found


def _gateway_response(told: Any) -> Document:
    told = told or {}
    found = {name: told[name] for name in ("responseParameters", "responseTemplates") if told.get(name)}
    if told.get("statusCode"):
        found["statusCode"] = str(told["statusCode"])
    checks.gateway_response(found)
    return found
