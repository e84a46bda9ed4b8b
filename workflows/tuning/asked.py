"""What a person asks for of tuning jobs, carried out on a gateway: the console's actions.

They call boto3, whatever interface is configured: the SageMaker SDK takes seconds and 150 MB to load, which is for runs and
commands, not for a screen.
"""

from __future__ import annotations

import re

from workflows.interfaces.tuning.low import LowTuning
from workflows.observe import jobs, tuning
from workflows.observe.gateway import Gateway
from workflows.observe.tuning_rows import TuningDetail
from workflows.problem import Problem
from workflows.tuning import defaults, documents, operations
from workflows.tuning.draft import named
from workflows.tuning.request import TuningRequest, WarmStartKind


def create(gateway: Gateway, request: TuningRequest) -> str:
    """Create a tuning job; returns its name.

    Raises:
        Problem: SageMaker refuses it; the sentence is SageMaker's.
    """
    return LowTuning(gateway).create(request)


def warm_start(gateway: Gateway, parent: str, kind: WarmStartKind, name: str = "") -> TuningRequest:
    """The request of a tuning job that learns from a finished one; nothing is created.

    Raises:
        Problem: There is no such tuning job, or it still runs.
    """
    return warm_started(tuning.describe(gateway, parent), kind, name)


def warm_started(detail: TuningDetail, kind: WarmStartKind, name: str = "") -> TuningRequest:
    """The same of a described tuning job.

    Raises:
        Problem: It still runs.
    """
    if detail.row.active:
        raise Problem(
            f"Tuning job {detail.name} is {detail.row.status}: a warm start needs a parent that has ended.",
            f"Wait for it, or stop it: `mlconsole tuning stop {detail.name}`.",
            "active",
        )
    return documents.warm_started(detail, name or named(_stem(detail.name)), kind)


def deploy_best(gateway: Gateway, name: str, endpoint: str, instance_type: str, trial: str = "") -> str:
    """Make model, endpoint configuration and endpoint of the best trial; returns the endpoint's name at once.

    With ``trial`` it is that one: a better one may have ended since a person was asked.

    Raises:
        Problem: There is no best trial, it has no artefact, or SageMaker refuses something; what came before it stays.
    """
    from workflows.interfaces.hosting import deploy

    detail = tuning.describe(gateway, name)
    best = jobs.describe(gateway, trial or operations.best_of(detail).name)
    request = operations.deployment(detail, best, endpoint=endpoint, instance_type=instance_type)
    deploy(gateway.client("sagemaker"), request)
    return request.name


def start_defaults(gateway: Gateway, name: str, runs: int) -> tuple[str, ...]:
    """Start training jobs with the default configuration and different seeds; returns their names.

    Raises:
        Problem: There is no such tuning job, or SageMaker refuses a training job.
    """
    detail = tuning.describe(gateway, name)
    found = defaults.plan(detail, tuning.default_names(gateway, name), runs=runs)
    return defaults.start(LowTuning(gateway), detail, found)


def _stem(name: str) -> str:
    """A tuning job's name without the time that `named` has put at its end."""
    return re.sub(r"-\d{4}-\d{6}$", "", name)
