"""Being told of what is watched: when, how, and that nothing is told twice or too early."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from console import notifying, terminal
from console.app import Console, make_app
from console.memory import Memory
from console.trail import Place
from console.watchlist import Watchlist
from tests.console import endpoint_data
from tests.console.conftest import until
from tests.console.scripted import NOW, Scripted, endpoints, job_row, jobs
from workflows import notices, topics, underway
from workflows.problem import Problem

SMALL = (80, 24)


def message(app: Console) -> str:
    return app.flash_text[0] if app.flash_text else ""


class TestWatchlist:
    def test_a_job_is_told_of_once_when_it_has_ended(self) -> None:
        watch = Watchlist([Place("job", "a"), Place("job", "b")])
        running, done = job_row("a", "InProgress", 60), job_row("a", "Failed", 60, 42)
        assert watch.arrived(topics.JOBS, (running, job_row("c", "Completed", 9, 3)), NOW) == []
        told = watch.arrived(topics.JOBS, (done,), NOW)
        assert [(one.text, one.status, one.role) for one in told] == [
            ("Training job a is Failed after 42 s.", "Failed", "bad")
        ]
        assert watch.arrived(topics.JOBS, (done,), NOW) == [] and watch.places == (Place("job", "b"),)

    def test_an_endpoint_is_told_of_when_it_has_settled_and_stays_watched(self) -> None:
        row = endpoints()[0]
        watch = Watchlist([Place("endpoint", row.name)])
        statuses = ("InService", "InService", "Updating", "InService", "Failed")
        told = [
            one.status
            for status in statuses
            for one in watch.arrived(topics.ENDPOINTS, (replace(row, status=status),), NOW)
        ]
        assert told == ["InService", "Failed"] and watch.places

    def test_an_alarm_that_fires_is_told_and_not_one_that_fired_before(self) -> None:
        watch = Watchlist([Place("endpoint", "e")])
        first = endpoint_data.alarms()[0]
        topic = topics.endpoint_alarms("e")
        states = ("ALARM", "OK", "ALARM", "ALARM")
        told = [
            one.text for state in states for one in watch.arrived(topic, (replace(first, state=state),), NOW)
        ]
        assert told == [f"Alarm {first.name} of endpoint e fires."]
        assert topic in watch.topics() and topics.ENDPOINTS in watch.topics()

    def test_what_has_come_and_gone_between_two_looks_is_told(self) -> None:
        row = endpoints()[0]
        watch = Watchlist([Place("endpoint", row.name)])
        for modified, told in (
            (1.0, []),
            (1.0, []),
            (2.0, [f"Endpoint {row.name} was changed and is InService."]),
        ):
            notices = watch.arrived(
                topics.ENDPOINTS, (replace(row, status="InService", modified=modified),), NOW
            )
            assert [one.text for one in notices] == told
        alarm, topic = endpoint_data.alarms()[0], topics.endpoint_alarms(row.name)
        texts = [
            one.text.removeprefix(f"Alarm {alarm.name} of endpoint {row.name} ")
            for state, updated in (
                ("OK", 1.0),
                ("OK", 1.0),
                ("OK", 2.0),
                ("ALARM", 3.0),
                ("ALARM", 3.0),
                ("ALARM", 4.0),
            )
            for one in watch.arrived(topic, (replace(alarm, state=state, updated=updated),), NOW)
        ]
        assert texts == ["has changed in between and is OK again.", "fires.", "fires."]

    def test_what_is_deleted_is_told_when_all_that_there_are_are_known(self) -> None:
        row = endpoints()[0]
        watch = Watchlist([Place("endpoint", row.name), Place("endpoint", "never-seen")])
        assert watch.arrived(topics.ENDPOINTS, (row,), NOW) == []
        assert watch.arrived(topics.ENDPOINTS, (), NOW, whole=False) == []
        told = watch.arrived(topics.ENDPOINTS, (), NOW)
        assert [one.text for one in told] == [f"Endpoint {row.name} was deleted."]
        assert watch.places == (Place("endpoint", "never-seen"),)


async def test_watch_this_tells_through_every_way_and_is_kept(services: Scripted, tmp_path: Path) -> None:
    path = tmp_path / "console.json"
    memory = Memory(path)
    app = make_app(services, memory=memory)
    bells: list[bool] = []
    app.bell = lambda: bells.append(True)  # type: ignore[method-assign]
    name = jobs()[0].name
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2", "W")
        assert f"You are told when {name}" in message(app)
        assert app.watchlist.places == (Place("job", name),)
        await pilot.press("3")
        memory.flush()
        assert "jobs" in services.watched(), "also while another screen is looked at"
    assert json.loads(path.read_text())["targets"]["embedded us-east-1"]["watched"] == {f"job {name}": True}

    again = make_app(services, memory=Memory(path))
    again.bell = lambda: bells.append(True)  # type: ignore[method-assign]
    async with again.run_test(size=SMALL) as pilot:
        await until(pilot, lambda: again.watchlist.places)
        services.publish(topics.JOBS, (replace(jobs()[0], status="Completed", ended=NOW), *jobs()[1:]))
        await until(pilot, lambda: any(call[0] == "notify" for call in services.done))
        assert f"Training job {name} is Completed" in message(again)
        call = next(call for call in services.done if call[0] == "notify")
        assert call[2] == {"kind": "job", "name": name, "status": "Completed"}
        assert bells and not again.watchlist.places


async def test_a_second_time_ends_it_and_what_cannot_be_watched_is_said(app: Console) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("6", "tab", "W")
        assert "Put the cursor on" in message(app)
        await pilot.press("3", "asterisk", "W")
        assert len(app.watchlist.places) == len(endpoints())
        await pilot.press("W")
        assert not app.watchlist.places


def test_a_name_cannot_steer_the_terminal() -> None:
    evil = "a\x07\x1b]52;c;xx\x07b"
    for sequence in (terminal.title_sequence(evil), terminal.notification_sequence(evil, {})):
        assert sequence.count("\x07") == 1 and sequence.count("\x1b") == 1
    assert terminal.notification_sequence("a", {"TMUX": "x"}).startswith("\x1bPtmux;\x1b\x1b]9;a")


@pytest.fixture
def hook() -> Iterator[tuple[str, list[dict[str, str]]]]:
    got: list[dict[str, str]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response({"wrong": 404, "elsewhere": 302}.get(self.path.rpartition("/")[2], 200))
            self.send_header("Location", "/other")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/secret-token", got
    server.shutdown()
    server.server_close()


def test_a_webhook_gets_the_sentence_and_no_problem_tells_its_secret(
    hook: tuple[str, list[dict[str, str]]],
) -> None:
    url, got = hook
    notices.post(url, "Job x is Completed.", {"name": "x"})
    assert got == [{"text": "Job x is Completed.", "content": "Job x is Completed.", "name": "x"}]
    for address in (url + "/wrong", "http://127.0.0.1:9/secret-token"):
        with pytest.raises(Problem) as problem:
            notices.post(address, "x", {})
        assert "127.0.0.1" in str(problem.value) and "secret-token" not in str(problem.value)


def test_how_it_is_told_is_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from workflows.configuration import ConfigurationError, load

    file = tmp_path / "config.toml"
    file.write_text('[notify]\nby = "bell,title"\nwebhook = "https://hooks.example.com/T0/B0"\n')
    found = load(file=file)
    assert notices.ways(found.notify_by) == {"bell", "title"} and found.notify_webhook.endswith("B0")
    assert "notify_webhook" not in found.as_dict()
    file.write_text('[notify]\nby = "smoke"\n')
    with pytest.raises(ConfigurationError, match=r"notify\.by"):
        load(file=file)


@pytest.mark.parametrize(
    "address",
    ["hooks.example.com/secret", "http://127.0.0.1:9/sec ret", "http://[::1/secret", "http://h:8x/secret", "file:///secret",
     "http://user:secret@127.0.0.1/", "https://h/sécret"],
)  # fmt: skip
def test_an_address_that_cannot_be_a_webhook_is_refused_and_not_repeated(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workflows.configuration import ConfigurationError, load

    with pytest.raises(Problem, match="cannot be used") as problem:
        notices.post(address, "x", {})
    monkeypatch.setenv("MLCONSOLE_NOTIFY_WEBHOOK", address)
    with pytest.raises(ConfigurationError, match="MLCONSOLE_NOTIFY_WEBHOOK cannot be used") as wrong:
        load()
    assert "cret" not in str(problem.value) + str(wrong.value).replace("password", "")


def test_a_redirection_is_a_failure_because_the_text_would_not_come_along(
    hook: tuple[str, list[dict[str, str]]],
) -> None:
    url, got = hook
    with pytest.raises(Problem, match="302"):
        notices.post(url + "/elsewhere", "x", {})
    assert len(got) == 1


async def test_what_has_ended_already_is_not_watched(app: Console, services: Scripted) -> None:
    done = replace(jobs()[0], status="Completed", ended=NOW)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("2")
        services.publish(topics.JOBS, (done,))
        await until(pilot, lambda: app.known(topics.JOBS) == (done,))
        await pilot.press("W")
        assert "has ended already" in message(app) and not app.watchlist.places
        assert not any(call[0] == "notify" for call in services.done)


async def test_what_comes_at_once_is_told_in_one_line_that_stays_with_a_webhook_that_fails(
    app: Console, services: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def notify(text: str, details: dict[str, str]) -> None:
        services.done.append(("notify", text))
        raise Problem("The host did not take it: 500.")

    monkeypatch.setattr(services, "notify", notify)
    running = [replace(row, status="InProgress", ended=None) for row in jobs()[:2]]
    async with app.run_test(size=(200, 24)) as pilot:
        await pilot.press("6")
        for row in running:
            app.watchlist.toggle(Place("job", row.name))
        services.publish(topics.JOBS, tuple(running))
        app._observe_watched()
        services.publish(topics.JOBS, tuple(replace(row, status="Failed", ended=NOW) for row in running))
        await until(pilot, lambda: "500" in message(app))
        told = f"2 watched: {running[0].name} Failed, {running[1].name} Failed. ✗ The host did not take it"
        assert told in message(app)
        assert len([call for call in services.done if call[0] == "notify"]) == 2
        await pilot.press("2")
        assert told in message(app), "not with a key that came at the same moment"
        app._flash_stays_until = 1e-9
        await pilot.press("3")
        assert told not in message(app)


async def test_two_consoles_keep_what_each_of_them_watches(services: Scripted, tmp_path: Path) -> None:
    path = tmp_path / "console.json"
    path.write_text(json.dumps({"targets": {"embedded us-east-1": {"watched": ["endpoint old"]}}}))
    memories = [Memory(path), Memory(path)]
    names = [row.name for row in endpoints()[:2]]
    for memory, name in zip(memories, names, strict=True):
        app = make_app(services, memory=memory)
        async with app.run_test(size=SMALL) as pilot:
            await until(pilot, lambda app=app: app.watchlist.places)  # type: ignore[misc]
            app.watchlist.toggle(Place("endpoint", name))
            app._observe_watched()
        memory.flush()
    kept = json.loads(path.read_text())["targets"]["embedded us-east-1"]["watched"]
    assert set(kept) == {"endpoint old", *(f"endpoint {name}" for name in names)}


async def test_what_a_key_has_asked_for_is_told_while_it_is_waited_for(
    app: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifying, "LONG", 0.0)
    answered = threading.Event()

    def ask() -> None:
        with underway.waiting("sagemaker StopTrainingJob at http://127.0.0.1:1"):
            assert answered.wait(60)

    async with app.run_test(size=SMALL) as pilot:
        with underway.waiting("sagemaker ListTrainingJobs, which nobody has asked for"):
            app.in_background(ask, lambda _: app.flash("✓ stopped"))
            await until(
                pilot, lambda: "Waiting for sagemaker StopTrainingJob" in (app.flash_text or ("",))[0]
            )
        answered.set()
        await until(pilot, lambda: app.flash_text == ("✓ stopped", "ok"))
