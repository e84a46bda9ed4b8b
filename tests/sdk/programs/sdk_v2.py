"""Moons by SDK v2, as its documentation writes it: ``sdk_v2.py SOURCE_DIR TRAIN_CSV``."""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import sagemaker
from sagemaker.pytorch import PyTorch

source, train_csv = sys.argv[1:3]
session = sagemaker.Session()
role = sys.argv[3]
data = session.upload_data(train_csv, key_prefix="moon-data")
estimator = PyTorch(
    entry_point="train.py",
    source_dir=source,
    role=role,
    framework_version="2.3",
    py_version="py311",
    instance_count=1,
    instance_type="ml.c5.xlarge",
    hyperparameters={"epochs": 40, "hidden-size": 32},
    metric_definitions=[{"Name": "validation:accuracy", "Regex": r"validation:accuracy=([0-9.]+)"}],
)
started = time.time()
estimator.fit({"train": data})
fitted = time.time()
predictor = estimator.deploy(
    initial_instance_count=1, instance_type="ml.m5.large", entry_point="inference.py"
)
deployed = time.time()
answer = predictor.predict(np.array([[0.0, 1.0], [1.0, -0.5]], dtype="float32"))
job = session.sagemaker_client.describe_training_job(TrainingJobName=estimator.latest_training_job.name)
name = predictor.endpoint_name
predictor.delete_model()
predictor.delete_endpoint()
deadline = time.time() + 60  # it is Deleting for a moment, as on AWS
while (
    left := [e["EndpointName"] for e in session.sagemaker_client.list_endpoints()["Endpoints"]]
) and time.time() < deadline:
    time.sleep(0.2)
Path(os.environ["RESULT"]).write_text(  # standard output is full of what the SDK tells
    json.dumps(
        {
            "status": job["TrainingJobStatus"],
            "metrics": [m["MetricName"] for m in job.get("FinalMetricDataList", [])],
            "answer": np.asarray(answer).ravel().tolist(),
            "endpoint": name,
            "left": left,
            "fit_seconds": fitted - started,
            "deploy_seconds": deployed - fitted,
        }
    )
)
