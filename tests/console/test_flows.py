"""What a person does, key by key, and what is on the screen then."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from functools import partial

import pytest
from textual import events
from textual.keys import _character_to_key
from textual.widgets import Input, Static

from console import keyorder
from console.app import Console, make_app
from console.screens.dialogs import ChoiceScreen, ConfirmScreen
from console.screens.endpoint import EndpointScreen
from console.screens.endpoints import EndpointsScreen
from console.screens.form import FormScreen
from console.screens.help import HelpScreen, TextScreen
from console.screens.home import HomeScreen
from console.screens.invoke import InvokeScreen
from console.screens.job import JobScreen
from console.screens.jobs import JobsScreen
from console.screens.palette import PaletteScreen
from console.screens.run import RunScreen
from console.screens.studies import StudiesScreen
from console.screens.tuning import TuningScreen
from console.screens.tuning_job import TuningJobScreen
from console.widgets.charts import ChartGrid
from console.widgets.line import Line
from console.widgets.log import LogView
from console.widgets.page import Page
from console.widgets.rows import Rows
from console.widgets.select import Choice
from tests.console.conftest import until
from tests.console.scripted import NOW, Scripted, endpoints, job_row, jobs, populated, run_events
from tests.console.tuning_data import tuning_jobs
from workflows import topics
from workflows.events import RunFinished
from workflows.problem import Problem
from workflows.studies.catalog import catalog, find

SMALL = (80, 24)
LARGE = (160, 48)


def banner(app: Console) -> str:
    assert app.base_screen is not None
    return app.base_screen.query_one("#banner", Line).text


def keys(app: Console) -> str:
    assert app.base_screen is not None
    return app.base_screen.query_one("#keys", Line).text


async def test_home_tells_what_runs_failed_costs_and_enter_goes_there(app: Console) -> None:
    async with app.run_test(size=SMALL) as pilot:
        rows = app.screen.query_one("#list", Rows)
        await until(pilot, lambda: len(rows.items) > 8)
        titles = [entry.title.strip() for entry in rows.items if entry.kind == "title"]
        assert titles == [
            "Runs now",
            "Failed in the last 24 hours",
            "Endpoints · each costs until it is deleted",
            "Latest runs",
        ]
        assert rows.cursor_key == ("run", "moons-20270115-075825-1f3a")
        await pilot.press("enter")
        assert isinstance(app.screen, RunScreen)
        await pilot.press("escape")
        assert isinstance(app.screen, HomeScreen)
        await pilot.press("down", "enter")
        assert isinstance(app.screen, TuningJobScreen)
        await pilot.press("escape", "down", "enter")
        assert isinstance(app.screen, JobScreen)


def costs(app: Console) -> str:
    return str(app.screen.query_one("#costs", Static).render())


async def test_home_estimates_what_is_up_and_says_what_it_does_not_know() -> None:
    services = populated()
    known, other = endpoints()
    services.publish(
        topics.ENDPOINTS,
        (
            replace(known, instances=(("ml.t2.medium", 1), ("ml.m5.large", 1))),
            replace(other, instances=(("ml.p9.huge", 1),)),
        ),
    )
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=LARGE) as pilot:
        await until(pilot, lambda: "2 endpoints" in costs(app))
        text = costs(app)
        assert text.startswith(
            "Free here; on AWS it would cost about $0.286/h (estimate, us-east-1 prices of 2026-"
        )
        assert "2 endpoints $0.171/h + ?, 1 running job $0.115/h" in text
        assert "Without ml.p9.huge: no price is known here" in text
        shown = rendered(app.screen.query_one("#list", Rows))
        assert "$0.171/h" in shown and "no price" in shown
        services.publish(topics.JOBS, ())
        services.publish(topics.ENDPOINTS, (replace(known, status="Deleting"),))
        await until(pilot, lambda: not app.screen.query_one("#costs").has_class("-shown"))


async def test_home_on_aws_says_what_is_paid() -> None:
    app = make_app(populated(target="aws"), theme_name="mlconsole-dark")
    async with app.run_test(size=LARGE) as pilot:
        await until(pilot, lambda: costs(app))
        assert costs(app).startswith("Costs about $0.286/h (estimate, us-east-1 prices of 2026-")
        assert "Without 1 resource whose instances are not known yet." in costs(app)


async def test_the_number_of_the_section_one_is_in_goes_to_its_list(app: Console) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("4", *["down"] * len(catalog()), "enter")
        assert isinstance(app.screen, RunScreen)
        await pilot.press("2")
        assert isinstance(app.screen, JobsScreen)
        await pilot.press("4")
        assert isinstance(app.screen, RunScreen), "from elsewhere: where one was"
        await pilot.press("4")
        assert isinstance(app.screen, StudiesScreen)
        await pilot.press("1", "enter")  # a run opened from Home belongs to the studies, too
        assert isinstance(app.screen, RunScreen)
        await pilot.press("4")
        assert isinstance(app.screen, StudiesScreen)
        await pilot.press("1", "1")
        assert isinstance(app.screen, HomeScreen)


async def test_an_ended_run_offers_no_stop_but_to_run_again_with_its_settings(
    app: Console, services: Scripted
) -> None:
    done = "moons-20270115-074355-c0de"
    events = services.events[done]
    events[0] = replace(events[0], parameters={"epochs": 77, "learning-rate": 0.02}, interface="high")  # type: ignore[call-arg]
    async with app.run_test(size=SMALL) as pilot:
        await app.open_run(done)
        await until(pilot, lambda: "n run again" in keys(app))
        assert "x stop" not in keys(app) and "u resume" not in keys(app)
        await pilot.press("u")
        assert app.flash_text is not None and "nothing to resume" in app.flash_text[0]
        await pilot.press("n")
        form = app.screen
        assert isinstance(form, FormScreen)
        await until(pilot, lambda: form.texts()["epochs"] == "77")
        assert form.texts()["learning-rate"] == "0.02"
        assert form.query_one("#p-interface", Choice).value == "high"
        assert not any(call[0] == "resume_run" for call in services.done)


@pytest.mark.parametrize("target", ["embedded", "aws"])
async def test_a_failed_run_tells_all_of_why_and_can_be_resumed(target: str) -> None:
    services = populated(target=target)
    run = "moons-20270114-180210-77b1"
    reason = "AlgorithmError: the script ended with exit code 1. " + "It could not read the column. " * 8
    services.events[run] = [
        replace(run_events(run, upto=3)[0], target=target),  # type: ignore[call-arg]
        *run_events(run, upto=3)[1:],
        RunFinished(time=NOW, run=run, status="failed", metrics={}, message=reason),
    ]
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await app.open_run(run)
        await until(pilot, lambda: "u resume" in keys(app))
        text = app.screen.query_one("#overview", Page).text
        assert " ".join(reason.split()) in " ".join(text.split())
        assert "u tries the failed step again" in text and "process.log" in text.replace("\n", "")
        await pilot.press("u")
        if target == "aws":
            assert isinstance(app.screen, ChoiceScreen)
            assert ("resume_run", run) not in services.done
            await pilot.press("right", "enter")
        await until(pilot, lambda: ("resume_run", run) in services.done)
        await until(pilot, lambda: isinstance(app.screen, RunScreen) and app.screen.run_id == run)


async def test_an_empty_account_is_told_what_to_do() -> None:
    services = Scripted()
    for topic in (topics.JOBS, topics.ENDPOINTS, topics.RUNS):
        services.publish(topic, ())
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        rows = app.screen.query_one("#list", Rows)
        await until(pilot, lambda: "Press 4" in rendered(rows))
        await pilot.press("2")
        assert "No training job" in rendered(app.screen.query_one("#list", Rows))


def rendered(rows: Rows[object]) -> str:
    return "\n".join(rows.render_line(y).text for y in range(rows.size.height))


def observes(services: Scripted, watched: set[str]) -> bool:
    return services.watched() == watched


async def test_digits_change_screens_and_hidden_screens_observe_nothing(
    app: Console, services: Scripted
) -> None:
    async with app.run_test(size=SMALL) as pilot:
        for key, screen, watched in (
            ("2", JobsScreen, {"jobs", "transforms", *(f"job {row.name}" for row in jobs())}),
            ("3", EndpointsScreen, {"endpoints"}),
            ("4", StudiesScreen, {"runs"}),
            ("5", TuningScreen, {"tuning-jobs", *(f"tuning {row.name}" for row in tuning_jobs())}),
            ("1", HomeScreen, {"jobs", "endpoints", "runs", "tuning-jobs", "transforms"}),
        ):
            await pilot.press(key)
            assert isinstance(app.screen, screen)
            await until(pilot, partial(observes, services, watched), f"watching {watched}")


async def test_filter_narrows_and_escape_drops_it(app: Console) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2", "slash", *"status:failed")
        rows = app.screen.query_one("#list", Rows)
        assert [row.name for row in rows.items] == ["plagiarism-sklearn-20270115-071530-77aa"]
        await pilot.press("enter")
        assert app.focused is rows
        await pilot.press("escape")
        assert len(rows.items) == 5
        assert isinstance(app.screen, JobsScreen)


async def test_sorting_keeps_the_cursor_on_its_job(app: Console) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2", "down")
        rows = app.screen.query_one("#list", Rows)
        name = rows.cursor_key
        await pilot.press("s")
        assert rows.cursor_key == name
        assert [row.name for row in rows.items] == sorted(row.name for row in jobs())
        await pilot.press("S")
        assert rows.cursor_key == name


async def test_the_cursor_follows_its_job_when_others_come_and_go(app: Console, services: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2", "down", "down")
        rows = app.screen.query_one("#list", Rows)
        name = rows.cursor_key
        services.publish(topics.JOBS, (job_row("brand-new", "InProgress", 1), *jobs()))
        await until(pilot, lambda: len(rows.items) == 6)
        assert rows.cursor_key == name
        services.publish(topics.JOBS, tuple(row for row in jobs() if row.name != jobs()[0].name))
        await until(pilot, lambda: len(rows.items) == 4)
        assert rows.cursor_key == name
        services.publish(topics.JOBS, tuple(row for row in jobs() if row.name != name))
        await until(pilot, lambda: rows.cursor_key != name)
        assert rows.cursor_key is not None


async def test_a_job_shows_timeline_log_metrics_settings(app: Console) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2", "enter")
        screen = app.screen
        assert isinstance(screen, JobScreen)
        await until(pilot, lambda: "Downloading" in screen.query_one("#overview", Page).text)
        await pilot.press("l")
        view = screen.query_one(LogView)
        assert app.focused is view
        assert len(view) == 43
        await pilot.press("slash", *"epoch 7/", "enter")
        assert view.term == "epoch 7/"
        assert "1 of 1" in view.summary
        await pilot.press("m")
        assert screen.query_one(ChartGrid).display
        await pilot.press("tab")
        assert "epochs" in screen.query_one("#settings", Page).text
        await pilot.press("escape")
        assert isinstance(app.screen, JobsScreen)


async def test_stopping_asks_first_and_stops_the_job_that_was_named(app: Console, services: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2", "x")
        assert isinstance(app.screen, ConfirmScreen)
        services.publish(topics.JOBS, (job_row("another", "InProgress", 1), *jobs()))
        await pilot.press("enter")
        assert services.done == []
        await pilot.press("home", "down", "x", "right", "enter")
        await until(pilot, lambda: services.done)
        assert services.done == [("stop_job", jobs()[0].name)]


async def test_a_job_that_has_ended_is_not_stopped(app: Console, services: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2", "down", "x")
        assert not isinstance(app.screen, ConfirmScreen)
        assert "nothing to stop" in keys(app)
        assert services.done == []


async def test_the_deletion_concerns_the_endpoint_that_the_dialog_names(
    app: Console, services: Scripted
) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("3")
        named = app.screen.query_one("#list", Rows).cursor_key
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        services.publish(topics.ENDPOINTS, ())
        await pilot.pause()
        await pilot.press("right", "enter")
        await until(pilot, lambda: len(services.done) == 2)
        assert services.done[1][0] == "delete_endpoint"
        assert services.done[1][1].endpoint == named


async def test_on_aws_the_name_has_to_be_typed() -> None:
    services = populated(target="aws")
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: "AWS 123456789012 prod" in banner(app))
        await pilot.press("2", "x")
        dialog = app.screen
        assert isinstance(dialog, ChoiceScreen)
        await pilot.press(*"wrong", "enter")
        assert services.done == []


async def test_on_aws_the_typed_name_allows_it() -> None:
    services = populated(target="aws")
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2", "x")
        app.screen.query_one(Input).value = jobs()[0].name
        await pilot.press("enter")
        await until(pilot, lambda: services.done == [("stop_job", jobs()[0].name)])


async def test_read_only_refuses_what_changes_things() -> None:
    services = populated(read_only=True)
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2")
        assert "stop" not in keys(app)
        await pilot.press("x")
        assert "Read-only" in keys(app)
        assert not isinstance(app.screen, ConfirmScreen)


async def test_a_question_shows_the_calls_that_it_is_about_and_stays() -> None:
    services = populated(target="aws")
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "x")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        question = app.screen
        await pilot.press("f4")
        await until(pilot, lambda: app.screen is not question, "the calls are shown")
        shown = "\n".join(strip.text for strip in app.screen._compositor.render_strips())
        assert "1. stop_job moons-" in shown and "nothing has been" in shown
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is question)
        assert not [call for call in services.done if call[0] == "stop_job"]


async def test_help_says_which_keys_read_only_mode_has_switched_off() -> None:
    app = make_app(populated(read_only=True), theme_name="mlconsole-dark")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2", "question_mark")
        await pilot.pause()
        shown = "\n".join(strip.text for strip in app.screen._compositor.render_strips())
        assert "Stop the job under the cursor  (off: read-only)" in shown
        assert "(asks)" not in shown


async def test_invoking_shows_the_answer_and_keeps_a_history(app: Console, services: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("3", "enter", "i")
        screen = app.screen
        assert isinstance(screen, InvokeScreen)
        await pilot.press("ctrl+s")
        answer = screen.query_one("#answer", Page)
        await until(pilot, lambda: "0.93" in answer.text)
        assert "4.2 ms" in answer.text
        assert services.done[0][:1] == ("invoke",)
        services.fail = Problem("The model said no.", "Read its log.", "ModelError")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "The model said no." in answer.text)
        await pilot.press("escape")
        assert isinstance(app.screen, EndpointScreen)


async def test_the_moons_study_starts_from_the_menu(app: Console, services: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("4", "enter")
        form = app.screen
        assert isinstance(form, FormScreen)
        form.query_one("#p-epochs", Input).value = "none"
        await pilot.pause()
        assert "epochs cannot be 'none'" in form.query_one("#verdict", Line).text
        await pilot.press("ctrl+s")
        assert services.done == []
        form.query_one("#p-epochs", Input).value = "120"
        form.query_one("#p-interface", Choice).value = "high"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        call, study, values, interface, keep, preset = services.done[0]
        assert (call, study, interface, keep, preset) == ("start_run", "moons", "high", False, "")
        assert values["epochs"] == 120
        run = app.screen
        assert isinstance(run, RunScreen)
        await until(pilot, lambda: run.state.current is not None)
        assert run.state.current is not None and run.state.current.id == "train"
        await pilot.press("escape")
        assert isinstance(app.screen, StudiesScreen)


async def test_values_that_do_not_go_together_are_told_before_the_start(
    app: Console, services: Scripted
) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await app.push_screen(FormScreen(find("building")))
        form = app.screen
        assert isinstance(form, FormScreen)
        form.query_one("#p-model", Choice).value = "both"
        await pilot.pause()
        assert "model both needs reviews" in form.query_one("#verdict", Line).text
        await pilot.press("ctrl+s")
        assert services.done == []
        form.query_one("#p-subject", Choice).value = "reviews"
        await pilot.pause()
        assert "needs reviews" not in form.query_one("#verdict", Line).text
        await pilot.press("ctrl+s")
        await until(pilot, lambda: bool(services.done))
        assert services.done[0][2]["model"] == "both"


async def test_the_notebook_settings_fill_the_form(app: Console) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("4", "enter")
        default = app.screen.query_one("#p-epochs", Input).value
        await pilot.press("f2")
        assert app.screen.query_one("#p-epochs", Input).value == "80"
        await pilot.press("f2")
        assert app.screen.query_one("#p-epochs", Input).value == default


async def test_keys_that_come_together_are_done_one_after_another(app: Console) -> None:
    """As a line that was slow for a moment brings them: the next before the last was done."""
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("4", "enter")
        form = app.screen
        assert isinstance(form, FormScreen)
        await until(pilot, lambda: form.query("#verdict"))
        together = [
            "tab",
            "tab",
            "ctrl+a",
            "ctrl+k",
            *"47",
            "backspace",
            *"0",
            "tab",
            "ctrl+a",
            "ctrl+k",
            *"0.5",
        ]
        for key in together:
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: form.texts()["learning-rate"] == "0.5", "the last key is done")
        assert form.texts()["epochs"] == "40"


async def test_escape_with_a_key_right_behind_it_is_both(app: Console) -> None:
    """As `console.driver.Keys` makes Alt of the two. In a field, Alt moves by words as in a shell; a keymap may bind Alt, too."""

    def typed(text: str) -> None:
        for character in text:
            app.post_message(events.Key(_character_to_key(character), character))

    def with_alt(key: str, character: str) -> None:
        app.post_message(events.Key(f"alt+{key}", character))

    def line() -> str:
        return app.screen.query_one(Input).value

    async with app.run_test(size=SMALL) as pilot:
        typed("2/two words")
        with_alt("b", "b")
        typed("no ")
        await until(pilot, lambda: isinstance(app.screen, JobsScreen) and line() == "two no words")
        with_alt("colon", ":")
        typed("endpoints")
        app.post_message(events.Key("enter", "\r"))
        await until(pilot, lambda: isinstance(app.screen, EndpointsScreen), "Escape, colon, endpoints, Enter")
        typed("/n")
        with_alt("shift+d", "D")
        await until(pilot, lambda: app.focused is not None and not isinstance(app.focused, Input))
        assert line() == "n"


async def test_a_key_waits_for_a_screen_that_takes_long(
    app: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy machine opens one in more than a third of a second: what is typed then is for that screen."""
    mounted = PaletteScreen.on_mount

    async def late(screen: PaletteScreen) -> None:
        await asyncio.sleep(0.1)
        mounted(screen)

    monkeypatch.setattr(PaletteScreen, "on_mount", late)
    monkeypatch.setattr(keyorder, "LONGEST", 0.01)
    async with app.run_test(size=SMALL) as pilot:
        for letter in ":jobs":
            app.post_message(events.Key(_character_to_key(letter), letter))
        await until(
            pilot,
            lambda: isinstance(app.screen, PaletteScreen) and app.screen.query_one(Input).value == "jobs",
        )


def slow_to_plan(services: Scripted, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """What a deletion would delete is known when the event is set."""
    found, planned = threading.Event(), services.plan_deletion

    def late(name: str) -> object:
        assert found.wait(60)
        return planned(name)

    monkeypatch.setattr(services, "plan_deletion", late)
    return found


async def test_keys_wait_for_a_dialog_that_is_looked_up(
    app: Console, services: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is typed behind the key goes to the dialog, not to the list below; who has gone on gets none."""
    found = slow_to_plan(services, monkeypatch)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: app.screen.query_one("#list", Rows).items)
        monkeypatch.setattr(keyorder, "HELD", 600.0)
        for key in ("d", "a", "right", "enter"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await pilot.pause()
        found.set()
        await until(pilot, lambda: any(call[0] == "delete_endpoint" for call in services.done))
        assert isinstance(app.screen, EndpointsScreen), "no A/B test was opened"
        found.clear()
        monkeypatch.setattr(keyorder, "HELD", 0.001)
        for key in ("d", "colon", "j"):
            app.post_message(events.Key(key, ":" if key == "colon" else key))
        await until(
            pilot, lambda: isinstance(app.screen, PaletteScreen) and app.screen.query_one(Input).value == "j"
        )
        found.set()
        await until(pilot, lambda: "gone on" in keys(app))
        assert isinstance(app.screen, PaletteScreen)


async def test_who_leaves_does_not_wait_for_a_dialog_and_gets_none(
    app: Console, services: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Escape and what quits are answered at once, with what was typed for the dialog given up; also after keys wait no longer."""
    found = slow_to_plan(services, monkeypatch)

    def press(*names: str) -> None:
        for name in names:
            app.post_message(events.Key(name, name if len(name) == 1 else None))

    monkeypatch.setattr(keyorder, "HELD", 600.0)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("3")
        rows = app.screen.query_one("#list", Rows)
        await until(pilot, lambda: rows.items)
        press("d", "a", "right", "enter", "escape")
        await until(pilot, lambda: "Left" in keys(app))
        assert isinstance(app.screen, EndpointsScreen) and not app._pending
        press("d", "a")
        app.post_message(events.Key("alt+j", "j"))  # Escape with j right behind it
        await until(pilot, lambda: rows.cursor_key == rows.keys[1])
        assert isinstance(app.screen, EndpointsScreen)
        monkeypatch.setattr(keyorder, "HELD", 0.001)
        press("d")
        await until(pilot, lambda: app._pending and not app._held)
        press("escape")
        await until(pilot, lambda: not app._pending)
        assert isinstance(app.screen, EndpointsScreen), "it left what was asked for, and nothing else"
        found.set()
        press("colon", "j")
        await until(pilot, lambda: isinstance(app.screen, PaletteScreen))
        found.clear()
        monkeypatch.setattr(keyorder, "HELD", 600.0)
        press("escape", "d", "a", "q")
        await until(pilot, lambda: services.closed)
    found.set()
    assert app.return_value == 0 and {call[0] for call in services.done} <= {"plan_deletion"}


async def test_a_run_asks_and_the_answer_goes_to_it(app: Console, services: Scripted) -> None:
    run = "moons-20270115-075825-1f3a"
    services.events[run] = run_events(run, upto=5, question=True)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ChoiceScreen))
        await pilot.press("right", "enter")
        await until(pilot, lambda: services.done == [("answer", run, "deploy-anyway", "yes")])


async def test_a_past_run_shows_results_calls_and_code(app: Console) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("4", *["down"] * (len(catalog()) + 1), "enter")
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await until(pilot, lambda: screen.state.finished is not None)
        await pilot.press("tab")
        text = screen.query_one("#results", Page).text
        assert "RBF SVM" in text and "Decision boundary" in text and "beats-baseline" in text
        page = screen.query_one("#results", Page)
        await pilot.press("pagedown")
        await until(pilot, lambda: page.scroll_offset.y > 0 or page.virtual_size.height <= page.size.height)
        await pilot.press("tab", "tab", "tab")
        assert len(screen.query_one("#calls", Rows).items) == 9
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, TextScreen))


async def test_the_command_line_goes_anywhere(app: Console) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("colon", *"jobs", "enter")
        assert isinstance(app.screen, JobsScreen)
        await pilot.press("colon", *"jobs", "space", *"sklearn", "enter")
        assert [row.name for row in app.screen.query_one("#list", Rows).items] == [jobs()[2].name]
        await pilot.press("colon", *"studies", "space", *"moons", "enter")
        assert isinstance(app.screen, FormScreen)
        await pilot.press("escape", "colon", *"9d01", "enter")
        assert isinstance(app.screen, JobScreen)
        await pilot.press("colon", *"theme light", "enter")
        assert app.theme == "mlconsole-light"
        await pilot.press("colon", *"no such thing at all")
        assert "Nothing is called that" in rendered(app.screen.query_one(Rows))
        await pilot.press("escape")
        assert not isinstance(app.screen, PaletteScreen)


async def test_help_lists_the_keys_of_the_screen(app: Console) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2", "question_mark")
        assert isinstance(app.screen, HelpScreen)
        text = app.screen.query_one(Page).text
        assert "Narrow the list" in text and "Everywhere" in text
        await pilot.press("escape")
        assert isinstance(app.screen, JobsScreen)


async def test_keys_work_while_every_call_hangs(app: Console, services: Scripted) -> None:
    services.hangs()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2", "x", "right", "enter")
        await until(pilot, lambda: services.done)
        await pilot.press("3", "d")
        await until(pilot, lambda: len(services.done) == 2)
        await pilot.press("2", "down")
        await until(
            pilot,
            lambda: (
                isinstance(app.screen, JobsScreen)
                and app.screen.query_one("#list", Rows).cursor_key == jobs()[1].name
            ),
            f"keys are held for {keyorder.HELD} s at most",
        )
        await pilot.press("q")
    assert services.closed
    assert app.return_value == 0
    assert any(thread.name == "console-work" and thread.daemon for thread in threading.enumerate())
    services.hang.clear()


async def test_a_lost_backend_keeps_the_last_good_rows_and_says_what_to_do(
    app: Console, services: Scripted
) -> None:
    problem = Problem(
        "The embedded SageMaker does not answer.",
        "`mlconsole engine status` tells whether it runs.",
        "unreachable",
    )
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2")
        services.time += 60
        services.publish_error(topics.JOBS, problem)
        services.tell(backend="lost", problem=problem, retry_at=services.time + 8)
        notice = app.screen.query_one("#notice", Static)
        await until(pilot, lambda: "does not answer" in str(notice.render()))
        assert "Shown is the state of 1 min ago." in str(notice.render())
        assert "lost · retry in 8 s" in banner(app)
        assert len(app.screen.query_one("#list", Rows).items) == 5
        services.tell(backend="ok", problem=None, retry_at=None)
        services.publish(topics.JOBS, jobs())
        await until(pilot, lambda: "live" in banner(app))
        assert not notice.display


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"paused": True}, "paused"),
        ({"backend": "connecting"}, "connecting"),
        ({"throttled_until": 1_800_000_012.0}, "throttled · 12 s"),
    ],
)
async def test_the_header_tells_the_state(
    app: Console, services: Scripted, about: dict[str, object], words: str
) -> None:
    async with app.run_test(size=SMALL) as pilot:
        services.tell(**about)
        await until(pilot, lambda: words in banner(app))


async def test_a_stale_list_is_marked(app: Console, services: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        services.publish(topics.JOBS, jobs(), fetched_at=services.time - 7200, stale=True)
        await until(pilot, lambda: "stale · 2 h ago" in banner(app))


async def test_an_answer_of_an_earlier_generation_is_dropped(app: Console, services: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2")
        services.publish(topics.JOBS, jobs()[:2], generation=9)
        rows = app.screen.query_one("#list", Rows)
        await until(pilot, lambda: len(rows.items) == 2)
        services.publish(topics.JOBS, jobs(), generation=3)
        await pilot.pause()
        assert len(rows.items) == 2


async def test_a_job_that_changes_is_repainted_and_marked(app: Console, services: Scripted) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2")
        rows = app.screen.query_one("#list", Rows)
        await until(pilot, lambda: "InProgress" in rendered(rows))
        first = replace(jobs()[0], status="Completed", ended=services.time)
        services.publish(topics.JOBS, (first, *jobs()[1:]))
        await until(pilot, lambda: "InProgress" not in rendered(rows))
        assert rows._marks
        await until(pilot, lambda: not rows._marks)


@pytest.mark.parametrize("theme", ["mlconsole-dark", "mlconsole-light", "ansi-dark", "ansi-light"])
async def test_every_theme_draws_every_screen(services: Scripted, theme: str) -> None:
    app = make_app(services, theme_name=theme)
    async with app.run_test(size=LARGE) as pilot:
        await pilot.press("2", "enter", "3", "enter", "4", "enter", "escape", "down", "enter", "colon")
        await pilot.pause()
        assert app.is_running
        assert app.return_code in (None, 0)


async def test_the_number_of_calls_moves_with_what_a_person_does_and_rests_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    services = populated()
    app = make_app(services, theme_name="mlconsole-dark")

    def header() -> str:
        return app.screen._compositor.render_strips()[0].text

    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        services.tell(calls_per_minute=50)
        await until(pilot, lambda: "50 calls/min" in header())
        monkeypatch.setattr("console.app.CALLS_MOVE", 0.0)
        services.tell(calls_per_minute=90)
        await pilot.pause()
        assert "50 calls/min" in header()
        monkeypatch.setattr("console.app.CALLS_SECONDS", 0.0)  # a minute later
        services.tell(calls_per_minute=3)
        await until(pilot, lambda: " 3 calls/min" in header())
        services.tell(calls_per_minute=1)
        await pilot.pause()
        assert " 3 calls/min" in header(), "a poll a minute is none, one or two in the last one"
        services.tell(calls_per_minute=6)
        await until(pilot, lambda: " 6 calls/min" in header())


@pytest.mark.parametrize("there", [["4"], ["4", "enter"], ["7", "enter"]])
async def test_no_size_of_the_terminal_ends_it(app: Console, there: list[str]) -> None:
    """Panes of a split, or a window that is dragged small, and back."""
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press(*there)
        for size in ((15, 5), (2, 1), SMALL):
            await pilot.resize_terminal(*size)
            await pilot.pause()
        assert "quit" in keys(app)
