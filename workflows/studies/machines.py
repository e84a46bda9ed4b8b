"""The machines that studies offer for jobs and for endpoints, and the parameters that choose them."""

from __future__ import annotations

from workflows.studies.parameters import Parameter

TRAINING = (
    ("ml.m5.large", "2 vCPU, 8 GB"),
    ("ml.m5.xlarge", "4 vCPU, 16 GB"),
    ("ml.c5.large", "2 vCPU, 4 GB"),
    ("ml.c5.xlarge", "4 vCPU, 8 GB"),
)
HOSTING = (("ml.t2.medium", "2 vCPU, 4 GB, burstable"), *TRAINING)

ONE_JOB = (
    Parameter("instance-type", "choice", "ml.m5.large", "Machine for the training job.", choices=TRAINING),
    Parameter(
        "hosting-instance-type", "choice", "ml.t2.medium", "Machine for the endpoint.", choices=HOSTING
    ),
    Parameter(
        "max-minutes", "int", 30, "The training job is stopped after this time.", 1, 1440, unit="minutes"
    ),
)
"""Parameters of a study with one training job and one endpoint."""

PLACES = frozenset(("instance-type", "hosting-instance-type", "max-minutes", "parallel"))
"""Parameters that say where and how long something runs: they change time and cost, and no score."""
