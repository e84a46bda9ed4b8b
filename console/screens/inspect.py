"""Any resource as AWS describes it: folded, as JSON, as YAML, as code; and what belongs together with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from textual import on
from textual.containers import Vertical
from textual.widget import Widget

from console import actions, document
from console.document import Node
from console.formatting import printable
from console.screens.base import ConsoleScreen
from console.screens.help import TextScreen
from console.trail import Place
from console.widgets.columns import Cell, Column
from console.widgets.drawing import Lines
from console.widgets.page import Page
from console.widgets.prompt import Prompt
from console.widgets.rows import Rows
from workflows.inspecting.code import Snippet
from workflows.inspecting.kinds import KINDS
from workflows.inspecting.relations import Related
from workflows.problem import Problem

SECTION = {"job": "jobs", "transform": "jobs", "tuning-job": "tuning"}

RELATED = (Column("Name", 24, grow=3, middle=True), Column("Why", 18, grow=2))
"""The columns of related resources, behind their kinds."""


class InspectScreen(ConsoleScreen):
    """Reads the resource when it is opened and at every refresh; nothing is polled."""

    BINDINGS: ClassVar = list(actions.bindings("inspect"))
    place = "inspect"
    parts = (
        ("describe", "Describe"),
        ("json", "JSON"),
        ("yaml", "YAML"),
        ("code", "Code"),
        ("related", "Related"),
    )

    panes: ClassVar = {name: name for name, _ in parts}

    def __init__(self, kind: str, name: str, part: str = "describe") -> None:
        self.section = SECTION.get(kind, "endpoints")
        super().__init__()
        self.kind, self.name_of, self.part = kind, name, part
        self.document: Mapping[str, Any] | None = None
        self.related: tuple[Related, ...] = ()
        self.snippets: tuple[Snippet, ...] = ()
        self._users: tuple[tuple[Related, ...], bool] | None = None
        self._failed: Problem | None = None
        self._folded: set[document.Path] = set()
        self._search = ""

    @property
    def location(self) -> Place:
        return Place("inspect", f"{self.kind} {self.name_of}")

    def subject(self) -> Place:
        return Place(self.kind, self.name_of)

    def body(self) -> Iterable[Widget]:
        with Vertical(id="inspect"):
            yield Rows[Node]([Column("", 32, grow=1), Column("", 20, grow=4, middle=True)], key=lambda node: node.path, cells=_cells, heading=False, id="describe")  # fmt: skip
            yield Page(id="json", sideways=True, waiting="Loading …")
            yield Page(id="yaml", sideways=True, waiting="Loading …")
            with Vertical(id="code"):
                yield Rows[Snippet]([Column("", 30, grow=1)], key=lambda one: one.title, cells=lambda one: (Cell(one.title),), heading=False, id="snippets")  # fmt: skip
                yield Page(id="snippet", sideways=True, waiting="Loading …")
            yield Rows[Related](
                [Column("Kind", 4), *RELATED],
                key=lambda one: (one.kind, one.name, one.why),
                cells=_related_cells,
                id="related",
            )
        yield Prompt()

    def opened(self) -> None:
        self.query_one("#snippet").can_focus = False
        for name in ("describe", "related", "snippets"):
            self.query_one(f"#{name}", Rows).show_when_empty("Loading …")
        self.look()

    def trail(self) -> str:
        noun = KINDS[self.kind].noun if self.kind in KINDS else self.kind
        return f"{noun} {self.name_of}"

    def problem(self) -> Problem | None:
        return self._failed

    def look(self) -> None:
        """Read the resource anew."""
        services, kind, name = self.console.services, self.kind, self.name_of
        self.work(lambda: services.describe(kind, name), self._read, self._not_read)

    def _not_read(self, problem: Problem) -> None:
        self._failed = problem
        if self.is_attached:
            for name in ("describe", "related", "snippets"):
                self.query_one(f"#{name}", Rows).show_when_empty(problem.sentence, problem.remedy)
            if self.document is None:
                for name in ("json", "yaml", "snippet"):
                    self.query_one(f"#{name}", Page).show_text(f"{problem.sentence} {problem.remedy}", "dim")
            self.draw_frame()

    def _read(self, found: Mapping[str, Any]) -> None:
        if not self.is_attached:
            return
        first, self.document, self._failed = self.document is None, found, None
        if first:
            self._folded = document.large(found)
        services, kind, name = self.console.services, self.kind, self.name_of
        self.work(lambda: services.equivalents(kind, name, found), self._have_code)
        self.work(lambda: services.relations(kind, name, found), self._have_relations, self._no_relations)
        self._write()
        self.draw_frame()

    def _write(self) -> None:
        if self.document is None:
            return
        self._describe.show(document.nodes(self.document, self._folded))
        for name, text in (
            ("json", document.as_json(self.document)),
            ("yaml", document.as_yaml(self.document)),
        ):
            self.query_one(f"#{name}", Page).show(self._lines(text))

    def _lines(self, text: str) -> Any:
        """The lines of a text, with what is searched for marked."""
        wanted = self._search.lower()
        lines: Lines = [marked(printable(line), wanted) for line in text.splitlines()]
        return lambda width: lines

    def _have_code(self, snippets: tuple[Snippet, ...]) -> None:
        self.snippets = snippets
        if self.is_attached:
            self.query_one("#snippets", Rows).show(snippets)
            self._show_snippet()

    def _have_relations(self, found: tuple[tuple[Related, ...], bool]) -> None:
        self.related, complete = found
        if not self.is_attached:
            return
        rows = self.query_one("#related", Rows)
        widest = max((len(_noun(one)) for one in self.related), default=4)
        rows.set_columns([Column("Kind", widest), *RELATED])
        rows.show_when_empty("Nothing belongs together with it that AWS tells of.")
        rows.show(self.related)
        if not complete and self.part == "related":
            self.console.flash(
                "Only the newest resources of the account were looked at for who uses it.", "wait"
            )

    def _no_relations(self, problem: Problem) -> None:
        if self.is_attached:
            self.query_one("#related", Rows).show_when_empty(problem.sentence, problem.remedy)

    @property
    def _describe(self) -> Rows[Node]:
        return self.query_one("#describe", Rows)

    def part_shown(self, name: str) -> None:
        if self.has("#describe"):
            self.query_one({"code": "#snippets"}.get(name, f"#{name}")).focus()

    # Folding

    @on(Rows.Opened, "#describe")
    def _toggle(self) -> None:
        node = self._describe.current
        if node is not None and node.inner is not None and self.document is not None:
            self._folded ^= {node.path}
            self._describe.show(document.nodes(self.document, self._folded))
        elif node is not None and self.document is not None:
            value = document.at(self.document, node.path)
            text = value if isinstance(value, str) else document.as_json(value)
            self.console.push_screen(TextScreen(node.label, text, wrapped=True))

    def action_fold(self) -> None:
        if self.document is not None:
            current = self._describe.current
            self._folded = document.foldable(self.document)
            self._describe.show(document.nodes(self.document, self._folded))
            if current is not None:
                self._describe.put_cursor(current.path[:1])

    def action_unfold(self) -> None:
        if self.document is not None:
            self._folded = set()
            self._describe.show(document.nodes(self.document))

    # Search

    def action_search(self) -> None:
        self.query_one(Prompt).ask("search", "/", self._search, "part of a name or of a value")

    @on(Prompt.Submitted)
    def _searched(self, event: Prompt.Submitted) -> None:
        self._search = event.value.strip()
        self._write()
        self._step(0)

    def action_next_match(self) -> None:
        self._step(1)

    def action_previous_match(self) -> None:
        self._step(-1)

    def _step(self, step: int) -> None:
        if self.document is None:
            return
        if not self._search:
            self.action_search()  # the next match of nothing: what is looked for has to be said first
            return
        if self.part in ("json", "yaml"):
            self._step_in_text(step)
            return
        matches = document.found(self.document, self._search)
        if not matches:
            self.console.flash(f"{self._search!r} is not in it.", "wait")
            return
        every = [node.path for node in document.nodes(self.document)]
        current = self._describe.current
        here = every.index(current.path) if current is not None else 0
        places = [every.index(path) for path in matches]
        to = next_place(places, here, step)
        path = every[to]
        self._folded -= {path[:depth] for depth in range(1, len(path))}
        self._describe.show(document.nodes(self.document, self._folded))
        self._describe.put_cursor(path)
        self.console.flash(f"{places.index(to) + 1} of {len(places)}", "dim")

    def _step_in_text(self, step: int) -> None:
        page = self.query_one(f"#{self.part}", Page)
        places = [y for y, line in enumerate(page.text.splitlines()) if self._search.lower() in line.lower()]
        if not places:
            self.console.flash(f"{self._search!r} is not in it.", "wait")
            return
        to = next_place(places, page.scroll_offset.y, step)
        page.go(to)
        self.console.flash(f"{places.index(to) + 1} of {len(places)}", "dim")

    def leave(self) -> bool:
        """Esc ends a search first."""
        if self._search:
            self._search = ""
            self._write()
            return True
        return False

    # Code, related, copying

    @on(Rows.Highlighted, "#snippets")
    def _show_snippet(self) -> None:
        snippet: Snippet | None = self.query_one("#snippets", Rows).current
        if snippet is not None:
            self.query_one("#snippet", Page).show_text(printable_lines(snippet.text))

    @on(Rows.Opened, "#snippets")
    def _whole_snippet(self) -> None:
        snippet: Snippet | None = self.query_one("#snippets", Rows).current
        if snippet is not None:
            self.console.push_screen(TextScreen(snippet.title, snippet.text))

    def action_copy(self) -> None:
        if self.document is None:
            return
        if self.part == "code":
            snippet: Snippet | None = self.query_one("#snippets", Rows).current
            if snippet is not None:
                self.console.copy(snippet.text, snippet.title)
        elif self.part == "related":
            row: Related | None = self.query_one("#related", Rows).current
            if row is not None:
                self.console.copy(row.name, "the name")
        elif self.part == "describe" and self._describe.current is not None:
            node = self._describe.current
            value = document.at(self.document, node.path)
            self.console.copy(value if isinstance(value, str) else document.as_json(value), node.label)
        else:
            write = document.as_yaml if self.part == "yaml" else document.as_json
            self.console.copy(write(self.document), f"the {self.part.upper()}")

    @on(Rows.Opened, "#related")
    async def _follow(self) -> None:
        row: Related | None = self.query_one("#related", Rows).current
        if row is not None:
            await self.console.open_resource(row.kind, row.name)

    def offers(self, action: actions.Action) -> bool:
        if action.verb in ("fold", "unfold"):
            return self.part == "describe"
        return action.verb not in ("search", "next_match", "previous_match") or self.part in (
            "describe",
            "json",
            "yaml",
        )


def _cells(node: Node) -> tuple[Cell, ...]:
    sign = "  " if node.inner is None else "▾ " if node.open else "▸ "
    role = "key" if node.inner is not None else "dim"
    return Cell("  " * node.depth + sign + node.label, role), Cell(
        printable(node.text), "dim" if node.inner is not None else ""
    )


def _related_cells(one: Related) -> tuple[Cell, ...]:
    return Cell(_noun(one), "dim"), Cell(one.name), Cell(one.why, "dim")


def _noun(one: Related) -> str:
    return KINDS[one.kind].noun if one.kind in KINDS else "in S3"


def printable_lines(text: str) -> str:
    """A text of several lines without what would steer the terminal."""
    return "\n".join(printable(line) for line in text.splitlines())


def marked(line: str, wanted: str) -> list[tuple[str, str]]:
    """A line with every occurrence of a lower-case text marked."""
    lower = line.lower()
    if not wanted or wanted not in lower or len(lower) != len(line):
        return [(line, "")]
    runs: list[tuple[str, str]] = []
    at = 0
    while (place := lower.find(wanted, at)) >= 0:
        runs += [(line[at:place], ""), (line[place : place + len(wanted)], "match")]
        at = place + len(wanted)
    return [*runs, (line[at:], "")]


def next_place(places: Sequence[int], here: int, step: int) -> int:
    """The place to go to from ``here``: the nearest at or after it (step 0), the next (1) or the one before (-1), round and round."""
    if step < 0:
        return next((place for place in reversed(places) if place < here), places[-1])
    return next((place for place in places if (place >= here if step == 0 else place > here)), places[0])
