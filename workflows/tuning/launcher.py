"""Training jobs that the SageMaker SDK v3 has launched, as jobs in script mode.

The SDK's ModelTrainer sends its launcher in a channel ``sm_drivers`` and starts it by an entry point of its own. A tuning job has no
entry point: its trials run the container's. So the code is packed into the archive that every framework container unpacks by
itself, which is what the SDK's own tuner does.
"""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace

from workflows.observe import objects
from workflows.observe.gateway import Gateway, answered
from workflows.observe.rows import JobDetail
from workflows.problem import Problem

DRIVERS, CODE = "sm_drivers", "code"
"""The SDK's channels."""
MOST_FILES = 2_000
MOST_BYTES = 256 << 20


def launched(job: JobDetail) -> bool:
    """Whether the SDK's launcher runs the job."""
    return any(channel.name == DRIVERS for channel in job.channels)


def script_mode(gateway: Gateway, job: JobDetail) -> JobDetail:
    """The job as one in script mode would be described; its code is packed and put beside it in S3.

    Raises:
        Problem: The job runs a command instead of a script, its code is too large, or S3 cannot be read or written.
    """
    places = {channel.name: channel.location for channel in job.channels}
    settings = json.loads(objects.read_text(gateway, f"{places[DRIVERS].rstrip('/')}/sourcecode.json"))
    script = settings.get("entry_script")
    if not script or CODE not in places:
        raise Problem(
            f"Training job {job.name} runs a command of its own, which a tuning job cannot start.",
            "Give its source an entry script.",
            "launcher",
        )
    archive = f"{places[CODE].rstrip('/')}.tar.gz"
    bucket, key = objects.parts(archive)
    answered(gateway, "s3", "put_object", Bucket=bucket, Key=key, Body=_packed(gateway, job, places[CODE]))
    own = (DRIVERS, CODE)
    raw = {
        **job.raw,
        "InputDataConfig": [
            item for item in job.raw.get("InputDataConfig") or () if item.get("ChannelName") not in own
        ],
    }
    return replace(
        job,
        hyperparameters={
            **job.hyperparameters,
            "sagemaker_program": script,
            "sagemaker_submit_directory": archive,
        },
        channels=tuple(channel for channel in job.channels if channel.name not in own),
        raw=raw,
    )


def _packed(gateway: Gateway, job: JobDetail, place: str) -> bytes:
    prefix = f"{place.rstrip('/')}/"
    found = objects.listed(gateway, prefix, MOST_FILES)
    if found is None or sum(item.size for item in found) > MOST_BYTES:
        raise Problem(
            f"The code of training job {job.name} below {place} is too large to be packed.",
            f"Keep it below {MOST_FILES} files and {MOST_BYTES >> 20} MB: data belongs into channels.",
            "size",
        )
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for item in found:
            content = objects.read_bytes(gateway, item.uri, MOST_BYTES)
            info = tarfile.TarInfo(item.uri.removeprefix(prefix))
            info.size, info.mode = len(content), 0o644
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()
