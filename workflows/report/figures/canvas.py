"""The paper of a figure: SVG elements, axes and legends."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from workflows.report.figures.scales import Scale

WIDTH = 720
HEIGHT = 360
CHARACTER = 7.0
"""Width of a character of a label, about: fonts are not measured."""
LINE = 18
"""Height of a line of a legend."""
SERIES = 8
"""Series that have a colour, a dash and a mark of their own; further ones begin again."""
DASHES = ("", "7 3", "2 3", "9 3 2 3", "12 4", "4 2 1 2", "1 4", "6 6")


class Canvas:
    """An SVG drawing. Places are in its own unit: one pixel at its natural width.

    ``left``, ``right``, ``top`` and ``bottom`` are the edges of the plot itself.
    """

    def __init__(
        self, *, left: float, bottom: float, top: float = 12, right: float = 16, height: float = HEIGHT
    ) -> None:
        self.left, self.right = left, WIDTH - right
        self.top, self.bottom = top, height - bottom
        self.height = height
        self.root = Element("svg", {"viewBox": f"0 0 {WIDTH} {height:g}", "role": "img", "class": "plot"})

    def describe(self, identifier: str, title: str, text: str) -> None:
        """What readers of screens get."""
        self.root.set("aria-labelledby", f"{identifier}-t {identifier}-d")
        for place, (name, content) in enumerate((("title", title), ("desc", text))):
            made = Element(name, {"id": f"{identifier}-{name[0]}"})
            made.text = content
            self.root.insert(place, made)

    def add(self, name: str, /, **attributes: object) -> Element:
        """One element; ``class_`` and names with underscores are written as SVG has them."""
        return SubElement(self.root, name, _written(attributes))

    def hint(self, element: Element, text: str) -> None:
        """What is shown when the mouse rests on an element."""
        SubElement(element, "title").text = text

    def text(self, x: float, y: float, text: str, anchor: str = "start", **attributes: object) -> None:
        """A line of text."""
        self.add("text", x=x, y=y, text_anchor=anchor, **attributes).text = text

    def axes(
        self, x: Scale, y: Scale, x_label: str, y_label: str, *, slanted: bool = False, grid: str = "y"
    ) -> None:
        """Grid, ticks and labels."""
        for tick in y.ticks:
            if "y" in grid:
                self.add("path", class_="grid", d=f"M{self.left:.1f} {tick.at:.1f}H{self.right:.1f}")
            self.text(self.left - 8, tick.at + 4, tick.text, "end")
        last = -1e9
        for tick in x.ticks:
            if "x" in grid:
                self.add("path", class_="grid", d=f"M{tick.at:.1f} {self.top:.1f}V{self.bottom:.1f}")
            else:
                self.add("path", class_="axis", d=f"M{tick.at:.1f} {self.bottom:.1f}v4")
            width = len(tick.text) * CHARACTER
            if slanted:
                turned = f"rotate(-40 {tick.at:.1f} {self.bottom + 14:.1f})"
                self.text(tick.at, self.bottom + 14, tick.text, "end", transform=turned)
            elif tick.at - width / 2 > last + 4:
                middle = min(tick.at, WIDTH - width / 2)
                self.text(middle, self.bottom + 17, tick.text, "middle")
                last = middle + width / 2
        self.add("path", class_="axis", d=f"M{self.left:.1f} {self.bottom:.1f}H{self.right:.1f}")
        if x_label:
            self.text((self.left + self.right) / 2, self.height - 6, x_label, "middle", class_="label")
        if y_label:
            middle = (self.top + self.bottom) / 2
            self.text(13, middle, y_label, "middle", class_="label", transform=f"rotate(-90 13 {middle:.1f})")

    def legend(self, entries: Sequence[tuple[str, str, int]], plain: int = 0) -> None:
        """Names with their marks above the plot. An entry is (name, line, mark, bar or band, number of the series); series ``plain``
        has the line that is not broken."""
        x, y, bands = self.left, 14.0, 0
        for name, form, number in entries:
            width = 44 + len(name) * CHARACTER
            if x + width > self.right and x > self.left:
                x, y = self.left, y + LINE
            kind = f"s{number % SERIES}"
            if form == "line":
                self.add(
                    "path", class_=f"line {kind}", d=f"M{x:.1f} {y - 4:.1f}h22", **dashed(number - plain)
                )
            elif form == "mark":
                self.add("path", class_=f"mark {kind}", d=mark(x + 11, y - 4, number, 4.5))
            else:
                bands += form == "band"
                for _ in range(max(1, bands)):  # bands lie upon each other: an inner one is darker
                    self.add("rect", class_=f"{form} {kind}", x=x + 2, y=y - 10, width=18, height=11)
            self.text(x + 27, y, name)
            x += width

    def __str__(self) -> str:
        return tostring(self.root, encoding="unicode")


def legend_height(names: Sequence[str], left: float) -> float:
    """The height that a legend of these names takes."""
    if not names:
        return 0.0
    rows, x = 1, left
    for name in names:
        width = 44 + len(name) * CHARACTER
        if x + width > WIDTH - 16 and x > left:
            rows, x = rows + 1, left
        x += width
    return rows * LINE + 4


def dashed(number: int) -> dict[str, object]:
    """How a series' line is broken: series are told apart without colour."""
    dash = DASHES[number % len(DASHES)]
    return {"stroke_dasharray": dash} if dash else {}


def mark(x: float, y: float, number: int, size: float = 3.4) -> str:
    """The path of a series' mark: disc, square, triangle, diamond, cross, ring-like others."""
    r = size
    match number % SERIES:
        case 0:
            return f"M{x - r:.1f} {y:.1f}a{r} {r} 0 1 0 {2 * r:g} 0a{r} {r} 0 1 0 {-2 * r:g} 0z"
        case 1:
            return f"M{x - r:.1f} {y - r:.1f}h{2 * r:g}v{2 * r:g}h{-2 * r:g}z"
        case 2:
            return f"M{x:.1f} {y - 1.2 * r:.1f}l{1.2 * r:.2f} {2.2 * r:.2f}h{-2.4 * r:.2f}z"
        case 3:
            return f"M{x:.1f} {y - 1.3 * r:.1f}l{1.3 * r:.2f} {1.3 * r:.2f}l{-1.3 * r:.2f} {1.3 * r:.2f}l{-1.3 * r:.2f} {-1.3 * r:.2f}z"
        case 4:
            a = 0.4 * r
            return (
                f"M{x - a:.1f} {y - r:.1f}h{2 * a:.2f}v{r - a:.2f}h{r - a:.2f}v{2 * a:.2f}h{a - r:.2f}v{r - a:.2f}h{-2 * a:.2f}v{a - r:.2f}"
                f"h{a - r:.2f}v{-2 * a:.2f}h{r - a:.2f}z"
            )
        case 5:
            return f"M{x:.1f} {y + 1.2 * r:.1f}l{1.2 * r:.2f} {-2.2 * r:.2f}h{-2.4 * r:.2f}z"
        case 6:
            return f"M{x - r:.1f} {y - 0.5 * r:.1f}h{2 * r:g}v{r:g}h{-2 * r:g}z"
    return f"M{x - 0.5 * r:.1f} {y - r:.1f}h{r:g}v{2 * r:g}h{-r:g}z"


def _written(attributes: dict[str, object]) -> dict[str, str]:
    return {
        name.rstrip("_").replace("_", "-"): f"{value:.1f}" if isinstance(value, float) else str(value)
        for name, value in attributes.items()
    }
