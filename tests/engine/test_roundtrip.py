"""What the engine renders botocore's own parsers read back, and what botocore's serializers send the engine reads."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import botocore.parsers
import botocore.serialize
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.protocol import models, parse, render, routing
from engine.protocol.routing import Route
from tests.engine.shapes import values

_OPERATIONS = [
    ("sagemaker", "DescribeTrainingJob", "json"),
    ("sagemaker", "ListTrainingJobs", "json"),
    ("sagemaker", "CreateTrainingJob", "json"),
    ("sagemaker", "DescribeEndpoint", "json"),
    ("sagemaker", "CreateEndpoint", "json"),
    ("sagemaker", "Search", "json"),
    ("logs", "FilterLogEvents", "json"),
    ("logs", "PutLogEvents", "json"),
    ("cloudwatch", "GetMetricData", "json"),
    ("cloudwatch", "GetMetricData", "query"),
    ("cloudwatch", "GetMetricData", "smithy-rpc-v2-cbor"),
    ("cloudwatch", "GetMetricWidgetImage", "smithy-rpc-v2-cbor"),
    ("cloudwatch", "DescribeAlarms", "smithy-rpc-v2-cbor"),
    ("cloudwatch", "PutMetricData", "smithy-rpc-v2-cbor"),
    ("cloudwatch", "PutMetricData", "query"),
    ("cloudwatch", "DescribeAlarms", "query"),
    ("sts", "AssumeRole", "query"),
    ("iam", "SimulatePrincipalPolicy", "query"),
    ("iam", "ListRoles", "query"),
    ("iam", "CreateRole", "query"),
    ("sagemaker-runtime", "InvokeEndpoint", "rest-json"),
    ("sagemaker-metrics", "BatchPutMetrics", "rest-json"),
    ("lambda", "CreateFunction", "rest-json"),
    ("lambda", "ListFunctions", "rest-json"),
    ("apigateway", "GetRestApis", "rest-json"),
    ("s3", "ListObjectsV2", "rest-xml"),
    ("s3", "ListBuckets", "rest-xml"),
    ("s3", "CompleteMultipartUpload", "rest-xml"),
    ("s3", "DeleteObjects", "rest-xml"),
    ("s3", "CopyObject", "rest-xml"),
    ("s3", "PutBucketTagging", "rest-xml"),
    ("s3", "GetObjectAttributes", "rest-xml"),
    ("s3", "GetBucketAcl", "rest-xml"),
    ("s3", "HeadObject", "rest-xml"),
]
_RELAXED = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
# Values that their own protocol cannot carry: S3 writes Expires as text, and prefixes of headers are lower case on the wire.
_LEFT_OUT = {"Expires", "Metadata", "ResponseMetadata"}


@pytest.mark.parametrize(("service", "operation", "wire"), _OPERATIONS)
@_RELAXED
@given(data=st.data())
def test_botocore_reads_what_the_engine_renders(
    service: str, operation: str, wire: str, data: st.DataObject
) -> None:
    shape = models.operation(service, operation).output_shape
    if shape is None:
        return
    output = {name: value for name, value in data.draw(values(shape)).items() if name not in _LEFT_OUT}
    answer = render.response(
        Route(models.SERVICES[service], operation, wire.removeprefix("smithy-rpc-v2-"), {}),
        output,
        "request-1",
    )
    assert isinstance(answer.body, bytes)
    response = {"body": answer.body, "headers": _Headers(answer.headers), "status_code": answer.status}
    payload = shape.serialization.get("payload")
    streams = bool(payload) and shape.members[payload].type_name == "blob"
    if streams:
        response["body"] = BytesIO(answer.body)
    parsed = botocore.parsers.create_parser(wire).parse(response, shape)
    if streams:
        parsed[payload] = parsed[payload].read()
    parsed.pop("ResponseMetadata")
    assert _plain(_known(parsed, output)) == _plain(output)


@pytest.mark.parametrize(("service", "operation", "wire"), _OPERATIONS)
@_RELAXED
@given(data=st.data())
def test_the_engine_reads_what_botocore_sends(
    service: str, operation: str, wire: str, data: st.DataObject
) -> None:
    model = models.operation(service, operation)
    given = {
        name: value for name, value in data.draw(values(model.input_shape)).items() if name not in _LEFT_OUT
    }
    for name in ("Bucket", "Key", "EndpointName", "FunctionName"):
        if name in given:
            given[name] = "a-name"
    sent = botocore.serialize.create_serializer(wire, include_validation=False).serialize_to_request(
        given, model
    )
    headers = {name.lower(): str(value) for name, value in sent["headers"].items()}
    body = sent["body"]
    query = sent["query_string"]
    if wire == "query":
        body = urlencode(body, doseq=True).encode()
        headers["content-type"] = "application/x-www-form-urlencoded; charset=utf-8"
        route = routing.by_form(body)
    elif wire == "smithy-rpc-v2-cbor":
        route = routing.by_rpc(sent["url_path"])
    elif wire == "json":
        route = routing.by_target(headers["x-amz-target"])
    else:
        path, _, more = sent["url_path"].partition("?")
        pairs = [pair.partition("=")[::2] for pair in more.split("&") if pair]
        pairs += [
            (name, one)
            for name, value in (query or {}).items()
            for one in (value if isinstance(value, list) else [value])
        ]
        query = urlencode(pairs)
        headers = {**headers}
        route = routing.by_path(models.SERVICES[service].scope, sent["method"], path, dict(pairs), headers)
    assert (route.service.name, route.operation) == (service, operation)
    body = body.encode() if isinstance(body, str) else bytes(body or b"")
    params = parse.parameters(route, query if isinstance(query, str) else "", headers, body)
    assert _plain(_known(params, given)) == _plain(given)


class _Headers(dict):  # type: ignore[type-arg]
    """Response headers as botocore's parsers want them: lookups ignore case."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())

    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


def _known(found: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
    """Top-level members that were given; parsers add empty ones for headers and bodies that are not there."""
    return {
        name: value for name, value in found.items() if name in wanted or value not in (None, "", b"", {}, [])
    }


def _plain(value: Any) -> Any:
    """Times as epoch milliseconds, and empty structures gone: forms and XML cannot carry them."""
    if isinstance(value, datetime):
        return round(value.astimezone(UTC).timestamp() * 1000)
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items() if _plain(item) not in ({}, [], None)}
    if isinstance(value, list):
        return [_plain(item) for item in value if _plain(item) != {}]
    if isinstance(value, float):
        return float(json.dumps(value))
    return value
