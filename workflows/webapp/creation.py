"""Makes a web app, part by part: each is noted before it is asked for, and one that is there is brought to what is wanted.

So an interrupted creation goes on where it was, and a web app whose model changed is deployed again under the same address.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from algorithms.reviews.bag import Vocabulary
from workflows.ledger import Ledger
from workflows.observe.gateway import Gateway, answered
from workflows.problem import Problem
from workflows.safety.changes import change
from workflows.webapp import package, parts, record, serving
from workflows.webapp.definition import (
    HANDLER,
    MEMORY,
    RESOURCE,
    RETENTION,
    RUNTIME,
    STAGE,
    TAG,
    TIMEOUT,
    WebApp,
    arn,
    log_group,
    partition,
)  # fmt: skip
from workflows.webapp.parts import API, FUNCTION, LOGS, PERMISSION, ROLE, STAGED, Parts

Told = Callable[[str], None]
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}  # fmt: skip
POLICY = "webapp"
ASSUMABLE = 60.0
"""Seconds until Lambda knows a new role, at most."""
UNANSWERED = frozenset({"timeout", "unreachable", "failed"})
"""What is told of a call that may have been done without an answer."""
LOOKS = (0.0, 2.0, 5.0)
"""Seconds before each look for what may have been made."""
ALLOWED = {
    "Access-Control-Allow-Origin": "'*'",
    "Access-Control-Allow-Methods": "'GET,POST,OPTIONS'",
    "Access-Control-Allow-Headers": "'Content-Type'",
    "Access-Control-Max-Age": "'600'",
}
ERRORS = {
    "DEFAULT_4XX": '{"error": $context.error.messageString, "code": "$context.error.responseType"}',
    "DEFAULT_5XX": '{"error": "The function behind this page failed or is not there. Try again; its log tells why.", "code": "$context.error.responseType"}',
    "REQUEST_TOO_LARGE": '{"error": "The review is too large: API Gateway takes 10 MB, and the function much less. Send a shorter one.", "code": "too-large"}',
    "THROTTLED": '{"error": "Too many visitors at once. Try again in a moment.", "code": "throttled"}',
}
"""What API Gateway answers itself, with CORS headers: without them a page sees a network error and not the reason."""


def plan(gateway: Gateway, app: WebApp, vocabulary: Vocabulary | None, *, adopt: bool = False) -> Parts:
    """Check everything that can be checked before a part is made; what is there of it already.

    Raises:
        Problem: The endpoint is not there, the vocabulary is not its models', or the names are somebody else's.
    """
    models = serving.served(gateway, app.endpoint)
    if app.content_type in serving.COUNTING:
        if vocabulary is None or vocabulary.version != app.vocabulary:
            raise Problem(
                f"The web app {app.name} is for vocabulary {app.vocabulary or '(none)'}, and "
                f"{vocabulary.version if vocabulary else 'none'} would be packed.",
                "Pack the vocabulary that the model was trained with.",
                "vocabulary-mismatch",
            )
        if any(not one.vocabulary for one in models) and not adopt:
            raise Problem(
                f"A model of endpoint {app.endpoint} does not say its vocabulary.",
                "Give --vocabulary FILE --adopt if you are sure.",
                "vocabulary-unknown",
            )
        serving.check(app.endpoint, models, app.vocabulary)
    found = parts.look(gateway, app.name)
    if found.foreign:
        raise Problem(
            f"There is a {found.foreign[0]} already, which no web app {app.name} made.",
            "Give another name with --name.",
            "exists",
        )
    return found


def create(
    gateway: Gateway,
    app: WebApp,
    vocabulary: Vocabulary | None,
    told: Told = lambda sentence: None,
    *,
    adopt: bool = False,
) -> Parts:
    """Make the web app, or bring it to what ``app`` says; returns what is there then.

    Args:
        adopt: Write the vocabulary's version into the tags of models that do not say one.

    Raises:
        Problem: As `plan`, or a part was refused. What was made stays noted: creating again goes on, deleting takes it away.
    """
    before = plan(gateway, app, vocabulary, adopt=adopt)
    detail = {"endpoint": app.endpoint, "vocabulary": app.vocabulary}
    with change("CreateWebApp", app.name, detail, target=gateway.target):
        if adopt and app.content_type in serving.COUNTING:
            serving.tag(gateway, serving.served(gateway, app.endpoint), app.vocabulary)
        ledger = record.begin(gateway, app)
        ledger.made(LOGS, log_group(app.name))
        _log_group(gateway, app)
        ledger.made(ROLE, app.title)
        role = _role(gateway, app, before)
        told(f"Role {app.title}: may call endpoint {app.endpoint} and write its log, nothing else.")
        ledger.made(FUNCTION, app.title)
        data = package.pack(vocabulary)
        function = _function(gateway, app, role, data, before)
        told(
            f"Function {app.title}: {len(data):,} bytes, vocabulary {app.vocabulary or 'of the model itself'}."
        )
        ledger.made(API, app.title)
        api = _api(gateway, app, function, before)
        told(f"REST API {api}: GET / is the page, POST /{RESOURCE} asks the model.")
        ledger.made(PERMISSION, f"{app.title}/{parts.STATEMENT}")
        _permission(gateway, app, api)
        ledger.made(STAGED, STAGE)
        _stage(gateway, app, api)
        found = parts.look(gateway, app.name)
        _page(gateway, app, found, ledger)
        told(f"Stage {STAGE}: {found.url}")
    return found


def _page(gateway: Gateway, app: WebApp, found: Parts, ledger: Ledger) -> None:
    ledger.made("page", str(record.page(gateway, app.name)))
    record.page(gateway, app.name).write_text(package.page(found.url), encoding="utf-8")


def _log_group(gateway: Gateway, app: WebApp) -> None:
    name = log_group(app.name)
    _unless(
        "ResourceAlreadyExistsException",
        gateway,
        "logs",
        "create_log_group",
        logGroupName=name,
        tags={TAG: app.name},
    )
    answered(gateway, "logs", "put_retention_policy", logGroupName=name, retentionInDays=RETENTION)


def _role(gateway: Gateway, app: WebApp, before: Parts) -> str:
    if not before.role:
        _unless(
            "EntityAlreadyExists", gateway, "iam", "create_role",
            RoleName=app.title, AssumeRolePolicyDocument=json.dumps(TRUST), Tags=[{"Key": TAG, "Value": app.name}],
            Description=f"The function of web app {app.name}",
        )  # fmt: skip
    answered(
        gateway, "iam", "put_role_policy",
        RoleName=app.title, PolicyName=POLICY, PolicyDocument=json.dumps(policy(gateway, app)),
    )  # fmt: skip
    found = answered(gateway, "iam", "get_role", RoleName=app.title)
    return str(found["Role"]["Arn"])


def policy(gateway: Gateway, app: WebApp) -> dict[str, Any]:
    """What the function may do: call the endpoint, see which models it serves, write its own log."""

    def allowed(resource: list[str], *actions: str) -> dict[str, Any]:
        return {"Effect": "Allow", "Action": list(actions), "Resource": resource}

    endpoint = arn(gateway, "sagemaker", f"endpoint/{app.endpoint.lower()}")
    models = arn(gateway, "sagemaker", "model/*")
    return {
        "Version": "2012-10-17",
        "Statement": [
            allowed([endpoint], "sagemaker:InvokeEndpoint", "sagemaker:DescribeEndpoint"),
            allowed([arn(gateway, "sagemaker", "endpoint-config/*")], "sagemaker:DescribeEndpointConfig"),
            allowed([models], "sagemaker:DescribeModel", "sagemaker:ListTags"),
            allowed(
                [arn(gateway, "logs", f"log-group:{log_group(app.name)}:*")],
                "logs:CreateLogStream",
                "logs:PutLogEvents",
            ),
        ],
    }


def _function(gateway: Gateway, app: WebApp, role: str, data: bytes, before: Parts) -> str:
    settings: dict[str, Any] = {
        "FunctionName": app.title,
        "Role": role,
        "Runtime": RUNTIME,
        "Handler": HANDLER,
        "Timeout": TIMEOUT,
        "MemorySize": MEMORY,
        "Environment": {"Variables": app.environment},
        "Description": f"Web app {app.name} of endpoint {app.endpoint}",
    }
    if before.function is None:
        _patiently(
            gateway, "lambda", "create_function", **settings, Code={"ZipFile": data}, Tags={TAG: app.name}
        )
        gateway.client("lambda").get_waiter("function_active_v2").wait(FunctionName=app.title)
    else:
        # The new package says 500 under the old variables, and the other way round: no answer of a wrong pair gets out.
        _patiently(gateway, "lambda", "update_function_configuration", **settings)
        gateway.client("lambda").get_waiter("function_updated_v2").wait(FunctionName=app.title)
        answered(gateway, "lambda", "update_function_code", FunctionName=app.title, ZipFile=data)
        gateway.client("lambda").get_waiter("function_updated_v2").wait(FunctionName=app.title)
    found = parts.function_of(gateway, app.name)
    if found is None:
        raise Problem(f"Function {app.title} was made and is gone.", "Create the web app again.", "gone")
    return str(found["FunctionArn"])


def _api(gateway: Gateway, app: WebApp, function: str, before: Parts) -> str:
    api = before.apis[0] if before.apis else _rest_api(gateway, app)
    found = _resources(gateway, api)
    if f"/{RESOURCE}" not in found:
        _unless(
            "ConflictException", gateway, "apigateway", "create_resource",
            restApiId=api, parentId=found["/"], pathPart=RESOURCE,
        )  # fmt: skip
        found = _resources(gateway, api)
    uri = f"arn:{partition(gateway.region)}:apigateway:{gateway.region}:lambda:path/2015-03-31/functions/{function}/invocations"
    for resource, method in ((found["/"], "GET"), (found[f"/{RESOURCE}"], "POST")):
        where = {"restApiId": api, "resourceId": resource, "httpMethod": method}
        _unless("ConflictException", gateway, "apigateway", "put_method", **where, authorizationType="NONE")
        answered(
            gateway,
            "apigateway",
            "put_integration",
            **where,
            type="AWS_PROXY",
            integrationHttpMethod="POST",
            uri=uri,
        )
    _preflight(gateway, {"restApiId": api, "resourceId": found[f"/{RESOURCE}"], "httpMethod": "OPTIONS"})
    for kind, template in ERRORS.items():
        answered(
            gateway, "apigateway", "put_gateway_response", restApiId=api, responseType=kind,
            responseParameters={"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
            responseTemplates={"application/json": template},
        )  # fmt: skip
    return api


def _rest_api(gateway: Gateway, app: WebApp) -> str:
    """Make the API. Names of APIs are not unique: when no answer came, the one that was made all the same is looked for."""
    try:
        made = answered(
            gateway, "apigateway", "create_rest_api",
            name=app.title, description=f"Web app {app.name} of endpoint {app.endpoint}", tags={TAG: app.name},
            endpointConfiguration={"types": ["REGIONAL"]},
        )  # fmt: skip
    except Problem as problem:
        if problem.code not in UNANSWERED:
            raise
        for pause in LOOKS:
            time.sleep(pause)
            if apis := parts.apis_of(gateway, app.name):
                return apis[0]
        raise
    return str(made["id"])


def _resources(gateway: Gateway, api: str) -> dict[str, str]:
    """The ids of an API's resources by path; a web app has two."""
    listed = answered(gateway, "apigateway", "get_resources", restApiId=api, limit=500)["items"]
    return {str(one["path"]): str(one["id"]) for one in listed}


def _preflight(gateway: Gateway, where: dict[str, str]) -> None:
    _unless("ConflictException", gateway, "apigateway", "put_method", **where, authorizationType="NONE")
    answered(
        gateway, "apigateway", "put_integration", **where, type="MOCK",
        requestTemplates={"application/json": '{"statusCode": 200}'},
    )  # fmt: skip
    headers = {f"method.response.header.{name}": value for name, value in ALLOWED.items()}
    _unless(
        "ConflictException", gateway, "apigateway", "put_method_response", **where, statusCode="200",
        responseParameters=dict.fromkeys(headers, False),
    )  # fmt: skip
    answered(
        gateway,
        "apigateway",
        "put_integration_response",
        **where,
        statusCode="200",
        responseParameters=headers,
    )


def _permission(gateway: Gateway, app: WebApp, api: str) -> None:
    wanted = {
        "FunctionName": app.title,
        "StatementId": parts.STATEMENT,
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": arn(gateway, "execute-api", f"{api}/*/*"),
    }
    try:
        answered(gateway, "lambda", "add_permission", **wanted)
    except Problem as problem:
        if problem.code != "ResourceConflictException":
            raise
        answered(gateway, "lambda", "remove_permission", FunctionName=app.title, StatementId=parts.STATEMENT)
        answered(gateway, "lambda", "add_permission", **wanted)


def _stage(gateway: Gateway, app: WebApp, api: str) -> None:
    answered(gateway, "apigateway", "create_deployment", restApiId=api, stageName=STAGE)
    limits = {"rateLimit": f"{app.rate:g}", "burstLimit": str(app.burst)}
    answered(
        gateway, "apigateway", "update_stage", restApiId=api, stageName=STAGE,
        patchOperations=[
            {"op": "replace", "path": f"/*/*/throttling/{name}", "value": value} for name, value in limits.items()
        ],
    )  # fmt: skip


def _patiently(gateway: Gateway, service: str, method: str, **asked: Any) -> None:
    """A call that is refused for as long as Lambda does not know the role yet."""
    deadline = time.monotonic() + ASSUMABLE
    while True:
        try:
            answered(gateway, service, method, **asked)
            return
        except Problem as problem:
            if (
                "cannot be assumed" not in problem.sentence
                or time.monotonic() > deadline
                or gateway.target != "aws"
            ):
                raise
        time.sleep(2)


def _unless(code: str, gateway: Gateway, service: str, method: str, **asked: Any) -> None:
    """A call that finds its work done when it is refused with ``code``."""
    try:
        answered(gateway, service, method, **asked)
    except Problem as problem:
        if problem.code != code:
            raise
