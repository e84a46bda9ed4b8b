"""Training jobs from Pending to their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.context import Engine


class Supervisor:
    """Queues, starts, watches, stops and re-adopts jobs."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def reset(self) -> None: ...
