"""Which AWS profiles this machine has, and in which regions there is SageMaker."""

from __future__ import annotations

import os


def profiles() -> tuple[str, ...]:
    """The profiles of the AWS configuration and credentials files, in order."""
    from botocore.session import Session

    return tuple(sorted(Session().available_profiles))


def regions() -> tuple[str, ...]:
    """The regions that botocore knows for SageMaker, in order. Reads 1 MB."""
    from botocore.session import Session

    return tuple(sorted(Session().get_available_regions("sagemaker")))


def region_given(configured: str) -> str | None:
    """The region that was configured, else that of AWS_REGION, which every SDK of AWS but boto3 knows; None: boto3 finds one."""
    return configured or os.environ.get("AWS_REGION") or None
