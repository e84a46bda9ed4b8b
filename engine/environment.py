"""The environment in which any AWS client of a shell talks to the engine."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.connection import Connection
from engine.credentials import write_private
from engine.layout import Layout

# What would win over the variables set here, or make a client look for a profile that is not there.
UNSET = (
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_ENDPOINT_URL_SAGEMAKER",
    "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME",
    "AWS_ENDPOINT_URL_SAGEMAKER_METRICS",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_IAM",
    "AWS_ENDPOINT_URL_CLOUDWATCH",
    "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
    "AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING",
    "AWS_ENDPOINT_URL_LAMBDA",
    "AWS_ENDPOINT_URL_API_GATEWAY",
    "AWS_ENDPOINT_URL_APIGATEWAYV2",
    "AWS_ENDPOINT_URL_ECR",
)
SET = (
    "AWS_ENDPOINT_URL",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EC2_METADATA_DISABLED",
    "SAGEMAKER_USER_CONFIG_OVERRIDE",
    "MLCONSOLE_ROLE_ARN",
    "MLCONSOLE_BUCKET",
)
_PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


def sdk_defaults(bucket: str) -> str:
    """The SageMaker SDK's defaults file (schema 1.0, the same in v2 and v3): its default bucket, and no telemetry.

    With a default bucket named here neither SDK asks STS at its hard-coded address of the real AWS.
    """
    return (
        "SchemaVersion: '1.0'\n"
        "SageMaker:\n"
        "  PythonSDK:\n"
        "    Modules:\n"
        "      TelemetryOptOut: true\n"
        "      Session:\n"
        f"        DefaultS3Bucket: {bucket}\n"
    )


def variables(
    connection: Connection, layout: Layout, environment: Mapping[str, str] | None = None
) -> dict[str, str]:
    """What to export. Writes the SDK's defaults file and the `doorway` that two of the variables name."""
    write_private(layout.sdk_defaults, sdk_defaults(connection.default_bucket))
    source = Path(__file__).with_name("doorway.py").read_text(encoding="utf-8")
    write_private(layout.doorway / "sitecustomize.py", source)
    current = os.environ if environment is None else environment
    found = {
        "AWS_ENDPOINT_URL": connection.url,
        "AWS_ACCESS_KEY_ID": connection.access_key,
        "AWS_SECRET_ACCESS_KEY": connection.secret_key,
        "AWS_DEFAULT_REGION": connection.region,
        "AWS_REGION": connection.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(layout.sdk_defaults),
        "MLCONSOLE_ROLE_ARN": connection.role_arn,
        "MLCONSOLE_BUCKET": connection.default_bucket,
        "PYTHONPATH": os.pathsep.join(
            [str(layout.doorway.absolute()), *_own_path(current, layout.doorway.name)]
        ),
    }
    if any(current.get(name) for name in _PROXIES):
        # botocore sends loopback through a proxy as well, unless it is told not to.
        kept = current.get("NO_PROXY") or current.get("no_proxy") or ""
        hosts = [host for host in kept.split(",") if host]
        found["NO_PROXY"] = found["no_proxy"] = ",".join(dict.fromkeys([*hosts, "127.0.0.1", "localhost"]))
    return found


def exports(values: Mapping[str, str], shell: str) -> str:
    """Commands of ``shell`` (posix, fish or powershell) that set the variables and unset those that stand in their way."""
    return (
        "\n".join([*(_set(shell, name, value) for name, value in values.items()), *_unset(shell, UNSET)])
        + "\n"
    )


def removal(shell: str, layout: Layout, environment: Mapping[str, str] | None = None) -> str:
    """Commands of ``shell`` that undo `exports`; a PYTHONPATH of the person's own stays."""
    own = _own_path(os.environ if environment is None else environment, layout.doorway.name)
    last = [_set(shell, "PYTHONPATH", os.pathsep.join(own))] if own else _unset(shell, ["PYTHONPATH"])
    return "\n".join([*_unset(shell, SET), *last]) + "\n"


def _own_path(environment: Mapping[str, str], doorway: str) -> list[str]:
    """PYTHONPATH without any engine's doorway."""
    entries = environment.get("PYTHONPATH", "").split(os.pathsep)
    return [entry for entry in entries if entry and Path(entry).name != doorway]


def _unset(shell: str, names: Sequence[str]) -> list[str]:
    if shell == "posix":
        return [f"unset {' '.join(names)}"]
    if shell == "fish":
        return [f"set -e {name};" for name in names]
    return [f"Remove-Item Env:{name} -ErrorAction SilentlyContinue" for name in names]


def _set(shell: str, name: str, value: str) -> str:
    if shell == "posix":
        return f"export {name}={shlex.quote(value)}"
    if shell == "fish":
        quoted = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"set -gx {name} '{quoted}';"
    quoted = value.replace("'", "''")
    return f"$Env:{name} = '{quoted}'"
