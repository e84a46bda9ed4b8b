"""What each screen looks like, small and large, and its states: empty, connecting, lost, AWS, ansi, no colour.

`pytest tests/console/test_snapshots.py --snapshot-update` draws them anew after a change that is wanted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from console.app import make_app
from tests.console import endpoint_data, lesson_data, run_data
from tests.console.looks import LOOKS, Look
from tests.console.scripted import NOW, Scripted, jobs, populated, run_events
from tests.console.settling import settle
from workflows import topics
from workflows.problem import Problem
from workflows.studies.catalog import catalog
from workflows.tuning import apart
from workflows.tuning.importance import Importance, ParameterImportance

Compare = Callable[..., bool]
SCREENS = {
    "home": [],
    "jobs": ["2"],
    "job": ["2", "enter"],
    "endpoints": ["3", "down"],
    "endpoint": ["3", "down", "enter"],
    "endpoint-traffic": ["3", "down", "enter", "tab"],
    "endpoint-captures": ["3", "down", "enter", *["tab"] * 3, "down"],
    "endpoint-alarms": ["3", "down", "enter", *["tab"] * 4],
    "endpoint-scaling": ["3", "down", "enter", "shift+tab"],
    "endpoint-split": ["3", "down", "enter", "s", "minus", "minus", "down", "plus", "plus", "right", "3"],
    "replay-form": ["3", "down", "enter", "t"],
    "invoke": ["3", "down", "i", "ctrl+s"],
    "studies": ["4"],
    "form": ["4", "enter", "tab", "tab"],
    "run": ["enter"],
    "results": ["4", *["down"] * len(catalog()), "enter", "tab"],  # the runs come after the studies
    "metrics": ["2", "enter", "m"],
    "tuning": ["5"],
    "tuning-job": ["5", "enter"],
    "trials": ["5", "enter", "tab", "end"],
    "progress": ["5", "enter", *["tab"] * 2],
    "scatter": ["5", "enter", *["tab"] * 3],
    "parallel": ["5", "enter", *["tab"] * 4, "down"],
    "default": ["5", "enter", *["shift+tab"]],
    "tuning-form": ["2", "end", "t"],
    "costs": ["6", "down"],
    "leftovers": ["6", "tab", "space", "space", "down", "space", "up"],
    "drift": ["3", "down", "enter", "D"],
    "inspect": ["2", "down", "J"],
    "related": ["2", "down", "R"],
    "compare": ["2", "space", "space", "equals_sign"],
    "columns": ["2", "C"],
    "jump": ["2", "apostrophe"],
    "audit": ["colon", *"audit", "enter", "down", "down", "down", "down"],
    "targets": ["colon", *"targets", "enter", "down", "down"],
}
BATCH = {
    "jobs-with-transforms": ["2"],
    "transform": ["2", "home", "enter"],
    "transform-failed": ["2", "shift+tab", "end", "enter"],
    "output": ["2", "home", "enter", "o"],
    "transform-form": ["2", "tab", "end", "b"],
}


TO_RESULTS = ["4", *["down"] * (len(catalog()) + 1), "enter", "tab", "enter"]
RESULTS = {
    "table": [*TO_RESULTS, "N", "s", "s", "s"],
    "heatmap": [*TO_RESULTS, *["N"] * 4],
    "fan": [*TO_RESULTS, *["N"] * 5],
    "comparison": [*TO_RESULTS[:-3], "d"],
    "comparison-results": [*TO_RESULTS[:-3], "d", "tab", "pagedown"],
}


def press(keys: list[str]) -> Callable[[Pilot[Any]], Any]:
    """Press keys, each on the screen that the one before has led to, and wait until all is drawn."""

    async def before(pilot: Pilot[Any]) -> None:
        await settle(pilot, timers=False)
        for key in keys:
            await pilot.press(key)
            await settle(pilot, timers=False)
        pilot.app.flash_text = None  # type: ignore[attr-defined]
        pilot.app.base_screen.draw_frame()  # type: ignore[attr-defined]
        await settle(pilot)

    return before


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", SCREENS)
def test_screen(snap_compare: Compare, name: str, look: Look) -> None:
    app = make_app(populated(), theme_name=look.theme)
    assert snap_compare(app, terminal_size=look.size, run_before=press(SCREENS[name]))


@pytest.mark.parametrize(
    "name, keys",
    [
        ("bills", ["6", "slash", *"kind:endpoint", "enter", "s", "s", "home", "space"]),
        ("leftovers", ["6", "tab", "a", "slash", *"moons", "enter", "s"]),
    ],
)
def test_costs_narrowed(snap_compare: Compare, name: str, keys: list[str]) -> None:
    """The totals stay those of all, and what is chosen and not listed is told of."""
    app = make_app(populated(), theme_name="mlconsole-dark")
    assert snap_compare(app, terminal_size=(80, 24), run_before=press(keys))


def test_targets_in_little_room(snap_compare: Compare) -> None:
    """What is read least gives way; the filter is told of as far as there is room."""
    keys = [*SCREENS["targets"], "slash", *"prod", "enter", "s"]
    app = make_app(populated(), theme_name="mlconsole-dark")
    assert snap_compare(app, terminal_size=(60, 20), run_before=press(keys))


LESSONS = {
    "list": ["7"],
    "page": ["7", "enter"],
    "choices": ["7", "enter", "tab", *["down"] * 3],
    "form": ["7", "v"],
    "running": ["7", "l"],
    "ended": ["7", "enter", "tab", "end", "enter"],
    "read": ["7", "enter", "tab", "end", "enter", "tab", *["down"] * 5],
    "text": ["7", "enter", "tab", "end", "enter", "tab", *["down"] * 5, "enter"],
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", LESSONS)
def test_lessons(snap_compare: Compare, name: str, look: Look) -> None:
    app = make_app(lesson_data.attended(populated()), theme_name=look.theme)
    assert snap_compare(app, terminal_size=look.size, run_before=press(LESSONS[name]))


def test_a_lesson_in_sixteen_colours(snap_compare: Compare) -> None:
    app = make_app(lesson_data.attended(populated()), theme_name="ansi-dark")
    assert snap_compare(app, terminal_size=(80, 24), run_before=press(LESSONS["read"]))


@pytest.mark.parametrize("status", ["running", "completed"])
@pytest.mark.parametrize("look", LOOKS)
def test_a_replay(snap_compare: Compare, status: str, look: Look) -> None:
    report = endpoint_data.replay(status)
    services = populated()
    services.publish(topics.REPLAYS, (report,))
    app = make_app(services, theme_name=look.theme)

    async def before(pilot: Pilot[Any]) -> None:
        await pilot.pause()
        await app.open_replay(report.id)
        await settle(pilot)

    assert snap_compare(app, terminal_size=look.size, run_before=before)


@pytest.mark.parametrize("theme", ["mlconsole-light", "ansi-dark"])
def test_an_endpoint_under_way_in_other_themes(snap_compare: Compare, theme: str) -> None:
    services = populated()
    endpoint_data.publish_update(services)
    app = make_app(services, theme_name=theme)
    assert snap_compare(app, terminal_size=(80, 24), run_before=press(SCREENS["endpoint"]))


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", BATCH)
def test_batch(snap_compare: Compare, name: str, look: Look) -> None:
    app = make_app(populated(batch=True), theme_name=look.theme)
    assert snap_compare(app, terminal_size=look.size, run_before=press(BATCH[name]))


def with_results() -> Scripted:
    """Two runs that have ended, one of them with figures of every form."""
    services = populated()
    told = services.events["moons-20270115-074355-c0de"]
    services.events["moons-20270115-074355-c0de"] = run_data.events("moons-20270115-074355-c0de", told)
    services.events["moons-20270114-180210-77b1"] = run_events("moons-20270114-180210-77b1")
    return services


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", RESULTS)
def test_results(snap_compare: Compare, name: str, look: Look) -> None:
    app = make_app(with_results(), theme_name=look.theme)
    assert snap_compare(app, terminal_size=look.size, run_before=press(RESULTS[name]))


def test_a_heat_map_in_sixteen_colours(snap_compare: Compare) -> None:
    app = make_app(with_results(), theme_name="ansi-dark")
    assert snap_compare(app, terminal_size=(80, 24), run_before=press(RESULTS["heatmap"]))


@pytest.mark.parametrize("part", ["importance", "too-few"])
@pytest.mark.parametrize("look", LOOKS)
def test_what_matters(snap_compare: Compare, part: str, look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    known = Importance(
        parameters=(
            ParameterImportance("eta", 0.61, 0.42, 0.77, True),
            ParameterImportance("max_depth", 0.17, 0.06, 0.33, True),
            ParameterImportance("subsample", 0.03, 0.0, 0.11, False),
            ParameterImportance("booster", 0.01, 0.0, 0.04, False),
        ),
        interactions=0.14,
        noise=0.05,
        fit=0.58,
        trials=31,
    )
    few = Importance(trials=9, problem="9 trials with a value are too few to tell what matters: 5 hyperparameters need at least 20.")  # fmt: skip
    monkeypatch.setattr(apart, "importance", lambda detail, trials: known if part == "importance" else few)
    app = make_app(populated(), theme_name=look.theme)

    assert snap_compare(app, terminal_size=look.size, run_before=press(["5", "enter", *["tab"] * 5]))


def test_a_tuning_job_in_sixteen_colours(snap_compare: Compare) -> None:
    app = make_app(populated(), theme_name="ansi-dark")
    assert snap_compare(app, terminal_size=(160, 48), run_before=press(SCREENS["tuning-job"]))


@pytest.mark.parametrize("theme", ["mlconsole-light", "ansi-dark"])
def test_leftovers_in_other_themes(snap_compare: Compare, theme: str) -> None:
    app = make_app(populated(target="aws"), theme_name=theme)
    assert snap_compare(app, terminal_size=(80, 24), run_before=press(SCREENS["leftovers"]))


@pytest.mark.parametrize("theme", ["mlconsole-light", "ansi-dark"])
def test_other_themes(snap_compare: Compare, theme: str) -> None:
    app = make_app(populated(), theme_name=theme)
    assert snap_compare(app, terminal_size=(80, 24), run_before=press(["2", "down"]))


def test_no_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app = make_app(populated(), theme_name="mlconsole-dark")
    assert snap_compare(app, terminal_size=(80, 24), run_before=press([]))


def test_an_empty_account(snap_compare: Compare) -> None:
    services = Scripted()
    for topic in (topics.JOBS, topics.ENDPOINTS, topics.RUNS, topics.TUNING_JOBS, topics.TRANSFORMS):
        services.publish(topic, ())
    assert snap_compare(
        make_app(services, theme_name="mlconsole-dark"), terminal_size=(80, 24), run_before=press([])
    )


def test_before_anything_is_known(snap_compare: Compare) -> None:
    services = Scripted()
    services.tell(backend="connecting", calls_per_minute=0)
    assert snap_compare(
        make_app(services, theme_name="mlconsole-dark"), terminal_size=(80, 24), run_before=press(["2"])
    )


def test_a_lost_backend(snap_compare: Compare) -> None:
    services = populated()
    problem = Problem(
        "The embedded SageMaker does not answer.",
        "`mlconsole engine status` tells whether it runs; `mlconsole engine start` starts it.",
        "unreachable",
    )
    services.publish(topics.JOBS, jobs(), fetched_at=NOW - 65)
    services.publish_error(topics.JOBS, problem)
    services.tell(backend="lost", problem=problem, retry_at=NOW + 8)
    assert snap_compare(
        make_app(services, theme_name="mlconsole-dark"), terminal_size=(80, 24), run_before=press(["2"])
    )


def test_an_endpoint_that_is_gone(snap_compare: Compare) -> None:
    services = populated(target="aws")
    problem = Problem("There is no endpoint fraud-0113.", "`mlconsole endpoints ls` lists them.", "ValidationException")  # fmt: skip
    services.publish_error(topics.endpoint("fraud-0113"), problem)
    app = make_app(services, theme_name="mlconsole-dark")

    async def before(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        await app.open_endpoint("fraud-0113")
        await settle(pilot)

    assert snap_compare(app, terminal_size=(80, 24), run_before=before)


def test_deleting_on_aws(snap_compare: Compare) -> None:
    app = make_app(populated(target="aws"), theme_name="mlconsole-dark")
    assert snap_compare(app, terminal_size=(80, 24), run_before=press(["3", "down", "d"]))


def test_the_command_line(snap_compare: Compare) -> None:
    app = make_app(populated(), theme_name="mlconsole-dark")
    assert snap_compare(app, terminal_size=(80, 24), run_before=press(["colon", "m", "o", "o"]))


def test_help(snap_compare: Compare) -> None:
    app = make_app(populated(), theme_name="mlconsole-dark")
    assert snap_compare(app, terminal_size=(80, 24), run_before=press(["2", "question_mark"]))
