"""How a job feeds its container: what the request says, else what the container wishes, else SageMaker's defaults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

SINGLE, MULTI = "SINGLE_RECORD", "MULTI_RECORD"
MOST_MB = 100
"""MaxPayloadInMB, and its product with MaxConcurrentTransforms."""


class Settings(NamedTuple):
    """The three that a container may wish for itself; ``strategy`` as containers and logs spell it."""

    concurrency: int = 1
    payload_mb: int = 6
    strategy: str = MULTI

    def __str__(self) -> str:
        """As the data log of a job begins."""
        return (
            f"MaxConcurrentTransforms={self.concurrency}, MaxPayloadInMB={self.payload_mb}, "
            f"BatchStrategy={self.strategy}"
        )


def settings(document: Mapping[str, Any], wishes: Mapping[str, Any]) -> Settings:
    """The values that a job runs with.

    Args:
        wishes: The container's answer to ``/execution-parameters``, of any shape.
    """
    concurrency, payload, strategy = Settings()
    wished = wishes.get("MaxConcurrentTransforms")
    if isinstance(wished, int) and 0 < wished <= 1000:
        concurrency = wished
    wished = wishes.get("MaxPayloadInMB")
    # Payloads without limit are for the request to ask for.
    if isinstance(wished, int) and 0 < wished <= MOST_MB:
        payload = wished
    if wishes.get("BatchStrategy") in (SINGLE, MULTI):
        strategy = str(wishes["BatchStrategy"])
    if document.get("BatchStrategy"):
        strategy = SINGLE if document["BatchStrategy"] == "SingleRecord" else MULTI
    given = document.get("MaxPayloadInMB")
    return Settings(
        document.get("MaxConcurrentTransforms") or concurrency, payload if given is None else given, strategy
    )


def wishes(body: bytes) -> dict[str, Any]:
    """The answer to ``/execution-parameters``; nothing when it is not a JSON object."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def variables(document: Mapping[str, Any]) -> dict[str, str]:
    """What tells a container that it transforms, and those of the three that the request gave."""
    found = {"SAGEMAKER_BATCH": "true"}
    if document.get("MaxPayloadInMB") is not None:
        found["SAGEMAKER_MAX_PAYLOAD_IN_MB"] = str(document["MaxPayloadInMB"])
    if document.get("BatchStrategy"):
        found["SAGEMAKER_BATCH_STRATEGY"] = SINGLE if document["BatchStrategy"] == "SingleRecord" else MULTI
    if document.get("MaxConcurrentTransforms"):
        found["SAGEMAKER_MAX_CONCURRENT_TRANSFORMS"] = str(document["MaxConcurrentTransforms"])
    return found
