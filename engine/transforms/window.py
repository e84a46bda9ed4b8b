"""How much may be under way at once, by number and by bytes."""

from __future__ import annotations

import asyncio
from collections import deque


class Window:
    """Lets in what there is room for, in the order it came; something larger than all the room goes alone.

    Args:
        slots: How many may be inside.
        room: Bytes that may be inside.
    """

    def __init__(self, slots: int, room: int) -> None:
        self.slots = slots
        self.room = room
        self.inside = 0
        self.held = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def enter(self, size: int) -> None:
        """Wait until there is room."""
        if not self._waiting and self._fits(size):
            self._admit(size)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, future))
        await future

    def leave(self, size: int) -> None:
        """Make room again."""
        self.inside -= 1
        self.held -= size
        while self._waiting and self._fits(self._waiting[0][0]):
            following, future = self._waiting.popleft()
            if not future.cancelled():
                self._admit(following)
                future.set_result(None)

    def _fits(self, size: int) -> bool:
        return self.inside == 0 or (self.inside < self.slots and self.held + size <= self.room)

    def _admit(self, size: int) -> None:
        self.inside += 1
        self.held += size
