"""IAM roles as they are kept: the documents that IAM answers with, and the execution role that is there from the start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.settings import DEFAULT_ROLE, Settings
from engine.store import Store

ROLE = "iam-role"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
FULL_ACCESS = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"


def new_role(
    settings: Settings, name: str, path: str, trust: dict[str, Any], role_id: str, now: float
) -> dict[str, Any]:
    """The stored document of a role: what GetRole answers in ``Role``, and its policies beside it."""
    return {
        "Role": {
            "Path": path,
            "RoleName": name,
            "RoleId": role_id,
            "Arn": f"arn:aws:iam::{settings.account_id}:role{path}{name}",
            "CreateDate": now,
            "MaxSessionDuration": 3600,
        },
        "Trust": trust,
        "Attached": {},
        "Inline": {},
        "Tags": [],
    }


def make_default(store: Store, settings: Settings, now: float) -> None:
    """Create the default execution role unless it is there: SageMaker may assume it, and it may use all of SageMaker."""
    if store.find(ROLE, DEFAULT_ROLE) is not None:
        return
    document = new_role(settings, DEFAULT_ROLE, "/", TRUST, "AROAMLCONSOLE00000001", now)
    document["Role"]["Description"] = "The execution role of the embedded engine"
    document["Attached"] = {FULL_ACCESS: "AmazonSageMakerFullAccess"}
    store.create(ROLE, DEFAULT_ROLE, document, now=now)


def trusts(trust: Mapping[str, Any], service: str) -> bool:
    """Whether a role's trust policy lets a service assume it (``sagemaker.amazonaws.com``)."""
    statements = trust.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal", {})
        services = principal.get("Service", []) if isinstance(principal, dict) else principal
        services = [services] if isinstance(services, str) else services
        if statement.get("Effect") == "Allow" and (service in services or "*" in services):
            return True
    return False
