"""What Lambda refuses in a function's configuration, and what this engine does not offer."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from engine import roles
from engine.errors import ServiceError
from engine.functions import names, record
from engine.functions.names import invalid
from engine.functions.packages import UNZIPPED_LIMIT
from engine.functions.runtime import RESERVED

if TYPE_CHECKING:
    from engine.context import Engine

_PYTHON = re.compile(r"python3\.\d+")
_ENDED = ("python2.7", "python3.6", "python3.7")
_VARIABLES_LIMIT = 4096
_MOST_LAYERS = 5
_ABSENT = {
    "FileSystemConfigs": "file systems",
    "CodeSigningConfigArn": "code signing",
    "ImageConfig": "container images",
    "CapacityProviderConfig": "capacity providers",
    "DurableConfig": "durable functions",
    "TenancyConfig": "tenant isolation",
    "AcceleratorConfig": "accelerators",
    "RuntimeConfig": "runtime configurations",
}


def runtime(name: str) -> None:
    """Refuse runtimes that Lambda has ended, and those that this engine cannot run.

    Raises:
        ServiceError: ``InvalidParameterValueException``.
    """
    if name in _ENDED:
        raise invalid(
            f"The runtime parameter of {name} is no longer supported for creating or updating AWS Lambda functions. We "
            "recommend you use a supported runtime while creating or updating functions."
        )
    if _PYTHON.fullmatch(name) is None:
        raise invalid(
            f"The runtime {name} is not offered by this engine, which runs Python functions only: use python3.8 or later."
        )


def role(engine: Engine, arn: str) -> None:
    """Refuse a role that Lambda cannot assume.

    Raises:
        ServiceError: ``InvalidParameterValueException``, ``AccessDeniedException`` for another account's role.
    """
    if arn.split(":")[4] != engine.settings.account_id:
        raise ServiceError("AccessDeniedException", "Cross-account pass role is not allowed.", 403)
    found = engine.store.find(roles.ROLE, arn.rpartition("/")[2])
    if found is None or not roles.trusts(found.document.get("Trust", {}), "lambda.amazonaws.com"):
        raise invalid("The role defined for the function cannot be assumed by Lambda.")


def offered(params: dict[str, Any]) -> None:
    """Refuse members of a request that would promise what does not happen here.

    Raises:
        ServiceError: ``InvalidParameterValueException``, naming the member.
    """
    for name, what in _ABSENT.items():
        if params.get(name):
            raise invalid(f"{name}: this engine does not offer {what} for functions.")
    if params.get("PackageType") == "Image":
        raise invalid("PackageType Image: this engine runs zip packages, no container images.")
    if (params.get("VpcConfig") or {}).get("SubnetIds"):
        raise invalid("VpcConfig: this engine has no VPC; leave it out.")
    if (params.get("DeadLetterConfig") or {}).get("TargetArn"):
        raise invalid(
            "DeadLetterConfig: this engine has no SQS and no SNS to send failed events to; leave it out."
        )
    if (params.get("SnapStart") or {}).get("ApplyOn") == "PublishedVersions":
        raise invalid("SnapStart: python functions start from their package here; leave it out.")
    if (params.get("LoggingConfig") or {}).get("LogFormat") == "JSON":
        raise invalid("LoggingConfig: this engine writes functions' logs as Text, not as JSON.")


def variables(told: dict[str, Any] | None) -> None:
    """Refuse reserved environment variables, and more than 4 KB of them.

    Raises:
        ServiceError: ``InvalidParameterValueException``.
    """
    found = (told or {}).get("Variables") or {}
    reserved = sorted(RESERVED & set(found))
    if reserved:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have provided "
            "contains reserved keys that are currently not supported for modification. Reserved keys used in this request: "
            f"{', '.join(reserved)}"
        )
    text = json.dumps(found, separators=(",", ":"), ensure_ascii=False)
    if len(text.encode()) > _VARIABLES_LIMIT:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have provided "
            f"exceeded the 4KB limit. String measured: {text}"
        )


def layers(engine: Engine, arns: list[str], unpacked: int) -> tuple[list[dict[str, Any]], list[str]]:
    """The function's ``Layers`` and their packages.

    Args:
        unpacked: Bytes of the function's own package, unpacked; 0 when they are not known anew.

    Raises:
        ServiceError: ``InvalidParameterValueException``.
    """
    if len(arns) > _MOST_LAYERS:
        raise invalid("Cannot reference more than 5 layers.")
    shown, digests = [], []
    seen: set[str] = set()
    for arn in arns:
        told = names.layer(engine.settings, arn)
        if not told.version or not arn.startswith("arn:"):
            raise invalid(f"Layer version {arn} must be the ARN of a layer's version")
        if told.name in seen:
            raise invalid(
                f"Two different versions of the same layer are not allowed to be referenced in the same function. {arn}"
            )
        seen.add(told.name)
        found = engine.store.find(record.LAYER, record.layer_name(told.name, told.version))
        if found is None:
            raise invalid(f"Layer version {arn} does not exist.")
        unpacked += found.document["Unpacked"]
        shown.append({"Arn": arn, "CodeSize": found.document["Content"]["CodeSize"]})
        digests.append(found.document["Package"])
    if unpacked > UNZIPPED_LIMIT:
        raise invalid(
            f"Function code combined with layers exceeds the maximum allowed size of {UNZIPPED_LIMIT} bytes. "
            f"The actual size is {unpacked} bytes."
        )
    return shown, digests


def matches(revision: str | None, configuration: dict[str, Any]) -> None:
    """Refuse a change that was meant for another state of the function.

    Raises:
        ServiceError: ``PreconditionFailedException``.
    """
    if revision and revision != configuration["RevisionId"]:
        raise ServiceError(
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the "
            "latest Revision Id",
            412,
            fields={"Type": "User"},
        )
