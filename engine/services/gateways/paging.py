"""Pages by position and limit, which API Gateway's collections share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.http import Request

_PAGE, _LARGEST = 25, 500
_OWN = ("position", "limit")


def page(
    engine: Engine, request: Request, params: dict[str, Any], items: Sequence[tuple[str, dict[str, Any]]]
) -> dict[str, Any]:
    """One page of ``(key, answer)`` pairs in order of their keys.

    Raises:
        ServiceError: ``BadRequestException``: the position is not one of this collection.
    """
    bound = {name: value for name, value in params.items() if name not in _OWN}
    limit = max(1, min(params.get("limit") or _PAGE, _LARGEST))
    items = sorted(items, key=lambda item: item[0])
    if params.get("position"):
        after = engine.tokens.decode(
            request.operation,
            bound,
            params["position"],
            code="BadRequestException",
            message="Invalid position parameter",
        )
        items = [item for item in items if item[0] > after]
    answer: dict[str, Any] = {"items": [shown for _, shown in items[:limit]]}
    if len(items) > limit:
        answer["position"] = engine.tokens.encode(request.operation, bound, items[limit - 1][0])
    return answer
