"""The one exception that handlers raise to answer with an AWS error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ServiceError(Exception):
    """An error in AWS's own words.

    Args:
        code: The error code on the wire, for example ``ValidationException`` or ``NoSuchKey``.
        message: The sentence AWS sends.
        status: HTTP status, 400 unless the service's model says otherwise.
        fields: Further members of the error's shape (``LogStreamArn``, ``BucketName`` ...).
        headers: Extra response headers.
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 400,
        *,
        fields: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.fields = dict(fields or {})
        self.headers = dict(headers or {})


def validation(message: str) -> ServiceError:
    """``ValidationException`` with AWS's text."""
    return ServiceError("ValidationException", message)


def not_found(message: str) -> ServiceError:
    """``ResourceNotFound``, SageMaker's code for a named resource that is not there."""
    return ServiceError("ResourceNotFound", message)


def in_use(message: str) -> ServiceError:
    """``ResourceInUse``, SageMaker's code for a name that is taken or a resource that is busy."""
    return ServiceError("ResourceInUse", message)
