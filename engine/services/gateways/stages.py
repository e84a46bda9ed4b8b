"""Stages: which deployment is served under which name, with which variables and limits."""

from __future__ import annotations

import re
from typing import Any

from engine.context import Engine
from engine.gateways import patching, record
from engine.gateways.record import STAGE, Document, conflict, missing, refused
from engine.http import Request
from engine.registry import operation
from engine.store import Exists

Params = dict[str, Any]
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_VARIABLE = re.compile(r"[A-Za-z0-9_]+")
_VALUE = re.compile(r"[A-Za-z0-9\-._~:/?#&=,]*")
_SETTINGS: dict[str, tuple[str, patching.Check]] = {
    "throttling/rateLimit": ("throttlingRateLimit", patching.number),
    "throttling/burstLimit": ("throttlingBurstLimit", patching.integer),
    "metrics/enabled": ("metricsEnabled", patching.boolean),
    "logging/loglevel": ("loggingLevel", patching.text),
    "logging/dataTrace": ("dataTraceEnabled", patching.boolean),
}


def _setting(path: str) -> patching.Field:
    name, check = _SETTINGS[path]

    def change(document: Document, names: list[str], action: str, value: str | None) -> None:
        if value is None:
            raise refused(f"Invalid patch value specified for path '{path}'")
        resource, method = names
        # Stored as it is shown: with the resource's slashes escaped, so that one slash parts it from the method.
        key = f"{resource.replace('~', '~0').replace('/', '~1')}/{method}"
        document.setdefault("methodSettings", {}).setdefault(key, _defaults())[name] = check(value)

    return patching.Field(f"/{{}}/{{}}/{path}", ("replace",), change)


def _forget_settings(document: Document, names: list[str], action: str, value: str | None) -> None:
    key = f"{names[0].replace('~', '~0').replace('/', '~1')}/{names[1]}"
    if document.get("methodSettings", {}).pop(key, None) is None:
        raise missing("Invalid method setting path")


_FIELDS = (
    patching.one("description", operations=("replace", "remove")),
    patching.one("deploymentId"),
    patching.one("tracingEnabled", patching.boolean),
    patching.entries("variables"),
    *(_setting(path) for path in _SETTINGS),
    patching.Field("/{}/{}", ("remove",), _forget_settings),
)


def new_stage(engine: Engine, params: Params) -> Params:
    """A stage as a request describes it.

    Raises:
        ServiceError: ``BadRequestException``.
    """
    name = params["stageName"]
    if _NAME.fullmatch(name) is None:
        raise refused("Stage name only allows a-zA-Z0-9_-")
    if params.get("cacheClusterEnabled"):
        raise refused("cacheClusterEnabled: this engine has no response cache.")
    if params.get("canarySettings"):
        raise refused(
            "canarySettings: this engine has no canary releases of stages; weight a function's alias instead."
        )
    _check_variables(params.get("variables") or {})
    now = int(engine.clock.time())
    stage = {
        "deploymentId": params["deploymentId"],
        "stageName": name,
        "cacheClusterEnabled": False,
        "cacheClusterStatus": "NOT_AVAILABLE",
        "methodSettings": {},
        "tracingEnabled": bool(params.get("tracingEnabled")),
        "createdDate": now,
        "lastUpdatedDate": now,
    }
    return stage | {key: params[key] for key in ("description", "variables", "tags") if params.get(key)}


def put_stage(engine: Engine, api_id: str, stage: Params) -> None:
    """Create a stage, or let one that is there serve another deployment; its settings stay."""
    now = engine.clock.time()
    name = f"{api_id}/{stage['stageName']}"

    def alter(document: Document) -> None:
        document |= {"deploymentId": stage["deploymentId"], "lastUpdatedDate": stage["lastUpdatedDate"]}
        if stage.get("variables"):
            document["variables"] = {**document.get("variables", {}), **stage["variables"]}
        if stage.get("description"):
            document["description"] = stage["description"]

    try:
        engine.store.create(STAGE, name, stage, now=now, parent=api_id)
    except Exists:
        engine.store.update(STAGE, name, alter, now=now)


@operation("apigateway", "CreateStage")
async def create_stage(engine: Engine, request: Request, params: Params) -> Params:
    """Serve a deployment under a name."""
    record.api(engine, params["restApiId"])
    record.deployment(engine, params["restApiId"], params["deploymentId"])
    stage = new_stage(engine, params)
    try:
        engine.store.create(
            STAGE,
            f"{params['restApiId']}/{stage['stageName']}",
            stage,
            now=engine.clock.time(),
            parent=params["restApiId"],
        )
    except Exists as error:
        raise conflict("Stage already exists") from error
    return stage


@operation("apigateway", "GetStage")
async def get_stage(engine: Engine, request: Request, params: Params) -> Params:
    """One stage."""
    return record.stage(engine, params["restApiId"], params["stageName"]).document


@operation("apigateway", "GetStages")
async def get_stages(engine: Engine, request: Request, params: Params) -> Params:
    """An API's stages, of one deployment when it is named."""
    record.api(engine, params["restApiId"])
    wanted = params.get("deploymentId")
    found = record.stages(engine, params["restApiId"])
    return {"item": [stage for stage in found if wanted in (None, stage["deploymentId"])]}


@operation("apigateway", "UpdateStage")
async def update_stage(engine: Engine, request: Request, params: Params) -> Params:
    """Change a stage: at once, without a deployment."""
    record.stage(engine, params["restApiId"], params["stageName"])

    def alter(document: Document) -> None:
        before = document["deploymentId"]
        patching.apply(document, params.get("patchOperations") or [], _FIELDS)
        _check_variables(document.get("variables") or {})
        if document["deploymentId"] != before:
            record.deployment(engine, params["restApiId"], document["deploymentId"])
        document["lastUpdatedDate"] = int(engine.clock.time())

    name = f"{params['restApiId']}/{params['stageName']}"
    return engine.store.update(STAGE, name, alter, now=engine.clock.time()).document


@operation("apigateway", "DeleteStage")
async def delete_stage(engine: Engine, request: Request, params: Params) -> Params:
    """Serve nothing under this name any more."""
    record.stage(engine, params["restApiId"], params["stageName"])
    engine.store.delete(STAGE, f"{params['restApiId']}/{params['stageName']}")
    return {}


def _check_variables(variables: dict[str, str]) -> None:
    for name, value in variables.items():
        if _VARIABLE.fullmatch(name) is None or _VALUE.fullmatch(value) is None:
            raise refused(
                f"Invalid stage variable {name}: names are of A-Z, a-z, 0-9 and _, values of those and -._~:/?#&=,"
            )


def _defaults() -> Params:
    return {
        "metricsEnabled": False,
        "dataTraceEnabled": False,
        "throttlingBurstLimit": 5000,
        "throttlingRateLimit": 10000.0,
        "cachingEnabled": False,
        "cacheTtlInSeconds": 300,
        "cacheDataEncrypted": False,
        "requireAuthorizationForCacheControl": True,
        "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
    }
