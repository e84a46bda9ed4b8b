"""The two ways in which the lessons drive SageMaker: ``low`` (boto3 calls) and ``high`` (the SageMaker Python SDK v3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflows.failures import WorkflowError

if TYPE_CHECKING:
    from workflows.interfaces.base import Interface
    from workflows.platform import Platform

NAMES = ("low", "high")


def make(name: str, platform: Platform) -> Interface:
    """The interface of that name on a platform; ``high`` imports the SageMaker SDK, which takes seconds.

    Raises:
        WorkflowError: There is no such interface.
    """
    if name == "low":
        from workflows.interfaces.low import Low

        return Low(platform)
    if name == "high":
        from workflows.interfaces.high import High

        return High(platform)
    raise WorkflowError(f"There is no interface {name!r}: choose low (boto3) or high (SageMaker SDK v3).")
