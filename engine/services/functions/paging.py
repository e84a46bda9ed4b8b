"""Pages by Marker and MaxItems, which all of Lambda's lists share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.functions.names import invalid

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.http import Request

PAGE = 50
"""What a page holds at most, whatever MaxItems says."""


def page(
    engine: Engine,
    request: Request,
    params: dict[str, Any],
    items: Sequence[tuple[str, dict[str, Any]]],
    member: str,
) -> dict[str, Any]:
    """One page of ``(key, answer)`` pairs in order of their keys, after the key that the Marker holds.

    Raises:
        ServiceError: ``InvalidParameterValueException``: the Marker is not one of this list.
    """
    limit = min(params.get("MaxItems") or PAGE, PAGE)
    items = sorted(items, key=lambda item: item[0])
    if params.get("Marker"):
        after = engine.tokens.decode(
            request.operation,
            params,
            params["Marker"],
            code="InvalidParameterValueException",
            message="Invalid Marker.",
        )
        items = [item for item in items if item[0] > after]
    answer: dict[str, Any] = {member: [shown for _, shown in items[:limit]]}
    if len(items) > limit:
        answer["NextMarker"] = engine.tokens.encode(request.operation, params, items[limit - 1][0])
    if limit < 1:
        raise invalid("MaxItems must be at least 1")
    return answer
