"""How variants and fleets of an endpoint are called."""

from __future__ import annotations

from workflows.observe.rows import VariantTraffic


def titled(one: VariantTraffic) -> str:
    """A variant's name; with its fleet's configuration during an update, and marked where it is a shadow."""
    if one.config:
        return f"{one.variant} of {one.config}"
    return f"{one.variant} (shadow)" if one.shadow else one.variant
