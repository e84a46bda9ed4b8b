"""TestInvokeMethod: a method as it is now, without a deployment, an authorisation or a limit."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qsl

from engine.context import Engine
from engine.gateways import dispatch, record
from engine.gateways.answers import Refused
from engine.gateways.call import Answer, Call, Pairs, all_of, capitalised, last
from engine.gateways.routes import Routes
from engine.gateways.supervisor import Snapshot, frozen
from engine.http import Request
from engine.registry import operation

Params = dict[str, Any]


@operation("apigateway", "TestInvokeMethod")
async def test_invoke_method(engine: Engine, request: Request, params: Params) -> Params:
    """Run a method and answer with what a client would get, and with how it came about."""
    document = record.api(engine, params["restApiId"]).document
    method = record.method(document, params["resourceId"], params["httpMethod"])
    resource = record.resource(document, params["resourceId"])
    if "methodIntegration" not in method:
        raise record.missing("Invalid Integration identifier specified")
    path, _, query = (params.get("pathWithQueryString") or resource["path"]).partition("?")
    route = Routes({resource["id"]: resource}).find(path)
    headers: Pairs = [(capitalised(name), value) for name, value in (params.get("headers") or {}).items()]
    for name, values in (params.get("multiValueHeaders") or {}).items():
        headers += [(capitalised(name), value) for value in values]
    call = Call(
        request_id=request.request_id,
        api_id=params["restApiId"],
        stage_name="test-invoke-stage",
        method=params["httpMethod"].upper(),
        path=path,
        query=parse_qsl(query, keep_blank_values=True),
        headers=headers,
        body=(params.get("body") or "").encode(),
        source_ip="test-invoke-source-ip",
        domain="testPrefix.testDomainName",
        stage={"variables": params.get("stageVariables") or {}},
        resource=resource,
        operation=method,
        variables=route.variables if route is not None else {},
    )
    snapshot = Snapshot(frozen(document))
    began = time.monotonic()
    try:
        answer, how = await dispatch.invoke(engine, snapshot, call), "Successfully completed execution"
    except Refused as refusal:
        answer = dispatch.refused(engine, snapshot, call, refusal)
        how = f"Execution failed: {refusal.cause or refusal.message}"
    took = (time.monotonic() - began) * 1000
    return {
        "status": answer.status,
        "body": answer.body.decode("utf-8", "replace"),
        "headers": last(answer.headers),
        "multiValueHeaders": all_of(answer.headers),
        "latency": round(took),
        "log": _log(call, answer, how),
    }


def _log(call: Call, answer: Answer, how: str) -> str:
    moment = time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime(call.moment))
    lines = [
        f"Starting execution for request: {call.request_id}",
        f"HTTP Method: {call.method}, Resource Path: {call.resource['path']}",
        f"Method request path: {call.variables}",
        f"Method request query string: {last(call.query)}",
        f"Method request headers: {last(call.headers)}",
        f"Method request body before transformations: {call.body.decode('utf-8', 'replace')}",
        f"Method response body after transformations: {answer.body.decode('utf-8', 'replace')}",
        f"Method response headers: {last(answer.headers)}",
        how,
        f"Method completed with status: {answer.status}",
    ]
    return f"Execution log for request {call.request_id}\n" + "".join(
        f"{moment} : {line}\n" for line in lines
    )
