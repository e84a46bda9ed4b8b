"""DataCaptureConfig of a transform job: manifests that say which objects went in and which came out, ready for a monitor."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from engine.jobs.channels import split_uri
from engine.objects import ObjectStore
from engine.transforms.inputs import output_place
from engine.transforms.plan import Input


def moment(document: Mapping[str, Any]) -> str:
    """When a job started, as its inference times say it; "" when the job generates none."""
    if not (document.get("DataCaptureConfig") or {}).get("GenerateInferenceId"):
        return ""
    return _started(document).strftime("%Y-%m-%dT%H:%M:%SZ")


def store(objects: ObjectStore, document: Mapping[str, Any], done: Iterable[Input]) -> None:
    """Write the two manifests below ``input/`` and ``output/`` and the hour at which the job started; again gives the same.

    Args:
        done: The objects whose results are stored.

    Raises:
        ChannelError: DestinationS3Uri is not an ``s3://`` URI.
        ServiceError: Its bucket is gone.
    """
    config = document.get("DataCaptureConfig")
    if not config:
        return
    bucket, base = split_uri(config["DestinationS3Uri"])
    base = f"{base.rstrip('/')}/" if base.rstrip("/") else ""
    into, prefix = output_place(document)
    folder = ""
    sources = []
    for item in done:
        source = item.output.removeprefix(prefix).removesuffix(".out")
        # One source has one prefix: what the result's name leaves of the object's.
        folder = f"s3://{item.name.removesuffix(source)}"
        sources.append(source)
    if not sources:
        return
    hour = _started(document).strftime("%Y/%m/%d/%H")
    name = uuid.uuid5(uuid.NAMESPACE_URL, document["TransformJobArn"])
    made = [f"{source}.out" for source in sources]
    for kind, where, names in (("input", folder, sources), ("output", f"s3://{into}/{prefix}", made)):
        manifest = json.dumps([{"prefix": where}, *names]).encode()
        objects.put_bytes(bucket, f"{base}{kind}/{hour}/{name}.json", manifest, "application/json")


def _started(document: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(document["TransformStartTime"], UTC)
