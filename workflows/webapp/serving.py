"""What an endpoint serves: its models, what they take, and the vocabulary that they were trained with."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from algorithms.reviews import bag
from algorithms.reviews.bag import Vocabulary
from workflows.lifetime import tags_of
from workflows.observe.gateway import Gateway, answered
from workflows.observe.reading import not_found
from workflows.problem import Problem
from workflows.webapp.function.handler import TAG

URI_TAG = "mlconsole:vocabulary-uri"
"""Where the vocabulary of a model lies, an S3 URI."""
COUNTING = ("text/libsvm", "text/csv")
CONTENT_TYPES = (*COUNTING, "text/plain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A model behind an endpoint. ``vocabulary`` and ``uri`` are empty where its tags do not say."""

    model: str
    arn: str
    image: str
    vocabulary: str = ""
    uri: str = ""


def tags(vocabulary: Vocabulary, uri: str) -> dict[str, str]:
    """The tags by which a model says its vocabulary."""
    return {TAG: vocabulary.version, URI_TAG: uri}


def served(gateway: Gateway, endpoint: str) -> list[Served]:
    """The models of an endpoint that is in service.

    Raises:
        Problem: There is no such endpoint, or it is not in service.
    """
    try:
        found = answered(gateway, "sagemaker", "describe_endpoint", EndpointName=endpoint)
    except Problem as problem:
        if not not_found(problem):
            raise
        raise Problem(
            f"There is no endpoint {endpoint}.", "`mlconsole endpoints ls` lists them.", "not-found"
        ) from problem
    if found["EndpointStatus"] not in ("InService", "Updating", "SystemUpdating"):
        raise Problem(
            f"Endpoint {endpoint} is {found['EndpointStatus']}.",
            f"`mlconsole endpoints show {endpoint}` tells why; wait until it is in service.",
            "not-in-service",
        )
    config = answered(
        gateway, "sagemaker", "describe_endpoint_config", EndpointConfigName=found["EndpointConfigName"]
    )
    names = dict.fromkeys(
        str(one["ModelName"]) for one in config["ProductionVariants"] if one.get("ModelName")
    )
    if not names:
        raise Problem(
            f"Endpoint {endpoint} serves inference components.",
            "A web app needs an endpoint with a model.",
            "no-model",
        )
    return [_served(gateway, name) for name in names]


def content_type(models: list[Served]) -> str:
    """What the models take: LIBSVM for XGBoost, CSV for other built-in algorithms, the text itself for scripts."""
    images = [one.image.rpartition("/")[2].partition(":")[0] for one in models]
    if any("xgboost" in image for image in images):
        return "text/libsvm"
    return "text/csv" if any("linear-learner" in image for image in images) else "text/plain"


def vocabulary(
    gateway: Gateway, endpoint: str, models: list[Served], given: str = "", *, adopt: bool = False
) -> Vocabulary:
    """The vocabulary of an endpoint's models: a file or S3 object that was ``given``, else the one that their tags lead to.

    Args:
        adopt: Models without a tag are taken to have been trained with the given one; `tag` writes it down.

    Raises:
        Problem: There is none, or it is not the one that the models were trained with.
    """
    unknown = [one.model for one in models if not one.vocabulary]
    if unknown and not (given and adopt):
        raise Problem(
            f"Model {unknown[0]} of endpoint {endpoint} does not say which vocabulary it was trained with (tag {TAG}).",
            "Counts of other words give nonsense. If you are sure, give --vocabulary FILE --adopt: its version is written into the tag.",
            "vocabulary-unknown",
        )
    uri = given or next((one.uri for one in models if one.uri), "")
    if not uri:
        raise Problem(
            f"Nothing says where vocabulary {models[0].vocabulary} of endpoint {endpoint} is (tag {URI_TAG}).",
            "Give it with --vocabulary FILE.",
            "vocabulary-missing",
        )
    found = load(gateway, uri)
    check(endpoint, models, found.version)
    return found


def check(endpoint: str, models: list[Served], version: str) -> None:
    """Refuse a vocabulary that a model was not trained with.

    Raises:
        Problem: It is another one.
    """
    for one in models:
        if one.vocabulary and one.vocabulary != version:
            raise Problem(
                f"Model {one.model} of endpoint {endpoint} was trained with vocabulary {one.vocabulary}; this one is {version}.",
                "Its columns mean other words: the answers would be nonsense. Give the model's own vocabulary.",
                "vocabulary-mismatch",
            )


def tag(gateway: Gateway, models: list[Served], version: str) -> None:
    """Write the version into the tags of models that do not say one."""
    for one in models:
        if not one.vocabulary:
            answered(
                gateway, "sagemaker", "add_tags", ResourceArn=one.arn, Tags=[{"Key": TAG, "Value": version}]
            )


def load(gateway: Gateway, uri: str) -> Vocabulary:
    """The vocabulary of a file or an S3 URI.

    Raises:
        Problem: It is not there, or is no vocabulary.
    """
    try:
        if not uri.startswith("s3://"):
            return bag.load(Path(uri).expanduser())
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        body = answered(gateway, "s3", "get_object", Bucket=bucket, Key=key)["Body"].read()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "vocabulary.json")
            path.write_bytes(body)
            return bag.load(path)
    except Problem as problem:
        raise Problem(
            f"The vocabulary {uri} cannot be read: {problem.sentence}",
            "Give it with --vocabulary FILE.",
            problem.code,
        ) from problem
    except (OSError, ValueError) as error:
        raise Problem(
            f"The vocabulary {uri} cannot be used: {error}.",
            "It is the file vocabulary.json that was made with the training rows.",
            "vocabulary",
        ) from error


def _served(gateway: Gateway, name: str) -> Served:
    found = answered(gateway, "sagemaker", "describe_model", ModelName=name)
    containers: list[Mapping[str, Any]] = [
        found.get("PrimaryContainer") or {},
        *(found.get("Containers") or ()),
    ]
    told = tags_of(gateway, found["ModelArn"])
    return Served(
        model=name,
        arn=str(found["ModelArn"]),
        image=next((str(one["Image"]) for one in containers if one.get("Image")), ""),
        vocabulary=told.get(TAG, ""),
        uri=told.get(URI_TAG, ""),
    )
