"""Which container serves what a training job has made."""

from __future__ import annotations

from workflows.observe.rows import JobDetail
from workflows.tuning import known

_SERVING = {"pytorch-training": "pytorch-inference", "tensorflow-training": "tensorflow-inference"}
"""Repositories of frameworks that train and serve in different containers."""


def container(job: JobDetail) -> tuple[str, dict[str, str]]:
    """Image and environment that serve a training job's artefact.

    A built-in algorithm serves what it has trained. The frameworks' containers run the code that lies in the artefact
    (PyTorch: ``code/inference.py``) or that was submitted with the training job (scikit-learn, XGBoost).
    """
    repository = known.repository(job.image)
    serving = _SERVING.get(repository)
    if serving is not None:
        image = job.image.replace(f"/{repository}:", f"/{serving}:")
        return image, {
            "SAGEMAKER_PROGRAM": "inference.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        }
    program = job.hyperparameters.get(known.SCRIPT, "").strip('"')
    if not program:
        return job.image, {}
    submitted = job.hyperparameters.get("sagemaker_submit_directory", "").strip('"')
    return job.image, {"SAGEMAKER_PROGRAM": program, "SAGEMAKER_SUBMIT_DIRECTORY": submitted}
