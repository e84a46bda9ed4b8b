"""One picture of the documentation: what a console shows, as SVG."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from console.app import Console

HERE = Path(__file__).parent
SIZE = (142, 40)
DEADLINE = 600.0


async def until(pilot: Pilot[Any], condition: Callable[[], Any]) -> None:
    """Let the console go on until something holds.

    Raises:
        TimeoutError: It never did.
    """
    deadline = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the screen never came")
        await pilot.pause(0.1)


def save(app: Console, name: str) -> None:
    """Write ``<name>.svg`` beside this file."""
    (HERE / f"{name}.svg").write_text(portable(app.export_screenshot(title="mlconsole")), encoding="utf-8")
    print(f"docs/screens/{name}.svg")


def portable(svg: str) -> str:
    """Without the web font: what shows the picture uses its own monospaced one."""
    begin = svg.find("@font-face")
    while begin >= 0:
        end = svg.find("}", begin) + 1
        svg = svg[:begin] + svg[end:]
        begin = svg.find("@font-face")
    return svg
