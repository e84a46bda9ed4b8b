"""Policy documents: checked when they come in, so that evaluating them later cannot fail."""

from __future__ import annotations

import json
from typing import Any

from engine.errors import ServiceError

POLICY = "iam-policy"
_VERSIONS = ("2012-10-17", "2008-10-17")
_ACTIONS = ("Action", "NotAction")
_RESOURCES = ("Resource", "NotResource")
_PRINCIPALS = ("Principal", "NotPrincipal")


def no_such(message: str) -> ServiceError:
    """``NoSuchEntity``."""
    return ServiceError("NoSuchEntity", message, 404)


def malformed(message: str) -> ServiceError:
    """``MalformedPolicyDocument``."""
    return ServiceError("MalformedPolicyDocument", message)


def parse(text: str, *, trust: bool = False) -> dict[str, Any]:
    """The document, its Statement always a list.

    Args:
        trust: A role's trust policy: it names principals and no resources.

    Raises:
        ServiceError: ``MalformedPolicyDocument`` in IAM's words.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise malformed("This policy contains invalid Json") from error
    if not isinstance(document, dict):
        raise malformed("Syntax errors in policy.")
    if document.get("Version", _VERSIONS[0]) not in _VERSIONS:
        raise malformed("Policy Version must be 2012-10-17 or 2008-10-17.")
    statements = document.get("Statement")
    statements = [statements] if isinstance(statements, dict) else statements
    if not isinstance(statements, list) or not statements:
        raise malformed("Policy document must contain a Statement.")
    for statement in statements:
        _check(statement, trust)
    return {**document, "Statement": statements}


def texts(value: Any) -> list[str]:
    """A member that may be one text or several."""
    return [value] if isinstance(value, str) else list(value or ())


def _check(statement: Any, trust: bool) -> None:
    if not isinstance(statement, dict):
        raise malformed("Syntax errors in policy.")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise malformed(f"Invalid effect: {statement.get('Effect')}")
    if sum(name in statement for name in _ACTIONS) != 1:
        raise malformed("Policy statement must contain actions.")
    for name in (*_ACTIONS, *_RESOURCES):
        if name in statement:
            value = statement[name]
            if not isinstance(value, str) and not (
                isinstance(value, list) and value and all(isinstance(item, str) for item in value)
            ):
                raise malformed("Syntax errors in policy.")
    for action in [*texts(statement.get("Action")), *texts(statement.get("NotAction"))]:
        if action != "*" and ":" not in action:
            raise malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
    if not isinstance(statement.get("Condition", {}), dict):
        raise malformed("Syntax errors in policy.")
    if trust:
        if any(name in statement for name in _RESOURCES):
            raise malformed("Has prohibited field Resource")
        if not any(name in statement for name in _PRINCIPALS):
            raise malformed("Missing required field Principal")
    else:
        if any(name in statement for name in _PRINCIPALS):
            raise malformed("Policy document should not specify a principal.")
        if sum(name in statement for name in _RESOURCES) != 1:
            raise malformed("Policy statement must contain resources.")
