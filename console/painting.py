"""How the application paints a terminal: only the cells that change, and everything again when somebody else wrote there."""

from __future__ import annotations

from typing import Any

from textual import events
from textual._compositor import ChopsUpdate, LayoutUpdate

from console import theme
from console.cells import Cells, Sparing
from workflows import courtesy


class Painting(theme.Palette[int], inherit_bindings=False):
    """An application that knows what its terminal shows."""

    def __init__(self) -> None:
        super().__init__()
        self._cells = Cells()

    def on_mount(self) -> None:
        """From now on it may be suspended."""
        self.app_resume_signal.subscribe(self, self._resumed)

    def _display(self, screen: Any, renderable: Any) -> None:
        if isinstance(renderable, LayoutUpdate | ChopsUpdate):
            renderable = Sparing(renderable, self._cells)
        super()._display(screen, renderable)
        courtesy.end()

    def on_resize(self, event: events.Resize) -> None:
        """The terminal has another size, or was entered again: what it kept is its own affair."""
        self._cells.forget()

    def _resumed(self, app: object) -> None:
        self.action_repaint()

    def action_repaint(self) -> None:
        """Paint the whole screen anew."""
        self._cells.forget()
        self.screen.refresh()
