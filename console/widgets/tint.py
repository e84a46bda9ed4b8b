"""Colours of the cells of a figure: mixed from two, with an ink that can be read on them."""

from __future__ import annotations

import math
from typing import Literal

Ground = Literal["", "dark", "light"]
"""What a figure is drawn on; empty: a terminal with a palette of its own, on which no colour of ours may be relied on."""

LOW, HIGH = "#2f6fbf", "#d98a3d"
"""The two ends of a field and of a heat map: told apart in the common kinds of colour blindness."""
NEUTRAL = {"dark": "#262d36", "light": "#eceff2"}
STEPS = 16
"""So many colours between two ends: neighbours share one, and a line of cells stays short."""


def mix(low: str, high: str, part: float) -> str:
    """The colour ``part`` of the way from one ``#rrggbb`` to another; half way for what is no number."""
    part = round(min(1.0, max(0.0, part if math.isfinite(part) else 0.5)) * STEPS) / STEPS
    return "#" + "".join(
        f"{round(one + (other - one) * part):02x}"
        for one, other in zip(_channels(low), _channels(high), strict=True)
    )


def ink(ground: str) -> str:
    """Black or white, whichever has the larger contrast to a ground (WCAG 2 relative luminance)."""
    red, green, blue = (_linear(channel / 255) for channel in _channels(ground))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#000000" if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else "#ffffff"


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))


def _linear(channel: float) -> float:
    return float(channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4)
