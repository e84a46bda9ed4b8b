"""Pages by position and limit, which API Gateway's collections share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.services import keyset

if TYPE_CHECKING:
    from engine.context import Engine
    from engine.http import Request

_PAGE, _LARGEST = 25, 500
_OWN = ("position", "limit")
_REFUSAL = keyset.Refusal("BadRequestException", "Invalid position parameter")


def page(
    engine: Engine, request: Request, params: dict[str, Any], items: Sequence[tuple[str, dict[str, Any]]]
) -> dict[str, Any]:
    """One page of ``(key, answer)`` pairs as a collection's answer.

    Raises:
        ServiceError: ``BadRequestException``: the position is not one of this collection.
    """
    bound = {name: value for name, value in params.items() if name not in _OWN}
    limit = max(1, min(params.get("limit") or _PAGE, _LARGEST))
    shown, position = keyset.page(
        engine, request.operation, bound, items, limit, params.get("position"), _REFUSAL
    )
    return {"items": shown, "position": position}
