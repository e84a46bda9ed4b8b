"""Pieces of printed scripts for studies of built-in algorithms: training jobs and batch transform, in either interface.

Beside the names of `workflows.studies.pieces` they use IMAGE, TRAINING_INSTANCE, MAX_SECONDS, CONTENT_TYPE, STRATEGY and
TRANSFORM_ENVIRONMENT, and a function ``answers(output, uri)`` that reads what a transform job wrote.
"""

from __future__ import annotations

from workflows.studies import pieces

SDK_IMPORTS = (
    pieces.SDK_IMPORTS
    + "from sagemaker.core.resources import TransformJob\nfrom sagemaker.core.transformer import Transformer\n"
)

_LOW = '''
def train(title, hyperparameters, channels):
    """CreateTrainingJob of the built-in algorithm, and the wait for its end."""
    name = f"{NAME}-{title}"
    client.create_training_job(
        TrainingJobName=name,
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
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
                "ContentType": CONTENT_TYPE,
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


def transform(title, model_data, uri):
    """CreateModel and CreateTransformJob: the answers to every line, without an endpoint."""
    name, output = f"{NAME}-{title}", f"{PREFIX}/scores/{title}"
    client.create_model(
        ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE, "ModelDataUrl": model_data}
    )
    client.create_transform_job(
        TransformJobName=name,
        ModelName=name,
        Environment=TRANSFORM_ENVIRONMENT,
        **({"BatchStrategy": STRATEGY} if STRATEGY else {}),
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
            "ContentType": CONTENT_TYPE,
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

_HIGH = '''
def train(title, hyperparameters, channels):
    """ModelTrainer with the algorithm's image, and the wait for the job's end."""
    trainer = ModelTrainer(
        sagemaker_session=sdk,
        role=ROLE,
        training_image=IMAGE,
        compute=Compute(instance_type=TRAINING_INSTANCE, instance_count=1, volume_size_in_gb=5),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=MAX_SECONDS),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{BUCKET}/{PREFIX}/output"),
        hyperparameters=hyperparameters,
        base_job_name=f"{NAME}-{title}",
        tags=[TrainTag(key=key, value=value) for key, value in TAGS.items()],
    )
    inputs = [
        InputData(channel_name=channel, data_source=uri, content_type=CONTENT_TYPE) for channel, uri in channels.items()
    ]
    trainer.train(input_data_config=inputs, wait=False, logs=False)
    job = trainer._latest_training_job
    while job.refresh().training_job_status not in ("Completed", "Failed", "Stopped"):
        time.sleep(POLL)
    print(job.training_job_name, job.training_job_status, flush=True)
    if job.training_job_status != "Completed":
        raise SystemExit(f"The training job is {job.training_job_status}: {job.failure_reason}")
    return job.training_job_name, job.model_artifacts.s3_model_artifacts


def transform(title, model_data, uri):
    """ModelBuilder and Transformer: the answers to every line, without an endpoint."""
    name, output = f"{NAME}-{title}", f"{PREFIX}/scores/{title}"
    with tempfile.TemporaryDirectory() as folder:  # without a model_path: /tmp/sagemaker, whoever's it is
        ModelBuilder(
            image_uri=IMAGE,
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
        strategy=STRATEGY,
        env=TRANSFORM_ENVIRONMENT,
        assemble_with="Line",
        accept="application/jsonlines",
        output_path=f"s3://{BUCKET}/{output}",
        sagemaker_session=sdk,
    )
    transformer.transform(
        data=uri, content_type=CONTENT_TYPE, split_type="Line", job_name=name, wait=False, logs=False
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


def steps(high: bool) -> str:
    """The functions ``train(title, hyperparameters, channels)`` and ``transform(title, model_data, uri)``."""
    return _HIGH if high else _LOW
