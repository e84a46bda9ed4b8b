"""Which objects a job transforms, and where each one's result goes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.jobs import channels
from engine.objects import ObjectStore
from engine.transforms.plan import Input


def role_of(document: Mapping[str, Any]) -> str:
    """The role that reads the input: the model's."""
    return str(document["_model"].get("ExecutionRoleArn", ""))


def output_place(document: Mapping[str, Any]) -> tuple[str, str]:
    """Bucket and key prefix of the results; the prefix is empty or ends with a slash.

    Raises:
        ChannelError: S3OutputPath is not an ``s3://`` URI.
    """
    bucket, prefix = channels.split_uri(document["TransformOutput"]["S3OutputPath"])
    prefix = prefix.rstrip("/")
    return bucket, f"{prefix}/" if prefix else ""


def inputs(objects: ObjectStore, document: Mapping[str, Any], *, region: str) -> Iterator[Input]:
    """The objects in order of their keys (of the manifest's entries). ``s3://b/in/`` and ``in/x/y.csv`` make ``x/y.csv.out``.

    Raises:
        ChannelError: There are none, or the source cannot be read.
    """
    source = document["TransformInput"]["DataSource"]["S3DataSource"]
    channel = {"ChannelName": "TransformInput", "DataSource": {"S3DataSource": source}}
    _, prefix = output_place(document)
    found = channels.items(objects, channel, region=region, role=role_of(document))
    for number, item in enumerate(found):
        name = f"{item.bucket}/{item.info.key}"
        yield Input(number, name, str(item.info.path), item.info.size, f"{prefix}{item.path}.out")
