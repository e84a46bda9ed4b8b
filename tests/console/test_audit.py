"""The audit log on the screen."""

from __future__ import annotations

import json

from console.app import make_app
from console.screens.audit import AuditScreen
from console.screens.help import TextScreen
from tests.console.conftest import until
from tests.console.scripted import populated
from workflows import topics
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
