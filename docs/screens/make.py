"""Makes the pictures of the documentation from a real run on the embedded SageMaker.

It runs the moons study in a home of its own, opens the console on it, and saves what is on the screen.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SIZE = (142, 40)
DEADLINE = 300.0


def main() -> int:
    """Run, draw, stop the engine."""
    if "MLCONSOLE_HOME" not in os.environ:
        os.environ["MLCONSOLE_HOME"] = tempfile.mkdtemp(prefix="mlconsole-screens-")
    from workflows import runs
    from workflows.configuration import load

    for number, interface in enumerate(("low", "high")):
        run = runs.start("moons", {"seed": number + 1}, interface=interface, configuration=load())
        for _ in runs.follow(run):
            pass
        print(f"{run.id}: {runs.read(run.folder).status}")
    asyncio.run(draw())
    import subprocess

    return subprocess.run([sys.executable, "-m", "console", "engine", "stop"], check=False).returncode


async def draw() -> None:
    """Save the screens of a run that is under way, of its results and of the jobs."""

    from console.app import Console, make_app
    from console.live import LiveServices
    from console.screens.form import FormScreen
    from console.screens.run import RunScreen
    from workflows.configuration import load

    app: Console = make_app(LiveServices(load()), theme_name="mlconsole-dark")
    async with app.run_test(size=SIZE) as pilot:

        async def until(condition: Callable[[], Any]) -> None:
            deadline = time.monotonic() + DEADLINE
            while not condition():
                if time.monotonic() > deadline:
                    raise TimeoutError("the screen never came")
                await pilot.pause(0.1)

        def save(name: str) -> None:
            (HERE / f"{name}.svg").write_text(
                _portable(app.export_screenshot(title="mlconsole")), encoding="utf-8"
            )
            print(f"docs/screens/{name}.svg")

        await pilot.press("4")
        await pilot.pause(1)
        await pilot.press("enter")
        await until(lambda: isinstance(app.screen, FormScreen))
        await pilot.press("ctrl+s")
        await until(lambda: isinstance(app.screen, RunScreen))
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await until(lambda: screen.state.current is not None and screen.state.current.id == "deploy")
        app.flash_text = None
        await pilot.pause(2.2)
        save("run")
        await until(lambda: screen.state.finished is not None)
        await pilot.press("tab")
        await pilot.pause(1)
        save("results")
        await pilot.press("2")
        await pilot.pause(4)
        save("jobs")


def _portable(svg: str) -> str:
    """Without the web font: what shows the picture uses its own monospaced one."""
    begin = svg.find("@font-face")
    while begin >= 0:
        end = svg.find("}", begin) + 1
        svg = svg[:begin] + svg[end:]
        begin = svg.find("@font-face")
    return svg


if __name__ == "__main__":
    sys.exit(main())
