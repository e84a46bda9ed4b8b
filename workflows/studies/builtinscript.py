"""Pieces of printed scripts for built-in algorithms: training jobs and batch transform, in either interface.

Beside the names of `workflows.studies.scripthead` they use those of `settings`, and a function ``answers(output, uri)`` that reads what
a transform job wrote for the file ``uri`` below the key ``output``.
"""

from __future__ import annotations

from collections.abc import Mapping

from workflows.studies import pieces

SDK_IMPORTS = """\
from sagemaker.core.resources import TransformJob
from sagemaker.core.transformer import Transformer
"""

_LOW = '''
def inputs(channels):
    """InputDataConfig of the channels, by name."""
    return [
        {
            "ChannelName": channel,
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": uri,
                    "S3DataDistributionType": "FullyReplicated",
                }
            },
            "ContentType": CHANNEL_TYPE,
        }
        for channel, uri in channels.items()
    ]


def train(title, hyperparameters, channels, image=IMAGE):
    """CreateTrainingJob of the built-in algorithm, and the wait for its end."""
    name = f"{NAME}-{title}"
    client.create_training_job(
        TrainingJobName=name,
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        HyperParameters=hyperparameters,
        InputDataConfig=inputs(channels),
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
    print("training job:", name, job["TrainingJobStatus"], flush=True)
    if job["TrainingJobStatus"] != "Completed":
        raise SystemExit(f"The training job is {job['TrainingJobStatus']}: {job.get('FailureReason', '')}")
    return name, job["ModelArtifacts"]["S3ModelArtifacts"]


def transform(title, model_data, uri, image=IMAGE, row_type=ROW_TYPE, environment=ENVIRONMENT):
    """CreateModel and CreateTransformJob: the answers to every line, without an endpoint."""
    name, output = f"{NAME}-{title}", f"{PREFIX}/scores/{title}"
    client.create_model(
        ModelName=name,
        ExecutionRoleArn=ROLE,
        PrimaryContainer={"Image": image, "ModelDataUrl": model_data, "Environment": environment},
    )
    limits = {"BatchStrategy": BATCH_STRATEGY, "MaxPayloadInMB": MAX_PAYLOAD, "MaxConcurrentTransforms": MAX_CONCURRENT}
    client.create_transform_job(
        TransformJobName=name,
        ModelName=name,
        Environment=TRANSFORM_ENVIRONMENT,
        **{key: value for key, value in limits.items() if value is not None},
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
            "ContentType": row_type,
            "SplitType": "Line",
        },
        TransformOutput={
            "S3OutputPath": f"s3://{BUCKET}/{output}",
            "Accept": ANSWER_TYPE,
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
def train(title, hyperparameters, channels, image=IMAGE):
    """ModelTrainer with the algorithm's image, and the wait for the job's end."""
    trainer = ModelTrainer(
        sagemaker_session=sdk,
        role=ROLE,
        training_image=image,
        compute=Compute(instance_type=TRAINING_INSTANCE, instance_count=1, volume_size_in_gb=5),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=MAX_SECONDS),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{BUCKET}/{PREFIX}/output"),
        hyperparameters=hyperparameters,
        base_job_name=f"{NAME}-{title}",
        tags=[TrainTag(key=key, value=value) for key, value in TAGS.items()],
    )
    inputs = [
        InputData(channel_name=channel, data_source=uri, content_type=CHANNEL_TYPE) for channel, uri in channels.items()
    ]
    trainer.train(input_data_config=inputs, wait=False, logs=False)
    job = trainer._latest_training_job
    while job.refresh().training_job_status not in ("Completed", "Failed", "Stopped"):
        time.sleep(POLL)
    print("training job:", job.training_job_name, job.training_job_status, flush=True)
    if job.training_job_status != "Completed":
        raise SystemExit(f"The training job is {job.training_job_status}: {job.failure_reason}")
    return job.training_job_name, job.model_artifacts.s3_model_artifacts


def transform(title, model_data, uri, image=IMAGE, row_type=ROW_TYPE, environment=ENVIRONMENT):
    """ModelBuilder and Transformer: the answers to every line, without an endpoint."""
    name, output = f"{NAME}-{title}", f"{PREFIX}/scores/{title}"
    with tempfile.TemporaryDirectory() as folder:  # without a model_path: /tmp/sagemaker, whoever's it is
        ModelBuilder(
            image_uri=image,
            s3_model_data_url=model_data,
            model_path=folder,
            env_vars=environment,
            role_arn=ROLE,
            sagemaker_session=sdk,
            instance_type=TRAINING_INSTANCE,
        ).build(model_name=name)
    transformer = Transformer(
        model_name=name,
        instance_count=1,
        instance_type=TRAINING_INSTANCE,
        strategy=BATCH_STRATEGY,
        max_payload=MAX_PAYLOAD,
        max_concurrent_transforms=MAX_CONCURRENT,
        env=TRANSFORM_ENVIRONMENT,
        assemble_with="Line",
        accept=ANSWER_TYPE,
        output_path=f"s3://{BUCKET}/{output}",
        sagemaker_session=sdk,
    )
    transformer.transform(
        data=uri, content_type=row_type, split_type="Line", job_name=name, wait=False, logs=False
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


_ASK_LOW = '''
def ask(text, content_type, accept, endpoint=NAME):
    """InvokeEndpoint: the answer's text."""
    answer = runtime.invoke_endpoint(
        EndpointName=endpoint, Body=text.encode(), ContentType=content_type, Accept=accept
    )
    return answer["Body"].read().decode()

'''

_ASK_HIGH = '''
def ask(text, content_type, accept, endpoint=NAME):
    """Endpoint.invoke: the answer's text."""
    answer = Endpoint(endpoint_name=endpoint).invoke(
        body=text.encode(), content_type=content_type, accept=accept, session=session, region=REGION
    )
    return answer.body.read().decode()

'''


def settings(
    image: str,
    content_type: str,
    *,
    rows: str = "",
    answers: str = "application/jsonlines",
    strategy: str | None = None,
    max_payload: int | None = None,
    max_concurrent: int | None = None,
    environment: str = "{}",
    variables: Mapping[str, str] | None = None,
) -> str:
    """Assignments of what the steps use.

    Args:
        content_type: Of the channels of training jobs.
        rows: Content type of what batch transform reads; empty: the same. ``answers``: of what it writes.
        strategy: SingleRecord or MultiRecord; None, as for the largest payload (MB) and the calls at a time: SageMaker's default.
        environment: The expression of what the models' containers get in batch transform.
        variables: What a model's container always gets.
    """
    return f"""\
IMAGE = INFERENCE_IMAGE = "{image}"
ENVIRONMENT = {pieces.literal(variables) if variables else "{}"}
CHANNEL_TYPE = "{content_type}"
ROW_TYPE, ANSWER_TYPE = "{rows or content_type}", "{answers}"  # of batch transform
BATCH_STRATEGY, MAX_PAYLOAD, MAX_CONCURRENT = {strategy!r}, {max_payload}, {max_concurrent}
TRANSFORM_ENVIRONMENT = {environment}
"""


def steps(high: bool) -> str:
    """The functions ``train(title, hyperparameters, channels)``, which gives the job's name and its model, and ``transform(title, model_data, uri)``."""
    return _HIGH if high else _LOW


def ask(high: bool) -> str:
    """The function ``ask(text, content_type, accept, endpoint=NAME)``, which gives the endpoint's answer as text."""
    return _ASK_HIGH if high else _ASK_LOW


def hosted(high: bool) -> str:
    """Everything between a study's data and its own end: `steps`, ``deploy`` and ``ask``, what is before and after them."""
    deploy = pieces.DEPLOY_HIGH if high else pieces.DEPLOY_LOW
    return pieces.STORAGE + steps(high) + deploy + ask(high) + pieces.AFTERWARDS
