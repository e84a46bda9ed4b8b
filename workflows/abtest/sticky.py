"""Sticky assignment: a user always meets the same variant, whichever process asks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping


def variant_of(user: str, weights: Mapping[str, float], salt: str) -> str:
    """The variant of a user: its hash is a place in [0, 1), and the variants follow each other there by their shares.

    The same for the same weights and salt. When weights change, the users between the old and the new boundaries move.
    """
    total = sum(weights.values())
    place = int.from_bytes(hashlib.sha256(f"{salt}\0{user}".encode()).digest()[:8], "big") / 2**64
    chosen, edge = "", 0.0
    for variant, weight in weights.items():
        if weight <= 0:
            continue
        chosen = variant
        edge += weight / total
        if place < edge:
            break
    return chosen


def pseudonym(user: str, salt: str) -> str:
    """What is stored of a user's id: a hash that cannot be told back without the salt."""
    return hashlib.sha256(f"{salt}\0{user}".encode()).hexdigest()[:16]
