"""Figures of runs as inline SVG: axes with round ticks, legends, shapes and dashes that tell series apart without colour.

`draw` takes any `workflows.events.Figure`. Colours are classes of the page's style sheet, so that one drawing serves light, dark
and print.
"""

from __future__ import annotations

from workflows.report.figures.drawing import draw

__all__ = ["draw"]
