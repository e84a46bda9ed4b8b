"""A live log of any length: bounded, followed, searched, wrapped or cut; only visible lines are drawn."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType
from textual.color import Color
from textual.filter import LineFilter
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from console import actions
from console.formatting import count, grouped, width_of
from console.keymap import key
from console.theme import Painted
from console.widgets.logline import (
    WIDTHS,
    Shown,
    Stamps,
    clean,
    gap,
    pieces,
    role_of,
    stamped,
    widest,
)
from console.widgets.page import cut_signs

KEPT = 100_000
"""Lines that are kept; older ones are dropped from the top."""
STRIPS = 500
"""Drawn lines that are kept."""

_drawn = lru_cache(maxsize=128)(pieces)
"""Each row of the screen asks for the pieces of its line: one of a megabyte fills the screen."""


class _Look(NamedTuple):
    """All that a drawn line depends on besides the line."""

    width: int
    start: int
    prefix: int
    stamps: Stamps
    wrapping: bool
    base: Style
    background: Color
    filters: tuple[LineFilter, ...]

    def filtered(self, strip: Strip) -> Strip:
        for one in self.filters:
            strip = strip.apply_filter(one, self.background)
        return strip


class LogView(Painted, ScrollView, can_focus=True, inherit_bindings=False):
    """Lines of a log. It follows the end until a person moves up; `f` or End follows again.

    As many lines are kept as there is room for. While somebody reads further up, lines that would push out others wait below
    until that person comes to the end: a flood does not carry away what is being read.
    """

    BINDINGS: ClassVar[list[BindingType]] = list(actions.bindings("log"))

    @dataclass
    class Changed(Message):
        """Following, wrapping or the search changed: whoever shows that in a line draws it again."""

        log: LogView

        @property
        def control(self) -> LogView:
            return self.log

    @dataclass
    class SearchRequested(Message):
        """The person wants to type something about the log: ``purpose`` is search, filter, since or save."""

        log: LogView
        purpose: str = "search"

        @property
        def control(self) -> LogView:
            return self.log

    def __init__(self, *, kept: int = KEPT, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._entries: deque[Shown] = deque()
        self._kept = kept
        self._dropped = 0
        self._room = max(1, kept // 2)
        self._waiting: deque[Shown] = deque(maxlen=self._room)
        self._unkept = 0
        """Lines that came and went while others were read."""
        self.following = True
        self.wrapping = False
        self.stamps: Stamps = "clock"
        self.term = ""
        self._pattern: re.Pattern[str] | None = None
        self._matches: list[int] = []
        self._match = -1
        self._widest = 0
        """Cells of the widest line without its time."""
        self._starts: list[int] = []
        self._strips: dict[tuple[int, int], Strip] = {}
        """Drawn pieces of lines: a log that scrolls by one has one new line in fifty."""
        self._looked: _Look | None = None

    # Contents

    def __len__(self) -> int:
        return len(self._entries)

    def __bool__(self) -> bool:
        """Keys go to ``focused or screen``: an empty log is one that has the focus."""
        return True

    @property
    def waiting(self) -> int:
        """Lines that have come since and are not shown yet."""
        return len(self._waiting) + self._unkept

    @property
    def first(self) -> int:
        """The number of the first line kept, counted since the log was opened."""
        return self._dropped

    def extend(self, entries: Iterable[Shown]) -> None:
        """Add lines at the end; lines beyond the bound leave at the top, or wait while others are read."""
        added = list(entries)
        if not added:
            return
        if not self.following and (self._waiting or len(self._entries) + len(added) > self._kept):
            self._unkept += max(0, len(self._waiting) + len(added) - self._room)
            self._waiting.extend(added)
            return
        self._add(added)

    def _take_waiting(self) -> None:
        """Show what has come while others were read."""
        waiting: list[Shown] = list(self._waiting)
        unkept = self._unkept
        if not waiting:
            return
        self._waiting.clear()
        self._unkept = 0
        if unkept:
            waiting.insert(0, gap(unkept, waiting[0].time))
        self._add(waiting)

    def _add(self, added: list[Shown]) -> None:
        old_end = self._dropped + len(self._entries)
        top = self.scroll_offset.y
        self._entries.extend(added)
        surplus = max(0, len(self._entries) - self._kept)
        gone = self._row_of(surplus) if surplus and self.wrapping else surplus
        for _ in range(surplus):
            self._entries.popleft()
        self._dropped += surplus
        if surplus:
            self._starts.clear()
            self._matches = [number for number in self._matches if number >= self._dropped]
            self._match = min(self._match, len(self._matches) - 1)
        if self._pattern is not None:
            self._matches += [
                n for n, entry in enumerate(added, old_end) if self._pattern.search(clean(entry))
            ]
        self._widest = widest(added, self._widest)
        self._resize()
        if self.following:
            self._to_end()
            self.call_after_refresh(self._to_end_if_following)
        elif gone:
            self.scroll_to(y=max(0, top - gone), animate=False, force=True, immediate=True)
        self._refresh_from(old_end)

    def clear(self) -> None:
        """Forget all lines."""
        self._entries.clear()
        self._waiting.clear()
        self._strips.clear()
        self._unkept = 0
        self._starts.clear()
        self._matches.clear()
        self._dropped, self._widest, self._match = 0, 0, -1
        self._resize()
        self.refresh()

    @property
    def entries(self) -> tuple[Shown, ...]:
        """All kept lines with their times, as they came: `clean` before they are shown or written."""
        return tuple(self._entries)

    @property
    def text(self) -> str:
        """All kept lines."""
        return "\n".join(map(clean, self._entries))

    @property
    def summary(self) -> str:
        """How many lines, whether it follows, and the search: for a status line."""
        lines = count(len(self._entries), "line")
        if self._dropped:
            lines = f"last {lines}"
        parts = [lines, "following" if self.following else f"not following ({key('log.follow')} follows)"]
        if self.waiting:
            parts.append(f"{grouped(self.waiting)} more below")
        if self.wrapping:
            parts.append("wrapped")
        if self.term:
            here = f"{self._match + 1} of {len(self._matches)}" if self._matches else "not found"
            parts.append(f"/{self.term} {here}")
        return " · ".join(parts)

    # Search

    def search(self, term: str) -> int:
        """Find a text (capital letters in it make it case-sensitive), go to the match nearest to what is visible.

        Returns:
            How many lines match.
        """
        self.term = term
        flags = 0 if any(c.isupper() for c in term) else re.IGNORECASE
        self._pattern = re.compile(re.escape(term), flags) if term else None
        self._matches = []
        self._match = -1
        if self._pattern is not None:
            found = self._pattern.search
            self._matches = [n for n, entry in enumerate(self._entries, self._dropped) if found(clean(entry))]
            if self._matches:
                top = self._line_at(self.scroll_offset.y)[0] + self._dropped
                at = bisect_right(self._matches, top - 1)
                self._go_to_match(min(at, len(self._matches) - 1))
        self.refresh()
        self.post_message(self.Changed(self))
        return len(self._matches)

    def _go_to_match(self, index: int) -> None:
        self._match = index
        self.following = False
        row = self._row_of(self._matches[index] - self._dropped)
        top, height = self.scroll_offset.y, self.size.height
        if not top <= row < top + height:
            self.scroll_to(y=max(0, row - height // 3), animate=False, force=True, immediate=True)
        self.refresh()
        self.post_message(self.Changed(self))

    def action_next_match(self) -> None:
        if not self.term:
            self.action_search()
        elif self._matches:
            self._go_to_match((self._match + 1) % len(self._matches))

    def action_previous_match(self) -> None:
        if not self.term:
            self.action_search()
        elif self._matches:
            self._go_to_match((self._match - 1) % len(self._matches))

    def action_search(self) -> None:
        self.post_message(self.SearchRequested(self))

    def action_filter(self) -> None:
        self.post_message(self.SearchRequested(self, "filter"))

    def action_since(self) -> None:
        self.post_message(self.SearchRequested(self, "since"))

    def action_save(self) -> None:
        self.post_message(self.SearchRequested(self, "save"))

    def action_timestamps(self) -> None:
        ways = list(WIDTHS)
        self.stamps = ways[(ways.index(self.stamps) + 1) % len(ways)]
        self.on_resize()
        self.refresh()
        self.post_message(self.Changed(self))

    # Moving

    def _scroll(self, row: int) -> None:
        last = max(0, self.virtual_size.height - self.size.height)
        if row >= last and self._waiting:
            to_end = row >= self.virtual_size.height  # and not by a line or a page
            step = row - self.scroll_offset.y
            self._take_waiting()
            row = self.virtual_size.height if to_end else self.scroll_offset.y + step
            last = max(0, self.virtual_size.height - self.size.height)
        row = max(0, min(row, last))
        self.following = row >= last
        if row != self.scroll_offset.y:
            self.scroll_to(y=row, animate=False, force=True, immediate=True)
        self.post_message(self.Changed(self))

    def _to_end(self) -> None:
        last = max(0, self.virtual_size.height - self.size.height)
        if last != self.scroll_offset.y:
            self.scroll_to(y=last, animate=False, force=True, immediate=True)

    def action_up(self) -> None:
        self._scroll(self.scroll_offset.y - 1)

    def action_down(self) -> None:
        self._scroll(self.scroll_offset.y + 1)

    def action_page_up(self) -> None:
        self._scroll(self.scroll_offset.y - max(1, self.size.height - 1))

    def action_page_down(self) -> None:
        self._scroll(self.scroll_offset.y + max(1, self.size.height - 1))

    def action_first(self) -> None:
        self._scroll(0)

    def action_last(self) -> None:
        self._scroll(self.virtual_size.height)

    def action_left(self) -> None:
        self.scroll_to(x=max(0, self.scroll_offset.x - 16), animate=False, force=True, immediate=True)

    def action_right(self) -> None:
        if not self.wrapping:
            x = min(self.scroll_offset.x + 16, max(0, self.virtual_size.width - self.size.width))
            self.scroll_to(x=x, animate=False, force=True, immediate=True)

    def action_follow(self) -> None:
        if self.following:
            self.following = False
            self.post_message(self.Changed(self))
        else:
            self.action_last()

    def action_wrap(self) -> None:
        top = self._line_at(self.scroll_offset.y)[0]
        self.wrapping = not self.wrapping
        self._starts.clear()
        self._resize()
        self.scroll_to(x=0, y=self._row_of(top), animate=False, force=True, immediate=True)
        if self.following:
            self._to_end()
        self.refresh()
        self.post_message(self.Changed(self))

    def on_mouse_scroll_up(self) -> None:
        self.following = False

    def on_resize(self) -> None:
        self._starts.clear()
        self._resize()
        if self.following:
            self._to_end()
            self.call_after_refresh(self._to_end_if_following)

    def _to_end_if_following(self) -> None:
        if self.following:
            self._to_end()

    # Geometry: lines of the log and rows of the screen

    @property
    def _prefix_width(self) -> int:
        return WIDTHS[self.stamps] if self.size.width >= 60 else 0

    def _resize(self) -> None:
        rows = len(self._entries)
        if self.wrapping:
            self._measure()
            rows = self._starts[-1] if self._starts else 0
        size = Size(0 if self.wrapping or not rows else self._prefix_width + self._widest, rows)
        if size != self.virtual_size:
            self.virtual_size = size

    def _measure(self) -> None:
        """Extend the table of first rows: entry i begins at row ``_starts[i]``; one more stands at the end."""
        if not self._starts:
            self._starts = [0]
        room = max(1, self.size.width - self._prefix_width)
        at = self._starts[-1]
        for entry in islice(self._entries, len(self._starts) - 1, None):
            text = clean(entry)
            at += 1 if width_of(text) <= room else len(pieces(text, room))
            self._starts.append(at)

    def _row_of(self, line: int) -> int:
        if not self.wrapping:
            return line
        self._measure()
        return self._starts[min(line, len(self._starts) - 1)]

    def _line_at(self, row: int) -> tuple[int, int]:
        """The line of a row, and which of its pieces."""
        if not self.wrapping:
            return row, 0
        self._measure()
        line = bisect_right(self._starts, row) - 1
        return line, row - self._starts[max(0, line)]

    def _refresh_from(self, number: int) -> None:
        """Repaint from a line on, where that is visible."""
        y = self._row_of(max(0, number - self._dropped)) - self.scroll_offset.y
        if y < self.size.height:
            y = max(0, y)
            self.refresh(Region(0, y, self.size.width, self.size.height - y))

    # Drawing

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines as they are drawn: no border, padding or opacity is around them, and a log that moves has other lines
        everywhere, so that what Textual keeps of each row of the screen is of no use.
        """
        look, top = self._look(), self.scroll_offset.y
        strips = [self._strip(top + y, look) for y in crop.line_range]
        left, right = crop.column_span
        return strips if (left, right) == (0, look.width) else [strip.crop(left, right) for strip in strips]

    def render_line(self, y: int) -> Strip:
        return self._strip(y + self.scroll_offset.y, self._look())

    def _look(self) -> _Look:
        look = _Look(
            self.size.width,
            self.scroll_offset.x,
            self._prefix_width,
            self.stamps,
            self.wrapping,
            self.rich_style,
            self.background_colors[1],
            tuple(self.get_line_filters()),
        )
        if look != self._looked:
            self._strips.clear()
            self._looked = look
        return look

    def _strip(self, row: int, look: _Look) -> Strip:
        line, piece = self._line_at(row)
        if not 0 <= line < len(self._entries):
            return look.filtered(Strip.blank(look.width, look.base))
        known = line + self._dropped, piece
        if self._pattern is None and known in self._strips:
            return self._strips[known]
        strip = look.filtered(self._drawn_line(line, piece, look))
        if self._pattern is None:
            if len(self._strips) >= STRIPS:
                self._strips.clear()
            self._strips[known] = strip
        return strip

    def _drawn_line(self, line: int, piece: int, look: _Look) -> Strip:
        entry, width, base = self._entries[line], look.width, look.base
        text = clean(entry)
        if look.wrapping:
            wrapped = _drawn(text, max(1, width - look.prefix))
            text = wrapped[min(piece, len(wrapped) - 1)]
        segments = []
        if look.prefix:
            timed = entry.time is not None and piece == 0
            stamp = f"{stamped(entry.time or 0.0, look.stamps)}  " if timed else " " * look.prefix
            segments.append(Segment(stamp, base + self.paint("dim")))
        segments += self._highlighted(text, base + self.paint(role_of(entry)), line + self._dropped)
        strip = Strip(segments)
        if look.wrapping:
            return strip.adjust_cell_length(width, base)
        shown = strip.crop(look.start, look.start + width).adjust_cell_length(width, base)
        return cut_signs(shown, look.start, look.prefix + width_of(text.rstrip()), base + self.paint("dim"))

    def recoloured(self) -> None:
        self._strips.clear()
        super().recoloured()

    def _highlighted(self, text: str, style: Style, number: int) -> list[Segment]:
        if self._pattern is None:
            return [Segment(text, style)]
        mark = style + self.paint("match")
        if self._matches and 0 <= self._match < len(self._matches) and self._matches[self._match] == number:
            mark += Style(bold=True, underline=True)
        segments, at = [], 0
        for match in self._pattern.finditer(text):
            segments += [Segment(text[at : match.start()], style), Segment(match.group(), mark)]
            at = match.end()
        segments.append(Segment(text[at:], style))
        return segments
