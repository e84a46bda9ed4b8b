"""What a person does with an endpoint, key by key: parts, split, captures, alarms, replays, and what is on the screen then."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.widgets import Input

from console import keyorder
from console.app import Console, make_app
from console.screens.dialogs import ConfirmScreen
from console.screens.endpoint import EndpointScreen
from console.screens.endpoint_facts import (
    alarm_facts,
    endpoint_facts,
    in_order,
    named,
    scaling_facts,
    traffic_facts,
)
from console.screens.endpoint_panes import CapturesPane
from console.screens.replay import ReplayScreen, charts
from console.screens.replay_form import ReplayFormScreen
from console.screens.traffic import traffic_charts
from console.screens.weights import WeightsScreen, step_of
from console.widgets.line import Line
from console.widgets.log import LogView
from console.widgets.page import Page
from console.widgets.rows import Rows
from console.widgets.select import Choice
from tests.console import endpoint_data
from tests.console.conftest import until
from tests.console.endpoint_data import ENDPOINT
from tests.console.scripted import NOW, Scripted, populated
from workflows import topics
from workflows.observe.watch_rows import AlarmHistory
from workflows.problem import Problem
from workflows.traffic import Plan, Step

SMALL = (80, 24)
LARGE = (160, 48)


def opened(**options: bool | str) -> tuple[Console, Scripted]:
    services = populated(**options)
    return make_app(services, theme_name="mlconsole-dark"), services


def page(app: Console, name: str) -> str:
    return " ".join(app.screen.query_one(name, Page).text.split())


async def test_only_what_is_in_sight_is_asked_for() -> None:
    app, services = opened()
    async with app.run_test(size=SMALL) as pilot:
        await until(pilot, services.watched, "home")
        await app.open_endpoint(ENDPOINT)
        await until(pilot, lambda: "Around it" in page(app, "#overview"))
        base = {f"endpoint {ENDPOINT}"}
        parts = [
            {f"endpoint-metrics {ENDPOINT}", f"endpoint-alarms {ENDPOINT}", "replays", "experiments"},
            {f"endpoint-metrics {ENDPOINT}"},
            {f"endpoint-logs {ENDPOINT}"},
            set(),
            {f"endpoint-alarms {ENDPOINT}"},
            {f"endpoint-scaling {ENDPOINT}"},
        ]
        for wanted in parts:
            await until(pilot, lambda wanted=wanted: services.watched() == base | wanted)
            await pilot.press("tab")
    async with make_app(services).run_test(size=LARGE) as pilot:
        await pilot.app.open_endpoint(ENDPOINT)  # type: ignore[attr-defined]
        await until(pilot, lambda: f"endpoint-logs {ENDPOINT}" in services.watched())


async def test_the_overview_compares_variants_and_tells_what_is_around() -> None:
    app, services = opened()
    services.publish(topics.REPLAYS, (endpoint_data.replay(),))
    async with app.run_test(size=SMALL) as pilot:
        await app.open_endpoint(ENDPOINT)
        await until(pilot, lambda: "requests," in page(app, "#overview"))
        text = page(app, "#overview")
        assert "calls /min p50 ms p90 ms p99 ms 4xx 5xx model" in text
        assert "challenger 133 8.9 3.9 8.8 14.2 0 2 3" in text
        assert "1 alarm of 3 in ALARM: moons-ab-challenger-5xx" in text
        assert "100% of the requests, input and output, to s3://" in text
        assert "$0.171/h, ~$124.83 a month" in text
        assert "running: 2 098 requests, 50.0/s, 1 error" in text


async def test_an_endpoint_that_is_deleted_meanwhile_is_not_in_service() -> None:
    """Its last state stays to be read, and nothing is offered that would change it."""
    app, services = opened()
    async with app.run_test(size=SMALL) as pilot:
        await app.open_endpoint(ENDPOINT)
        await until(pilot, lambda: "Around it" in page(app, "#overview"))
        line = {name: app.screen.query_one(f"#{name}", Line) for name in ("nav", "keys")}
        assert "InService" in line["nav"].text and "split" in line["keys"].text
        missing = Problem(f"There is no endpoint {ENDPOINT}.", "List them.", "not-found")
        services.publish_error(topics.endpoint(ENDPOINT), missing)
        await until(pilot, lambda: "✗ deleted" in line["nav"].text)
        assert "split" not in line["keys"].text and "Around it" in page(app, "#overview")
        assert not any(word in line["keys"].text for word in ("rollout", "drift")), "both ask the endpoint"
        opened_here = app.screen
        await pilot.press("d")
        await until(pilot, lambda: "not for what is shown here" in line["keys"].text)
        assert app.screen is opened_here, "nothing asks whether to delete what is deleted"


def test_fleets_stand_below_their_variant_and_shadows_last() -> None:
    services = populated()
    endpoint_data.publish_update(services)
    detail = services.values[topics.endpoint(ENDPOINT)].value
    traffic = services.values[topics.endpoint_metrics(ENDPOINT)].value
    rows = [named(one, detail)[0] for one in in_order(traffic.variants)]
    assert rows == ["champion", "└ blue", "└ green", "shadow-xgb ◌"]
    text = "\n".join(
        "".join(part for part, _ in line) for line in endpoint_facts(detail, None, traffic, NOW, 78)
    )
    assert "Update under way  for 1 min" in text
    assert f"blue  {ENDPOINT}-config" in text and f"green {ENDPOINT}-v2" in text
    assert "Baking for 600 seconds" in text and "gets copies" in text
    lines = {name: [one.name for one in series] for name, series in traffic_charts(traffic, NOW)}
    assert lines["median ms"] == ["blue", "green"]


@pytest.mark.parametrize("width", [46, 52, 60, 66, 78, 120])
def test_the_comparison_fits_its_width(width: int) -> None:
    services = populated()
    traffic = services.values[topics.endpoint_metrics(ENDPOINT)].value
    lines = traffic_facts(traffic, width)
    assert all(sum(len(text) for text, _ in line) <= width for line in lines)
    assert "p99 ms" in "".join(text for text, _ in lines[1])


async def test_the_split_is_changed_by_keys_with_a_preview() -> None:
    app, services = opened()
    async with app.run_test(size=SMALL) as pilot:
        await app.open_endpoint(ENDPOINT)
        await until(pilot, lambda: "Variants" in page(app, "#overview"))
        await pilot.press("s", "minus", "minus", "down", "plus", "plus")
        assert isinstance(app.screen, WeightsScreen)
        assert "champion 0.9 → 0.7" in page(app, "#shares") and "10% → 30%" in page(app, "#shares")
        await pilot.press("5", "full_stop", "5")
        assert "0.1 → 5.5" in page(app, "#shares")
        await pilot.press("backspace", "backspace", "backspace", "up", "0", "down", "0")
        state = app.screen.query_one("#shares-state", Line)
        assert "nothing could be routed" in state.text
        await pilot.press("enter")
        assert isinstance(app.screen, WeightsScreen)  # refused
        await pilot.press("1", "right", "plus", "enter")
        assert isinstance(app.screen, ConfirmScreen)
        await pilot.press("right", "enter")
        wanted = ("change_weights", ENDPOINT, {"champion": 0.0, "challenger": 1.0}, {"challenger": 3})
        await until(pilot, lambda: wanted in services.done)


async def test_nothing_is_changed_where_nothing_may_be() -> None:
    app, services = opened(read_only=True)
    async with app.run_test(size=SMALL) as pilot:
        await app.open_endpoint(ENDPOINT)
        await pilot.press("s", "t")
        assert isinstance(app.screen, EndpointScreen)
        assert "change_weights" not in {call[0] for call in services.done}
    app, services = opened(target="aws")
    async with app.run_test(size=SMALL) as pilot:
        await app.open_endpoint(ENDPOINT)
        await until(pilot, lambda: "Variants" in page(app, "#overview"))
        await pilot.press("s", "plus", "enter", "right", "enter")
        assert isinstance(app.screen, EndpointScreen)
        assert "change_weights" not in {call[0] for call in services.done}  # on AWS the name has to be typed
        detail = services.values[topics.endpoint(ENDPOINT)].value
        updating = replace(detail, row=replace(detail.row, status="Updating"))
        services.publish(topics.endpoint(ENDPOINT), updating)
        await pilot.press("s")
        assert isinstance(app.screen, EndpointScreen)


@pytest.mark.parametrize(
    ("total", "step"), [(1.0, 0.1), (2.0, 0.2), (0.7, 0.05), (100.0, 10.0), (0.0, 0.1), (30.0, 2.0)]
)
def test_steps_are_round_and_at_most_a_tenth(total: float, step: float) -> None:
    assert step_of(total) == pytest.approx(step)


async def test_captures_are_read_when_they_are_looked_at_and_paged() -> None:
    app, services = opened()
    async with app.run_test(size=LARGE) as pilot:
        await app.open_endpoint(ENDPOINT)
        await pilot.press("tab", "tab", "tab")
        pane = app.screen.query_one(CapturesPane)
        await until(pilot, lambda: len(pane.found) == 12)
        await pilot.press("down")
        await until(pilot, lambda: '"score": 0.51' in app.screen.query_one("#capture", Page).text)
        await pilot.press("m")
        await until(pilot, lambda: len(pane.found) == 24)
        assert pane.rows.cursor_key == (pane.found[1].uri, pane.found[1].line)
        assert "m older" not in app.screen.query_one("#keys", Line).text
        await pilot.press("v")
        await until(pilot, lambda: ("captures", ENDPOINT, "champion", None) in services.done)


async def test_an_endpoint_that_captures_nothing_says_how() -> None:
    app, services = opened()
    name = "plagiarism-20270115-075900"
    async with app.run_test(size=SMALL) as pilot:
        await app.open_endpoint(name)
        await pilot.press("tab", "tab", "tab")
        rows = app.screen.query_one("#capture-list", Rows)
        await until(pilot, lambda: "DataCaptureConfig" in " ".join(rows._empty))
        services.fail = Problem("The bucket is gone.", "", "NoSuchBucket")
        await pilot.press("e")
        await until(pilot, lambda: "The bucket is gone." in " ".join(rows._empty))


async def test_the_log_is_narrowed_to_a_variant() -> None:
    app, _ = opened()
    async with app.run_test(size=SMALL) as pilot:
        await app.open_endpoint(ENDPOINT)
        await pilot.press("tab", "tab")
        log = app.screen.query_one(LogView)
        await until(pilot, lambda: len(log) == 2)
        await pilot.press("v")
        assert log.text == "GET /ping 200"
        await pilot.press("v", "v")
        assert len(log) == 2


async def test_an_alarm_tells_its_reason_and_its_history() -> None:
    app, services = opened()
    async with app.run_test(size=LARGE) as pilot:
        await app.open_endpoint(ENDPOINT)
        await pilot.press(*["tab"] * 4)
        alarm = app.screen.query_one("#alarm", Page)
        await until(pilot, lambda: "updated from OK to ALARM" in alarm.text)
        asked = [call for call in services.done if call[0] == "alarm_history"]
        assert asked == [("alarm_history", "moons-ab-challenger-5xx")]
        await pilot.press("down", "down")
        await until(pilot, lambda: "disabled" in alarm.text)
        services.publish(topics.endpoint_alarms(ENDPOINT), ())
        await until(pilot, lambda: not app.screen.query_one("#alarm-list", Rows).items)


async def test_a_replay_is_started_from_the_form_and_stopped(tmp_path: Path) -> None:
    app, services = opened()
    rows = tmp_path / "rows.csv"
    rows.write_text("1,2\n")
    async with app.run_test(size=SMALL) as pilot:
        await app.open_endpoint(ENDPOINT)
        await pilot.press("t")
        form = app.screen
        assert isinstance(form, ReplayFormScreen)
        verdict = form.query_one("#verdict", Line)
        await until(pilot, lambda: "Name what is sent" in verdict.text)
        form.query_one("#l-what", Input).value = str(tmp_path / "none.csv")
        await until(pilot, lambda: "There is no file" in verdict.text)
        form.query_one("#l-what", Input).value = str(rows)
        form.query_one("#l-ramp", Input).value = "10"
        form.query_one("#l-rate", Input).value = ""
        await until(pilot, lambda: "needs the rate" in verdict.text)
        form.query_one("#l-rate", Input).value = "50"
        await until(pilot, lambda: "starts the replay: 3,250 requests" in verdict.text)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ReplayScreen))
        call = next(call for call in services.done if call[0] == "start_replay")
        assert call[1] == ENDPOINT and call[5] == ""
        assert call[2] == Plan((Step(0.0, to=50.0, seconds=10.0), Step(50.0, seconds=60.0)), 8)
        assert call[3].place == str(rows)
        report = app.screen.report
        assert report is not None
        services.publish(
            topics.REPLAYS, (replace(report, status="running", summary=endpoint_data.summary()),)
        )
        await until(pilot, lambda: "50.0/s of 50.0/s asked" in page(app, "#measured"))
        assert "challenger 10%" in page(app, "#measured") and "1 ModelError" in page(app, "#measured")
        await pilot.press("x")
        await until(pilot, lambda: ("stop_replay", report.id) in services.done)
        await pilot.press("escape")
        assert isinstance(app.screen, EndpointScreen)
        await pilot.press("t")  # it goes on: no second one beside it
        assert isinstance(app.screen, ReplayScreen)
        services.publish(topics.REPLAYS, (replace(report, status="stopped"),))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, ReplayFormScreen))
        again = app.screen
        assert again.query_one("#l-rate", Input).value == "50"
        assert again.query_one("#l-ramp", Input).value == "10"
        assert again.query_one("#l-send", Choice).value == "file"


@pytest.mark.parametrize("left", [False, True])
async def test_keys_behind_the_one_that_asks_for_a_price_are_for_its_question(
    left: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, services = opened(target="aws")
    known, price = threading.Event(), services.price_replay

    def late(*arguments: Any) -> Any:
        assert known.wait(60)
        return price(*arguments)

    monkeypatch.setattr(services, "price_replay", late)
    monkeypatch.setattr(keyorder, "HELD", 600.0)
    async with app.run_test(size=SMALL) as pilot:
        await app.open_endpoint(ENDPOINT)
        await pilot.press("t")
        form = app.screen
        assert isinstance(form, ReplayFormScreen)
        form.query_one("#l-send", Choice).value = "captured"
        await until(pilot, lambda: "starts the replay" in form.query_one("#verdict", Line).text)
        for key, letter in (("ctrl+s", None), ("m", "m"), ("o", "o")):
            app.post_message(events.Key(key, letter))
        await until(pilot, lambda: form.starting)
        if left:
            app.post_message(events.Key("escape", None))
            await until(pilot, lambda: not app._pending)
        known.set()
        if not left:
            await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
            await until(pilot, lambda: app.screen.query_one(Input).value == "mo")
        else:
            await until(pilot, lambda: not form.starting, "it can be started again")
            assert app.screen is form
    assert not any(call[0] == "start_replay" for call in services.done)


async def test_a_replay_at_aws_is_agreed_to_with_its_price() -> None:
    app, services = opened(target="aws")
    async with app.run_test(size=SMALL) as pilot:
        await app.open_endpoint(ENDPOINT)
        await pilot.press("t")
        form = app.screen
        form.query_one("#l-send", Choice).value = "captured"
        await until(pilot, lambda: "starts the replay" in form.query_one("#verdict", Line).text)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press("escape")
        assert not [call for call in services.done if call[0] == "start_replay"]
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, ConfirmScreen))
        await pilot.press(*ENDPOINT, "enter")
        await until(pilot, lambda: [call for call in services.done if call[0] == "start_replay"])
        assert next(call for call in services.done if call[0] == "start_replay")[5] == "agreed"


def test_a_part_of_a_second_is_no_rate() -> None:
    running = charts(endpoint_data.summary(seconds=42.0))
    ended = charts(endpoint_data.summary(seconds=41.5, ended=True))
    assert len(running[0][1][0].points) == 41
    assert len(ended[0][1][0].points) == 41
    assert [title for title, _ in running] == ["answers per second", "latency ms", "errors per second"]


@pytest.mark.parametrize("size", [(60, 20), (80, 24)])
async def test_each_change_of_a_drift_stands_on_one_line(size: tuple[int, int]) -> None:
    app, _ = opened()
    async with app.run_test(size=size) as pilot:
        await app.open_drift(ENDPOINT)
        await until(pilot, lambda: "banana" in page(app, "#drift-page"))
        lines = app.screen.query_one("#drift-page", Page)._lines
        texts = ["".join(part for part, _ in line).rstrip() for line in lines]
        (row,) = (text for text in texts if text.startswith("✗ banana"))
        assert row.split()[2:5] == ["0.1%", "21.5%", "210"] and "3.8e-47" in row
        assert ("100 – 484" in row) == (size[0] == 80) == any("95%" in text for text in texts)


def test_histories_that_are_cut_tell_what_gives_the_rest() -> None:
    row = endpoint_data.alarms()[0]
    history = AlarmHistory(endpoint_data.history(), more=True)
    told = (
        alarm_facts(row, history, NOW, 60),
        scaling_facts(replace(endpoint_data.scaling(), more=True), "moons-ab", NOW, 60),
    )
    for lines in told:
        words = " ".join("".join(text for text, _ in line) for line in lines)
        assert "There are older ones: aws" in words
    assert row.name in " ".join("".join(text for text, _ in line) for line in told[0])
