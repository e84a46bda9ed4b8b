"""AWS_IAM: a method that only signed requests reach."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from engine.errors import ServiceError
from engine.gateways.answers import NO_ROUTE, Kind, Refused
from engine.http import Request
from engine.protocol import signature
from engine.protocol.models import Service

if TYPE_CHECKING:
    from engine.context import Engine

SERVICE = Service("execute-api", "execute-api", "rest-json")
"""No service with operations, but requests to APIs are signed for this name."""
_INVALID = Kind("INVALID_SIGNATURE", 403, "", "InvalidSignatureException")
_EXPIRED = Kind("EXPIRED_TOKEN", 403, "", "ExpiredTokenException")


def caller(engine: Engine, request: Request) -> dict[str, str]:
    """Who signed the request: the members of ``$context.identity`` that then are known.

    Raises:
        Refused: It is not signed, or not as it must be: 403 with the text of Signature Version 4's checks.
    """
    try:
        claim = signature.claim(request.headers, request.query)
        if claim is None:
            raise Refused(NO_ROUTE)
        key = engine.keys.find(claim.access_key)
        signature.check(
            claim,
            key,
            SERVICE,
            SERVICE.wire,
            method=request.method,
            path=request.path,
            query=request.query,
            headers=request.headers,
            payload=hashlib.sha256(request.read or b"").hexdigest(),
            now=engine.clock.time(),
        )
    except ValueError as error:
        raise Refused(_INVALID, str(error), error="IncompleteSignatureException") from error
    except ServiceError as error:
        kind = _EXPIRED if error.code == "ExpiredTokenException" else _INVALID
        raise Refused(kind, error.message, error=error.code) from error
    account = engine.settings.account_id
    principal = engine.keys.principal(claim.access_key)
    arn, user = principal.get("arn", f"arn:aws:iam::{account}:root"), principal.get("id", account)
    return {"accountId": account, "caller": user, "user": user, "userArn": arn, "accessKey": claim.access_key}
