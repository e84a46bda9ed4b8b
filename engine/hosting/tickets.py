"""An asynchronous request as it is accepted: its names, its places in S3, and how long it may take."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.errors import ServiceError
from engine.hosting.answers import ATTRIBUTES, INFERENCE_ID
from engine.hosting.artifacts import split_uri
from engine.hosting.delivery import Ticket

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.hosting.endpoint import Endpoint

DEFAULT_TTL = 21_600
DEFAULT_TIMEOUT = 900


def accept(
    engine: Engine, endpoint: Endpoint, headers: Mapping[str, str], params: Mapping[str, Any]
) -> tuple[str, Ticket]:
    """A name that no other request has, and the request.

    Args:
        headers: The request's headers, lower-case names.
        params: InvokeEndpointAsync's parameters.

    Raises:
        ServiceError: ``ValidationError``: a place that is none.
    """
    name = str(uuid.uuid4())
    inference_id = params.get("InferenceId") or name
    location = params.get("InputLocation")
    source = None
    if location:
        source = split_uri(location)
        if not all(source):
            raise ServiceError("ValidationError", f"InputLocation '{location}' names no object in S3.")
    forwarded = {INFERENCE_ID: inference_id}
    for member, header in (
        ("ContentType", "content-type"),
        ("Accept", "accept"),
        ("CustomAttributes", ATTRIBUTES),
    ):
        value = params.get(member)
        if value:
            if "\r" in value or "\n" in value:
                raise ServiceError("ValidationError", f"{member} must not contain line breaks.")
            forwarded[header] = value
    output = endpoint.blue.config["AsyncInferenceConfig"]["OutputConfig"]
    default = f"s3://{engine.settings.default_bucket}/async-endpoint-outputs/{endpoint.name}"
    filename = params.get("Filename") or f"{name}.out"
    stem, dot, suffix = filename.rpartition(".")
    failed = f"{stem}-error.{suffix}" if dot else f"{filename}-error"
    extension = params.get("S3OutputPathExtension") or ""
    failure = output.get("S3FailurePath")
    now = engine.clock.time()
    return name, Ticket(
        inference_id=inference_id,
        source=source,
        body=params.get("Body") or b"",
        headers=forwarded,
        output=_place(output.get("S3OutputPath") or default, extension, filename),
        failure=_place(failure, extension, failed) if failure else None,
        received=now,
        expires=now + (params.get("RequestTTLSeconds") or DEFAULT_TTL),
        timeout=float(params.get("InvocationTimeoutSeconds") or DEFAULT_TIMEOUT),
    )


def _place(path: str, extension: str, name: str) -> tuple[str, str]:
    bucket, prefix = split_uri(path)
    return bucket, "/".join(part.strip("/") for part in (prefix, extension, name) if part.strip("/"))
