"""What SageMaker's resources share: ARNs and execution roles."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from engine import roles
from engine.errors import validation

if TYPE_CHECKING:
    from engine.context import Engine

_ARN = re.compile(
    r"arn:aws[a-z-]*:sagemaker:(?P<region>[a-z0-9-]*):(?P<account>\d{12}):(?P<kind>[a-z-]+)/(?P<name>.+)"
)


class Arn(NamedTuple):
    """A SageMaker ARN's resource type, which is the kind in the store, and its name, in lower case as AWS writes it."""

    kind: str
    name: str


def arn_of(engine: Engine, kind: str, name: str) -> str:
    """A resource's ARN; SageMaker writes names in ARNs in lower case."""
    return engine.settings.arn("sagemaker", f"{kind}/{name.lower()}")


def parse_arn(engine: Engine, arn: str) -> Arn:
    """Take a SageMaker ARN of this account and region apart.

    Raises:
        ServiceError: ``ValidationException``: it is not one.
    """
    found = _ARN.fullmatch(arn)
    if found is None:
        raise validation(f"'{arn}' is not the ARN of a SageMaker resource.")
    if found["account"] != engine.settings.account_id or found["region"] != engine.settings.region:
        raise validation(f"The resource {arn} belongs to another account or region.")
    return Arn(found["kind"], found["name"].lower())


def must_exist(engine: Engine, arn: str) -> None:
    """Refuse the ARN of a resource that is not there.

    Raises:
        ServiceError: ``ValidationException``.
    """
    kind, name = parse_arn(engine, arn)
    if engine.store.find(kind, name) is None and not any(
        row.name.lower() == name for row in engine.store.select(kind)
    ):
        raise validation(f"Could not find resource {arn}.")


def check_role(engine: Engine, arn: str) -> None:
    """Refuse an execution role of another account, one that is not there, or one that SageMaker may not assume.

    Raises:
        ServiceError: ``ValidationException`` in AWS's words.
    """
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        raise validation(f"RoleArn: {arn} is not the ARN of an IAM role.")
    if parts[4] != engine.settings.account_id:
        raise validation("RoleArn: Cross-account pass role is not allowed.")
    found = engine.store.find(roles.ROLE, arn.rpartition("/")[2])
    if found is None or not roles.trusts(found.document.get("Trust", {}), "sagemaker.amazonaws.com"):
        raise validation(
            f"Could not assume role {arn}. Please ensure that the role exists and allows principal "
            "'sagemaker.amazonaws.com' to assume the role."
        )
