"""Tells "there is no such thing" apart from other errors: SageMaker says it with a ValidationException."""

from __future__ import annotations

from typing import Any

_CODES = {"ResourceNotFound", "ResourceNotFoundException", "NoSuchKey", "NoSuchBucket", "NotFound", "404"}
_TEXTS = ("could not find", "does not exist", "not found", "doesn't exist")


def absent(error: Any) -> bool:
    """Whether a botocore ClientError says that the named thing does not exist."""
    details = error.response.get("Error", {})
    if str(details.get("Code")) in _CODES:
        return True
    message = str(details.get("Message", "")).lower()
    return details.get("Code") == "ValidationException" and any(text in message for text in _TEXTS)
