"""Functions and APIs for tests: packages made of text, roles, what is left is deleted."""

from __future__ import annotations

import io
import json
import secrets
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.engine.conftest import RunningEngine

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
ECHO = """
def handler(event, context):
    return event
"""
WEB = """
import json
def handler(event, context):
    return {"statusCode": 200, "body": json.dumps(event)}
"""


def package(**files: str) -> bytes:
    """A zip of ``name`` -> text; names without a suffix are Python modules."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in files.items():
            archive.writestr(name if "." in name else f"{name}.py", text)
    return data.getvalue()


@dataclass
class Reply:
    """What the public surface answered; header names are lower case, all values of one in a list."""

    status: int
    headers: dict[str, list[str]]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> str:
        return str(self.document["message"])


@dataclass
class Workbench:
    """Makes functions and APIs on an engine under names of its own."""

    engine: RunningEngine
    functions: list[str] = field(default_factory=list)
    apis: list[str] = field(default_factory=list)
    _role: str = ""

    def __post_init__(self) -> None:
        self.lambdas = self.engine.client("lambda")
        self.gateway = self.engine.client("apigateway")

    @property
    def role(self) -> str:
        """A role that Lambda may assume."""
        if not self._role:
            iam, name = self.engine.client("iam"), f"lambda-{secrets.token_hex(4)}"
            made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
            self._role = made["Role"]["Arn"]
        return self._role

    def function(self, code: str = ECHO, **options: Any) -> str:
        """A function whose module ``app`` is this code; its name."""
        name = options.pop("FunctionName", f"f-{secrets.token_hex(4)}")
        files = options.pop("files", {})
        self.functions.append(name)
        self.lambdas.create_function(
            **{
                "FunctionName": name,
                "Runtime": "python3.12",
                "Role": self.role,
                "Handler": "app.handler",
                "Timeout": 60,
                "Code": {"ZipFile": package(app=code, **files)},
                **options,
            }
        )
        return name

    def call(self, name: str, event: Any = None, **options: Any) -> Any:
        """What a function returns; one that fails is an error."""
        reply = self.lambdas.invoke(FunctionName=name, Payload=json.dumps(event), **options)
        payload = reply["Payload"].read()
        assert "FunctionError" not in reply, payload
        return json.loads(payload)

    def failing(self, name: str, event: Any = None, **options: Any) -> dict[str, Any]:
        """The error document of a function that fails."""
        reply = self.lambdas.invoke(FunctionName=name, Payload=json.dumps(event), **options)
        assert reply["FunctionError"] == "Unhandled"
        document: dict[str, Any] = json.loads(reply["Payload"].read())
        return document

    def api(self, **options: Any) -> Api:
        """A REST API."""
        made = self.gateway.create_rest_api(name=f"api-{secrets.token_hex(3)}", **options)
        self.apis.append(made["id"])
        return Api(self, made["id"], made["rootResourceId"])

    def clean(self) -> None:
        """Delete what was made."""
        for name in self.functions:
            try:
                self.lambdas.delete_function(FunctionName=name)
            except self.lambdas.exceptions.ResourceNotFoundException:
                continue
        for api in self.apis:
            try:
                self.gateway.delete_rest_api(restApiId=api)
            except self.gateway.exceptions.NotFoundException:
                continue


@dataclass
class Api:
    """A REST API under test."""

    bench: Workbench
    id: str
    root: str

    def resource(self, *parts: str) -> str:
        """A resource below the root, with those on the way to it."""
        at = self.root
        for part in parts:
            found = self.bench.gateway.get_resources(restApiId=self.id, limit=500)["items"]
            known = [one["id"] for one in found if one.get("parentId") == at and one["pathPart"] == part]
            at = (
                known[0]
                if known
                else self.bench.gateway.create_resource(restApiId=self.id, parentId=at, pathPart=part)["id"]
            )
        return at

    def method(self, resource: str, verb: str, authorization: str = "NONE", **integration: Any) -> None:
        """A method with an integration."""
        where = {"restApiId": self.id, "resourceId": resource, "httpMethod": verb}
        self.bench.gateway.put_method(**where, authorizationType=authorization)
        self.bench.gateway.put_integration(**where, **integration)

    def lambda_method(
        self, resource: str, verb: str, function: str, authorization: str = "NONE", **more: Any
    ) -> None:
        """A method that a function answers."""
        self.method(
            resource,
            verb,
            authorization,
            **{"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": self.uri(function), **more},
        )

    def uri(self, function: str) -> str:
        """What an integration calls a function."""
        arn = f"arn:aws:lambda:us-east-1:{self.bench.engine.connection.account_id}:function:{function}"
        return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"

    def permit(self, function: str, source: str = "*/*", **options: Any) -> None:
        """Let the API invoke a function."""
        account = self.bench.engine.connection.account_id
        self.bench.lambdas.add_permission(
            FunctionName=function,
            StatementId=f"s-{secrets.token_hex(4)}",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:us-east-1:{account}:{self.id}/{source}",
            **options,
        )

    def deploy(self, stage: str = "prod", **options: Any) -> str:
        """Deploy to a stage; the deployment's id."""
        return str(self.bench.gateway.create_deployment(restApiId=self.id, stageName=stage, **options)["id"])

    def path(self, path: str = "/", stage: str = "prod") -> str:
        """A path on the engine's port."""
        return f"/restapis/{self.id}/{stage}/_user_request_{path}"

    def send(
        self,
        verb: str,
        path: str = "/",
        body: bytes | str | None = None,
        headers: dict[str, str] | None = None,
        stage: str = "prod",
    ) -> Reply:
        """A request to the stage."""
        return send(self.bench.engine, verb, self.path(path, stage), body, headers)


def send(
    engine: RunningEngine,
    verb: str,
    path: str,
    body: bytes | str | None = None,
    headers: dict[str, str] | None = None,
) -> Reply:
    """A request as a browser sends it: unsigned."""
    wire = HTTPConnection(engine.connection.host, engine.connection.port, timeout=60)
    try:
        wire.request(verb, path, body, headers or {})
        reply = wire.getresponse()
        found: dict[str, list[str]] = {}
        for name, value in reply.getheaders():
            found.setdefault(name.lower(), []).append(value)
        return Reply(reply.status, found, reply.read())
    finally:
        wire.close()


def signed_headers(engine: RunningEngine, verb: str, path: str, secret: str | None = None) -> dict[str, str]:
    """The headers of a request to an API with authorizationType AWS_IAM, as botocore signs it."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    request = AWSRequest(verb, f"{engine.url}{path}")
    known = Credentials(engine.connection.access_key, secret or engine.connection.secret_key)
    SigV4Auth(known, "execute-api", "us-east-1").add_auth(request)
    return dict(request.headers.items())


def refusal(call: Any, **params: Any) -> tuple[str, str, int]:
    """Code, text and HTTP status of a call that must be refused."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    answer = caught.value.response
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    return answer["Error"]["Code"], answer["Error"]["Message"], status


def bench(engine: RunningEngine) -> Iterator[Workbench]:
    """A workbench that is cleaned afterwards: the body of a fixture."""
    made = Workbench(engine)
    yield made
    made.clean()
