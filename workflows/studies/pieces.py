"""Pieces of the scripts that runs are printed as: what every study does the same way, in either interface.

They use the names REGION, ROLE, BUCKET, NAME, PREFIX, TAGS, MODELS, INFERENCE_IMAGE, HOSTING_INSTANCE, ENVIRONMENT and POLL, and
the clients ``client``, ``s3`` and ``logs``, which a script's head defines. Those of built-in algorithms also use TRAINING_INSTANCE,
MAX_SECONDS and TRAINING_TYPE (the channels' content type), and a function ``answers(output, uri)`` that reads a transform job's output.
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

SDK_TRANSFORM_IMPORTS = """\
from sagemaker.core.resources import TransformJob
from sagemaker.core.transformer import Transformer
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

ALGORITHM_LOW = '''
def train(variant, image, hyperparameters, channels):
    """CreateTrainingJob of the built-in algorithm, and the wait for its end."""
    name = f"{NAME}-{variant}"
    client.create_training_job(
        TrainingJobName=name,
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        HyperParameters=hyperparameters,
        InputDataConfig=[
            {
                "ChannelName": channel,
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": uri,
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
                "ContentType": TRAINING_TYPE,
            }
            for channel, uri in channels.items()
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/{PREFIX}/output"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": TRAINING_INSTANCE, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": MAX_SECONDS},
        Tags=[{"Key": key, "Value": value} for key, value in TAGS.items()],
    )
    while True:
        job = client.describe_training_job(TrainingJobName=name)
        if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped"):
            break
        time.sleep(POLL)
    print(name, job["TrainingJobStatus"], flush=True)
    if job["TrainingJobStatus"] != "Completed":
        raise SystemExit(f"The training job is {job['TrainingJobStatus']}: {job.get('FailureReason', '')}")
    return name, job["ModelArtifacts"]["S3ModelArtifacts"]


def transform(variant, image, model_data, uri):
    """CreateModel and CreateTransformJob: the answer to every row, without an endpoint."""
    name, output = f"{NAME}-{variant}", f"{PREFIX}/scores/{variant}"
    client.create_model(
        ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": image, "ModelDataUrl": model_data}
    )
    client.create_transform_job(
        TransformJobName=name,
        ModelName=name,
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        TransformOutput={
            "S3OutputPath": f"s3://{BUCKET}/{output}",
            "Accept": "application/jsonlines",
            "AssembleWith": "Line",
        },
        TransformResources={"InstanceType": TRAINING_INSTANCE, "InstanceCount": 1},
    )
    while True:
        job = client.describe_transform_job(TransformJobName=name)
        if job["TransformJobStatus"] in ("Completed", "Failed", "Stopped"):
            break
        time.sleep(POLL)
    if job["TransformJobStatus"] != "Completed":
        raise SystemExit(f"The transform job is {job['TransformJobStatus']}: {job.get('FailureReason', '')}")
    return answers(output, uri)

'''

ALGORITHM_HIGH = '''
def train(variant, image, hyperparameters, channels):
    """ModelTrainer with the algorithm's image, and the wait for the job's end."""
    trainer = ModelTrainer(
        sagemaker_session=sdk,
        role=ROLE,
        training_image=image,
        compute=Compute(instance_type=TRAINING_INSTANCE, instance_count=1, volume_size_in_gb=5),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=MAX_SECONDS),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{BUCKET}/{PREFIX}/output"),
        hyperparameters=hyperparameters,
        base_job_name=f"{NAME}-{variant}",
        tags=[TrainTag(key=key, value=value) for key, value in TAGS.items()],
    )
    inputs = [
        InputData(channel_name=channel, data_source=uri, content_type=TRAINING_TYPE) for channel, uri in channels.items()
    ]
    trainer.train(input_data_config=inputs, wait=False, logs=False)
    job = trainer._latest_training_job
    while job.refresh().training_job_status not in ("Completed", "Failed", "Stopped"):
        time.sleep(POLL)
    print(job.training_job_name, job.training_job_status, flush=True)
    if job.training_job_status != "Completed":
        raise SystemExit(f"The training job is {job.training_job_status}: {job.failure_reason}")
    return job.training_job_name, job.model_artifacts.s3_model_artifacts


def transform(variant, image, model_data, uri):
    """ModelBuilder and Transformer: the answer to every row, without an endpoint."""
    name, output = f"{NAME}-{variant}", f"{PREFIX}/scores/{variant}"
    with tempfile.TemporaryDirectory() as folder:  # without a model_path: /tmp/sagemaker, whoever's it is
        ModelBuilder(
            image_uri=image,
            s3_model_data_url=model_data,
            model_path=folder,
            role_arn=ROLE,
            sagemaker_session=sdk,
            instance_type=TRAINING_INSTANCE,
        ).build(model_name=name)
    transformer = Transformer(
        model_name=name,
        instance_count=1,
        instance_type=TRAINING_INSTANCE,
        assemble_with="Line",
        accept="application/jsonlines",
        output_path=f"s3://{BUCKET}/{output}",
        sagemaker_session=sdk,
    )
    transformer.transform(
        data=uri, content_type="text/csv", split_type="Line", job_name=name, wait=False, logs=False
    )
    while True:
        job = TransformJob.get(transform_job_name=name, session=session, region=REGION)
        if job.transform_job_status in ("Completed", "Failed", "Stopped"):
            break
        time.sleep(POLL)
    if job.transform_job_status != "Completed":
        raise SystemExit(f"The transform job is {job.transform_job_status}: {job.failure_reason}")
    return answers(output, uri)

'''

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


def clean_up(endpoints=(NAME,)):
    """Everything that costs: endpoints, configurations, models, objects. What does not exist is passed over."""
    deletions = [
        *(lambda name=name: client.delete_endpoint(EndpointName=name) for name in endpoints),
        *(lambda name=name: client.delete_endpoint_config(EndpointConfigName=name) for name in endpoints),
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
