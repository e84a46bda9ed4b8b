"""Pieces of the scripts that lessons are printed as: the rows, a training job of XGBoost, a batch transform; in either interface.

They go with `workflows.studies.pieces`, and use the names that `head` defines.
"""

from __future__ import annotations

import inspect
from string import Template

from algorithms.reviews import words
from workflows.builtin import images
from workflows.ledger import Ledger
from workflows.lessons import boosted, subject
from workflows.runs import Run
from workflows.studies import pieces

_HEAD = Template('''\
#!/usr/bin/env python3
"""Lesson $number, $title, on Amazon SageMaker through $through.

Written from run $run. It needs $needs,
the table (DATA), and a shell whose AWS settings point to the target:
    eval "$$(mlconsole engine env)"      # the SageMaker inside mlconsole
    export AWS_PROFILE=... AWS_DEFAULT_REGION=$region      # AWS; put your own role and bucket below
"""

import hashlib
import html
import json
import math
import re
import tempfile
import time
from collections import Counter
from pathlib import Path

import boto3
import numpy as np
import pandas as pd
$sdk_imports
DATA = "$data"
REGION = "$region"
ROLE = "$role"
BUCKET = "$bucket"
NAME = time.strftime("$study-script-%Y%m%d-%H%M%S")
PREFIX = f"mlconsole/{NAME}"
TAGS = {"mlconsole:run": NAME, "mlconsole:study": "$study"}
IMAGE = INFERENCE_IMAGE = "$image"
INSTANCE = HOSTING_INSTANCE = "$instance"
MAX_SECONDS = $max_seconds
POLL = $poll  # seconds between two looks at a job or an endpoint
HYPERPARAMETERS = $hyperparameters
ENVIRONMENT = {}
MODELS = [NAME]
LABEL, ROWS, SEED, VOCABULARY = "$label", $rows, $seed, $vocabulary

session = boto3.Session(region_name=REGION)
client = session.client("sagemaker")
runtime = session.client("sagemaker-runtime")
s3 = session.client("s3")
logs = session.client("logs")
$sdk_session

def place(key, seed):
    """A number in [0, 1) from a row's content: copies of a row get the same, whatever the order of the file."""
    return int.from_bytes(hashlib.sha256(f"lesson:{seed}:{key}".encode()).digest()[:8], "big") / 2.0**64


def thinned(keys, chosen):
    """At most about ROWS rows, chosen by their content."""
    share = min(1.0, ROWS / sum(map(len, chosen.values()))) if ROWS else 1.0
    kept = {part: [n for n in found if place(keys[n], SEED + 1_000_003) < share] for part, found in chosen.items()}
    return {part: sorted(found, key=lambda n: place(keys[n], SEED)) for part, found in kept.items()}

''')

HOUSES = '''
CONTENT_TYPE = "text/csv"


def make_data(folder):
    """train.csv and validation.csv with the price first, test.csv without it; and the prices of the test rows."""
    table = pd.read_csv(DATA)
    keys = [",".join(repr(float(value)) for value in row) for row in table.to_numpy(dtype=float)]
    chosen = {"train": [], "validation": [], "test": []}
    for number, key in enumerate(keys):
        at = place(key, SEED)
        chosen["train" if at < TRAIN else "validation" if at < TRAIN + VALIDATION else "test"].append(number)
    paths, truth = {}, {}
    for part, numbers in thinned(keys, chosen).items():
        rows = table.iloc[numbers]
        truth[part] = rows[LABEL].to_numpy(dtype=float)
        lines = [",".join(repr(float(value)) for value in row) for row in rows.drop(columns=LABEL).to_numpy(dtype=float)]
        if part != "test":
            lines = [f"{label!r},{line}" for label, line in zip(truth[part].tolist(), lines)]
        paths[part] = folder / f"{part}.csv"
        paths[part].write_text("\\n".join(lines) + "\\n")
    return paths, truth


def score(truth, answers):
    return "RMSE", float(np.sqrt(np.mean((truth - answers) ** 2)))

'''

REVIEWS = '''
CONTENT_TYPE = "text/libsvm"


def make_data(folder):
    """Reviews as counts of the commonest words of the training reviews, in LIBSVM text; and the verdicts."""
    table = pd.read_csv(DATA)
    keys = list(table["review"])
    training = {key for key, split in zip(keys, table["split"]) if split == "train"}
    chosen = {"train": [], "validation": [], "test": []}
    for number, (key, split) in enumerate(zip(keys, table["split"])):
        if split == "test":
            if key not in training:
                chosen["test"].append(number)
        else:
            chosen["validation" if place(key, SEED) < 0.4 else "train"].append(number)
    chosen = thinned(keys, chosen)
    counts = Counter(word for number in chosen["train"] for word in review_to_words(keys[number]))
    words = sorted(sorted(counts, key=lambda word: (-counts[word], word))[:VOCABULARY])
    index = {word: number for number, word in enumerate(words)}
    paths, truth = {}, {}
    for part, numbers in chosen.items():
        truth[part] = (table["label"].iloc[numbers] == "pos").to_numpy().astype(int)
        lines = []
        for number, label in zip(numbers, truth[part].tolist()):
            found = Counter(index[word] for word in review_to_words(keys[number]) if word in index)
            if not lines:
                found.setdefault(len(words) - 1, 0)  # XGBoost counts columns by the highest one that it sees
            cells = " ".join(f"{column}:{count}" for column, count in sorted(found.items()))
            lines.append(f"{0 if part == 'test' else label} {cells}".rstrip())
        paths[part] = folder / f"{part}.libsvm"
        paths[part].write_text("\\n".join(lines) + "\\n")
    return paths, truth


def score(truth, answers):
    return "accuracy", float(np.mean((answers >= 0.5) == (truth == 1)))

'''

TRAIN_LOW = '''
def train(name, hyperparameters, channels):
    """CreateTrainingJob of the built-in algorithm, and the wait for its end."""
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
        ResourceConfig={"InstanceCount": 1, "InstanceType": INSTANCE, "VolumeSizeInGB": 5},
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
    return job["ModelArtifacts"]["S3ModelArtifacts"]

'''

TRAIN_HIGH = '''
def train(name, hyperparameters, channels):
    """ModelTrainer with the algorithm's image, and the wait for the job's end."""
    trainer = ModelTrainer(
        sagemaker_session=sdk,
        role=ROLE,
        training_image=IMAGE,
        compute=Compute(instance_type=INSTANCE, instance_count=1, volume_size_in_gb=5),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=MAX_SECONDS),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{BUCKET}/{PREFIX}/output"),
        hyperparameters=hyperparameters,
        base_job_name=name,
        tags=[TrainTag(key=key, value=value) for key, value in TAGS.items()],
    )
    inputs = [
        InputData(channel_name=channel, data_source=uri, content_type=CONTENT_TYPE) for channel, uri in channels.items()
    ]
    trainer.train(input_data_config=inputs, wait=False, logs=False)
    job = trainer._latest_training_job
    while job.refresh().training_job_status not in ("Completed", "Failed", "Stopped"):
        time.sleep(POLL)
    print("training job:", job.training_job_name, job.training_job_status, flush=True)
    if job.training_job_status != "Completed":
        raise SystemExit(f"The training job is {job.training_job_status}: {job.failure_reason}")
    return job.model_artifacts.s3_model_artifacts

'''

TRANSFORM_LOW = '''
def transform(name, model_data, uri):
    """CreateModel and CreateTransformJob: an answer to every row, without an endpoint."""
    client.create_model(
        ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE, "ModelDataUrl": model_data}
    )
    client.create_transform_job(
        TransformJobName=name,
        ModelName=name,
        MaxConcurrentTransforms=MAX_CONCURRENT,
        MaxPayloadInMB=MAX_PAYLOAD,
        BatchStrategy=BATCH_STRATEGY,
        TransformInput={
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
            "ContentType": CONTENT_TYPE,
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/{PREFIX}/answers", "Accept": "text/csv", "AssembleWith": "Line"},
        TransformResources={"InstanceType": INSTANCE, "InstanceCount": 1},
    )
    while True:
        job = client.describe_transform_job(TransformJobName=name)
        if job["TransformJobStatus"] in ("Completed", "Failed", "Stopped"):
            break
        time.sleep(POLL)
    if job["TransformJobStatus"] != "Completed":
        raise SystemExit(f"The transform job is {job['TransformJobStatus']}: {job.get('FailureReason', '')}")
    return answers(uri)

'''

TRANSFORM_HIGH = '''
def transform(name, model_data, uri):
    """ModelBuilder and Transformer: an answer to every row, without an endpoint."""
    with tempfile.TemporaryDirectory() as folder:  # without a model_path: /tmp/sagemaker, whoever's it is
        ModelBuilder(
            image_uri=IMAGE,
            s3_model_data_url=model_data,
            model_path=folder,
            role_arn=ROLE,
            sagemaker_session=sdk,
            instance_type=INSTANCE,
        ).build(model_name=name)
    transformer = Transformer(
        model_name=name,
        instance_count=1,
        instance_type=INSTANCE,
        strategy=BATCH_STRATEGY,
        max_concurrent_transforms=MAX_CONCURRENT,
        max_payload=MAX_PAYLOAD,
        assemble_with="Line",
        accept="text/csv",
        output_path=f"s3://{BUCKET}/{PREFIX}/answers",
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
    return answers(uri)

'''

ANSWERS = """
def answers(uri):
    key = f"{PREFIX}/answers/{uri.rpartition('/')[2]}.out"
    text = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
    return np.array([float(line) for line in text.splitlines() if line.strip()])

"""


def head(
    run: Run, title: str, number: int, sdk_imports: str = "", subject_name: str = "", learned: str = ""
) -> str:
    """The script's beginning: what it is, the run's values, and the rows of its subject (``subject_name``; empty: the parameter's).

    ``sdk_imports`` are further ones of the SDK; ``learned`` names the subject whose hyperparameters are HYPERPARAMETERS (empty:
    the same one).
    """
    high = run.interface == "high"
    where, parameters = run.platform, run.parameters
    region = where.get("region") or str(run.configuration.get("region") or "us-east-1")
    account = where.get("account") or "<your account id>"
    name = subject_name or str(parameters["subject"])
    kind = subject.KINDS[learned or name]
    prepared = Ledger(run.folder).outputs("prepare")
    source = prepared.get("houses", prepared).get("source", {})
    settings = boosted.settings(parameters, kind)
    text = _HEAD.substitute(
        number=number,
        title=title,
        through="its Python SDK, version 3" if high else "boto3 alone",
        run=run.id,
        study=run.study,
        needs=f"{'sagemaker>=3.27' if high else 'boto3'}, numpy and pandas",
        sdk_imports=pieces.SDK_IMPORTS
        + "from sagemaker.core.resources import TransformJob\nfrom sagemaker.core.transformer import Transformer\n"
        + sdk_imports
        if high
        else "",
        sdk_session="sdk = Session(boto_session=session, default_bucket=BUCKET)\n" if high else "",
        data=source.get("paths", {}).get("table", f"{name}.csv"),
        region=region,
        role=where.get("role_arn") or f"arn:aws:iam::{account}:role/<your execution role>",
        bucket=where.get("bucket") or f"sagemaker-{region}-{account}",
        image=images.uri("xgboost", region),
        instance=parameters["instance-type"],
        max_seconds=int(parameters["max-minutes"]) * 60,
        poll=10 if run.target == "aws" else 0.5,
        hyperparameters=pieces.literal(settings),
        label="label" if name == "reviews" else "Price",
        rows=parameters["rows"],
        seed=parameters["split-seed"],
        vocabulary=parameters["vocabulary"],
    )
    if name == "reviews":
        source_text = inspect.getsource(words).partition("import re\n")[2].strip("\n")
        return f"{text}\n{source_text}\n\n{REVIEWS}"
    return f"{text}\nTRAIN, VALIDATION = {subject.SHARES['train']}, {subject.SHARES['validation']}  # shares of the rows\n{HOUSES}"
