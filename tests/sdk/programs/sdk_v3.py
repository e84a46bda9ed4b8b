"""Moons by SDK v3: ModelTrainer, then ModelBuilder: ``sdk_v3.py SOURCE_DIR TRAIN_CSV ROLE``."""

import json
import os
import sys
import time
from pathlib import Path

import boto3
import numpy as np
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, SourceCode

source, train_csv, role = sys.argv[1:4]
session = Session()
region = session.boto_region_name
data = session.upload_data(train_csv, key_prefix="moon-data")
image = image_uris.retrieve(
    "pytorch", region, version="2.3", py_version="py311", instance_type="ml.c5.xlarge", image_scope="training"
)
trainer = ModelTrainer(
    training_image=image,
    source_code=SourceCode(source_dir=source, entry_script="train.py"),
    compute=Compute(instance_type="ml.c5.xlarge", instance_count=1),
    hyperparameters={"epochs": 40, "hidden-size": 32},
    base_job_name="moons-v3",
    role=role,
    sagemaker_session=session,
)
started = time.time()
trainer.train(input_data_config=[InputData(channel_name="train", data_source=data)], wait=True, logs=True)
fitted = time.time()
name = trainer._latest_training_job.training_job_name
client = boto3.client("sagemaker")
job = client.describe_training_job(TrainingJobName=name)

serving = image_uris.retrieve(
    "pytorch", region, version="2.3", py_version="py311", instance_type="ml.m5.large", image_scope="inference"
)
builder = ModelBuilder(
    image_uri=serving,
    s3_model_data_url=job["ModelArtifacts"]["S3ModelArtifacts"],
    model_path=str(
        Path(os.environ["RESULT"]).with_name("model")
    ),  # the default, /tmp/sagemaker, may be another user's
    source_code=SourceCode(source_dir=source, entry_script="inference.py"),
    role_arn=role,
    sagemaker_session=session,
    instance_type="ml.m5.large",
)
model = builder.build(model_name=name + "-model")
# With wait=True the SDK sleeps 30 s before it asks for the first time.
builder.deploy(
    endpoint_name=name + "-endpoint", instance_type="ml.m5.large", initial_instance_count=1, wait=False
)
client.get_waiter("endpoint_in_service").wait(EndpointName=name + "-endpoint")
deployed = time.time()
answer = boto3.client("sagemaker-runtime").invoke_endpoint(
    EndpointName=name + "-endpoint",
    ContentType="application/json",
    Accept="application/json",
    Body="[[0.0, 1.0], [1.0, -0.5]]",
)
values = json.loads(answer["Body"].read())["predictions"]
described = client.describe_endpoint(EndpointName=name + "-endpoint")
client.delete_endpoint(EndpointName=name + "-endpoint")
client.delete_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
client.delete_model(ModelName=name + "-model")
Path(os.environ["RESULT"]).write_text(  # standard output is full of what the SDK tells
    json.dumps(
        {
            "status": job["TrainingJobStatus"],
            "answer": np.asarray(values).ravel().tolist(),
            "endpoint": described["EndpointStatus"],
            "fit_seconds": fitted - started,
            "deploy_seconds": deployed - fitted,
        }
    )
)
