"""What a key costs, counted: how many widgets are styled for it. Styling took half of the time between a key and its picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from textual.css.stylesheet import Stylesheet

from console.app import Console, make_app
from console.screens.base import ConsoleScreen
from console.screens.costs import CostsScreen
from console.screens.endpoint import EndpointScreen
from console.screens.experiment import ExperimentScreen
from console.screens.job import JobScreen
from console.screens.rollout import RolloutScreen
from console.screens.run import RunScreen
from console.screens.transform import TransformScreen
from console.screens.tuning_job import TuningJobScreen
from console.widgets import charts
from console.widgets.charts import ChartGrid
from console.widgets.drawing import Series
from tests.console.scripted import Scripted
from tests.console.settling import settle

LARGE = (160, 48)
WITH_PARTS = (
    CostsScreen,
    EndpointScreen,
    ExperimentScreen,
    JobScreen,
    RolloutScreen,
    RunScreen,
    TransformScreen,
    TuningJobScreen,
)
STYLED_WHEN_FOCUS_MOVES = 6
"""Widgets that a Tab may style: what had the focus, what gets it, and one that has another size beside the overview."""


class Count:
    """How many nodes were styled, and how often the sheet was read."""

    styled = 0
    parsed = 0


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Iterator[Count]:
    found = Count()
    apply, reparse = Stylesheet.apply, Stylesheet.reparse

    def counted(sheet: Stylesheet, node: Any, **options: Any) -> None:
        found.styled += 1
        apply(sheet, node, **options)

    def read(sheet: Stylesheet) -> None:
        found.parsed += 1
        reparse(sheet)

    monkeypatch.setattr(Stylesheet, "apply", counted)
    monkeypatch.setattr(Stylesheet, "reparse", read)
    yield found


@pytest.mark.parametrize("screen", WITH_PARTS, ids=lambda screen: screen.__name__)
def test_every_part_says_what_it_shows(screen: type[ConsoleScreen]) -> None:
    assert set(screen.panes) == {name for name, _ in screen.parts}
    known = set(" ".join(screen.panes.values()).split())
    assert set(screen.beside.split()) <= known
    assert set(screen.smaller.split()) <= set(screen.beside.split())


async def test_a_tab_between_parts_styles_what_changes_and_nothing_else(app: Console, count: Count) -> None:
    async with app.run_test(size=LARGE) as pilot:
        for keys in (["2", "enter"], ["3", "enter"], ["5", "enter"], ["4", "1", "enter"]):
            await pilot.press(*keys)
            await settle(pilot)
            screen = app.base_screen
            assert screen is not None and screen.parts, keys
            for name, _ in (*screen.parts[1:], screen.parts[0]):
                if name == "importance":
                    break  # is worked out in a process of its own, which takes seconds
                count.styled = 0
                await pilot.press("tab")
                await settle(pilot, timers=False)
                assert count.styled <= STYLED_WHEN_FOCUS_MOVES, (screen, screen.part)
                shown = {pane.id for pane in screen.query("*") if pane.id and pane.display}
                wanted = set(screen.panes[screen.part].split())
                others = set(" ".join(screen.panes.values()).split()) - wanted - set(screen.beside.split())
                assert wanted <= shown and not others & shown


async def test_what_stands_beside_the_overview_follows_the_width(app: Console) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "enter")
        await settle(pilot)
        screen = app.base_screen
        assert isinstance(screen, JobScreen)
        assert not screen.query_one("#log").display
        await pilot.resize_terminal(*LARGE)
        await settle(pilot)
        assert screen.query_one("#log").display and screen.query_one("#metrics").has_class("-beside")
        await pilot.press("tab", "tab")
        assert screen.part == "metrics" and not screen.query_one("#metrics").has_class("-beside")
        await pilot.resize_terminal(80, 24)
        await pilot.press("shift+tab", "shift+tab")
        assert screen.part == "overview" and not screen.query_one("#log").display


async def test_a_section_is_styled_once_and_not_at_all_when_it_comes_back(app: Console, count: Count) -> None:
    async with app.run_test(size=LARGE) as pilot:
        await settle(pilot)
        for key in "23456":
            count.styled = count.parsed = 0
            await pilot.press(key)
            await settle(pilot)
            screen = app.base_screen
            assert screen is not None
            # Each widget once, the four looks within each input, and the widget that gets the focus once more.
            most = len(list(screen.walk_children())) + 4 * len(screen.query("Input")) + 8
            assert count.styled <= most, screen
            assert count.parsed == 0, screen
        await pilot.press("1")  # it was there before the theme was
        await settle(pilot)
        for key in "234561":
            count.styled = 0
            await pilot.press(key)
            await settle(pilot)
            assert count.styled == 0, key


async def test_a_form_is_styled_once(app: Console, count: Count) -> None:
    async with app.run_test(size=LARGE) as pilot:
        await pilot.press("4")
        await settle(pilot)
        count.styled = 0
        await pilot.press("enter")
        await settle(pilot)
        screen = app.base_screen
        assert screen is not None and screen.place == "form"
        assert (
            count.styled
            <= len(list(screen.walk_children(with_self=True))) + 4 * len(screen.query("Input")) + 12
        )


async def test_another_theme_reaches_screens_that_are_out_of_sight(app: Console) -> None:
    async with app.run_test(size=LARGE) as pilot:
        await pilot.press("2", "1")
        await settle(pilot)
        app.use_theme("light")
        await settle(pilot)
        await pilot.press("2")
        await settle(pilot)
        assert app.screen.styles.background.hex.lower() == app.theme_variables["background"].lower()


def _series(points: int) -> tuple[Series, ...]:
    return (Series("loss", tuple((float(x), float(x % 7)) for x in range(points))),)


async def test_charts_out_of_sight_are_not_drawn_until_they_are_looked_at(
    services: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: Counter[tuple[int, int]] = Counter()
    grid = charts.grid

    def counted(titled: Sequence[Any], width: int, height: int, **options: Any) -> Any:
        drawn[len(titled), width] += 1
        return grid(titled, width, height, **options)

    monkeypatch.setattr(charts, "grid", counted)
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "enter", "tab", "tab")
        await settle(pilot)
        screen = app.base_screen
        assert isinstance(screen, JobScreen) and screen.part == "metrics"
        grid_of = screen.query_one(ChartGrid)
        await pilot.press("shift+tab")  # the log
        await settle(pilot)
        drawn.clear()
        grid_of.show_charts([("new", _series(20))], at_once=True)
        await settle(pilot)
        assert not drawn
        await pilot.press("tab")
        await settle(pilot)
        assert drawn and all(number == 1 for number, _ in drawn)


def test_a_chart_with_the_same_points_and_the_same_room_is_drawn_once() -> None:
    charts._chart.cache_clear()
    titled = [("loss", _series(600))]
    first = charts.grid(titled, 60, 12)
    first[0].append(("x", ""))
    assert charts.grid([("loss", _series(600))], 60, 12)[0] != first[0]
    assert charts._chart.cache_info().hits == 1
