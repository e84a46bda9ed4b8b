"""Which AWS profiles this machine has, and in which regions there is SageMaker."""

from __future__ import annotations


def profiles() -> tuple[str, ...]:
    """The profiles of the AWS configuration and credentials files, in order."""
    from botocore.session import Session

    return tuple(sorted(Session().available_profiles))


def regions() -> tuple[str, ...]:
    """The regions that botocore knows for SageMaker, in order. Reads 1 MB."""
    from botocore.session import Session

    return tuple(sorted(Session().get_available_regions("sagemaker")))
