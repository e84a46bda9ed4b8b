"""What became of one request to a model."""

from __future__ import annotations

from typing import NamedTuple

from engine.errors import ServiceError
from engine.hosting.client import Reply


class Outcome(NamedTuple):
    """A reply (whatever its status), or none; the error that the caller gets; seconds in the model, None when it was not asked."""

    reply: Reply | None
    error: ServiceError | None
    seconds: float | None

    @property
    def model_failed(self) -> bool:
        """Whether it was the model's fault."""
        return self.error is not None and self.error.code in ("ModelError", "ModelStreamError")

    @property
    def status(self) -> int:
        """The status that CloudWatch counts: what the model answered, not the 424 that the caller sees."""
        if self.error is None:
            return 200
        if not self.model_failed:
            return self.error.status
        status: int = self.error.fields.get("OriginalStatusCode") or 500
        return status if status >= 400 else 500
