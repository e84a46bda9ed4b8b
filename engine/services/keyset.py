"""Pages of collections that are sorted by a key of their own: a token holds the key of the last item shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from engine.context import Engine


class Refusal(NamedTuple):
    """The error for a token of another list."""

    code: str
    message: str


def page(
    engine: Engine,
    operation: str,
    bound: Mapping[str, Any],
    items: Sequence[tuple[str, dict[str, Any]]],
    limit: int,
    token: str | None,
    refusal: Refusal,
) -> tuple[list[dict[str, Any]], str | None]:
    """The items of one page of ``(key, answer)`` pairs in order of their keys, and the token of the next page.

    Args:
        bound: The parameters that a token is good for.

    Raises:
        ServiceError: ``refusal``: the token is not one of this list.
    """
    items = sorted(items, key=lambda item: item[0])
    if token:
        after = engine.tokens.decode(operation, bound, token, code=refusal.code, message=refusal.message)
        items = [item for item in items if item[0] > after]
    shown = [answer for _, answer in items[:limit]]
    return shown, engine.tokens.encode(operation, bound, items[limit - 1][0]) if len(items) > limit else None
