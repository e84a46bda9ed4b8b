"""What a run was computed with: versions of libraries, and content hashes of the code that made its numbers."""

from __future__ import annotations

import platform
from importlib import metadata
from pathlib import Path

from workflows.files import folder_sha256

LIBRARIES = (
    "mlconsole", "boto3", "botocore", "sagemaker", "numpy", "pandas", "scipy", "scikit-learn", "torch", "xgboost-cpu", "xgboost",
    "rapidfuzz", "pyarrow",
)  # fmt: skip
CONTAINERS = ("container", "builtin", "formats")
"""What stands for the containers' code on the embedded SageMaker, where an image URI has no digest."""


def libraries() -> dict[str, str]:
    """The versions of Python and of what computes or calls; what is not installed is left out. Nothing is imported."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def code(study: str, target: str) -> dict[str, str]:
    """SHA-256 of the code that a run of a study or a lesson computes with, by what it is.

    ``study``: its steps and what they share; ``algorithm``: what is uploaded or measured with, where the study has its own;
    ``containers``: training and serving on the embedded SageMaker (on AWS that is the image's).

    Raises:
        WorkflowError: There is no such study.
    """
    import algorithms
    import workflows
    from workflows import studies
    from workflows.studies.catalog import find

    # Lessons lie in a folder of their own, beside what they share with each other.
    info = find(study)
    own = Path(str(workflows.__file__)).parent.joinpath(*info.module.split(".")[1:-1])
    shared = {Path(str(studies.__file__)).parent, own.parent}
    found = {"study": _together(own, *(path for one in sorted(shared) for path in sorted(one.glob("*.py"))))}
    folder = Path(str(algorithms.__file__)).parent
    algorithm = folder / (info.algorithm or study)
    if algorithm.is_dir():
        found["algorithm"] = folder_sha256(algorithm)
    if target == "embedded":
        found["containers"] = _together(*(folder / name for name in CONTAINERS))
    return found


def _together(*paths: Path) -> str:
    import hashlib

    from workflows.files import sha256

    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.name}\0{folder_sha256(path) if path.is_dir() else sha256(path)}\n".encode())
    return digest.hexdigest()
