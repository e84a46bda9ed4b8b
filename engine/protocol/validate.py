"""Parameters against the model's constraints, with AWS's own messages."""

from __future__ import annotations

from typing import Any

from engine.protocol.models import Service


def validate(service: Service, operation: str, params: dict[str, Any]) -> None:
    """Raise the service's validation error when a parameter breaks a constraint of the model."""
