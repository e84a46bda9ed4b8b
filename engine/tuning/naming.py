"""Names of the training jobs that a tuning job launches."""

from __future__ import annotations

import secrets


def child(tuning: str, number: int) -> str:
    """``<tuning>-001-<8 hex>``: the number counts from 1, the rest keeps names of a deleted tuning job's children apart."""
    return f"{tuning}-{number:03d}-{secrets.token_hex(4)}"
