"""What a transform job is made of. Nothing here calls anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Split = Literal["None", "Line", "RecordIO", "TFRecord"]
BatchStrategy = Literal["", "MultiRecord", "SingleRecord"]

JOINABLE = ("text/csv", "application/json", "application/jsonlines")
"""Content types whose records SageMaker can join and filter."""

SPLITS: tuple[Split, ...] = ("None", "Line", "RecordIO", "TFRecord")


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformRequest:
    """A transform job to be created; the members are those of `TransformDetail`.

    None and empty texts are not sent: the container or SageMaker decides then.
    """

    name: str
    model: str
    input: str
    output: str
    data_type: Literal["S3Prefix", "ManifestFile"] = "S3Prefix"
    content_type: str = "text/csv"
    compression: Literal["None", "Gzip"] = "None"
    split: Split = "Line"
    accept: str = ""
    assemble: Literal["None", "Line"] = "Line"
    strategy: BatchStrategy = ""
    max_payload_mb: int | None = None
    max_concurrent: int | None = None
    input_filter: str = ""
    output_filter: str = ""
    join: Literal["None", "Input"] = "None"
    environment: Mapping[str, str] = field(default_factory=dict)
    instance_type: str = "ml.m5.large"
    instance_count: int = 1
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def accepted(self) -> str:
        """What is sent as Accept: the wanted type, else the input's where answers are joined or filtered, since AWS asks for it then."""
        kind = self.content_type.partition(";")[0].strip().lower()
        processed = self.join == "Input" or self.output_filter
        return self.accept or (kind if processed and kind in JOINABLE else "")
