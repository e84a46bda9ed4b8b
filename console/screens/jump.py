"""Jump mode: the screen as it is, with letters over what can be gone to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.geometry import Offset
from textual.screen import ModalScreen, Screen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from console import actions
from console.jumping import Target, hints
from console.theme import Painted
from console.widgets.select import Choice

if TYPE_CHECKING:
    from console.app import Console


class _Picture(Painted):
    """The picture of a screen with hints over it."""

    def __init__(self, strips: list[Strip], places: dict[str, Offset]) -> None:
        super().__init__()
        self._strips, self._places = strips, places
        self.typed = ""

    def render_line(self, y: int) -> Strip:
        strip = self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)
        here = sorted(
            (place.x, hint)
            for hint, place in self._places.items()
            if place.y == y and hint.startswith(self.typed)
        )
        for x, hint in here:
            left = hint[len(self.typed) :]
            label = Strip([Segment(left, self.rich_style + self.paint("match") + self.paint("strong"))])
            strip = Strip.join([strip.crop(0, x), label, strip.crop(x + len(left), strip.cell_length)])
        return strip.adjust_cell_length(self.size.width)


class JumpScreen(ModalScreen[Callable[[], object] | None], inherit_bindings=False):
    """Dismissed with what going to the chosen target does."""

    BINDINGS: ClassVar[list[BindingType]] = list(actions.bindings("jump"))
    place = "jump"

    def __init__(self, below: Screen[Any]) -> None:
        super().__init__()
        found = list(targets(below))
        self._targets = dict(zip(hints(len(found)), found, strict=True))
        places = {hint: place for hint, (place, _) in self._targets.items()}
        self._picture = _Picture(below._compositor.render_strips(), places)
        self._drawn_for = below.size

    def compose(self) -> Iterable[Widget]:
        yield self._picture

    def on_key(self, event: events.Key) -> None:
        letter = event.character or ""
        if not letter.isalpha():
            return
        event.stop()
        typed = self._picture.typed + letter.lower()
        if typed in self._targets:
            self.dismiss(self._targets[typed][1])
        elif any(hint.startswith(typed) for hint in self._targets):
            self._picture.typed = typed
            self._picture.refresh()
        else:
            self.dismiss(None)

    def action_leave(self) -> None:
        self.dismiss(None)

    def on_resize(self, event: events.Resize) -> None:
        # The letters would stand elsewhere than what they mean. A window that is dragged tells of several sizes: it is left once.
        if event.size != self._drawn_for and self.is_current:
            self.dismiss(None)


def targets(screen: Screen[Any]) -> Iterator[tuple[Offset, Callable[[], object]]]:
    """(where its letters stand, what going there does) for everything in sight, from top to bottom."""
    found: list[tuple[Offset, Callable[[], object]]] = []
    for widget in screen.walk_children(Widget):
        if not widget.display or not widget.is_on_screen or not widget.size:
            continue
        region = widget.content_region
        own: Callable[[], Iterable[Target]] | None = getattr(widget, "jump_targets", None)
        if own is not None:
            found += [(region.offset + Offset(target.x, target.y), target.go) for target in own()]
        elif isinstance(widget, Input | Choice) and widget.focusable:
            found.append((region.offset, widget.focus))
    inside = screen.size.region
    yield from sorted(
        (entry for entry in found if inside.contains_point(entry[0])),
        key=lambda entry: (entry[0].y, entry[0].x),
    )


async def jump(console: Console) -> None:
    """Show the letters over what is on the screen, and go where one of them says."""

    def chosen(go: Callable[[], object] | None) -> None:
        if go is not None:
            console.call_later(go)

    console.push_screen(JumpScreen(console.screen), chosen)
