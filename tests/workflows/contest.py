"""XGBoost against LinearLearner: both trained on scikit-learn's digits (is the digit odd?), side by side on one endpoint, weights 1:1."""

from __future__ import annotations

import threading
from pathlib import Path

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from tests.engine.deploying import Deployer, unique
from workflows.builtin.images import uri
from workflows.builtin.request import AlgorithmRequest, ChannelInput
from workflows.interfaces.base import Interface, ModelRequest
from workflows.interfaces.waiting import EMBEDDED, Waiter
from workflows.platform import Platform

PARAMETERS = {
    "linear-learner": {
        "predictor_type": "binary_classifier", "epochs": "15", "mini_batch_size": "50", "num_models": "4",
    },
    "xgboost": {"objective": "binary:logistic", "num_round": "40"},
}  # fmt: skip


def contest(platform: Platform, interface: Interface, deploy: Deployer, folder: Path) -> tuple[str, Path]:
    """(endpoint in service, a headless CSV of 599 rows that were not trained on, the label first)."""
    x, y = load_digits(return_X_y=True)
    known, fresh, known_y, fresh_y = train_test_split(x, y % 2, test_size=1 / 3, random_state=1)
    files = {}
    for name, data, label in (("train", known, known_y), ("rows", fresh, fresh_y)):
        files[name] = folder / f"{name}.csv"
        lines = (f"{at},{','.join(f'{v:g}' for v in row)}" for at, row in zip(label, data, strict=True))
        files[name].write_text("\n".join(lines) + "\n")
    prefix = f"s3://{platform.bucket}/{unique('contest')}"
    interface.upload(files["train"], f"{prefix}/train")
    jobs = {}
    for algorithm, parameters in PARAMETERS.items():
        jobs[algorithm] = interface.train_algorithm(
            AlgorithmRequest(
                name=unique(algorithm),
                image=uri(algorithm, platform.region),
                channels=(ChannelInput(name="train", uri=f"{prefix}/train", content_type="text/csv"),),
                hyperparameters=parameters,
                output=f"{prefix}/output",
            )
        )
    variants = []
    for algorithm, variant in (("linear-learner", "linear"), ("xgboost", "xgboost")):
        model = unique(variant)
        interface.make_model(
            ModelRequest(
                name=model,
                image=uri(algorithm, platform.region),
                model_uri=_artefact(interface, jobs[algorithm]),
                environment={},
                tags={},
                role=platform.role_arn,
            )
        )
        variants.append(
            {
                "VariantName": variant,
                "ModelName": model,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
                "InitialVariantWeight": 1.0,
            }
        )
    config = unique("contest")
    platform.client("sagemaker").create_endpoint_config(
        EndpointConfigName=config, ProductionVariants=variants
    )
    endpoint = deploy.create(config)
    deploy.in_service(endpoint)
    return endpoint, files["rows"]


def _artefact(interface: Interface, job: str) -> str:
    found: list[str] = []

    def ended() -> tuple[bool, object]:
        state = interface.describe_training(job)
        assert state is not None and state.status != "Failed", state
        found[:] = [state.model_uri]
        return state.status == "Completed", state.secondary

    Waiter(EMBEDDED, threading.Event()).until(ended, job, 240)
    return found[0]
