"""A live log of any length: bounded, followed, searched, wrapped or cut; only visible lines are drawn."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import deque
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from time import localtime, strftime
from typing import ClassVar, Literal

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from console import actions
from console.formatting import clock, printable
from console.keymap import key
from console.theme import Painted
from console.widgets.page import cut_signs

KEPT = 100_000
"""Lines that are kept; older ones are dropped from the top."""
STRIPS = 500
"""Drawn lines that are kept."""

Stamps = Literal["clock", "full", "none"]
WIDTHS: dict[Stamps, int] = {"clock": 10, "full": 25, "none": 0}
"""Columns that the times of the lines take, with the blanks behind them."""

_LEVELS = (
    (re.compile(r"\b(ERROR|CRITICAL|FATAL|Traceback|[A-Z]\w*(?:Error|Exception)\b)"), "bad"),
    (re.compile(r"\bWARN(?:ING)?\b"), "wait"),
    (re.compile(r"\bDEBUG\b"), "dim"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: its time in epoch seconds (None: not shown), where it comes from, its text, and a role for its colour."""

    text: str
    time: float | None = None
    source: str = ""
    role: str = ""


def clean(entry: Entry) -> Entry:
    """The line with nothing in it that the terminal would obey."""
    if entry.text.isprintable():
        return entry
    return Entry(printable(entry.text), entry.time, entry.source, entry.role)


def stamped(time: float, way: Stamps) -> str:
    """A time as a log shows it: ``14:03:22``, or with its date and milliseconds."""
    if way == "clock":
        return clock(time)
    return f"{strftime('%Y-%m-%d %H:%M:%S', localtime(time))}.{int(time * 1000) % 1000:03}"


def level_role(text: str) -> str:
    """The role of a line by the level that it names."""
    for pattern, role in _LEVELS:
        if pattern.search(text):
            return role
    return ""


def pieces(text: str, width: int) -> list[str]:
    """A line in pieces of at most ``width`` cells: broken behind a blank where there is one in the last third, else in a word."""
    if not text.isascii():
        return _wide_pieces(text, width)
    found, at, end = [], 0, len(text)
    while end - at > width:
        blank = text.rfind(" ", at + width - width // 3, at + width)
        following = blank + 1 if blank >= 0 else at + width
        found.append(text[at:following])
        at = following
    return [*found, text[at:]]


def _wide_pieces(text: str, width: int) -> list[str]:
    """The same for letters that are not one cell each; what was behind the blank goes on in the next piece."""
    found, rest = [], ""
    for cut in chop_cells(text, width):
        rest += cut
        while cell_len(rest) > width and len(rest) > 1:
            piece = chop_cells(rest, width)[0] or rest[0]
            blank = piece.rfind(" ", len(piece) - len(piece) // 3)
            found.append(piece[: blank + 1] if blank >= 0 else piece)
            rest = rest[len(found[-1]) :]
    return [*found, rest]


_drawn = lru_cache(maxsize=128)(pieces)
"""Each row of the screen asks for the pieces of its line: one of a megabyte fills the screen."""


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
        self._entries: deque[Entry] = deque()
        self._kept = kept
        self._dropped = 0
        self._room = max(1, kept // 2)
        self._waiting: deque[Entry] = deque(maxlen=self._room)
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
        self._starts: list[int] = []
        self._painted_rows = 0
        self._strips: dict[Hashable, Strip] = {}
        """Drawn lines, by all that they depend on: a log that scrolls by one has one new line in fifty."""

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

    def extend(self, entries: Iterable[Entry]) -> None:
        """Add lines at the end; lines beyond the bound leave at the top, or wait while others are read."""
        self.take([clean(entry) for entry in entries])

    def take(self, added: list[Entry]) -> None:
        """`extend` for many that are `clean`."""
        if not added:
            return
        if not self.following and (self._waiting or len(self._entries) + len(added) > self._kept):
            self._unkept += max(0, len(self._waiting) + len(added) - self._room)
            self._waiting.extend(added)
            return
        self._add(added)

    def _take_waiting(self) -> None:
        """Show what has come while others were read."""
        waiting, unkept = list(self._waiting), self._unkept
        if not waiting:
            return
        self._waiting.clear()
        self._unkept = 0
        if unkept:
            gap = f"… {unkept:,} lines came and went meanwhile".replace(",", " ")
            waiting.insert(0, Entry(gap, waiting[0].time, role="wait"))
        self._add(waiting)

    def _add(self, added: list[Entry]) -> None:
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
            self._matches += [n for n, entry in enumerate(added, old_end) if self._pattern.search(entry.text)]
        self._widest = max(self._widest, max(self._prefix_width + cell_len(entry.text) for entry in added))
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
    def entries(self) -> tuple[Entry, ...]:
        """All kept lines with their times."""
        return tuple(self._entries)

    @property
    def text(self) -> str:
        """All kept lines."""
        return "\n".join(entry.text for entry in self._entries)

    @property
    def summary(self) -> str:
        """How many lines, whether it follows, and the search: for a status line."""
        lines = f"{len(self._entries):,} lines".replace(",", " ") if len(self._entries) != 1 else "1 line"
        if self._dropped:
            lines = f"last {lines}"
        parts = [lines, "following" if self.following else f"not following ({key('log.follow')} follows)"]
        if self.waiting:
            parts.append(f"{self.waiting:,} more below".replace(",", " "))
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
            self._matches = [n for n, entry in enumerate(self._entries, self._dropped) if found(entry.text)]
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
        self._widest = max((self._prefix_width + cell_len(entry.text) for entry in self._entries), default=0)
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
            x = min(self.scroll_offset.x + 16, max(0, self._widest - self.size.width))
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
        size = Size(0 if self.wrapping else self._widest, rows)
        if size != self.virtual_size:
            self.virtual_size = size

    def _measure(self) -> None:
        """Extend the table of first rows: entry i begins at row ``_starts[i]``; one more stands at the end."""
        if not self._starts:
            self._starts = [0]
        room = max(1, self.size.width - self._prefix_width)
        at = self._starts[-1]
        for entry in islice(self._entries, len(self._starts) - 1, None):
            text = entry.text
            fits = len(text) <= room if text.isascii() else cell_len(text) <= room
            at += 1 if fits else len(pieces(text, room))
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

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        base = self.rich_style
        line, piece = self._line_at(y + self.scroll_offset.y)
        if not 0 <= line < len(self._entries):
            return Strip.blank(width, base)
        entry = self._entries[line]
        prefix = self._prefix_width
        text = entry.text
        if self.wrapping:
            wrapped = _drawn(text, max(1, width - prefix))
            text = wrapped[min(piece, len(wrapped) - 1)]
        known = (
            line + self._dropped,
            piece,
            width,
            self.scroll_offset.x,
            prefix,
            self.stamps,
            self.wrapping,
            base,
        )
        if self._pattern is None and known in self._strips:
            return self._strips[known]
        segments = []
        if prefix:
            stamp = (
                f"{stamped(entry.time, self.stamps)}  "
                if entry.time is not None and piece == 0
                else " " * prefix
            )
            segments.append(Segment(stamp, base + self.paint("dim")))
        role = entry.role or level_role(entry.text)
        segments += self._highlighted(text, base + self.paint(role), line + self._dropped)
        strip = Strip(segments)
        if self.wrapping:
            strip = strip.adjust_cell_length(width, base)
        else:
            start = self.scroll_offset.x
            shown = strip.crop(start, start + width).adjust_cell_length(width, base)
            strip = cut_signs(shown, start, prefix + cell_len(text.rstrip()), base + self.paint("dim"))
        if self._pattern is None:
            if len(self._strips) >= STRIPS:
                self._strips.clear()
            self._strips[known] = strip
        return strip

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
