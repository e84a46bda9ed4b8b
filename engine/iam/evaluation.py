"""What policies allow: an explicit deny beats an allow, and what nothing allows is denied.

Source: "Policy evaluation logic" in the IAM user guide, for identity-based policies of one account.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from engine.iam.documents import texts


class Decision(NamedTuple):
    """``allowed``, ``explicitDeny`` or ``implicitDeny``, the policies whose statements matched, and context keys that were missing."""

    verdict: str
    matched: list[str]
    missing: list[str]


def decide(
    policies: Iterable[tuple[str, Mapping[str, Any]]],
    action: str,
    resource: str,
    context: Mapping[str, list[str]],
) -> Decision:
    """Evaluate ``(policy id, document)`` pairs for one action on one resource."""
    allowed: list[str] = []
    denied: list[str] = []
    missing: list[str] = []
    for name, document in policies:
        for statement in document["Statement"]:
            if not _covers(statement, "Action", action, ignore_case=True):
                continue
            if not _covers(statement, "Resource", resource, ignore_case=False):
                continue
            condition = statement.get("Condition", {})
            missing += [key for key in _keys(condition) if key.lower() not in context and key not in missing]
            if _holds(condition, context):
                (allowed if statement["Effect"] == "Allow" else denied).append(name)
    if denied:
        return Decision("explicitDeny", list(dict.fromkeys(denied)), missing)
    return Decision("allowed" if allowed else "implicitDeny", list(dict.fromkeys(allowed)), missing)


def _covers(statement: Mapping[str, Any], member: str, value: str, *, ignore_case: bool) -> bool:
    if f"Not{member}" in statement:
        return not any(_matches(pattern, value, ignore_case) for pattern in texts(statement[f"Not{member}"]))
    return any(_matches(pattern, value, ignore_case) for pattern in texts(statement.get(member)))


def _matches(pattern: str, value: str, ignore_case: bool) -> bool:
    # A simulation without a resource asks about "*": every resource; only "*" covers that.
    return pattern == "*" or _wildcard(pattern, ignore_case).fullmatch(value) is not None


@functools.lru_cache(4096)
def _wildcard(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    parts = (
        ".*" if char == "*" else "." if char == "?" else re.escape(char)
        for char in re.sub(r"\*+", "*", pattern)
    )
    return re.compile("".join(parts), re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _keys(condition: Mapping[str, Any]) -> list[str]:
    return [key for block in condition.values() if isinstance(block, dict) for key in block]


def _holds(condition: Mapping[str, Any], context: Mapping[str, list[str]]) -> bool:
    for operator, block in condition.items():
        if not isinstance(block, dict):
            return False
        for key, wanted in block.items():
            if not _compare(operator, context.get(key.lower()), [str(item) for item in texts(wanted)]):
                return False
    return True


def _compare(operator: str, given: list[str] | None, wanted: list[str]) -> bool:
    """One condition operator. Operators that are not known here do not hold: the honest answer is a denial."""
    name = operator.partition(":")[2] or operator
    optional = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    if name == "Null":
        return (given is None) == (wanted == ["true"])
    if given is None:
        return optional or "Not" in name
    negated = "Not" in name
    plain = name.replace("Not", "")
    if plain in ("StringEquals", "ArnEquals", "NumericEquals", "DateEquals"):
        found = any(value == item for value in given for item in wanted)
    elif plain == "StringEqualsIgnoreCase":
        found = any(value.lower() == item.lower() for value in given for item in wanted)
    elif plain in ("StringLike", "ArnLike"):
        found = any(_matches(item, value, False) for value in given for item in wanted)
    elif plain == "Bool":
        found = any(value.lower() == item.lower() for value in given for item in wanted)
    else:
        return False
    return found != negated
