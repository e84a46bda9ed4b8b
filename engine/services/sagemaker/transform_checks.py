"""What CreateTransformJob refuses, beyond what the service model states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from engine import images
from engine.errors import validation
from engine.jobs.channels import ChannelError, split_uri
from engine.services.sagemaker import models, tags
from engine.transforms.inputs import inputs, output_place
from engine.transforms.paths import PathError, compile_path
from engine.transforms.processing import FORMATS, format_of
from engine.transforms.settings import MOST_MB

if TYPE_CHECKING:
    from engine.context import Engine

MOST_INSTANCES = 100


def check(engine: Engine, document: Mapping[str, Any], wanted_tags: Iterable[dict[str, str]]) -> None:
    """Refuse a transform job that cannot run; may read the object store's index.

    Args:
        document: The new job's document, with its defaults.

    Raises:
        ServiceError: ``ValidationException`` that names what is wrong.
    """
    tags.check(wanted_tags)
    _check_image(document)
    _check_payload(document)
    _check_processing(document)
    count = document["TransformResources"]["InstanceCount"]
    if count > MOST_INSTANCES:
        raise validation(f"TransformResources.InstanceCount {count} exceeds the maximum of {MOST_INSTANCES}.")
    source = document["TransformInput"]["DataSource"]["S3DataSource"]
    if source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        raise validation(
            f"S3DataType {source['S3DataType']} is not supported for batch transform. Use S3Prefix or ManifestFile."
        )
    try:
        bucket, _ = output_place(document)
        # The first object is enough: all of them are listed when the job starts.
        next(inputs(engine.objects, document, region=engine.settings.region))
        _check_capture(engine, document)
    except ChannelError as error:
        raise validation(str(error)) from error
    _check_bucket(engine, bucket, "TransformOutput.S3OutputPath")


def _check_image(document: Mapping[str, Any]) -> None:
    container = models.container(document["_model"])
    image = container["Image"]
    try:
        runtime = images.resolve(image)
    except images.UnknownImage as error:
        raise validation(str(error)) from error
    if runtime.serving(container.get("Environment") or {}) is None:
        raise validation(f"The image '{image}' of model {document['ModelName']} cannot serve.")


def _check_payload(document: Mapping[str, Any]) -> None:
    payload = document.get("MaxPayloadInMB")
    if payload is not None and payload > MOST_MB:
        raise validation(f"MaxPayloadInMB {payload} cannot be greater than {MOST_MB} MB.")
    concurrency = document.get("MaxConcurrentTransforms")
    if concurrency and payload and concurrency * payload > MOST_MB:
        raise validation(
            f"The value of (MaxConcurrentTransforms * MaxPayloadInMB) cannot exceed {MOST_MB} MB: "
            f"{concurrency} * {payload} = {concurrency * payload}."
        )
    by_record = (
        document.get("BatchStrategy") == "SingleRecord" and document["TransformInput"]["SplitType"] != "None"
    )
    if payload == 0 and _processes(document) and not by_record:
        raise validation(
            "MaxPayloadInMB 0 streams an object in chunks and cannot be combined with DataProcessing, which needs whole records, "
            "unless SplitType is Line and BatchStrategy SingleRecord."
        )


def _processes(document: Mapping[str, Any]) -> bool:
    processing = document["DataProcessing"]
    return bool(
        processing["JoinSource"] == "Input"
        or processing["InputFilter"] != "$"
        or processing["OutputFilter"] != "$"
        or _identifies(document)
    )


def _identifies(document: Mapping[str, Any]) -> bool:
    return bool((document.get("DataCaptureConfig") or {}).get("GenerateInferenceId"))


def _check_processing(document: Mapping[str, Any]) -> None:
    processing = document["DataProcessing"]
    if not _processes(document):
        return
    given, wanted = document["TransformInput"], document["TransformOutput"]
    split = given["SplitType"]
    content, accept = given.get("ContentType", ""), wanted.get("Accept", "")
    joins = processing["JoinSource"] == "Input"
    changes_output = joins or processing["OutputFilter"] != "$" or _identifies(document)
    known = ", ".join(FORMATS)
    if split in ("RecordIO", "TFRecord"):
        raise validation(f"DataProcessing is not supported with SplitType {split}. Use Line or None.")
    if (joins or processing["InputFilter"] != "$") and format_of(content) is None:
        raise validation(
            f"DataProcessing is not supported for TransformInput.ContentType '{content}'. Valid values: {known}."
        )
    if changes_output and format_of(accept) is None:
        raise validation(
            f"JoinSource Input, an OutputFilter and GenerateInferenceId are not supported for TransformOutput.Accept '{accept}'. "
            f"Valid values: {known}."
        )
    if joins and (format_of(content) == "csv") != (format_of(accept) == "csv"):
        raise validation(
            f"JoinSource Input needs input and output of the same format: TransformInput.ContentType is '{content}', "
            f"TransformOutput.Accept is '{accept}'."
        )
    rows = (format_of(content) == "csv" and (joins or processing["InputFilter"] != "$")) or (
        changes_output and format_of(accept) == "csv"
    )
    if rows and split != "Line":
        raise validation("DataProcessing of text/csv needs TransformInput.SplitType Line.")
    if changes_output and split == "Line" and wanted["AssembleWith"] != "Line":
        raise validation(
            "JoinSource Input, an OutputFilter and GenerateInferenceId with SplitType Line need TransformOutput.AssembleWith Line."
        )
    for name, of_rows in (
        ("InputFilter", format_of(content) == "csv"),
        ("OutputFilter", format_of(accept) == "csv"),
    ):
        try:
            path = compile_path(processing[name])
        except PathError as error:
            raise validation(f"Invalid JSONPath in DataProcessing.{name}: {error}.") from error
        if of_rows and not path.for_rows:
            raise validation(
                f"Invalid JSONPath in DataProcessing.{name}: '{processing[name]}' does not select by index. Rows of text/csv are "
                "arrays: use for example $[1:] or $[0,-1]."
            )


def _check_capture(engine: Engine, document: Mapping[str, Any]) -> None:
    config = document.get("DataCaptureConfig")
    if config:
        bucket, _ = split_uri(config["DestinationS3Uri"])
        _check_bucket(engine, bucket, "DataCaptureConfig.DestinationS3Uri")


def _check_bucket(engine: Engine, bucket: str, member: str) -> None:
    if not engine.objects.bucket_exists(bucket):
        raise validation(
            f'The bucket "{bucket}" given in {member} does not exist in the selected region '
            f"({engine.settings.region}). Create it first."
        )
