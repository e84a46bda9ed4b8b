"""Pages by Marker and MaxItems, which all of Lambda's lists share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.services import keyset

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.http import Request

_PAGE = 50
"""What a page holds at most, whatever MaxItems says."""
_REFUSAL = keyset.Refusal("InvalidParameterValueException", "Invalid Marker.")


def page(
    engine: Engine,
    request: Request,
    params: dict[str, Any],
    items: Sequence[tuple[str, dict[str, Any]]],
    member: str,
) -> dict[str, Any]:
    """One page of ``(key, answer)`` pairs as a list's answer.

    Raises:
        ServiceError: ``InvalidParameterValueException``: the Marker is not one of this list.
    """
    limit = min(params.get("MaxItems") or _PAGE, _PAGE)
    shown, marker = keyset.page(
        engine, request.operation, params, items, limit, params.get("Marker"), _REFUSAL
    )
    return {member: shown, "NextMarker": marker}
