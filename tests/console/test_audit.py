"""The audit log on the screen."""

from __future__ import annotations

import json

import pytest

from console.app import make_app
from console.screens.audit import AuditScreen
from console.screens.help import TextScreen
from tests.console import audit_data
from tests.console.conftest import until
from tests.console.scripted import NOW, populated
from workflows import topics
from workflows.pollers import audit
from workflows.pollers.audit import AuditPoller
from workflows.safety.changes import change


async def test_it_is_narrowed_read_and_gone_back_to() -> None:
    app = make_app(populated(), theme_name="mlconsole-dark")
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("colon", *"audit result:read-only", "enter")
        await until(pilot, lambda: isinstance(app.screen, AuditScreen) and len(app.screen.rows().items) == 1)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, AuditScreen) and len(app.screen.rows().items) == 6)
        shown = "\n".join(strip.text for strip in app.screen._compositor.render_strips())
        for text in ("✓ ok", "■ read-only", "✗ Access", "? unknown"):
            assert text in shown, "each result has a glyph and a word"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, TextScreen))
        assert json.loads(app.screen._text)["operation"] == "DeleteEndpoint"  # type: ignore[attr-defined]
        await pilot.press("escape", "2", "left_square_bracket")
        await until(
            pilot, lambda: isinstance(app.screen, AuditScreen), "it is a place that can be gone back to"
        )


def test_a_change_is_seen_at_the_next_look() -> None:
    poller = AuditPoller()
    assert poller.poll(None, lambda value: None, 0.0) == ()
    with change("StartRun", "moons-1"):
        pass
    (entry,) = poller.poll(None, lambda value: None, 1.0)
    assert (entry.resource, entry.result) == ("moons-1", "ok")
    assert topics.AUDIT.kind == "audit"


def test_a_long_log_tells_that_its_oldest_changes_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "MOST", 3)
    poller = AuditPoller()
    for number in range(3):
        with change("StartRun", f"moons-{number}"):
            pass
    poller.poll(None, lambda value: None, 0.0)
    assert not poller.more
    with change("StartRun", "moons-3"):
        pass
    found = poller.poll(None, lambda value: None, 1.0)
    assert [entry.resource for entry in found] == ["moons-3", "moons-2", "moons-1"] and poller.more


async def test_the_screen_tells_it_too() -> None:
    services = populated()
    app = make_app(services, theme_name="mlconsole-dark")
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.press("colon", *"audit", "enter")
        await until(pilot, lambda: isinstance(app.screen, AuditScreen) and len(app.screen.rows().items) == 6)
        assert isinstance(app.screen, AuditScreen) and "newest" not in app.screen.summary()
        services.publish(topics.AUDIT, audit_data.entries(NOW), more=True)
        await until(pilot, lambda: "6 changes, the newest" in app.screen.summary())  # type: ignore[attr-defined]
