"""AWS STS: who the caller is, and temporary credentials."""

from __future__ import annotations

from typing import Any

from engine.context import Engine
from engine.http import Request
from engine.registry import operation
from engine.settings import DEFAULT_ROLE


@operation("sts", "GetCallerIdentity")
async def get_caller_identity(engine: Engine, request: Request, params: dict[str, Any]) -> dict[str, Any]:
    """The account's own key pair speaks as the execution role, so that the SDK's ``get_execution_role()`` finds a role."""
    principal = engine.keys.principal(request.access_key)
    account = engine.settings.account_id
    return {
        "Account": account,
        "Arn": principal.get("arn", f"arn:aws:sts::{account}:assumed-role/{DEFAULT_ROLE}/mlconsole"),
        "UserId": principal.get("id", "AROAMLCONSOLE00000001:mlconsole"),
    }
