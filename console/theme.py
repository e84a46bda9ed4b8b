"""Themes, and the roles that colours play: a widget asks for a role, the theme says how it looks."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, ClassVar, TypeVar, cast
from weakref import WeakKeyDictionary

from rich.style import Style
from textual.cache import LRUCache
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode
from textual.filter import Monochrome, NoColor
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.theme import BUILTIN_THEMES, Theme
from textual.widget import Widget

from console.keyorder import InOrder
from console.widgets.tint import Ground

Answer = TypeVar("Answer")
ROLES = (
    "ok", "bad", "live", "wait", "idle", "dim", "faint", "strong", "accent", "head", "cursor", "cursor-blurred", "changed", "match", "key", "here", "badge", "badge-aws",
    "series-1", "series-2", "series-3", "series-4", "series-5", "series-6",
)  # fmt: skip

DARK = Theme(
    name="mlconsole-dark",
    primary="#6cb6ff",
    secondary="#8ddb8c",
    accent="#f69d50",
    warning="#e3b341",
    error="#ff7b72",
    success="#6bc46d",
    foreground="#d1d7e0",
    background="#12161c",
    surface="#181d25",
    panel="#212830",
    dark=True,
    variables={
        "dim": "#97a2b0",
        "cursor-line": "#203954",
        "faint": "#2b333d",
        "fifth": "#d2a8ff",
        "sixth": "#56d4dd",
        "input-cursor-text-style": "reverse",
    },
)

LIGHT = Theme(
    name="mlconsole-light",
    primary="#0757ba",
    secondary="#0f6e2e",
    accent="#a63d00",
    warning="#8a5700",
    error="#bc1320",
    success="#0f6e2e",
    foreground="#20262e",
    background="#fbfcfd",
    surface="#f1f3f6",
    panel="#e3e7ec",
    dark=False,
    variables={
        "dim": "#5b6571",
        "cursor-line": "#d5e6fc",
        "faint": "#ccd3db",
        "fifth": "#6f42c1",
        "sixth": "#00697a",
        "input-cursor-text-style": "reverse",
    },
)

CONTRAST = Theme(
    name="mlconsole-contrast",
    primary="#8fd0ff",
    secondary="#8dff8c",
    accent="#ffb870",
    warning="#ffd75f",
    error="#ffa198",
    success="#7ee787",
    foreground="#ffffff",
    background="#000000",
    surface="#0a0a0a",
    panel="#1a1a1a",
    dark=True,
    variables={
        "dim": "#d0d0d0",
        "cursor-line": "#002a4e",
        "faint": "#6e6e6e",
        "fifth": "#e2c5ff",
        "sixth": "#7fe9f0",
        "input-cursor-text-style": "reverse",
    },
)

CONTRAST_LIGHT = Theme(
    name="mlconsole-contrast-light",
    primary="#003f8f",
    secondary="#00491a",
    accent="#722b00",
    warning="#5c3a00",
    error="#8a0010",
    success="#00491a",
    foreground="#000000",
    background="#ffffff",
    surface="#f4f4f4",
    panel="#e8e8e8",
    dark=False,
    variables={
        "dim": "#333333",
        "cursor-line": "#cfe4ff",
        "faint": "#8a8a8a",
        "fifth": "#4a1d96",
        "sixth": "#00454f",
        "input-cursor-text-style": "reverse",
    },
)

PLAIN = replace(
    BUILTIN_THEMES["ansi-dark"],
    name="mlconsole-plain",
    primary="ansi_default",
    secondary="ansi_default",
    accent="ansi_default",
    warning="ansi_default",
    error="ansi_default",
    success="ansi_default",
    variables=dict.fromkeys(BUILTIN_THEMES["ansi-dark"].variables, "ansi_default")
    | {"fifth": "ansi_default", "sixth": "ansi_default", "input-cursor-text-style": "reverse"},
)
"""No colours at all: bold, dim, underlined and reversed text only. What NO_COLOR begins with."""

VARIABLES = {
    "dim": "ansi_default",
    "cursor-line": "ansi_default",
    "faint": "ansi_default",
    "fifth": "ansi_cyan",
    "sixth": "ansi_red",
}
"""Our variables in themes that do not set them: the terminal's own colours."""

OWN = (DARK, LIGHT, CONTRAST, CONTRAST_LIGHT, PLAIN)
SHIPPED: dict[str, Theme] = {theme.name.removeprefix("mlconsole-"): theme for theme in OWN} | {
    name: BUILTIN_THEMES[name] for name in ("ansi-dark", "ansi-light")
}
"""The themes that come with mlconsole, by the names that people use."""
NAMES = tuple(theme.name for theme in SHIPPED.values())


def light_terminal(environment: Mapping[str, str]) -> bool:
    """Whether the terminal says, through COLORFGBG, that its background is light."""
    background = environment.get("COLORFGBG", "").rpartition(";")[2]
    return background in {"7", "15"}


def default(environment: Mapping[str, str] = os.environ, *, slow: bool = False) -> str:
    """The theme to start with.

    ``MLCONSOLE_THEME`` decides, then NO_COLOR. Over SSH and on ``slow`` lines it is an ANSI theme, which follows the palette of the person's terminal and
    needs half the bytes; elsewhere our own dark or light theme.
    """
    wanted = environment.get("MLCONSOLE_THEME", "")
    if wanted in NAMES:
        return wanted
    if wanted in SHIPPED:
        return SHIPPED[wanted].name
    if environment.get("NO_COLOR"):
        return PLAIN.name
    light = light_terminal(environment)
    if slow or environment.get("SSH_CONNECTION"):
        return "ansi-light" if light else "ansi-dark"
    return LIGHT.name if light else DARK.name


@lru_cache(maxsize=256)
def _colours(role: str) -> Style:
    ink, _, ground = role.partition("/")
    return Style(color=ink, bgcolor=ground or None)


@lru_cache(maxsize=4)
def _parsed(variables: frozenset[tuple[str, str]]) -> LRUCache[Any, Any]:
    """The rules that were parsed with these variables, by their source: another console in this process and a theme that comes back have them."""
    return LRUCache(128)


class Sheet(Stylesheet):
    """Rules that are parsed once for a theme."""

    def __init__(self, *, variables: dict[str, str] | None = None) -> None:
        super().__init__(variables=variables)
        self._parse_cache = _parsed(frozenset(self._variables.items()))

    def set_variables(self, variables: dict[str, str]) -> None:
        self._parse_cache = LRUCache(1)  # this one is emptied by Textual
        super().set_variables(variables)
        self._parse_cache = _parsed(frozenset(variables.items()))

    def reparse(self) -> None:
        """Parse with other variables. Textual does that in a sheet of its own, in case of errors, and then once more in this
        one: 14 of the 380 ms of a start. Rules that are broken leave those before as they are here, too.
        """
        self.parse()


class Palette(InOrder[Answer]):
    """An application that knows how the roles look in its theme, for all of its widgets.

    Were they component classes of each widget, Textual would work every role out again for every widget whenever a class changes.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"paint--{role}" for role in ROLES}

    def __init__(self) -> None:
        self._paints: dict[str, Style] = {}
        self.colouring = 0
        """Grows each time the roles may have got another look."""
        self._looks: WeakKeyDictionary[Screen[Any], Hashable] = WeakKeyDictionary()
        super().__init__()
        self.stylesheet = Sheet(variables=self.get_css_variables())
        self._filters = [one for one in self._filters if not isinstance(one, Monochrome | NoColor)]
        self._grey, self._colourless = Monochrome(), NoColor()
        self._filters += [self._grey, self._colourless]
        self._filter_colours()

    def _filter_colours(self) -> None:
        """Without colours in the plain theme; in greys where NO_COLOR is set and another theme was asked for all the same."""
        plain = self.theme == PLAIN.name
        self._colourless.enabled = plain or (self.no_color and self.current_theme.ansi)
        self._grey.enabled = self.no_color and not self._colourless.enabled

    def _watch_theme(self, theme_name: str) -> None:
        self._filter_colours()
        super()._watch_theme(theme_name)

    def update_styles(self, node: DOMNode, animate: bool = True) -> None:
        """Style a node and all below it anew, unless that can change nothing.

        Textual does it at once and for the whole tree, at half a millisecond a widget: twice for each screen that comes into sight, though it
        looks as it was left, and for each class of a widget that is not mounted yet, though mounting styles it anyway.
        """
        if isinstance(node, Screen):
            own, whole = node._pseudo_classes_cache_key, self._pseudo_classes_cache_key
            look = (self.colouring, self.classes, node.classes, whole, own)
            if self._looks.get(node) == look:
                return
            self._looks[node] = look
        elif not node.is_attached:
            return
        super().update_styles(node, animate)

    def notify_style_update(self) -> None:
        self._paints.clear()
        self.colouring += 1
        super().notify_style_update()

    @property
    def ground(self) -> Ground:
        """What figures are drawn on; empty where the colours are the terminal's own, or there are none."""
        if self.no_color or self.theme in (PLAIN.name, "ansi-dark", "ansi-light"):
            return ""
        return "dark" if self.current_theme.dark else "light"

    def paint(self, role: str) -> Style:
        """The style of one of the roles."""
        style = self._paints.get(role)
        if style is None:
            style = self._paints[role] = self.get_component_styles(f"paint--{role}").partial_rich_style
        return style


class Painted(Widget):
    """A widget that draws its own lines with the roles of the theme of a `Palette`."""

    _colouring = 0
    _ground: Style | None = None
    _drawing = False
    _drawn: tuple[Region, list[Strip]] | None = None

    def notify_style_update(self) -> None:
        super().notify_style_update()
        now = cast(Palette[Any], self.app).colouring
        if (
            now != self._colouring
        ):  # a class of the screen that comes or goes styles it anew and changes nothing on it
            self._colouring = now
            self.recoloured()

    @property
    def rich_style(self) -> Style:
        if not self._drawing:
            return super().rich_style
        if self._ground is None:  # once for all lines: it is put together from all that is around the widget
            self._ground = super().rich_style
        return self._ground

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of a part of the widget, as they are as long as nothing has touched them: a key draws all widgets
        between those that changed, and these are two of eight.
        """
        cache = self._styles_cache
        if self._drawn is not None and self._drawn[0] == crop and cache._cache and not cache._dirty_lines:
            return self._drawn[1]
        self._drawing, self._ground = True, None
        try:
            strips = super().render_lines(crop)
        finally:
            self._drawing = False
        self._drawn = crop, strips
        return strips

    def recoloured(self) -> None:
        """Called when the roles look otherwise than before."""
        self.refresh()

    def paint(self, role: str) -> Style:
        """The style of a role, to be laid over the widget's own style; an empty role changes nothing.

        A role ``#rrggbb/#rrggbb`` is a foreground on a background, for figures.
        """
        if not role:
            return Style.null()
        if role[0] == "#":
            return _colours(role)
        return cast(Palette[Any], self.app).paint(role)
