"""What holds of the console after any step: it runs, its lines have the width of the screen, nothing is empty, nothing was changed unasked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rich.cells import cell_len
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from console.app import Console
from console.screens.base import ConsoleScreen
from console.widgets.line import Line
from console.widgets.log import LogView
from console.widgets.page import Page
from console.widgets.plot import Plot
from console.widgets.rows import Rows
from tests.console.scripted import Scripted

Step = tuple[Any, ...]
SILENT = {"preview", "reasons"}
"""Panes that may be empty beside or below a list."""
ACTING = {
    "stop_run", "resume_run", "stop_job", "delete_endpoint", "change_weights", "sweep", "stop_tuning", "delete_tuning", "deploy_best",
    "start_defaults", "stop_transform", "start_experiment", "weigh_experiment", "stop_experiment", "promote", "remove_experiment",
    "begin_rollout", "roll_back_rollout", "promote_rollout", "clean_rollout",
}  # fmt: skip
"""What no key may do without a question."""


@dataclass
class Walk:
    """What a walk knows of the console that it goes through."""

    app: Console
    services: Scripted
    originals: dict[Any, Any] = field(default_factory=dict)
    """What was known of each topic at first."""
    confirmed: list[tuple[str, str]] = field(default_factory=list)
    """Texts of the questions that were answered, and the answers."""
    looked: int = 0
    """How many of the calls were looked at."""
    hanging: bool = False
    trace: list[Step] = field(default_factory=list)


class Broken(AssertionError):
    """Something does not hold that has to."""


def see(walk: Walk) -> None:
    """What has to hold, now."""
    app = walk.app
    if app._exception is not None or app.crash is not None:
        raise Broken(f"it ended: {app._exception or app.crash!r}") from (app._exception or app.crash)
    if not app.is_running or app._exit:
        raise Broken("it ended")
    check_calls(walk)
    screen = app.screen
    size = app.size
    if not screen.is_mounted or screen.size != size:
        return
    check_picture(app)
    base = app.base_screen
    if base is app.screen and isinstance(base, ConsoleScreen):
        check_body(base)


def check_calls(walk: Walk) -> None:
    for call in walk.services.done[walk.looked :]:
        name, *about = call
        if name not in ACTING:
            continue
        subject = about[0] if about and isinstance(about[0], str) else ""
        if not any(
            choice != "Cancel" and (not subject or _named(subject, text)) for text, choice in walk.confirmed
        ):
            raise Broken(f"{call} without a question; answered were {walk.confirmed[-3:]}")
    walk.looked = len(walk.services.done)


def _named(subject: str, text: str) -> bool:
    return subject in text


def check_picture(app: Console) -> None:
    """Every line is as wide as the screen, and nothing in it steers the terminal."""
    compositor = app.screen._compositor
    for y, strip in enumerate(compositor.render_strips(app.size)):
        check_strip(strip, app.size.width, f"line {y} of {app.screen!r}")
    for widget in app.screen.walk_children():
        if (
            isinstance(widget, Rows | Page | LogView | Plot | Line)
            and widget.is_attached
            and widget.display
            and widget.size.area
        ):
            size = widget.size
            if widget.region.area == 0:
                continue
            for y, strip in enumerate(widget.render_lines(Region(0, 0, size.width, size.height))):
                check_strip(strip, size.width, f"line {y} of {widget!r} on {app.screen!r}")


def check_strip(strip: Strip, width: int, where: str) -> None:
    texts = [segment.text for segment in strip if not segment.control]
    real = sum(cell_len(text) for text in texts)
    if strip.cell_length != width or real != width:
        raise Broken(f"{where} has {real} cells and says {strip.cell_length} of {width}: {''.join(texts)!r}")


def check_body(screen: ConsoleScreen) -> None:
    """Between the navigation and the keys stands something: there is no empty body."""
    app = screen.app
    if app.size.height < 8 or app.size.width < 16:
        return
    top = max(
        (
            screen.query_one(f"#{name}").region.bottom
            for name in ("nav", "notice", "parts")
            if screen.has(f"#{name}")
        ),
        default=0,
    )
    bottom = screen.query_one("#keys").region.y if screen.has("#keys") else app.size.height
    if bottom - top < 2:
        return
    for widget in screen.walk_children():
        if (
            isinstance(widget, Rows | Page | Plot)
            and widget.display
            and widget.region.width >= 16
            and widget.region.height >= 4
            and widget.id not in SILENT
        ):
            lines = widget.render_lines(Region(0, 0, widget.size.width, widget.size.height))
            if (
                not "".join(segment.text for strip in lines for segment in strip).strip()
                and widget.region.bottom <= bottom
                and all(one.display for one in widget.ancestors if isinstance(one, Widget))
            ):
                raise Broken(
                    f"{widget!r} of {screen!r}, part {screen.part!r}, is empty; known is {screen.snapshots}"[
                        :3000
                    ]
                )
    strips = screen._compositor.render_strips(app.size)[top:bottom]
    if not "".join(segment.text for strip in strips for segment in strip).strip():
        raise Broken(
            f"{screen!r} has an empty body between {top} and {bottom}, part {screen.part!r}, knows {screen.snapshots}"[
                :3000
            ]
        )
