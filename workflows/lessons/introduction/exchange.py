"""One InvokeEndpoint call as the bytes that go over the line, and as other programs would make it."""

from __future__ import annotations

import http.client
import shlex
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from workflows.failures import WorkflowError
from workflows.platform import Platform

SECRET = ("authorization", "x-amz-security-token")
TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer, headers as they were sent; credentials are left out of ``request``."""

    url: str
    request: str
    response: str
    status: int
    body: bytes


def invoke(platform: Platform, endpoint: str, body: bytes, content_type: str, accept: str) -> Exchange:
    """Signs the request (Signature Version 4, service ``sagemaker``) and sends it with nothing but an HTTP connection.

    Raises:
        WorkflowError: There is no connection, or what answers does not speak HTTP.
    """
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    root = platform.endpoint_url or f"https://runtime.sagemaker.{platform.region}.amazonaws.com"
    url = f"{root}/endpoints/{quote(endpoint)}/invocations"
    asked = AWSRequest("POST", url, data=body, headers={"Content-Type": content_type, "Accept": accept})
    credentials: Any = platform.session.get_credentials()
    SigV4Auth(credentials.get_frozen_credentials(), "sagemaker", platform.region).add_auth(asked)
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    line = kind(parts.hostname or "", parts.port, timeout=TIMEOUT)
    headers = {"Host": parts.netloc, **dict(asked.headers.items()), "Content-Length": str(len(body))}
    try:
        line.request("POST", parts.path, body=body, headers=headers)
        answer = line.getresponse()
        received = answer.read()
        answered = answer.getheaders()
    except (OSError, http.client.HTTPException) as error:
        raise WorkflowError(f"The endpoint cannot be reached: {error}.") from error
    finally:
        line.close()
    shown = [f"{name}: {_shown(name, value)}" for name, value in headers.items()]
    request = "\n".join([f"POST {parts.path} HTTP/1.1", *shown, "", body.decode("utf-8", "replace")])
    response = "\n".join(
        [
            f"HTTP/1.1 {answer.status} {answer.reason}",
            *(f"{name}: {value}" for name, value in answered),
            "",
            received.decode("utf-8", "replace"),
        ]
    )
    return Exchange(url, request, response, answer.status, received)


def curl(url: str, region: str, body: bytes, content_type: str, accept: str) -> str:
    """The same call for curl 7.75 or newer, which signs by itself; the credentials come from the environment."""
    return " \\\n  ".join(
        [
            f"curl {url}",
            f'--aws-sigv4 "aws:amz:{region}:sagemaker"',
            '--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"',
            '-H "x-amz-security-token: $AWS_SESSION_TOKEN"',
            f"-H {shlex.quote(f'Content-Type: {content_type}')}",
            f"-H {shlex.quote(f'Accept: {accept}')}",
            f"--data-binary {shlex.quote(body.decode())}",
        ]
    )


def cli(endpoint: str, body: bytes, content_type: str, accept: str) -> str:
    """The same call for the AWS CLI, version 2."""
    return (
        f"aws sagemaker-runtime invoke-endpoint --endpoint-name {endpoint} --content-type {content_type} --accept {accept} \\\n"
        f"  --cli-binary-format raw-in-base64-out --body {shlex.quote(body.decode())} /dev/stdout"
    )


def boto3(endpoint: str, body: bytes, content_type: str, accept: str) -> str:
    """The same call in Python."""
    return (
        'runtime = boto3.client("sagemaker-runtime")\n'
        f'answer = runtime.invoke_endpoint(EndpointName="{endpoint}", Body={body!r}, ContentType="{content_type}", Accept="{accept}")\n'
        'print(answer["Body"].read().decode())'
    )


def _shown(name: str, value: str) -> str:
    if name.lower() == "x-amz-security-token":
        return "(not shown)"
    if name.lower() == "authorization":
        return value.partition("Signature=")[0] + "Signature=(not shown)"
    return value
