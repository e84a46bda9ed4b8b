"""What a person does with tuning jobs, key by key, and what is on the screen then."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Input, Static

from console.app import Console, make_app
from console.memory import Memory
from console.screens import tuning_facts
from console.screens.compare import CompareScreen
from console.screens.dialogs import ChoiceScreen, ConfirmScreen
from console.screens.exports import export
from console.screens.job import JobScreen
from console.screens.jobs import JobsScreen
from console.screens.tuning import TuningScreen
from console.screens.tuning_form import TuningFormScreen
from console.screens.tuning_job import TuningJobScreen
from console.widgets.line import Line
from console.widgets.page import Page
from console.widgets.plot import Plot
from console.widgets.rows import Rows
from console.widgets.select import Choice
from tests.console.conftest import until
from tests.console.scripted import Scripted, job_detail, job_row, populated
from tests.console.tuning_data import tuning_jobs, tuning_view
from workflows import topics
from workflows.observe.tuning_rows import Range, TrialCounts, TuningView
from workflows.problem import Problem

SMALL = (80, 24)
LARGE = (160, 48)
RUNNING, DONE = "boston-xgb-0115", "boston-xgb-0114"


def keys(app: Console) -> str:
    assert app.base_screen is not None
    return app.base_screen.query_one("#keys", Line).text


def drawn(app: Console, selector: str) -> str:
    plot = app.screen.query_one(selector, Plot)
    return "\n".join("".join(text for text, _ in line) for line in plot._lines)


def page(app: Console, selector: str) -> str:
    return app.screen.query_one(selector, Page).text


def rendered(rows: Rows[Any]) -> str:
    return "\n".join(rows.render_line(y).text for y in range(rows.size.height))


async def opened(pilot: Pilot[Any], name: str = RUNNING) -> TuningJobScreen:
    """The screen of a tuning job, with all that is found in its trials."""
    app: Any = pilot.app
    await app.open_tuning(name)
    screen = app.screen
    assert isinstance(screen, TuningJobScreen)
    await until(pilot, lambda: screen.findings is not None, "the findings")
    return screen


async def shows(pilot: Pilot[Any], screen: TuningJobScreen, part: str) -> None:
    """Go to a part with the key for it."""
    for _ in screen.parts:
        if screen.part == part:
            break
        await pilot.press("tab")
    assert screen.part == part
    await pilot.pause()


async def test_the_list_tells_status_best_trials_and_cost_and_narrows(app: Console) -> None:
    async with app.run_test(size=LARGE) as pilot:
        await pilot.press("5")
        assert isinstance(app.screen, TuningScreen)
        rows = app.screen.query_one("#list", Rows)
        await until(pilot, lambda: len(rows.items) == 4)
        text = rendered(rows)
        assert "32/40 ●2 ✗1" in text and "Bayesian" in text and "$0.0" in text
        await pilot.press("slash", *"strategy:hyperband", "enter")
        assert [row.name for row in rows.items] == ["fraud-linear-hyperband"]
        await pilot.press("escape", "s")
        assert [row.name for row in rows.items] == sorted(row.name for row in tuning_jobs())
        await pilot.press("colon", *"tuning", "space", *"grid", "enter")
        await until(pilot, lambda: [row.name for row in rows.items] == ["moons-grid"])
        await pilot.press("colon", *"xgb-0114", "enter")
        await until(pilot, lambda: isinstance(app.screen, TuningJobScreen))


async def test_an_empty_list_says_how_to_begin(services: Scripted) -> None:
    services.publish(topics.TUNING_JOBS, ())
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("5")
        await until(
            pilot, lambda: "No tuning job has run here" in rendered(app.screen.query_one("#list", Rows))
        )
        await pilot.press("n")
        assert isinstance(app.screen, JobsScreen)
        assert "t makes a tuning job of it" in keys(app)


async def test_a_trial_that_ends_is_marked_in_the_list(app: Console, services: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("5")
        rows = app.screen.query_one("#list", Rows)
        await until(pilot, lambda: "32/40" in rendered(rows))
        first, *rest = tuning_jobs()
        counts = replace(first.counts, completed=first.counts.completed + 1)
        services.publish(topics.TUNING_JOBS, (replace(first, counts=counts), *rest))
        await until(pilot, lambda: "33/40" in rendered(rows))
        assert rows._marks


async def test_the_overview_tells_counters_best_time_and_cost_left_and_the_verdict(app: Console) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot)
        await until(pilot, lambda: "Time left" in page(app, "#overview"))
        text = page(app, "#overview")
        assert "32 of 40" in text and "2 running" in text and "4 stopped early" in text and "1 failed" in text
        assert "3.233" in text and "trial 029-" in text
        assert "so far" in text and "to come" in text and "free here" in text
        assert "by luck" in text, "the verdict against the default is told in words"
        assert "0.01 to 0.5 · continuous, logarithmic" in text


async def test_the_leaderboard_ranks_marks_and_explains(app: Console) -> None:
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot)
        await shows(pilot, screen, "trials")
        rows = screen.query_one("#trial-list", Rows)
        await until(pilot, lambda: len(rows.items) == 34)
        values = [trial.value for trial in rows.items if trial.value is not None]
        assert values == sorted(values)
        text = rendered(rows)
        assert "◆" in text and "◧ Early stop" in text
        await pilot.press("slash", *"status:failed", "enter")
        assert [trial.status for trial in rows.items] == ["Failed"]
        assert "alpha >= 0" in page(app, "#trial"), "the reason stands below the list"
        await pilot.press("escape")
        assert len(rows.items) == 34 and isinstance(app.screen, TuningJobScreen)
        await pilot.press(*"ssssss")  # name, objective, status, time, eta, max_depth
        etas = [float(trial.tuned["eta"]) for trial in rows.items]
        depths = [int(trial.tuned["max_depth"]) for trial in rows.items]
        assert depths == sorted(depths) and etas != sorted(etas)
        await pilot.press("S")
        assert [int(trial.tuned["max_depth"]) for trial in rows.items] == sorted(depths, reverse=True)
        await pilot.press("home", "enter")
        await until(pilot, lambda: isinstance(app.screen, JobScreen))


async def test_the_trials_have_the_grammar_of_lists(tmp_path: Path) -> None:
    """Columns, order, views and marks; what was chosen on one tuning job holds for others, with the hyperparameters that those search."""
    services, memory = populated(), Memory(tmp_path / "console.json")
    view = tuning_view()
    other = replace(
        view,
        detail=replace(view.detail, definitions=(replace(view.detail.definitions[0], ranges=(Range(name="mini_batch", kind="integer", low=1, high=9), Range(name="status", kind="categorical", values=("a", "b")))),)),
        trials=tuple(replace(trial, tuned={"mini_batch": str(number % 9), "status": "ab"[number % 2]}) for number, trial in enumerate(view.trials)),
    )  # fmt: skip
    app = make_app(services, memory=memory)
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        rows = screen.rows()
        await until(pilot, lambda: len(rows.items) == 34)
        assert "Objective ▲" in rendered(rows), "less is better"
        await pilot.press("slash", *"eta:0.0 !status:failed", "enter")
        shown = list(rows.items)
        assert screen.part == "overview", "the list stands beside it"
        assert shown and all(tuning_facts.shown(trial.tuned["eta"]).startswith("0.0") for trial in shown)
        assert f"{len(shown)} of 34 trials · /eta:0.0" in screen.query_one("#nav", Line).text
        await pilot.press("colon", *"view save small", "enter", "escape")
        await until(pilot, lambda: len(rows.items) == 34)
        await pilot.press("colon", *"sort eta desc", "enter")
        await until(pilot, lambda: "eta ▼" in rendered(rows))
        await pilot.click(rows, offset=(rows.render_line(0).text.index("Trial"), 0))
        assert [trial.name for trial in rows.items] == sorted(trial.name for trial in view.trials)
        screen.use_view(replace(screen.arrangement.view, columns=("name", "cost", "eta", "value")))
        export(app, "csv", str(tmp_path / "trials.csv"))
        await until(pilot, (tmp_path / "trials.csv").exists)
        assert (tmp_path / "trials.csv").read_text().startswith("name,cost,eta,value\n001-")
        rows.focus()
        await pilot.press("home", "space", "equals_sign")
        assert "Mark two trials first" in keys(app)
        await pilot.press("space", "y")
        assert "the hyperparameters of 2 trials" in keys(app)
        await pilot.press("W")
        assert {place.name for place in app.watchlist.places} == {trial.name for trial in view.trials[:2]}
        await pilot.press("equals_sign")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen))
        assert app.screen.names == (view.trials[0].name, view.trials[1].name)  # type: ignore[attr-defined]
        await pilot.press("escape")
        assert rows.chosen
        await pilot.press("escape")
        assert not rows.chosen and app.screen is screen
        services.publish(topics.tuning(DONE), other)
        second = await opened(pilot, DONE)
        await shows(pilot, second, "trials")
        await until(pilot, lambda: len(second.rows().items) == 34)
        assert [column.id for column in second.shown] == [
            "name",
            "cost",
            "mini_batch",
            "hyper-status",
            "value",
        ]
        assert not second.filter and second.sorted_by[0].id == "name", "order and columns are kept, no filter"
        second.set_filter("hyper:b status:completed")
        assert {(trial.tuned["status"], trial.status) for trial in second.listed()} == {("b", "Completed")}
        await shows(pilot, second, "scatter")
        assert not second.leave() and second.filter, "Esc drops no filter that nobody sees"
        second.use_view(app.saved_views("trials")["small"])
        assert second.part == "trials" and second.filter == "eta:0.0 !status:failed"


async def test_the_cursor_stays_on_the_best_until_it_is_moved_and_then_on_its_trial(
    app: Console, services: Scripted
) -> None:
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        rows = screen.query_one("#trial-list", Rows)
        view = tuning_view()
        best = view.detail.best
        assert best is not None
        await until(pilot, lambda: rows.cursor_key == best.name)
        better = replace(view.trials[0], value=1.0)
        services.publish(topics.tuning(RUNNING), replace(view, trials=(better, *view.trials[1:])))
        await until(pilot, lambda: rows.cursor_key == better.name)
        await shows(pilot, screen, "trials")
        await pilot.press("down")
        chosen = rows.cursor_key
        services.publish(topics.tuning(RUNNING), view)
        await until(pilot, lambda: rows.items[0].name == best.name)
        assert rows.cursor_key == chosen


async def test_progress_has_the_best_so_far_the_defaults_band_and_both_axes(app: Console) -> None:
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot)
        await shows(pilot, screen, "progress")
        text = drawn(app, "#progress")
        assert "best so far" in text and "░" in text and "◆" in text and "×" in text and "trial 32" in text
        assert "▲ 1 far" in text, "one diverged trial does not press the others together"
        await pilot.press("a")
        assert "min" in drawn(app, "#progress").splitlines()[-1]


async def test_scatter_goes_through_the_hyperparameters(app: Console) -> None:
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot)
        await shows(pilot, screen, "scatter")
        assert "eta 1 of 5" in drawn(app, "#scatter")
        assert "0.1" in drawn(app, "#scatter").splitlines()[-1], "a logarithmic axis has its powers of ten"
        await pilot.press("n")
        assert "max_depth 2 of 5" in drawn(app, "#scatter")
        await pilot.press("left", "N")
        text = drawn(app, "#scatter")
        assert "booster 5 of 5" in text and "median" in text
        assert "gbtree" in text.splitlines()[-1] and "dart" in text.splitlines()[-1]


async def test_where_there_is_room_all_hyperparameters_are_shown_at_once(app: Console) -> None:
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        assert "best so far" in drawn(app, "#progress"), "progress stands beside the overview"
        assert screen.query_one("#trials").display
        await shows(pilot, screen, "scatter")
        text = drawn(app, "#scatter")
        assert all(name in text for name in ("eta", "max_depth", "subsample", "alpha", "booster"))


async def test_the_parallel_view_highlights_the_best_and_the_chosen(app: Console) -> None:
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot)
        await shows(pilot, screen, "parallel")
        text = drawn(app, "#parallel")
        assert "top 8 of 31" in text and "gbtree" in text and "◆ 029 3.233" in text
        assert max(len(line) for line in text.splitlines()) <= 78
        await pilot.press("plus")
        assert "top 16 of 31" in drawn(app, "#parallel")
        await pilot.press("minus", "minus", "down")
        text = drawn(app, "#parallel")
        assert "top 4 of 31" in text and "● chosen" in text and "● 032" in text
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, JobScreen))


async def test_what_matters_is_worked_out_only_when_it_is_looked_at(app: Console) -> None:
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot)
        assert screen.importance is None
        await shows(pilot, screen, "importance")
        await until(pilot, lambda: screen.importance is not None, "the importance", seconds=120)
        text = page(app, "#importance")
        assert "eta" in text and " to " in text and "made-up hyperparameter" in text


async def test_too_few_trials_are_said_to_be_so(app: Console, services: Scripted) -> None:
    few = tuning_view(count=9, defaults=0)
    services.publish(topics.tuning(RUNNING), few)
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot)
        await shows(pilot, screen, "importance")
        await until(pilot, lambda: "too few to tell" in page(app, "#importance"), seconds=120)
        await shows(pilot, screen, "default")
        assert "v trains it with several seeds" in " ".join(page(app, "#default").split())


async def test_the_default_configuration_is_compared_in_words_and_points(
    app: Console, services: Scripted
) -> None:
    view = tuning_view()
    near = tuple(replace(run, value=3.1 + 0.1 * place) for place, run in enumerate(view.defaults))
    services.publish(topics.tuning(RUNNING), replace(view, defaults=near))
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot)
        await shows(pilot, screen, "default")
        text = page(app, "#default")
        assert "Inside the spread" in text and "another seed of the default configuration does as well" in " ".join(text.split())  # fmt: skip
        assert "default" in text and "○" in text and "◆" in text and "░" in text


async def test_stop_names_the_job_and_keeps_to_it(app: Console, services: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot)
        await pilot.press("x")
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("right", "enter")
        await until(pilot, lambda: services.done)
        assert services.done == [("stop_tuning", RUNNING)]


async def test_what_runs_is_not_deleted_and_what_has_ended_is(app: Console, services: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("5", "d")
        assert "only what has ended can be deleted" in keys(app)
        await pilot.press("down", "d", "right", "enter")
        await until(pilot, lambda: ("delete_tuning", DONE) in services.done)


async def test_the_best_model_is_hosted_after_its_cost_was_told(app: Console, services: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot, DONE)
        await pilot.press("e")
        dialog = app.screen
        assert isinstance(dialog, ConfirmScreen)
        text = str(dialog.query_one(".sentences", Static).render())
        assert "validation:rmse" in text and "$0.115/h" in text and "free here" in text
        await pilot.press("right", "enter")
        best = tuning_view(DONE, count=22, active=False, defaults=0).detail.best
        assert best is not None and best.name in text
        await until(pilot, lambda: ("deploy_best", DONE, best.name) in services.done)


async def test_default_runs_start_with_as_many_seeds_as_are_chosen(app: Console, services: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot, DONE)
        await pilot.press("v")
        assert isinstance(app.screen, ChoiceScreen)
        await pilot.press("right", "enter")
        await until(pilot, lambda: ("start_defaults", DONE, 10) in services.done)


async def test_hyperparameters_are_copied_as_json(app: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr(app, "copy", lambda text, what: copied.append(text))
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot)
        await pilot.press("y")
        found = json.loads(copied[0])
        assert found["objective"] == "reg:squarederror" and float(found["eta"]) == pytest.approx(
            0.07077, abs=1e-4
        )


async def test_best_opens_its_training_job(app: Console) -> None:
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(pilot)
        best = screen.seen
        assert best is not None and best.detail.best is not None
        await pilot.press("b")
        assert isinstance(app.screen, JobScreen) and app.screen.name_of == best.detail.best.name


async def test_read_only_changes_nothing() -> None:
    services = populated(read_only=True)
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot, DONE)
        for key in "xdewv":
            await pilot.press(key)
            assert isinstance(app.screen, TuningJobScreen)
        assert "Read-only" in keys(app) and services.done == []


async def test_on_aws_the_name_has_to_be_typed() -> None:
    services = populated(target="aws")
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot)
        await pilot.press("x", *"no")
        dialog = app.screen
        assert isinstance(dialog, ConfirmScreen) and dialog._blocked("Stop it")
        app.screen.query_one(Input).value = RUNNING
        await pilot.press("enter")
        await until(pilot, lambda: services.done == [("stop_tuning", RUNNING)])


async def test_a_training_job_is_tuned_through_the_form(app: Console, services: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2", "end", "t")
        await until(pilot, lambda: isinstance(app.screen, TuningFormScreen))
        form = app.screen
        assert isinstance(form, TuningFormScreen)
        await until(pilot, lambda: "3 searched" in form.query_one("#verdict", Line).text)
        assert "$0.38 at most" in str(form.query_one("#bound", Static).render())
        form.query_one("#r-eta", Input).value = "0 to 0.3"
        await pilot.pause()
        assert (
            "eta begins at 0: a logarithmic scale has only numbers above 0"
            in form.query_one("#verdict", Line).text
        )
        await pilot.press("ctrl+s")
        assert not any(call[0] == "create_tuning" for call in services.done)
        assert app.focused is form.query_one("#r-eta")
        form.query_one("#r-eta", Input).value = "0.02 to 0.3"
        form.query_one("#m-booster", Choice).value = "searched"
        await pilot.pause()
        assert form.query_one("#r-booster", Input).value == "gbtree, dart"
        form.query_one("#m-subsample", Choice).value = "fixed"
        await pilot.pause()
        assert form.query_one("#r-subsample", Input).value == "0.9", "fixed: the value of the training job"
        form.query_one("#r-subsample", Input).value = "0.8"
        form.query_one("#t-trial-seconds", Input).value = "300"
        form.query_one("#t-job-seconds", Input).value = "3600"
        form.query_one("#t-retries", Input).value = "2"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: any(call[0] == "create_tuning" for call in services.done))
        request = next(call[1] for call in services.done if call[0] == "create_tuning")
        template = request.templates[0]
        assert [item.name for item in template.ranges] == ["eta", "max_depth", "booster"]
        assert (template.ranges[0].low, template.ranges[0].scaling) == (0.02, "Logarithmic")
        assert template.max_seconds == template.more["StoppingCondition"]["MaxRuntimeInSeconds"] == 300
        assert (request.max_seconds, template.retries, request.resource) == (3600, 2, None)
        assert template.static["subsample"] == "0.8" and template.static["num_round"] == "120"
        assert "booster" not in template.static
        await until(pilot, lambda: isinstance(app.screen, TuningJobScreen))


async def test_hyperband_is_given_its_resource(app: Console, services: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2", "end", "t")
        await until(pilot, lambda: isinstance(app.screen, TuningFormScreen))
        form = app.screen
        row = form.query_one("#t-min-resource").parent
        assert isinstance(row, Widget) and not row.display
        form.query_one("#t-strategy", Choice).value = "Hyperband"
        await until(pilot, lambda: row.display)
        for smallest, largest, job, wrong in (
            ("9", "0", "0", "Both ends"),
            ("9", "3", "0", "above the smallest"),
            ("0", "0", "60", "120 seconds"),
        ):
            form.query_one("#t-min-resource", Input).value = smallest
            form.query_one("#t-max-resource", Input).value = largest
            form.query_one("#t-job-seconds", Input).value = job
            await pilot.pause()
            assert wrong in form.query_one("#verdict", Line).text
        form.query_one("#t-job-seconds", Input).value = "0"
        form.query_one("#t-min-resource", Input).value = "3"
        form.query_one("#t-max-resource", Input).value = "27"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: any(call[0] == "create_tuning" for call in services.done))
        request = next(call[1] for call in services.done if call[0] == "create_tuning")
        assert (request.strategy, request.resource) == ("Hyperband", (3, 27))


async def test_a_refusal_leaves_the_form_as_it_is(app: Console, services: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2", "end", "t")
        await until(pilot, lambda: isinstance(app.screen, TuningFormScreen))
        services.fail = Problem("There are too many tuning jobs.", "Stop one.", "ResourceLimitExceeded")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "too many tuning jobs" in keys(app))
        services.fail = None
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, TuningJobScreen))


async def test_a_warm_start_opens_the_form_of_its_parent(app: Console, services: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await opened(pilot)
        await pilot.press("w")
        assert "needs a tuning job that has ended" in keys(app)
        await pilot.press("escape")
        await opened(pilot, DONE)
        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, TuningFormScreen))
        app.screen.query_one("#t-warm", Choice).value = "TransferLearning"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: any(call[0] == "create_tuning" for call in services.done))
        request = next(call[1] for call in services.done if call[0] == "create_tuning")
        assert request.warm_start == "TransferLearning" and request.parents == (DONE,)


async def test_home_shows_what_searches_instead_of_its_trials(app: Console) -> None:
    async with app.run_test(size=LARGE) as pilot:
        rows = app.screen.query_one("#list", Rows)
        await until(pilot, lambda: any(entry.kind == "tuning" for entry in rows.items))
        assert "32/40 ●2 ✗1 · best 3.2" in rendered(rows)
        assert not any(entry.kind == "job" and entry.name.startswith(RUNNING) for entry in rows.items)


async def test_thousands_of_trials_leave_the_keys_alone(services: Scripted) -> None:
    """Nothing but lines in sight is drawn; what takes time is done elsewhere."""
    view = tuning_view()
    many = [
        replace(trial, name=f"{trial.name[:-8]}{number:08x}", created=trial.created + number)
        for number in range(2_000)
        for trial in (view.trials[number % 30],)
    ]
    counts = TrialCounts(completed=2_000)
    row = replace(view.detail.row, counts=counts, most_jobs=10_000, strategy="Random")
    large = TuningView(detail=replace(view.detail, row=row), trials=tuple(many), defaults=view.defaults)
    services.publish(topics.tuning(RUNNING), large)
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=LARGE) as pilot:
        screen = await opened(pilot)
        await shows(pilot, screen, "trials")
        rows = screen.query_one("#trial-list", Rows)
        calls = 0
        cells = rows._cells

        def counted(trial: Any) -> Any:
            nonlocal calls
            calls += 1
            return cells(trial)

        rows._cells = counted
        await pilot.press("down")
        assert calls < 300, "a key draws the lines in sight, not two thousand"
        await shows(pilot, screen, "parallel")
        assert "top 8 of" in drawn(app, "#parallel")


async def test_on_a_slow_line_charts_wait_and_keys_do_not(services: Scripted) -> None:
    app = make_app(services, low_bandwidth=True)
    async with app.run_test(size=SMALL) as pilot:
        assert app.theme == "ansi-dark"
        screen = await opened(pilot)
        await shows(pilot, screen, "progress")
        before = drawn(app, "#progress")
        services.publish(topics.tuning(RUNNING), tuning_view(count=20))
        await until(pilot, lambda: screen.findings is not None and len(screen.findings.view.trials) == 20)
        assert drawn(app, "#progress") == before, "what comes in is drawn every ten seconds"
        await pilot.press("a")
        assert drawn(app, "#progress") != before, "what a key asks for is drawn at once"


async def test_a_trial_leads_up_to_its_tuning_job(app: Console, services: Scripted) -> None:
    trial = tuning_view().trials[0]
    row = job_row(trial.name, "Completed", 300, 20)
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:hyper-parameter-tuning-job/{RUNNING}"
    services.publish(topics.job(trial.name), replace(job_detail(row), raw={"TuningJobArn": arn}))
    async with app.run_test(size=LARGE) as pilot:
        await app.open_job(trial.name)
        await until(pilot, lambda: f"Trial of {RUNNING}" in " ".join(page(app, "#overview").split()))
        assert "u tuning job" in keys(app)
        await pilot.press("u")
        assert isinstance(app.screen, TuningJobScreen) and app.screen.name_of == RUNNING
