"""What stands in the place of a resource that is not there (any more): that it is gone, and what can be done next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console import actions
from console.keymap import key
from console.screens import facts
from console.widgets.drawing import Lines
from console.widgets.page import Page

if TYPE_CHECKING:
    from console.screens.base import ConsoleScreen

LISTED = ("training job", "transform job", "tuning job", "endpoint", "run")
"""What the list of its section has."""
LOCAL = ("run", "rollout", "A/B test", "replay")
"""What is kept in folders of this machine: no backend knows of it."""


FRAME = ("banner", "nav", "notice", "keys")
"""The ids of the lines around a screen's body."""


DELETED = "✗ deleted"
"""The status of what was there when it was opened and is there no more: its last state stays to be read."""


def say_if_gone(screen: ConsoleScreen) -> None:
    """While what is opened on a screen is absent, nothing stands there but that it is gone, and what to do next."""
    absent = screen.absent
    if absent == screen.gone:
        return
    screen.gone = absent
    if not absent:
        for widget in screen.covered:
            widget.display = True
        screen.query_one(
            "#gone"
        ).display = False  # kept: it may be gone again before it would have been removed
        if screen.parts:
            screen.call_later(screen.show_part, screen.part)  # the keys are those of its widgets again
        return
    screen.covered = [widget for widget in screen.children if widget.id not in FRAME and widget.display]
    for widget in screen.covered:
        widget.display = False
    screen.set_focus(None)
    if screen.has("#gone"):
        screen.query_one("#gone").display = True
        return
    page = Page(id="gone")
    page.can_focus = False
    screen.mount(page, before="#keys")
    services = screen.console.services
    where = "the embedded SageMaker" if services.target == "embedded" else f"AWS in {services.region}"
    page.show(lambda width: gone(screen.thing, screen.missed(), screen.section, where, width))


def gone(thing: str, name: str, section: str, where: str, width: int) -> Lines:
    """That there is no such thing, and the keys that lead on.

    Args:
        thing: What it is, as ``training job``.
        name: Its name.
        section: The section of the console in which such things are.
        where: The target, as ``AWS in us-east-1``.
        width: Cells of a line.
    """
    place = "on this machine" if thing in LOCAL else f"in {where}"
    reasons = (
        "It was deleted, or never made"
        if thing in LOCAL
        else "It was deleted, or it belongs to another target"
    )
    title = actions.get(f"app.{section}").label
    ways = (
        (f"{key('app.palette')}ab", "lists the A/B tests that there are")
        if thing == "A/B test"
        else (
            key(f"app.{section}"),
            f"goes to {title}" + (f": every {thing} is listed there" if thing in LISTED else ""),
        ),
        (key("app.back"), "goes back"),
        (key("app.refresh"), "looks once more"),
    )
    margin = max(len(keys) for keys, _ in ways) + 2
    return [
        [(name, "strong")],
        [("✗ gone", "bad")],
        [],
        *facts.sentences([f"There is no {thing} of this name {place}. {reasons}."], width),
        [],
        *([(f"{keys:<{margin}}", "key"), (text, "")] for keys, text in ways),
    ]
