"""What a person does with transform jobs, key by key, and what is on the screen then."""

from __future__ import annotations

from typing import Any

from textual.widgets import Input

from console.app import Console, make_app
from console.screens.dialogs import ConfirmScreen
from console.screens.jobs import JobsScreen, is_trial, kind_of
from console.screens.transform import TransformScreen
from console.screens.transform_facts import charts, in_a_cell
from console.screens.transform_form import TransformFormScreen
from console.widgets.charts import ChartGrid
from console.widgets.line import Line
from console.widgets.page import Page
from console.widgets.rows import Rows
from tests.console.conftest import until
from tests.console.scripted import Scripted, job_row, jobs, populated
from tests.console.tuning_data import FAILURE, transform_progress, transforms
from workflows import topics
from workflows.observe.transform_rows import TransformProgress

SMALL = (80, 24)
LARGE = (160, 48)


def keys(app: Console) -> str:
    assert app.base_screen is not None
    return app.base_screen.query_one("#keys", Line).text


def rendered(rows: Rows[Any]) -> str:
    return "\n".join(rows.render_line(y).text for y in range(rows.size.height))


def chart_text(screen: TransformScreen) -> str:
    return "\n".join("".join(text for text, _ in line) for line in screen.query_one(ChartGrid)._lines)


def with_batch() -> tuple[Console, Scripted]:
    services = populated(batch=True)
    trial = job_row("boston-xgb-0115-001-1a2b3c4d", "Completed", 300, 20)
    services.publish(topics.JOBS, (*jobs(), trial))
    return make_app(services, theme_name="mlconsole-dark"), services


async def test_jobs_of_all_kinds_are_in_one_list_that_the_kinds_narrow() -> None:
    app, services = with_batch()
    async with app.run_test(size=LARGE) as pilot:
        await pilot.press("2")
        rows = app.screen.query_one("#list", Rows)
        await until(pilot, lambda: len(rows.items) == 9)
        assert rows.items[0].name == transforms()[0].name
        assert rows.current is rows.items[0]
        text = rendered(rows)
        assert "transform" in text and "trial" in text and "62% · 3 811/s" in text
        for kind, number in (("training", 5), ("trial", 1), ("transform", 3)):
            await pilot.press("tab")
            assert {kind_of(row) for row in rows.items} == {kind} and len(rows.items) == number
        assert "job moons-high-20270115-075812-41c2" not in services.watched()
        await pilot.press("tab", "slash", *"kind:trial", "enter")
        assert [row.name for row in rows.items] == ["boston-xgb-0115-001-1a2b3c4d"]


def test_trials_are_known_by_their_names() -> None:
    assert is_trial("boston-xgb-0115-017-3fa2c1d9") and is_trial("t-1000-00000000")
    assert not is_trial("moons-low-20270115-074400-9d01") and not is_trial("boston-xgb-0115-default-01")


async def test_a_transform_job_shows_progress_throughput_output_and_where() -> None:
    app, services = with_batch()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: len(app.screen.query_one("#list", Rows).items) == 9)
        await pilot.press("home", "enter")
        screen = app.screen
        assert isinstance(screen, TransformScreen)
        overview = screen.query_one("#overview", Page)
        await until(pilot, lambda: "Records" in overview.text)
        text = " ".join(overview.text.split())
        assert "62%" in text and "266 000" in text and "3 811 records/s" in text and "about 42 s" in text
        assert "s3://sagemaker-us-east-1-123456789012/boston/test/" in text and "split by Line" in text
        await pilot.press("tab", "tab")
        assert "1 more: n begins with the next" in chart_text(screen)
        await pilot.press("n")
        assert "CPUUtilization" in chart_text(screen)
        await pilot.press("o")
        await until(pilot, lambda: "24.0000" in screen.query_one("#output", Page).text)
        assert "the first 40" in screen.query_one("#output", Page).text
        await pilot.press("tab")
        assert "$[1:]" in screen.query_one("#settings", Page).text
        await pilot.press("x")
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("right", "enter")
        await until(pilot, lambda: ("stop_transform", transforms()[0].name) in services.done)


async def test_the_failure_of_a_record_is_told_with_its_position() -> None:
    app, _ = with_batch()
    async with app.run_test(size=SMALL) as pilot:
        await app.open_transform(transforms()[2].name)
        screen = app.screen
        await until(pilot, lambda: "Why it failed" in screen.query_one("#overview", Page).text)
        assert " ".join(FAILURE.split()) in " ".join(screen.query_one("#overview", Page).text.split())
        await pilot.press("x")
        assert "nothing to stop" in keys(app)


async def test_a_transform_job_is_started_from_a_training_job() -> None:
    app, services = with_batch()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2", "tab", "end", "b")
        await until(pilot, lambda: isinstance(app.screen, TransformFormScreen))
        form = app.screen
        verdict = form.query_one("#verdict", Line)
        assert "The input has to be a place in S3" in verdict.text
        await pilot.press("ctrl+s")
        assert not any(call[0] == "create_transform" for call in services.done)
        form.query_one("#b-input", Input).value = "s3://bucket/test/"
        form.query_one("#b-input_filter", Input).value = "1:"
        await pilot.pause()
        assert "begins with $" in verdict.text
        form.query_one("#b-input_filter", Input).value = "$[1:]"
        form.query_one("#b-max_payload_mb", Input).value = "900"
        await pilot.pause()
        assert "from 0 to 100" in verdict.text
        form.query_one("#b-max_payload_mb", Input).value = ""
        await pilot.press("ctrl+s")
        await until(pilot, lambda: any(call[0] == "create_transform" for call in services.done))
        draft = next(call[1] for call in services.done if call[0] == "create_transform")
        assert draft.request.input == "s3://bucket/test/" and draft.request.input_filter == "$[1:]"
        assert (
            draft.request.max_payload_mb is None
            and draft.training_job == "boston-xgboost-20270114-120000-0042"
        )
        await until(pilot, lambda: isinstance(app.screen, TransformScreen))


async def test_a_transform_job_is_started_from_the_model_of_an_endpoint(
    app: Console, services: Scripted
) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("3", "down", "enter", "b")
        await until(pilot, lambda: isinstance(app.screen, TransformFormScreen))
        assert ("draft_transform", "moons-low-9d01") in services.done


async def test_what_has_no_model_is_neither_tuned_nor_used() -> None:
    app, services = with_batch()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2", "tab", "home")
        assert "t tune" not in keys(app)
        for key in ("t", "b"):
            await pilot.press(key)
            assert isinstance(app.screen, JobsScreen)
        assert "has completed" in keys(app)
        assert services.done == []


def test_progress_in_a_cell_says_what_is_known() -> None:
    assert in_a_cell(None) == ""
    assert in_a_cell(TransformProgress()) == ""
    assert in_a_cell(TransformProgress(records=1204.0)) == "1 204 records"
    assert in_a_cell(TransformProgress(bytes=5e6, bytes_total=20_000_000)) == "25%"


def test_throughput_is_the_growth_of_what_is_done() -> None:
    found = dict(charts(transform_progress(transforms()[0]).series))
    assert set(found) == {
        "records per second",
        "records so far",
        "MB per second",
        "MB so far",
        "CPUUtilization",
    }
    assert {y for _, y in found["records per second"][0].points} == {3000.0, 3400.0, 3800.0, 4200.0, 4600.0}
