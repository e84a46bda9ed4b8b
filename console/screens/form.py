"""The form of a study: generated from its parameters, checked while typing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import on
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from console import actions
from console.formatting import count
from console.keymap import key
from console.screens.base import ConsoleScreen
from console.widgets.fields import Fields
from console.widgets.line import Line
from console.widgets.prompt import Field
from console.widgets.select import Choice
from workflows.runs import Run
from workflows.studies.catalog import StudyInfo, Try
from workflows.studies.parameters import Parameter, ParameterError, Value

INTERFACES = (
    ("low", "boto3: every AWS call by hand"),
    ("high", "SageMaker SDK v3: ModelTrainer, ModelBuilder"),
)
YES_NO = (("no", ""), ("yes", ""))
OTHERS = {
    "interface": "Both do the same on SageMaker: choose which one you want to read. {code} shows the run as a script in it.",
    "keep": "Leave the endpoint and its model in place at the end; otherwise the run deletes all it made.",
}
NOTEBOOK = "as-in-notebook"
CHANGED = "•"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a form is filled with: the settings of an earlier run."""

    parameters: Mapping[str, Any]
    interface: str
    keep: bool = False
    preset: str = ""


class FormScreen(ConsoleScreen):
    """One line per parameter. Ctrl+S starts the run. ``like`` fills it with the settings of a run, ``tried`` with a change that a
    lesson suggests."""

    BINDINGS: ClassVar = list(actions.bindings("form"))
    place = "form"
    section = "studies"

    def __init__(
        self, info: StudyInfo, like: Settings | None = None, *, tried: Try | None = None, interface: str = ""
    ) -> None:
        super().__init__()
        self.info = info
        self.section = "lessons" if info.lesson else "studies"
        self._like, self._tried, self._interface = like, tried, interface
        self._preset = like.preset if like and like.preset in info.presets else ""
        self._starting = False
        self._changed = 0
        self._to_check = False

    def trail(self) -> str:
        return self.info.name

    def summary(self) -> str:
        than = "than in that run" if self._like is not None else "than by default"
        changed = f"{CHANGED} {count(self._changed, 'setting')} other {than}" if self._changed else ""
        return " · ".join(
            part for part in ("settings of the notebook" if self._preset else "", changed) if part
        )

    def body(self) -> Iterable[Widget]:
        with Vertical(id="form"):
            yield Static(self.info.title, classes="title", markup=False)
            if self._tried is not None:
                look = f"Try: {self._tried.title}. {self._tried.look}"
                yield Static(look, id="look", markup=False)
            with Fields(id="fields"):
                yield from self._row("interface", Choice(INTERFACES, id="p-interface", wide=True), "")
                yield from self._row(
                    "keep", Choice(YES_NO, id="p-keep"), "Leave the endpoint in place at the end."
                )
                for parameter in self.info.parameters:
                    yield from self._row(parameter.name, self._widget(parameter), parameter.help)
            yield Static(id="hint", markup=False)
            yield Static(id="price", markup=False)
            yield Line(id="verdict")

    def _row(self, name: str, widget: Widget, about: str) -> Iterable[Widget]:
        with Horizontal(classes="parameter"):
            yield Label(name, classes="name", id=f"n-{name}", markup=False)
            yield widget
            if about:
                yield Static(about, classes="about", id=f"h-{name}", markup=False)

    def _widget(self, parameter: Parameter) -> Widget:
        identifier = f"p-{parameter.name}"
        if parameter.type == "choice":
            return Choice(parameter.choices, str(parameter.default), id=identifier)
        if parameter.type == "bool":
            return Choice(YES_NO, _text(parameter.default), id=identifier)
        return Field(_text(parameter.default), id=identifier)

    def opened(self) -> None:
        like = self._like
        self.query_one("#p-interface", Choice).value = (
            like.interface if like else self._interface or self.console.services.interface
        )
        if like is not None:
            self.query_one("#p-keep", Choice).value = _text(like.keep)
            for name, value in like.parameters.items():
                for widget in self.query(f"#p-{name}"):
                    if isinstance(widget, Choice | Input):
                        widget.value = _text(value)
        first = "interface"
        for name, text in (self._tried.changes if self._tried is not None else {}).items():
            for widget in self.query(f"#p-{name}"):
                if isinstance(widget, Choice | Input):
                    widget.value, first = text, name if first == "interface" else first
        self.query_one(f"#p-{first}").focus()
        self._check()

    # Values

    def texts(self) -> dict[str, str]:
        """What stands in the form, by parameter."""
        found = {}
        for parameter in self.info.parameters:
            widget = self.query_one(f"#p-{parameter.name}")
            found[parameter.name] = widget.value if isinstance(widget, Choice | Input) else ""
        return found

    def check(self) -> tuple[dict[str, Value], dict[str, str]]:
        """The values that are right, and a sentence for each that is not."""
        values: dict[str, Value] = {}
        wrong: dict[str, str] = {}
        texts = self.texts()
        for parameter in self.info.parameters:
            try:
                values[parameter.name] = parameter.parse(texts[parameter.name])
            except ParameterError as error:
                wrong[parameter.name] = str(error)
        if not wrong and self.info.check is not None:
            try:
                self.info.check(values)
            except ParameterError as error:
                wrong[str(error).partition(" ")[0]] = str(error)
        return values, wrong

    @on(Choice.Changed)
    def _chosen(self) -> None:
        self._explain()

    @on(Input.Changed)
    @on(Choice.Changed)
    def _altered(self) -> None:
        """Every field tells that it has changed when the form opens: one check answers all of them."""
        if not self._to_check:
            self._to_check = True
            self.call_later(self._check)

    def _check(self) -> None:
        self._to_check = False
        if not self.has("#verdict"):
            return
        values, wrong = self.check()
        self._tell_price(values)
        for parameter in self.info.parameters:
            bad = parameter.name in wrong
            about = self.query_one(f"#h-{parameter.name}", Static)
            if about.has_class("-wrong") != bad:
                about.set_class(bad, "-wrong")
                about.update(f"✗ {parameter.range}" if bad else parameter.help)
        self._mark_changes()
        verdict = self.query_one("#verdict", Line)
        if wrong:
            verdict.show([(" ✗ " + next(iter(wrong.values())), "bad")])
        elif self.console.services.read_only:
            verdict.show([(" Read-only: nothing is started here.", "wait")])
        else:
            notebook = (
                ""
                if NOTEBOOK not in self.info.presets
                else f"   {key('form.notebook')} the notebook's settings"
                if not self._preset
                else f"   {key('form.notebook')} the defaults"
            )
            verdict.show(
                [(f" {key('form.start')} ", "badge"), (" starts the run", "strong"), (notebook, "dim")]
            )

    def _tell_price(self, values: Mapping[str, Value]) -> None:
        """What the run would cost with what stands in the form, before it is started."""
        from workflows.studies.cost import of_run

        keep = self.query_one("#p-keep", Choice).value == "yes"
        price = of_run(self.info, values).sentence(free=self.console.services.target == "embedded", keep=keep)
        self.query_one("#price", Static).update(price)

    def _mark_changes(self) -> None:
        """A point before each value that is not that of the run whose settings these are, or not the default."""
        texts = self.texts()
        before = self._before()
        changed = {name for name, text in texts.items() if text.strip() != before[name]}
        for parameter in self.info.parameters:
            label = self.query_one(f"#n-{parameter.name}", Label)
            if label.has_class("-changed") != (parameter.name in changed):
                label.set_class(parameter.name in changed, "-changed")
                label.update(f"{parameter.name} {CHANGED}" if parameter.name in changed else parameter.name)
        if len(changed) != self._changed:
            self._changed = len(changed)
            self.draw_frame()

    def _before(self) -> dict[str, str]:
        """What every field is compared with."""
        like = self._like.parameters if self._like is not None else {}
        return {one.name: _text(like.get(one.name, one.default)) for one in self.info.parameters}

    def on_descendant_focus(self) -> None:
        super().on_descendant_focus()
        self._explain()

    def _explain(self) -> None:
        """What the field in focus means and what may stand there."""
        name = str(self.focused.id or "").removeprefix("p-") if self.focused is not None else ""
        parameter = next((one for one in self.info.parameters if one.name == name), None)
        if parameter is not None:
            was = ""
            if self._like is not None and name in self._like.parameters:
                was = f"; in that run {_text(self._like.parameters[name]) or 'empty'}"
            text = f"{parameter.help} {self._allowed(parameter)}; default {_text(parameter.default) or 'empty'}{was}."
        else:
            text = OTHERS.get(name, "").format(code=key("run.code"))
        if self.has("#hint"):
            self.query_one("#hint", Static).update(text)

    def _allowed(self, parameter: Parameter) -> str:
        """What may stand in a field; of a choice what the one that stands there means, which its own line cuts."""
        chosen = self.query_one(f"#p-{parameter.name}")
        if isinstance(chosen, Choice) and (meaning := dict(parameter.choices).get(chosen.value)):
            return f"{chosen.value}: {meaning} (of {parameter.range})"
        unit = f" ({parameter.unit})" if parameter.unit else ""
        return f"{parameter.range[:1].upper()}{parameter.range[1:]}{unit}"

    @on(Input.Submitted)
    def _next(self) -> None:
        self.focus_next()

    # Actions

    def action_notebook(self) -> None:
        preset = self.info.presets.get(NOTEBOOK)
        if preset is None:
            self.console.flash("This study has no notebook settings.", "wait")
            return
        self._preset = "" if self._preset else NOTEBOOK
        for parameter in self.info.parameters:
            value = preset.get(parameter.name, parameter.default) if self._preset else parameter.default
            widget = self.query_one(f"#p-{parameter.name}")
            if isinstance(widget, Choice | Input):
                widget.value = _text(value)
        self._check()
        self.draw_frame()

    def action_close(self) -> None:
        self.app.pop_screen()

    def action_start(self) -> None:
        values, wrong = self.check()
        if wrong:
            self.query_one(f"#p-{next(iter(wrong))}").focus()
            self.console.flash("✗ " + next(iter(wrong.values())), "bad")
            return
        if self._starting or not self.console.allowed(actions.get("form.start")):
            return
        self._starting = True
        interface = self.query_one("#p-interface", Choice).value
        keep = self.query_one("#p-keep", Choice).value == "yes"
        services, name = self.console.services, self.info.name
        preset = self._preset
        self.console.flash("Starting …", "dim")
        self.work(
            lambda: services.start_run(name, values, interface=interface, keep=keep, preset=preset),
            self._started,
            self._not_started,
        )

    async def _open(self, run: str) -> None:
        self._starting = False
        if self.is_current:  # who has gone on is told, and not taken away from there
            await self.app.pop_screen()
            await self.console.open_run(run)

    def _started(self, run: Run) -> None:
        self.console.flash("✓ Started in a process of its own: it goes on when you leave.")
        self.console.run_worker(self._open(run.id), exit_on_error=True)

    def _not_started(self, problem: object) -> None:
        from workflows.problem import Problem

        self._starting = False
        assert isinstance(problem, Problem)
        self.console.tell(problem)


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
