"""IAM and STS through boto3."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from engine.iam import evaluation
from engine.iam.documents import parse
from tests.engine.conftest import RunningEngine

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def _policy(effect: str, action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": effect, "Action": action, "Resource": resource, **more}],
    }


def _code(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return str(refused.value.response["Error"]["Code"])


def test_the_default_role_is_what_the_sdks_ask_for(engine: RunningEngine) -> None:
    iam = engine.client("iam")
    role = iam.get_role(RoleName="MLConsoleExecutionRole")["Role"]
    assert role["Arn"] == engine.connection.role_arn
    principals = [
        statement["Principal"]["Service"] for statement in role["AssumeRolePolicyDocument"]["Statement"]
    ]
    assert principals == ["sagemaker.amazonaws.com"]
    attached = iam.list_attached_role_policies(RoleName="MLConsoleExecutionRole")["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["AmazonSageMakerFullAccess"]
    bucket = engine.connection.default_bucket
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=role["Arn"],
        ActionNames=["s3:PutObject", "s3:GetObject", "sagemaker:CreateTrainingJob", "iam:CreateUser"],
        ResourceArns=[f"arn:aws:s3:::{bucket}/*"],
        PaginationConfig={"PageSize": 1},
    )
    decisions = {
        result["EvalActionName"]: result["EvalDecision"]
        for page in pages
        for result in page["EvaluationResults"]
    }
    assert decisions == {
        "s3:PutObject": "allowed",
        "s3:GetObject": "allowed",
        "sagemaker:CreateTrainingJob": "allowed",
        "iam:CreateUser": "implicitDeny",
    }


def test_the_life_of_a_role(engine: RunningEngine) -> None:
    iam = engine.client("iam")
    made = iam.create_role(
        RoleName="life",
        Path="/team/",
        AssumeRolePolicyDocument=json.dumps(_TRUST),
        Description="of a test",
        MaxSessionDuration=7200,
        Tags=[{"Key": "a", "Value": "1"}],
    )["Role"]
    assert made["Arn"] == f"arn:aws:iam::{engine.connection.account_id}:role/team/life"
    assert (
        _code(iam.create_role, RoleName="life", AssumeRolePolicyDocument=json.dumps(_TRUST))
        == "EntityAlreadyExists"
    )
    got = iam.get_role(RoleName="life")["Role"]
    assert (got["Description"], got["MaxSessionDuration"], got["AssumeRolePolicyDocument"]) == (
        "of a test",
        7200,
        _TRUST,
    )
    assert got["CreateDate"] == made["CreateDate"]
    assert [role["RoleName"] for role in iam.list_roles(PathPrefix="/team/")["Roles"]] == ["life"]
    iam.tag_role(RoleName="life", Tags=[{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "3"}])
    iam.untag_role(RoleName="life", TagKeys=["b"])
    assert iam.list_role_tags(RoleName="life")["Tags"] == [{"Key": "a", "Value": "2"}]
    iam.update_role(RoleName="life", Description="changed")
    assert iam.get_role(RoleName="life")["Role"]["Description"] == "changed"
    other = json.loads(json.dumps(_TRUST).replace("sagemaker.amazonaws.com", "lambda.amazonaws.com"))
    iam.update_assume_role_policy(RoleName="life", PolicyDocument=json.dumps(other))
    assert iam.get_role(RoleName="life")["Role"]["AssumeRolePolicyDocument"] == other
    managed = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
    iam.attach_role_policy(RoleName="life", PolicyArn=managed)
    iam.put_role_policy(
        RoleName="life", PolicyName="own", PolicyDocument=json.dumps(_policy("Deny", "s3:DeleteObject", "*"))
    )
    assert iam.list_role_policies(RoleName="life")["PolicyNames"] == ["own"]
    assert (
        iam.get_role_policy(RoleName="life", PolicyName="own")["PolicyDocument"]["Statement"][0]["Effect"]
        == "Deny"
    )
    results = iam.simulate_principal_policy(
        PolicySourceArn=made["Arn"],
        ActionNames=["s3:GetObject", "s3:DeleteObject"],
        ResourceArns=["arn:aws:s3:::b/k"],
    )["EvaluationResults"]
    assert [result["EvalDecision"] for result in results] == ["allowed", "explicitDeny"]
    assert results[1]["MatchedStatements"][0]["SourcePolicyId"] == "own"
    assert _code(iam.delete_role, RoleName="life") == "DeleteConflict"
    iam.detach_role_policy(RoleName="life", PolicyArn=managed)
    assert _code(iam.detach_role_policy, RoleName="life", PolicyArn=managed) == "NoSuchEntity"
    assert _code(iam.delete_role, RoleName="life") == "DeleteConflict"
    iam.delete_role_policy(RoleName="life", PolicyName="own")
    iam.delete_role(RoleName="life")
    assert _code(iam.get_role, RoleName="life") == "NoSuchEntity"
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.delete_role(RoleName="life")


def test_managed_policies(engine: RunningEngine) -> None:
    iam = engine.client("iam")
    document = _policy("Allow", ["s3:Get*", "s3:List*"], ["arn:aws:s3:::data", "arn:aws:s3:::data/*"])
    made = iam.create_policy(PolicyName="readers", PolicyDocument=json.dumps(document), Description="reads")[
        "Policy"
    ]
    assert (
        _code(iam.create_policy, PolicyName="readers", PolicyDocument=json.dumps(document))
        == "EntityAlreadyExists"
    )
    version = iam.get_policy_version(PolicyArn=made["Arn"], VersionId="v1")["PolicyVersion"]
    assert version["Document"] == document
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(_TRUST))
    iam.attach_role_policy(RoleName="reader", PolicyArn=made["Arn"])
    assert iam.get_policy(PolicyArn=made["Arn"])["Policy"]["AttachmentCount"] == 1
    assert made["Arn"] in [
        policy["Arn"] for policy in iam.list_policies(Scope="Local", OnlyAttached=True)["Policies"]
    ]
    assert _code(iam.delete_policy, PolicyArn=made["Arn"]) == "DeleteConflict"
    iam.detach_role_policy(RoleName="reader", PolicyArn=made["Arn"])
    iam.delete_policy(PolicyArn=made["Arn"])
    iam.delete_role(RoleName="reader")
    assert _code(iam.get_policy, PolicyArn=made["Arn"]) == "NoSuchEntity"
    names = {policy["PolicyName"] for policy in iam.list_policies(Scope="AWS")["Policies"]}
    assert {
        "AmazonSageMakerFullAccess",
        "AmazonS3FullAccess",
        "CloudWatchLogsFullAccess",
        "AdministratorAccess",
    } <= names


def test_lists_are_paged(engine: RunningEngine) -> None:
    iam = engine.client("iam")
    names = [f"page-{number}" for number in range(5)]
    for name in names:
        iam.create_role(RoleName=name, Path="/pages/", AssumeRolePolicyDocument=json.dumps(_TRUST))
    pages = list(
        iam.get_paginator("list_roles").paginate(PathPrefix="/pages/", PaginationConfig={"PageSize": 2})
    )
    assert [[role["RoleName"] for role in page["Roles"]] for page in pages] == [
        names[:2],
        names[2:4],
        names[4:],
    ]
    marker = iam.list_roles(PathPrefix="/pages/", MaxItems=2)["Marker"]
    assert _code(iam.list_roles, PathPrefix="/other/", Marker=marker) == "ValidationError"


@pytest.mark.parametrize(
    "document",
    [
        "not json",
        "[]",
        "{}",
        json.dumps({"Version": "2012-10-17", "Statement": []}),
        json.dumps({"Version": "2020-01-01", "Statement": _policy("Allow", "*", "*")["Statement"]}),
        json.dumps(_policy("Maybe", "s3:*", "*")),
        json.dumps(_policy("Allow", "GetObject", "*")),
        json.dumps(_policy("Allow", [], "*")),
        json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*"}]}),
        json.dumps(_TRUST),
    ],
)
def test_documents_that_are_refused(engine: RunningEngine, document: str) -> None:
    iam = engine.client("iam")
    assert _code(iam.create_policy, PolicyName="bad", PolicyDocument=document) == "MalformedPolicyDocument"


@pytest.mark.parametrize(
    ("document", "action", "resource", "context", "verdict"),
    [
        (_policy("Allow", "s3:Get*", "arn:aws:s3:::b/*"), "s3:getobject", "arn:aws:s3:::b/k/l", {}, "allowed"),
        (_policy("Allow", "s3:Get*", "arn:aws:s3:::b/*"), "s3:PutObject", "arn:aws:s3:::b/k", {}, "implicitDeny"),
        (_policy("Allow", "s3:Get*", "arn:aws:s3:::b/*"), "s3:GetObject", "arn:aws:s3:::B/k", {}, "implicitDeny"),
        (_policy("Allow", "s3:Get*", "arn:aws:s3:::b/*"), "s3:GetObject", "*", {}, "implicitDeny"),
        (_policy("Allow", "*", "*"), "anything:AtAll", "*", {}, "allowed"),
        (_policy("Deny", "s3:?etObject", "*"), "s3:GetObject", "x", {}, "explicitDeny"),
        (
            {"Statement": [{"Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:secret"}]},
            "s3:GetObject", "arn:open", {}, "allowed",
        ),
        ({"Statement": [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]}, "iam:GetRole", "x", {}, "implicitDeny"),
        (
            _policy("Allow", "iam:PassRole", "*", Condition={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}),
            "iam:PassRole", "x", {"iam:passedtoservice": ["sagemaker.amazonaws.com"]}, "allowed",
        ),
        (
            _policy("Allow", "iam:PassRole", "*", Condition={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}),
            "iam:PassRole", "x", {}, "implicitDeny",
        ),
        (
            _policy("Allow", "s3:*", "*", Condition={"StringLike": {"s3:prefix": ["home/*"]}, "Bool": {"aws:SecureTransport": "true"}}),
            "s3:ListBucket", "x", {"s3:prefix": ["home/a"], "aws:securetransport": ["true"]}, "allowed",
        ),
        (_policy("Allow", "s3:*", "*", Condition={"NoSuchOperator": {"a": "b"}}), "s3:x", "y", {"a": ["b"]}, "implicitDeny"),
        (_policy("Allow", "s3:*", "*", Condition={"Null": {"aws:TokenIssueTime": "true"}}), "s3:x", "y", {}, "allowed"),
        (_policy("Allow", "s3:*", "*", Condition={"StringNotEquals": {"a": "b"}}), "s3:x", "y", {"a": ["c"]}, "allowed"),
        (_policy("Allow", "s3:*", "*", Condition={"StringEqualsIfExists": {"a": "b"}}), "s3:x", "y", {}, "allowed"),
    ],
)  # fmt: skip
def test_what_policies_allow(
    document: dict[str, Any], action: str, resource: str, context: dict[str, list[str]], verdict: str
) -> None:
    assert (
        evaluation.decide([("p", parse(json.dumps(document)))], action, resource, context).verdict == verdict
    )


def test_simulating_for_somebody_who_is_not_there(engine: RunningEngine) -> None:
    iam = engine.client("iam")
    account = engine.connection.account_id
    for arn in (
        f"arn:aws:iam::{account}:role/nobody",
        f"arn:aws:iam::{account}:user/nobody",
        "arn:aws:iam::000000000000:role/MLConsoleExecutionRole",
    ):
        assert (
            _code(iam.simulate_principal_policy, PolicySourceArn=arn, ActionNames=["s3:GetObject"])
            == "NoSuchEntity"
        )
    results = iam.simulate_custom_policy(
        PolicyInputList=[json.dumps(_policy("Allow", "s3:*", "*"))], ActionNames=["s3:GetObject"]
    )
    assert results["EvaluationResults"][0]["EvalDecision"] == "allowed"


def test_temporary_credentials(own_engine: RunningEngine) -> None:
    sts = own_engine.client("sts")
    given = sts.assume_role(RoleArn=own_engine.connection.role_arn, RoleSessionName="me", DurationSeconds=900)
    keys = given["Credentials"]
    assert 890 < keys["Expiration"].timestamp() - own_engine.connection.started < 1000
    assert given["AssumedRoleUser"]["Arn"].endswith(":assumed-role/MLConsoleExecutionRole/me")
    session = {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }
    assert own_engine.client("sts", **session).get_caller_identity()["Arn"] == given["AssumedRoleUser"]["Arn"]
    assert own_engine.client("s3", **session).list_buckets()["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert (
        _code(own_engine.client("sts", **{**session, "aws_session_token": "another"}).get_caller_identity)
        == "InvalidClientTokenId"
    )
    assert (
        _code(own_engine.client("sts", **{**session, "aws_session_token": None}).get_caller_identity)
        == "InvalidClientTokenId"
    )
    assert _code(own_engine.client("sts", **session).get_session_token) == "AccessDenied"
    assert sts.get_session_token()["Credentials"]["AccessKeyId"].startswith("ASIA")
    assert (
        _code(sts.assume_role, RoleArn=own_engine.connection.role_arn + "x", RoleSessionName="me")
        == "AccessDenied"
    )
    assert (
        _code(
            sts.assume_role,
            RoleArn=own_engine.connection.role_arn,
            RoleSessionName="me",
            DurationSeconds=7200,
        )
        == "ValidationError"
    )
