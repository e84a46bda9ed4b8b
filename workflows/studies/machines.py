"""The machines that studies offer for jobs and for endpoints."""

from __future__ import annotations

TRAINING = (
    ("ml.m5.large", "2 vCPU, 8 GB"),
    ("ml.m5.xlarge", "4 vCPU, 16 GB"),
    ("ml.c5.large", "2 vCPU, 4 GB"),
    ("ml.c5.xlarge", "4 vCPU, 8 GB"),
)
HOSTING = (("ml.t2.medium", "2 vCPU, 4 GB, burstable"), *TRAINING)
