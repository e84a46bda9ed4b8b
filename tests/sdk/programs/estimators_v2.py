"""SDK v2's generic Estimator on DeepAR and XGBoost, its Transformer and its HyperparameterTuner: ``estimators_v2.py ROLE``."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import sagemaker
from sagemaker import image_uris
from sagemaker.deserializers import JSONDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import JSONSerializer
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner, IntegerParameter

role = sys.argv[1]
session = sagemaker.Session()
client = session.sagemaker_client
region = session.boto_region_name
folder = Path(os.environ["RESULT"]).parent
common = {
    "role": role,
    "instance_count": 1,
    "instance_type": "ml.c5.xlarge",
    "sagemaker_session": session,
    "output_path": f"s3://{session.default_bucket()}/estimators-v2",
}
random = np.random.default_rng(0)
result = {}

# DeepAR on waves of a week.
days = np.arange(140)
lines = [
    json.dumps(
        {"start": "2020-01-01 00:00:00", "target": (10 + k + 3 * np.sin(2 * np.pi * days / 7)).tolist()}
    )
    for k in range(6)
]
train = folder / "series.json"
train.write_text("\n".join(lines))
deepar = Estimator(image_uris.retrieve("forecasting-deepar", region), **common)
deepar.set_hyperparameters(
    time_freq="D",
    context_length="14",
    prediction_length="14",
    epochs="5",
    num_cells="16",
    num_layers="1",
    mini_batch_size="16",
)
data = session.upload_data(str(train), key_prefix="estimators-v2")
deepar.fit({"train": data, "test": data}, wait=True, logs=False)
predictor = deepar.deploy(
    initial_instance_count=1,
    instance_type="ml.m5.large",
    endpoint_name="v2-deepar",
    serializer=JSONSerializer(),
    deserializer=JSONDeserializer(),
    wait=False,
)
client.get_waiter("endpoint_in_service").wait(EndpointName="v2-deepar", WaiterConfig={"Delay": 1})
answer = predictor.predict(
    {
        "instances": [json.loads(lines[0]), {"start": "2020-05-20 00:00:00", "target": []}],
        "configuration": {
            "num_samples": 20,
            "output_types": ["mean", "quantiles"],
            "quantiles": ["0.1", "0.9"],
        },
    }
)
result["deepar"] = {
    "keys": [sorted(p) for p in answer["predictions"]],
    "quantiles": sorted(answer["predictions"][0]["quantiles"]),
    "length": len(answer["predictions"][0]["mean"]),
    "metrics": sorted(
        m["MetricName"]
        for m in client.describe_training_job(TrainingJobName=deepar.latest_training_job.name)[
            "FinalMetricDataList"
        ]
    ),
}
client.delete_endpoint(EndpointName="v2-deepar")

# XGBoost, then its tuner, then a transform by the best model.
x = random.normal(size=(600, 4))
y = x @ np.array([3.0, -2.0, 1.0, 0.0]) + random.normal(scale=0.1, size=600)
for name, part in (("train", slice(0, 400)), ("validation", slice(400, 600))):
    np.savetxt(folder / f"{name}.csv", np.column_stack([y[part], x[part]]), delimiter=",", fmt="%.8g")
np.savetxt(folder / "rows.csv", x[400:], delimiter=",", fmt="%.8g")
channels = {
    name: TrainingInput(
        session.upload_data(str(folder / f"{name}.csv"), key_prefix=f"estimators-v2/{name}"),
        content_type="csv",
    )
    for name in ("train", "validation")
}
xgb = Estimator(image_uris.retrieve("xgboost", region, version="1.7-1"), **common)
xgb.set_hyperparameters(
    max_depth=5,
    eta=0.2,
    gamma=4,
    min_child_weight=6,
    subsample=0.8,
    objective="reg:squarederror",
    num_round=30,
)
xgb.fit(channels, wait=True, logs=False)
result["xgboost"] = {
    m["MetricName"]: m["Value"]
    for m in client.describe_training_job(TrainingJobName=xgb.latest_training_job.name)["FinalMetricDataList"]
}
tuner = HyperparameterTuner(
    xgb,
    "validation:rmse",
    {"max_depth": IntegerParameter(2, 8), "eta": ContinuousParameter(0.05, 0.5)},
    objective_type="Minimize",
    max_jobs=4,
    max_parallel_jobs=2,
)
tuner.fit(channels, wait=False)
tuner.wait()
best = tuner.best_estimator()
result["tuner"] = {
    "best": tuner.best_training_job(),
    "status": tuner.describe()["HyperParameterTuningJobStatus"],
    "trials": tuner.analytics().dataframe().shape[0],
    "attached": best.latest_training_job.name,
}
transformer = best.transformer(instance_count=1, instance_type="ml.m5.large")
transformer.transform(
    session.upload_data(str(folder / "rows.csv"), key_prefix="estimators-v2/rows"),
    content_type="text/csv",
    split_type="Line",
    wait=True,
    logs=False,
)
output = session.read_s3_file(
    session.default_bucket(), transformer.output_path.split("/", 3)[3].rstrip("/") + "/rows.csv.out"
)
predicted = np.array([float(value) for value in output.split()])
result["transform"] = {"rows": len(predicted), "rmse": float(np.sqrt(((predicted - y[400:]) ** 2).mean()))}
Path(os.environ["RESULT"]).write_text(json.dumps(result))
