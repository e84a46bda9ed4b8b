"""A function's resource policy: who else may invoke it."""

from __future__ import annotations

import json
from typing import Any

from engine.context import Engine
from engine.errors import ServiceError
from engine.functions import names, policy, record
from engine.functions.names import LATEST, conflict, missing
from engine.functions.record import FUNCTION
from engine.http import Request
from engine.registry import operation

Params = dict[str, Any]


@operation("lambda", "AddPermission")
async def add_permission(engine: Engine, request: Request, params: Params) -> Params:
    """Add a statement to the policy of a function, a version or an alias."""
    asked = names.reference(engine.settings, params["FunctionName"], params.get("Qualifier"))
    arn = record.target(engine, asked).arn
    statement = policy.statement(arn, params)

    def change(document: Params) -> None:
        kept = document["Policies"].setdefault(
            asked.qualifier or LATEST, {"Statement": [], "RevisionId": record.revision()}
        )
        _matches(params.get("RevisionId"), kept)
        if any(one["Sid"] == statement["Sid"] for one in kept["Statement"]):
            raise conflict(
                f"The statement id ({statement['Sid']}) provided already exists. Please provide a new statement id, or remove "
                "the existing statement."
            )
        kept["Statement"].append(statement)
        kept["RevisionId"] = record.revision()

    engine.store.update(FUNCTION, asked.name, change, now=engine.clock.time())
    return {"Statement": json.dumps(statement, separators=(",", ":"))}


@operation("lambda", "GetPolicy")
async def get_policy(engine: Engine, request: Request, params: Params) -> Params:
    """The policy as a JSON text."""
    asked = names.reference(engine.settings, params["FunctionName"], params.get("Qualifier"))
    record.must_have(engine, asked)
    policies = record.function(engine, asked.name).document["Policies"]
    found = policies.get(asked.qualifier or LATEST)
    if not found or not found["Statement"]:
        raise missing("The resource you requested does not exist.")
    document = {"Version": "2012-10-17", "Id": "default", "Statement": found["Statement"]}
    return {"Policy": json.dumps(document, separators=(",", ":")), "RevisionId": found["RevisionId"]}


@operation("lambda", "RemovePermission")
async def remove_permission(engine: Engine, request: Request, params: Params) -> Params:
    """Take a statement out of the policy."""
    asked = names.reference(engine.settings, params["FunctionName"], params.get("Qualifier"))
    record.must_have(engine, asked)

    def change(document: Params) -> None:
        kept = document["Policies"].get(asked.qualifier or LATEST)
        left = [one for one in kept["Statement"] if one["Sid"] != params["StatementId"]] if kept else []
        if not kept or len(left) == len(kept["Statement"]):
            raise missing(f"Statement {params['StatementId']} is not found in resource policy.")
        _matches(params.get("RevisionId"), kept)
        kept["Statement"], kept["RevisionId"] = left, record.revision()

    engine.store.update(FUNCTION, asked.name, change, now=engine.clock.time())
    return {}


def _matches(revision: str | None, kept: Params) -> None:
    if revision and revision != kept["RevisionId"]:
        raise ServiceError(
            "PreconditionFailedException",
            "The RevisionId provided does not match the latest RevisionId. Call the GetPolicy API to retrieve the latest RevisionId",
            412,
            fields={"Type": "User"},
        )
