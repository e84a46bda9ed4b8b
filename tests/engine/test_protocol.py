"""Requests that are not as they should be, and errors in the form that each protocol's clients read."""

from __future__ import annotations

import asyncio
import gzip
import json
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import pytest
from botocore.exceptions import ClientError

from engine import registry
from engine.app import Application
from engine.context import Engine
from engine.control import Control
from engine.errors import ServiceError
from engine.http import Response
from engine.protocol import cbor
from engine.protocol.models import INVOCATION_LIMIT
from engine.settings import Settings
from tests.engine.conftest import RunningEngine
from tests.engine.raw import Answer, send, signed

_JSON = "application/x-amz-json-1.1"
_FORM = "application/x-www-form-urlencoded; charset=utf-8"


def _json_call(engine: RunningEngine, target: str, body: bytes, scope: str = "sagemaker") -> Answer:
    headers = {"x-amz-target": target, "content-type": _JSON}
    return signed(engine.connection, "POST", "/", scope=scope, headers=headers, body=body)


def _form_call(engine: RunningEngine, body: bytes, scope: str) -> Answer:
    return signed(engine.connection, "POST", "/", scope=scope, headers={"content-type": _FORM}, body=body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "not valid JSON"),
        (b"[]", "Start of list found where a structure was expected"),
        (b"null", "NULL_VALUE found where a structure was expected"),
        (b'"text"', "STRING_VALUE found where a structure was expected"),
        (b'{"MaxResults": "ten"}', "STRING_VALUE can not be converted to an Integer"),
        (b'{"MaxResults": 1.5}', "NUMBER_VALUE can not be converted to an Integer"),
        (b'{"MaxResults": true}', "TRUE_VALUE can not be converted to an Integer"),
        (b'{"MaxResults": 99999999999}', "out of range of integer"),
        (b'{"MaxResults": NaN}', "not valid JSON"),
        (b'{"MaxResults": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (b'{"NameContains": 5}', "NUMBER_VALUE can not be converted to a String"),
        (b'{"NameContains": {}}', "Start of structure or map found where not expected"),
        (b'{"NameContains": "\\ud800"}', "not valid UTF-8"),
        (b'{"NameContains": "\xff"}', "not valid UTF-8"),
        (b'{"CreationTimeAfter": "yesterday"}', "can not be converted to a timestamp"),
        (b'{"CreationTimeAfter": 1e300}', "can not be converted to a timestamp"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_bodies_that_are_not_the_operations(engine: RunningEngine, body: bytes, said: str) -> None:
    answer = _json_call(engine, "SageMaker.ListTrainingJobs", body)
    document = json.loads(answer.body)
    assert answer.status == 400
    assert document["__type"] == "SerializationException"
    assert said in document["message"]
    assert answer.headers["x-amzn-requestid"]
    assert answer.headers["content-type"] == _JSON


def test_a_recursive_shape_nested_too_deeply(engine: RunningEngine) -> None:
    deep = b'{"SubExpressions":[' * 5000 + b"{}" + b"]}" * 5000
    answer = _json_call(
        engine, "SageMaker.Search", b'{"Resource":"TrainingJob","SearchExpression":' + deep + b"}"
    )
    assert answer.status == 400
    assert json.loads(answer.body)["__type"] == "SerializationException"


def test_operations_that_are_not_there(engine: RunningEngine) -> None:
    unknown = _json_call(engine, "SageMaker.MakeTea", b"{}")
    assert (unknown.status, json.loads(unknown.body)["__type"]) == (400, "UnknownOperationException")
    nobody = _json_call(engine, "TeaService.MakeTea", b"{}")
    assert (nobody.status, json.loads(nobody.body)["__type"]) == (404, "UnknownOperationException")
    with pytest.raises(ClientError) as known:
        engine.client("sagemaker").list_notebook_instances()
    assert known.value.response["Error"]["Code"] == "UnknownOperationException"
    assert "sagemaker:ListNotebookInstances" in known.value.response["Error"]["Message"]
    with pytest.raises(ClientError) as query:
        engine.client("iam").list_users()
    assert query.value.response["Error"]["Code"] == "InvalidAction"
    with pytest.raises(ClientError) as rest:
        engine.client("lambda").list_event_source_mappings()
    assert rest.value.response["Error"]["Code"] == "UnknownOperationException"
    with pytest.raises(ClientError) as xml:
        engine.client("s3").get_object_torrent(Bucket="bucket", Key="key")
    assert (
        xml.value.response["Error"]["Code"],
        xml.value.response["ResponseMetadata"]["HTTPStatusCode"],
    ) == ("NotImplemented", 501)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"Version=2011-06-15", "MissingAction"),
        (b"Action=GetCallerIdentity&Version=1999-01-01", "NoSuchVersion"),
        (b"Action=MakeTea&Version=2011-06-15", "InvalidAction"),
        (b"Action=%ff&Version=2011-06-15", "MalformedQueryString"),
        (
            b"Action=AssumeRole&Version=2011-06-15&DurationSeconds=long&RoleArn=a&RoleSessionName=b",
            "MalformedInput",
        ),
        (b"Action=AssumeRole&Version=2011-06-15&" + b"a." * 100 + b"=1", "MalformedInput"),
        (b"Action=AssumeRole&Version=2011-06-15", "ValidationError"),
    ],
)
def test_forms_that_are_not_right(engine: RunningEngine, body: bytes, code: str) -> None:
    answer = _form_call(engine, body, "sts")
    assert answer.status == 400
    assert ElementTree.fromstring(answer.body).findtext("Error/Code") == code
    assert ElementTree.fromstring(answer.body).findtext("Error/Type") == "Sender"
    assert ElementTree.fromstring(answer.body).findtext("RequestId")


def test_a_presigned_call_of_the_query_protocol(engine: RunningEngine) -> None:
    url = engine.client("sts").generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    answer = send(engine.connection, "GET", url.removeprefix(engine.url))
    assert answer.status == 200, answer.body
    assert engine.connection.account_id.encode() in answer.body
    unsigned = send(engine.connection, "GET", "/?Action=GetCallerIdentity&Version=2011-06-15")
    assert ElementTree.fromstring(unsigned.body).findtext("Error/Code") == "MissingAuthenticationToken"


def test_cloudwatch_by_an_older_client(engine: RunningEngine) -> None:
    put = (
        b"Action=PutMetricData&Version=2010-08-01&Namespace=Old&MetricData.member.1.MetricName=m&MetricData.member.1.Value=3.5"
        b"&MetricData.member.1.Dimensions.member.1.Name=d&MetricData.member.1.Dimensions.member.1.Value=x"
    )
    answer = _form_call(engine, put, "monitoring")
    assert answer.status in (200, 400)
    root = ElementTree.fromstring(answer.body)
    if answer.status == 400:
        assert root.findtext("Error/Code") == "InvalidAction"
    broken = _form_call(engine, put.replace(b"3.5", b"much"), "monitoring")
    assert ElementTree.fromstring(broken.body).findtext("Error/Code") in ("MalformedInput", "InvalidAction")


@pytest.mark.parametrize("target", ["json", "form"])
def test_bodies_in_gzip(engine: RunningEngine, target: str) -> None:
    packing = {"content-encoding": "gzip"}
    if target == "json":
        headers = {"x-amz-target": "SageMaker.ListModels", "content-type": _JSON, **packing}
        plain, scope = b'{"NameContains": "no-such-model"}', "sagemaker"
    else:
        headers = {"content-type": _FORM, **packing}
        plain, scope = b"Action=GetCallerIdentity&Version=2011-06-15", "sts"

    def call(body: bytes) -> Answer:
        return signed(engine.connection, "POST", "/", scope=scope, headers=headers, body=body)

    assert call(gzip.compress(plain)).status == 200
    assert call(plain).status == 400
    assert call(gzip.compress(plain)[:-4]).status == 400
    assert call(gzip.compress(b" " * (65 * 2**20))).status == 413


def test_cloudwatch_packs_what_is_large(engine: RunningEngine) -> None:
    client = engine.client("cloudwatch")
    sent: list[str] = []
    client.meta.events.register(
        "before-send", lambda request, **_: sent.append(str(request.headers.get("Content-Encoding")))
    )
    data = [{"MetricName": f"metric-{number}", "Value": 1.0, "Unit": "Count"} for number in range(400)]
    client.put_metric_data(Namespace="Packed", MetricData=data)
    assert sent[-1] in ("gzip", "b'gzip'")


def _rpc_call(engine: RunningEngine, operation: str, body: bytes) -> Answer:
    return signed(
        engine.connection,
        "POST",
        f"/service/GraniteServiceVersion20100801/operation/{operation}",
        scope="monitoring",
        headers={
            "smithy-protocol": "rpc-v2-cbor",
            "content-type": "application/cbor",
            "x-amzn-query-mode": "true",
        },
        body=body,
    )


def test_cloudwatch_by_another_languages_client(engine: RunningEngine) -> None:
    datum = {
        "MetricName": "m",
        "Value": 2.5,
        "Timestamp": datetime.now(UTC),
        "Dimensions": [{"Name": "d", "Value": "x"}],
    }
    put = _rpc_call(engine, "PutMetricData", cbor.encode({"Namespace": "Rpc", "MetricData": [datum]}))
    assert (put.status, put.headers["smithy-protocol"]) == (200, "rpc-v2-cbor")
    listed = cbor.decode(_rpc_call(engine, "ListMetrics", cbor.encode({"Namespace": "Rpc"})).body)
    assert [metric["MetricName"] for metric in listed["Metrics"]] == ["m"]
    refused = _rpc_call(engine, "PutMetricData", cbor.encode({}))
    assert (refused.status, cbor.decode(refused.body)["__type"]) == (400, "ValidationException")
    assert refused.headers["x-amzn-query-error"] == "ValidationError;Sender"
    for operation, body in (("ListMetrics", b"\xff"), ("MakeTea", b"\xa0")):
        answer = _rpc_call(engine, operation, body)
        assert answer.status == 400
        assert cbor.decode(answer.body)["__type"] in ("SerializationException", "UnknownOperationException")
    stranger = send(engine.connection, "POST", "/service/x/operation/y", {"smithy-protocol": "rpc-v2-cbor"})
    assert 400 <= stranger.status < 500


def test_a_body_beyond_the_limit(engine: RunningEngine) -> None:
    client = engine.client("sagemaker-runtime")
    with pytest.raises(ClientError) as refused:
        client.invoke_endpoint(EndpointName="none", Body=b"x" * (INVOCATION_LIMIT + 1))
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    with pytest.raises(ClientError) as allowed:
        client.invoke_endpoint(EndpointName="none", Body=b"x" * INVOCATION_LIMIT)
    assert allowed.value.response["Error"]["Code"] == "ValidationError"
    huge = send(
        engine.connection, "POST", "/", {"x-amz-target": "SageMaker.ListModels", "content-length": str(2**40)}
    )
    assert 400 <= huge.status < 500


def test_xml_that_is_not_right(engine: RunningEngine) -> None:
    for body in (b"<Delete>", b"not xml", b'<!DOCTYPE a [<!ENTITY b "c">]><Delete>&b;</Delete>'):
        answer = signed(engine.connection, "POST", "/bucket?delete", body=body)
        assert answer.status in (400, 501)
        if answer.status == 400:
            assert ElementTree.fromstring(answer.body).findtext("Code") == "MalformedXML"


class _Wire:
    """An application called as uvicorn calls it, to see what handlers' results and failures become."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.app = Application(engine, Control(engine, "nonce"))
        self.disconnects = False

    async def call(
        self, method: str, path: str, scope: str, headers: dict[str, str], body: bytes = b""
    ) -> tuple[int, dict[str, str], bytes]:
        from botocore.auth import S3SigV4Auth, SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        settings = self.engine.settings
        request = AWSRequest(method, f"http://127.0.0.1:1{path}", data=body, headers=headers)
        signer = S3SigV4Auth if scope == "s3" else SigV4Auth
        signer(Credentials(settings.access_key, settings.secret_key), scope, settings.region).add_auth(
            request
        )
        sent: list[dict[str, Any]] = []

        received = iter(({"type": "http.request", "body": body, "more_body": False},))

        async def receive() -> dict[str, Any]:
            for message in received:
                return message
            if not self.disconnects:
                await asyncio.Event().wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        lines = [(name.lower().encode(), str(value).encode()) for name, value in request.headers.items()]
        plain, _, query = path.partition("?")
        await self.app(
            {
                "type": "http",
                "method": method,
                "raw_path": plain.encode(),
                "query_string": query.encode(),
                "headers": [*lines, (b"host", b"127.0.0.1:1")],
            },
            receive,
            send,
        )
        found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], found, b"".join(message.get("body", b"") for message in sent[1:])


@pytest.fixture
def wire(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> _Wire:
    monkeypatch.setattr(registry, "_operations", {})
    return _Wire(Engine(Settings(tmp_path / "data", "123456789012", "AKIAEXAMPLEEXAMPLE00", "secret")))


_REQUESTS = {
    ("sagemaker", "ListModels"): ("POST", "/", "sagemaker", {"X-Amz-Target": "SageMaker.ListModels"}, b"{}"),
    ("cloudwatch", "ListMetrics"): (
        "POST", "/", "monitoring",
        {"X-Amz-Target": "GraniteServiceVersion20100801.ListMetrics", "x-amzn-query-mode": "true"}, b"{}",
    ),
    ("iam", "ListRoles"): ("POST", "/", "iam", {"Content-Type": _FORM}, b"Action=ListRoles&Version=2010-05-08"),
    ("sagemaker-runtime", "InvokeEndpoint"): ("POST", "/endpoints/e/invocations", "sagemaker", {}, b"1"),
    ("s3", "ListObjectsV2"): ("GET", "/bucket?list-type=2", "s3", {}, b""),
}  # fmt: skip


@pytest.mark.parametrize("operation", _REQUESTS)
async def test_a_handler_that_fails(
    wire: _Wire, operation: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    @registry.operation(*operation)
    async def broken(engine: Any, request: Any, params: Any) -> dict[str, Any]:
        raise ZeroDivisionError("a secret detail")

    status, headers, body = await wire.call(*_REQUESTS[operation])
    assert status == 500
    assert b"InternalFailure" in body or headers["x-amzn-errortype"] == "InternalFailure"
    assert b"secret detail" not in body
    assert "ZeroDivisionError: a secret detail" in caplog.text
    assert headers.get("x-amzn-requestid") or headers.get("x-amz-request-id")


@pytest.mark.parametrize("operation", _REQUESTS)
async def test_a_handler_that_refuses(wire: _Wire, operation: tuple[str, str]) -> None:
    @registry.operation(*operation)
    async def refuses(engine: Any, request: Any, params: Any) -> dict[str, Any]:
        raise ServiceError(
            "TeaPot", "<short & stout>", 418, fields={"Handle": "here"}, headers={"x-tea": "green"}
        )

    status, headers, body = await wire.call(*_REQUESTS[operation])
    assert status == 418
    assert headers["x-tea"] == "green"
    if operation[0] in ("iam", "s3"):
        root = ElementTree.fromstring(body)
        error = root.find("Error") if operation[0] == "iam" else root
        assert error is not None
        assert (error.findtext("Code"), error.findtext("Message")) == ("TeaPot", "<short & stout>")
        assert operation[0] == "iam" or root.findtext("Handle") == "here"
    else:
        document = json.loads(body)
        assert (document["message"], document["Handle"]) == ("<short & stout>", "here")
        assert headers["x-amzn-errortype"] == "TeaPot"
        assert document.get("__type", "TeaPot") == "TeaPot"
    if operation[0] == "cloudwatch":
        assert headers["x-amzn-query-error"] == "TeaPot;Sender"


async def test_modelled_errors_have_the_models_status_and_names(wire: _Wire) -> None:
    @registry.operation("cloudwatch", "ListMetrics")
    async def refuses(engine: Any, request: Any, params: Any) -> dict[str, Any]:
        raise ServiceError("InvalidParameterValue", "no")

    _, headers, body = await wire.call(*_REQUESTS["cloudwatch", "ListMetrics"])
    assert json.loads(body)["__type"] == "InvalidParameterValueException"
    assert headers["x-amzn-query-error"] == "InvalidParameterValue;Sender"

    @registry.operation("sagemaker-runtime", "InvokeEndpoint")
    async def model_error(engine: Any, request: Any, params: Any) -> dict[str, Any]:
        raise ServiceError("ModelError", "boom", fields={"OriginalStatusCode": 500})

    status, _, body = await wire.call(*_REQUESTS["sagemaker-runtime", "InvokeEndpoint"])
    assert status == 424
    assert json.loads(body) == {"Message": "boom", "OriginalStatusCode": 500}


async def test_a_header_cannot_be_split(wire: _Wire) -> None:
    @registry.operation("s3", "ListObjectsV2")
    async def splits(engine: Any, request: Any, params: Any) -> Response:
        return Response(200, {"x-note": "a\r\nset-cookie: b", "x-far": "数"}, b"")

    _, headers, _ = await wire.call(*_REQUESTS["s3", "ListObjectsV2"])
    assert headers["x-note"] == "a  set-cookie: b"
    assert "set-cookie" not in headers


async def test_a_stream_ends_when_its_reader_has_gone(wire: _Wire) -> None:
    ended: list[int] = []

    @registry.operation("s3", "ListObjectsV2")
    async def endless(engine: Any, request: Any, params: Any) -> Response:
        async def chunks() -> Any:
            number = 0
            try:
                while True:
                    number += 1
                    yield b"x"
                    await asyncio.sleep(0)
            finally:
                ended.append(number)

        return Response(200, {}, chunks())

    wire.disconnects = True
    await asyncio.wait_for(wire.call(*_REQUESTS["s3", "ListObjectsV2"]), 30)
    assert len(ended) == 1


async def test_an_empty_structure_with_required_members_is_not_sent(wire: _Wire) -> None:
    @registry.operation("sagemaker", "ListModels")
    async def hollow(engine: Any, request: Any, params: Any) -> dict[str, Any]:
        return {"Models": [{"ModelName": "m", "ModelArn": None, "Unknown": 1}], "NextToken": None}

    _, _, body = await wire.call(*_REQUESTS["sagemaker", "ListModels"])
    assert json.loads(body) == {"Models": [{"ModelName": "m"}]}

    @registry.operation("sagemaker", "DescribeModel")
    async def model(engine: Any, request: Any, params: Any) -> dict[str, Any]:
        return {
            "ModelName": params["ModelName"],
            "VpcConfig": {},
            "PrimaryContainer": {},
            "CreationTime": 1.0005,
        }

    headers = {"X-Amz-Target": "SageMaker.DescribeModel"}
    _, _, body = await wire.call(
        "POST", "/", "sagemaker", headers, b'{"ModelName": "m", "Unknown": {"x": 1}}'
    )
    assert json.loads(body) == {"ModelName": "m", "PrimaryContainer": {}, "CreationTime": 1.0}


async def test_an_event_stream(wire: _Wire) -> None:
    from botocore.eventstream import EventStreamBuffer

    @registry.operation("sagemaker-runtime", "InvokeEndpointWithResponseStream")
    async def stream(engine: Any, request: Any, params: Any) -> dict[str, Any]:
        async def parts() -> Any:
            yield {"PayloadPart": {"Bytes": b"one"}}
            yield {"PayloadPart": {"Bytes": b"two"}}
            raise ServiceError("ModelStreamError", "broke off", fields={"ErrorCode": "X"})

        return {"Body": parts(), "ContentType": "text/plain"}

    status, headers, body = await wire.call(
        "POST", "/endpoints/e/invocations-response-stream", "sagemaker", {}, b"1"
    )
    assert (status, headers["content-type"]) == (200, "application/vnd.amazon.eventstream")
    buffer = EventStreamBuffer()
    buffer.add_data(body)
    events = list(buffer)
    assert [event.payload for event in events[:2]] == [b"one", b"two"]
    assert events[2].headers[":exception-type"] == "ModelStreamError"
    assert json.loads(events[2].payload)["Message"] == "broke off"
