"""Batch transform by the SDK that is installed, 2 or 3: ``transform.py VERSION ROLE BUCKET``, with boto3 only where the SDK uploads nothing itself."""

import io
import json
import os
import sys
import tarfile
from pathlib import Path
from typing import Any

import boto3

VERSION = sys.argv[1]
ROLE = sys.argv[2]
BUCKET = sys.argv[3]
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
CODE = """
def model_fn(folder):
    return 2

def transform_fn(model, data, content_type, accept):
    return "\\n".join(str(int(line.split(",")[0]) * model) for line in data.splitlines())
"""
s3, client = boto3.client("s3"), boto3.client("sagemaker")


def put(key: str, data: bytes) -> str:
    s3.put_object(Bucket=BUCKET, Key=key, Body=data)
    return f"s3://{BUCKET}/{key}"


def get(uri: str) -> str:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    text: str = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    return text


stream = io.BytesIO()
with tarfile.open(fileobj=stream, mode="w:gz") as archive:
    info = tarfile.TarInfo("code/inference.py")
    info.size = len(CODE)
    archive.addfile(info, io.BytesIO(CODE.encode()))
container = {"Image": IMAGE, "ModelDataUrl": put("m/model.tar.gz", stream.getvalue())}
client.create_model(ModelName="double", ExecutionRoleArn=ROLE, PrimaryContainer=container)
rows = put("in/rows.csv", b"7,1,x\n8,2,y\n")
refusing = put("in/bad.csv", b"not a number\n")

if VERSION == "2":
    from sagemaker.transformer import Transformer
else:
    from sagemaker.core.transformer import Transformer

found: dict[str, Any] = {}
transformer = Transformer(
    "double", 1, "ml.m4.xlarge", assemble_with="Line", accept="text/csv", strategy="MultiRecord"
)
transformer.transform(rows, content_type="text/csv", split_type="Line", wait=True, logs=True)
found["plain"] = get(f"{transformer.output_path}/rows.csv.out")
transformer.transform(
    rows,
    content_type="text/csv",
    split_type="Line",
    input_filter="$[1:]",
    join_source="Input",
    output_filter="$[0,-1]",
    model_client_config={"InvocationsTimeoutInSeconds": 30, "InvocationsMaxRetries": 0},
    wait=False,
)
transformer.wait(logs=False)
found["joined"] = get(f"{transformer.output_path}/rows.csv.out")
try:
    transformer.transform(refusing, content_type="text/csv", split_type="Line", wait=True, logs=True)
except Exception as error:
    found["error"] = str(error)

if VERSION == "3":
    from sagemaker.core.resources import TransformJob
    from sagemaker.core.shapes import (
        TransformDataSource,
        TransformInput,
        TransformOutput,
        TransformResources,
        TransformS3DataSource,
    )

    job = TransformJob.create(
        transform_job_name="by-resource",
        model_name="double",
        transform_input=TransformInput(
            data_source=TransformDataSource(
                s3_data_source=TransformS3DataSource(s3_data_type="S3Prefix", s3_uri=rows)
            ),
            content_type="text/csv",
            split_type="Line",
        ),
        transform_output=TransformOutput(s3_output_path=f"s3://{BUCKET}/out", assemble_with="Line"),
        transform_resources=TransformResources(instance_type="ml.m5.large", instance_count=1),
    )
    job.wait(logs=True)
    found["resource"] = get(f"s3://{BUCKET}/out/rows.csv.out")
    found["status"] = job.transform_job_status
    found["listed"] = "by-resource" in [item.transform_job_name for item in TransformJob.get_all()]
else:
    attached = Transformer.attach(transformer.latest_transform_job.name)
    found["attached"] = attached.model_name
Path(os.environ["RESULT"]).write_text(json.dumps(found))
