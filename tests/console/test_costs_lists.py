"""The grammar of lists in both lists of the costs: filter, order, columns, views, marks, export."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from console.app import Console, make_app
from console.memory import Memory
from console.screens.costs import CostsScreen
from console.screens.dialogs import ConfirmScreen, MessageScreen
from console.screens.exports import export
from console.view import View
from console.widgets.line import Line
from console.widgets.page import Page
from console.widgets.rows import Rows
from tests.console.conftest import until
from tests.console.scripted import Scripted, populated
from tests.console.test_grammar import navigation
from workflows.sweep.leftovers import ENDPOINT, MODEL, Rules, SweepPlan

SMALL = (80, 24)


def costs(app: Console) -> CostsScreen:
    assert isinstance(app.base_screen, CostsScreen)
    return app.base_screen


def names(app: Console) -> list[str]:
    """What the list in sight shows."""
    return [getattr(row, "bill", row).name for row in costs(app).listed()]


def heading(app: Console) -> str:
    return costs(app).rows().render_line(0).text


def above(app: Console) -> str:
    return " | ".join(costs(app).query_one(name, Line).text.strip() for name in ("#totals", "#basis"))


async def test_a_command_opens_the_bill_filtered_and_the_totals_stay_those_of_all(app: Console) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("6", "tab")  # the other part was looked at last
        await pilot.press("1", "colon", *"costs endp !plag", "enter")
        await until(pilot, lambda: isinstance(app.screen, CostsScreen) and len(names(app)) == 5)
        assert costs(app).part == "bills" and names(app)[0] == "sentiment-live", "dearest first"
        assert above(app).startswith("~$2.00 an hour   ~$1,461.46 a month   ~$432.54 so far | 5 of 7 things, totals of all")  # fmt: skip
        assert "prices of 2026-09" in above(app) and "5 of 7 things · /endp !plag" in navigation(app)
        for text, shown in (("expired", 1), ("moons.*beef$", 1), ("-f bstxg", 1), ("sentiment", 1), ('owner:"run moons"', 3), ("nofield:x", 0)):  # fmt: skip
            costs(app).set_filter(text)
            assert len(names(app)) == shown, text
        await pilot.pause()
        assert "None of 7 things matches 'nofield:x'" in costs(app).rows().render_line(2).text
        await pilot.press("escape")
        assert isinstance(app.screen, CostsScreen) and len(names(app)) == 7 and "totals of all" not in above(app)  # fmt: skip


async def test_every_column_of_the_bill_sorts_by_key_by_click_and_by_name(app: Console) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("6")
        await until(pilot, lambda: len(names(app)) == 7)
        dearest = names(app)
        assert "An hour ▼" in heading(app)
        await pilot.press("s")
        assert "Name ▲" in heading(app) and names(app) == sorted(dearest)
        await pilot.click("#list", offset=(heading(app).index("Up"), 0))
        assert "Up ▼" in heading(app) and names(app)[0] == "sentiment-live"
        assert names(app)[-1].startswith("moons-high")
        await pilot.press("S")
        assert "Up ▲" in heading(app) and names(app)[0].startswith("moons-high")
        await pilot.press("colon", *"sort expires", "enter")
        await until(pilot, lambda: "Expires ▲" in heading(app))
        assert names(app)[:2] == ["moons-20270101-120000-beef", "moons-ab-20270115-074500"]
        costs(app).use_view(View())
        assert names(app) == dearest


async def test_leftovers_lose_their_titles_where_another_column_sorts_them(app: Console) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("6", "tab")
        await until(pilot, lambda: len(names(app)) == 7)
        rows: Rows[Any] = costs(app).rows()
        assert len(rows.items) > 7 and "Kind" not in heading(app)
        await pilot.press("slash", *"moons", "enter", "a")
        assert above(app).startswith("3 of 5 that may go are chosen   $83.95 a month on AWS | 3 of 7 things, totals of all")  # fmt: skip
        await pilot.press("slash", *"kind:model", "enter")
        assert [row.name for row in costs(app).listed()] == ["moons-20270114-180210-77b1", "boston-batch"]
        assert "2 not listed" in above(app) and len(costs(app).chosen) == 3
        await pilot.press("a")  # those that are listed only
        assert {kind for kind, _ in costs(app).chosen} == {ENDPOINT, "S3 objects"}
        assert (MODEL, "boston-batch") not in costs(app).chosen
        await pilot.press("escape")
        costs(app).sort_by("month")
        assert "A month ▼" in heading(app)
        assert "Kind" in heading(app) and len(rows.items) == 7
        assert names(app)[:2] == ["boston-tutorial-xgboost", "moons-20270101-120000-beef"]
        costs(app).sort_by("kind")
        assert len(rows.items) > 7 and "Kind" not in heading(app)


async def test_each_list_remembers_its_own_view_and_is_exported_as_it_is_shown(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "console.json")
    app = make_app(populated(), memory=memory)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("6", "slash", *"moons", "enter", "s")
        await until(pilot, lambda: len(names(app)) == 3)
        await pilot.press("colon", *"view save mine", "enter", "tab")
        await until(pilot, lambda: len(names(app)) == 7)
        await pilot.press("slash", *"xgboost", "enter")
        assert app.saved_views("leftovers") == {} and list(app.saved_views("costs")) == ["mine"]
        export(app, "json", str(tmp_path / "left.json"))
        await until(pilot, (tmp_path / "left.json").exists)
    memory.flush()
    again = make_app(populated(), memory=Memory(tmp_path / "console.json"))
    async with again.run_test(size=SMALL) as pilot:
        await pilot.press("6")
        await until(pilot, lambda: again.screen.query_one("#list", Rows).items)
        if costs(again).part != "bills":
            await pilot.press("tab")
        assert names(again) == sorted(names(again)) and len(names(again)) == 3
        export(again, "csv", str(tmp_path / "bills.csv"))
        await until(pilot, (tmp_path / "bills.csv").exists)
        export(again, "json", str(tmp_path / "bills.json"))
        await until(pilot, (tmp_path / "bills.json").exists)
        await pilot.press("tab")
        await until(pilot, lambda: names(again) == ["boston-tutorial-xgboost"])
    (left,) = json.loads((tmp_path / "left.json").read_text())
    assert (left["name"], left["chosen"], left["per_hour"]) == ("boston-tutorial-xgboost", False, 0.736)
    table = list(csv.reader((tmp_path / "bills.csv").read_text().splitlines()))
    assert table[0] == ["name", "state", "instances", "hour", "month", "so-far", "up", "expires"]
    assert [row[0] for row in table[1:]] == sorted(row[0] for row in table[1:]) and len(table) == 4
    documents = json.loads((tmp_path / "bills.json").read_text())
    assert documents[0]["marks"] == ["expired", "idle"] and documents[0]["activity"]["verdict"] == "idle"


async def test_marked_endpoints_get_one_lifetime_and_one_question(app: Console, services: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("6")
        await until(pilot, lambda: len(names(app)) == 7)
        await pilot.press("down", "space", "space", "space")  # the second of them is a job
        assert "3 marked" in navigation(app)
        await pilot.press("t")
        app.screen.query_one("#prompt Input", Input).value = "8h"
        await pilot.press("enter")
        await until(pilot, lambda: sum(call[0] == "set_lifetime" for call in services.done) == 2)
        await until(pilot, lambda: "2 endpoints expire in" in (app.flash_text or ("",))[0])
        assert services.done[-1] == ("set_lifetime", "moons-ab-20270115-074500", 8 * 3600.0, False)
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("right", "enter")
        await until(pilot, lambda: sum(call[0] == "delete_endpoint" for call in services.done) == 2)
        await until(pilot, lambda: "1 marked" in navigation(app))  # the job, which nobody deletes here
        await pilot.press("escape")
        assert "marked" not in navigation(app) and isinstance(app.screen, CostsScreen)


async def test_all_that_is_swept_is_named_and_what_stays_is_told_below_the_list(
    services: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.target = "aws"
    planned = services.plan_sweep

    def many(rules: Rules) -> SweepPlan:
        plan = planned(rules)
        model = next(item for item in plan.free if item.kind == MODEL)
        more = tuple(
            replace(model, name=f"model-of-a-run-that-has-a-long-name-{number}") for number in range(30)
        )
        return replace(plan, items=(*plan.items, *more))

    monkeypatch.setattr(services, "plan_sweep", many)
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("6", "tab")
        await until(pilot, lambda: len(names(app)) == 37)
        below = costs(app).query_one("#preview", Page)
        await pilot.press("down", "down")
        await until(pilot, lambda: "boston-tutorial-xgboost" in below.text)
        assert "It stays: not made by mlconsole" in below.text
        assert below.size.height >= 4, "why it stays is not cut"
        await pilot.press("a", "d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        dialog = app.screen
        page = dialog.query_one(Page)
        last = "model-of-a-run-that-has-a-long-name-29"
        assert last in page.text and page.size.height < 30
        choices = dialog.query_one("#choices", Line)
        assert "scroll" in choices.text and choices.region.bottom < dialog.query_one(".dialog").region.bottom
        await pilot.press(*["pagedown"] * 10)
        await until(pilot, lambda: page.scroll_offset.y == page.max_scroll_y > 0)
        await pilot.press("up", "pageup")
        assert page.scroll_offset.y < page.max_scroll_y
        await pilot.press(*"sweep", "enter")
        await until(pilot, lambda: isinstance(app.screen, MessageScreen))
        assert last in app.screen.query_one(Page).text, "what became of each is told, too"
