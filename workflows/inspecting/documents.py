"""A resource as AWS describes it, whole."""

from __future__ import annotations

from typing import Any

from workflows.inspecting.kinds import find
from workflows.observe.gateway import Gateway, answered
from workflows.observe.reading import not_found, plain
from workflows.problem import Problem


def describe(gateway: Gateway, kind: str, name: str) -> dict[str, Any]:
    """The JSON-ready answer of the kind's Describe call: members as AWS names them, times in ISO 8601.

    Raises:
        Problem: There is no such resource, or it cannot be had.
    """
    found = find(kind)
    if kind == "alarm":
        answer = answered(gateway, "cloudwatch", "describe_alarms", AlarmNames=[name])
        alarms = [*(answer.get("MetricAlarms") or ()), *(answer.get("CompositeAlarms") or ())]
        if not alarms:
            raise _missing(found.noun, name)
        document: dict[str, Any] = plain(alarms[0])
        return document
    try:
        answer = answered(gateway, found.service, found.describe, **{found.member: name})
    except Problem as problem:
        if not_found(problem):
            raise _missing(found.noun, name) from problem
        raise
    described: dict[str, Any] = plain(answer)
    return described


def _missing(noun: str, name: str) -> Problem:
    return Problem(
        f"There is no {noun} {name}.", "It may have been deleted, or lie in another region.", "not-found"
    )
