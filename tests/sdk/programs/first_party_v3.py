"""The built-in algorithms by SDK v3: ModelTrainer, sagemaker.core's resources, Transformer and HyperparameterTuner: ``first_party_v3.py ROLE``."""

import io
import json
import os
import sys
from pathlib import Path

import boto3
import numpy as np
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.parameter import ContinuousParameter, IntegerParameter
from sagemaker.core.resources import Endpoint, EndpointConfig, Model
from sagemaker.core.shapes import ContainerDefinition, ProductionVariant
from sagemaker.core.training.configs import InputData
from sagemaker.core.transformer import Transformer
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute
from sagemaker.train.tuner import HyperparameterTuner

role = sys.argv[1]
session = Session()
region = session.boto_region_name
bucket = session.default_bucket()
client = boto3.client("sagemaker")
s3 = boto3.client("s3")
random = np.random.default_rng(0)
result = {}


def put(name, array):
    """An array as CSV in S3."""
    body = io.StringIO()
    np.savetxt(body, array, delimiter=",", fmt="%.8g")
    s3.put_object(Bucket=bucket, Key=f"first-party-v3/{name}", Body=body.getvalue().encode())
    return f"s3://{bucket}/first-party-v3/{name}"


def trainer(name, hyperparameters, version=None):
    image = (
        image_uris.retrieve(name, region, version=version) if version else image_uris.retrieve(name, region)
    )
    return ModelTrainer(
        training_image=image,
        hyperparameters=hyperparameters,
        compute=Compute(instance_type="ml.c5.xlarge", instance_count=1),
        base_job_name=f"v3-{name}",
        role=role,
        sagemaker_session=session,
    )


def fitted(name, hyperparameters, channels, version=None):
    """A completed training job of a built-in algorithm."""
    made = trainer(name, hyperparameters, version)
    made.train(input_data_config=channels, wait=True, logs=False)
    return client.describe_training_job(TrainingJobName=made._latest_training_job.training_job_name)


def channel(name, uri, **more):
    return InputData(channel_name=name, data_source=uri, **more)


def asked(job, name, bodies):
    """Answers of an endpoint that serves the job's model; bodies are ``(content type, accept, body)``."""
    image = job["AlgorithmSpecification"]["TrainingImage"]
    data = job["ModelArtifacts"]["S3ModelArtifacts"]
    Model.create(
        model_name=name,
        primary_container=ContainerDefinition(image=image, model_data_url=data),
        execution_role_arn=role,
    )
    EndpointConfig.create(
        endpoint_config_name=name,
        production_variants=[
            ProductionVariant(
                variant_name="AllTraffic",
                model_name=name,
                instance_type="ml.m5.large",
                initial_instance_count=1,
                initial_variant_weight=1.0,
            )
        ],
    )
    endpoint = Endpoint.create(endpoint_name=name, endpoint_config_name=name)
    endpoint.wait_for_status("InService", poll=1)
    answers = [
        endpoint.invoke(body=body, content_type=content, accept=accept).body.read()
        for content, accept, body in bodies
    ]
    endpoint.delete()
    return answers


cloud = random.normal(size=(500, 4)) * np.array([5, 2, 1, 0.5])
text = "\n".join(",".join(f"{v:.8g}" for v in row) for row in cloud[:3])
job = fitted(
    "pca",
    {"feature_dim": 4, "num_components": 2, "mini_batch_size": 100},
    [channel("train", put("cloud.csv", cloud), content_type="text/csv;label_size=0")],
)
(answer,) = asked(job, "v3-pca", [("text/csv", "application/json", text)])
result["pca"] = [len(p["projection"]) for p in json.loads(answer)["projections"]]

job = fitted(
    "kmeans",
    {"feature_dim": 4, "k": 3},
    [channel(n, put("cloud.csv", cloud), content_type="text/csv;label_size=0") for n in ("train", "test")],
)
(answer,) = asked(job, "v3-kmeans", [("text/csv", "application/json", text)])
result["kmeans"] = [sorted(p) for p in json.loads(answer)["predictions"]]
result["kmeans metrics"] = [m["MetricName"] for m in job["FinalMetricDataList"]]

weights = np.array([3.0, -2.0, 1.0, 0.0])
target = cloud @ weights + random.normal(scale=0.1, size=500)
rows = put("rows.csv", np.column_stack([target, cloud]))
job = fitted(
    "linear-learner",
    {"feature_dim": 4, "predictor_type": "regressor", "mini_batch_size": 50, "epochs": 10},
    [channel("train", rows, content_type="text/csv"), channel("validation", rows, content_type="text/csv")],
)
(answer,) = asked(job, "v3-linear", [("text/csv", "application/json", text)])
result["linear"] = [p["score"] for p in json.loads(answer)["predictions"]]
result["target"] = target[:3].tolist()

series = [
    json.dumps({"start": "2020-01-01", "target": (5 + np.sin(np.arange(120) / 7 * 6.283) + k).tolist()})
    for k in range(4)
]
s3.put_object(Bucket=bucket, Key="first-party-v3/series/series.json", Body="\n".join(series).encode())
job = fitted(
    "forecasting-deepar",
    {
        "time_freq": "D",
        "context_length": 7,
        "prediction_length": 7,
        "epochs": 2,
        "num_cells": 8,
        "num_layers": 1,
        "mini_batch_size": 8,
    },
    [channel("train", f"s3://{bucket}/first-party-v3/series/")],
)
(answer,) = asked(
    job,
    "v3-deepar",
    [("application/json", "application/json", json.dumps({"instances": [json.loads(series[0])]}))],
)
result["deepar"] = len(json.loads(answer)["predictions"][0]["mean"])

channels = [channel("train", rows, content_type="csv"), channel("validation", rows, content_type="csv")]
static = {"objective": "reg:squarederror", "num_round": 20, "max_depth": 4}
job = fitted("xgboost", static, channels, version="1.7-1")
answers = asked(job, "v3-xgboost", [("text/csv", "text/csv", text), ("text/csv", "application/json", text)])
result["xgboost"] = [float(v) for v in answers[0].split()]
result["xgboost json"] = [p["score"] for p in json.loads(answers[1])["predictions"]]

transformer = Transformer(
    model_name="v3-xgboost",
    instance_count=1,
    instance_type="ml.m5.large",
    assemble_with="Line",
    accept="text/csv",
    output_path=f"s3://{bucket}/first-party-v3/out",
    sagemaker_session=session,
)
transformer.transform(
    put("plain.csv", cloud),
    content_type="text/csv",
    split_type="Line",
    join_source="Input",
    wait=True,
    logs=False,
)
joined = s3.get_object(Bucket=bucket, Key="first-party-v3/out/plain.csv.out")["Body"].read().decode()
result["transform"] = [len(line.split(",")) for line in joined.splitlines()]

tuner = HyperparameterTuner(
    trainer("xgboost", static, version="1.7-1"),
    "validation:rmse",
    {"max_depth": IntegerParameter(2, 8), "eta": ContinuousParameter(0.05, 0.5)},
    objective_type="Minimize",
    max_jobs=3,
    max_parallel_jobs=2,
)
tuner.tune(inputs=channels, wait=True)
described = client.describe_hyper_parameter_tuning_job(
    HyperParameterTuningJobName=tuner.latest_tuning_job.hyper_parameter_tuning_job_name
)
result["tuner"] = {
    "status": described["HyperParameterTuningJobStatus"],
    "best": tuner.best_training_job(),
    "completed": described["TrainingJobStatusCounters"]["Completed"],
}
Path(os.environ["RESULT"]).write_text(json.dumps(result))
