"""Why an endpoint or its update failed: the sentence that FailureReason says."""

from __future__ import annotations

import logging

from engine.hosting.artifacts import ArtifactError
from engine.hosting.variant import VariantFailed
from engine.images import UnknownImage

LIMIT = 1024
"""Characters of a FailureReason."""

log = logging.getLogger(__name__)


class Tripped(Exception):
    """A deployment that must not go on: an alarm, or its time is over. The message is what FailureReason says."""


def reason(endpoint: str, error: Exception) -> str:
    """A FailureReason; what nobody foresaw goes into the engine's log with its traceback."""
    if isinstance(error, ArtifactError | VariantFailed | UnknownImage | Tripped):
        return str(error)[:LIMIT]
    log.error("Endpoint %s failed.", endpoint, exc_info=error)
    return f"Request to service failed. The engine could not bring up the endpoint: {error}"[:LIMIT]
