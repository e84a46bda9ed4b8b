"""As many line charts as there are metrics, side by side where there is room."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

from rich.cells import cell_len

from console.widgets import drawing
from console.widgets.axis import Scale, short
from console.widgets.canvas import exactly
from console.widgets.drawing import Lines, Series
from console.widgets.plot import Plot

LEAST_WIDTH, LEAST_HEIGHT = 36, 7
ENLARGE = "enlarge the terminal"
Titled = Sequence[tuple[str, tuple[Series, ...]]]
_chart = lru_cache(maxsize=64)(drawing.chart)
"""A chart takes milliseconds and is asked for again at every look at a screen: with the same points and the same room it is there."""


def arrangement(number: int, width: int, height: int) -> tuple[int, int]:
    """Columns and rows for a number of charts: never smaller than can be read."""
    most_columns = max(1, width // LEAST_WIDTH)
    most_rows = max(1, height // LEAST_HEIGHT)
    best = (1, 1)
    for columns in range(1, most_columns + 1):
        rows = min(most_rows, -(-number // columns))
        shown = min(number, columns * rows)
        before = min(number, best[0] * best[1])
        if shown > before or (
            shown == before
            and abs(width / columns / (height / rows) - 4) < abs(width / best[0] / (height / best[1]) - 4)
        ):
            best = (columns, rows)
    return best


class ChartGrid(Plot):
    """All charts in one widget: one repaint rate, one comparison of lines."""

    def __init__(self, *, id: str | None = None, empty: str = "No metric yet.") -> None:
        super().__init__(id=id)
        self._empty = empty
        self.filled = False
        """Whether there is a chart."""

    def on_mount(self) -> None:
        self.show_charts([])

    def say_when_empty(self, text: str) -> None:
        """What stands there as long as there is no chart."""
        if text != self._empty:
            self._empty = text
            if not self.filled:
                self.show_charts([], at_once=True)

    def show_charts(
        self,
        charts: Titled,
        *,
        x_label: str = "",
        x_format: Callable[[float], str] | None = None,
        scale: Scale = "linear",
        more: str = ENLARGE,
        at_once: bool = False,
    ) -> None:
        """Show these charts; ``more`` says how to see those that find no room. The first ones come at once."""
        empty = self._empty
        at_once = at_once or (bool(charts) and not self.filled)
        self.filled = bool(charts)

        def draw(width: int, height: int) -> Lines:
            if not charts:
                pieces = textwrap.wrap(empty, max(1, width - 4), break_on_hyphens=False)
                return exactly([[], *([(f"  {piece}", "dim")] for piece in pieces)], height)
            return grid(charts, width, height, x_label=x_label, x_format=x_format, scale=scale, more=more)

        self.show((tuple(charts), x_label, scale, empty, more), draw, at_once=at_once)


def grid(
    charts: Titled,
    width: int,
    height: int,
    *,
    x_label: str = "",
    x_format: Callable[[float], str] | None = None,
    scale: Scale = "linear",
    more: str = ENLARGE,
) -> Lines:
    """Charts in rows and columns; those that find no room are counted in the last line."""
    columns, rows = arrangement(len(charts), width, height)
    shown = list(charts)[: columns * rows]
    left_out = len(charts) - len(shown)
    height -= 1 if left_out else 0
    drawn = [
        partial(_chart, series, title=title, x_label=x_label, x_format=x_format or short, scale=scale)
        for title, series in shown
    ]
    lines = tiles(drawn, width, height, columns, rows)
    if left_out:
        lines.append([(f"{left_out} more: {more}", "dim")])
    return lines


def tiles(
    drawn: Sequence[Callable[[int, int], Lines]], width: int, height: int, columns: int, rows: int
) -> Lines:
    """Drawings side by side and below each other; each is called with the room it gets."""
    each_width, each_height = width // columns, max(4, height // rows)
    lines: Lines = []
    for first in range(0, len(drawn), columns):
        row = [draw(each_width - 2, each_height) for draw in drawn[first : first + columns]]
        for parts in zip(*row, strict=True):
            line: list[drawing.Run] = []
            for part in parts:
                used = sum(cell_len(text) for text, _ in part)
                line += [*part, (" " * max(0, each_width - used), "")]
            lines.append(line)
    return lines
