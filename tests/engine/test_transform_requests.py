"""What CreateTransformJob and its siblings refuse, in AWS's words, and what they accept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine.conftest import RunningEngine
from tests.engine.deploying import refused, unique
from tests.engine.transforming import DOUBLE, Transformer

CSV, LINES = "text/csv", "application/jsonlines"


@pytest.fixture(scope="module")
def job(engine: RunningEngine) -> Iterator[Transformer]:
    yield Transformer(engine)


@pytest.fixture(scope="module")
def model(job: Transformer) -> str:
    return job.model(DOUBLE)


@pytest.fixture(scope="module")
def source(job: Transformer) -> str:
    return job.put({"rows.csv": "1\n"})


def joined(content: str = CSV, accept: str = CSV, **processing: str) -> dict[str, Any]:
    """Changes of a request that processes data."""
    return {
        "DataProcessing": {"JoinSource": "Input", **processing},
        "input": {"ContentType": content},
        "output": {"Accept": accept},
    }


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"MaxPayloadInMB": 101}, "MaxPayloadInMB 101 cannot be greater than 100"),
        (
            {"MaxPayloadInMB": 20, "MaxConcurrentTransforms": 6},
            "(MaxConcurrentTransforms * MaxPayloadInMB) cannot exceed 100 MB",
        ),
        ({"resources": {"InstanceCount": 101}}, "InstanceCount 101"),
        ({"kind": "AugmentedManifestFile"}, "AugmentedManifestFile is not supported for batch transform"),
        ({"output": {"S3OutputPath": "s3://no-such-bucket-here/out"}}, '"no-such-bucket-here"'),
        ({"output": {"S3OutputPath": "https://example.com/out"}}, "not an S3 URI"),
        (joined(content="application/x-image"), "ContentType 'application/x-image'"),
        (joined(accept=""), "Accept ''"),
        (joined(accept="application/json"), "input and output of the same format"),
        (
            joined() | {"input": {"SplitType": "RecordIO", "ContentType": CSV}},
            "not supported with SplitType RecordIO",
        ),
        (
            joined() | {"input": {"SplitType": "None", "ContentType": CSV}},
            "needs TransformInput.SplitType Line",
        ),
        (
            joined() | {"output": {"AssembleWith": "None", "Accept": CSV}},
            "need TransformOutput.AssembleWith Line",
        ),
        (joined(InputFilter="1:"), "Invalid JSONPath in DataProcessing.InputFilter: '1:' must begin with $"),
        (joined(OutputFilter="$..id"), "Invalid JSONPath in DataProcessing.OutputFilter: '$..id' uses '..'"),
        (joined(OutputFilter="$.id"), "'$.id' does not select by index"),
        (joined(LINES, LINES, InputFilter="$[?(@.a)]"), "uses a filter expression"),
        (joined() | {"MaxPayloadInMB": 0}, "MaxPayloadInMB 0"),
        (
            {"DataCaptureConfig": {"DestinationS3Uri": "s3://b/c", "GenerateInferenceId": True}},
            "GenerateInferenceId are not supported for TransformOutput.Accept ''",
        ),
        ({"DataCaptureConfig": {"DestinationS3Uri": "s3://no-such-bucket-here/c"}}, '"no-such-bucket-here"'),
        ({"Tags": [{"Key": "aws:x", "Value": "1"}]}, "reserved"),
    ],
)
def test_what_cannot_run_is_refused(
    job: Transformer, model: str, source: str, changes: dict[str, Any], text: str
) -> None:
    request = job.request(
        model,
        source,
        **{key: dict(value) if isinstance(value, dict) else value for key, value in changes.items()},
    )
    assert text in refused("ValidationException", job.sm.create_transform_job, **request)
    assert "Could not find" in refused(
        "ValidationException",
        job.sm.describe_transform_job,
        TransformJobName=request["TransformJobName"],
    )


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"name": "-bad-"}, "transformJobName"),
        ({"BatchStrategy": "Some"}, "batchStrategy"),
        ({"ModelClientConfig": {"InvocationsMaxRetries": 4}}, "invocationsMaxRetries"),
        ({"ModelClientConfig": {"InvocationsTimeoutInSeconds": 3601}}, "invocationsTimeoutInSeconds"),
        ({"input": {"SplitType": "Page"}}, "splitType"),
        ({"resources": {"InstanceType": "ml.toy"}}, "instanceType"),
        ({"DataProcessing": {"InputFilter": "$" + "[1]" * 25}}, "inputFilter"),
        ({"Environment": {f"V{number}": "1" for number in range(17)}}, "environment"),
    ],
)
def test_what_the_model_of_the_service_forbids(
    engine: RunningEngine, job: Transformer, model: str, source: str, changes: dict[str, Any], text: str
) -> None:
    from botocore.config import Config

    client = engine.client("sagemaker", config=Config(parameter_validation=False))
    message = refused(
        "ValidationException", client.create_transform_job, **job.request(model, source, **changes)
    )
    assert text in message
    assert "failed to satisfy constraint" in message


def test_what_is_not_there(job: Transformer, model: str, source: str) -> None:
    name = unique("nobody")
    text = f"Could not find requested job with name: {name}"
    for call in (job.sm.describe_transform_job, job.sm.stop_transform_job):
        assert refused("ValidationException", call, TransformJobName=name) == text
    message = refused("ValidationException", job.sm.create_transform_job, **job.request("nobody", source))
    assert message.startswith('Could not find model "arn:aws:sagemaker:')
    missing = f"s3://{job.bucket}/{unique('nothing')}/"
    message = refused("ValidationException", job.sm.create_transform_job, **job.request(model, missing))
    assert message.startswith(f'No S3 objects found under S3 URL "{missing}" given in input data source.')
    assert job.role in message
    manifest = job.put({"list": json.dumps([{"prefix": source}, "gone.csv"])}) + "list"
    request = job.request(model, manifest, kind="ManifestFile")
    assert "gone.csv" in refused("ValidationException", job.sm.create_transform_job, **request)


def test_a_name_is_used_once(job: Transformer, model: str, source: str) -> None:
    name = job.begin(model, source)
    message = refused("ResourceInUse", job.sm.create_transform_job, **job.request(model, source, name=name))
    assert message.startswith(
        "Job name must be unique within an AWS account and region, and a job with this name already exists (arn:"
    )
    job.ended(name)
    refused("ResourceInUse", job.sm.create_transform_job, **job.request(model, source, name=name))


def test_of_creates_at_once_one_wins_and_keeps_its_tags(job: Transformer, model: str, source: str) -> None:
    request = job.request(model, source)

    def create(number: int) -> int | None:
        try:
            job.sm.create_transform_job(**request, Tags=[{"Key": "number", "Value": str(number)}])
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ResourceInUse"
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        (winner,) = [number for number in pool.map(create, range(8)) if number is not None]
    arn = job.ended(request["TransformJobName"])["TransformJobArn"]
    assert job.sm.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "number", "Value": str(winner)}]


def test_what_is_accepted_is_described(job: Transformer, model: str, source: str) -> None:
    given = {
        "MaxConcurrentTransforms": 4,
        "MaxPayloadInMB": 25,
        "BatchStrategy": "MultiRecord",
        "ModelClientConfig": {"InvocationsTimeoutInSeconds": 60, "InvocationsMaxRetries": 1},
        "Environment": {"WORD": "x"},
        "DataCaptureConfig": {"DestinationS3Uri": f"s3://{job.bucket}/captured"},
        "ExperimentConfig": {"ExperimentName": "e", "TrialName": "t", "TrialComponentDisplayName": "c"},
        "DataProcessing": {"InputFilter": "$", "OutputFilter": "$[-1]", "JoinSource": "Input"},
    }
    name = job.begin(model, source, output={"Accept": CSV}, **given)
    found = job.ended(name)
    assert found["TransformJobStatus"] == "Completed", (found.get("FailureReason"), job.data_log(name))
    assert {key: found[key] for key in given} == given
    assert found["TransformResources"] == {"InstanceType": "ml.m5.large", "InstanceCount": 1}
    # MultiRecord without SplitType is accepted, as on AWS: each object is one payload.
    unsplit = job.run(model, source, input={"SplitType": "None"}, BatchStrategy="MultiRecord")
    assert unsplit == {"rows.csv.out": b"2\n"}


def test_empty_filters_mean_everything(job: Transformer, model: str, source: str) -> None:
    processing = {"InputFilter": "", "OutputFilter": "", "JoinSource": "None"}
    name = job.begin(model, source, DataProcessing=processing, input={"SplitType": "None"})
    found = job.ended(name)
    assert found["TransformJobStatus"] == "Completed", (found.get("FailureReason"), job.data_log(name))
    assert found["DataProcessing"] == {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
    assert job.outputs(name) == {"rows.csv.out": b"2\n"}


def test_streaming_and_processing_go_together_record_by_record(job: Transformer, model: str) -> None:
    source = job.put({"rows.csv": "7,1\n8,2\n"})
    changes = joined(InputFilter="$[1:]", OutputFilter="$[0,-1]") | {"MaxPayloadInMB": 0}
    assert job.run(model, source, BatchStrategy="SingleRecord", **changes) == {"rows.csv.out": b"7,2\n8,4\n"}
    unsplit = job.request(
        model,
        source,
        BatchStrategy="SingleRecord",
        MaxPayloadInMB=0,
        DataProcessing={"InputFilter": "$.a"},
        input={"SplitType": "None", "ContentType": "application/json"},
    )
    assert "streams an object in chunks" in refused(
        "ValidationException", job.sm.create_transform_job, **unsplit
    )


paths = st.sampled_from(
    ["$", "$[1:]", "$[0,-1]", "$.a", "$['a','b']", "$..a", "a", "", "$[", "$[*]", "$[99999]"]
)
kinds = st.sampled_from(["", "text/csv", "application/json", "application/jsonlines", "image/png", "a/b;c=d"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    given_paths=st.tuples(paths, paths),
    types=st.tuples(kinds, kinds),
    join=st.sampled_from(["Input", "None"]),
    split=st.sampled_from(["None", "Line", "RecordIO", "TFRecord"]),
    assemble=st.sampled_from(["None", "Line"]),
    numbers=st.tuples(*[st.none() | st.integers(0, 200)] * 2),
    strategy=st.sampled_from(["SingleRecord", "MultiRecord", None]),
    place=st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=30),
)
def test_no_request_breaks_the_engine(job: Transformer, model: str, given_paths: tuple[str, str], types: tuple[str, str], join: str,
                                      split: str, assemble: str, numbers: tuple[int | None, int | None], strategy: str | None, place: str) -> None:  # fmt: skip
    request = job.request(
        model,
        f"s3://{job.bucket}/nothing-is-here/{place}",
        input={"SplitType": split, "ContentType": types[0]},
        output={"Accept": types[1], "AssembleWith": assemble, "S3OutputPath": f"s3://{place or 'x'}"},
        DataProcessing={"InputFilter": given_paths[0], "OutputFilter": given_paths[1], "JoinSource": join},
    )
    more = {"MaxPayloadInMB": numbers[0], "MaxConcurrentTransforms": numbers[1], "BatchStrategy": strategy}
    request |= {key: value for key, value in more.items() if value is not None}
    # The input is not there in any case: what is asked is whether everything is refused in words.
    assert refused("ValidationException", job.sm.create_transform_job, **request)
