"""The traffic split of an endpoint, changed by keys: what it would become is drawn while it is changed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from operator import methodcaller
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from console import actions
from console.formatting import bar, crop
from console.keymap import key
from console.screens.base import ConsoleScreen
from console.screens.dialogs import ConfirmScreen, space
from console.widgets.drawing import Lines, Run
from console.widgets.line import Line
from console.widgets.page import Page
from workflows import weights
from workflows.observe.rows import EndpointDetail
from workflows.problem import Problem
from workflows.weights import Change

NAME, WEIGHT, SHARE, COUNT, BAR = 16, 16, 14, 10, 12
LOW_NAME, LOW_WEIGHT, LOW_SHARE = 12, 13, 13
"""Cells of the columns; those of a dialog in 60 columns, which has no room for bars."""
FRAME, LEAST = 11, 2
"""Lines of the dialog besides its table: border, padding, title, state, keys, gaps; and those of its table at least."""
COLUMNS = ("weight", "instances")


class WeightsScreen(ModalScreen[Change | None], inherit_bindings=False):
    """Weights and instance counts of all variants. Dismissed with the change that is wanted, or None."""

    BINDINGS: ClassVar[list[BindingType]] = list(actions.bindings("weights"))
    place = "weights"

    def __init__(self, detail: EndpointDetail) -> None:
        super().__init__()
        self._detail = detail
        self._names = [variant.name for variant in detail.variants]
        self._weights = {variant.name: variant.desired_weight for variant in detail.variants}
        self._counts = {variant.name: variant.desired_count for variant in detail.variants}
        self._serverless = {variant.name for variant in detail.variants if variant.memory}
        self._step = step_of(sum(self._weights.values()))
        self._row = 0
        self._column = 0
        self._typed: dict[tuple[str, int], str] = {}
        """What is being typed for a cell, until another key moves on."""

    def compose(self) -> Iterable[Widget]:
        with Vertical(classes="dialog", id="weights"):
            yield Static(f"Traffic of {self._detail.name}", classes="title", markup=False)
            page = Page(id="shares")
            page.can_focus = False  # the keys are this dialog's
            yield page
            yield Line(id="shares-state")
            yield Static(_keys(), classes="hint", id="shares-keys", markup=False)

    def on_mount(self) -> None:
        self._fit()
        self._draw()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        """The table gives way where the terminal is low, and shows the variant that is changed."""
        most = max(LEAST, space(self.app.size).height - FRAME)
        page = self.query_one("#shares", Page)
        page.styles.height = min(len(self._names) + 1, most)

    # Drawing

    def change(self) -> Change:
        """What the values mean.

        Raises:
            Problem: They are not possible.
        """
        wanted = {name: self._value(name, 0) for name in self._names}
        counts = {
            name: int(self._value(name, 1)) for name in self._names if self._value(name, 1) != self._old_count(name)
        }  # fmt: skip
        return weights.change(self._detail, wanted, counts)

    def _old_count(self, name: str) -> int:
        return next(variant.desired_count for variant in self._detail.variants if variant.name == name)

    def _value(self, name: str, column: int) -> float:
        typed = self._typed.get((name, column), "")
        try:
            return float(typed) if typed else (self._weights if column == 0 else self._counts)[name]
        except ValueError:
            return (self._weights if column == 0 else self._counts)[name]

    def _draw(self) -> None:
        new = {name: self._value(name, 0) for name in self._names}
        page = self.query_one("#shares", Page)
        page.show(lambda width: self._table(new, width))
        page.go(self._row + 2 - page.size.height)
        state = self.query_one("#shares-state", Line)
        try:
            changed = bool(self.change())
        except Problem as problem:
            state.show([(f"✗ {problem.sentence} {problem.remedy}", "bad")])
        else:
            state.show(
                [(f"{key('weights.apply')} asks once more, then changes it", "strong")]
                if changed
                else [
                    (
                        f"{key('weights.more')} {key('weights.less')} or a number changes the marked value",
                        "dim",
                    )
                ]
            )

    def _table(self, new: Mapping[str, float], width: int) -> Lines:
        shares = weights.shares(new)
        roomy = width >= 2 + NAME + WEIGHT + BAR + SHARE + COUNT
        name_width, weight_width, share_width, bar_width = (
            (NAME, WEIGHT, SHARE, BAR) if roomy else (LOW_NAME, LOW_WEIGHT, LOW_SHARE, 0)
        )
        head: list[Run] = [
            (
                " " * (name_width + 2)
                + "weight".ljust(weight_width)
                + "traffic".ljust(bar_width + share_width)
                + "instances",
                "dim",
            )
        ]
        lines: Lines = [head]
        for place, variant in enumerate(self._detail.variants):
            name, here = variant.name, place == self._row
            weight = self._cell(name, 0, variant.desired_weight)
            count = "serverless" if variant.memory else self._cell(name, 1, variant.desired_count)
            share = shares[name]
            old = weights.shares({one.name: one.desired_weight for one in self._detail.variants})[name]
            moved = f"{old:.0%} → {share:.0%}" if round(old, 4) != round(share, 4) else f"{share:.0%}"
            line: list[Run] = [
                ("› " if here else "  ", "accent"),
                (crop(name, name_width - 1) + " ", "strong" if here else ""),
                (crop(weight, weight_width - 1), self._role(here, 0, weight)),
                (" ", ""),
                (bar(share, bar_width) if roomy else "", "series-1"),
                (crop(" " * roomy + moved, share_width), "" if share == old else "live"),
                (count, self._role(here, 1, count)),
            ]
            lines.append(line)
        return lines

    def _cell(self, name: str, column: int, old: float) -> str:
        typed = self._typed.get((name, column))
        new = self._value(name, column)
        shown = f"{typed}▏" if typed is not None else f"{new:g}"
        return f"{old:g} → {shown}" if typed is not None or new != old else shown

    def _role(self, here: bool, column: int, text: str) -> str:
        if here and column == self._column:
            return "here"
        return "live" if "→" in text else ""

    # Keys

    @property
    def _at(self) -> tuple[str, int]:
        return self._names[self._row], self._column

    def _settle(self) -> None:
        """What was typed becomes the value."""
        for (name, column), text in list(self._typed.items()):
            if text:
                value = self._value(name, column)
                if column == 0:
                    self._weights[name] = value
                else:
                    self._counts[name] = int(value)
        self._typed.clear()

    def on_key(self, event: events.Key) -> None:
        character = event.character or ""
        if character.isdigit() or (character == "." and self._column == 0):
            if self._column == 1 and self._names[self._row] in self._serverless:
                return
            before = self._typed.get(self._at, "")
            if character == "." and "." in before:
                return
            self._typed[self._at] = before + character
            event.stop()
            self._draw()

    def action_erase(self) -> None:
        """The last character that was typed."""
        if self._at in self._typed:
            self._typed[self._at] = self._typed[self._at][:-1]
            self._draw()

    def action_up(self) -> None:
        self._move(-1, 0)

    def action_down(self) -> None:
        self._move(1, 0)

    def action_left(self) -> None:
        self._move(0, -1)

    def action_right(self) -> None:
        self._move(0, 1)

    def _move(self, rows: int, columns: int) -> None:
        self._settle()
        self._row = (self._row + rows) % len(self._names)
        self._column = max(0, min(len(COLUMNS) - 1, self._column + columns))
        self._draw()

    def action_more(self) -> None:
        self._add(1)

    def action_less(self) -> None:
        self._add(-1)

    def _add(self, sign: int) -> None:
        self._settle()
        name, column = self._at
        if column == 0:
            self._weights[name] = max(0.0, round(self._weights[name] + sign * self._step, 9))
        elif name not in self._serverless:
            self._counts[name] = max(0, self._counts[name] + sign)
        self._draw()

    def action_apply(self) -> None:
        self._settle()
        try:
            change = self.change()
        except Problem:
            self._draw()
            return
        if change:
            self.dismiss(change)

    def action_cancel(self) -> None:
        self.dismiss(None)


def _keys() -> str:
    return (
        f"{key('weights.up')} {key('weights.down')} variant · {key('weights.left')} {key('weights.right')} weight, instances · "
        f"{key('weights.more')} {key('weights.less')} 0-9 change it · {key('weights.apply')} asks · {key('weights.cancel')} leaves"
    )


def step_of(total: float) -> float:
    """How much + and − change a weight: 1, 2 or 5 times a power of ten, at most a tenth of all weights."""
    if total <= 0:
        return 0.1
    power = 10.0 ** math.floor(math.log10(total / 10 * (1 + 1e-9)))
    return max(factor * power for factor in (1, 2, 5) if factor * power <= total / 10 * (1 + 1e-9))


def change_weights(screen: ConsoleScreen, detail: EndpointDetail) -> None:
    """Let a person change the split, ask once more, and do it."""
    console = screen.console
    if detail.row.status != "InService":
        console.flash(f"{detail.name} is {detail.row.status}: its split can change once it is InService.", "wait")  # fmt: skip
        return

    def confirmed(change: Change) -> None:
        console.flash(f"Changing {change.endpoint} …", "wait")
        console.in_background(
            lambda: console.services.change_weights(change),
            lambda _: console.flash(f"✓ {change.endpoint} is being changed."),
        )

    def wanted(change: Change | None) -> None:
        if not change:
            return
        console.push_screen(
            ConfirmScreen(
                f"Change the traffic of {change.endpoint}?",
                change.sentences,
                "Change it",
                typed=change.endpoint if console.services.target == "aws" else "",
                does=methodcaller("change_weights", change),
            ),
            lambda choice: confirmed(change) if choice == "Change it" else None,
        )

    console.push_screen(WeightsScreen(detail), wanted)
