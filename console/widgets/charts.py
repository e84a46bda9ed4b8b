"""As many line charts as there are metrics, side by side where there is room."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from console.widgets import drawing
from console.widgets.axis import short
from console.widgets.drawing import Lines, Series
from console.widgets.plot import Plot

LEAST_WIDTH, LEAST_HEIGHT = 36, 7
Titled = Sequence[tuple[str, tuple[Series, ...]]]


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

    def on_mount(self) -> None:
        self.show_charts([])

    def show_charts(
        self, charts: Titled, *, x_label: str = "", x_format: Callable[[float], str] | None = None
    ) -> None:
        """Show these charts."""
        empty = self._empty

        def draw(width: int, height: int) -> Lines:
            if not charts:
                return [[], [("  " + empty[: width - 2], "dim")]]
            return grid(charts, width, height, x_label=x_label, x_format=x_format)

        self.show(tuple(charts), draw)


def grid(
    charts: Titled,
    width: int,
    height: int,
    *,
    x_label: str = "",
    x_format: Callable[[float], str] | None = None,
) -> Lines:
    """Charts in rows and columns; those that find no room are counted in the last line."""
    columns, rows = arrangement(len(charts), width, height)
    shown = list(charts)[: columns * rows]
    left_out = len(charts) - len(shown)
    height -= 1 if left_out else 0
    each_width, each_height = width // columns, max(4, height // rows)
    lines: Lines = []
    for first in range(0, len(shown), columns):
        drawn = [
            drawing.chart(
                series,
                each_width - 2,
                each_height,
                title=title,
                x_label=x_label,
                x_format=x_format or short,
            )
            for title, series in shown[first : first + columns]
        ]
        for parts in zip(*drawn, strict=True):
            line: list[drawing.Run] = []
            for part in parts:
                used = sum(len(text) for text, _ in part)
                line += [*part, (" " * max(0, each_width - used), "")]
            lines.append(line)
    if left_out:
        lines.append([(f"{left_out} more: enlarge the terminal", "dim")])
    return lines
