"""The moons run as one plain Python file: boto3 alone, or the SageMaker SDK v3; nothing of mlconsole is imported."""

from __future__ import annotations

from string import Template

from workflows.interfaces import images
from workflows.runs import Run
from workflows.studies import pieces
from workflows.studies.moons import data, hosted, trained

_HEAD = Template('''\
#!/usr/bin/env python3
"""The moons case study on Amazon SageMaker through $through.

Written from run $run. It needs $needs, and a shell whose AWS settings point to the target:
    eval "$$(mlconsole engine env)"      # the SageMaker inside mlconsole
    export AWS_PROFILE=... AWS_DEFAULT_REGION=$region      # AWS; put your own role and bucket below
"""

import io
import math
$imports
import tempfile
import time
from pathlib import Path

import boto3
import numpy as np
$sdk_imports
REGION = "$region"
ROLE = "$role"
BUCKET = "$bucket"
NAME = time.strftime("moons-script-%Y%m%d-%H%M%S")
PREFIX = f"mlconsole/{NAME}"
TAGS = {"mlconsole:run": NAME, "mlconsole:study": "moons"}
TRAINING_IMAGE = "$training_image"
INFERENCE_IMAGE = "$inference_image"
TRAINING_INSTANCE = "$training_instance"
HOSTING_INSTANCE = "$hosting_instance"
MAX_SECONDS = $max_seconds
POLL = $poll  # seconds between two looks at a job or an endpoint
HYPERPARAMETERS = $hyperparameters
METRICS = $metrics
ENVIRONMENT = $environment
KEEP = $keep  # leave the endpoint in place at the end
MODELS = [NAME]

session = boto3.Session(region_name=REGION)
client = session.client("sagemaker")
runtime = session.client("sagemaker-runtime")
s3 = session.client("s3")
logs = session.client("logs")
$sdk_session

def make_data(folder):
    """The data of the study: 450 training points as CSV (label first), 150 test points kept here."""
    from sklearn.datasets import make_moons
    from sklearn.model_selection import train_test_split

    np.random.seed(0)
    points, labels = make_moons($points, noise=$noise)
    train_x, test_x, train_y, test_y = train_test_split(points, labels, test_size=$test_share, random_state=1)
    rows = [f"{float(label)!r},{float(x)!r},{float(y)!r}" for label, (x, y) in zip(train_y, train_x)]
    (folder / "train.csv").write_text("\\n".join(rows) + "\\n")
    return train_x, test_x, train_y, test_y


def baselines(train_x, test_x, train_y, test_y):
    """Test accuracy of two classifiers that cost nothing."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import SVC

    models = {"logistic regression": LogisticRegression(), "RBF SVM": SVC()}
    return {name: float(model.fit(train_x, train_y).score(test_x, test_y)) for name, model in models.items()}


def write_source(folder):
    """The folder that SageMaker runs: the net, its training and its serving code (at the end of this file)."""
    folder.mkdir()
    for name, text in SOURCE.items():
        (folder / name).write_text(text)
    return folder


''')

_LOW_STEPS = '''
def train(source, data):
    """CreateTrainingJob in script mode, and the wait for its end."""
    with tarfile.open(source.parent / "sourcedir.tar.gz", "w:gz") as archive:
        for path in sorted(source.iterdir()):
            archive.add(path, path.name)
    code = upload(source.parent / "sourcedir.tar.gz", f"{PREFIX}/code")
    client.create_training_job(
        TrainingJobName=NAME,
        RoleArn=ROLE,
        AlgorithmSpecification={
            "TrainingImage": TRAINING_IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": name, "Regex": regex} for name, regex in METRICS.items()],
        },
        HyperParameters={
            **HYPERPARAMETERS,
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": code,
            "sagemaker_region": REGION,
        },
        InputDataConfig=[
            {
                "ChannelName": "train",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": data,
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
                "ContentType": "text/csv",
                "CompressionType": "None",
            }
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/{PREFIX}/output"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": TRAINING_INSTANCE, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": MAX_SECONDS},
        Tags=[{"Key": key, "Value": value} for key, value in TAGS.items()],
    )
    while True:
        job = client.describe_training_job(TrainingJobName=NAME)
        print("training job:", job["SecondaryStatus"], flush=True)
        if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped"):
            break
        time.sleep(POLL)
    if job["TrainingJobStatus"] != "Completed":
        raise SystemExit(f"The training job is {job['TrainingJobStatus']}: {job.get('FailureReason', '')}")
    return NAME, job["ModelArtifacts"]["S3ModelArtifacts"]


def invoke(points):
    body = io.BytesIO()
    np.save(body, points.astype(np.float32))
    answer = runtime.invoke_endpoint(
        EndpointName=NAME, Body=body.getvalue(), ContentType="application/x-npy", Accept="application/x-npy"
    )
    return np.load(io.BytesIO(answer["Body"].read()))

'''

_HIGH_STEPS = '''
def train(source, data):
    """ModelTrainer in script mode, and the wait for the job's end."""
    trainer = ModelTrainer(
        sagemaker_session=sdk,
        role=ROLE,
        training_image=TRAINING_IMAGE,
        source_code=SourceCode(source_dir=str(source), entry_script="train.py"),
        compute=Compute(instance_type=TRAINING_INSTANCE, instance_count=1, volume_size_in_gb=5),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=MAX_SECONDS),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{BUCKET}/{PREFIX}/output"),
        hyperparameters=HYPERPARAMETERS,
        base_job_name=NAME,
        input_s3_key_prefix=PREFIX,
        tags=[TrainTag(key=key, value=value) for key, value in TAGS.items()],
    ).with_metric_definitions([MetricDefinition(name=name, regex=regex) for name, regex in METRICS.items()])
    trainer.train(
        input_data_config=[InputData(channel_name="train", data_source=data, content_type="text/csv")],
        wait=False,
        logs=False,
    )
    job = trainer._latest_training_job
    while job.refresh().training_job_status not in ("Completed", "Failed", "Stopped"):
        print("training job:", job.secondary_status, flush=True)
        time.sleep(POLL)
    if job.training_job_status != "Completed":
        raise SystemExit(f"The training job is {job.training_job_status}: {job.failure_reason}")
    return job.training_job_name, job.model_artifacts.s3_model_artifacts


def invoke(points):
    body = io.BytesIO()
    np.save(body, points.astype(np.float32))
    answer = Endpoint(endpoint_name=NAME).invoke(
        body=body.getvalue(),
        content_type="application/x-npy",
        accept="application/x-npy",
        session=session,
        region=REGION,
    )
    return np.load(io.BytesIO(answer.body.read()))

'''

_TAIL = """
def main():
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        train_x, test_x, train_y, test_y = make_data(folder)
        free = baselines(train_x, test_x, train_y, test_y)
        print("baselines:", free, flush=True)
        make_bucket()
        done = False
        try:
            data = upload(folder / "train.csv", f"{PREFIX}/data/train")
            job, model_data = train(write_source(folder / "source"), data)
            loss = min(logged(job, METRICS["train:loss"]))
            if loss > math.log(2) - 0.02:
                raise SystemExit(f"Not deployed: the loss stayed at {loss:.4f}, near ln 2: the net is dead.")
            deploy(model_data)
            accuracy = float(((invoke(test_x) > 0.5) == test_y).mean())
            print(f"accuracy={accuracy:.4f} best_baseline={max(free.values()):.4f}", flush=True)
            done = True
        finally:
            if not (KEEP and done):
                clean_up()


"""


def write(run: Run) -> str:
    """The script of a run, with the values that the run used (or would use, if it never reached its target)."""
    high = run.interface == "high"
    where = run.platform
    region = where.get("region") or str(run.configuration.get("region") or "us-east-1")
    account = where.get("account") or "<your account id>"
    head = _HEAD.substitute(
        through="its Python SDK, version 3" if high else "boto3 alone",
        run=run.id,
        needs="sagemaker>=3.27, numpy and scikit-learn" if high else "boto3, numpy and scikit-learn",
        imports="import re" if high else "import re\nimport tarfile",
        sdk_imports=pieces.SDK_IMPORTS if high else "",
        sdk_session="sdk = Session(boto_session=session, default_bucket=BUCKET)\n" if high else "",
        region=region,
        role=where.get("role_arn") or f"arn:aws:iam::{account}:role/<your execution role>",
        bucket=where.get("bucket") or f"sagemaker-{region}-{account}",
        training_image=images.pytorch("training", region),
        inference_image=images.pytorch("inference", region),
        training_instance=run.parameters["instance-type"],
        hosting_instance=run.parameters["hosting-instance-type"],
        max_seconds=int(run.parameters["max-minutes"]) * 60,
        poll=10 if run.target == "aws" else 0.5,
        hyperparameters=pieces.literal(trained.hyperparameters(run.parameters)),
        metrics=pieces.literal({metric.name: metric.regex for metric in trained.METRICS}),
        environment=pieces.literal(hosted.environment(region)),
        keep=run.keep,
        points=data.POINTS,
        noise=data.NOISE,
        test_share=data.TEST_SHARE,
    )
    return (
        head
        + pieces.STORAGE
        + (_HIGH_STEPS if high else _LOW_STEPS)
        + (pieces.DEPLOY_HIGH if high else pieces.DEPLOY_LOW)
        + pieces.AFTERWARDS
        + _TAIL
        + _source()
        + '\n\nif __name__ == "__main__":\n    main()\n'
    )


def _source() -> str:
    files = {path.name: path.read_text(encoding="utf-8") for path in sorted(trained.source().glob("*.py"))}
    parts = ["SOURCE = {}"]
    for name, text in files.items():
        raw = f"r'''{text}'''" if "'''" not in text and not text.endswith(("'", "\\")) else repr(text)
        parts.append(f"SOURCE[{name!r}] = {raw}")
    return "\n".join(parts) + "\n"
