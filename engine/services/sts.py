"""AWS STS: who the caller is, and temporary credentials."""

from __future__ import annotations

from typing import Any

from engine.context import Engine
from engine.errors import ServiceError
from engine.http import Request
from engine.iam import documents
from engine.protocol.signature import Key
from engine.registry import operation
from engine.roles import ROLE
from engine.settings import DEFAULT_ROLE

Params = dict[str, Any]
_HOUR = 3600


def _caller(engine: Engine, access_key: str) -> dict[str, str]:
    """The principal behind a key pair.

    The account's own pair speaks as the execution role, so that the SDK's ``get_execution_role()`` finds a role.
    """
    account = engine.settings.account_id
    own = {
        "arn": f"arn:aws:sts::{account}:assumed-role/{DEFAULT_ROLE}/mlconsole",
        "id": "AROAMLCONSOLE00000001:mlconsole",
    }
    return engine.keys.principal(access_key) or own


def _credentials(key: Key) -> Params:
    return {
        "AccessKeyId": key.access_key,
        "SecretAccessKey": key.secret,
        "SessionToken": key.token,
        "Expiration": key.expires,
    }


@operation("sts", "GetCallerIdentity")
async def get_caller_identity(engine: Engine, request: Request, params: Params) -> Params:
    """Account, ARN and id of the caller."""
    caller = _caller(engine, request.access_key)
    return {"Account": engine.settings.account_id, "Arn": caller["arn"], "UserId": caller["id"]}


@operation("sts", "AssumeRole")
async def assume_role(engine: Engine, request: Request, params: Params) -> Params:
    """Temporary credentials of a role of this account."""
    arn, session = params["RoleArn"], params["RoleSessionName"]
    seconds = params.get("DurationSeconds", _HOUR)
    for text in [params["Policy"]] if "Policy" in params else []:
        documents.parse(text)
    name = arn.rpartition("/")[2]
    role = engine.store.find(ROLE, name)
    if role is None or role.document["Role"]["Arn"] != arn:
        caller = _caller(engine, request.access_key)["arn"]
        text = f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}"
        raise ServiceError("AccessDenied", text, 403)
    longest = role.document["Role"].get("MaxSessionDuration", _HOUR)
    if seconds > longest:
        raise ServiceError(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        )
    principal = {
        "arn": f"arn:aws:sts::{engine.settings.account_id}:assumed-role/{name}/{session}",
        "id": f"{role.document['Role']['RoleId']}:{session}",
    }
    key = engine.keys.issue(principal, seconds)
    return {
        "Credentials": _credentials(key),
        "AssumedRoleUser": {"AssumedRoleId": principal["id"], "Arn": principal["arn"]},
        "SourceIdentity": params.get("SourceIdentity"),
    }


@operation("sts", "GetSessionToken")
async def get_session_token(engine: Engine, request: Request, params: Params) -> Params:
    """Temporary credentials of the caller itself."""
    if engine.keys.principal(request.access_key):
        raise ServiceError("AccessDenied", "Cannot call GetSessionToken with session credentials", 403)
    key = engine.keys.issue(_caller(engine, request.access_key), params.get("DurationSeconds", 12 * _HOUR))
    return {"Credentials": _credentials(key)}


@operation("sts", "GetAccessKeyInfo")
async def get_access_key_info(engine: Engine, request: Request, params: Params) -> Params:
    """The account of an access key that this engine knows."""
    if engine.keys.find(params["AccessKeyId"]) is None:
        raise ServiceError(
            "ValidationError", f"The access key {params['AccessKeyId']} is not one of this engine's account."
        )
    return {"Account": engine.settings.account_id}
