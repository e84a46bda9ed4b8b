"""Takes a web app away, and proves by looking again that nothing of it is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from workflows.observe.gateway import Gateway, answered
from workflows.problem import Problem
from workflows.safety.changes import change
from workflows.webapp import creation, parts, record
from workflows.webapp.definition import log_group, title
from workflows.webapp.parts import API, FUNCTION, LOGS, PERMISSION, ROLE, STAGED, Parts

THROTTLED = 90.0
"""Seconds for which a deletion is tried again: API Gateway takes one DeleteRestApi in 30 s."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What became of one part: ``deleted``, ``was not there`` or ``still there``."""

    what: str
    name: str
    state: str


def remove(gateway: Gateway, name: str) -> list[Removed]:
    """Delete everything of a web app; the last rows are what is still there, by looking.

    Raises:
        Problem: There is no such web app, or a deletion was refused.
    """
    found = parts.look(gateway, name)
    noted = record.ledger(gateway, name)
    if not found.present and noted is None:
        raise Problem(f"There is no web app {name}.", "`mlconsole webapp ls` lists them.", "not-found")
    parts_ = {"parts": [f"{kind} {one}" for kind, one in found.present]}
    with change("DeleteWebApp", name, parts_, target=gateway.target):
        rows: list[Removed] = []
        for kind, one, delete in _deletions(gateway, found):
            there = (kind, one) in found.present
            if delete is not None and there:
                _gone(delete)
            rows.append(Removed(kind, one, "deleted" if there else "was not there"))
        left = parts.look(gateway, name).present
        rows += [Removed(kind, one, "still there") for kind, one in left]
        if not left:
            record.forget(gateway, name)
        return rows


def _deletions(gateway: Gateway, found: Parts) -> list[tuple[str, str, Callable[[], Any] | None]]:
    """Kind, name and call of all parts; stage and permission go with what they belong to. The log goes last: what runs writes it."""
    name = found.name

    def calls(service: str, method: str, **asked: Any) -> Callable[[], Any]:
        return lambda: answered(gateway, service, method, **asked)

    def role() -> None:
        _gone(calls("iam", "delete_role_policy", RoleName=title(name), PolicyName=creation.POLICY))
        answered(gateway, "iam", "delete_role", RoleName=title(name))

    apis = found.apis or ("",)
    return [
        (STAGED, "prod", None),
        *((API, api or title(name), calls("apigateway", "delete_rest_api", restApiId=api)) for api in apis),
        (PERMISSION, f"{title(name)}/{parts.STATEMENT}", None),
        (FUNCTION, title(name), calls("lambda", "delete_function", FunctionName=title(name))),
        (ROLE, title(name), role),
        (LOGS, log_group(name), calls("logs", "delete_log_group", logGroupName=log_group(name))),
    ]


def _gone(delete: Callable[[], Any]) -> None:
    deadline = time.monotonic() + THROTTLED
    while True:
        try:
            delete()
            return
        except Problem as problem:
            if problem.code in parts.ABSENT:
                return
            if problem.code != "TooManyRequestsException" or time.monotonic() > deadline:
                raise
        time.sleep(5)
