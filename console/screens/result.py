"""One result of a run over the whole screen: figures fill it, tables can be sorted, narrowed and saved, texts scroll both ways."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.widget import Widget

from console import actions, export, figures
from console.exhibit import Exhibit
from console.formatting import as_text, count
from console.screens import facts
from console.screens.base import ConsoleScreen
from console.screens.help import TextScreen
from console.screens.run_state import Viewed
from console.widgets.canvas import Lines
from console.widgets.line import Line
from console.widgets.page import Page
from console.widgets.prompt import Prompt
from console.widgets.rows import Rows
from console.widgets.sheet import Sheet
from workflows.events import Figure, Table


class ResultScreen(ConsoleScreen):
    """``n`` and ``N`` go through all results of the run; new ones of a live run come behind the last."""

    BINDINGS: ClassVar = list(actions.bindings("result"))
    place = "result"
    section = "studies"

    def __init__(
        self, run: str, results: Callable[[], Sequence[Viewed]], at: int, *, section: str = "studies"
    ) -> None:
        super().__init__()
        self.section = section
        self.run_id = run
        self._results = results
        self._at = at
        self._filter = ""

    def body(self) -> Iterable[Widget]:
        yield Line(id="sheet-title")
        yield Page(id="figure", sideways=True)
        yield Sheet(id="sheet")
        yield Prompt()

    def opened(self) -> None:
        self._show()

    @property
    def result(self) -> Viewed:
        """The one that is shown."""
        results = self._results()
        return results[min(self._at, len(results) - 1)]

    @property
    def sheet(self) -> Sheet:
        return self.query_one("#sheet", Sheet)

    def trail(self) -> str:
        return self.run_id

    def summary(self) -> str:
        text = f"{self._at + 1} of {len(self._results())}"
        if isinstance(self.result, Table) and self.has("#sheet"):
            rows, total = len(self.sheet.items), len(self.result.rows)
            text = (
                f"{count(total, 'row')} · {text}"
                if rows == total
                else f"{rows} of {count(total, 'row')} · {text}"
            )
        return text

    def draw_frame(self) -> None:
        super().draw_frame()
        if not self.has("#sheet-title"):
            return
        if isinstance(self.result, Exhibit):
            shown, page = self.result, self.query_one("#figure", Page)
            wider = "   ← →" if page.virtual_size.width > page.size.width else ""
            self.query_one("#sheet-title", Line).show([(shown.title, "head")], [(shown.kind + wider, "dim")])
        elif isinstance(self.result, Table):
            left, right = self.sheet.pushed
            hint = f"← {left}   " if left else ""
            hint += f"{count(right, 'column')} more →" if right else ""
            self.query_one("#sheet-title", Line).show([(self.result.title, "head")], [(hint.strip(), "dim")])

    def _show(self) -> None:
        result = self.result
        kind = (
            "-table" if isinstance(result, Table) else "-text" if isinstance(result, Exhibit) else "-figure"
        )
        self._filter = ""
        self.set_classes(
            {name for name in self.classes if name not in ("-figure", "-table", "-text")} | {kind}
        )
        if isinstance(result, Table):
            self.sheet.show_table(result)
            self.sheet.focus()
        else:
            self._draw()
            page = self.query_one("#figure", Page)
            page.scroll_to(0, 0, animate=False, force=True, immediate=True)
            page.focus()
        self.call_after_refresh(self.draw_frame)

    def _draw(self) -> None:
        result, page = self.result, self.query_one("#figure", Page)
        if isinstance(result, Exhibit):
            lines = result.lines()
            page.show(lambda width: lines)
            return
        if not isinstance(result, Figure):
            return
        ground = self.console.ground

        def write(width: int) -> Lines:
            return figures.draw(result, width, max(8, page.size.height), ground=ground, fill=True)

        page.show(write)

    def offers(self, action: actions.Action) -> bool:
        if action.verb in ("sort", "reverse", "filter"):
            return isinstance(self.result, Table)
        return action.verb not in ("next", "previous") or len(self._results()) > 1

    def leave(self) -> bool:
        """Esc drops the filter first."""
        if self._filter:
            self._narrow("")
            return True
        return False

    # Actions

    def action_next(self) -> None:
        self._step(1)

    def action_previous(self) -> None:
        self._step(-1)

    def _step(self, step: int) -> None:
        self._at = (self._at + step) % len(self._results())
        self._show()

    def action_sort(self) -> None:
        if isinstance(self.result, Table):
            self.sheet.sort_next()
            self.draw_frame()

    def action_reverse(self) -> None:
        if isinstance(self.result, Table):
            self.sheet.reverse()

    @on(Rows.HeadingPressed)
    def _sort_by(self, event: Rows.HeadingPressed) -> None:
        self.sheet.sort_by(self.sheet.column_of(event.column))

    @on(Rows.Highlighted)
    def _moved(self) -> None:
        self.draw_frame()

    @on(Rows.Opened)
    def _open_row(self) -> None:
        line, result = self.sheet.current, self.result
        if line is None or not isinstance(result, Table):
            return
        width = min(100, self.app.size.width - 10)
        lines = [
            "".join(text for text, _ in run).rstrip()
            for name, value in zip(result.columns, line[1], strict=False)
            for paragraph in (as_text(value).splitlines() or [""])
            for run in facts.fact(
                name, paragraph, width, label_width=min(24, max(map(len, result.columns)) + 2)
            )
        ]
        self.app.push_screen(TextScreen(result.title, "\n".join(lines)))

    def action_filter(self) -> None:
        if isinstance(self.result, Table):
            self.query_one(Prompt).ask("filter", "/", self._filter, "words · !word · column:text")

    def action_copy(self) -> None:
        text, ending = self._written()
        self.console.copy(text, f"{self.result.title!r}" + (" as CSV" if ending == "csv" else ""))

    def action_save(self) -> None:
        _, ending = self._written()
        name = export.file_name(self.run_id, self.result.title, ending)
        label = "Save as CSV: " if ending == "csv" else "Save as: "
        self.query_one(Prompt).ask("save", label, name, "the path of a new file")

    def _written(self) -> tuple[str, str]:
        """What is shown as the text of a file, and the ending of its name."""
        result = self.result
        if isinstance(result, Exhibit):
            return result.text + "\n", result.ending
        return export.as_csv(result), "csv"

    @on(Prompt.Changed)
    def _typing(self, event: Prompt.Changed) -> None:
        if event.purpose == "filter":
            self._narrow(event.value)

    def _narrow(self, text: str) -> None:
        self._filter = text.strip()
        self.sheet.narrow(self._filter)
        self.draw_frame()

    @on(Prompt.Submitted)
    def _entered(self, event: Prompt.Submitted) -> None:
        if event.purpose != "save" or not event.value.strip():
            return
        text, _ = self._written()
        self.work(
            lambda: export.write(event.value.strip(), text),
            lambda path: self.console.flash(f"✓ Saved {path}"),
        )
