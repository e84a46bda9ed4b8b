"""The console on the aws target through Textual's Pilot, with its real services: what stands on the screen, and waiting for it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from textual.pilot import Pilot

from console.app import Console, make_app
from console.live import LiveServices
from tests.console.conftest import until
from workflows.configuration import load

SIZE = (140, 44)


@dataclass(frozen=True, slots=True)
class Seen:
    """An open console. ``app.crash`` is checked at each look: no screen may have died unseen."""

    app: Console
    pilot: Pilot[Any]

    @property
    def text(self) -> str:
        """All lines of the screen as a person reads them, with one space where there are several."""
        assert self.app.crash is None
        lines = self.app.screen._compositor.render_strips()
        return "\n".join(" ".join(line.text.split()) for line in lines)

    @property
    def flat(self) -> str:
        """The screen as one line: a sentence may be broken anywhere."""
        return " ".join(self.text.split())

    async def until(self, *texts: str) -> None:
        """Wait until all of these stand on the screen."""
        try:
            await until(self.pilot, lambda: all(text in self.flat for text in texts), " and ".join(texts))
        except AssertionError as error:
            raise AssertionError(f"{error}; the screen shows:\n{self.text}") from None

    async def type(self, text: str) -> None:
        """Type a text, key by key."""
        await self.pilot.press(*(key if key.isalnum() else _KEYS[key] for key in text))


_KEYS = {"-": "minus", " ": "space", "/": "slash"}


@contextlib.asynccontextmanager
async def console(*, read_only: bool = False) -> AsyncIterator[Seen]:
    """The console on the target that the environment names, until the block ends."""
    services = LiveServices(load(), read_only=read_only)
    app = make_app(services, theme_name="mlconsole-dark")
    try:
        async with app.run_test(size=SIZE) as pilot:
            yield Seen(app, pilot)
    finally:
        services.close()
    assert app.crash is None
