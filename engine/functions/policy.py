"""Statements of a function's resource policy: written as AddPermission writes them, and evaluated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.functions.names import LATEST, invalid
from engine.iam.evaluation import decide

_SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com")
_ACCOUNT = re.compile(r"\d{12}")
_ARN = re.compile(r"arn:aws[a-z-]*:(iam|sts)::\d{12}:.+")


def statement(arn: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The statement that an AddPermission request makes.

    Raises:
        ServiceError: ``InvalidParameterValueException``: the principal is none.
    """
    conditions: dict[str, dict[str, str]] = {}
    if params.get("SourceAccount"):
        conditions.setdefault("StringEquals", {})["AWS:SourceAccount"] = params["SourceAccount"]
    if params.get("EventSourceToken"):
        conditions.setdefault("StringEquals", {})["lambda:EventSourceToken"] = params["EventSourceToken"]
    if params.get("PrincipalOrgID"):
        conditions.setdefault("StringEquals", {})["aws:PrincipalOrgID"] = params["PrincipalOrgID"]
    if params.get("FunctionUrlAuthType"):
        conditions.setdefault("StringEquals", {})["lambda:FunctionUrlAuthType"] = params[
            "FunctionUrlAuthType"
        ]
    if params.get("SourceArn"):
        conditions.setdefault("ArnLike", {})["AWS:SourceArn"] = params["SourceArn"]
    found = {
        "Sid": params["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(params["Principal"]),
        "Action": params["Action"],
        "Resource": arn,
    }
    return {**found, "Condition": conditions} if conditions else found


def allows(
    function: Mapping[str, Any], qualifier: str, arn: str, service: str, source_arn: str, account: str
) -> bool:
    """Whether a function's policy lets a service invoke it.

    Args:
        function: The function's document.
        qualifier: The version or alias that is invoked; empty for none.
        arn: What is invoked, with its qualifier.
        service: ``apigateway.amazonaws.com``.
        source_arn: On whose behalf, for example an API's method.
    """
    policy = function["Policies"].get(qualifier or LATEST) or {"Statement": []}
    named = [
        one
        for one in policy["Statement"]
        if one["Principal"] == "*" or service in _listed(one["Principal"].get("Service"))
    ]
    context = {"aws:sourcearn": [source_arn], "aws:sourceaccount": [account]}
    return (
        decide([("policy", {"Statement": named})], "lambda:InvokeFunction", arn, context).verdict == "allowed"
    )


def _principal(told: str) -> Any:
    if told == "*":
        return "*"
    if _SERVICE.fullmatch(told):
        return {"Service": told}
    if _ACCOUNT.fullmatch(told):
        return {"AWS": f"arn:aws:iam::{told}:root"}
    if _ARN.fullmatch(told):
        return {"AWS": told}
    raise invalid("The provided principal was invalid. Please check the principal and try again.")


def _listed(value: str | list[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())
