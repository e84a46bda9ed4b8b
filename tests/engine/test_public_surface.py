"""Requests to REST APIs as a browser, curl and signed clients send them."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.engine import lambdas
from tests.engine.conftest import RunningEngine
from tests.engine.deploying import Deployer, wait_for
from tests.engine.lambdas import WEB, Api, Reply, Workbench, refusal, send, signed_headers

SERVER = """
import base64, json, time
def handler(event, context):
    path = event["path"]
    if path == "/raise": raise ValueError("x")
    if path == "/nothing": return None
    if path == "/object": return {"statusCode": 200, "body": {"a": 1}}
    if path == "/member": return {"status": 200}
    if path == "/status": return {"statusCode": "many", "body": ""}
    if path == "/slow": time.sleep(5)
    if path == "/binary":
        return {"statusCode": 200, "headers": {"Content-Type": "image/png"}, "isBase64Encoded": True,
                "body": base64.b64encode(bytes(range(8))).decode()}
    if path == "/cookies":
        return {"statusCode": 201, "headers": {"X-One": "1", "Server": "mine", "Bad\\nName": "x"},
                "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}, "body": "ok"}
    return {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*"}, "body": json.dumps(event)}
"""


@pytest.fixture(scope="module")
def bench(engine: RunningEngine) -> Iterator[Workbench]:
    yield from lambdas.bench(engine)


@pytest.fixture(scope="module")
def server(bench: Workbench) -> str:
    return bench.function(SERVER)


@pytest.fixture(scope="module")
def web(bench: Workbench, server: str) -> Api:
    """A function behind every path, one resource with a variable, one that is signed, one with CORS by MOCK."""
    api = bench.api(binaryMediaTypes=["image/png"])
    api.lambda_method(api.resource("{proxy+}"), "ANY", server)
    api.lambda_method(api.resource("films", "{id}"), "GET", server)
    api.lambda_method(api.resource("signed"), "GET", server, "AWS_IAM")
    cors = api.resource("cors")
    api.lambda_method(cors, "POST", server)
    api.method(cors, "OPTIONS", type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    where = {"restApiId": api.id, "resourceId": cors, "httpMethod": "OPTIONS", "statusCode": "200"}
    allowed = ("Origin", "Methods", "Headers")
    names = [f"method.response.header.Access-Control-Allow-{name}" for name in allowed]
    bench.gateway.put_method_response(**where, responseParameters=dict.fromkeys(names, True))
    bench.gateway.put_integration_response(
        **where, responseParameters=dict(zip(names, ("'*'", "'POST,OPTIONS'", "'Content-Type'"), strict=True))
    )
    api.permit(server)
    api.deploy(variables={"endpoint": "reviews"})
    return api


def test_the_event_is_of_payload_format_1(web: Api) -> None:
    reply = web.send(
        "POST", "/a%20b/c?x=1&x=2&y=%C3%A4", "text é".encode(), {"Content-Type": "text/plain", "x-mine": "v"}
    )
    assert reply.status == 200 and reply.headers["access-control-allow-origin"] == ["*"]
    event = reply.document
    assert (event["resource"], event["path"], event["httpMethod"]) == ("/{proxy+}", "/a%20b/c", "POST")
    assert event["pathParameters"] == {"proxy": "a%20b/c"}
    assert event["queryStringParameters"] == {"x": "2", "y": "ä"}
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"], "y": ["ä"]}
    assert event["headers"]["Content-Type"] == "text/plain" and event["headers"]["X-Mine"] == "v"
    assert event["multiValueHeaders"]["X-Mine"] == ["v"]
    assert event["headers"]["X-Forwarded-For"] == "127.0.0.1"
    assert (event["body"], event["isBase64Encoded"]) == ("text é", False)
    assert event["stageVariables"] == {"endpoint": "reviews"}
    context = event["requestContext"]
    assert (context["stage"], context["resourcePath"], context["path"]) == (
        "prod",
        "/{proxy+}",
        "/prod/a%20b/c",
    )
    assert context["requestId"] == reply.headers["x-amzn-requestid"][0]
    assert context["identity"]["sourceIp"] == "127.0.0.1" and context["identity"]["accessKey"] is None
    bare = web.send("GET", "/films/7").document
    assert (bare["resource"], bare["pathParameters"]) == ("/films/{id}", {"id": "7"})
    assert bare["body"] is None and bare["queryStringParameters"] is None


def test_addresses_of_a_stage(web: Api, bench: Workbench) -> None:
    hosted = {"Host": f"{web.id}.execute-api.localhost:4566"}
    assert send(bench.engine, "GET", "/prod/films/1", headers=hosted).document["path"] == "/films/1"
    aws = {"Host": f"{web.id}.execute-api.us-east-1.amazonaws.com"}
    assert send(bench.engine, "GET", "/prod/films/2", headers=aws).document["path"] == "/films/2"
    other = f"/_aws/execute-api/{web.id}/prod/films/3"
    assert send(bench.engine, "GET", other).document["path"] == "/films/3"


def test_what_the_surface_refuses(web: Api, bench: Workbench) -> None:
    missing = "Missing Authentication Token"
    for reply in (web.send("GET", "/"), web.send("DELETE", "/films/1"), web.send("GET", "/signed")):
        assert (reply.status, reply.message) == (403, missing)
        assert reply.headers["x-amzn-errortype"] == ["MissingAuthenticationTokenException"]
    nobody = send(bench.engine, "GET", "/restapis/aaaaaaaaaa/prod/_user_request_/x")
    assert (nobody.status, nobody.body) == (403, b'{"message":"Forbidden"}')
    assert web.send("GET", "/x", stage="beta").body == b'{"message":"Forbidden"}'
    # A page of another name that was rebound to loopback, and the unsigned control plane.
    assert web.send("GET", "/films/1", headers={"Host": "evil.example"}).body == b'{"message":"Forbidden"}'
    assert send(bench.engine, "GET", "/restapis").status == 403
    assert send(bench.engine, "GET", f"/restapis/{web.id}/stages/prod").status == 403


def test_bodies_have_limits(web: Api) -> None:
    for size in (10 * 2**20 + 1, 7 * 2**20):
        reply = web.send("POST", "/cors", b"x" * size)
        assert (reply.status, reply.body) == (413, b'{"message":"Request Too Long"}')


def test_cors_preflight_by_mock(web: Api) -> None:
    asked = {"Origin": "null", "Access-Control-Request-Method": "POST"}
    reply = web.send("OPTIONS", "/cors", headers=asked)
    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["access-control-allow-origin"] == ["*"]
    assert reply.headers["access-control-allow-methods"] == ["POST,OPTIONS"]
    assert reply.headers["access-control-allow-headers"] == ["Content-Type"]


@pytest.mark.parametrize("path", ["/raise", "/nothing", "/object", "/member", "/status"])
def test_failing_functions_and_malformed_responses(web: Api, path: str) -> None:
    reply = web.send("GET", path)
    assert (reply.status, reply.message) == (502, "Internal server error")
    assert "access-control-allow-origin" not in reply.headers


def test_headers_and_binary_bodies(web: Api) -> None:
    reply = web.send("GET", "/cookies")
    assert (reply.status, reply.body) == (201, b"ok")
    assert reply.headers["set-cookie"] == ["a=1", "b=2"]
    assert reply.headers["content-type"] == ["application/json"]
    assert reply.headers["x-amzn-remapped-server"] == ["mine"] and "server" not in reply.headers
    assert web.send("GET", "/binary", headers={"Accept": "image/png"}).body == bytes(range(8))
    assert base64.b64decode(web.send("GET", "/binary", headers={"Accept": "text/html"}).body) == bytes(
        range(8)
    )
    event = web.send("POST", "/cors", bytes(range(8)), {"Content-Type": "image/png"}).document
    assert event["isBase64Encoded"] is True and base64.b64decode(event["body"]) == bytes(range(8))


def test_signed_requests(web: Api, bench: Workbench) -> None:
    path = web.path("/signed?b=2&a=1")
    good = signed_headers(bench.engine, "GET", path)
    identity = send(bench.engine, "GET", path, headers=good).document["requestContext"]["identity"]
    assert identity["accessKey"] == bench.engine.connection.access_key
    bad = send(bench.engine, "GET", path, headers=signed_headers(bench.engine, "GET", path, "wrong"))
    assert bad.status == 403 and bad.message.startswith("The request signature we calculated does not match")
    assert bad.headers["x-amzn-errortype"] == ["InvalidSignatureException"]
    other = send(bench.engine, "GET", web.path("/signed?b=3"), headers=good)
    assert other.status == 403
    stranger = {**good, "Authorization": good["Authorization"].replace("Credential=AKIA", "Credential=AKIX")}
    unknown = send(bench.engine, "GET", path, headers=stranger)
    assert unknown.message == "The security token included in the request is invalid."


def test_a_function_must_let_the_api_in(bench: Workbench) -> None:
    api, name = bench.api(), bench.function(WEB)
    bench.lambdas.publish_version(FunctionName=name)
    bench.lambdas.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    api.lambda_method(api.root, "GET", name)
    api.lambda_method(api.resource("staged"), "GET", f"{name}:${{stageVariables.alias}}")
    api.deploy(variables={"alias": "live"})
    refused = api.send("GET")
    assert (refused.status, refused.body) == (
        500,
        b'{"message": "Internal server error"}'.replace(b": ", b":"),
    )
    api.permit(name, "*/POST/")
    assert api.send("GET").status == 500
    api.permit(name, "prod/GET/")
    assert api.send("GET").status == 200
    assert api.send("GET", "/staged").status == 500  # an alias has a policy of its own
    api.permit(name, "*/GET/staged", Qualifier="live")
    assert api.send("GET", "/staged").status == 200
    bench.lambdas.delete_function(FunctionName=name)
    assert api.send("GET").status == 500


def test_integration_timeout(bench: Workbench, server: str) -> None:
    api = bench.api()
    api.lambda_method(api.resource("slow"), "GET", server, timeoutInMillis=200)
    api.permit(server)
    api.deploy()
    reply = api.send("GET", "/slow")
    assert (reply.status, reply.message) == (504, "Endpoint request timed out")


def test_a_deployment_is_what_was_deployed(bench: Workbench) -> None:
    aws, api = bench.gateway, bench.api()
    mock = {"type": "MOCK", "requestTemplates": {"application/json": '{"statusCode": 200}'}}
    api.method(api.root, "GET", **mock)
    where = {"restApiId": api.id, "resourceId": api.root, "httpMethod": "GET", "statusCode": "200"}
    aws.put_method_response(**where)
    template = '{"who": "$input.params(\'name\')", "stage": "$context.stage", "v": "$stageVariables.v"}'
    aws.put_integration_response(**where, responseTemplates={"application/json": template})
    first = api.deploy(variables={"v": "1"})
    assert api.send("GET", "/?name=ann").document == {"who": "ann", "stage": "prod", "v": "1"}
    aws.delete_method(restApiId=api.id, resourceId=api.root, httpMethod="GET")
    api.method(api.resource("new"), "GET", **mock)
    assert api.send("GET", "/?name=bob").status == 200
    api.deploy()
    assert api.send("GET", "/?name=bob").status == 403
    back = [{"op": "replace", "path": "/deploymentId", "value": first}]
    aws.update_stage(restApiId=api.id, stageName="prod", patchOperations=back)
    assert api.send("GET", "/?name=bob").status == 200


def test_customised_gateway_responses_carry_cors(bench: Workbench) -> None:
    api = bench.api()
    api.method(
        api.resource("x"), "GET", type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'}
    )
    for kind in ("DEFAULT_4XX", "DEFAULT_5XX"):
        bench.gateway.put_gateway_response(
            restApiId=api.id,
            responseType=kind,
            responseParameters={"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"},
            responseTemplates={
                "application/json": '{"error": $context.error.messageString, "id": "$context.requestId"}'
            },
        )
    api.deploy()
    reply = api.send("GET", "/none")
    assert reply.headers["access-control-allow-origin"] == ["*"]
    assert reply.document == {
        "error": "Missing Authentication Token",
        "id": reply.headers["x-amzn-requestid"][0],
    }
    broken = api.send("GET", "/x")  # no integration response: 500
    assert broken.status == 500 and broken.headers["access-control-allow-origin"] == ["*"]


def test_required_parameters(bench: Workbench, server: str) -> None:
    aws, api = bench.gateway, bench.api()
    validator = aws.create_request_validator(restApiId=api.id, name="v", validateRequestParameters=True)["id"]
    assert refusal(aws.create_request_validator, restApiId=api.id, validateRequestBody=True)[0] == (
        "BadRequestException"
    )
    where = {"restApiId": api.id, "resourceId": api.root, "httpMethod": "GET"}
    unknown = {**where, "authorizationType": "NONE", "requestValidatorId": "none"}
    assert refusal(aws.put_method, **unknown)[1] == "Invalid Request Validator identifier specified"
    aws.put_method(
        **where,
        authorizationType="NONE",
        requestValidatorId=validator,
        requestParameters={
            "method.request.querystring.q": True,
            "method.request.header.X-Id": True,
            "method.request.querystring.page": False,
        },
    )
    aws.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="POST", uri=api.uri(server))
    assert refusal(aws.delete_request_validator, restApiId=api.id, requestValidatorId=validator)[0] == (
        "BadRequestException"
    )
    api.permit(server)
    api.deploy()
    reply = api.send("GET", "/?page=1")
    assert (reply.status, reply.message) == (400, "Missing required request parameters: [q, X-Id]")
    assert api.send("GET", "/?q=", headers={"x-id": "1"}).status == 200


def test_throttling_by_stage_settings(bench: Workbench) -> None:
    api = bench.api()
    api.method(api.root, "GET", type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    where = {"restApiId": api.id, "resourceId": api.root, "httpMethod": "GET", "statusCode": "200"}
    bench.gateway.put_method_response(**where)
    bench.gateway.put_integration_response(**where)
    api.deploy()
    limits = [
        {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "0.001"},
        {"op": "replace", "path": "/*/*/throttling/burstLimit", "value": "2"},
    ]
    bench.gateway.update_stage(restApiId=api.id, stageName="prod", patchOperations=limits)
    replies = [api.send("GET") for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 429]
    assert replies[2].message == "Too Many Requests"


def test_methods_that_ask_for_a_key(bench: Workbench, server: str) -> None:
    aws, api = bench.gateway, bench.api()
    api.lambda_method(api.root, "GET", server)
    required = [{"op": "replace", "path": "/apiKeyRequired", "value": "true"}]
    aws.update_method(restApiId=api.id, resourceId=api.root, httpMethod="GET", patchOperations=required)
    api.permit(server)
    api.deploy()
    key, other = (aws.create_api_key(name="k", enabled=True) for _ in range(2))
    plan = aws.create_usage_plan(
        name="two a day", apiStages=[{"apiId": api.id, "stage": "prod"}], quota={"limit": 2, "period": "DAY"}
    )["id"]
    aws.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")

    def ask(value: str) -> Reply:
        return api.send("GET", headers={"x-api-key": value})

    for refused in (api.send("GET"), ask("nobody's"), ask(other["value"])):
        assert (refused.status, refused.message) == (403, "Forbidden")
    identity = ask(key["value"]).document["requestContext"]["identity"]
    assert (identity["apiKey"], identity["apiKeyId"]) == (key["value"], key["id"])
    assert [ask(key["value"]).status for _ in range(2)] == [200, 429]
    assert ask(key["value"]).message == "Limit Exceeded"
    today = datetime.now(UTC).date().isoformat()
    usage = aws.get_usage(usagePlanId=plan, startDate=today, endDate=today)
    assert usage["items"] == {key["id"]: [[2, 0]]}


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    """A server that tells what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            size = int(self.headers.get("content-length", 0))
            told = {"method": self.command, "path": self.path, "body": self.rfile.read(size).decode()}
            told |= {"header": self.headers.get("X-Id", "")}
            body = json.dumps(told).encode()
            self.send_response(
                302 if self.path.startswith("/away") else 404 if "missing" in self.path else 200
            )
            self.send_header("Location", "http://127.0.0.1:9/")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer

        def log_message(self, *_: Any) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{listener.server_address[1]}"
    listener.shutdown()


def test_http_integrations(bench: Workbench, upstream: str) -> None:
    aws, api = bench.gateway, bench.api()
    proxy = api.resource("p", "{proxy+}")
    api.bench.gateway.put_method(
        restApiId=api.id,
        resourceId=proxy,
        httpMethod="ANY",
        authorizationType="NONE",
        requestParameters={"method.request.path.proxy": True},
    )
    aws.put_integration(
        restApiId=api.id,
        resourceId=proxy,
        httpMethod="ANY",
        type="HTTP_PROXY",
        integrationHttpMethod="ANY",
        uri=f"{upstream}/{{proxy}}",
        requestParameters={
            "integration.request.path.proxy": "method.request.path.proxy",
            "integration.request.header.X-Id": "context.requestId",
        },
    )
    mapped = api.resource("m")
    api.method(
        mapped,
        "POST",
        type="HTTP",
        integrationHttpMethod="POST",
        uri=f"{upstream}/missing",
        requestTemplates={
            "application/json": '{"text": "$util.escapeJavaScript($input.path(\'$.review\'))"}'
        },
    )
    where = {"restApiId": api.id, "resourceId": mapped, "httpMethod": "POST"}
    for status, pattern in (("200", None), ("404", "4\\d\\d")):
        aws.put_method_response(**where, statusCode=status)
        aws.put_integration_response(
            **where,
            statusCode=status,
            **({"selectionPattern": pattern} if pattern else {}),
            responseTemplates={"application/json": "{\"was\": $input.json('$.body')}"},
        )
    gone = api.resource("gone")
    api.method(gone, "GET", type="HTTP_PROXY", integrationHttpMethod="GET", uri="http://127.0.0.1:9/")
    api.deploy()
    reply = api.send("POST", "/p/a/b?q=1", "data")
    told = reply.document
    assert (told["method"], told["path"], told["body"]) == ("POST", "/a/b?q=1", "data")
    assert told["header"] == reply.headers["x-amzn-requestid"][0]
    assert api.send("GET", "/p/away").status == 302  # passed on, not followed
    reply = api.send("POST", "/m", json.dumps({"review": 'so "good"'}), {"Content-Type": "application/json"})
    assert reply.status == 404
    assert json.loads(reply.document["was"]) == {"text": 'so "good"'}
    assert api.send("GET", "/gone").status == 504


def test_mapped_lambda_chooses_by_the_error(bench: Workbench) -> None:
    aws, api = bench.gateway, bench.api()
    name = bench.function(
        "def handler(e, c):\n    if e['n'] < 0: raise ValueError('BadInput: negative')\n    return {'twice': 2 * e['n']}\n"
    )
    api.method(
        api.root,
        "POST",
        type="AWS",
        integrationHttpMethod="POST",
        uri=api.uri(name),
        requestTemplates={"application/json": "{\"n\": $input.json('$.n')}"},
    )
    where = {"restApiId": api.id, "resourceId": api.root, "httpMethod": "POST"}
    for status, pattern in (("200", None), ("400", "BadInput.*")):
        aws.put_method_response(**where, statusCode=status)
        aws.put_integration_response(
            **where, statusCode=status, **({"selectionPattern": pattern} if pattern else {})
        )
    api.permit(name)
    api.deploy()
    assert api.send("POST", "/", '{"n": 4}').document == {"twice": 8}
    bad = api.send("POST", "/", '{"n": -1}')
    assert (bad.status, bad.document["errorType"]) == (400, "ValueError")
    tested = aws.test_invoke_method(**where, body='{"n": 5}')
    assert (tested["status"], json.loads(tested["body"])) == (200, {"twice": 10})
    assert "Method completed with status: 200" in tested["log"]


def test_a_hundred_visitors_at_once_are_all_answered(web: Api) -> None:
    def visit(number: int) -> bool:
        reply = web.send("GET", f"/films/{number}")
        return reply.status == 200 and reply.document["pathParameters"] == {"id": str(number)}

    with ThreadPoolExecutor(100) as threads:
        assert all(threads.map(visit, range(100)))


def test_a_web_page_reaches_an_endpoint(bench: Workbench, deploy: Deployer) -> None:
    endpoint = deploy.endpoint(deploy.model())
    code = """
import boto3, os
def handler(event, context):
    reply = boto3.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=os.environ["ENDPOINT"], ContentType="application/json", Body=event["body"])
    return {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*"}, "body": reply["Body"].read().decode()}
"""
    name = bench.function(code, Environment={"Variables": {"ENDPOINT": endpoint}})
    api = bench.api()
    api.lambda_method(api.root, "POST", name)
    api.permit(name)
    api.deploy()
    assert api.send("POST", "/", "21").body == b"42"
    deploy.sm.delete_endpoint(EndpointName=endpoint)
    wait_for(lambda: api.send("POST", "/", "21").status == 502)
    logs = bench.engine.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    assert any(f"Endpoint {endpoint} of account" in event["message"] for event in logs)


def test_metrics_of_an_api(bench: Workbench, web: Api) -> None:
    web.send("GET", "/films/1")
    watch, name = bench.engine.client("cloudwatch"), bench.gateway.get_rest_api(restApiId=web.id)["name"]
    found = watch.list_metrics(Namespace="AWS/ApiGateway", Dimensions=[{"Name": "ApiName", "Value": name}])
    assert {one["MetricName"] for one in found["Metrics"]} >= {"Count", "4XXError", "5XXError", "Latency"}
