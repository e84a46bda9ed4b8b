"""CreateModel, DescribeModel, ListModels, DeleteModel over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.deploying import DOUBLE, SKLEARN, Deployer, archive, refused, unique


def test_a_model_is_described_as_it_was_created(deploy: Deployer) -> None:
    name = unique("Model")
    uri = deploy.upload(archive({"code/inference.py": DOUBLE}))
    arn = deploy.sm.create_model(
        ModelName=name,
        ExecutionRoleArn=deploy.role,
        PrimaryContainer={"Image": SKLEARN, "ModelDataUrl": uri, "Environment": {"A": "1"}},
        Tags=[{"Key": "team", "Value": "x"}],
    )["ModelArn"]
    assert arn == f"arn:aws:sagemaker:us-east-1:{deploy.account}:model/{name.lower()}"
    found = deploy.sm.describe_model(ModelName=name)
    assert (found["ModelName"], found["ModelArn"], found["ExecutionRoleArn"]) == (name, arn, deploy.role)
    assert found["PrimaryContainer"]["Image"] == SKLEARN
    assert found["PrimaryContainer"]["ModelDataUrl"] == uri
    assert found["PrimaryContainer"]["Environment"] == {"A": "1"}
    assert found["EnableNetworkIsolation"] is False
    assert "VpcConfig" not in found and "Containers" not in found
    assert deploy.sm.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "x"}]
    deploy.sm.delete_model(ModelName=name)
    message = refused("ValidationException", deploy.sm.describe_model, ModelName=name)
    assert message == f'Could not find model "{arn}".'


def test_one_container_in_a_list_and_uncompressed_data(deploy: Deployer) -> None:
    prefix = f"plain/{unique('p')}/"
    deploy.upload(DOUBLE.encode(), prefix + "code/inference.py")
    name = unique("model")
    source = {
        "S3DataSource": {
            "S3Uri": f"s3://{deploy.bucket}/{prefix}",
            "S3DataType": "S3Prefix",
            "CompressionType": "None",
        }
    }
    deploy.sm.create_model(
        ModelName=name,
        ExecutionRoleArn=deploy.role,
        Containers=[{"Image": SKLEARN, "ModelDataSource": source}],
    )
    found = deploy.sm.describe_model(ModelName=name)
    assert found["Containers"][0]["ModelDataSource"] == source
    endpoint = deploy.endpoint(name)
    assert deploy.invoke(endpoint, 4) == 8


def test_taken_and_missing_names(deploy: Deployer) -> None:
    name = deploy.model()
    arn = deploy.sm.describe_model(ModelName=name)["ModelArn"]
    message = refused(
        "ValidationException",
        deploy.sm.create_model,
        ModelName=name,
        ExecutionRoleArn=deploy.role,
        PrimaryContainer={"Image": SKLEARN},
    )
    assert message == f'Cannot create already existing model "{arn}".'
    missing = unique("missing")
    expected = f'Could not find model "arn:aws:sagemaker:us-east-1:{deploy.account}:model/{missing}".'
    assert refused("ValidationException", deploy.sm.delete_model, ModelName=missing) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"PrimaryContainer": {"Image": SKLEARN, "ModelDataUrl": "s3://no-such-bucket-x/m.tar.gz"}}, "Could not find model data at s3://no-such-bucket-x/m.tar.gz."),
        ({"PrimaryContainer": {"Image": SKLEARN, "ModelDataUrl": "https://example.com/m.tar.gz"}}, "Could not find model data at https://example.com/m.tar.gz."),
        ({"PrimaryContainer": {"Image": "123.dkr.ecr.us-east-1.amazonaws.com/unknown-thing:1"}}, "Requested image 123.dkr.ecr.us-east-1.amazonaws.com/unknown-thing:1 not found."),
        ({"PrimaryContainer": {"Environment": {"A": "b"}}}, "must name an Image"),
        ({"PrimaryContainer": {"Image": SKLEARN, "Mode": "MultiModel"}}, "Multi-model"),
        ({"PrimaryContainer": {"ModelPackageName": "a-package"}}, "Could not find model package a-package"),
        ({"PrimaryContainer": {"Image": SKLEARN}, "Containers": [{"Image": SKLEARN}]}, "either PrimaryContainer or Containers"),
        ({"PrimaryContainer": None}, "either PrimaryContainer or Containers"),
        ({"PrimaryContainer": None, "Containers": [{"Image": SKLEARN}, {"Image": SKLEARN}]}, "inference pipelines"),
        ({"ExecutionRoleArn": "arn:aws:iam::999999999999:role/Other"}, "Cross-account pass role is not allowed."),
        ({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}, "Duplicate tag keys"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_model(deploy: Deployer, change: dict[str, Any], expected: str) -> None:
    name = unique("model")
    parameters = {
        "ModelName": name,
        "ExecutionRoleArn": deploy.role,
        "PrimaryContainer": {"Image": SKLEARN},
        **change,
    }
    parameters = {key: value for key, value in parameters.items() if value is not None}
    assert expected in refused("ValidationException", deploy.sm.create_model, **parameters)
    refused("ValidationException", deploy.sm.describe_model, ModelName=name)


def test_a_role_that_is_not_there(deploy: Deployer) -> None:
    role = f"arn:aws:iam::{deploy.account}:role/NoSuchRole"
    message = refused(
        "ValidationException",
        deploy.sm.create_model,
        ModelName=unique("model"),
        ExecutionRoleArn=role,
        PrimaryContainer={"Image": SKLEARN},
    )
    assert message.startswith(f"Could not assume role {role}. Please ensure that the role exists")


def test_a_missing_object_names_it(deploy: Deployer) -> None:
    uri = f"s3://{deploy.bucket}/absent/model.tar.gz"
    message = refused(
        "ValidationException",
        deploy.sm.create_model,
        ModelName=unique("model"),
        ExecutionRoleArn=deploy.role,
        PrimaryContainer={"Image": SKLEARN, "ModelDataUrl": uri},
    )
    assert message == f"Could not find model data at {uri}."


def test_list_filters_sorts_and_pages(deploy: Deployer) -> None:
    word = unique("list")
    names = [f"{word}-{letter}" for letter in "bca"]
    for name in names:
        deploy.sm.create_model(
            ModelName=name, ExecutionRoleArn=deploy.role, PrimaryContainer={"Image": SKLEARN}
        )

    def listed(**parameters: Any) -> list[str]:
        pages = deploy.sm.get_paginator("list_models").paginate(NameContains=word, **parameters)
        return [item["ModelName"] for page in pages for item in page["Models"]]

    assert listed() == names[::-1]
    assert listed(SortBy="Name", SortOrder="Ascending", MaxResults=1) == sorted(names)
    assert listed(SortBy="CreationTime", SortOrder="Ascending", MaxResults=2) == names
    middle = deploy.sm.describe_model(ModelName=names[1])["CreationTime"]
    assert listed(CreationTimeAfter=middle) == [names[2]]
    assert listed(CreationTimeBefore=middle) == [names[0]]
