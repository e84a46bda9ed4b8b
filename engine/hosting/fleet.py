"""Endpoints: worker processes per production variant."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.context import Engine


class Hosting:
    """Creates, serves, restores and deletes endpoints."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def reset(self) -> None: ...
