"""A model's container on this machine: its command, its environment, and the files that it finds below /opt/ml."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.hosting import artifacts

if TYPE_CHECKING:
    from engine.context import Engine

_INHERITED = (
    "HOME", "USER", "LOGNAME", "TZ", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip


def base_environment(engine: Engine) -> dict[str, str]:
    """What every container's environment begins with: the region, this engine as AWS, and what the machine needs."""
    settings = engine.settings
    found = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    found |= {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_"))}
    found["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    found["LANG"] = "C.UTF-8"
    found["PYTHONUNBUFFERED"] = "1"
    found["PYTHONIOENCODING"] = "UTF-8"
    found["AWS_EC2_METADATA_DISABLED"] = "true"
    found["AWS_REGION"] = found["AWS_DEFAULT_REGION"] = settings.region
    found["AWS_ACCESS_KEY_ID"] = settings.access_key
    found["AWS_SECRET_ACCESS_KEY"] = settings.secret_key
    if settings.port:
        found["AWS_ENDPOINT_URL"] = f"http://{settings.host}:{settings.port}"
    return found


def model_directory(folder: Path, container: Mapping[str, Any]) -> Path:
    """Where a container's model is unpacked below ``folder``: one place per model data."""
    digest = hashlib.sha256(repr(artifacts.location(container)).encode()).hexdigest()[:16]
    return folder / digest


def model(engine: Engine, folder: Path, container: Mapping[str, Any]) -> Path:
    """The unpacked model, fetched once per model data, so that it outlives the S3 object as on AWS.

    Raises:
        ArtifactError: Model data that cannot be used.
    """
    place = artifacts.location(container)
    target = model_directory(folder, container)
    if place is None:
        target.mkdir(parents=True, exist_ok=True)
    elif not target.is_dir():
        artifacts.fetch(engine.objects, place, target, container.get("ContainerHostname") or "container_1")
    return target


def code(
    engine: Engine, folder: Path, container: Mapping[str, Any]
) -> tuple[dict[str, Path], dict[str, str]]:
    """A container's script archive in S3 as a file beside the model (path below /opt/ml -> file), and its variables.

    Raises:
        ArtifactError: The archive is not there.
    """
    environment = {str(k): str(v) for k, v in (container.get("Environment") or {}).items()}
    submitted = environment.get("SAGEMAKER_SUBMIT_DIRECTORY", "")
    if not submitted.startswith("s3://"):
        return {}, environment
    bucket, key = artifacts.split_uri(submitted)
    kept = folder / f"code-{hashlib.sha256(submitted.encode()).hexdigest()[:16]}.tar.gz"
    if not kept.is_file():
        found = engine.objects.find(bucket, key) if engine.objects.bucket_exists(bucket) else None
        if found is None:
            raise artifacts.ArtifactError(
                f"SAGEMAKER_SUBMIT_DIRECTORY names {submitted}, where there is no object."
            )
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(".part")
        part.write_bytes(found.path.read_bytes())
        part.replace(kept)
    environment["SAGEMAKER_SUBMIT_DIRECTORY"] = "/opt/ml/submitted/sourcedir.tar.gz"
    return {"submitted/sourcedir.tar.gz": kept}, environment
