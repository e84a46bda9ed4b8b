"""Colours of values: two ramps whose lightness only rises, so that they hold in grey and in every kind of colour blindness."""

from __future__ import annotations

from functools import cache

LEVELS = 11
"""Colours between the least and the greatest value."""
RAMPS = {
    # Cividis (Nuñez, Anderton and Renslow 2018), without its darkest end.
    "q": ("#0b2c5f", "#575d6d", "#7c7b78", "#b4a86f", "#fee838"),
    # Away from a middle: blue, grey, sand.
    "d": ("#6d9bd6", "#9fbade", "#d0d3d6", "#ebdcb0", "#ffeaa6"),
}
"""By kind: ``q`` from little to much, ``d`` away from a middle."""


@cache
def colours(kind: str) -> tuple[str, ...]:
    """The ramp's colours, from the least value to the greatest."""
    stops = [_channels(stop) for stop in RAMPS[kind]]
    found = []
    for step in range(LEVELS):
        place = step / (LEVELS - 1) * (len(stops) - 1)
        index = min(int(place), len(stops) - 2)
        part = place - index
        mixed = [round(a + part * (b - a)) for a, b in zip(stops[index], stops[index + 1], strict=True)]
        found.append("#" + "".join(f"{channel:02x}" for channel in mixed))
    return tuple(found)


def is_dark(kind: str, step: int) -> bool:
    """Whether white text is read better upon a colour than black: by the contrast ratio of WCAG 2."""
    light = luminance(colours(kind)[step])
    return 1.05 / (light + 0.05) > (light + 0.05) / 0.05


def luminance(colour: str) -> float:
    """The relative luminance of a colour ``#rrggbb``, 0 to 1 (WCAG 2)."""
    linear = [
        value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4
        for value in (channel / 255 for channel in _channels(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def style() -> str:
    """The ramps as rules of a style sheet."""
    return "\n".join(
        f".plot .{kind}{step} {{ fill: {colour}; }}"
        for kind in RAMPS
        for step, colour in enumerate(colours(kind))
    )


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
