"""Dialogs in little room: what allows a thing and what leaves is always in sight, also after the terminal has changed its size."""

from __future__ import annotations

import pytest

from console.app import Console, make_app
from console.screens.columns import ColumnsScreen
from console.screens.dialogs import ChoiceScreen, ConfirmScreen
from console.screens.weights import WeightsScreen
from console.widgets.prompt import Prompt
from tests.console.scripted import populated
from tests.console.settling import settle

SMALL = (60, 20)
NAME = "customer-lifetime-value-forecasting-production-challenger-b-042"


def on_screen(app: Console) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def test_a_long_name_does_not_push_the_choices_out_of_the_dialog() -> None:
    """63 characters, the most that AWS allows, take two lines each time."""
    app = make_app(populated(target="aws"), theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        said = [f"Delete endpoint {NAME}.", f"Delete endpoint configuration {NAME}.", f"Delete model {NAME}.", "Whoever calls it gets an error."]  # fmt: skip
        app.push_screen(ConfirmScreen(f"Delete endpoint {NAME}?", said, "Delete", typed=NAME))
        await settle(pilot)
        shown = on_screen(app)
        assert "to allow it" in shown and "Cancel" in shown and "Delete " in shown
        assert "scroll · Esc leaves" in shown and "gets an error" not in shown
        for _ in range(12):
            await pilot.press("down")
        await settle(pilot)
        assert "gets an error" in on_screen(app) and "Cancel" in on_screen(app)


@pytest.mark.parametrize("before, after", [((100, 40), SMALL), (SMALL, (100, 40))])
async def test_a_list_of_names_follows_the_terminal(before: tuple[int, int], after: tuple[int, int]) -> None:
    app = make_app(populated(), theme_name="mlconsole-dark")
    async with app.run_test(size=before) as pilot:
        names = [f"endpoint-{number:02}" for number in range(20)]
        app.push_screen(ConfirmScreen("Delete 20 endpoints?", ["Callers get an error."], "Delete", listed=names))  # fmt: skip
        await settle(pilot)
        await pilot.resize_terminal(*after)
        await settle(pilot)
        shown = on_screen(app)
        assert "Cancel" in shown and "Callers get an error." in shown and "Esc leaves" in shown
        assert ("endpoint-19" in shown) == (after[1] == 40) == ("scroll" not in shown)


async def test_the_split_of_each_variant_is_in_sight_in_sixty_columns() -> None:
    app = make_app(populated(), theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        for key in ("3", "down", "enter", "s", "down", "plus", "plus"):
            await pilot.press(key)
            await settle(pilot, timers=False)
        assert isinstance(app.screen, WeightsScreen)
        lines = on_screen(app).splitlines()
        (head,) = (line for line in lines if "weight " in line and "traffic" in line)
        (row,) = (line for line in lines if "› challenger" in line)
        assert "instances" in head and "→" in row and row.index("10% →") == head.index("traffic")
        assert "Esc leaves" in on_screen(app)


async def test_the_keys_of_the_columns_are_in_sight_in_twenty_lines() -> None:
    app = make_app(populated(), theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2")
        await settle(pilot)
        await pilot.press("C")
        await settle(pilot)
        assert isinstance(app.screen, ColumnsScreen) and "Esc leaves" in on_screen(app)


async def test_five_choices_find_room_in_sixty_columns() -> None:
    app = make_app(populated(), theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        choices = ["Cancel", "By weights", "Blue/green", "Canary", "Linear"]
        app.push_screen(
            ChoiceScreen("Promote xgboost: how?", ["By weights: the winner gets weight 1."], choices)
        )
        await settle(pilot)
        assert "Linear " in on_screen(app)


@pytest.mark.parametrize(
    "label, shown", [("weights", " weights a=1"), ("since ", " since a=1"), ("/", " /a=1")]
)
async def test_what_is_asked_for_stands_apart_from_what_is_typed(label: str, shown: str) -> None:
    app = make_app(populated(), theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2")
        await settle(pilot)
        app.screen.query_one(Prompt).ask("weights", label, "a=1")
        await settle(pilot)
        assert shown in on_screen(app)
