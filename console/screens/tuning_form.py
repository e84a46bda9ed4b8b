"""The form of a tuning job: what is optimised, within which limits, and for each hyperparameter whether and where it is searched."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from console import actions
from console.keymap import key
from console.screens import tuning_settings
from console.screens.form import YES_NO
from console.screens.starting import StartingForm
from console.screens.tuning_settings import FIXED, Settings
from console.widgets.fields import Fields
from console.widgets.line import Line
from console.widgets.prompt import Field
from console.widgets.select import Choice
from workflows.observe.tuning_rows import Range
from workflows.tuning.draft import TuningDraft
from workflows.tuning.request import STRATEGIES

HELP = {
    "name": "Letters, digits and hyphens, 32 at most: its trials append -001-1a2b3c4d to it.",
    "objective": "The metric that decides which trial is the best; less or more of it, as it says.",
    "strategy": "How the next trial is chosen.",
    "early": "Ends a trial whose objective is worse than the median of the others at the same epoch. Hyperband does that by itself.",
    "target": "An objective value that is good enough: the job ends when a trial reaches it. Empty: none.",
    "seed": "The same seed and data give the same trials again. Empty: none.",
    "warm": "How the trials of the parent are learned from.",
}


class TuningFormScreen(StartingForm):
    """Ctrl+S starts the tuning job; what is wrong is said while it is typed."""

    BINDINGS: ClassVar = list(actions.bindings("tune"))
    place = "tune"
    going = "searches"
    section = "tuning"

    def __init__(self, draft: TuningDraft, *, title: str, seconds: float | None = None) -> None:
        super().__init__()
        self.draft = draft
        self._title, self._seconds = title, seconds
        self._searched = {item.name for item in draft.request.templates[0].ranges}
        self._kept: dict[str, dict[bool, str]] = {}
        """By hyperparameter: what its field held while it was fixed (True), and while it was searched."""

    def trail(self) -> str:
        return self._title

    def body(self) -> Iterable[Widget]:
        request = self.draft.request
        with Vertical(id="form", classes="tune"):
            with Fields(id="fields"):
                yield from self.row("name", Field(request.name, id="t-name"))
                objectives = self.draft.objectives or (request.templates[0].objective,)
                yield from self.row(
                    "objective",
                    Choice(
                        [(one.name, one.direction.lower()) for one in objectives], id="t-objective", wide=True
                    ),
                )
                yield from self.row(
                    "strategy",
                    Choice(
                        [(one, tuning_settings.STRATEGY_HELP[one]) for one in STRATEGIES],
                        request.strategy,
                        id="t-strategy",
                        wide=True,
                    ),
                )
                if request.warm_start:
                    choice = Choice(tuning_settings.WARM_STARTS, request.warm_start, id="t-warm", wide=True)
                    yield from self.row("warm", choice, "warm start")
                for parameter in tuning_settings.number_fields(self.draft):
                    yield from self.row(
                        parameter.name, Field(str(parameter.default), id=f"t-{parameter.name}")
                    )
                early = "yes" if request.early_stopping else "no"
                yield from self.row("early", Choice(YES_NO, early, id="t-early"), "early stopping")
                yield from self.row("target", Field(_text(request.target), placeholder="none", id="t-target"))
                yield from self.row(
                    "seed", Field(_text(request.random_seed), placeholder="none", id="t-seed")
                )
                yield Label("Hyperparameters", classes="above")
                for item in self.draft.ranges:
                    yield from self._range(item)
                if not self.draft.ranges:
                    yield Static("This job has no hyperparameter that could be searched.", classes="above")
            yield Static(id="hint", markup=False)
            yield Static(id="bound", markup=False)
            yield Line(id="verdict")

    def _range(self, item: Range) -> Iterable[Widget]:
        searched = item.name in self._searched
        wanted = next((one for one in self.draft.request.templates[0].ranges if one.name == item.name), item)
        static = self.draft.request.templates[0].static
        fixed = static.get(item.name) or self.draft.hyperparameters.get(item.name, "")
        self._kept[item.name] = {True: fixed, False: tuning_settings.searched_text(wanted)}
        with Horizontal(classes="parameter range"):
            yield Label(item.name, classes="name", markup=False)
            mode = tuning_settings.first_mode(wanted, searched)
            yield Choice(list(tuning_settings.modes(item)), mode, id=f"m-{_id(item.name)}")
            yield Field(self._kept[item.name][not searched], placeholder="default", id=f"r-{_id(item.name)}")
            yield Static("", classes="about", id=f"w-{_id(item.name)}", markup=False)

    def opened(self) -> None:
        self.query_one("#t-name").focus()
        self.draw_check()

    # Values

    def settings(self) -> Settings:
        """What stands in the form."""
        numbers = {
            one.name: self._value(f"t-{one.name}") for one in tuning_settings.number_fields(self.draft)
        }
        return Settings(
            name=self._value("t-name").strip(),
            objective=self._value("t-objective"),
            strategy=self._value("t-strategy"),
            numbers=numbers,
            early_stopping=self._value("t-early") == "yes",
            target=self._value("t-target"),
            seed=self._value("t-seed"),
            warm_start=self._value("t-warm") if self.draft.request.warm_start else "",
            lines=tuple(
                tuning_settings.Line(
                    item.name, self._value(f"m-{_id(item.name)}"), self._value(f"r-{_id(item.name)}")
                )
                for item in self.draft.ranges
            ),
        )

    def _value(self, identifier: str) -> str:
        widget = self.query_one(f"#{identifier}")
        return widget.value if isinstance(widget, Choice | Input) else ""

    @on(Choice.Changed)
    def _mode_changed(self, event: Choice.Changed) -> None:
        """A hyperparameter that is searched now shows its range, one that is fixed its value; both are kept."""
        identifier = str(event.choice.id or "")
        item = next((one for one in self.draft.ranges if f"m-{_id(one.name)}" == identifier), None)
        if item is not None:
            fixed, searched = event.value == FIXED, item.name in self._searched
            if fixed == searched:
                field = self.query_one(f"#r-{_id(item.name)}", Input)
                self._kept[item.name][not searched] = field.value
                self._searched ^= {item.name}
                field.value = self._kept[item.name][fixed]
        self.draw_check()

    def draw_check(self) -> None:
        for name in tuning_settings.HYPERBAND_ONLY:
            row = self.query_one(f"#t-{name}").parent
            if isinstance(row, Widget):
                row.display = self._value("t-strategy") == "Hyperband"
        request, wrong = tuning_settings.check(self.draft, self.settings())
        marked = {_id(name): text for name, text in wrong.items()}
        self.mark(marked)
        verdict = self.query_one("#verdict", Line)
        if request is None:
            verdict.show([(" ✗ " + next(iter(wrong.values())), "bad")])
        else:
            searched = f" · {len(request.templates[0].ranges)} searched"
            verdict.show(
                [(f" {key('tune.start')} ", "badge"), (" starts the tuning job", "strong"), (searched, "dim")]
            )
        bound = tuning_settings.bound(request, self._seconds) if request is not None else ""
        if bound and self.console.services.target == "embedded":
            bound = f"Free here; on AWS: {bound}"
        self.query_one("#bound", Static).update(bound)

    def explanation(self, kind: str, name: str) -> str:
        """What the field in focus means and what may stand there."""
        if kind == "t":
            number = next(
                (one for one in tuning_settings.number_fields(self.draft) if one.name == name), None
            )
            if number is not None:
                return (
                    f"{number.help} {number.range[:1].upper()}{number.range[1:]} {number.unit}".rstrip() + "."
                )
            notes = " ".join(self.draft.notes) if name == "name" else ""
            return f"{HELP.get(name, '')} {notes}".rstrip()
        item = next((one for one in self.draft.ranges if _id(one.name) == name), None)
        if item is None:
            return ""
        if kind == "m":
            return "fixed: every trial gets the value. auto, linear, log: it is searched on that scale." if item.numeric else "fixed: every trial gets the value. searched: each value is tried."  # fmt: skip
        if item.name not in self._searched:
            return f"The value of {item.name} in every trial. Empty: the default of the algorithm."
        if item.kind == "categorical":
            return f"The values of {item.name} that are tried, with commas between them."
        return f"Both ends of {item.name} ({item.kind}), as in: {tuning_settings.searched_text(item)}"

    # Actions

    def action_start(self) -> None:
        request, wrong = tuning_settings.check(self.draft, self.settings())
        if request is None:
            name, text = next(iter(wrong.items()))
            for identifier in (f"#r-{_id(name)}", f"#t-{name}"):
                for widget in self.query(identifier):
                    widget.focus()
            self.console.flash(f"✗ {text}", "bad")
            return
        if self.starting or not self.console.allowed(actions.get("tune.start")):
            return
        services = self.console.services
        self.start(request.name, lambda: services.create_tuning(request))

    async def show_started(self, name: str) -> None:
        await self.console.go("tuning")
        await self.console.open_tuning(name)


def _id(name: str) -> str:
    """A hyperparameter's name as a part of an identifier: names may have dots and spaces."""
    return "".join(char if char.isalnum() or char in "-_" else f"_{ord(char):x}_" for char in name)


def _text(value: float | int | None) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
