"""How well a colour is read on another one: the contrast ratio of WCAG 2.2, and where a theme falls below what is asked of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from textual.color import Color

ENOUGH = 4.5
"""The least contrast of text on its background: WCAG 2.2, success criterion 1.4.3 (level AA)."""
HIGH = 7.0
"""The same of level AAA (1.4.6): what the high-contrast themes keep."""

INKS = ("foreground", "dim", "primary", "secondary", "accent", "success", "warning", "error")
GROUNDS = ("background", "surface", "panel", "cursor-line")
"""What text is written on: the page, the lines around it, dialogs, the row under the cursor."""
REVERSED = ("primary", "success", "warning")
"""What is a ground itself, with the page's colour as its ink: badges, matches."""


def ratio(one: Color, other: Color) -> float:
    """The contrast of two opaque colours, 1 to 21: (L1 + 0.05) / (L2 + 0.05) with the relative luminance L of WCAG 2.2."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: Color) -> float:
    """The relative luminance of an sRGB colour, 0 to 1."""

    def linear(value: int) -> float:
        part = value / 255
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(color.r) + 0.7152 * linear(color.g) + 0.0722 * linear(color.b)


def pairs(colors: Mapping[str, str]) -> Iterator[tuple[str, str, float]]:
    """(ink, ground, contrast) of every text that a theme with these colours shows. The terminal's own colours have no figure."""
    known = {
        name: Color.parse(text) for name, text in colors.items() if text and not text.startswith("ansi_")
    }
    for ink in INKS:
        for ground in GROUNDS:
            if ink in known and ground in known:
                yield ink, ground, ratio(known[ink], known[ground])
    for ground in REVERSED:
        if ground in known and "background" in known:
            yield "background", ground, ratio(known["background"], known[ground])
