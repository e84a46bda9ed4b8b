"""Pieces of the scripts that runs are printed as: what every study does the same way, in either interface.

They use the names and clients that `workflows.studies.scripthead` defines, and INFERENCE_IMAGE, ENVIRONMENT and MODELS.
"""

from __future__ import annotations

import pprint
from collections.abc import Mapping

SDK_IMPORTS = """\
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.resources import Endpoint, EndpointConfig
from sagemaker.core.shapes import OutputDataConfig, ProductionVariant, Tag
from sagemaker.serve import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.core.training.configs import Compute, InputData, MetricDefinition, SourceCode, StoppingCondition
from sagemaker.core.training.configs import Tag as TrainTag
"""

STORAGE = """
def upload(path, prefix):
    s3.upload_file(str(path), BUCKET, f"{prefix}/{path.name}")
    return f"s3://{BUCKET}/{prefix}/{path.name}"


def make_bucket():
    if BUCKET not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        where = {} if REGION == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
        s3.create_bucket(Bucket=BUCKET, **where)

"""

DEPLOY_LOW = '''
def deploy(model_data, name=NAME, image=INFERENCE_IMAGE):
    """CreateModel, CreateEndpointConfig, CreateEndpoint, and the wait until it is in service."""
    tags = [{"Key": key, "Value": value} for key, value in TAGS.items()]
    client.create_model(
        ModelName=name,
        ExecutionRoleArn=ROLE,
        PrimaryContainer={"Image": image, "ModelDataUrl": model_data, "Environment": ENVIRONMENT},
        Tags=tags,
    )
    client.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {
                "VariantName": "AllTraffic",
                "ModelName": name,
                "InstanceType": HOSTING_INSTANCE,
                "InitialInstanceCount": 1,
                "InitialVariantWeight": 1.0,
            }
        ],
        Tags=tags,
    )
    client.create_endpoint(EndpointName=name, EndpointConfigName=name, Tags=tags)
    while True:
        endpoint = client.describe_endpoint(EndpointName=name)
        print("endpoint:", endpoint["EndpointStatus"], flush=True)
        if endpoint["EndpointStatus"] == "InService":
            return
        if endpoint["EndpointStatus"] == "Failed":
            raise SystemExit(f"The endpoint failed: {endpoint.get('FailureReason', '')}")
        time.sleep(POLL)

'''

DEPLOY_HIGH = '''
def deploy(model_data, name=NAME, image=INFERENCE_IMAGE):
    """ModelBuilder makes the model; EndpointConfig and Endpoint of sagemaker.core host it."""
    with tempfile.TemporaryDirectory() as folder:  # without a model_path: /tmp/sagemaker, whoever's it is
        ModelBuilder(
            image_uri=image,
            s3_model_data_url=model_data,
            model_path=folder,
            env_vars=ENVIRONMENT,
            role_arn=ROLE,
            sagemaker_session=sdk,
            instance_type=HOSTING_INSTANCE,
        ).build(model_name=name, tags=[{"Key": key, "Value": value} for key, value in TAGS.items()])
    tags = [Tag(key=key, value=value) for key, value in TAGS.items()]
    variant = ProductionVariant(
        variant_name="AllTraffic",
        model_name=name,
        instance_type=HOSTING_INSTANCE,
        initial_instance_count=1,
        initial_variant_weight=1.0,
    )
    EndpointConfig.create(endpoint_config_name=name, production_variants=[variant], tags=tags, session=session, region=REGION)
    endpoint = Endpoint.create(
        endpoint_name=name, endpoint_config_name=name, tags=tags, session=session, region=REGION
    )
    while endpoint.refresh().endpoint_status != "InService":
        print("endpoint:", endpoint.endpoint_status, flush=True)
        if endpoint.endpoint_status == "Failed":
            raise SystemExit(f"The endpoint failed: {endpoint.failure_reason}")
        time.sleep(POLL)

'''

AFTERWARDS = '''
def logged(job, pattern):
    """The values of a metric in a training job's log, in order: gates read them before anything is hosted."""
    streams = logs.describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{job}/"
    )["logStreams"]
    found = []
    for stream in streams:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName="/aws/sagemaker/TrainingJobs", logStreamNames=[stream["logStreamName"]]
        )
        for page in pages:
            for event in page["events"]:
                if match := re.search(pattern, event["message"]):
                    found.append(float(match.group(1)))
    return found


def clean_up(endpoints=(NAME,), configurations=()):
    """Everything that costs: endpoints with the configurations of their names, further ones, models, objects. What does not exist is passed over."""
    deletions = [
        *(lambda name=name: client.delete_endpoint(EndpointName=name) for name in endpoints),
        *(lambda name=name: client.delete_endpoint_config(EndpointConfigName=name) for name in (*endpoints, *configurations)),
        *(lambda name=name: client.delete_model(ModelName=name) for name in MODELS),
    ]
    for delete in deletions:
        try:
            delete()
        except client.exceptions.ClientError as error:
            print("not deleted:", error)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{PREFIX}/"):
        for item in page.get("Contents", []):
            s3.delete_object(Bucket=BUCKET, Key=item["Key"])

'''


def literal(values: Mapping[str, object]) -> str:
    """A dictionary as a script shows it."""
    return (
        pprint.pformat(values, indent=4, width=100, sort_dicts=False).replace("{   ", "{\n    ", 1)[:-1]
        + ",\n}"
    )


def sources(files: Mapping[str, str], dictionary: str = "SOURCE") -> str:
    """Files as a script carries them: a dictionary of name -> text."""
    parts = [f"{dictionary} = {{}}"]
    for name, text in files.items():
        raw = f"r'''{text}'''" if "'''" not in text and not text.endswith(("'", "\\")) else repr(text)
        parts.append(f"{dictionary}[{name!r}] = {raw}")
    return "\n".join(parts) + "\n"
