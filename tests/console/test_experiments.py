"""What a person does with A/B tests, key by key, and what they look like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from console import verdicts
from console.app import Console, make_app
from console.screens.dialogs import ChoiceScreen, ConfirmScreen
from console.screens.experiment import ExperimentScreen
from console.screens.experiment_facts import overview, settings
from console.screens.experiment_feed import ExperimentFeedScreen
from console.screens.experiment_form import ExperimentFormScreen, open_experiment_form
from console.screens.experiments import ExperimentsScreen
from console.widgets.band import band
from console.widgets.line import Line
from console.widgets.page import Page
from console.widgets.plot import Plot
from console.widgets.prompt import Prompt
from console.widgets.rows import Rows
from tests.console import experiment_data
from tests.console.conftest import until
from tests.console.looks import LOOKS, Look
from tests.console.scripted import Scripted, populated, publish_experiments
from workflows import topics
from workflows.problem import Problem

SMALL, LARGE = (80, 24), (160, 48)


def with_tests(*, target: str = "embedded", theme: str = "mlconsole-dark") -> tuple[Console, Scripted]:
    services = populated()
    services.target = target
    publish_experiments(services)
    return make_app(services, theme_name=theme), services


def keys(app: Console) -> str:
    assert app.base_screen is not None
    return app.base_screen.query_one("#keys", Line).text


def text_of(lines: Any) -> str:
    return "\n".join("".join(text for text, _ in line) for line in lines)


async def opened(app: Console, pilot: Pilot[Any], name: str) -> ExperimentScreen:
    await app.open_experiment(name)
    screen = app.screen
    assert isinstance(screen, ExperimentScreen)
    await until(
        pilot, lambda: screen.report is not None and "Difference" in screen.query_one("#overview", Page).text
    )
    return screen


async def test_the_list_is_reached_from_the_endpoints_and_the_palette() -> None:
    app, _ = with_tests()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("3", "a")
        screen = app.screen
        assert isinstance(screen, ExperimentsScreen)
        rows = screen.query_one("#list", Rows)
        await until(pilot, lambda: len(rows.items) == 4)
        await pilot.press("slash", *"verdict:better", "enter")
        assert [row.name for row in rows.items] == ["spam-ab-decided"]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ExperimentScreen))
        await pilot.press("escape", "escape", "escape")
        await pilot.press("colon", *"ab", "enter")
        await until(pilot, lambda: isinstance(app.screen, ExperimentsScreen))


@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_a_test_shows_verdict_interval_split_forecast_and_guardrails(size: tuple[int, int]) -> None:
    app, services = with_tests()
    async with app.run_test(size=size) as pilot:
        screen = await opened(app, pilot, "spam-ab")
        text = " ".join(screen.query_one("#overview", Page).text.split())
        for part in (
            "◌ keep watching", "✓ split right", "A replay feeds it", "95% sequence", "of ×20 needed", "verdict in about", "a note, not a test",
            "= linear", "model-errors ✓ holds", "broken from ×80 on",
        ):  # fmt: skip
            assert part in text
        assert ("its sequence" in text) == (size == SMALL), "beside the facts where there is room"
        await pilot.press("tab")
        await until(pilot, lambda: "its sequence" in text_of(screen.query_one("#band", Plot)._lines))
        services.publish(topics.experiment("spam-ab"), experiment_data.view(experiment_data.decided()))
        await until(pilot, lambda: "xgboost is better" in screen.query_one("#nav", Line).text)


async def test_a_winner_is_promoted_in_the_way_that_is_chosen() -> None:
    app, services = with_tests()
    async with app.run_test(size=SMALL) as pilot:
        await opened(app, pilot, "spam-ab-decided")
        await pilot.press("e")
        assert isinstance(app.screen, ChoiceScreen)
        await pilot.press("right", "right", "enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert ("plan_promotion", "spam-ab-decided", "xgboost", "canary") in services.done
        await pilot.press("right", "enter")
        await until(
            pilot, lambda: any(call[0] == "promote" and call[1].how == "canary" for call in services.done)
        )


async def test_what_the_test_does_not_say_is_promoted_only_when_its_endpoint_is_typed() -> None:
    app, services = with_tests()
    async with app.run_test(size=SMALL) as pilot:
        await opened(app, pilot, "spam-ab")
        await pilot.press("e", "enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press(*"spam", "enter")
        await until(pilot, lambda: any(call[0] == "promote" for call in services.done))


async def test_a_test_is_stopped_weighed_fed_and_removed() -> None:
    app, services = with_tests()
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(app, pilot, "spam-ab")
        await pilot.press("d")
        assert "x ends it first" in keys(app)
        await pilot.press("w")
        screen.query_one(Prompt).input.value = "linear=1 xgboost=3"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen), "asked before traffic moves")
        await pilot.press("right", "enter")
        await until(
            pilot, lambda: ("weigh_experiment", "spam-ab", {"linear": 1.0, "xgboost": 3.0}) in services.done
        )
        await pilot.press("i", *"r.csv", "enter")
        await until(pilot, lambda: ("feed_experiment", "spam-ab", "r.csv") in services.done)
        await until(
            pilot,
            lambda: (
                "118 rewards came to count; 2 second rewards" in app.flash_text[0]
                if app.flash_text
                else False
            ),
        )
        await pilot.press("f")
        await until(pilot, lambda: ("stop_feed", "spam-ab") in services.done)
        await pilot.press("x", "right", "right", "enter")
        await until(pilot, lambda: ("stop_experiment", "spam-ab", "control") in services.done)
        assert screen.is_current
        await pilot.press("escape")
        await opened(app, pilot, "tone-ab")
        for key in ("x", "e", "w", "f", "i"):
            await pilot.press(key)
            assert "has ended" in keys(app)
        await pilot.press("d", "right", "enter")
        await until(pilot, lambda: ("remove_experiment", "tone-ab") in services.done)


async def test_a_replay_is_described_and_started() -> None:
    app, services = with_tests()
    async with app.run_test(size=SMALL) as pilot:
        await opened(app, pilot, "ranking-ab")
        await pilot.press("f")
        await until(pilot, lambda: isinstance(app.screen, ExperimentFeedScreen))
        form = app.screen
        await pilot.press("ctrl+s")
        assert not any(call[0] == "start_feed" for call in services.done)
        form.query_one("#r-source", Input).value = "/tmp/rows.csv"
        form.query_one("#r-label", Input).value = "y"
        form.query_one("#r-rate", Input).value = "fast"
        await pilot.pause()
        assert "The rate is a number" in form.query_one("#verdict", Line).text
        form.query_one("#r-rate", Input).value = "20"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: any(call[0] == "start_feed" for call in services.done))
        request = next(call[2] for call in services.done if call[0] == "start_feed")
        assert (request.source, request.label, request.rate, request.header) == (
            "/tmp/rows.csv",
            "y",
            20.0,
            None,
        )
        await until(pilot, lambda: isinstance(app.screen, ExperimentScreen))


async def test_a_replay_on_aws_is_agreed_to_first() -> None:
    app, services = with_tests(target="aws")
    async with app.run_test(size=SMALL) as pilot:
        await app.open(ExperimentFeedScreen("spam-ab"))
        form = app.screen
        form.query_one("#r-source", Input).value = "rows.csv"
        form.query_one("#r-label", Input).value = "y"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        assert not any(call[0] == "start_feed" for call in services.done)
        await pilot.press(*"spam-ab", "enter")
        await until(
            pilot, lambda: any(call[0] == "start_feed" and call[3] == "agreed" for call in services.done)
        )


async def test_a_test_is_started_from_an_endpoint() -> None:
    app, services = with_tests()
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("3")
        assert app.base_screen is not None
        open_experiment_form(app.base_screen, "spam")
        await until(pilot, lambda: isinstance(app.screen, ExperimentFormScreen))
        form = app.screen
        verdict = form.query_one("#verdict", Line)
        for field, value, words in (
            ("weights", "linear=1", "two variants or more"),
            ("weights", "linear=1 forest=1", "no variant forest"),
            ("weights", "linear=1 xgboost", "is no weight"),
        ):
            form.query_one(f"#x-{field}", Input).value = value
            await pilot.pause()
            assert words in verdict.text
        form.query_one("#x-weights", Input).value = "linear=9 xgboost=1"
        for field, value, words in (
            ("alpha", "2", "alpha is 2"),
            ("alpha", "x", "has to be a number"),
            ("alpha", "0.01", "starts the A/B test"),
            ("guardrails", "5xx cpu", "no guardrail cpu"),
        ):
            form.query_one(f"#x-{field}", Input).value = value
            await pilot.pause()
            assert words in verdict.text
        await pilot.press("ctrl+s")
        assert not isinstance(app.screen, ConfirmScreen)
        form.query_one("#x-guardrails", Input).value = "5xx"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("right", "enter")
        await until(pilot, lambda: any(call[0] == "start_experiment" for call in services.done))
        made = next(call[1] for call in services.done if call[0] == "start_experiment")
        assert (made.alpha, made.guardrails, dict(made.weights)) == (
            0.01,
            ("5xx",),
            {"linear": 9.0, "xgboost": 1.0},
        )
        await until(pilot, lambda: isinstance(app.screen, ExperimentScreen))


async def test_nothing_is_changed_in_read_only_mode_and_problems_are_told() -> None:
    app, services = with_tests()
    services.read_only = True
    async with app.run_test(size=SMALL) as pilot:
        await opened(app, pilot, "spam-ab")
        for key in "fiwex":
            await pilot.press(key)
            assert "Read-only" in keys(app)
        services.read_only, services.fail = False, Problem("SageMaker refuses.", "Wait.")
        await pilot.press("x", "right", "enter")
        await until(pilot, lambda: "SageMaker refuses" in keys(app))


def test_no_state_is_told_by_colour_alone() -> None:
    """Every verdict, split and guardrail has a glyph and a word of its own."""
    chips = {str(verdicts.chip(report)) for report in experiment_data.reports()}
    assert chips == {"◌ keep watching", "▲ xgboost is better", "✗ better, but breaks model-errors"}
    texts = [text_of(overview(report, None, experiment_data.NOW, 76)) for report in experiment_data.reports()]
    assert "✗ broken" in texts[2]
    assert "ended without a verdict" in texts[3]
    assert "second rewards" in texts[3]
    assert all(len(line) <= 78 for text in texts for line in text.splitlines())
    assert "How to read it" in text_of(settings(experiment_data.running(), 76))


def test_the_funnel_is_drawn_within_its_size() -> None:
    """Ends come together; what is cut off above stays outside; too little room and no data are said."""
    points = [(float(n), 0.1 - 2 / n, 0.1, 0.1 + 2 / n) for n in range(1, 200)]
    for width, height in ((80, 20), (40, 8), (30, 7), (24, 6)):
        lines = band(points, width, height, title="B − A", x_label="requests", margin=0.05)
        assert len(lines) == height
        assert max(sum(len(text) for text, _ in line) for line in lines) <= width
    assert "no interval yet" in text_of(band([], 60, 10))
    assert len(band(points, 20, 4)) == 4


def test_a_damaged_history_is_drawn_within_its_canvas() -> None:
    """One entry went to 10^12 requests, the next one back: its line had billions of dots beside the canvas."""
    points = [(25.0, -1.0, 0.0, 1.0), (69.0, -0.4, 0.1, 0.6), (1e12, -0.3, 0.1, 0.5), (280.0, -0.2, 0.1, 0.4)]
    assert "no interval yet" in text_of(band(points, 60, 10))
    lines = band([(2e11, -0.5, 0.1, 0.7), *points], 60, 10)
    assert len(lines) == 10 and any("\u2800" < letter <= "\u28ff" for letter in text_of(lines))


# Pictures

Compare = Callable[..., bool]
PICTURES = ("list", "undecided", "hurts", "form", "decided", "chart", "test", "replay")
TESTS = {
    "undecided": "spam-ab",
    "decided": "spam-ab-decided",
    "hurts": "ranking-ab",
    "chart": "spam-ab",
    "test": "spam-ab",
}


def pictured(name: str) -> Callable[[Pilot[Any]], Any]:
    async def before(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, Console)
        await pilot.pause()
        if name == "list":
            await pilot.press("3", "a")
            await until(pilot, lambda: app.screen.query_one("#list", Rows).items)
            await pilot.press("down", "down")
            await until(
                pilot, lambda: topics.experiment("spam-ab") in app.screen.snapshots or app.size.width < 120
            )
        elif name == "form":
            assert app.base_screen is not None
            open_experiment_form(app.base_screen, "spam")
            await until(pilot, lambda: isinstance(app.screen, ExperimentFormScreen))
        elif name == "replay":
            await app.open(ExperimentFeedScreen("spam-ab"))
        else:
            await opened(app, pilot, TESTS[name])
            await pilot.press(*["tab"] * {"chart": 1, "test": 2}.get(name, 0))
        app.flash_text = None
        assert app.base_screen is not None
        app.base_screen.draw_frame()
        await pilot.pause(0.3)

    return before


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PICTURES)
def test_picture(snap_compare: Compare, name: str, look: Look) -> None:
    app, _ = with_tests(theme=look.theme)
    assert snap_compare(app, terminal_size=look.size, run_before=pictured(name))


@pytest.mark.parametrize("name", ["undecided", "hurts"])
def test_picture_in_sixteen_colours(snap_compare: Compare, name: str) -> None:
    app, _ = with_tests(theme="ansi-dark")
    assert snap_compare(app, terminal_size=SMALL, run_before=pictured(name))
