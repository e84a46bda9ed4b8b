"""Lambda's control plane over the wire, with boto3."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import pytest

from engine.jobs.launcher import namespaces_allowed
from tests.engine import lambdas
from tests.engine.conftest import RunningEngine
from tests.engine.lambdas import ECHO, Workbench, package, refusal


@pytest.fixture(scope="module")
def bench(engine: RunningEngine) -> Iterator[Workbench]:
    yield from lambdas.bench(engine)


def test_a_function_is_created_waited_for_read_and_deleted(bench: Workbench) -> None:
    aws, zipped = bench.lambdas, package(app=ECHO)
    name = f"made-{secrets.token_hex(3)}"
    bench.functions.append(name)
    made = aws.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=bench.role,
        Handler="app.handler",
        Code={"ZipFile": zipped},
        Environment={"Variables": {"ENDPOINT": "reviews"}},
        Tags={"team": "ml"},
    )
    assert (made["State"], made["StateReasonCode"], made["Version"]) == ("Pending", "Creating", "$LATEST")
    assert made["CodeSha256"] == base64.b64encode(hashlib.sha256(zipped).digest()).decode()
    aws.get_waiter("function_active_v2").wait(FunctionName=name)
    found = aws.get_function(FunctionName=made["FunctionArn"])
    config = found["Configuration"]
    assert (config["Timeout"], config["MemorySize"], config["CodeSize"]) == (3, 128, len(zipped))
    assert config["LoggingConfig"]["LogGroup"] == f"/aws/lambda/{name}"
    assert config["Environment"]["Variables"] == {"ENDPOINT": "reviews"}
    assert found["Tags"] == {"team": "ml"}
    with urlopen(found["Code"]["Location"], timeout=30) as reply:
        assert reply.read() == zipped
    assert aws.get_function_code_signing_config(FunctionName=name)["FunctionName"] == name
    assert aws.get_runtime_management_config(FunctionName=name)["UpdateRuntimeOn"] == "Auto"
    account = bench.engine.connection.account_id
    partial = aws.get_function_configuration(FunctionName=f"{account}:function:{name}")
    assert partial["RevisionId"] == config["RevisionId"]
    assert aws.delete_function(FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"] == 204
    code, text, status = refusal(aws.get_function, FunctionName=name)
    assert (code, status) == ("ResourceNotFoundException", 404)
    assert text == f"Function not found: arn:aws:lambda:us-east-1:{account}:function:{name}"


def test_what_create_function_refuses(bench: Workbench) -> None:
    good: dict[str, Any] = {
        "FunctionName": f"no-{secrets.token_hex(3)}",
        "Runtime": "python3.12",
        "Role": bench.role,
        "Handler": "app.handler",
        "Code": {"ZipFile": package(app=ECHO)},
    }

    def refused(**params: Any) -> tuple[str, str]:
        return refusal(bench.lambdas.create_function, **{**good, **params})[:2]

    invalid = "InvalidParameterValueException"
    account = bench.engine.connection.account_id
    assert refused(Code={"ZipFile": b"no zip"}) == (
        invalid,
        "Could not unzip uploaded file. Please check your file, then try to upload again.",
    )
    climbing = package(**{"../out.py": ""})
    assert refused(Code={"ZipFile": climbing})[0] == invalid
    assert refused(Role=f"arn:aws:iam::{account}:role/nobody") == (
        invalid,
        "The role defined for the function cannot be assumed by Lambda.",
    )
    assert refused(Role=bench.engine.connection.role_arn)[0] == invalid  # it trusts SageMaker only
    assert refused(Role="arn:aws:iam::999999999999:role/x") == (
        "AccessDeniedException",
        "Cross-account pass role is not allowed.",
    )
    code, text = refused(Runtime="nodejs22.x")
    assert code == invalid and "nodejs22.x is not offered by this engine" in text
    code, text = refused(Runtime="python3.6")
    assert code == invalid and text.startswith("The runtime parameter of python3.6 is no longer supported")
    code, text = refused(Runtime="cobol")
    assert code == "ValidationException" and "enum value set" in text
    code, text = refused(MemorySize=99_999)
    assert text.startswith(
        "1 validation error detected: Value '99999' at 'memorySize' failed to satisfy constraint: Member must have value less "
        "than or equal to "
    )
    code, text = refused(Environment={"Variables": {"AWS_REGION": "x"}})
    assert code == invalid and text.endswith("Reserved keys used in this request: AWS_REGION")
    code, text = refused(Environment={"Variables": {"LONG": "x" * 5000}})
    assert "exceeded the 4KB limit" in text
    assert refused(Code={"S3Bucket": "nowhere-at-all", "S3Key": "f.zip"}) == (
        invalid,
        "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not exist",
    )
    assert "VPC" in refused(VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]})[1]
    assert "no container images" in refused(PackageType="Image", Code={"ImageUri": "x"})[1]
    taken = bench.function()
    assert refusal(bench.lambdas.create_function, **{**good, "FunctionName": taken}) == (
        "ResourceConflictException",
        f"Function already exist: {taken}",
        409,
    )


def test_code_from_s3_and_updates(bench: Workbench) -> None:
    aws, s3 = bench.lambdas, bench.engine.client("s3")
    bucket = bench.engine.connection.default_bucket
    s3.put_object(Bucket=bucket, Key="code/f.zip", Body=package(app="def handler(e, c):\n    return 1\n"))
    name = bench.function(Code={"S3Bucket": bucket, "S3Key": "code/f.zip"})
    assert bench.call(name) == 1
    before = aws.get_function_configuration(FunctionName=name)
    second = package(app="def handler(e, c):\n    return 2\n")
    dry = aws.update_function_code(FunctionName=name, ZipFile=second, DryRun=True)
    assert dry["CodeSha256"] != before["CodeSha256"]
    assert bench.call(name) == 1
    changed = aws.update_function_code(
        FunctionName=name, ZipFile=second, RevisionId=before["RevisionId"], Publish=True
    )
    assert (changed["LastUpdateStatus"], changed["Version"]) == ("InProgress", "1")
    aws.get_waiter("function_updated_v2").wait(FunctionName=name)
    assert bench.call(name) == 2
    code, _, status = refusal(
        aws.update_function_code, FunctionName=name, ZipFile=second, RevisionId=before["RevisionId"]
    )
    assert (code, status) == ("PreconditionFailedException", 412)
    aws.update_function_configuration(
        FunctionName=name,
        Handler="app.other",
        Environment={"Variables": {"AB": "c"}},
        MemorySize=256,
        Description="d",
    )
    assert bench.failing(name)["errorMessage"] == "Handler 'other' missing on module 'app'"
    aws.update_function_configuration(FunctionName=name, Handler="app.handler", Environment={})
    config = aws.get_function_configuration(FunctionName=name)
    assert "Environment" not in config and (config["MemorySize"], config["Description"]) == (256, "d")
    assert bench.call(name) == 2


def test_versions_and_aliases(bench: Workbench) -> None:
    aws = bench.lambdas
    name = bench.function(
        "import os\ndef handler(e, c):\n    return [c.function_version, c.invoked_function_arn]\n"
    )
    first = aws.publish_version(FunctionName=name, Description="one")
    assert (first["Version"], first["FunctionArn"].endswith(f":{name}:1")) == ("1", True)
    assert aws.publish_version(FunctionName=name)["Version"] == "1"  # nothing has changed
    aws.update_function_configuration(FunctionName=name, Timeout=61)
    assert aws.publish_version(FunctionName=name)["Version"] == "2"
    listed = aws.list_versions_by_function(FunctionName=name)["Versions"]
    assert [one["Version"] for one in listed] == ["$LATEST", "1", "2"]
    code, text, _ = refusal(aws.publish_version, FunctionName=name, CodeSha256="no")
    assert code == "InvalidParameterValueException" and text.startswith("CodeSHA256 (no) is different")
    alias = aws.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    assert bench.call(name, Qualifier="live") == ["1", alias["AliasArn"]]
    assert bench.call(f"{name}:2")[0] == "2"
    account = bench.engine.connection.account_id
    arn = f"arn:aws:lambda:us-east-1:{account}:function:{name}"
    assert refusal(aws.create_alias, FunctionName=name, Name="live", FunctionVersion="1") == (
        "ResourceConflictException",
        f"Alias already exists: {arn}:live",
        409,
    )
    assert refusal(aws.get_alias, FunctionName=name, Name="none")[1] == f"Cannot find alias arn: {arn}:none"
    assert refusal(aws.create_alias, FunctionName=name, Name="x", FunctionVersion="9")[1] == (
        f"Function not found: {arn}:9"
    )
    aws.update_alias(FunctionName=name, Name="live", RoutingConfig={"AdditionalVersionWeights": {"2": 1.0}})
    assert bench.call(name, Qualifier="live")[0] == "2"
    assert aws.list_aliases(FunctionName=name)["Aliases"][0]["Name"] == "live"
    assert refusal(aws.delete_function, FunctionName=name, Qualifier="1")[0] == "ResourceConflictException"
    aws.delete_alias(FunctionName=name, Name="live")
    aws.delete_function(FunctionName=name, Qualifier="1")
    assert refusal(aws.invoke, FunctionName=f"{name}:1")[0] == "ResourceNotFoundException"


def test_layers_are_found_by_functions_that_have_them(bench: Workbench) -> None:
    aws, layer = bench.lambdas, f"words-{secrets.token_hex(3)}"
    first = aws.publish_layer_version(
        LayerName=layer,
        Content={"ZipFile": package(**{"python/vocabulary.py": "SIZE = 5000\n", "words.txt": "a b"})},
        CompatibleRuntimes=["python3.12"],
        Description="words",
    )
    second = aws.publish_layer_version(
        LayerName=layer, Content={"ZipFile": package(**{"python/vocabulary.py": "SIZE = 7\n"})}
    )
    other = aws.publish_layer_version(
        LayerName=f"{layer}-2", Content={"ZipFile": package(**{"python/extra.py": "X = 1\n"})}
    )
    assert (first["Version"], second["Version"]) == (1, 2)
    with urlopen(aws.get_layer_version(LayerName=layer, VersionNumber=1)["Content"]["Location"]) as reply:
        assert len(reply.read()) == first["Content"]["CodeSize"]
    code = "import vocabulary\ndef handler(e, c):\n    import extra\n    return vocabulary.SIZE + extra.X\n"
    name = bench.function(code, Layers=[first["LayerVersionArn"], other["LayerVersionArn"]])
    assert bench.call(name) == 5001
    aws.update_function_configuration(
        FunctionName=name, Layers=[second["LayerVersionArn"], other["LayerVersionArn"]]
    )
    aws.delete_layer_version(LayerName=layer, VersionNumber=2)
    assert bench.call(name) == 8  # a deleted version goes on working where it is used
    versions = aws.list_layer_versions(LayerName=layer)["LayerVersions"]
    assert [one["Version"] for one in versions] == [1]
    assert aws.publish_layer_version(LayerName=layer, Content={"ZipFile": package(a="")})["Version"] == 3
    assert aws.get_layer_version_by_arn(Arn=first["LayerVersionArn"])["Description"] == "words"
    found = {one["LayerName"]: one["LatestMatchingVersion"]["Version"] for one in aws.list_layers()["Layers"]}
    assert found[layer] == 3
    gone = second["LayerVersionArn"]
    assert refusal(aws.update_function_configuration, FunctionName=name, Layers=[gone])[1] == (
        f"Layer version {gone} does not exist."
    )


@pytest.mark.skipif(not namespaces_allowed(), reason="the kernel lets no process have its own /var/task")
def test_packages_and_layers_lie_where_lambda_has_them(bench: Workbench) -> None:
    layer = bench.lambdas.publish_layer_version(
        LayerName=f"files-{secrets.token_hex(3)}", Content={"ZipFile": package(**{"words.txt": "good bad"})}
    )
    code = """
import os, sys
def handler(event, context):
    try:
        open("/var/task/new", "w")
    except OSError as error:
        refused = error.strerror
    return [open("/opt/words.txt").read(), open("/var/task/vocabulary.txt").read(), __file__, os.getcwd(), refused,
            os.environ["LAMBDA_TASK_ROOT"], os.path.exists(sys.executable)]
"""
    name = bench.function(code, files={"vocabulary.txt": "5000"}, Layers=[layer["LayerVersionArn"]])
    assert bench.call(name) == [
        "good bad",
        "5000",
        "/var/task/app.py",
        "/var/task",
        "Read-only file system",
        "/var/task",
        True,
    ]


def test_permissions(bench: Workbench) -> None:
    aws, name = bench.lambdas, bench.function()
    assert refusal(aws.get_policy, FunctionName=name)[:2] == (
        "ResourceNotFoundException",
        "The resource you requested does not exist.",
    )
    asked = {
        "FunctionName": name,
        "StatementId": "gateway",
        "Action": "lambda:InvokeFunction",
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": "arn:aws:execute-api:us-east-1:123456789012:x/*",
    }
    statement = json.loads(aws.add_permission(**asked)["Statement"])
    assert statement["Principal"] == {"Service": "apigateway.amazonaws.com"}
    assert statement["Condition"] == {
        "ArnLike": {"AWS:SourceArn": "arn:aws:execute-api:us-east-1:123456789012:x/*"}
    }
    assert refusal(aws.add_permission, **asked)[0] == "ResourceConflictException"
    assert refusal(aws.add_permission, **{**asked, "StatementId": "b", "Principal": "nobody"})[1] == (
        "The provided principal was invalid. Please check the principal and try again."
    )
    policy = json.loads(aws.get_policy(FunctionName=name)["Policy"])
    assert [one["Sid"] for one in policy["Statement"]] == ["gateway"]
    aws.remove_permission(FunctionName=name, StatementId="gateway")
    assert refusal(aws.remove_permission, FunctionName=name, StatementId="gateway")[1] == (
        "Statement gateway is not found in resource policy."
    )


def test_concurrency_event_configuration_tags_and_account(bench: Workbench) -> None:
    aws, name = bench.lambdas, bench.function()
    arn = aws.get_function_configuration(FunctionName=name)["FunctionArn"]
    assert "ReservedConcurrentExecutions" not in aws.get_function_concurrency(FunctionName=name)
    aws.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    assert aws.get_function(FunctionName=name)["Concurrency"] == {"ReservedConcurrentExecutions": 0}
    with pytest.raises(aws.exceptions.TooManyRequestsException) as caught:
        bench.call(name)
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert answer["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    code, text, _ = refusal(aws.put_function_concurrency, FunctionName=name, ReservedConcurrentExecutions=950)
    assert code == "InvalidParameterValueException" and "below its minimum value of [100]" in text
    aws.delete_function_concurrency(FunctionName=name)
    assert bench.call(name, 5) == 5
    made = aws.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    assert (made["MaximumRetryAttempts"], made["MaximumEventAgeInSeconds"]) == (0, 21600)
    aws.delete_function_event_invoke_config(FunctionName=name)
    assert refusal(aws.get_function_event_invoke_config, FunctionName=name)[0] == "ResourceNotFoundException"
    aws.tag_resource(Resource=arn, Tags={"a": "1", "b": "2"})
    aws.untag_resource(Resource=arn, TagKeys=["a"])
    assert aws.list_tags(Resource=arn)["Tags"] == {"b": "2"}
    limits = aws.get_account_settings()
    assert limits["AccountLimit"]["ConcurrentExecutions"] == 1000
    assert limits["AccountUsage"]["FunctionCount"] >= 1


def test_lists_are_paged(bench: Workbench) -> None:
    made = {bench.function(FunctionName=f"page-{secrets.token_hex(3)}") for _ in range(3)}
    found = []
    for one in bench.lambdas.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2}):
        assert len(one["Functions"]) <= 2
        found += [function["FunctionName"] for function in one["Functions"]]
    assert made <= set(found) and found == sorted(found) and len(found) == len(set(found))
    assert refusal(bench.lambdas.list_functions, Marker="no") == (
        "InvalidParameterValueException",
        "Invalid Marker.",
        400,
    )
