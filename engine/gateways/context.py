"""``$context``: what API Gateway knows of a request, as Lambda gets it in ``requestContext``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from engine.gateways.call import Call

if TYPE_CHECKING:
    from engine.context import Engine

_IDENTITY = (
    "cognitoIdentityPoolId",
    "accountId",
    "cognitoIdentityId",
    "caller",
    "sourceIp",
    "principalOrgId",
    "accessKey",
    "cognitoAuthenticationType",
    "cognitoAuthenticationProvider",
    "userArn",
    "userAgent",
    "user",
)


def of(engine: Engine, call: Call) -> dict[str, Any]:
    """The context of a call that was routed; identity members that are unknown are None."""
    known = {"sourceIp": call.source_ip, "userAgent": call.header("User-Agent"), **call.identity}
    identity = {name: known.get(name) for name in _IDENTITY}
    if "apiKey" in call.identity:
        identity |= {"apiKey": call.identity["apiKey"], "apiKeyId": call.identity.get("apiKeyId")}
    return {
        "resourceId": call.resource.get("id"),
        "resourcePath": call.resource.get("path"),
        "httpMethod": call.method,
        "extendedRequestId": call.extended_id,
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(call.moment)),
        "path": f"/{call.stage_name}{call.path}",
        "accountId": engine.settings.account_id,
        "protocol": call.protocol,
        "stage": call.stage_name,
        "domainPrefix": call.api_id if call.domain[:1].isdigit() else call.domain.partition(".")[0],
        "requestTimeEpoch": int(call.moment * 1000),
        "requestId": call.request_id,
        "identity": identity,
        "domainName": call.domain,
        "deploymentId": call.stage.get("deploymentId"),
        "apiId": call.api_id,
    }


def source_arn(engine: Engine, call: Call) -> str:
    """The method on whose behalf an integration is called, for policies' ``AWS:SourceArn``."""
    path = call.resource["path"].lstrip("/")
    return engine.settings.arn(
        "execute-api",
        f"{call.api_id}/{call.stage_name}/{call.operation['httpMethod'].replace('ANY', call.method)}/{path}",
    )
