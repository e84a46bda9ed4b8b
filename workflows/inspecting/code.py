"""The equivalent of what is looked at, to be sent to a colleague: AWS CLI, boto3, SageMaker SDK."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows.inspecting.kinds import Kind, find

LINE = 80
"""Characters of a command on one line; a longer one has a line for each option."""


@dataclass(frozen=True, slots=True)
class Where:
    """The target as clients are told of it; ``endpoint_url`` is empty on AWS."""

    region: str = ""
    profile: str = ""
    endpoint_url: str = ""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A piece of code with what it does."""

    title: str
    text: str


def snippets(kind: str, name: str, document: Mapping[str, Any], where: Where) -> tuple[Snippet, ...]:
    """What asks for this resource, and what would make one like it."""
    found = find(kind)
    asked: dict[str, Any] = {found.member: [name] if kind == "alarm" else name}
    parts = [
        Snippet("AWS CLI: describe", command_line(found.service, found.describe, asked, where)),
        Snippet("boto3: describe", boto3_call(found.service, found.describe, asked, where)),
    ]
    if found.sdk:
        parts.append(Snippet("SageMaker SDK v3: describe", _sdk(found, name, where)))
    wanted = request_of(found, document)
    if wanted:
        parts += [
            Snippet(
                "boto3: make one like it (give it another name)",
                boto3_call(found.service, found.create, wanted, where),
            ),
            Snippet(
                "AWS CLI: make one like it (give it another name)",
                command_line(found.service, found.create, wanted, where),
            ),
        ]
    return tuple(parts)


def request_of(kind: Kind, document: Mapping[str, Any]) -> dict[str, Any]:
    """The request that would make such a resource: what Describe answers and Create takes, by botocore's service model.

    Members that Create does not know are left out at every depth, and so are empty ones and structures that lack what Create requires.
    """
    if not kind.create:
        return {}
    from botocore import xform_name

    model = _service_model(kind.service)
    operation = next(name for name in model.operation_names if xform_name(name) == kind.create)
    shape = model.operation_model(operation).input_shape
    taken = _taken(document, shape)
    return taken if isinstance(taken, dict) else {}


def _taken(value: Any, shape: Any) -> Any:
    if shape.type_name == "structure" and isinstance(value, Mapping):
        members = {
            name: taken
            for name, inner in shape.members.items()
            if name in value and (taken := _taken(value[name], inner)) not in (None, {}, [], "")
        }
        return members if members.keys() >= set(shape.required_members) else {}
    if shape.type_name == "list" and isinstance(value, list):
        return [_taken(item, shape.member) for item in value]
    if shape.type_name == "map" and isinstance(value, Mapping):
        return {name: _taken(item, shape.value) for name, item in value.items()}
    return value


def _service_model(service: str) -> Any:
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def command_line(service: str, method: str, parameters: Mapping[str, Any], where: Where) -> str:
    """A call as a command of the AWS CLI; what is no plain value goes as JSON."""
    parts = [["aws", service, method.replace("_", "-")]]
    if all(isinstance(value, str | int | float | bool) for value in parameters.values()) or set(
        parameters
    ) == {"AlarmNames"}:
        for name, value in parameters.items():
            values = [str(item) for item in value] if isinstance(value, list) else [str(value)]
            parts.append([f"--{_dashed(name)}", *values])
    else:
        parts.append(["--cli-input-json", json.dumps(parameters, indent=2)])
    for option, text in (
        ("--region", where.region),
        ("--profile", where.profile),
        ("--endpoint-url", where.endpoint_url),
    ):
        parts += [[option, text]] if text else []
    whole = " ".join(shlex.join(part) for part in parts)
    if len(whole) <= LINE:
        return whole
    return " \\\n    ".join(shlex.join(part) for part in parts)


def _dashed(name: str) -> str:
    from botocore import xform_name

    return str(xform_name(name, "-"))


def boto3_call(service: str, method: str, parameters: Mapping[str, Any], where: Where) -> str:
    """A call as a boto3 script of its own that prints the answer."""
    session = ", ".join(
        f"{name}={text!r}"
        for name, text in (("profile_name", where.profile), ("region_name", where.region))
        if text
    )
    endpoint = f", endpoint_url={where.endpoint_url!r}" if where.endpoint_url else ""
    arguments = _arguments(parameters)
    return (
        f"import boto3\n\nclient = boto3.Session({session}).client({service!r}{endpoint})\n"
        f"answer = client.{method}({arguments})\nprint(answer)\n"
    )


def _arguments(parameters: Mapping[str, Any]) -> str:
    from pprint import pformat

    lines = [
        f"    {name}={pformat(value, width=100, sort_dicts=False).replace(chr(10), chr(10) + '    ')},"
        for name, value in parameters.items()
    ]
    one = ", ".join(f"{name}={value!r}" for name, value in parameters.items())
    return one if len(parameters) == 1 and len(one) < 80 else "\n" + "\n".join(lines) + "\n"


def _sdk(kind: Kind, name: str, where: Where) -> str:
    session = f", region={where.region!r}" if where.region else ""
    head = (
        f"# AWS_ENDPOINT_URL={where.endpoint_url} in the environment leads the SDK to this endpoint.\n"
        if where.endpoint_url
        else ""
    )
    profile = (
        f"# AWS_PROFILE={where.profile} in the environment chooses the account.\n" if where.profile else ""
    )
    return (
        f"{head}{profile}from sagemaker.core.resources import {kind.sdk}\n\n"
        f"found = {kind.sdk}.get({kind.sdk_name}={name!r}{session})\nprint(found)\n"
    )
