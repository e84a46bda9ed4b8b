"""AWS IAM: roles as the SDKs and the AWS command line make and read them."""

from __future__ import annotations

import json
import secrets
from typing import Any
from urllib.parse import quote

from engine.context import Engine
from engine.errors import ServiceError
from engine.http import Request
from engine.iam import documents
from engine.iam.documents import POLICY, no_such
from engine.iam.managed import MANAGED
from engine.registry import operation
from engine.roles import ROLE, new_role
from engine.store import Exists, Missing, Resource

Params = dict[str, Any]


def find_role(engine: Engine, name: str) -> Resource:
    """The stored role.

    Raises:
        ServiceError: ``NoSuchEntity``.
    """
    found = engine.store.find(ROLE, name)
    if found is None:
        raise no_such(f"The role with name {name} cannot be found.")
    return found


def described(role: Resource, *, brief: bool = False) -> dict[str, Any]:
    """A role as GetRole answers it; ``brief`` as ListRoles does."""
    document = role.document
    shown = {**document["Role"], "AssumeRolePolicyDocument": quote(json.dumps(document["Trust"]))}
    if not brief:
        shown["Tags"] = document["Tags"] or None
        shown["RoleLastUsed"] = {}
    return shown


def _change(engine: Engine, name: str, change: Any) -> Resource:
    try:
        return engine.store.update(ROLE, name, change, now=engine.clock.time())
    except Missing as error:
        raise no_such(f"The role with name {name} cannot be found.") from error


def page(
    engine: Engine, request: Request, params: Params, items: list[dict[str, Any]], member: str
) -> dict[str, Any]:
    """One page of a list by Marker and MaxItems, in the names that IAM's lists share."""
    start = 0
    if params.get("Marker"):
        start = engine.tokens.decode(
            request.operation, params, params["Marker"], code="ValidationError", message="Invalid Marker."
        )
    size = params.get("MaxItems", 100)
    answer: dict[str, Any] = {member: items[start : start + size], "IsTruncated": len(items) > start + size}
    if answer["IsTruncated"]:
        answer["Marker"] = engine.tokens.encode(request.operation, params, start + size)
    return answer


@operation("iam", "CreateRole")
async def create_role(engine: Engine, request: Request, params: Params) -> Params:
    """Create a role after checking its trust policy."""
    name, now = params["RoleName"], engine.clock.time()
    trust = documents.parse(params["AssumeRolePolicyDocument"], trust=True)
    role_id = "AROA" + secrets.token_hex(8).upper() + "0"
    document = new_role(engine.settings, name, params.get("Path", "/"), trust, role_id, now)
    for member in ("Description", "MaxSessionDuration"):
        if member in params:
            document["Role"][member] = params[member]
    if params.get("PermissionsBoundary"):
        arn = params["PermissionsBoundary"]
        document["Role"]["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "Policy",
            "PermissionsBoundaryArn": arn,
        }
    document["Tags"] = params.get("Tags", [])
    try:
        engine.store.create(ROLE, name, document, now=now)
    except Exists as error:
        raise ServiceError("EntityAlreadyExists", f"Role with name {name} already exists.", 409) from error
    return {"Role": {**described(find_role(engine, name)), "RoleLastUsed": None}}


@operation("iam", "GetRole")
async def get_role(engine: Engine, request: Request, params: Params) -> Params:
    """The role with its trust policy, URL-encoded as IAM does."""
    return {"Role": described(find_role(engine, params["RoleName"]))}


@operation("iam", "ListRoles")
async def list_roles(engine: Engine, request: Request, params: Params) -> Params:
    """Roles by name, those below PathPrefix."""
    prefix = params.get("PathPrefix", "/")
    rows = engine.store.select(ROLE, sort_by="name")
    found = [described(row, brief=True) for row in rows if row.document["Role"]["Path"].startswith(prefix)]
    return page(engine, request, params, found, "Roles")


@operation("iam", "DeleteRole")
async def delete_role(engine: Engine, request: Request, params: Params) -> Params:
    """Delete a role that has no policies any more."""
    role = find_role(engine, params["RoleName"])
    if role.document["Attached"]:
        raise ServiceError("DeleteConflict", "Cannot delete entity, must detach all policies first.", 409)
    if role.document["Inline"]:
        raise ServiceError("DeleteConflict", "Cannot delete entity, must delete policies first.", 409)
    engine.store.delete(ROLE, role.name)
    return {}


@operation("iam", "UpdateRole")
async def update_role(engine: Engine, request: Request, params: Params) -> Params:
    """Change a role's description and its longest session."""
    given = {member: params[member] for member in ("Description", "MaxSessionDuration") if member in params}
    _change(engine, params["RoleName"], lambda document: document["Role"].update(given))
    return {}


@operation("iam", "UpdateAssumeRolePolicy")
async def update_assume_role_policy(engine: Engine, request: Request, params: Params) -> Params:
    """Replace a role's trust policy."""
    trust = documents.parse(params["PolicyDocument"], trust=True)
    _change(engine, params["RoleName"], lambda document: document.update(Trust=trust))
    return {}


@operation("iam", "TagRole")
async def tag_role(engine: Engine, request: Request, params: Params) -> Params:
    """Add tags to a role, replacing those with the same key."""
    keys = {tag["Key"] for tag in params["Tags"]}

    def change(document: Params) -> None:
        document["Tags"] = [tag for tag in document["Tags"] if tag["Key"] not in keys] + params["Tags"]

    _change(engine, params["RoleName"], change)
    return {}


@operation("iam", "UntagRole")
async def untag_role(engine: Engine, request: Request, params: Params) -> Params:
    """Remove tags from a role."""

    def change(document: Params) -> None:
        document["Tags"] = [tag for tag in document["Tags"] if tag["Key"] not in params["TagKeys"]]

    _change(engine, params["RoleName"], change)
    return {}


@operation("iam", "ListRoleTags")
async def list_role_tags(engine: Engine, request: Request, params: Params) -> Params:
    """A role's tags."""
    return page(engine, request, params, find_role(engine, params["RoleName"]).document["Tags"], "Tags")


@operation("iam", "AttachRolePolicy")
async def attach_role_policy(engine: Engine, request: Request, params: Params) -> Params:
    """Attach a managed policy, of AWS or of this account, to a role."""
    arn = params["PolicyArn"]
    if arn in MANAGED:
        name = arn.rpartition("/")[2]
    else:
        stored = engine.store.find(POLICY, arn)
        if stored is None:
            raise no_such(f"Policy {arn} does not exist or is not attachable.")
        name = stored.document["Policy"]["PolicyName"]
    _change(engine, params["RoleName"], lambda document: document["Attached"].update({arn: name}))
    return {}


@operation("iam", "DetachRolePolicy")
async def detach_role_policy(engine: Engine, request: Request, params: Params) -> Params:
    """Detach a managed policy from a role."""
    arn = params["PolicyArn"]
    if arn not in find_role(engine, params["RoleName"]).document["Attached"]:
        raise no_such(f"Policy {arn} was not found.")
    _change(engine, params["RoleName"], lambda document: document["Attached"].pop(arn, None) and None)
    return {}


@operation("iam", "ListAttachedRolePolicies")
async def list_attached_role_policies(engine: Engine, request: Request, params: Params) -> Params:
    """The managed policies of a role."""
    attached = find_role(engine, params["RoleName"]).document["Attached"]
    found = [{"PolicyName": name, "PolicyArn": arn} for arn, name in sorted(attached.items())]
    return page(engine, request, params, found, "AttachedPolicies")


@operation("iam", "PutRolePolicy")
async def put_role_policy(engine: Engine, request: Request, params: Params) -> Params:
    """Embed a policy in a role, or replace it."""
    policy = documents.parse(params["PolicyDocument"])
    _change(
        engine, params["RoleName"], lambda document: document["Inline"].update({params["PolicyName"]: policy})
    )
    return {}


def _inline(engine: Engine, params: Params) -> Params:
    found: Params | None = find_role(engine, params["RoleName"]).document["Inline"].get(params["PolicyName"])
    if found is None:
        raise no_such(f"The role policy with name {params['PolicyName']} cannot be found.")
    return found


@operation("iam", "GetRolePolicy")
async def get_role_policy(engine: Engine, request: Request, params: Params) -> Params:
    """An embedded policy of a role."""
    policy = quote(json.dumps(_inline(engine, params)))
    return {"RoleName": params["RoleName"], "PolicyName": params["PolicyName"], "PolicyDocument": policy}


@operation("iam", "ListRolePolicies")
async def list_role_policies(engine: Engine, request: Request, params: Params) -> Params:
    """The names of a role's embedded policies."""
    names: list[Any] = sorted(find_role(engine, params["RoleName"]).document["Inline"])
    return page(engine, request, params, names, "PolicyNames")


@operation("iam", "DeleteRolePolicy")
async def delete_role_policy(engine: Engine, request: Request, params: Params) -> Params:
    """Delete an embedded policy of a role."""
    _inline(engine, params)
    _change(
        engine,
        params["RoleName"],
        lambda document: document["Inline"].pop(params["PolicyName"], None) and None,
    )
    return {}


@operation("iam", "GetUser")
async def get_user(engine: Engine, request: Request, params: Params) -> Params:
    """The account's root, which is whom the engine's own key pair belongs to."""
    name = params.get("UserName")
    if name:
        raise no_such(f"The user with name {name} cannot be found.")
    created = (
        engine.store.get(ROLE, "MLConsoleExecutionRole").created
        if engine.store.find(ROLE, "MLConsoleExecutionRole")
        else 0
    )
    account = engine.settings.account_id
    return {
        "User": {
            "Path": "/",
            "UserName": "root",
            "UserId": account,
            "Arn": f"arn:aws:iam::{account}:root",
            "CreateDate": created,
        }
    }


@operation("iam", "ListInstanceProfilesForRole")
async def list_instance_profiles_for_role(engine: Engine, request: Request, params: Params) -> Params:
    """Nothing: the engine has no instances. Tools ask before they delete a role."""
    find_role(engine, params["RoleName"])
    return {"InstanceProfiles": [], "IsTruncated": False}
