"""AWS IAM: managed policies, and the simulation of what a role may do."""

from __future__ import annotations

import json
import secrets
from typing import Any
from urllib.parse import quote

from engine.context import Engine
from engine.errors import ServiceError
from engine.http import Request
from engine.iam import documents, evaluation
from engine.iam.documents import POLICY, no_such
from engine.iam.managed import CREATED, MANAGED
from engine.registry import operation
from engine.roles import ROLE
from engine.services.iam import find_role, page
from engine.store import Exists

Params = dict[str, Any]


def _attachments(engine: Engine) -> dict[str, int]:
    found: dict[str, int] = {}
    for role in engine.store.select(ROLE):
        for arn in role.document["Attached"]:
            found[arn] = found.get(arn, 0) + 1
    return found


def _of_aws(arn: str) -> Params:
    name = arn.rpartition("/")[2]
    return {
        "PolicyName": name,
        "PolicyId": "ANPAAWS" + name[:12].upper().ljust(12, "0"),
        "Arn": arn,
        "Path": "/",
        "DefaultVersionId": "v1",
        "IsAttachable": True,
        "CreateDate": CREATED,
        "UpdateDate": CREATED,
    }


def _policy(engine: Engine, arn: str) -> tuple[Params, Params]:
    """The policy as IAM describes it, and its document.

    Raises:
        ServiceError: ``NoSuchEntity``.
    """
    if arn in MANAGED:
        return _of_aws(arn), MANAGED[arn]
    stored = engine.store.find(POLICY, arn)
    if stored is None:
        raise no_such(f"Policy {arn} was not found.")
    return stored.document["Policy"], stored.document["Document"]


@operation("iam", "CreatePolicy")
async def create_policy(engine: Engine, request: Request, params: Params) -> Params:
    """Create a managed policy of this account."""
    document, now = documents.parse(params["PolicyDocument"]), engine.clock.time()
    path, name = params.get("Path", "/"), params["PolicyName"]
    arn = f"arn:aws:iam::{engine.settings.account_id}:policy{path}{name}"
    policy = {
        "PolicyName": name,
        "PolicyId": "ANPA" + secrets.token_hex(8).upper() + "0",
        "Arn": arn,
        "Path": path,
        "DefaultVersionId": "v1",
        "AttachmentCount": 0,
        "IsAttachable": True,
        "Description": params.get("Description"),
        "CreateDate": now,
        "UpdateDate": now,
        "Tags": params.get("Tags"),
    }
    try:
        engine.store.create(POLICY, arn, {"Policy": policy, "Document": document}, now=now)
    except Exists as error:
        text = f"A policy called {name} already exists. Duplicate names are not allowed."
        raise ServiceError("EntityAlreadyExists", text, 409) from error
    return {"Policy": policy}


@operation("iam", "GetPolicy")
async def get_policy(engine: Engine, request: Request, params: Params) -> Params:
    """A managed policy, of AWS or of this account, without its document."""
    policy, _ = _policy(engine, params["PolicyArn"])
    return {"Policy": {**policy, "AttachmentCount": _attachments(engine).get(params["PolicyArn"], 0)}}


@operation("iam", "GetPolicyVersion")
async def get_policy_version(engine: Engine, request: Request, params: Params) -> Params:
    """The document of a managed policy; each has the one version v1."""
    policy, document = _policy(engine, params["PolicyArn"])
    if params["VersionId"] != policy["DefaultVersionId"]:
        raise no_such(
            f"Policy {params['PolicyArn']} version {params['VersionId']} does not exist or is not attachable."
        )
    version = {"VersionId": "v1", "IsDefaultVersion": True, "CreateDate": policy["CreateDate"]}
    return {"PolicyVersion": {**version, "Document": quote(json.dumps(document))}}


@operation("iam", "ListPolicyVersions")
async def list_policy_versions(engine: Engine, request: Request, params: Params) -> Params:
    """The one version of a managed policy."""
    policy, _ = _policy(engine, params["PolicyArn"])
    version = {"VersionId": "v1", "IsDefaultVersion": True, "CreateDate": policy["CreateDate"]}
    return page(engine, request, params, [version], "Versions")


@operation("iam", "ListPolicies")
async def list_policies(engine: Engine, request: Request, params: Params) -> Params:
    """Managed policies by scope (All, AWS, Local), path and whether they are attached."""
    scope, prefix, attached = params.get("Scope", "All"), params.get("PathPrefix", "/"), _attachments(engine)
    found = (
        []
        if scope == "AWS"
        else [row.document["Policy"] for row in engine.store.select(POLICY, sort_by="name")]
    )
    found += [] if scope == "Local" else [_of_aws(arn) for arn in sorted(MANAGED)]
    found = [
        {**policy, "AttachmentCount": attached.get(policy["Arn"], 0)}
        for policy in found
        if policy["Path"].startswith(prefix)
    ]
    if params.get("OnlyAttached"):
        found = [policy for policy in found if policy["AttachmentCount"]]
    return page(engine, request, params, found, "Policies")


@operation("iam", "DeletePolicy")
async def delete_policy(engine: Engine, request: Request, params: Params) -> Params:
    """Delete a managed policy of this account that is attached to nothing."""
    arn = params["PolicyArn"]
    _policy(engine, arn)
    if arn in MANAGED:
        raise ServiceError("AccessDenied", f"{arn} belongs to AWS and cannot be deleted.", 403)
    if _attachments(engine).get(arn):
        raise ServiceError("DeleteConflict", "Cannot delete a policy attached to entities.", 409)
    engine.store.delete(POLICY, arn)
    return {}


def role_policies(engine: Engine, role: Params) -> list[tuple[str, Params]]:
    """A role's policies as (id, document): the attached ones and the embedded ones."""
    found = []
    for arn in role["Attached"]:
        stored = None if arn in MANAGED else engine.store.find(POLICY, arn)
        document = MANAGED.get(arn) or (stored.document["Document"] if stored else None)
        if document is not None:
            found.append((arn.rpartition("/")[2], document))
    return [*found, *role["Inline"].items()]


def _context(entries: list[Params]) -> dict[str, list[str]]:
    return {
        entry["ContextKeyName"].lower(): entry.get("ContextKeyValues", [])
        for entry in entries
        if "ContextKeyName" in entry
    }


def _simulation(policies: list[tuple[str, Params]], params: Params) -> list[Params]:
    context = _context(params.get("ContextEntries", []))
    results = []
    for action in params["ActionNames"]:
        if ":" not in action:
            raise ServiceError(
                "InvalidInput", f"Invalid Entity Arn or action: {action} is not of the form service:Action"
            )
        for resource in params.get("ResourceArns") or ["*"]:
            decision = evaluation.decide(policies, action, resource, context)
            results.append(
                {
                    "EvalActionName": action,
                    "EvalResourceName": resource,
                    "EvalDecision": decision.verdict,
                    "MatchedStatements": [
                        {"SourcePolicyId": name, "SourcePolicyType": "IAM Policy"}
                        for name in decision.matched
                    ],
                    "MissingContextValues": decision.missing,
                }
            )
    return results


@operation("iam", "SimulatePrincipalPolicy")
async def simulate_principal_policy(engine: Engine, request: Request, params: Params) -> Params:
    """What a role's policies, and those of the request, allow for each action on each resource."""
    arn = params["PolicySourceArn"]
    kind, _, path = arn.partition(":iam::")[2].partition(":")[2].partition("/")
    if kind != "role":
        raise no_such(
            f"The entity {arn} is not a role of this account; the engine has no users and no groups."
        )
    role = find_role(engine, path.rpartition("/")[2])
    if role.document["Role"]["Arn"] != arn:
        raise no_such(f"The role with ARN {arn} cannot be found.")
    given = [
        (f"PolicyInputList.{index}", documents.parse(text))
        for index, text in enumerate(params.get("PolicyInputList", []), 1)
    ]
    results = _simulation([*role_policies(engine, role.document), *given], params)
    return page(engine, request, params, results, "EvaluationResults")


@operation("iam", "SimulateCustomPolicy")
async def simulate_custom_policy(engine: Engine, request: Request, params: Params) -> Params:
    """What the policies of the request allow for each action on each resource."""
    given = [
        (f"PolicyInputList.{index}", documents.parse(text))
        for index, text in enumerate(params["PolicyInputList"], 1)
    ]
    return page(engine, request, params, _simulation(given, params), "EvaluationResults")
