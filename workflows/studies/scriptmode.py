"""The printed script of a study that trains its own code (script mode), around what is the study's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workflows.interfaces.base import MetricDefinition
from workflows.runs import Run
from workflows.studies import pieces, scripthead
from workflows.studies.scripthead import Head

_SOURCE = '''
def write_source(folder):
    """The folder that SageMaker runs: the model, its training and its serving code (at the end of this file)."""
    folder.mkdir()
    for name, text in SOURCE.items():
        (folder / name).write_text(text)
    return folder

'''

_LOW = '''
def train_script(source, channels, hyperparameters=HYPERPARAMETERS, name=NAME, content_type="text/csv"):
    """CreateTrainingJob in script mode, and the wait for its end."""
    with tarfile.open(source.parent / "sourcedir.tar.gz", "w:gz") as archive:
        for path in sorted(source.iterdir()):
            archive.add(path, path.name)
    code = upload(source.parent / "sourcedir.tar.gz", f"{PREFIX}/code")
    client.create_training_job(
        TrainingJobName=name,
        RoleArn=ROLE,
        AlgorithmSpecification={
            "TrainingImage": TRAINING_IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": metric, "Regex": regex} for metric, regex in METRICS.items()],
        },
        HyperParameters={
            **hyperparameters,
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": code,
            "sagemaker_region": REGION,
        },
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
                "ContentType": content_type,
                "CompressionType": "None",
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
        print("training job:", job["SecondaryStatus"], flush=True)
        if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped"):
            break
        time.sleep(POLL)
    if job["TrainingJobStatus"] != "Completed":
        raise SystemExit(f"The training job is {job['TrainingJobStatus']}: {job.get('FailureReason', '')}")
    return name, job["ModelArtifacts"]["S3ModelArtifacts"]

'''

_LOW_INVOKE = """
def invoke(points):
    body = io.BytesIO()
    np.save(body, points)
    answer = runtime.invoke_endpoint(
        EndpointName=NAME, Body=body.getvalue(), ContentType="application/x-npy", Accept="application/x-npy"
    )
    return np.load(io.BytesIO(answer["Body"].read()))

"""

_HIGH = '''
def train_script(source, channels, hyperparameters=HYPERPARAMETERS, name=NAME, content_type="text/csv"):
    """ModelTrainer in script mode, and the wait for the job's end."""
    trainer = ModelTrainer(
        sagemaker_session=sdk,
        role=ROLE,
        training_image=TRAINING_IMAGE,
        source_code=SourceCode(source_dir=str(source), entry_script="train.py"),
        compute=Compute(instance_type=TRAINING_INSTANCE, instance_count=1, volume_size_in_gb=5),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=MAX_SECONDS),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{BUCKET}/{PREFIX}/output"),
        hyperparameters=hyperparameters,
        base_job_name=name,
        input_s3_key_prefix=PREFIX,
        tags=[TrainTag(key=key, value=value) for key, value in TAGS.items()],
    ).with_metric_definitions([MetricDefinition(name=metric, regex=regex) for metric, regex in METRICS.items()])
    inputs = [
        InputData(channel_name=channel, data_source=uri, content_type=content_type) for channel, uri in channels.items()
    ]
    trainer.train(input_data_config=inputs, wait=False, logs=False)
    job = trainer._latest_training_job
    while job.refresh().training_job_status not in ("Completed", "Failed", "Stopped"):
        print("training job:", job.secondary_status, flush=True)
        time.sleep(POLL)
    if job.training_job_status != "Completed":
        raise SystemExit(f"The training job is {job.training_job_status}: {job.failure_reason}")
    return job.training_job_name, job.model_artifacts.s3_model_artifacts

'''

_HIGH_INVOKE = """
def invoke(points):
    body = io.BytesIO()
    np.save(body, points)
    answer = Endpoint(endpoint_name=NAME).invoke(
        body=body.getvalue(),
        content_type="application/x-npy",
        accept="application/x-npy",
        session=session,
        region=REGION,
    )
    return np.load(io.BytesIO(answer.body.read()))

"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What is a study's own in its script.

    ``needs`` and ``imports`` are packages beside boto3 and modules beside those that every script imports. ``constants`` is
    text of assignments, ``body`` text of functions with ``main`` among them; it may call ``make_bucket``, ``upload``,
    ``write_source``, ``train_script``, ``logged``, ``deploy``, ``invoke`` and ``clean_up``. ``source`` is the folder that SageMaker runs,
    ``title`` what the script is (empty: the case study of its name).
    """

    needs: str
    imports: tuple[str, ...]
    training_image: str
    inference_image: str
    hyperparameters: dict[str, str]
    metrics: tuple[MetricDefinition, ...]
    environment: dict[str, str]
    source: Path
    body: str
    constants: str = ""
    title: str = ""


def settings(training_image: str, metrics: Sequence[MetricDefinition]) -> str:
    """Assignments of what ``train_script`` uses; HYPERPARAMETERS and what `scripthead` defines come on top."""
    found = {metric.name: metric.regex for metric in metrics}
    return f'TRAINING_IMAGE = "{training_image}"\nMETRICS = {pieces.literal(found)}\n'


def steps(high: bool) -> str:
    """The functions ``write_source(folder)``, which writes SOURCE, and ``train_script(source, channels, …)``, which gives the job's name
    and its model."""
    return _SOURCE + (_HIGH if high else _LOW)


def files(folder: Path) -> dict[str, str]:
    """A source folder as a script carries it: name -> text."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))}


def write(run: Run, program: Program) -> str:
    """The script of a run, with the values that the run used (or would use, if it never reached its target)."""
    high = run.interface == "high"
    constants = (
        f'INFERENCE_IMAGE = "{program.inference_image}"\n'
        f"HYPERPARAMETERS = {pieces.literal(program.hyperparameters)}\n"
        f"{settings(program.training_image, program.metrics)}"
        f"ENVIRONMENT = {pieces.literal(program.environment)}\n"
        f"MODELS = [NAME]\n{program.constants}"
    )
    head = Head(
        title=program.title or f"The {run.study} case study",
        needs=program.needs,
        imports=("io", *program.imports, *(() if high else ("tarfile",))),
        constants=constants,
    )
    return (
        scripthead.write(run, head)
        + pieces.STORAGE
        + steps(high)
        + (_HIGH_INVOKE if high else _LOW_INVOKE)
        + (pieces.DEPLOY_HIGH if high else pieces.DEPLOY_LOW)
        + pieces.AFTERWARDS
        + "\n"
        + program.body
        + "\n\n"
        + pieces.sources(files(program.source))
        + '\n\nif __name__ == "__main__":\n    main()\n'
    )
