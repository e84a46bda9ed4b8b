"""Every study is launched from the menu, through both interfaces, on its own data and on others, by keys alone."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from console.app import Console
from console.screens.form import FormScreen
from console.screens.run import RunScreen
from console.screens.studies import StudiesScreen
from tests.console.conftest import until
from tests.console.scripted import Scripted
from workflows.studies.catalog import StudyInfo, catalog
from workflows.studies.parameters import parse_all

SMALL, LARGE = (80, 24), (160, 48)


async def _opened(pilot: Pilot[Any], study: str) -> FormScreen:
    """The form of a study, opened from the list."""
    await pilot.press("4")
    await until(pilot, lambda: isinstance(pilot.app.screen, StudiesScreen))
    await pilot.press("home", *["down"] * [one.name for one in catalog()].index(study), "enter")
    form = pilot.app.screen
    assert isinstance(form, FormScreen) and form.info.name == study
    await until(pilot, lambda: form.focused is not None and form.focused.id == "p-interface")
    return form


@pytest.mark.parametrize("info", catalog(), ids=lambda info: info.name)
async def test_a_study_is_launched_from_the_menu(info: StudyInfo, app: Console, services: Scripted) -> None:
    """Low on its second kind of data (made-up ones, or one's own) on a small terminal, then high with its defaults on a large one."""
    (data,) = [one for one in info.parameters if one.name == "data"]
    way = ["keep", *(one.name for one in info.parameters)]
    async with app.run_test(size=SMALL) as pilot:
        form = await _opened(pilot, info.name)
        await pilot.press(*["down"] * (way.index("data") + 1), "right")
        assert form.focused is not None and form.focused.id == "p-data"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        await pilot.press("4")
        await pilot.resize_terminal(*LARGE)
        await _opened(pilot, info.name)
        await pilot.press("right", "ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
    other = parse_all(info.parameters, {"data": data.choices[1][0]})
    assert services.done == [
        ("start_run", info.name, other, "low", False, ""),
        ("start_run", info.name, parse_all(info.parameters, {}), "high", False, ""),
    ]


async def test_down_reaches_every_field_and_brings_it_into_sight(app: Console) -> None:
    async with app.run_test(size=SMALL) as pilot:
        form = await _opened(pilot, "fraud")
        fields = form.query_one("#fields")
        for name in ("keep", *(one.name for one in form.info.parameters)):
            await pilot.press("down")
            assert form.focused is not None and form.focused.id == f"p-{name}"
        await until(pilot, lambda: fields.content_region.contains_region(form.focused.region))  # type: ignore[union-attr]
        await pilot.press("up")
        assert form.focused.id == f"p-{form.info.parameters[-2].name}"
        before = fields.scroll_offset.y
        await pilot.press("pageup")
        await until(pilot, lambda: fields.scroll_offset.y < before)
        assert form.focused.id == f"p-{form.info.parameters[-2].name}", "a page scrolls, and moves no focus"
