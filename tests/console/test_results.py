"""What a person does with the results of runs: look at them whole, sort and save them, compare runs, hand them over."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from console import browser, export
from console.app import Console, make_app
from console.formatting import crop_before
from console.screens import comparison_facts, results
from console.screens.comparison import ComparisonScreen
from console.screens.dialogs import ChoiceScreen, MessageScreen
from console.screens.endpoint import EndpointScreen
from console.screens.form import FormScreen
from console.screens.help import TextScreen
from console.screens.picking import PickScreen
from console.screens.result import ResultScreen
from console.screens.run import RunScreen
from console.screens.run_state import RunState
from console.screens.studies import StudiesScreen
from console.screens.studies_facts import last_run, study_facts
from console.screens.tuning_form import TuningFormScreen
from console.widgets.charts import ChartGrid
from console.widgets.line import Line
from console.widgets.page import Page
from console.widgets.rows import Rows
from console.widgets.select import Choice
from console.widgets.sheet import Sheet
from tests.console import run_data
from tests.console.conftest import until
from tests.console.scripted import NOW, Scripted, populated, run_events, study_run
from tests.console.settling import settle
from workflows import topics
from workflows.events import Figure, StepFinished, StepStarted, Table
from workflows.lineage import Lineage, Stale
from workflows.problem import Problem
from workflows.studies.catalog import catalog

SMALL = (80, 24)
DONE, BEFORE = "moons-20270115-074355-c0de", "moons-20270114-180210-77b1"
TO_DONE = ["4", *["down"] * (len(catalog()) + 1)]
WHY = "predictions.csv (step evaluate) is not the file that the run recorded."
STALE = Lineage(
    DONE, stale={step: Stale(step, WHY, "Restore the files.", "evaluate") for step in ("evaluate", "gate")}
)


@pytest.fixture
def full(services: Scripted) -> Scripted:
    """A run with figures of every form and a long table."""
    services.events[DONE] = run_data.events(DONE, run_events(DONE))
    return services


def sheet(app: Console) -> Sheet:
    return app.screen.query_one("#sheet", Sheet)


def first(app: Console) -> str:
    return str(sheet(app).items[0][1][0])


def listed(rows: Rows[Any]) -> str:
    return str([rows._cells(item) for item in rows.items if not item.title])


async def open_table(app: Console, pilot: Pilot[Any]) -> None:
    await pilot.press(*TO_DONE, "enter")
    screen = app.screen
    assert isinstance(screen, RunScreen)
    await until(pilot, lambda: screen.state.finished is not None)
    await pilot.press("tab", "enter", "N")
    assert isinstance(app.screen, ResultScreen)
    await until(pilot, lambda: len(sheet(app).items) == 120)


async def test_a_table_is_sorted_by_any_column_narrowed_and_read_row_by_row(
    app: Console, full: Scripted
) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await open_table(app, pilot)
        rows = full.events[DONE][-2].rows  # type: ignore[attr-defined]
        assert first(app) == "County 000, Alabama"
        await pilot.press("s", "s", "s")
        by_distance = sorted(rows, key=lambda row: -row[2])
        assert first(app) == by_distance[0][0] and sheet(app).cursor_key == sheet(app).items[0][0]
        await pilot.press("S")
        assert first(app) == by_distance[-1][0]
        await pilot.click("#sheet", offset=(4, 0))
        assert sheet(app).order == 0 and first(app) == "County 000, Alabama"
        await pilot.click("#sheet", offset=(4, 0))
        assert first(app) == "County 119, Alabama"
        assert "3 columns more →" in app.screen.query_one("#sheet-title", Line).text
        await pilot.press(*["right"] * 4)
        assert [column.label for column in sheet(app)._columns][-1] == "why"
        assert "←" in app.screen.query_one("#sheet-title", Line).text
        await pilot.press("slash", *"cluster:3", "enter")
        assert {line[1][1] for line in sheet(app).items} == {3}
        assert "15 of 120 rows" in app.screen.query_one("#nav", Line).text
        await pilot.press("enter")
        assert isinstance(app.screen, TextScreen)
        assert "many Professional" in " ".join(app.screen._text.split())
        await pilot.press("escape", "escape")
        assert len(sheet(app).items) == 120, "Esc drops the filter first"
        await pilot.press("escape")
        assert isinstance(app.screen, RunScreen)


async def test_results_are_gone_through_and_a_figure_fills_the_screen(app: Console, full: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await open_table(app, pilot)
        seen = []
        for _ in range(8):
            await pilot.press("n")
            result = app.screen.result  # type: ignore[attr-defined]
            seen.append(result.title)
            if not isinstance(result, Table) and result.form in ("fan", "field", "scatter"):
                page = app.screen.query_one("#figure", Page)
                await until(pilot, lambda title=result.title, page=page: title in page.text)  # type: ignore[misc]
                assert len(page._lines) == page.size.height
        assert len(set(seen)) == 8 and seen[-1] == "Counties and their clusters"


async def test_charts_that_find_no_room_are_gone_through(app: Console, services: Scripted) -> None:
    async with app.run_test(size=(60, 16)) as pilot:
        await pilot.press(*TO_DONE, "enter")
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await until(pilot, lambda: screen.state.finished is not None)
        await pilot.press("tab", "tab", "tab")
        grid = screen.query_one(ChartGrid)
        titles = [title or series[0].name for title, series in screen.state.charts()]
        assert len(titles) > 1

        def begins(title: str) -> bool:
            return bool(grid._lines) and title in "".join(text for text, _ in grid._lines[0])

        await until(pilot, lambda: begins(titles[0]))
        assert "→ begins with the next" in "".join(text for text, _ in grid._lines[-1])
        await pilot.press("right")
        await until(pilot, lambda: begins(titles[1]))
        await pilot.press("left", "left")
        await until(pilot, lambda: begins(titles[-1]))


async def test_enter_and_a_click_open_the_result_in_sight(app: Console, full: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press(*TO_DONE, "enter")
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await until(pilot, lambda: screen.state.finished is not None)
        await pilot.press("tab")
        await until(pilot, lambda: len(screen._begins) == 8)
        await pilot.press("end", "enter")
        assert app.screen.result.title == "Counties and their clusters"  # type: ignore[attr-defined]
        await pilot.press("escape", "home")
        await pilot.click("#results", offset=(3, 1))
        assert isinstance(app.screen, ResultScreen) and app.screen.result.title == "Free baselines"


async def test_a_result_is_saved_as_csv_and_never_over_a_file(
    app: Console, full: Scripted, tmp_path: Path
) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await open_table(app, pilot)
        target = tmp_path / "counties.csv"
        for told in (
            lambda: app.flash_text and "Saved" in app.flash_text[0],
            lambda: isinstance(app.screen, MessageScreen),
        ):
            await pilot.press("w")
            app.screen.query_one("#prompt Input", Input).value = str(target)
            await pilot.press("enter")
            await until(pilot, told)
        with target.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        assert rows[0][:2] == ["county", "cluster"] and rows[0][-1] == "why" and len(rows) == 121


def test_every_figure_becomes_points() -> None:
    fan, heat, scatter, bar = (
        list(csv.reader(export.as_csv(one).splitlines())) for one in run_data.figures()
    )
    assert fan[0] == ["series", "x", "y", "low", "high"] and len(fan) == 1 + 30 + 30 + 60 + 30
    assert heat[0] == ["series", "x", "y", "z"] and len(heat) == 1 + 7 * 8
    assert scatter[0] == ["series", "x", "y", "label"] and scatter[1][-1] == "County 0-0"
    assert bar[0] == ["series", "x", "y"]
    assert export.file_name("run-1", "Präzision & recall, (test)") == "run-1-pr-zision-recall-test.csv"


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="cannot be written"):
        export.write(str(tmp_path / "none" / "x.csv"), "a")


def test_a_step_that_is_done_again_tells_its_results_once() -> None:
    def told(status: str, *, again: bool) -> list[str]:
        state = RunState()
        events = run_events("r", upto=5)
        table = next(event for event in events if isinstance(event, Table))
        more = [StepStarted(time=NOW, step=table.step, title="Free baselines"), *([table] if again else [])]
        state.take([*events, *more, StepFinished(time=NOW, step=table.step, status=status, seconds=1)])
        return [result.title for result in state.results if isinstance(result, Table)]

    assert told("done", again=True).count("Free baselines") == 1
    assert told("reused", again=False).count("Free baselines") == 1
    assert told("done", again=False).count("Free baselines") == 0


async def test_results_whose_inputs_changed_are_withheld_with_the_reason(
    app: Console, services: Scripted
) -> None:
    services.stale[DONE] = STALE
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press(*TO_DONE)
        rows = app.screen.query_one("#list", Rows)
        await until(pilot, lambda: "results withheld" in listed(rows))
        assert "0.8933" not in app.screen.query_one("#about", Page).text
        await pilot.press("enter")
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await until(pilot, lambda: screen.state.withheld)
        overview = " ".join(screen.query_one("#overview", Page).text.split())
        assert "predictions.csv (step evaluate) is not the file" in overview and "0.8933" not in overview
        results = screen.query_one("#results", Page)
        await pilot.press("tab")
        await until(pilot, lambda: "Results are withheld." in results.text)
        assert "On 150 points" not in results.text and "Free baselines" in results.text


async def test_two_marked_runs_are_compared(app: Console, services: Scripted) -> None:
    services.events[BEFORE] = run_events(BEFORE)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press(*TO_DONE, "space")
        rows = app.screen.query_one("#list", Rows)
        assert any(item.title.startswith("Runs\t◆ one more") for item in rows.items)
        await pilot.press("down", "space", "d")
        screen = app.screen
        assert isinstance(screen, ComparisonScreen) and (screen.a, screen.b) == (BEFORE, DONE)
        differs = screen.query_one("#differs", Page)
        await until(pilot, lambda: "learning-rate" in differs.text)
        assert (
            "+8.7 points" in differs.text and "▲ better" in differs.text and "≈ within chance" in differs.text
        )
        assert "✗ fail → ✓ pass" in differs.text and "Train the net" in differs.text
        await pilot.press("tab")
        sides = screen.query_one("#sides", Page)
        await until(pilot, lambda: sides.text.count("Free baselines") == 2)
        await pilot.press("s")
        await until(pilot, lambda: ("compare", DONE, BEFORE) in services.done)
        await pilot.press("a")
        assert isinstance(app.screen, RunScreen) and app.screen.run_id == DONE


async def test_a_run_is_compared_with_one_that_is_chosen(app: Console, services: Scripted) -> None:
    async with app.run_test(size=(160, 48)) as pilot:
        await app.open_run(DONE)
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await until(pilot, lambda: screen.state.finished is not None)
        await pilot.press("d")
        assert isinstance(app.screen, PickScreen)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ComparisonScreen))
        assert ("compare", BEFORE, DONE) in services.done


def test_results_stand_beside_each_other_where_there_is_room() -> None:
    a, b = RunState(run="a"), RunState(run="b")
    a.take(run_events("a"))
    b.take(run_data.events("b", run_events("b")))
    paired = comparison_facts.pairs(a.shown, b.shown)
    assert all(one is not None and two is not None for one, two in paired[: len(a.shown)])
    assert [one for one, _ in paired[len(a.shown) :]] == [None] * 5
    lines = ["".join(text for text, _ in line) for line in comparison_facts.sides(a, b, 160, ground="")]
    assert any(line.count("Free baselines") == 2 for line in lines)
    narrow = ["".join(text for text, _ in line) for line in comparison_facts.sides(a, b, 80, ground="")]
    assert sum("Free baselines" in line for line in narrow) == 2 and any(
        "only here" in line for line in narrow
    )


async def test_a_report_is_written_and_said_where_it_is(
    app: Console, services: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.7 50022 10.0.0.9 22")
    async with app.run_test(size=SMALL) as pilot:
        await app.open_run(DONE)
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await until(pilot, lambda: screen.state.finished is not None)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, TextScreen))
        assert ("write_report", DONE) in services.done
        told = app.screen._text  # type: ignore[attr-defined]
        assert f"{DONE}.html" in told and "scp '" in told and "@10.0.0.9:" in told


def test_a_browser_is_used_only_before_the_persons_eyes() -> None:
    assert not browser.available({"SSH_CONNECTION": "a 1 b 2", "DISPLAY": ":0"})
    assert browser.available({"DISPLAY": ":0"}) and browser.available({"WAYLAND_DISPLAY": "wayland-0"})
    assert "@[fe80::1]:/r.html'" in browser.fetching(
        Path("/r.html"), {"SSH_CONNECTION": "fe80::2 1 fe80::1 22"}
    )


async def test_a_run_hands_over_to_its_endpoint_and_to_tuning(app: Console, services: Scripted) -> None:
    services.kept[DONE] = (f"endpoint {DONE}", f"endpoint configuration {DONE}", f"model {DONE}")
    async with app.run_test(size=(160, 48)) as pilot:
        await app.open_run(DONE)
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await until(pilot, lambda: screen.state.kept)
        assert screen._can_stop, "what it keeps can be deleted"
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, TuningFormScreen))
        assert ("draft_tuning", "moons-1f3a") in services.done
        await pilot.press("escape", "e")
        await until(pilot, lambda: isinstance(app.screen, EndpointScreen))
        assert app.screen.name_of == DONE  # type: ignore[attr-defined]


@pytest.mark.parametrize("target", ["embedded", "aws"])
async def test_two_kept_models_get_an_endpoint_for_their_test(target: str) -> None:
    services = populated(target=target)
    other = "moons-20270113-090000-aaaa"
    services.kept = {run: (f"endpoint {run}", f"model {run}") for run in (DONE, other)}
    known = [replace(run, keep=run.id == DONE) for run in services.values[topics.RUNS].value or ()]
    kept = study_run(other, "completed", created=NOW - 9_000, ended=NOW - 8_900, metrics={"accuracy": 0.87})
    services.publish(topics.RUNS, (*known, replace(kept, keep=True)))
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await app.open_run(DONE)
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await until(pilot, lambda: screen.state.kept)
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, PickScreen))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ChoiceScreen))
        if target == "aws":
            await pilot.press(*f"{DONE}-ab")
            await pilot.press("enter")
        else:
            await pilot.press("right", "enter")
        await until(pilot, lambda: any(call[0] == "host_together" for call in services.done))
        call = next(call for call in services.done if call[0] == "host_together")
        assert call[1] == f"{DONE}-ab" and [(one.name, one.source) for one in call[2]] == [
            ("run-c0de", DONE), ("run-aaaa", other),
        ]  # fmt: skip
        await until(pilot, lambda: isinstance(app.screen, EndpointScreen))


async def test_read_only_compares_and_reads_but_starts_nothing() -> None:
    services = populated()
    services.read_only = True
    services.kept[DONE] = (f"model {DONE}",)
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await app.open_run(DONE)
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await until(pilot, lambda: screen.state.kept)
        for key in ("b", "t"):
            await pilot.press(key)
            assert app.flash_text is not None and "Read-only" in app.flash_text[0]
        assert app.screen is screen and not any(
            call[0] in ("host_together", "draft_tuning") for call in services.done
        )


async def test_the_gallery_tells_data_time_cost_and_how_runs_went(services: Scripted) -> None:
    services.target = "aws"
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("4")
        assert isinstance(app.screen, StudiesScreen)
        rows = app.screen.query_one("#list", Rows)
        await until(pilot, lambda: "◌ synthetic" in listed(rows))
        moons = [cell.text for cell in rows._cells(rows.items[1])]
        assert moons[0] == "moons" and moons[1] == "● running · 3 runs" and moons[3] == "8 min · to $0.02"
        about = app.screen.query_one("#about", Page).text
        assert "What you learn" in about and "best 0.8933" in about


async def test_made_up_data_are_named_in_the_lists_and_their_scores_are_no_best(services: Scripted) -> None:
    known = services.values[topics.RUNS].value or ()
    scored = next(run for run in known if run.id == DONE)
    made_up = replace(
        scored,
        id=f"{DONE}-made-up",
        created=NOW - 1,
        metrics={**scored.metrics, "accuracy": 1.0, "synthetic": 1.0},
    )
    services.publish(topics.RUNS, (made_up, *(run for run in known if not run.active)))
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=(140, 40)) as pilot:
        await pilot.press("4")
        rows = app.screen.query_one("#list", Rows)
        await until(pilot, lambda: "SYNTHETIC accuracy 1" in listed(rows))
        assert "✓ SYNTHETIC 1 · 3 runs" in listed(rows)
    facts = study_facts(catalog()[0], (made_up, *known), None, {}, NOW, 80)
    (runs,) = ["".join(text for text, _ in line) for line in facts if line and line[0][0] == "Runs   "]
    assert "accuracy 0.8933" in runs and "SYNTHETIC" not in runs


async def test_five_studies_and_the_first_runs_are_in_sight_on_a_small_screen(services: Scripted) -> None:
    moons = catalog()[0]
    names = ["moons", "fraud", "plagiarism", "population", "forecasting"]
    services.studies = lambda: [replace(moons, name=name) for name in names]  # type: ignore[method-assign]
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("4")
        rows = app.screen.query_one("#list", Rows)
        await until(pilot, lambda: len(rows.items) == 11)
        seen = [(item.kind, item.name) for item in rows.in_sight if not item.title]
        assert [name for kind, name in seen if kind == "study"] == names
        assert sum(kind == "run" for kind, _ in seen) >= 3


async def test_what_a_completed_run_keeps_is_deleted_from_the_list(services: Scripted) -> None:
    services.kept[DONE] = (f"endpoint {DONE}",)
    known = services.values[topics.RUNS].value or ()
    services.publish(topics.RUNS, tuple(replace(run, keep=run.id == DONE) for run in known))
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press(*TO_DONE, "x")
        await until(pilot, lambda: isinstance(app.screen, ChoiceScreen))
        dialog = app.screen
        assert isinstance(dialog, ChoiceScreen) and dialog._choices == ["Cancel", "Delete it"]
        await pilot.press("right", "enter")
        await until(pilot, lambda: ("stop_run", DONE) in services.done)


async def test_what_a_run_cannot_do_yet_is_said_while_it_goes_on(app: Console, services: Scripted) -> None:
    running = "moons-20270115-075825-1f3a"
    services.events[running] = run_events(running, upto=5)
    async with app.run_test(size=SMALL) as pilot:
        await app.open_run(running)
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await until(pilot, lambda: screen.state.started is not None and bool(app.known(topics.RUNS)))
        for key in "dbte":
            app.flash_text = None
            await pilot.press(key)
            await until(pilot, lambda: app.flash_text is not None)
            assert app.flash_text is not None and "goes on still" in app.flash_text[0], key
        assert app.screen is screen


async def test_the_results_of_a_run_that_goes_on_begin_with_the_figure_that_moves(
    app: Console, services: Scripted
) -> None:
    running = "moons-20270115-075825-1f3a"
    told = run_events(running, upto=5)
    step = next(event.step for event in reversed(told) if isinstance(event, StepStarted))
    table = Table(time=NOW, step=step, title="Before it", columns=["a"], rows=[[row] for row in range(40)])
    moving = Figure(
        time=NOW, step=step, title="After epoch 5", form="line", series=[{"name": "a", "x": [1, 2], "y": [1, 2]}], key="boundary",
    )  # fmt: skip
    services.events[running] = [*told, table, moving]
    async with app.run_test(size=SMALL) as pilot:
        await app.open_run(running)
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await until(pilot, lambda: moving in screen.state.viewed)
        await pilot.press("tab")
        page = screen.query_one("#results", Page)
        at = screen.state.viewed.index(moving)
        await until(pilot, lambda: page.scroll_offset.y == min(screen._begins[at], page.max_scroll_y) > 0)


def test_a_wide_table_among_results_shows_the_columns_that_can_be_read() -> None:
    columns = ["k", *(f"what segments explain {n}" for n in range(6))]
    table = Table(time=NOW, step="a", title="Wide", columns=columns, rows=[[n] * 7 for n in range(40)])
    lines = ["".join(text for text, _ in line) for line in results.short_table(table, 78, "Enter")]
    assert lines[-1] == "… 10 more rows and 2 more columns: Enter shows all of them"
    assert lines[1].count("what segments") == 4 and max(map(len, lines)) <= 78
    wide = ["".join(text for text, _ in line) for line in results.short_table(table, 200, "Enter")]
    assert wide[-1] == "… 10 more rows: Enter shows all of them" and wide[1].count("what segments") == 6


@pytest.mark.parametrize("study", [info.name for info in catalog()])
async def test_each_study_starts_from_the_menu_with_its_settings_explained(
    study: str, services: Scripted
) -> None:
    info = next(one for one in catalog() if one.name == study)
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("4", *["down"] * [one.name for one in catalog()].index(study), "enter")
        form = app.screen
        assert isinstance(form, FormScreen) and form.info.name == study
        await until(pilot, lambda: form.query("#verdict"))
        number = next(
            one for one in info.parameters if one.type in ("int", "float") and one.maximum is not None
        )
        field = form.query_one(f"#p-{number.name}", Input)
        field.value = str(int((number.maximum or 0) * 10 + 1))
        await until(pilot, lambda: "cannot be" in form.query_one("#verdict", Line).text)
        field.value = f"{number.minimum or 0:g}"
        await until(pilot, lambda: "Ctrl+S" in form.query_one("#verdict", Line).text)
        form.query_one("#p-interface", Choice).value = "high"
        choice = next(one for one in info.parameters if one.type == "choice" and one.name == "data")
        form.query_one("#p-data", Choice).focus()
        hint = form.query_one("#hint", Static)
        await until(
            pilot,
            lambda: f"{choice.default}: {dict(choice.choices)[str(choice.default)]}" in str(hint.render()),
        )
        await pilot.press("right")
        await until(pilot, lambda: f"{choice.choices[1][0]}: {choice.choices[1][1]}" in str(hint.render()))
        await pilot.press("left", "ctrl+s")
        await until(pilot, lambda: any(call[0] == "start_run" for call in services.done))
        call = next(call for call in services.done if call[0] == "start_run")
        assert call[1] == study and call[3] == "high" and call[2][number.name] == number.parse(field.value)


async def test_a_form_marks_what_is_other_than_in_the_run(app: Console, services: Scripted) -> None:
    events = services.events[DONE]
    events[0] = replace(events[0], parameters={"epochs": 77, "learning-rate": 0.02})  # type: ignore[call-arg]
    async with app.run_test(size=SMALL) as pilot:
        await app.open_run(DONE)
        run = app.screen
        assert isinstance(run, RunScreen)
        await until(pilot, lambda: run.state.finished is not None)
        await pilot.press("n")
        form = app.screen
        assert isinstance(form, FormScreen)
        await until(pilot, lambda: form.texts()["epochs"] == "77")
        assert "other than" not in form.summary()
        form.query_one("#p-epochs", Input).value = "90"
        await until(pilot, lambda: form.summary() == "• 1 setting other than in that run")
        assert str(form.query_one("#n-epochs").render()) == "epochs •"
        form.query_one("#p-epochs", Input).focus()
        await until(pilot, lambda: "in that run 77" in str(form.query_one("#hint").render()))


async def test_a_long_text_has_the_room_that_the_other_columns_leave(app: Console, full: Scripted) -> None:
    said = "train.json and test.json: every series starts at the stamp that the notebook gave it, in UTC"
    table = Table(
        time=0, title="Audit", columns=["check", "threshold", "says"], rows=[["stamps", "-", said], ["b", "0.25", "x"]]
    )  # fmt: skip
    async with app.run_test(size=(140, 30)) as pilot:
        await open_table(app, pilot)
        sheet(app).show_table(table)
        await pilot.pause()
        widths = [(column.label, column.width, column.right) for column in sheet(app)._columns]
        assert widths == [("check", 7, False), ("threshold", 11, True), ("says", len(said), False)]
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert 44 < sheet(app)._columns[-1].width <= 78 - 7 - 11 - 4


@pytest.mark.parametrize("width, shown", [(40, "✓ accuracy 0.8933 · 3 runs"), (18, "✓ accuracy 0.8933"), (15, "✓ accur… 0.8933")])  # fmt: skip
def test_how_a_study_went_keeps_its_figure(width: int, shown: str) -> None:
    """The number of its runs gives way first, then the name of the measure: never the figure or the sign."""
    cell = last_run([study_run("moons-1", "completed", metrics={"accuracy": 0.8933})] * 3, {})
    said = cell.short if len(cell.text) > width else cell.text
    assert crop_before(said, width, cell.keep).rstrip() == shown


async def test_little_room_cuts_neither_the_state_nor_the_time_of_a_study() -> None:
    app = make_app(populated(), theme_name="mlconsole-dark")
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.press("4")
        await settle(pilot)
        lines = [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]
        (row,) = (line for line in lines if line.startswith("▌ moons"))
        assert "● running " in row and row.endswith(" 30 s") and "…" not in row
