"""What a person can do with charts of metrics: the axis, the scale, and which one comes first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

One = TypeVar("One")


class InTurn:
    """For a screen whose charts do not all find room: each can come first. It draws them in `draw_charts`."""

    _first_chart = 0

    def draw_charts(self, *, at_once: bool = False) -> None:
        """Draw them; ``at_once`` for what a key has asked for."""
        raise NotImplementedError

    def in_turn(self, drawn: Sequence[One]) -> list[One]:
        """The charts, beginning with the one that was asked for."""
        first = self._first_chart % len(drawn) if drawn else 0
        return [*drawn[first:], *drawn[:first]]

    def action_next_chart(self) -> None:
        self._first_chart += 1
        self.draw_charts(at_once=True)

    def action_previous_chart(self) -> None:
        self._first_chart -= 1
        self.draw_charts(at_once=True)


class Charting(InTurn):
    """For a screen that draws metrics of training jobs, over epochs or over time."""

    _by_time = False
    _log_scale = False

    def action_axis(self) -> None:
        self._by_time = not self._by_time
        self.draw_charts(at_once=True)

    def action_scale(self) -> None:
        self._log_scale = not self._log_scale
        self.draw_charts(at_once=True)
