"""API Gateway's control plane over the wire, with boto3."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine import lambdas
from tests.engine.conftest import RunningEngine
from tests.engine.lambdas import Api, Workbench, refusal


@pytest.fixture(scope="module")
def bench(engine: RunningEngine) -> Iterator[Workbench]:
    yield from lambdas.bench(engine)


def test_apis_are_created_listed_patched_and_deleted(bench: Workbench) -> None:
    aws = bench.gateway
    made = aws.create_rest_api(
        name="reviews", description="d", binaryMediaTypes=["image/png"], tags={"team": "ml"}
    )
    bench.apis.append(made["id"])
    assert made["endpointConfiguration"]["types"] == ["EDGE"] and made["apiKeySource"] == "HEADER"
    changed = aws.update_rest_api(
        restApiId=made["id"],
        patchOperations=[
            {"op": "replace", "path": "/name", "value": "films"},
            {"op": "add", "path": "/binaryMediaTypes/application~1x-npy"},
            {"op": "remove", "path": "/binaryMediaTypes/image~1png"},
            {"op": "replace", "path": "/endpointConfiguration/types/EDGE", "value": "REGIONAL"},
        ],
    )
    assert (changed["name"], changed["binaryMediaTypes"]) == ("films", ["application/x-npy"])
    assert changed["endpointConfiguration"]["types"] == ["REGIONAL"]
    code, text, status = refusal(
        aws.update_rest_api,
        restApiId=made["id"],
        patchOperations=[{"op": "replace", "path": "/colour", "value": "x"}],
    )
    assert (code, status) == ("BadRequestException", 400)
    assert text.startswith("Invalid patch path  '/colour' specified for op 'replace'. Must be one of: [/name")
    others = [bench.api().id for _ in range(3)]
    pages = list(aws.get_paginator("get_rest_apis").paginate(PaginationConfig={"PageSize": 2}))
    found = [api["id"] for one in pages for api in one["items"]]
    assert {made["id"], *others} <= set(found) and len(found) == len(set(found))
    arn = f"arn:aws:apigateway:us-east-1::/restapis/{made['id']}"
    aws.tag_resource(resourceArn=arn, tags={"stage": "test"})
    assert aws.get_tags(resourceArn=arn)["tags"] == {"team": "ml", "stage": "test"}
    aws.delete_rest_api(restApiId=made["id"])
    account = bench.engine.connection.account_id
    assert refusal(aws.get_rest_api, restApiId=made["id"]) == (
        "NotFoundException",
        f"Invalid API identifier specified {account}:{made['id']}",
        404,
    )


def test_resources_are_a_tree(bench: Workbench) -> None:
    aws, api = bench.gateway, bench.api()
    items = aws.create_resource(restApiId=api.id, parentId=api.root, pathPart="items")
    one = aws.create_resource(restApiId=api.id, parentId=items["id"], pathPart="{id}")
    assert (items["path"], one["path"]) == ("/items", "/items/{id}")

    def refused(parent: str, part: str) -> tuple[str, str]:
        return refusal(aws.create_resource, restApiId=api.id, parentId=parent, pathPart=part)[:2]

    assert refused(api.root, "items") == (
        "ConflictException",
        "Another resource with the same parent already has this name: items",
    )
    assert refused(items["id"], "{other}")[1] == (
        "A sibling ({id}) of this resource already has a variable path part -- only one is allowed"
    )
    assert refused(api.root, "a/b")[1].startswith("Resource's path part only allow")
    assert refused("nowhere", "x") == ("NotFoundException", "Invalid Resource identifier specified")
    greedy = aws.create_resource(restApiId=api.id, parentId=api.root, pathPart="{proxy+}")["id"]
    assert "greedy path variable" in refused(greedy, "below")[1]
    moved = aws.update_resource(
        restApiId=api.id,
        resourceId=items["id"],
        patchOperations=[{"op": "replace", "path": "/pathPart", "value": "films"}],
    )
    assert moved["path"] == "/films"
    assert aws.get_resource(restApiId=api.id, resourceId=one["id"])["path"] == "/films/{id}"
    api.method(one["id"], "GET", type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    listed = {item["path"]: item for item in aws.get_resources(restApiId=api.id)["items"]}
    assert set(listed) == {"/", "/films", "/films/{id}", "/{proxy+}"}
    assert listed["/films/{id}"]["resourceMethods"] == {"GET": {}}
    embedded = aws.get_resource(restApiId=api.id, resourceId=one["id"], embed=["methods"])
    assert embedded["resourceMethods"]["GET"]["methodIntegration"]["type"] == "MOCK"
    assert refusal(aws.delete_resource, restApiId=api.id, resourceId=api.root)[0] == "BadRequestException"
    aws.delete_resource(restApiId=api.id, resourceId=items["id"])
    assert {item["path"] for item in aws.get_resources(restApiId=api.id)["items"]} == {"/", "/{proxy+}"}


def test_methods_integrations_and_what_they_refuse(bench: Workbench) -> None:
    aws, api = bench.gateway, bench.api()
    where = {"restApiId": api.id, "resourceId": api.root, "httpMethod": "POST"}

    def refused(call: Any, **params: Any) -> str:
        return refusal(call, **{**where, **params})[1]

    assert refused(aws.get_method) == "Invalid Method identifier specified"
    assert "no authorizers" in refused(aws.put_method, authorizationType="CUSTOM")
    made = aws.put_method(**where, authorizationType="NONE")
    assert (made["httpMethod"], made["apiKeyRequired"]) == ("POST", False)
    assert refused(aws.put_method, authorizationType="NONE") == "Method already exists for this resource"
    assert refused(aws.get_integration) == "Invalid Integration identifier specified"
    uri = api.uri("any")
    assert refused(aws.put_integration, type="AWS_PROXY", uri=uri) == (
        "Enumeration value for HttpMethod must be non-empty"
    )
    proxy = {"type": "AWS_PROXY", "integrationHttpMethod": "POST"}
    assert refused(aws.put_integration, **proxy, uri="lambda") == "Invalid ARN specified in the request"
    assert "invoke Lambda functions" in refused(
        aws.put_integration, **proxy, uri="arn:aws:apigateway:us-east-1:s3:path/bucket/key"
    )
    assert refused(aws.put_integration, **proxy, uri=uri, timeoutInMillis=60_000) == (
        "Timeout should be between 50 ms and 29000 ms"
    )
    assert refused(aws.put_integration, type="HTTP", integrationHttpMethod="GET", uri="ftp:/x") == (
        "Invalid HTTP endpoint specified for URI"
    )
    template = {"application/json": "#set($x = 1) {}"}
    assert "#set" in refused(aws.put_integration, type="MOCK", requestTemplates=template)
    integration = aws.put_integration(**where, **proxy, uri=uri)
    assert (integration["passthroughBehavior"], integration["timeoutInMillis"]) == ("WHEN_NO_MATCH", 29_000)
    patched = aws.update_integration(
        **where, patchOperations=[{"op": "replace", "path": "/timeoutInMillis", "value": "1000"}]
    )
    assert patched["timeoutInMillis"] == 1000
    answer = {"statusCode": "200", "responseParameters": {"method.response.header.X-A": "'1'"}}
    assert refused(aws.put_integration_response, **answer) == "Invalid Response status code specified"
    aws.put_method_response(**where, statusCode="200")
    assert "method.response.header.X-A" in refused(aws.put_integration_response, **answer)
    aws.update_method_response(
        **where,
        statusCode="200",
        patchOperations=[
            {"op": "add", "path": "/responseParameters/method.response.header.X-A", "value": "true"}
        ],
    )
    aws.put_integration_response(**where, **answer)
    method = aws.get_method(**where)
    assert method["methodResponses"]["200"]["responseParameters"] == {"method.response.header.X-A": True}
    assert list(method["methodIntegration"]["integrationResponses"]) == ["200"]
    changed = aws.update_method(
        **where, patchOperations=[{"op": "replace", "path": "/authorizationType", "value": "AWS_IAM"}]
    )
    assert changed["authorizationType"] == "AWS_IAM"
    aws.delete_integration(**where)
    aws.delete_method(**where)
    assert refused(aws.get_method) == "Invalid Method identifier specified"


def test_deployments_and_stages(bench: Workbench) -> None:
    aws, api = bench.gateway, bench.api()
    assert refusal(aws.create_deployment, restApiId=api.id)[1] == "The REST API doesn't contain any methods"
    aws.put_method(restApiId=api.id, resourceId=api.root, httpMethod="GET", authorizationType="NONE")
    assert refusal(aws.create_deployment, restApiId=api.id)[1] == "No integration defined for method"
    aws.put_integration(
        restApiId=api.id,
        resourceId=api.root,
        httpMethod="GET",
        type="MOCK",
        requestTemplates={"application/json": '{"statusCode": 200}'},
    )
    first = api.deploy("prod", description="first", variables={"model": "a"})
    second = aws.create_deployment(restApiId=api.id)["id"]
    summary = aws.get_deployment(restApiId=api.id, deploymentId=first, embed=["apisummary"])["apiSummary"]
    assert summary == {"/": {"GET": {"authorizationType": "NONE", "apiKeyRequired": False}}}
    listed = [one["id"] for one in aws.get_deployments(restApiId=api.id)["items"]]
    assert listed == [second, first]
    stage = {"restApiId": api.id, "stageName": "prod"}
    changed = aws.update_stage(
        **stage,
        patchOperations=[
            {"op": "replace", "path": "/deploymentId", "value": second},
            {"op": "replace", "path": "/variables/model", "value": "b"},
            {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "5"},
            {"op": "replace", "path": "/~1/GET/metrics/enabled", "value": "true"},
        ],
    )
    assert (changed["deploymentId"], changed["variables"]) == (second, {"model": "b"})
    assert changed["methodSettings"]["*/*"]["throttlingRateLimit"] == 5.0
    assert changed["methodSettings"]["~1/GET"]["metricsEnabled"] is True
    wrong = [{"op": "replace", "path": "/deploymentId", "value": "nothing"}]
    assert (
        refusal(aws.update_stage, **stage, patchOperations=wrong)[1]
        == "Invalid Deployment identifier specified"
    )
    assert aws.get_stage(**stage)["deploymentId"] == second  # nothing half-done stays
    assert refusal(aws.create_stage, **stage, deploymentId=first)[:2] == (
        "ConflictException",
        "Stage already exists",
    )
    assert refusal(aws.create_stage, restApiId=api.id, stageName="a b", deploymentId=first)[1] == (
        "Stage name only allows a-zA-Z0-9_-"
    )
    assert refusal(aws.delete_deployment, restApiId=api.id, deploymentId=second)[1] == (
        "Active stages pointing to this deployment must be moved or deleted"
    )
    aws.delete_deployment(restApiId=api.id, deploymentId=first)
    aws.create_stage(restApiId=api.id, stageName="beta", deploymentId=second)
    assert [one["stageName"] for one in aws.get_stages(restApiId=api.id)["item"]] == ["beta", "prod"]
    aws.delete_stage(restApiId=api.id, stageName="beta")
    assert (
        refusal(aws.get_stage, restApiId=api.id, stageName="beta")[1] == "Invalid stage identifier specified"
    )


def test_a_copy_of_an_api(bench: Workbench) -> None:
    aws, api = bench.gateway, bench.api()
    deep = api.resource("a", "{b}")
    api.method(deep, "GET", type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    copy = bench.api(cloneFrom=api.id)
    found = {one["path"]: one for one in aws.get_resources(restApiId=copy.id, embed=["methods"])["items"]}
    assert set(found) == {"/", "/a", "/a/{b}"} and found["/"]["id"] == copy.root
    assert found["/a/{b}"]["id"] != deep and "GET" in found["/a/{b}"]["resourceMethods"]


def test_gateway_responses_have_defaults_and_can_be_customised(bench: Workbench) -> None:
    aws, api = bench.gateway, bench.api()
    found = aws.get_gateway_response(restApiId=api.id, responseType="THROTTLED")
    assert (found["statusCode"], found["defaultResponse"]) == ("429", True)
    assert found["responseTemplates"] == {"application/json": '{"message":$context.error.messageString}'}
    assert len(aws.get_gateway_responses(restApiId=api.id)["items"]) == 21
    made = aws.put_gateway_response(restApiId=api.id, responseType="THROTTLED", statusCode="503")
    assert (made["statusCode"], made["defaultResponse"]) == ("503", False)
    aws.delete_gateway_response(restApiId=api.id, responseType="THROTTLED")
    assert aws.get_gateway_response(restApiId=api.id, responseType="THROTTLED")["statusCode"] == "429"


OPENAPI = {
    "openapi": "3.0.1",
    "info": {"title": "reviews", "version": "2"},
    "x-amazon-apigateway-binary-media-types": ["image/png"],
    "components": {
        "securitySchemes": {
            "iam": {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "x-amazon-apigateway-authtype": "awsSigv4",
            }
        }
    },
    "x-amazon-apigateway-gateway-responses": {
        "DEFAULT_4XX": {"responseParameters": {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"}}
    },
    "paths": {
        "/reviews/{id}": {
            "get": {
                "operationId": "read",
                "parameters": [{"name": "id", "in": "path", "required": True}],
                "responses": {"200": {"headers": {"X-Id": {}}}, "404": {}},
                "x-amazon-apigateway-integration": {
                    "type": "mock",
                    "requestTemplates": {"application/json": '{"statusCode": 200}'},
                    "responses": {
                        "default": {
                            "statusCode": "200",
                            "responseParameters": {"method.response.header.X-Id": "context.requestId"},
                            "responseTemplates": {"application/json": '{"id": "$input.params(\'id\')"}'},
                        },
                        "4\\d\\d": {"statusCode": "404"},
                    },
                },
            }
        },
        "/signed": {"x-amazon-apigateway-any-method": {"security": [{"iam": []}]}},
    },
}


def test_apis_from_openapi_documents(bench: Workbench) -> None:
    aws = bench.gateway
    made = aws.import_rest_api(body=json.dumps(OPENAPI))
    bench.apis.append(made["id"])
    assert (made["name"], made["version"], made["binaryMediaTypes"]) == ("reviews", "2", ["image/png"])
    api = Api(bench, made["id"], made["rootResourceId"])
    found = {one["path"]: one for one in aws.get_resources(restApiId=api.id, embed=["methods"])["items"]}
    assert set(found) == {"/", "/reviews", "/reviews/{id}", "/signed"}
    assert found["/signed"]["resourceMethods"]["ANY"]["authorizationType"] == "AWS_IAM"
    read = found["/reviews/{id}"]["resourceMethods"]["GET"]
    assert read["requestParameters"] == {"method.request.path.id": True}
    assert read["methodIntegration"]["integrationResponses"]["404"]["selectionPattern"] == "4\\d\\d"
    assert refusal(aws.create_deployment, restApiId=api.id)[1] == "No integration defined for method"
    aws.delete_method(restApiId=api.id, resourceId=found["/signed"]["id"], httpMethod="ANY")
    api.deploy()
    reply = api.send("GET", "/reviews/7")
    assert reply.document == {"id": "7"} and reply.headers["x-id"] == reply.headers["x-amzn-requestid"]
    assert api.send("GET", "/none").headers["access-control-allow-origin"] == ["*"]
    added = b"""
swagger: "2.0"
info: {title: films}
basePath: /v1
paths:
  /v1/films:
    get:
      responses: {"200": {}}
      x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: "http://127.0.0.1:9/"}
"""
    assert aws.put_rest_api(restApiId=api.id, body=added, mode="merge")["name"] == "films"
    paths = {one["path"] for one in aws.get_resources(restApiId=api.id)["items"]}
    assert paths == {"/", "/reviews", "/reviews/{id}", "/signed", "/films"}
    aws.put_rest_api(restApiId=api.id, body=added, mode="overwrite")
    paths = {one["path"] for one in aws.get_resources(restApiId=api.id)["items"]}
    assert paths == {"/", "/films"}
    assert refusal(aws.import_rest_api, body=b"{}")[0] == "BadRequestException"
    assert (
        refusal(aws.import_rest_api, body=b"[: no")[1] == "Invalid OpenAPI input: it is neither JSON nor YAML"
    )
    wrong = {**OPENAPI, "paths": {"/x": {"get": {"x-amazon-apigateway-integration": {"type": "tea"}}}}}
    assert refusal(aws.put_rest_api, restApiId=api.id, body=json.dumps(wrong))[0] == "BadRequestException"
    assert {one["path"] for one in aws.get_resources(restApiId=api.id)["items"]} == paths


def test_api_keys_and_usage_plans(bench: Workbench) -> None:
    aws, api = bench.gateway, bench.api()
    key = aws.create_api_key(name="visitor", enabled=True)
    assert len(key["value"]) == 40
    assert "value" not in aws.get_api_key(apiKey=key["id"])
    assert aws.get_api_key(apiKey=key["id"], includeValue=True)["value"] == key["value"]
    found = aws.get_api_keys(nameQuery="visit", includeValues=True)["items"]
    assert key["value"] in [one["value"] for one in found]
    assert refusal(aws.create_api_key, value="short")[0] == "BadRequestException"
    assert refusal(aws.create_api_key, value=key["value"])[0] == "ConflictException"
    stages = [{"apiId": api.id, "stage": "prod"}]
    assert refusal(aws.create_usage_plan, name="p", apiStages=stages)[1] == (
        f"API Stage not found: {api.id}:prod"
    )
    api.method(api.root, "GET", type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    api.deploy()
    plan = aws.create_usage_plan(name="p", apiStages=stages, quota={"limit": 5, "period": "DAY"})
    aws.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    assert [one["id"] for one in aws.get_usage_plans(keyId=key["id"])["items"]] == [plan["id"]]
    assert aws.get_usage_plan_keys(usagePlanId=plan["id"])["items"][0]["name"] == "visitor"
    changed = aws.update_usage_plan(
        usagePlanId=plan["id"],
        patchOperations=[
            {"op": "replace", "path": "/throttle/rateLimit", "value": "2.5"},
            {"op": "remove", "path": "/quota"},
        ],
    )
    assert changed["throttle"] == {"rateLimit": 2.5} and "quota" not in changed
    assert refusal(aws.delete_usage_plan, usagePlanId=plan["id"])[0] == "BadRequestException"
    gone = [{"op": "remove", "path": "/apiStages", "value": f"{api.id}:prod"}]
    aws.update_usage_plan(usagePlanId=plan["id"], patchOperations=gone)
    aws.delete_usage_plan(usagePlanId=plan["id"])
    aws.update_api_key(
        apiKey=key["id"], patchOperations=[{"op": "replace", "path": "/enabled", "value": "false"}]
    )
    assert aws.get_api_key(apiKey=key["id"])["enabled"] is False
    aws.delete_api_key(apiKey=key["id"])
    assert refusal(aws.get_api_key, apiKey=key["id"])[1] == "Invalid API Key identifier specified"


def test_what_is_known_and_not_offered_says_so(bench: Workbench) -> None:
    api = bench.api()
    code, text, _ = refusal(bench.gateway.get_export, restApiId=api.id, stageName="prod", exportType="oas30")
    assert code == "UnknownOperationException" and "apigateway:GetExport" in text
    assert refusal(bench.lambdas.list_event_source_mappings)[0] == "UnknownOperationException"
    assert "resource policies" in refusal(bench.gateway.create_rest_api, name="x", policy="{}")[1]
