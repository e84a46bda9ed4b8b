"""A small model of reviews behind an endpoint, with the vocabulary that it was made for; and what is left of a web app is taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from algorithms.reviews.bag import Vocabulary
from tests.workflows.hosted import in_service, start_endpoint
from workflows.problem import Problem
from workflows.webapp import removal, serving
from workflows.webapp.definition import WebApp

if TYPE_CHECKING:
    from workflows.platform import Platform

WEIGHTS = {"awful": -2.0, "bad": -1.0, "dull": -1.0, "good": 1.0, "great": 1.5, "wonderful": 2.0}
WORDS = Vocabulary(tuple(sorted(WEIGHTS)))
OTHER = Vocabulary((*sorted(WEIGHTS), "zany"))
MODEL = f"""
import math
WEIGHTS = {[WEIGHTS[word] for word in sorted(WEIGHTS)]}
def model_fn(folder): return None
def input_fn(body, content_type):
    text = body if isinstance(body, str) else body.decode()
    return [cell.split(":") for cell in text.split()[1:]]
def predict_fn(cells, model):
    return 1 / (1 + math.exp(-sum(WEIGHTS[int(column)] * float(count) for column, count in cells)))
def output_fn(value, accept): return repr(value), "text/csv"
"""


def host(platform: Platform, name: str, *, tagged: bool = True) -> WebApp:
    """An endpoint of the small model; its web app, which is not made. Its model says its vocabulary where ``tagged``."""
    start_endpoint(platform, name, {"AllTraffic": MODEL})
    key = f"{name}/vocabulary.json"
    platform.client("s3").put_object(Bucket=platform.bucket, Key=key, Body=WORDS.document().encode())
    if tagged:
        retag(platform, name, WORDS)
    in_service(platform, name)
    return WebApp(name=name, endpoint=name, content_type="text/libsvm", vocabulary=WORDS.version, check=0.0)


def retag(platform: Platform, model: str, vocabulary: Vocabulary) -> None:
    """Let a model say that it was trained with a vocabulary."""
    sagemaker = platform.client("sagemaker")
    told = serving.tags(vocabulary, f"s3://{platform.bucket}/{model}/vocabulary.json")
    sagemaker.add_tags(
        ResourceArn=sagemaker.describe_model(ModelName=model)["ModelArn"],
        Tags=[{"Key": key, "Value": value} for key, value in told.items()],
    )


def drop(platform: Platform, name: str) -> None:
    """Delete a web app and its endpoint, whatever is there of them."""
    for delete in (
        lambda: removal.remove(platform, name),
        lambda: platform.client("sagemaker").delete_endpoint(EndpointName=name),
        lambda: platform.client("sagemaker").delete_endpoint_config(EndpointConfigName=name),
        lambda: platform.client("sagemaker").delete_model(ModelName=name),
    ):
        try:
            delete()
        except (Problem, platform.client("sagemaker").exceptions.ClientError):
            continue
