"""SDK v2's first-party classes, as its documentation writes them: ``first_party_v2.py ROLE``."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import sagemaker
from sagemaker import PCA, KMeans, LinearLearner

role = sys.argv[1]
session = sagemaker.Session()
client = session.sagemaker_client
common = {"role": role, "instance_count": 1, "instance_type": "ml.c5.xlarge"}
random = np.random.default_rng(0)


def served(estimator, name):
    """An endpoint of a fitted estimator; the SDK's own wait sleeps 30 s before it asks again."""
    predictor = estimator.deploy(
        initial_instance_count=1, instance_type="ml.m5.large", endpoint_name=name, wait=False
    )
    client.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1})
    return predictor


def metrics(estimator):
    job = client.describe_training_job(TrainingJobName=estimator.latest_training_job.name)
    return {m["MetricName"]: m["Value"] for m in job.get("FinalMetricDataList", [])}


result = {}

# PCA: the components of a cloud that is long in one direction.
cloud = (random.normal(size=(700, 5)) * np.array([9, 3, 1, 0.5, 0.1])).astype("float32")
pca = PCA(num_components=3, **common)
pca.fit(pca.record_set(cloud), mini_batch_size=200, wait=True, logs=False)
predictor = served(pca, "v2-pca")
projections = [r.label["projection"].float32_tensor.values for r in predictor.predict(cloud[:4])]
_, _, rows = np.linalg.svd(cloud - cloud.mean(0), full_matrices=False)
expected = (cloud[:4] - cloud.mean(0)) @ rows[:3].T
# Components come in ascending order, and their signs are arbitrary.
result["pca"] = {
    "rows": len(projections),
    "error": float(np.abs(np.abs(np.array(projections)[:, ::-1]) - np.abs(expected)).max()),
}

# K-Means: four blobs.
centres = np.array([[0, 0], [10, 0], [0, 10], [10, 10]], dtype="float32")
blobs = (centres[np.arange(800) % 4] + random.normal(scale=0.3, size=(800, 2))).astype("float32")
kmeans = KMeans(k=4, **common)
kmeans.fit(
    [kmeans.record_set(blobs), kmeans.record_set(blobs, channel="test")],
    mini_batch_size=200,
    wait=True,
    logs=False,
)
predictor = served(kmeans, "v2-kmeans")
answers = predictor.predict(blobs[:8])
result["kmeans"] = {
    "labels": [r.label["closest_cluster"].float32_tensor.values[0] for r in answers],
    "distances": [r.label["distance_to_cluster"].float32_tensor.values[0] for r in answers],
    "metrics": metrics(kmeans),
}

# LinearLearner: a plane that separates.
points = random.normal(size=(2000, 4)).astype("float32")
labels = (points @ np.array([2.0, -1.0, 0.5, 0.0]) > 0.3).astype("float32")
linear = LinearLearner(
    predictor_type="binary_classifier",
    binary_classifier_model_selection_criteria="accuracy",
    epochs=5,
    **common,
)
linear.fit(
    [
        linear.record_set(points[:1600], labels[:1600]),
        linear.record_set(points[1600:], labels[1600:], channel="validation"),
    ],
    mini_batch_size=200,
    wait=True,
    logs=False,
)
predictor = served(linear, "v2-linear")
answers = predictor.predict(points[1600:1700])
found = np.array([r.label["predicted_label"].float32_tensor.values[0] for r in answers])
result["linear"] = {
    "accuracy": float((found == labels[1600:1700]).mean()),
    "scores": [answers[0].label["score"].float32_tensor.values[0]],
    "metrics": metrics(linear),
}

# A transform by the model of the first-party class: JSON lines from a CSV.
csv = Path(os.environ["RESULT"]).with_name("points.csv")
np.savetxt(csv, points[1600:1650], delimiter=",", fmt="%.8g")
data = session.upload_data(str(csv), key_prefix="v2-transform")
transformer = linear.transformer(
    instance_count=1, instance_type="ml.m5.large", accept="application/jsonlines", assemble_with="Line"
)
transformer.transform(data, content_type="text/csv", split_type="Line", wait=True, logs=False)
output = session.read_s3_file(
    session.default_bucket(), transformer.output_path.split("/", 3)[3].rstrip("/") + "/points.csv.out"
)
result["transform"] = [json.loads(line)["predicted_label"] for line in output.splitlines()]
result["expected"] = found[:50].tolist()

for name in ("v2-pca", "v2-kmeans", "v2-linear"):
    client.delete_endpoint(EndpointName=name)
Path(os.environ["RESULT"]).write_text(json.dumps(result))
