"""What a training job of a built-in algorithm is made of. Nothing here calls anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelInput:
    """One input channel: an S3 URI and what lies there. An empty ``content_type`` is not sent."""

    name: str
    uri: str
    content_type: str = ""
    data_type: Literal["S3Prefix", "ManifestFile"] = "S3Prefix"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgorithmRequest:
    """A training job of an algorithm's own image, without a script. ``output`` is an S3 URI; the model goes below it."""

    name: str
    image: str
    channels: tuple[ChannelInput, ...]
    hyperparameters: Mapping[str, str]
    output: str
    instance_type: str = "ml.m5.large"
    max_seconds: int = 3600
    tags: Mapping[str, str] = field(default_factory=dict)
