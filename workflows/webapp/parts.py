"""What of a web app is there at its target, whoever made it and from which machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workflows.observe.gateway import Gateway, answered
from workflows.problem import Problem
from workflows.webapp.definition import PREFIX, STAGE, TAG, address, log_group, title

LOGS, ROLE, FUNCTION, API, PERMISSION, STAGED = (
    "log group", "role", "function", "REST API", "permission", "stage",
)  # fmt: skip
KINDS = (LOGS, ROLE, FUNCTION, API, PERMISSION, STAGED)
"""In the order in which they are made."""
ABSENT = frozenset(
    {"NotFoundException", "NoSuchEntity", "ResourceNotFoundException", "404", "ResourceNotFound"}
)
STATEMENT = "api"
"""The id of the statement that lets the API invoke the function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A web app as it is. ``apis`` are ids (one; more where a creation was interrupted at the worst moment), ``function`` what Lambda
    says of it, ``foreign`` parts that have its names and are somebody else's."""

    name: str
    apis: tuple[str, ...] = ()
    function: Mapping[str, Any] | None = None
    role: bool = False
    log_group: bool = False
    permission: bool = False
    stage: bool = False
    url: str = ""
    foreign: tuple[str, ...] = field(default=())

    @property
    def present(self) -> list[tuple[str, str]]:
        """(kind, name) of what is there, in the order of `KINDS`."""
        found = {
            LOGS: [log_group(self.name)] if self.log_group else [],
            ROLE: [title(self.name)] if self.role else [],
            FUNCTION: [title(self.name)] if self.function else [],
            API: list(self.apis),
            PERMISSION: [f"{title(self.name)}/{STATEMENT}"] if self.permission else [],
            STAGED: [STAGE] if self.stage else [],
        }
        return [(kind, one) for kind in KINDS for one in found[kind]]

    @property
    def state(self) -> str:
        """``ready``, ``incomplete`` or ``gone``."""
        kinds = {kind for kind, _ in self.present}
        return "ready" if kinds == set(KINDS) else "incomplete" if kinds else "gone"

    @property
    def environment(self) -> Mapping[str, str]:
        """The function's variables: endpoint, content type, vocabulary."""
        found: Mapping[str, str] = ((self.function or {}).get("Environment") or {}).get("Variables") or {}
        return found


def look(gateway: Gateway, name: str, listed: Sequence[Mapping[str, Any]] | None = None) -> Parts:
    """What is there of a web app.

    Args:
        listed: All REST APIs as they were listed already; None: they are listed.

    Raises:
        Problem: Something cannot be looked at.
    """
    foreign: list[str] = []
    apis = apis_of(gateway, name, listed)
    function = function_of(gateway, name)
    if function is not None:
        marks = answered(gateway, "lambda", "list_tags", Resource=function["FunctionArn"]).get("Tags") or {}
        if marks.get(TAG) != name:
            foreign.append(f"{FUNCTION} {title(name)}")
            function = None
    role = _there(gateway, "iam", "get_role", RoleName=title(name))
    if role is not None:
        marks = {
            one["Key"]: one["Value"]
            for one in answered(gateway, "iam", "list_role_tags", RoleName=title(name)).get("Tags") or ()
        }
        if marks.get(TAG) != name:
            foreign.append(f"{ROLE} {title(name)}")
            role = None
    policy = _there(gateway, "lambda", "get_policy", FunctionName=title(name)) if function else None
    staged = (
        bool(apis)
        and _there(gateway, "apigateway", "get_stage", restApiId=apis[0], stageName=STAGE) is not None
    )
    groups = answered(gateway, "logs", "describe_log_groups", logGroupNamePrefix=log_group(name))
    return Parts(
        name=name,
        apis=apis,
        function=function,
        role=role is not None,
        log_group=any(one["logGroupName"] == log_group(name) for one in groups.get("logGroups") or ()),
        permission=policy is not None and f'"{STATEMENT}"' in str(policy.get("Policy")),
        stage=staged,
        url=address(gateway, apis[0]) if staged else "",
        foreign=tuple(foreign),
    )


def apis_of(
    gateway: Gateway, name: str, listed: Iterable[Mapping[str, Any]] | None = None
) -> tuple[str, ...]:
    """The ids of a web app's REST APIs; more than one only where one was made twice."""
    return tuple(
        str(one["id"])
        for one in (_apis(gateway) if listed is None else listed)
        if one.get("name") == title(name) and (one.get("tags") or {}).get(TAG) == name
    )


def function_of(gateway: Gateway, name: str) -> dict[str, Any] | None:
    """The configuration of a web app's function, or None."""
    return _there(gateway, "lambda", "get_function_configuration", FunctionName=title(name))


def look_at_all(gateway: Gateway, more: Iterable[str] = ()) -> dict[str, Parts]:
    """What is there of every web app of an account and region, by name; the REST APIs are listed once for all.

    Args:
        more: Names to look at, too, whether there is something of them or not.

    Raises:
        Problem: Something cannot be looked at.
    """
    listed = list(_apis(gateway))
    return {name: look(gateway, name, listed) for name in {*_names(gateway, listed), *more}}


def names(gateway: Gateway) -> list[str]:
    """The web apps of an account and region, by their APIs and functions.

    Raises:
        Problem: They cannot be listed.
    """
    return _names(gateway, list(_apis(gateway)))


def _names(gateway: Gateway, listed: Sequence[Mapping[str, Any]]) -> list[str]:
    found = {str(one["tags"][TAG]) for one in listed if TAG in (one.get("tags") or {})}
    asked: dict[str, Any] = {}
    while True:
        page = answered(gateway, "lambda", "list_functions", **asked)
        for one in page.get("Functions") or ():
            if str(one["FunctionName"]).startswith(PREFIX) and str(one.get("Handler")) == "handler.handle":
                found.add(str(one["FunctionName"]).removeprefix(PREFIX))
        if not page.get("NextMarker"):
            return sorted(found)
        asked["Marker"] = page["NextMarker"]


def _apis(gateway: Gateway) -> Iterator[dict[str, Any]]:
    asked: dict[str, Any] = {"limit": 500}
    while True:
        page = answered(gateway, "apigateway", "get_rest_apis", **asked)
        yield from page.get("items") or ()
        if not page.get("position"):
            return
        asked["position"] = page["position"]


def _there(gateway: Gateway, service: str, method: str, **asked: Any) -> dict[str, Any] | None:
    try:
        return answered(gateway, service, method, **asked)
    except Problem as problem:
        if problem.code in ABSENT:
            return None
        raise
