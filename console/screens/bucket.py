"""S3 from the inside: folders, objects, and the beginning of the object under the cursor."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.cells import cell_len
from textual import on
from textual.containers import Horizontal
from textual.widget import Widget

from console import actions, filtering
from console.formatting import ago, count, crop, figures, printable, right, size
from console.keymap import key
from console.screens import facts
from console.screens.base import ConsoleScreen
from console.trail import Place
from console.widgets.columns import Cell, Column
from console.widgets.drawing import Lines
from console.widgets.page import Page
from console.widgets.prompt import Prompt
from console.widgets.rows import Rows
from workflows.inspecting.bucket import Folder, Preview
from workflows.problem import Problem

WIDEST = 32
"""Cells of a column of CSV."""
MOST_COLUMNS = 100
"""Columns of CSV that are shown: a line of thousands could not be read."""


@dataclass(frozen=True, slots=True)
class Item:
    """A folder (its URI ends with a slash) or an object."""

    uri: str
    size: int = -1
    modified: float = 0.0

    @property
    def name(self) -> str:
        return self.uri.removesuffix("/").rpartition("/")[2] + ("/" if self.uri.endswith("/") else "")


_KEYS: tuple[Callable[[Item], Any], ...] = (
    lambda item: item.uri,
    lambda item: item.size,
    lambda item: item.modified,
)
"""What the columns sort by."""


class BucketScreen(ConsoleScreen):
    """Opens at a folder, or at the folder of an object with the cursor on it."""

    BINDINGS: ClassVar = list(actions.bindings("bucket"))
    place = "bucket"
    section = ""

    def __init__(self, uri: str = "s3://") -> None:
        super().__init__()
        is_folder = uri.endswith("/")
        self.uri = uri if is_folder else uri.rpartition("/")[0] + "/"
        self._wanted = "" if is_folder else uri
        self.folder: Folder | None = None
        self.preview: Preview | None = None
        self._failed: Problem | None = None
        self._filter = ""
        self._asked = 0
        self._order = (0, False)
        """The column that gives the order, and whether its largest comes first."""

    @property
    def location(self) -> Place:
        return Place("s3", self.uri)

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="split", classes="bucket"):
            yield Rows[Item](
                [
                    Column("Name", 24, grow=3, middle=True),
                    Column("Size", 9, right=True),
                    Column("Written", 10, drop=1),
                ],
                key=lambda item: item.uri,
                cells=self._cells,
                id="list",
            )
            yield Page(id="preview", sideways=True)
        yield Prompt()

    def opened(self) -> None:
        self.query_one("#preview").can_focus = False
        self._rows.show_when_empty("Loading …")
        self._rows.mark_sorted(*self._order)
        self._rows.focus()
        self.look()

    @property
    def _rows(self) -> Rows[Item]:
        return self.query_one("#list", Rows)

    def trail(self) -> str:
        return self.uri

    def summary(self) -> str:
        if self.folder is None:
            return ""
        text = count(len(self.folder.folders) + len(self.folder.objects), "entry").replace(
            "entrys", "entries"
        )
        text += "" if self.folder.complete else " and more"
        return f"{text} · /{self._filter}" if self._filter else text

    def problem(self) -> Problem | None:
        return self._failed

    def look(self) -> None:
        """Read the folder anew."""
        self._asked += 1
        number, uri, services = self._asked, self.uri, self.console.services

        def listed(found: Folder) -> None:
            if number == self._asked and self.is_attached:
                self.folder, self._failed = found, None
                self._show()

        def failed(problem: Problem) -> None:
            if number == self._asked and self.is_attached:
                self._failed = problem
                self._rows.show_when_empty(problem.sentence, problem.remedy)
                self.draw_frame()

        self.work(lambda: services.s3_folder(uri), listed, failed)

    def _show(self) -> None:
        folder = self.folder
        if folder is None:
            return
        items = [Item(uri) for uri in folder.folders]
        items += [Item(entry.uri, entry.size, entry.modified) for entry in folder.objects]
        wanted = filtering.parse(self._filter)
        if wanted and items:
            change, drop = key("bucket.filter"), key("app.back")
            nothing = f"Press {change} to change the filter, {drop} to drop it."
            self._rows.show_when_empty(f"No name matches {self._filter!r}.", nothing)
        else:
            above = "" if self.uri == "s3://" else f"{key('bucket.up_folder')} goes to the folder above."
            self._rows.show_when_empty("Nothing lies here.", above)
        self._rows.show(self._ordered([item for item in items if wanted.matches({"name": item.name})]))
        looked_for, self._wanted = self._wanted, ""
        if (
            looked_for
            and not self._rows.put_cursor(looked_for)
            and not self._rows.put_cursor(looked_for + "/")
        ):
            more = "" if folder.complete else " among the entries that were read"
            name = looked_for.rpartition("/")[2]
            self.console.flash(f"{name} is not there{more}: this is its folder.", "wait")
        self.draw_frame()
        self._moved()

    def _ordered(self, items: list[Item]) -> list[Item]:
        """Folders, which have neither size nor time, stand before the objects."""
        column, descending = self._order
        folders = sorted(
            (item for item in items if item.size < 0), key=_KEYS[0], reverse=descending and not column
        )
        objects = sorted((item for item in items if item.size >= 0), key=_KEYS[column], reverse=descending)
        return [*folders, *objects]

    @on(Rows.HeadingPressed, "#list")
    def _heading(self, event: Rows.HeadingPressed) -> None:
        if event.column == self._order[0]:
            self.action_reverse()
        else:
            self._sort_by(event.column, event.column > 0)

    def action_sort(self) -> None:
        column = (self._order[0] + 1) % len(_KEYS)
        self._sort_by(column, column > 0)

    def action_reverse(self) -> None:
        column, descending = self._order
        self._sort_by(column, not descending)

    def _sort_by(self, column: int, descending: bool) -> None:
        self._order = column, descending
        self._rows.mark_sorted(*self._order)
        self._show()
        if self.folder is not None and not self.folder.complete:
            self.console.flash("Only the entries that were read are sorted: the folder has more.", "wait")

    def _cells(self, item: Item) -> tuple[Cell, ...]:
        if item.size < 0:
            return Cell(printable(item.name), "key"), Cell("", ""), Cell("", "")
        written = ago(item.modified, self.console.services.now()) if item.modified else "–"
        return Cell(printable(item.name)), Cell(size(item.size), "dim"), Cell(written, "dim")

    # Going through it

    @on(Rows.Opened, "#list")
    def _open(self) -> None:
        item = self._rows.current
        if item is None:
            return
        if item.size < 0:
            self._enter(item.uri)
        elif self.preview is not None:
            self.action_next_part()
        else:
            self._read(item)

    def _enter(self, uri: str, cursor: str = "") -> None:
        self.uri, self.folder, self.preview, self._filter, self._wanted = uri, None, None, "", cursor
        self._rows.show([])
        self._rows.show_when_empty("Loading …")
        self.query_one("#preview", Page).show(lambda width: [])
        location = self.location
        self.console.visited(location)
        self.look()
        self.draw_frame()

    def action_up_folder(self) -> None:
        if self.reading:
            self._read_in(False)
        if self.uri != "s3://":
            above = self.uri.removesuffix("/").rpartition("/")[0] + "/"  # names may be empty: a//b
            self._enter(above if above != "s3://" and above.count("/") > 2 else "s3://", self.uri)

    @on(Rows.Highlighted, "#list")
    def _moved(self) -> None:
        item = self._rows.current
        page = self.query_one("#preview", Page)
        if self.preview is not None and item is not None and item.uri == self.preview.uri:
            return
        self.preview = None
        page.can_focus = False
        opens = key("list.open")
        text = (
            ""
            if item is None
            else f"{opens} opens the folder."
            if item.size < 0
            else f"{opens} reads the beginning of it, {opens} again goes into it."
        )
        page.show(lambda width: facts.sentences([text], width, "dim"))

    def _read(self, item: Item) -> None:
        services = self.console.services

        def read(found: Preview) -> None:
            current = self._rows.current if self.is_attached else None
            if current is not None and current.uri == found.uri:
                self.preview = found
                self.console.unflash()
                lines = preview_lines(found)
                page = self.query_one("#preview", Page)
                page.show(lambda width: lines)
                page.can_focus = True
                page.scroll_to(x=0, y=0, animate=False, immediate=True)
                self.draw_frame()

        def failed(problem: Problem) -> None:
            current = self._rows.current if self.is_attached else None
            if current is not None and current.uri == item.uri:
                self.console.unflash()
                told = problem.sentence, problem.remedy

                def write(width: int) -> Lines:
                    first, then = (
                        facts.sentences([text], width, role)
                        for text, role in zip(told, ("bad", ""), strict=True)
                    )
                    return [*first, [], *then]

                self.query_one("#preview", Page).show(write)

        self.console.flash(f"Reading {item.name} …", "dim")
        self.work(lambda: services.s3_preview(item.uri), read, failed)

    # Reading

    @property
    def reading(self) -> bool:
        """Whether the keys go to what was read, which has the whole width where there is little."""
        return self.query_one("#preview", Page).has_focus

    def action_next_part(self) -> None:
        if self.reading:
            self._read_in(False)
        elif self.preview is not None:
            self._read_in(True)
        elif (item := self._rows.current) is not None and item.size >= 0:
            self._read(item)
        else:
            self.console.flash("There is no object under the cursor to be read.", "dim")

    def _read_in(self, reading: bool) -> None:
        self._arrange(reading)
        (self.query_one("#preview") if reading else self._rows).focus()

    def on_resize(self) -> None:
        super().on_resize()
        if self.has("#list"):
            self._arrange(self.reading)

    def _arrange(self, reading: bool) -> None:
        alone = reading and not self.wide
        self._rows.display = not alone
        self.query_one("#preview").set_class(alone, "-alone")

    def offers(self, action: actions.Action) -> bool:
        if action.verb == "next_part":
            item = self._rows.current
            return self.reading or (item is not None and item.size >= 0)
        return not self.reading or action.verb == "copy"

    # Actions

    def action_look(self) -> None:
        self.look()

    def action_copy(self) -> None:
        item = self._rows.current
        if item is not None:
            self.console.copy(item.uri, "the URI")

    def action_filter(self) -> None:
        if self.reading:
            self._read_in(False)
        self.query_one(Prompt).ask("filter", "/", self._filter, filtering.HINT)

    @on(Prompt.Changed)
    def _filtering(self, event: Prompt.Changed) -> None:
        self._filter = event.value.strip()
        self._show()
        if problem := filtering.parse(self._filter).problem:
            self.console.flash(problem, "wait")

    def leave(self) -> bool:
        """Esc goes back to the list first, then drops the filter."""
        if self.reading:
            self._read_in(False)
            return True
        if self._filter:
            self._filter = ""
            self._show()
            return True
        return False


def preview_lines(found: Preview) -> Lines:
    """What an object is, and its beginning; CSV in columns below each other."""
    shown = (
        aligned(found.lines, "\t" if found.uri.endswith(".tsv") else ",")
        if found.columns > 1
        else found.lines
    )
    lines: Lines = [
        [(f"{size(found.size)} · {found.what}", "head"), (f"  {found.content_type}", "dim")],
        [],
        *([(printable(line), "")] for line in shown),
    ]
    return lines if found.complete else [*lines, [], [("… this is the beginning", "dim")]]


def aligned(lines: Sequence[str], delimiter: str = ",") -> list[str]:
    """Lines of CSV as columns of at most ``WIDEST`` cells, figures at the right; as they are where a record has several lines."""
    rows = list(csv.reader(lines, delimiter=delimiter))
    if len(rows) != len(lines):
        return list(lines)
    many = max(map(len, rows), default=0)
    columns = [[row[at] if at < len(row) else "" for row in rows] for at in range(min(many, MOST_COLUMNS))]
    cells = []
    for column in columns:
        width = min(max(map(cell_len, column)), WIDEST)
        place = right if figures(column[1:]) else crop
        cells.append([place(printable(text), width) for text in column])
    more = f"  … {many - MOST_COLUMNS} more columns" if many > MOST_COLUMNS else ""
    return ["  ".join(row).rstrip() + more for row in zip(*cells, strict=True)]
